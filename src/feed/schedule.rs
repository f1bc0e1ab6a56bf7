//! When the service is asked.
//!
//! Every interval, a tenth more or less by chance, so that many Envoys don't ask at once. After a failure sooner: after a second, two,
//! four and so on, half of each by chance, and never less often than when all is well.

use std::time::Duration;

use super::Moment;

/// After the first failure.
const FIRST_RETRY: u64 = 1_000;

#[derive(Debug)]
pub(super) struct Schedule {
    interval: u64,
    failures: u32,
    /// When it was set, and for when.
    next: Option<(u64, u64)>,
}

impl Schedule {
    /// At once.
    pub(super) fn new(interval: Duration) -> Self {
        Self { interval: u64::try_from(interval.as_millis()).unwrap_or(u64::MAX), failures: 0, next: None }
    }

    pub(super) fn is_due(&self, now: u64) -> bool {
        // A clock that was set back must not put it off.
        self.next.is_none_or(|(set, next)| now >= next || now < set)
    }

    pub(super) fn succeeded(&mut self, moment: Moment) {
        self.failures = 0;
        let tenth = self.interval / 10;
        let wait = self.interval.saturating_sub(tenth).saturating_add(share(tenth.saturating_mul(2), moment));
        self.next = Some((moment.millis, moment.millis.saturating_add(wait)));
    }

    pub(super) fn failed(&mut self, moment: Moment) {
        let longest =
            FIRST_RETRY.saturating_mul(1_u64.checked_shl(self.failures.min(32)).unwrap_or(u64::MAX));
        let longest = longest.min(self.interval);
        self.failures = self.failures.saturating_add(1);
        let wait = (longest / 2).saturating_add(share(longest / 2, moment));
        self.next = Some((moment.millis, moment.millis.saturating_add(wait)));
    }
}

/// A part of it, by chance; all of it at most.
fn share(of: u64, moment: Moment) -> u64 {
    of.checked_add(1).and_then(|sides| moment.random.checked_rem(sides)).unwrap_or_default()
}
