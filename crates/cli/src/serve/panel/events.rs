//! What the panel hears while it is open: exchanges as they end, and what becomes of the configuration.

use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;
use tokio::sync::mpsc;

use super::listing;
use crate::serve::live;
use crate::serve::state::State;

/// Server-sent events: `exchanges`, with those that were not told of yet, the newest first, and `setup`, as pages hear of it.
pub(super) fn events(state: &Arc<State>) -> mpsc::Receiver<Bytes> {
    let (sender, events) = mpsc::channel(1);
    let state = Arc::clone(state);
    let mut setup = state.setup.clone();
    let mut ending = state.ending.clone();
    let mut added = state.recent.watch();
    tokio::task::spawn_local(async move {
        let mut seen = None;
        let mut is_setup_told = false;
        loop {
            if !std::mem::replace(&mut is_setup_told, true) {
                let now = event("setup", &live::Now::of(state.instance, &setup.borrow_and_update()));
                if sender.send(now).await.is_err() {
                    return;
                }
            }
            added.mark_unchanged();
            let (fresh, count) = state.recent.since(seen.unwrap_or(0));
            if seen.replace(count) != Some(count) {
                let rows: Vec<_> = fresh.iter().map(|exchange| listing::row(exchange)).collect();
                if sender.send(event("exchanges", &rows)).await.is_err() {
                    return;
                }
            }
            tokio::select! {
                changed = setup.changed() => match changed {
                    Ok(()) => is_setup_told = false,
                    Err(_) => return,
                },
                _ = added.changed() => {}
                _ = ending.wait_for(|ending| *ending) => return,
                () = sender.closed() => return,
            }
        }
    });
    events
}

fn event(name: &str, data: &impl Serialize) -> Bytes {
    // Plain data; JSON has no line feeds outside of texts, and escapes those inside.
    let json = serde_json::to_string(data).unwrap_or_default();
    format!("event: {name}\ndata: {json}\n\n").into()
}
