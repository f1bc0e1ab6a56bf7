//! The splicer: source bytes in, edited bytes out, nothing lost.
//!
//! It knows nothing of HTML. It walks the source once, in order, and is told three things: which ranges are
//! replaced by what ([`Splicer::edit`]), from where on the outcome is still open ([`Splicer::open`] and
//! [`Splicer::settle`]), and up to where the source has been looked at (`located`, in [`Splicer::push`]). A byte
//! leaves as soon as all three allow it, so what waits is exactly what must wait.
//!
//! Positions are byte offsets in the whole source, from 0. Edits come in source order: an edit may start where the
//! one before it ended, never earlier. Two insertions at the same offset come out in the order in which they were
//! given.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use engraft_locate::offset::{as_u64, as_usize};

/// Whom an edit belongs to; the splicer only carries it, so that the owner learns which edits were dropped.
pub type Owner = u32;

/// One replacement: the bytes of `range` in the source become `with`. An empty range is an insertion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// What is replaced, in source offsets.
    pub range: Range<u64>,
    /// What stands there instead.
    pub with: Vec<u8>,
    /// Who asked for it.
    pub owner: Owner,
}

impl Edit {
    /// `with` instead of `range`.
    #[must_use]
    pub fn new(range: Range<u64>, with: impl Into<Vec<u8>>, owner: Owner) -> Self {
        Self { range, with: with.into(), owner }
    }

    /// `with` at `at`, between two bytes of the source.
    #[must_use]
    pub fn insert(at: u64, with: impl Into<Vec<u8>>, owner: Owner) -> Self {
        Self::new(at..at, with, owner)
    }
}

/// A part of the source whose outcome is open: nothing from its start on leaves until it is settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RegionId(u32);

/// What becomes of the edits that were made inside a region, when it is settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is no third fate")]
pub enum Inner {
    /// They stand.
    Keep,
    /// They go: the region's content is replaced.
    Drop,
}

/// An edit that has left, and what stood in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "what there is to say of an edit")]
pub struct Spliced {
    /// The edit.
    pub edit: Edit,
    /// The bytes that it replaced.
    pub was: Vec<u8>,
}

/// The edits that have left, in source order, up to bounds: for people who want to see them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    /// At most [`MAX_RECORDED_EDITS`], and [`MAX_RECORDED_BYTES`] of what was and is.
    pub edits: Vec<Spliced>,
    /// How many more there were.
    pub more: usize,
    bytes: usize,
}

/// How many edits are recorded.
pub const MAX_RECORDED_EDITS: usize = 1000;
/// How many bytes of edits are recorded.
pub const MAX_RECORDED_BYTES: usize = 1 << 20;

impl Record {
    fn add(&mut self, edit: &Edit, was: impl FnOnce() -> Vec<u8>) {
        let bytes = as_usize(edit.range.end.saturating_sub(edit.range.start)).saturating_add(edit.with.len());
        let bytes = self.bytes.saturating_add(bytes);
        if self.more > 0 || self.edits.len() >= MAX_RECORDED_EDITS || bytes > MAX_RECORDED_BYTES {
            self.more = self.more.saturating_add(1);
            return;
        }
        self.bytes = bytes;
        self.edits.push(Spliced { edit: edit.clone(), was: was() });
    }
}

/// How many bytes of the source are known once they have left.
pub const MAX_PAST: usize = 16;

/// The caller broke the order of calls: a bug of ours, never of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SpliceError {
    /// An edit starts before the end of the edit before it, or before what has left already.
    OutOfOrder {
        /// Where the edit starts.
        start: u64,
        /// The earliest offset that would have been possible.
        earliest: u64,
    },
    /// The region is settled already.
    UnknownRegion,
}

impl fmt::Display for SpliceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfOrder { start, earliest } => {
                write!(f, "edit at offset {start} comes after the edits up to offset {earliest}")
            }
            Self::UnknownRegion => f.write_str("region is settled already"),
        }
    }
}

impl std::error::Error for SpliceError {}

#[derive(Debug)]
struct Open {
    id: RegionId,
    start: u64,
    /// How many edits of the log lie before the region.
    edits_before: usize,
}

