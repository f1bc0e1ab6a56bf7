//! The feed: how the workers of one Envoy come by the payload of a feature service, and keep it.
//!
//! Every worker has a VM of its own, and each of them a [`Feed`]. They agree over a [board](Board) that they share: one of
//! them, by a lease, asks the service and publishes what it could read; all take that over, each for itself, in
//! [steps](crate::live::Takeover) that are short.
//!
//! ```text
//! tick ─► lease ─┬─ mine ─► ask ─► answer ─► take over ─► publish ─┐
//!                └─ not mine                                        ▼
//! tick ─► look at the board ◄──────────────── record (digest, length, since when), bytes
//!              └─► bytes ─► take over ─► in force from then on
//! ```
//!
//! - **The last good one stays.** What can't be had or read is told ([`Action::Warn`], [`Action::Count`]) and changes nothing.
//! - **Nobody waits.** Until a payload is there, [`Feed::live`] says that there is none.
//! - **All change at once.** A record says from when on its payload counts, [`LEAD`] after it is published; a worker that is
//!   ready earlier waits. Only the first payload counts at once.
//! - **Sizes are looked at first.** Bytes, of an answer or of the board, are copied when they are known to be few enough and
//!   to be needed.
//!
//! Calling it: [`tick`](Feed::tick) as often as [`pace`](Feed::pace) says; [`answered`](Feed::answered) or
//! [`failed`](Feed::failed) once for each [`Action::Ask`]; after each of these, [`poll_action`](Feed::poll_action) until
//! there is none.

mod action;
mod board;
mod failure;
mod issue;
mod lease;
mod quiet;
mod schedule;
mod source;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

pub use action::{Action, AnswerHead, Moment, Question};
pub use board::{Board, Entry};
pub use failure::{Failure, Reason};
pub use source::{GrowthBook, Source};

use crate::decide::decrypt::DecryptionKey;
use crate::decide::payload::{MAX_PAYLOAD_BYTES, PayloadError};
use crate::exchange::report::Counter;
use crate::live::{Live, Step, Takeover};
use board::Keys;
use issue::Issue;
use lease::Holder;
use quiet::Quiet;
use schedule::Schedule;

/// So long after it is published, a payload that follows another comes into force.
pub const LEAD: Duration = Duration::from_secs(2);

/// From one look at the board to the next, when all is well.
pub const LOOK: Duration = Duration::from_millis(500);

/// The same, while there is no payload yet.
const FIRST_LOOK: Duration = Duration::from_millis(100);

/// Between two steps of a takeover: requests that came meanwhile are served.
const BREATH: Duration = Duration::from_millis(5);

/// An answer that has not come so long after it should have timed out never comes.
const GRACE: u64 = 5_000;

/// The feed of one worker. See the [module](self) for the order of calls.
#[derive(Debug)]
pub struct Feed {
    source: Source,
    key: Option<DecryptionKey>,
    keys: Keys,
    holder: Holder,
    schedule: Schedule,
    /// The open question, and since when.
    asked: Option<(u32, u64)>,
    questions: u32,
    /// What is taken over here, or was.
    known: Option<Issue>,
    /// What could not be taken over: not again.
    refused: Option<(u128, PayloadError)>,
    work: Option<Work>,
    in_force: Option<Arc<Live>>,
    /// Ready, and not in force before its time.
    next: Option<(u64, Arc<Live>)>,
    actions: VecDeque<Action>,
    warnings: Quiet,
    news: Quiet,
}

/// A takeover under way.
#[derive(Debug)]
struct Work {
    takeover: Takeover,
    /// What it will be known as.
    issue: Issue,
    /// What is to be published when it is done; nothing if it came from the board.
    bytes: Option<Vec<u8>>,
}

impl Feed {
    /// The feed of a worker; `id` is a number that no other worker has.
    #[must_use]
    pub fn new(source: &Source, key: Option<&DecryptionKey>, id: u64) -> Self {
        Self {
            keys: Keys::of(source, key),
            schedule: Schedule::new(source.interval),
            source: source.clone(),
            key: key.cloned(),
            holder: Holder::new(id),
            asked: None,
            questions: 0,
            known: None,
            refused: None,
            work: None,
            in_force: None,
            next: None,
            actions: VecDeque::new(),
            warnings: Quiet::default(),
            news: Quiet::default(),
        }
    }

