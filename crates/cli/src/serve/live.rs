//! Pages that load again when the configuration was saved, and show what is wrong with it when it can't be used.
//!
//! A script is put at the end of pages that a browser navigates to, by the core itself: a configuration of one patch, run behind the other
//! one on what leaves. So the page's content security policy is asked, and charsets and codings are dealt with as always. The script
//! takes its own element away before anything else runs.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use engraft::engine::Engine;
use engraft::exchange::report::Report;
use engraft::exchange::{self, Body, Edits, Next, Surroundings};
use engraft::html::outcome::Skip;
use engraft::request::RequestHead;
use http::{HeaderMap, Method, StatusCode, header};
use serde::Serialize;
use tokio::sync::mpsc;

use super::reload::Setup;
use super::state::State;
use crate::{output, printable};

/// The script, at the path that [`CONFIGURATION`] names.
pub(crate) const SCRIPT: &str = include_str!("live/live.js");

const CONFIGURATION: &[u8] = br#"
version: 1
routes:
- name: live
  patches:
  - script: { src: /__engraft/live.js, at: body_end }
"#;

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Live {
    engine: Arc<Engine>,
    /// The paths of pages whose policies are known not to allow the script.
    refused: Mutex<BTreeSet<String>>,
}

/// The script on its way into one page.
pub(crate) struct Injected {
    edits: Box<Edits>,
    live: Arc<Live>,
    path: String,
}

impl Live {
    /// `None` if the core did not take the configuration above, which a test would tell.
    pub(crate) fn new() -> Option<Self> {
        let loaded = Engine::load(CONFIGURATION).ok()?;
        Some(Self { engine: Arc::new(loaded.engine), refused: Mutex::default() })
    }

    /// Takes the head of a page as it leaves; gives what is to be done with its body, if the page is to have the script.
    pub(crate) fn inject(
        self: &Arc<Self>,
        request: &RequestHead,
        status: StatusCode,
        headers: &mut HeaderMap,
    ) -> Option<Injected> {
        let begun = exchange::begin(&self.engine, request, &Surroundings::default());
        let Next::Forward(forwarded) = begun.next else { return None };
        let answered = forwarded.answer(status, headers);
        match answered.body {
            Body::NotModified(..) => None,
            Body::Passes(report) => {
                self.say_if_refused(&request.path, &report);
                None
            }
            Body::Edited(mut edits) => {
                edits.release_head();
                answered.headers.iter().for_each(|edit| edit.apply(headers));
                // A page that was kept has the script in it, or has it not: validators of the page say neither.
                headers.remove(header::ETAG);
                headers.remove(header::LAST_MODIFIED);
                Some(Injected { edits, live: Arc::clone(self), path: request.path.clone() })
            }
        }
    }

    fn say_if_refused(&self, path: &str, report: &Report) {
        let outcomes = report.patches.iter().filter_map(|patch| patch.outcome.as_ref());
        if !outcomes.into_iter().any(|outcome| outcome.skipped.contains_key(&Skip::Policy)) {
            return;
        }
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        if refused.len() < 1000 && refused.insert(path.to_owned()) {
            let path = printable::line(path);
            let _ = output::to_stderr(|out, _| {
                writeln!(
                    out,
                    "{path} does not load again by itself: its content security policy allows no script from here (it needs script-src 'self')"
                )
            });
        }
    }
}

impl Injected {
    /// What bytes of the page come to.
    pub(crate) fn write(&mut self, bytes: Bytes) -> [Bytes; 2] {
        if self.edits.is_done() {
            return [Bytes::new(), bytes];
        }
        let mut out = Vec::new();
        let tail = self.edits.write(&bytes, &mut out);
        [out.into(), bytes.slice(bytes.len().saturating_sub(tail)..)]
    }

    /// Whether the page can't be read to its end: the answer is to be broken off.
    pub(crate) fn is_broken(&self) -> bool {
        self.edits.is_broken()
    }

    /// What is left at the end of the page.
    ///
    /// # Errors
    /// The same, of a page that ends before its coding does.
    pub(crate) fn end(mut self) -> Result<Bytes, Bytes> {
        let mut out = Vec::new();
        self.edits.finish(&mut out);
        let is_broken = self.edits.is_broken();
        let report = self.edits.end(&mut out);
        self.live.say_if_refused(&self.path, &report);
        if is_broken { Err(out.into()) } else { Ok(out.into()) }
    }
}

/// Whether a browser asks for a page to show it. Everybody else gets pages as they leave Envoy.
pub(crate) fn navigates(request: &RequestHead) -> bool {
    let headers = &request.headers;
    let is =
        |name: &str, value: &str| headers.get(name).is_some_and(|found| found.as_bytes() == value.as_bytes());
    let says = headers.contains_key("sec-fetch-mode");
    let accepts_pages = || {
        let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
        accept.contains("text/html")
    };
    request.method == Method::GET.as_str()
        && if says { is("sec-fetch-mode", "navigate") } else { accepts_pages() }
}

/// What pages are told.
#[derive(Debug, Serialize)]
pub(crate) struct Now<'s> {
    /// Pages that began with another one are of another configuration.
    generation: String,
    /// As `engraft check` says it.
    problems: Option<&'s str>,
}

/// Server-sent events: what is in force, now and whenever that changes.
pub(crate) fn events(state: &Arc<State>) -> mpsc::Receiver<Bytes> {
    let (sender, events) = mpsc::channel(1);
    let instance = state.instance;
    let (mut setup, mut ending) = (state.setup.clone(), state.ending.clone());
    tokio::task::spawn_local(async move {
        loop {
            let event = event(instance, &setup.borrow_and_update());
            if sender.send(event).await.is_err() {
                return;
            }
            tokio::select! {
                changed = setup.changed() => if changed.is_err() { return },
                _ = ending.wait_for(|ending| *ending) => return,
                () = sender.closed() => return,
            }
        }
    });
    events
}

impl<'s> Now<'s> {
    pub(crate) fn of(instance: u128, setup: &'s Setup) -> Self {
        let generation = format!("{instance:x}-{}", setup.generation);
        Self { generation, problems: setup.problems.as_deref() }
    }
}

fn event(instance: u128, setup: &Setup) -> Bytes {
    let now = Now::of(instance, setup);
    // Plain data; JSON has no line feeds outside of texts, and escapes those inside.
    let json = serde_json::to_string(&now).unwrap_or_default();
    format!("data: {json}\n\n").into()
}
