//! The body: chunks in, edited chunks out, one report at the end.
//!
//! A body with a content coding is decoded as it comes. Its head says that it has none, and may not leave before that is
//! known to be true: a body that is not what its coding says from its first byte on goes out as it came, with its own head
//! ([`Edits::holds_head`]). Later there is no way back, but for a shell from which nothing has left yet
//! ([`Edits::take_back`]). What was decoded stands, and the response must be broken off, as the visitor's own decoder would
//! have done ([`Edits::is_broken`]).

use super::explained::{Explained, LabelledRecord};
use super::gate::{Kind, Untouched};
use super::page::{CameTo, Page, Plan};
use super::report::{BodyState, Break, Report};
use super::watch::Seeing;
use crate::coding::{Decoder, Gzip};
use crate::exposure::Event;
use crate::headers::HeaderEdit;

/// How much of a coded body is kept while nothing has come out of it. No honest sender has so much to say before.
const MAX_KEPT: usize = 64 << 10;

/// The edits of one body. [`write`](Self::write) each chunk, then [`end`](Self::end); if the exchange breaks off, call
/// [`abort`](Self::abort) instead.
///
/// A shell that can hold the head of the response back, or break the response off, [finishes](Self::finish) the body before
/// it ends it. After each write and the finish it looks whether the head is [to be restored](Self::take_restored_head) and
/// whether the response [must be broken off](Self::is_broken).
#[derive(Debug)]
pub struct Edits {
    report: Report,
    explained: Explained,
    source: Source,
    page: Page,
    /// What the visitor may see on the page.
    seeing: Seeing,
    kind: Kind,
    /// The body passes as it is, and is only looked at.
    looks_only: bool,
    gzip: Option<Gzip>,
    /// What makes the head of a coded body true again, until the head has left.
    own_head: Option<Vec<HeaderEdit>>,
    restored_head: Option<Vec<HeaderEdit>>,
    is_finished: bool,
    /// Kept between chunks to spare allocations.
    decoded: Vec<u8>,
    edited: Vec<u8>,
}

/// Where the page comes from.
#[derive(Debug)]
enum Source {
    /// It is the body.
    Plain,
    Coded {
        decoder: Decoder,
        /// What came, while nothing has come out and the head is held.
        kept: Option<Vec<u8>>,
    },
    /// The body goes out as it came.
    Undecodable(Untouched),
    Broken(Break),
}

impl Edits {
    pub(super) fn new(plan: Plan, seeing: Seeing, report: Report) -> Self {
        Self {
            report,
            explained: Explained::default(),
            source: Source::Plain,
            kind: plan.kind,
            page: Page::new(plan),
            seeing,
            looks_only: false,
            gzip: None,
            own_head: None,
            restored_head: None,
            is_finished: false,
            decoded: Vec::new(),
            edited: Vec::new(),
        }
    }

    /// What came of it is noted, too.
    pub(super) fn explain(&mut self, explained: Explained) {
        self.explained = explained;
    }

    /// The body is decoded by `decoder`; `head` are the changes that would take back that the head says so.
    pub(super) fn decode(&mut self, decoder: Decoder, head: Vec<HeaderEdit>) {
        self.source = Source::Coded { decoder, kept: Some(Vec::new()) };
        self.own_head = Some(head);
    }

    /// From now on the body passes as it is, whatever the plan: only what the visitor sees is of interest.
    pub(super) fn look_only(&mut self) {
        self.looks_only = true;
        self.release_head();
    }

    /// The edited page is coded.
    pub(super) fn encode(&mut self) {
        self.gzip = Some(Gzip::default());
    }

    /// Whether the head should not leave yet: it says that the body has no content coding, and none of it was decoded
    /// so far. Whoever can't hold it back calls [`release_head`](Self::release_head).
    #[must_use]
    pub const fn holds_head(&self) -> bool {
        matches!(self.source, Source::Coded { kept: Some(_), .. })
    }