    /// Before anything else, and before other workers do anything: a board that has no lease gets one that nobody holds.
    pub fn open(&mut self, board: &mut impl Board) {
        self.holder.open(&self.keys.lease, board);
    }

    /// Does what is due.
    pub fn tick(&mut self, moment: Moment, board: &mut impl Board) {
        let _ = self.live(moment.millis);
        if let Some(work) = self.work.take() {
            self.work(work, moment, board);
        }
        let was_mine = self.holder.is_mine();
        let is_mine = self.holder.renew(&self.keys.lease, moment.millis, board);
        if was_mine && !is_mine {
            // Another worker asks now.
            self.asked = None;
        }
        if self.work.is_none() {
            self.look(board);
        }
        if is_mine {
            self.ask(moment);
        }
    }

    /// How long until the next tick.
    #[must_use]
    pub const fn pace(&self) -> Duration {
        if self.work.is_some() || self.holder.is_claimed() {
            BREATH
        } else if self.in_force.is_none() {
            FIRST_LOOK
        } else {
            LOOK
        }
    }

    /// The payload that is in force at this time, in milliseconds since 1970.
    pub fn live(&mut self, millis: u64) -> Option<&Arc<Live>> {
        // A clock that was set back must not keep it waiting.
        let lead = u64::try_from(LEAD.as_millis()).unwrap_or(u64::MAX);
        if self
            .next
            .as_ref()
            .is_some_and(|(since, _)| *since <= millis || *since > millis.saturating_add(lead))
            && let Some((_, live)) = self.next.take()
        {
            self.in_force = Some(live);
        }
        self.in_force.as_ref()
    }

    /// What is to be done next.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// The service has answered. `body` copies what it has sent; it is called only if that is wanted and is not too long.
    pub fn answered(
        &mut self,
        question: u32,
        moment: Moment,
        head: &AnswerHead<'_>,
        body: impl FnOnce() -> Vec<u8>,
    ) {
        if !self.closes(question) {
            return;
        }
        match (head.status, &self.known) {
            (304, Some(Issue { tag: Some(_), .. })) => {
                self.count(Counter::PayloadNotModified);
                self.schedule.succeeded(moment);
            }
            (200, _)
                if head.content_coding.is_some_and(|coding| !coding.eq_ignore_ascii_case("identity")) =>
            {
                self.fails(Failure::ContentCoding, moment);
            }
            (200, _) if head.body_bytes > MAX_PAYLOAD_BYTES => {
                self.fails(Failure::TooLong { bytes: head.body_bytes }, moment);
            }
            (200, _) => {
                self.count(Counter::PayloadFetched);
                self.take(body(), head.tag, moment);
            }
            (status, _) => self.fails(Failure::Status(status), moment),
        }
    }

    /// There is no answer.
    pub fn failed(&mut self, question: u32, failure: Failure, moment: Moment) {
        if self.closes(question) {
            self.fails(failure, moment);
        }
    }

    fn closes(&mut self, question: u32) -> bool {
        let is_open = self.asked.is_some_and(|(open, _)| open == question);
        if is_open {
            self.asked = None;
        }
        is_open
    }

    fn fails(&mut self, failure: Failure, moment: Moment) {
        self.schedule.failed(moment);
        self.tell(&failure, moment);
    }

    fn tell(&mut self, failure: &Failure, moment: Moment) {
        self.count(Counter::PayloadFailed(failure.reason()));
        if let Some(more) = self.warnings.speaks(moment.millis) {
            let kept = match &self.known {
                Some(issue) => format!("the last good one stays, {issue}"),
                None => "there is none yet, and control is served".to_owned(),
            };
            self.actions.push_back(Action::Warn(format!("payload: {failure}; {kept}{more}")));
        }
    }

    fn count(&mut self, counter: Counter) {
        self.actions.push_back(Action::Count(counter));
    }

    /// Asks the service when it is time and nothing else is under way.
    fn ask(&mut self, moment: Moment) {
        let timeout = u64::try_from(self.source.timeout.as_millis()).unwrap_or(u64::MAX);
        if let Some((question, since)) = self.asked
            && moment.millis.abs_diff(since) > timeout.saturating_add(GRACE)
        {
            self.failed(question, Failure::Silent, moment);
        }
        let is_busy = self.asked.is_some() || self.work.is_some() || self.next.is_some();
        if is_busy || !self.schedule.is_due(moment.millis) {
            return;
        }
        self.questions = self.questions.wrapping_add(1);
        self.asked = Some((self.questions, moment.millis));
        self.actions.push_back(Action::Ask(Question {
            number: self.questions,
            tag: self.known.as_ref().and_then(|issue| issue.tag.clone()),
        }));
    }

