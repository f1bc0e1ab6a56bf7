//! Events on their way to an HTTP service, in batches, without anybody waiting for it.
//!
//! ```text
//! event ─► queue (bounded) ─► batch ─► one request in flight ─┬─ 2xx ─► sent
//!                                        ▲                    ├─ 408, 429, 5xx, no answer ─► again, later
//!                                        └────────────────────┘
//!                                                             └─ another status, or too often ─► failed
//! ```
//!
//! - **Nothing waits for it.** An event that does not fit into the queue is dropped and counted: the newest, so that what is queued
//!   keeps its order and a batch under way stays as it is. Whether a service is slow depends on no variation, so what is lost is
//!   lost of all of them alike.
//! - **At least once.** A batch whose answer is lost comes again, byte for byte; `view_id` and `experiment_id` name an event.
//! - **One at a time.** So a service that comes back is not run over, and the memory is that of the queue and one batch.
//!
//! It lives in the memory of one worker, and dies with it: whoever has to know each exposure reads the access log.
//!
//! Calling it: [`handle_event`](Collector::handle_event) for each event; [`handle_tick`](Collector::handle_tick) a few times a second,
//! and for each [`Batch`] that comes out, [`handle_answer`](Collector::handle_answer) once. Times are milliseconds since 1970.

use std::collections::VecDeque;
use std::sync::Arc;

use http::{HeaderName, HeaderValue, header};

use super::Event;

mod counts;
mod settings;

pub use counts::Counts;
pub use settings::Settings;

/// How often a batch is tried at most.
pub const MAX_ATTEMPTS: u32 = 8;

/// The first pause after a batch was not taken, in milliseconds; each pause after it is twice as long.
const FIRST_PAUSE: u64 = 1000;

/// The longest pause, in milliseconds.
const MAX_PAUSE: u64 = 60_000;

/// An answer that has not come so long after it should have timed out never comes, in milliseconds.
const GRACE: u64 = 5000;

/// See the [module](self).
#[derive(Debug)]
pub struct Collector {
    settings: Settings,
    queue: VecDeque<Queued>,
    /// How many bytes the queue is.
    queued_bytes: usize,
    batch: Option<InFlight>,
    tickets: u64,
    counts: Counts,
}

#[derive(Debug)]
struct Queued {
    json: String,
    since: u64,
}

/// The batch that is to be taken next.
#[derive(Debug)]
struct InFlight {
    body: Arc<[u8]>,
    events: u64,
    attempts: u32,
    state: State,
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// Asked, since then.
    Asked(Ticket, u64),
    /// To be asked again: not before `until`, and the pause began at `since`.
    Pausing { since: u64, until: u64 },
}

/// Names a request. An answer to any but the last one counts for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ticket(u64);

/// A request that is to be made: `POST`, with a JSON object whose `events` are a list of [events](Event).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Batch {
    /// What its answer is to be given with.
    pub ticket: Ticket,
    /// Envoy's name of the service.
    pub cluster: Arc<str>,
    /// `:authority`.
    pub authority: Arc<str>,
    /// `:path`.
    pub path: Arc<str>,
    /// The other headers.
    pub headers: [(HeaderName, HeaderValue); 1],
    /// The body.
    pub body: Arc<[u8]>,
    /// How long the answer may take, in milliseconds.
    pub timeout: u64,
}

/// What came of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a request is answered or not")]
pub enum Answer {
    /// This status.
    Status(u16),
    /// None: it could not be made, broke off or took too long.
    Nothing,
}

