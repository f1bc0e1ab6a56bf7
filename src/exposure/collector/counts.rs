//! What a collector has done, in events.

use crate::exchange::report::Counter;

/// Counted since they were last taken. Every event that is queued is sent or failed in the end, or still waits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Taken into the queue.
    pub queued: u64,
    /// Taken by the service.
    pub sent: u64,
    /// Not queued, for there was no room.
    pub dropped: u64,
    /// Refused by the service, or tried too often.
    pub failed: u64,
    /// Not events: how often a batch was to be sent again.
    pub retries: u64,
}

impl Counts {
    /// As counters.
    #[must_use]
    pub const fn counters(self) -> [(Counter, u64); 5] {
        [
            (Counter::CollectorQueued, self.queued),
            (Counter::CollectorSent, self.sent),
            (Counter::CollectorDropped, self.dropped),
            (Counter::CollectorFailed, self.failed),
            (Counter::CollectorRetries, self.retries),
        ]
    }
}