    /// Takes what the service has sent.
    fn take(&mut self, bytes: Vec<u8>, tag: Option<&str>, moment: Moment) {
        let tag = tag.filter(|tag| issue::is_tag(tag)).map(str::to_owned);
        let takeover = Takeover::new(bytes.clone(), self.key.clone());
        let digest = takeover.digest();
        if let Some(known) = self.known.as_mut().filter(|known| known.digest == digest) {
            known.tag = tag;
            self.schedule.succeeded(moment);
            return;
        }
        if let Some((_, why)) = self.refused.as_ref().filter(|(refused, _)| *refused == digest) {
            let failure = Failure::Payload(why.clone());
            return self.fails(failure, moment);
        }
        let issue = Issue { digest, bytes: bytes.len(), since: 0, tag };
        self.work = Some(Work { takeover, issue, bytes: Some(bytes) });
    }

    /// Looks at what another worker has published.
    fn look(&mut self, board: &impl Board) {
        let Some(entry) = board.read(&self.keys.issue) else { return };
        let Some(issue) = Issue::parse(&entry.value) else { return };
        let is_known = self.known.as_ref().is_some_and(|known| known.digest == issue.digest);
        let is_refused = self.refused.as_ref().is_some_and(|(refused, _)| *refused == issue.digest);
        if is_known || is_refused || issue.bytes > MAX_PAYLOAD_BYTES {
            return;
        }
        let Some(entry) = board.read(&self.keys.bytes) else { return };
        let takeover = Takeover::new(entry.value, self.key.clone());
        // Whoever publishes writes the bytes first: at the next look they belong together.
        if takeover.digest() == issue.digest {
            self.work = Some(Work { takeover, issue, bytes: None });
        }
    }

    /// Does a step of a takeover.
    fn work(&mut self, work: Work, moment: Moment, board: &mut impl Board) {
        let Work { takeover, mut issue, bytes } = work;
        match takeover.step() {
            Ok(Step::Working(takeover)) => self.work = Some(Work { takeover, issue, bytes }),
            Ok(Step::Done(live)) => {
                if let Some(bytes) = bytes {
                    self.schedule.succeeded(moment);
                    if !self.holder.is_mine() {
                        return;
                    }
                    if self.known.is_some() {
                        let lead = u64::try_from(LEAD.as_millis()).unwrap_or(u64::MAX);
                        issue.since = moment.millis.saturating_add(lead);
                    }
                    board.write(&self.keys.bytes, &bytes, None);
                    board.write(&self.keys.issue, issue.to_string().as_bytes(), None);
                    self.announce(&live, &issue, moment);
                }
                self.comes(*live, issue);
            }
            Err(why) => {
                self.refused = Some((issue.digest, why.clone()));
                let failure = Failure::Payload(why);
                if bytes.is_some() { self.fails(failure, moment) } else { self.tell(&failure, moment) }
            }
        }
    }

    fn comes(&mut self, live: Live, issue: Issue) {
        self.count(Counter::PayloadTakenOver);
        let live = Arc::new(live);
        if let Some((_, earlier)) = self.next.take() {
            self.in_force = Some(earlier);
        }
        if self.in_force.is_some() {
            self.next = Some((issue.since, live));
        } else {
            self.in_force = Some(live);
        }
        self.refused = None;
        self.known = Some(issue);
    }

    fn announce(&mut self, live: &Live, issue: &Issue, moment: Moment) {
        let Some(more) = self.news.speaks(moment.millis) else { return };
        let payload = live.payload();
        let (off, count) = payload.switched_off();
        let off = off.first().map(|first| format!(", {count} rules or experiments off, the first: {first}"));
        self.actions.push_back(Action::Inform(format!(
            "payload: {} features, {} experiments, {issue}{}{more}",
            payload.features().len(),
            payload.experiments().len(),
            off.unwrap_or_default(),
        )));
    }
}

#[cfg(test)]
mod tests;
