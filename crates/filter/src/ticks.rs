//! The ticks of a root context: Envoy gives it one timer, and several parts of the filter want to be called.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use crate::host;

/// Who wants ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Client {
    /// [`Heads`](crate::heads::Heads).
    Heads,
    /// [`Payload`](crate::payload::Payload).
    Payload,
    /// [`Exposures`](crate::exposures::Exposures).
    Exposures,
}

/// The ticks of a root context; a copy is another handle to the same ones.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ticks(Rc<RefCell<State>>);

#[derive(Debug, Default)]
struct State {
    wants: BTreeMap<Client, Want>,
    /// What Envoy was told last; zero is none.
    period: Duration,
    is_ticking: bool,
}

#[derive(Debug)]
struct Want {
    every: Duration,
    next: SystemTime,
}

impl Ticks {
    /// From now on, `client` is due so often.
    pub(crate) fn want(&self, client: Client, every: Duration) {
        let mut state = self.0.borrow_mut();
        let next = host::now().checked_add(every).unwrap_or(SystemTime::UNIX_EPOCH);
        state.wants.insert(client, Want { every, next });
        if !state.is_ticking && (state.period.is_zero() || every < state.period) {
            // A timer that runs would run out first.
            if !state.period.is_zero() {
                host::set_tick_period(Duration::ZERO);
            }
            state.set_period();
        }
    }

    /// `client` wants no more of them. Envoy is told at the next one.
    pub(crate) fn no_more(&self, client: Client) {
        self.0.borrow_mut().wants.remove(&client);
    }

    /// It ticks: calls `due` with everyone whose time has come.
    pub(crate) fn tick(&self, mut due: impl FnMut(Client)) {
        let now = host::now();
        let mut state = self.0.borrow_mut();
        state.is_ticking = true;
        // Envoy's timer and this clock need not agree to the millisecond.
        let soon = now.checked_add(state.period / 2).unwrap_or(now);
        let mut clients = Vec::new();
        for (client, want) in &mut state.wants {
            // Nor does the clock have to go forward.
            let is_far = want.next.duration_since(now).is_ok_and(|wait| wait > want.every);
            if want.next <= soon || is_far {
                want.next = now.checked_add(want.every).unwrap_or(now);
                clients.push(*client);
            }
        }
        drop(state);
        clients.into_iter().for_each(&mut due);
        let mut state = self.0.borrow_mut();
        state.is_ticking = false;
        state.set_period();
    }
}

impl State {
    fn set_period(&mut self) {
        let period = self.wants.values().map(|want| want.every).min().unwrap_or_default();
        if period != self.period {
            self.period = period;
            host::set_tick_period(period);
        }
    }
}
