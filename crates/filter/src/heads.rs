//! Heads of responses that wait for the first bytes of their bodies.
//!
//! Envoy shows a filter the body while the head waits only where the plugin's configuration says
//! `allow_on_headers_stop_iteration: true` (since 1.35). Elsewhere it shows nothing until the head goes on, and a module
//! can't read that setting. So the first heads that a filter holds in a VM are watched: a body that comes proves that it
//! works, and a head whose body has not come after some ticks goes on without it, as do all later ones.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use crate::host;
use crate::ticks::{Client, Ticks};

/// How often it is looked whether a head has waited long enough.
const TICK: Duration = Duration::from_millis(50);

/// After so many ticks a head has waited long enough for a host that is not known to show bodies.
const PATIENCE: u8 = 2;

/// The heads of a root context; a copy is another handle to the same ones.
#[derive(Debug, Clone, Default)]
pub(crate) struct Heads(Rc<RefCell<State>>, Ticks);

#[derive(Debug, Default)]
struct State {
    shows_bodies: Option<bool>,
    /// Streams whose head waits while that is not known, and the ticks since.
    waiting: BTreeMap<u32, u8>,
}

impl Heads {
    pub(crate) fn new(ticks: &Ticks) -> Self {
        Self(Rc::default(), ticks.clone())
    }

    /// Whether a stream's head may wait. If so, call [`body_came`](Self::body_came) or [`forget`](Self::forget).
    pub(crate) fn hold(&self, stream: u32) -> bool {
        let mut state = self.0.borrow_mut();
        if state.shows_bodies.is_none() {
            if state.waiting.is_empty() {
                self.1.want(Client::Heads, TICK);
            }
            state.waiting.insert(stream, 0);
        }
        state.shows_bodies != Some(false)
    }

    /// The body of a stream whose head waits has come, or its end. Returns whether the head still waits.
    pub(crate) fn body_came(&self, stream: u32) -> bool {
        let mut state = self.0.borrow_mut();
        if state.shows_bodies == Some(true) {
            return true;
        }
        let waits = state.waiting.remove(&stream).is_some();
        if waits {
            state.shows_bodies = Some(true);
        }
        waits
    }

    /// The stream is over.
    pub(crate) fn forget(&self, stream: u32) {
        self.0.borrow_mut().waiting.remove(&stream);
    }

    /// Lets heads go on that wait in vain.
    pub(crate) fn tick(&self) {
        let mut state = self.0.borrow_mut();
        if state.shows_bodies == Some(true) {
            // They are on their way.
            state.waiting.clear();
        }
        for ticks in state.waiting.values_mut() {
            *ticks = ticks.saturating_add(1);
        }
        if state.waiting.values().any(|ticks| *ticks > PATIENCE) {
            state.shows_bodies = Some(false);
            for stream in std::mem::take(&mut state.waiting).into_keys() {
                host::resume_response(stream);
            }
        }
        if state.waiting.is_empty() {
            self.1.no_more(Client::Heads);
        }
    }
}