impl Collector {
    /// A collector with nothing in it.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            queue: VecDeque::new(),
            queued_bytes: 0,
            batch: None,
            tickets: 0,
            counts: Counts::default(),
        }
    }

    /// Takes an event that happens now.
    pub fn handle_event(&mut self, event: &Event, now: u64) {
        let json = event.for_server(now);
        let bytes = self.queued_bytes.saturating_add(json.len());
        if self.queue.len() >= self.settings.max_queue_events || bytes > self.settings.max_queue_bytes {
            self.counts.dropped = self.counts.dropped.saturating_add(1);
            return;
        }
        self.queued_bytes = bytes;
        self.counts.queued = self.counts.queued.saturating_add(1);
        self.queue.push_back(Queued { json, since: now });
    }

    /// What is to be sent now.
    pub fn handle_tick(&mut self, now: u64) -> Option<Batch> {
        if let Some(batch) = &self.batch
            && let State::Asked(ticket, since) = batch.state
            && has_passed(since, self.settings.timeout.saturating_add(GRACE), now)
        {
            self.handle_answer(ticket, Answer::Nothing, now);
        }
        match &self.batch {
            None if self.is_due(now) => {
                let (body, events) = self.fill();
                self.ask(
                    InFlight { body, events, attempts: 0, state: State::Pausing { since: now, until: now } },
                    now,
                )
            }
            Some(InFlight { state: State::Pausing { since, until }, .. })
                if has_passed(*since, until.saturating_sub(*since), now) =>
            {
                let batch = self.batch.take()?;
                self.ask(batch, now)
            }
            _ => None,
        }
    }

    /// Takes what came of a request.
    pub fn handle_answer(&mut self, ticket: Ticket, answer: Answer, now: u64) {
        let Some(mut batch) =
            self.batch.take_if(|batch| matches!(batch.state, State::Asked(asked, _) if asked == ticket))
        else {
            return;
        };
        match answer {
            Answer::Status(200..=299) => {
                self.counts.sent = self.counts.sent.saturating_add(batch.events);
            }
            // It may be taken another time (RFC 9110 § 15.5.9, 15.6; RFC 6585 § 4).
            Answer::Status(408 | 429 | 500..) | Answer::Nothing if batch.attempts < MAX_ATTEMPTS => {
                self.counts.retries = self.counts.retries.saturating_add(1);
                let doublings = batch.attempts.saturating_sub(1).min(16);
                let pause = (FIRST_PAUSE << doublings).min(MAX_PAUSE);
                batch.state = State::Pausing { since: now, until: now.saturating_add(pause) };
                self.batch = Some(batch);
            }
            Answer::Status(_) | Answer::Nothing => {
                self.counts.failed = self.counts.failed.saturating_add(batch.events);
            }
        }
    }

    /// What has been counted since the last call.
    pub fn take_counts(&mut self) -> Counts {
        std::mem::take(&mut self.counts)
    }

    /// How many events wait, those under way included.
    #[must_use]
    pub fn depth(&self) -> u64 {
        let queued = u64::try_from(self.queue.len()).unwrap_or(u64::MAX);
        queued.saturating_add(self.batch.as_ref().map_or(0, |batch| batch.events))
    }

    /// Whether what is queued is enough for a batch, or has waited for long enough.
    fn is_due(&self, now: u64) -> bool {
        let Some(oldest) = self.queue.front() else { return false };
        self.queue.len() >= self.settings.batch_events
            || self.queued_bytes >= self.settings.batch_bytes
            || has_passed(oldest.since, self.settings.batch_age, now)
    }

    /// Takes a batch from the queue, an event at least.
    fn fill(&mut self) -> (Arc<[u8]>, u64) {
        let (mut body, mut events) = (String::from("{\"events\":["), 0_u64);
        while let Some(next) = self.queue.front() {
            let is_full = usize::try_from(events).is_ok_and(|events| events >= self.settings.batch_events)
                || body.len().saturating_add(next.json.len()) > self.settings.batch_bytes;
            if events > 0 && is_full {
                break;
            }
            let Some(next) = self.queue.pop_front() else { break };
            self.queued_bytes = self.queued_bytes.saturating_sub(next.json.len());
            if events > 0 {
                body.push(',');
            }
            body.push_str(&next.json);
            events = events.saturating_add(1);
        }
        body.push_str("]}");
        (Arc::from(body.into_bytes()), events)
    }

    fn ask(&mut self, mut batch: InFlight, now: u64) -> Option<Batch> {
        self.tickets = self.tickets.wrapping_add(1);
        let ticket = Ticket(self.tickets);
        batch.attempts = batch.attempts.saturating_add(1);
        batch.state = State::Asked(ticket, now);
        let body = Arc::clone(&batch.body);
        self.batch = Some(batch);
        Some(Batch {
            ticket,
            cluster: Arc::clone(&self.settings.cluster),
            authority: Arc::clone(&self.settings.authority),
            path: Arc::clone(&self.settings.path),
            headers: [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))],
            body,
            timeout: self.settings.timeout,
        })
    }
}

/// Whether so long has passed. Where the clock was put back it has: nothing waits for a time that comes only much later.
const fn has_passed(since: u64, length: u64, now: u64) -> bool {
    match now.checked_sub(since) {
        Some(passed) => passed >= length,
        None => true,
    }
}

#[cfg(test)]
mod tests;
