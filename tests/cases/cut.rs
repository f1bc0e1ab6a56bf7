//! Pages that end early: `origin: { cut_everywhere: true }`.
//!
//! A case like that is run with its page cut after every byte, natively; through Envoy after some of them, chosen at random. The
//! bodies of `origin` and `expect` are lists of as many pieces, and where a pair differs, there is an edit:
//!
//! ```yaml
//! origin: { cut_everywhere: true, body: ["<h1>", "old", "</h1>"] }
//! expect: { body: ["<h1>", "new", "</h1>"] }
//! ```
//!
//! What comes out of a page that was cut is the page as far as it came, with some of the edits: each wholly or not at all, none of
//! them of what was cut, and an edit that is made stays made however much of the page follows. Of the whole page it is all of them.

use crate::core;

/// How many cuts are tried through Envoy, for each way in which it is asked.
const SAMPLED: usize = 6;
/// How many sizes are mixed before the first of them is taken.
const MIXED: usize = 4;

/// Where the origin's page ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    Nowhere,
    /// After so many bytes.
    After(usize),
}

impl Cut {
    pub(crate) fn end(self, len: usize) -> usize {
        match self {
            Self::Nowhere => len,
            Self::After(bytes) => bytes.min(len),
        }
    }

    /// Every one that a page of `len` bytes can have, and the whole page.
    pub(crate) fn all(len: usize) -> impl Iterator<Item = Self> {
        (0..len).map(Self::After).chain([Self::Nowhere])
    }

    /// A few of them, and the whole page.
    pub(crate) fn some(len: usize, seed: u64) -> impl Iterator<Item = Self> {
        // Most sizes are small; mixed with those before them, they are spread over the page.
        let places = core::sizes(seed).scan(0_usize, move |at, size| {
            *at = at.wrapping_mul(31).wrapping_add(size);
            at.checked_rem(len).map(Self::After)
        });
        places.skip(MIXED).take(SAMPLED).chain([Self::Nowhere])
    }
}

/// The edits of a page, by their pieces.
#[derive(Debug)]
pub(crate) struct Seams(Vec<(Vec<u8>, Vec<u8>)>);

/// Which edits were made, in their order.
pub(crate) type Made = Vec<bool>;

impl Seams {
    pub(crate) fn new(source: Vec<Vec<u8>>, expected: Vec<Vec<u8>>) -> Result<Self, String> {
        if source.len() != expected.len() {
            let (source, expected) = (source.len(), expected.len());
            return Err(format!("`origin.body` has {source} pieces, `expect.body` {expected}"));
        }
        Ok(Self(source.into_iter().zip(expected).collect()))
    }

    /// Which edits `got` has in a page that ends after `end` bytes; none where it is anything else than that page with edits.
    pub(crate) fn made(&self, end: usize, got: &[u8]) -> Option<Made> {
        let mut made = Made::new();
        follow(&self.0, end, got, &mut made).then_some(made)
    }
}

/// `left` bytes of the page's `pieces` are to come.
fn follow(pieces: &[(Vec<u8>, Vec<u8>)], left: usize, got: &[u8], made: &mut Made) -> bool {
    let Some(((source, edited), rest)) = pieces.split_first() else { return got.is_empty() };
    if source.len() > left {
        return source.get(..left).is_some_and(|kept| got == kept);
    }
    let left = left.saturating_sub(source.len());
    let depth = made.len();
    let edits = [(true, edited), (false, source)];
    let is_edit = source != edited;
    edits.into_iter().filter(|(edit, _)| is_edit || !edit).any(|(edit, piece)| {
        made.truncate(depth);
        made.extend(is_edit.then_some(edit));
        got.strip_prefix(piece.as_slice()).is_some_and(|got| follow(rest, left, got, made))
    })
}
