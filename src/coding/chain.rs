//! Codings on top of each other, driven piece by piece.
//!
//! What a coding produces goes to the next one before more is produced, so that between two of them never lies more
//! than a piece, and each of them is held to the bounds: the bytes that the next one throws away count too.

use std::fmt;
use std::mem;

use super::{Bounds, Coding, as_u64};

/// What a codec may write at once.
const PIECE: usize = 16 << 10;
/// What it may write of a few bytes: room costs zeroing.
const SMALL_PIECE: usize = 512;
/// What a codec may read at once: a decoder that fails may lose what it made of the bytes of that call.
const SLICE: usize = 1 << 10;

/// One coding's decoder.
pub(super) trait Codec {
    /// Reads from `input` and writes to `room`, as far as both go. With `input` empty it writes what is left to write.
    ///
    /// # Errors
    /// Those of the stream, with what it wrote before.
    fn step(&mut self, input: &[u8], room: &mut [u8]) -> Result<Step, Corrupt>;

    /// Whether the body may end here.
    fn is_complete(&mut self) -> bool;
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) consumed: usize,
    pub(super) written: usize,
    pub(super) flow: Flow,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    /// There is more to do: input is left, or output that did not fit.
    Again,
    /// All of this input is read and all that it determines is written.
    Starved,
    /// The stream has ended, whatever follows.
    Ended,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Corrupt {
    pub(super) written: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    Corrupt,
    Truncated,
    Expansion,
}

/// The codecs in the order in which they are undone.
pub(super) struct Chain(Vec<Link>);

struct Link {
    coding: Coding,
    codec: Box<dyn Codec>,
    state: State,
    /// What came out since the start of the body, and since the start of this write.
    produced: u64,
    produced_in_write: u64,
    /// Where it goes on its way to the next link.
    piece: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// It has not seen a byte.
    Fresh,
    Running,
    Ended,
}

/// What the bounds of this write are measured by.
struct Meter<'b> {
    received: u64,
    bounds: &'b Bounds,
}

impl Chain {
    pub(super) fn new(codings: impl Iterator<Item = Coding>) -> Self {
        Self(codings.map(Link::new).collect())
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What came out at the end of the chain.
    pub(super) fn produced(&self) -> u64 {
        self.0.last().map_or(0, |link| link.produced)
    }

    /// `received` is what came in since the start of the body, with this chunk.
    pub(super) fn write(
        &mut self,
        chunk: &[u8],
        out: &mut Vec<u8>,
        received: u64,
        bounds: &Bounds,
    ) -> Result<(), (Coding, Fault)> {
        for link in &mut self.0 {
            link.produced_in_write = 0;
        }
        drive(&mut self.0, chunk, out, &Meter { received, bounds })
    }

    /// The first coding that is not at its end.
    pub(super) fn unfinished(&mut self) -> Option<Coding> {
        self.0.iter_mut().find_map(|link| (!link.is_complete()).then_some(link.coding))
    }
}

/// Decoders have no state worth reading.
impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|link| (link.coding, link.state, link.produced))).finish()
    }
}

impl Link {
    fn new(coding: Coding) -> Self {
        let codec: Box<dyn Codec> = match coding {
            Coding::Gzip => Box::new(super::gzip::Gzip::new()),
            Coding::Deflate => Box::new(super::deflate::Deflate::new()),
            Coding::Brotli => Box::new(super::brotli::Brotli::new()),
            Coding::Zstd => Box::new(super::zstd::Zstd::new()),
        };
        Self { coding, codec, state: State::Fresh, produced: 0, produced_in_write: 0, piece: Vec::new() }
    }

    fn is_complete(&mut self) -> bool {
        match self.state {
            State::Fresh | State::Ended => true,
            State::Running => self.codec.is_complete(),
        }
    }

    /// One step, its output added to `target`.
    fn step(
        &mut self,
        input: &[u8],
        room: usize,
        target: &mut Vec<u8>,
        meter: &Meter<'_>,
    ) -> Result<Step, Fault> {
        let start = target.len();
        target.resize(start.saturating_add(room), 0);
        let step = self.codec.step(input, target.get_mut(start..).unwrap_or_default());
        let written = step.map_or_else(|corrupt| corrupt.written, |step| step.written);
        target.truncate(start.saturating_add(written));

        self.produced = self.produced.saturating_add(as_u64(written));
        self.produced_in_write = self.produced_in_write.saturating_add(as_u64(written));
        let step = step.map_err(|_| Fault::Corrupt)?;
        let bounds = meter.bounds;
        let allowed = bounds.allowance_bytes.max(meter.received.saturating_mul(bounds.max_ratio));
        if self.produced > allowed || self.produced_in_write > bounds.max_bytes_per_write {
            return Err(Fault::Expansion);
        }
        // A step that does nothing would be repeated forever.
        if step.flow != Flow::Ended && step.consumed == 0 && step.written == 0 && !is_idle(step, input) {
            return Err(Fault::Corrupt);
        }
        Ok(step)
    }
}

/// Whether it had nothing to do.
const fn is_idle(step: Step, input: &[u8]) -> bool {
    matches!(step.flow, Flow::Starved) && input.is_empty()
}

fn drive(
    links: &mut [Link],
    mut input: &[u8],
    out: &mut Vec<u8>,
    meter: &Meter<'_>,
) -> Result<(), (Coding, Fault)> {
    let Some((link, rest)) = links.split_first_mut() else {
        out.extend_from_slice(input);
        return Ok(());
    };
    if input.is_empty() {
        return Ok(());
    }
    if link.state == State::Fresh {
        link.state = State::Running;
    }
    let mut is_full = false;
    while link.state == State::Running {
        // Whether a stream fails before anything came out must not depend on how it was cut.
        let longest = if link.produced == 0 { 1 } else { SLICE };
        let slice = input.get(..longest).unwrap_or(input);
        let room = if is_full { PIECE } else { slice.len().saturating_mul(8).clamp(SMALL_PIECE, PIECE) };
        let step = if rest.is_empty() {
            link.step(slice, room, out, meter)
        } else {
            let mut piece = mem::take(&mut link.piece);
            let step = link.step(slice, room, &mut piece, meter);
            drive(rest, &piece, out, meter)?;
            piece.clear();
            link.piece = piece;
            step
        }
        .map_err(|fault| (link.coding, fault))?;
        input = input.get(step.consumed..).unwrap_or_default();
        is_full = step.written == room;
        match step.flow {
            Flow::Ended => link.state = State::Ended,
            Flow::Starved if input.is_empty() => break,
            Flow::Again | Flow::Starved => {}
        }
    }
    Ok(())
}