    /// The head has left.
    pub fn release_head(&mut self) {
        self.own_head = None;
        if let Source::Coded { kept, .. } = &mut self.source {
            *kept = None;
        }
    }

    /// Nothing of the response has left, neither its head nor a byte, and what was written out is thrown away: a body that
    /// is [broken](Self::is_broken) goes out as it came, from its first byte on.
    pub fn take_back(&mut self) {
        if let (Source::Broken(why), Some(_)) = (&self.source, &self.own_head) {
            let reason = match why {
                Break::Corrupt | Break::Truncated => Untouched::CorruptCoding,
                Break::Expansion => Untouched::Expansion,
            };
            self.give_back(reason);
        }
    }

    /// The changes of the head that make it true again, once, where the body turned out not to be what its coding says
    /// while the head was held.
    #[must_use]
    pub const fn take_restored_head(&mut self) -> Option<Vec<HeaderEdit>> {
        self.restored_head.take()
    }

    /// Whether the response must be broken off after what is out: the rest of the body can't be decoded, and a part of a
    /// page must not pass for a page. What is written now goes nowhere; call [`end`](Self::end) for the report.
    #[must_use]
    pub const fn is_broken(&self) -> bool {
        matches!(self.source, Source::Broken(_)) && !self.looks_only
    }

    /// Whether the rest of the body passes as it is: chunks need not be written any more.
    #[must_use]
    pub fn is_done(&self) -> bool {
        match self.source {
            Source::Plain => self.gzip.is_none() && self.page.is_done(),
            Source::Undecodable(_) => true,
            Source::Broken(_) => self.looks_only,
            Source::Coded { .. } => self.looks_only && self.page.is_done(),
        }
    }

    /// Takes the next chunk and adds to `out` what may leave. Returns how many bytes at the end of `chunk` follow `out`
    /// unchanged; they are not copied. There are none where the body is decoded or coded.
    pub fn write(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> usize {
        if self.looks_only {
            self.write_edited(chunk, &mut Vec::new());
            return chunk.len();
        }
        self.write_edited(chunk, out)
    }

    fn write_edited(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> usize {
        match &self.source {
            Source::Plain if self.gzip.is_none() => self.page.write(chunk, out),
            Source::Plain => {
                self.edit(chunk, out);
                0
            }
            Source::Coded { .. } => self.write_coded(chunk, out),
            Source::Undecodable(_) => chunk.len(),
            Source::Broken(_) => 0,
        }
    }

    /// The body has ended: adds to `out` all that is left. Only [`end`](Self::end) and what it is worth to look at before are
    /// to be called after it.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.is_finished, true) {
            return;
        }
        if self.looks_only {
            return self.finish_edited(&mut Vec::new());
        }
        self.finish_edited(out);
    }

    fn finish_edited(&mut self, out: &mut Vec<u8>) {
        match std::mem::replace(&mut self.source, Source::Plain) {
            Source::Plain => self.end_page(out),
            Source::Coded { decoder, kept } => match (decoder.end(), kept) {
                (Ok(()), _) => self.end_page(out),
                (Err(_), Some(mut kept)) => {
                    out.append(&mut kept);
                    self.give_back(Untouched::CorruptCoding);
                }
                (Err(error), None) => self.break_off(error.into(), out),
            },
            over @ (Source::Undecodable(_) | Source::Broken(_)) => self.source = over,
        }
    }

    /// The body has ended: adds to `out` all that is left, and tells what came of it.
    #[must_use]
    pub fn end(mut self, out: &mut Vec<u8>) -> Report {
        self.finish(out);
        self.reported()
    }

    /// The exchange broke off.
    #[must_use]
    pub fn abort(self) -> Report {
        self.reported_as(Some(BodyState::Aborted))
    }

    /// The visitor has the page already: what they see on it.
    pub(super) fn not_modified(self) -> (Report, Vec<Event>) {
        let confirmed = self.seeing.confirmed();
        (self.abort(), confirmed)
    }