/// See the [module](self).
///
/// Order of calls, per chunk: any number of [`edit`](Self::edit), [`open`](Self::open) and
/// [`settle`](Self::settle) for places in the chunk or before it, then one [`push`](Self::push) with the chunk. After
/// the last chunk, [`finish`](Self::finish).
///
/// ```
/// use engraft::html::splice::{Edit, Splicer};
///
/// let mut splicer = Splicer::default();
/// let mut out = Vec::new();
/// splicer.edit(Edit::new(6..11, "engraft", 0)).unwrap();
/// let tail = splicer.push(b"hello world, hello", 18, &mut out);
/// assert_eq!(out, b"hello engraft");
/// assert_eq!(tail, 7, "`, hello` follows unchanged and need not be copied");
/// ```
#[derive(Debug, Default)]
pub struct Splicer {
    /// Source bytes that came and have not left; the first one is at offset `released`.
    held: Vec<u8>,
    released: u64,
    /// The last bytes of the source that have left.
    past: Vec<u8>,
    edits: Vec<Edit>,
    regions: Vec<Open>,
    next_region: u32,
    max_held: usize,
    record: Option<Record>,
}

impl Splicer {
    /// From now on, keeps a record of the edits that leave.
    pub fn record(&mut self) {
        self.record.get_or_insert_default();
    }

    /// The record, where one is kept.
    pub const fn take_record(&mut self) -> Option<Record> {
        self.record.take()
    }

    /// Bytes that came and have not left.
    #[must_use]
    pub fn held(&self) -> &[u8] {
        &self.held
    }

    /// The largest number of bytes that were held between two chunks so far.
    #[must_use]
    pub const fn max_held(&self) -> usize {
        self.max_held
    }

    /// The source from the first byte that has not left, `chunk` included.
    #[must_use]
    pub fn window<'a>(&'a self, chunk: &'a [u8]) -> Window<'a> {
        Window { start: self.released, held: &self.held, chunk }
    }

    /// The last bytes of the source before `at`, at most [`MAX_PAST`]; `at` is no earlier than what has left.
    #[must_use]
    pub fn before(&self, at: u64, chunk: &[u8]) -> Vec<u8> {
        let from = at.saturating_sub(as_u64(MAX_PAST));
        let here = self.window(chunk).get(from.max(self.released)..at);
        let missing = as_usize(self.released.saturating_sub(from)).min(self.past.len());
        let past = self.past.get(self.past.len().saturating_sub(missing)..).unwrap_or_default();
        [past, &here].concat()
    }

    /// Notes an edit.
    ///
    /// # Errors
    /// [`SpliceError::OutOfOrder`] when it does not come after the edits that are noted already.
    pub fn edit(&mut self, edit: Edit) -> Result<(), SpliceError> {
        let earliest = self.edits.last().map_or(self.released, |last| last.range.end.max(self.released));
        if edit.range.start < earliest || edit.range.end < edit.range.start {
            return Err(SpliceError::OutOfOrder { start: edit.range.start, earliest });
        }
        self.edits.push(edit);
        Ok(())
    }

    /// Holds everything from `start` on, until the region is [settled](Self::settle). Regions nest.
    pub fn open(&mut self, start: u64) -> RegionId {
        let id = RegionId(self.next_region);
        self.next_region = self.next_region.wrapping_add(1);
        self.regions.push(Open { id, start, edits_before: self.edits.len() });
        id
    }

    /// Ends a region. `lead` are edits from the region's start on that come before those made inside it; `inner` says
    /// what becomes of these; `trail` comes after them. The owners of dropped edits are added to `dropped`.
    ///
    /// # Errors
    /// [`SpliceError::UnknownRegion`] for one that is settled already; [`SpliceError::OutOfOrder`] when `lead`, the
    /// inner edits and `trail` are not in source order.
    pub fn settle(
        &mut self,
        region: RegionId,
        lead: Vec<Edit>,
        inner: Inner,
        trail: Vec<Edit>,
        dropped: &mut Vec<Owner>,
    ) -> Result<(), SpliceError> {
        let Some(index) = self.regions.iter().position(|open| open.id == region) else {
            return Err(SpliceError::UnknownRegion);
        };
        let open = self.regions.remove(index);
        let mut inside = self.edits.split_off(open.edits_before.min(self.edits.len()));
        if inner == Inner::Drop {
            dropped.extend(inside.drain(..).map(|edit| edit.owner));
            self.regions.truncate(index);
        }
        for nested in self.regions.iter_mut().skip(index) {
            nested.edits_before = nested.edits_before.saturating_add(lead.len());
        }
        lead.into_iter().chain(inside).chain(trail).try_for_each(|edit| self.edit(edit))
    }

