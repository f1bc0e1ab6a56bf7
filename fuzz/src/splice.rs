//! The splicer against an editor that has the whole source in memory.
//!
//! The input is read as a script: what of the source is passed by, what is edited, what is held open and what becomes of it.
//! From it come both the calls to the splicer and what they are to give.

use arbitrary::{Arbitrary, Unstructured};
use engraft::html::splice::{Edit, Inner, SpliceError, Splicer};
use engraft_locate::offset::{as_u64, as_usize};

use crate::{same, shown};

#[derive(Debug, Arbitrary)]
struct Script {
    steps: Vec<Step>,
    cuts: Vec<u8>,
}

#[derive(Debug, Arbitrary)]
enum Step {
    Skip(u8),
    Replace(u8, Vec<u8>),
    Region(Vec<Self>, Fate),
}

#[derive(Debug, Arbitrary)]
enum Fate {
    Kept { lead: Vec<u8>, trail: Vec<u8> },
    Dropped { with: Vec<u8> },
    GivenUp,
    NeverSettled,
}

enum Call {
    Edit(Edit),
    Open(u64),
    Settle { nth: usize, lead: Vec<Edit>, inner: Inner, trail: Vec<Edit> },
}

#[derive(Default)]
struct Play {
    source: Vec<u8>,
    /// Each with the offset from which on it can be made.
    calls: Vec<(u64, Call)>,
    opened: usize,
}

/// Checks a script.
///
/// # Errors
/// What does not hold.
pub fn check(input: &[u8]) -> Result<(), String> {
    let Ok(Script { steps, cuts }) = Script::arbitrary_take_rest(Unstructured::new(input)) else {
        return Ok(());
    };
    let mut play = Play::default();
    let expected = play.walk(&steps);
    let found = run(play, &cuts).map_err(|error| error.to_string())?;
    same("spliced", &shown(&found), &shown(&expected))
}

impl Play {
    /// The next `n` bytes of the source.
    fn grow(&mut self, n: u8) -> Vec<u8> {
        let start = self.source.len();
        let letters = (b'a'..=b'z').cycle().skip(start % 26).take(usize::from(n % 16));
        let grown: Vec<u8> = letters.collect();
        self.source.extend_from_slice(&grown);
        grown
    }

    /// What the steps make of the source that they walk.
    fn walk(&mut self, steps: &[Step]) -> Vec<u8> {
        let mut expected = Vec::new();
        for step in steps {
            let start = as_u64(self.source.len());
            match step {
                Step::Skip(n) => expected.extend(self.grow(*n)),
                Step::Replace(n, with) => {
                    self.grow(*n);
                    let end = as_u64(self.source.len());
                    self.calls.push((end, Call::Edit(Edit::new(start..end, with.clone(), 0))));
                    expected.extend_from_slice(with);
                }
                Step::Region(steps, fate) => {
                    let nth = self.opened;
                    self.opened = nth.saturating_add(1);
                    self.calls.push((start, Call::Open(start)));
                    let inner = self.walk(steps);
                    let end = as_u64(self.source.len());
                    let (settled, output) = match fate {
                        Fate::Kept { lead, trail } => (
                            Some((
                                vec![Edit::insert(start, lead.clone(), 0)],
                                Inner::Keep,
                                vec![Edit::insert(end, trail.clone(), 0)],
                            )),
                            [lead.clone(), inner, trail.clone()].concat(),
                        ),
                        Fate::Dropped { with } => (
                            Some((vec![Edit::new(start..end, with.clone(), 0)], Inner::Drop, Vec::new())),
                            with.clone(),
                        ),
                        Fate::GivenUp => (Some((Vec::new(), Inner::Keep, Vec::new())), inner),
                        Fate::NeverSettled => (None, inner),
                    };
                    if let Some((lead, inner, trail)) = settled {
                        self.calls.push((end, Call::Settle { nth, lead, inner, trail }));
                    }
                    expected.extend(output);
                }
            }
        }
        expected
    }
}

fn run(play: Play, cuts: &[u8]) -> Result<Vec<u8>, SpliceError> {
    let mut splicer = Splicer::default();
    let (mut regions, mut dropped, mut out) = (Vec::new(), Vec::new(), Vec::new());
    let mut calls = play.calls.into_iter().peekable();
    let mut rest = play.source.as_slice();
    let mut at = 0;
    let mut cuts = cuts.iter().map(|cut| usize::from(*cut));
    loop {
        let cut = cuts.next().unwrap_or(rest.len());
        let (chunk, after) = rest.split_at(cut.min(rest.len()));
        rest = after;
        at += as_u64(chunk.len());
        while let Some((_, call)) = calls.next_if(|(from, _)| *from <= at) {
            match call {
                Call::Edit(edit) => splicer.edit(edit)?,
                Call::Open(at) => regions.push(splicer.open(at)),
                Call::Settle { nth, lead, inner, trail } => {
                    let region = regions.get(nth).copied().ok_or(SpliceError::UnknownRegion)?;
                    splicer.settle(region, lead, inner, trail, &mut dropped)?;
                }
            }
        }
        // As a parser does: what is cut in the middle of an edit is not located before its end has come.
        let located = match calls.peek() {
            Some((_, Call::Edit(edit))) => edit.range.start.min(at),
            _ => at,
        };
        let tail = splicer.push(chunk, located, &mut out);
        out.extend_from_slice(chunk.get(chunk.len().saturating_sub(tail)..).unwrap_or_default());
        if rest.is_empty() && calls.peek().is_none() {
            break;
        }
    }
    splicer.finish(&mut out);
    debug_assert_eq!(as_usize(at), play.source.len(), "all of the source went in");
    Ok(out)
}