    fn write_coded(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> usize {
        let Source::Coded { decoder, kept } = &mut self.source else { return 0 };
        let mut decoded = std::mem::take(&mut self.decoded);
        decoded.clear();
        let mut rest = chunk;
        let mut result = Ok(());
        if let Some(mut so_far) = kept.take() {
            let (first, after) = chunk.split_at(MAX_KEPT.saturating_sub(so_far.len()).min(chunk.len()));
            result = decoder.write(first, &mut decoded);
            rest = after;
            if decoded.is_empty() {
                if result.is_err() || !rest.is_empty() {
                    out.append(&mut so_far);
                    self.give_back(Untouched::CorruptCoding);
                    return chunk.len();
                }
                so_far.extend_from_slice(first);
                *kept = Some(so_far);
                return 0;
            }
        }
        if result.is_ok() {
            result = decoder.write(rest, &mut decoded);
        }
        self.edit(&decoded, out);
        self.decoded = decoded;
        if let Err(error) = result {
            self.break_off(error.into(), out);
        }
        0
    }

    /// Bytes of the page.
    fn edit(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        let tail_of = |tail: usize| bytes.get(bytes.len().saturating_sub(tail)..).unwrap_or_default();
        match &mut self.gzip {
            None => {
                let tail = self.page.write(bytes, out);
                out.extend_from_slice(tail_of(tail));
            }
            Some(gzip) => {
                self.edited.clear();
                let tail = self.page.write(bytes, &mut self.edited);
                gzip.write(&self.edited, out);
                gzip.write(tail_of(tail), out);
            }
        }
    }

    fn end_page(&mut self, out: &mut Vec<u8>) {
        match self.gzip.take() {
            None => self.page.end(out),
            Some(mut gzip) => {
                self.edited.clear();
                self.page.end(&mut self.edited);
                gzip.write(&self.edited, out);
                gzip.end(out);
            }
        }
    }

    fn give_back(&mut self, reason: Untouched) {
        self.restored_head = self.own_head.take();
        self.explained.restored(self.restored_head.as_deref().unwrap_or_default());
        self.source = Source::Undecodable(reason);
    }

    fn break_off(&mut self, why: Break, out: &mut Vec<u8>) {
        match &mut self.gzip {
            None => self.page.cut_off(out),
            Some(gzip) => {
                self.edited.clear();
                self.page.cut_off(&mut self.edited);
                // Without its trailer, so that it is not mistaken for a whole one either.
                gzip.write(&self.edited, out);
            }
        }
        self.source = Source::Broken(why);
    }

    fn reported(self) -> Report {
        self.reported_as(None)
    }

    /// The report; `body` is what is said of the body, whatever became of it.
    fn reported_as(self, body: Option<BodyState>) -> Report {
        let mut report = self.report;
        let came_to = match self.source {
            Source::Undecodable(reason) => {
                CameTo { body: BodyState::Untouched(reason), max_held: 0, ..self.page.not_tried() }
            }
            Source::Broken(why) => CameTo { body: BodyState::Broken(why), ..self.page.outcome() },
            Source::Plain | Source::Coded { .. } => self.page.outcome(),
        };
        if self.is_finished && matches!(came_to.body, BodyState::Edited | BodyState::Reverted) {
            report.exposures.extend(self.seeing.seen(Some(self.kind), &came_to.patches));
        }
        let (probes, patches): (Vec<_>, Vec<_>) =
            came_to.patches.into_iter().partition(|report| report.is_probe);
        report.patches.extend(patches);
        report.probes = probes;
        report.late = came_to.late;
        if !self.looks_only {
            report.body = came_to.body;
            report.max_held_bytes = came_to.max_held;
        }
        report.body = body.unwrap_or(report.body);
        let recorded = if self.looks_only { LabelledRecord::default() } else { came_to.recorded };
        self.explained.complete(&mut report, recorded);
        report
    }
}

#[cfg(test)]
mod tests;