    /// Takes the next `chunk` of the source and writes to `out` what may leave: everything before `located` and
    /// before the first open region, edited. Returns how many bytes at the end of `chunk` follow `out` unchanged; they
    /// are not copied.
    pub fn push(&mut self, chunk: &[u8], located: u64, out: &mut Vec<u8>) -> usize {
        let received =
            self.released.saturating_add(as_u64(self.held.len())).saturating_add(as_u64(chunk.len()));
        let (limit, ready) = match self.regions.first() {
            Some(open) => (located.min(open.start), open.edits_before),
            None => (located, self.edits.len()),
        };
        let limit = limit.min(received);

        if ready > 0 {
            let inserted: usize = self.edits.iter().take(ready).map(|edit| edit.with.len()).sum();
            out.reserve(self.held.len().saturating_add(chunk.len()).saturating_add(inserted));
        }
        let window = Window { start: self.released, held: &self.held, chunk };
        let mut at = self.released;
        let mut used = 0;
        for edit in self.edits.iter().take(ready) {
            if edit.range.end > limit {
                break;
            }
            used += 1;
            // Nothing instead of nothing only carries its owner.
            if edit.range.is_empty() && edit.with.is_empty() {
                continue;
            }
            if let Some(record) = &mut self.record {
                record.add(edit, || window.get(edit.range.clone()).into_owned());
            }
            window.copy(at..edit.range.start, out);
            out.extend_from_slice(&edit.with);
            at = edit.range.end;
        }
        // An edit that reaches beyond the limit waits, and so does its source.
        let keep_until = match self.edits.get(used) {
            Some(waiting) => limit.min(waiting.range.start),
            None => limit,
        };

        let chunk_start = received.saturating_sub(as_u64(chunk.len()));
        let past = self.before(keep_until.max(at), chunk);
        if keep_until == received {
            window.copy(at..chunk_start, out);
            let tail_start = at.max(chunk_start);
            self.forget(used);
            self.held.clear();
            self.released = received;
            self.past = past;
            return as_usize(received.saturating_sub(tail_start));
        }
        window.copy(at..keep_until, out);
        let released = keep_until.max(at);
        let from_held = as_usize(released.saturating_sub(self.released)).min(self.held.len());
        let from_chunk = as_usize(released.saturating_sub(chunk_start)).min(chunk.len());
        self.held.drain(..from_held);
        self.held.extend_from_slice(chunk.get(from_chunk..).unwrap_or_default());
        self.forget(used);
        self.released = released;
        self.past = past;
        self.max_held = self.max_held.max(self.held.len());
        0
    }

    /// Forgets every open region and every edit that has not left: their source stands.
    pub fn abandon(&mut self) {
        self.regions.clear();
        self.edits.clear();
    }

    /// The source has ended: writes all that is left. Regions that are still open are given up, their source stands.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        self.regions.clear();
        self.push(&[], u64::MAX, out);
        // Edits that lie beyond the end of the source have nothing to stand on.
        self.edits.clear();
    }

    fn forget(&mut self, used: usize) {
        self.edits.drain(..used);
        for open in &mut self.regions {
            open.edits_before = open.edits_before.saturating_sub(used);
        }
    }
}

/// A view of the source from the first byte that has not left.
#[derive(Debug, Clone, Copy)]
pub struct Window<'a> {
    start: u64,
    held: &'a [u8],
    chunk: &'a [u8],
}

impl<'a> Window<'a> {
    /// The bytes of `range`, cut to what the window has; borrowed where they lie in one piece.
    #[must_use]
    pub fn get(&self, range: Range<u64>) -> Cow<'a, [u8]> {
        let (held, chunk) = self.pieces(range);
        match (held, chunk) {
            (held, []) => Cow::Borrowed(held),
            ([], chunk) => Cow::Borrowed(chunk),
            (held, chunk) => Cow::Owned([held, chunk].concat()),
        }
    }

    fn copy(&self, range: Range<u64>, out: &mut Vec<u8>) {
        let (held, chunk) = self.pieces(range);
        out.extend_from_slice(held);
        out.extend_from_slice(chunk);
    }

    fn pieces(&self, range: Range<u64>) -> (&'a [u8], &'a [u8]) {
        let from = as_usize(range.start.saturating_sub(self.start));
        let to = as_usize(range.end.saturating_sub(self.start)).max(from);
        let border = self.held.len();
        let held = self.held.get(from.min(border)..to.min(border)).unwrap_or_default();
        let chunk_len = self.chunk.len();
        let chunk = self
            .chunk
            .get(from.saturating_sub(border).min(chunk_len)..to.saturating_sub(border).min(chunk_len))
            .unwrap_or_default();
        (held, chunk)
    }
}

#[cfg(test)]
mod tests;
