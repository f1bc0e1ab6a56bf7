//! What became of a patch on a page.

use std::collections::BTreeMap;
use std::fmt;

use super::locate::Lost;

/// Why a patch was not applied to an element that it matches. The page then has what the origin sent there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Skip {
    /// The element can't have content (`img`, `br`, a self-closing SVG element).
    VoidElement,
    /// Its content is not markup (`script`, `style`, `iframe`, …): text can't be escaped there, or a tag can't be
    /// renamed without changing how the content is read.
    RawText,
    /// It has a script with characters that the page's encoding may lack.
    Charset,
    /// The attribute does something else on this element (`content` of a `meta http-equiv`).
    UnsafeAttribute,
    /// It lies in an element whose content another patch replaces.
    Covered,
    /// The element has no end tag of its own.
    Unclosed,
    /// The element is longer than may be held back.
    HeldTooLong,
    /// Too many elements match on this page.
    TooManyElements,
    /// The parser had given up before the element was complete.
    Lost(Lost),
    /// A bug of ours.
    Internal,
}

impl Skip {
    /// Its name in reports and counters.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::VoidElement => "void_element",
            Self::RawText => "raw_text_element",
            Self::Charset => "charset",
            Self::UnsafeAttribute => "unsafe_attribute",
            Self::Covered => "covered",
            Self::Unclosed => "unclosed",
            Self::HeldTooLong => "held_too_long",
            Self::TooManyElements => "too_many_elements",
            Self::Internal => "internal",
            Self::Lost(lost) => lost.name(),
        }
    }
}

impl fmt::Display for Skip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The tally of one patch on one page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Elements to which it was applied.
    pub applied: u32,
    /// Elements that it matches and to which it was not applied, by reason.
    pub skipped: BTreeMap<Skip, u32>,
    /// Why not the whole page was searched for it, where it might have matched further down.
    pub search_ended: Option<Skip>,
}

impl Outcome {
    /// Elements that it matches.
    #[must_use]
    pub fn matched(&self) -> u32 {
        self.skipped.values().fold(self.applied, |sum, n| sum.saturating_add(*n))
    }

    pub(super) fn skip(&mut self, reason: Skip) {
        let count = self.skipped.entry(reason).or_default();
        *count = count.saturating_add(1);
    }
}
