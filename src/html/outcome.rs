//! What became of a patch on a page.

use std::collections::BTreeMap;
use std::fmt;

use super::locate::{Lost, Misfit};
use crate::names::names;

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
    /// The page ends inside the element.
    Unclosed,
    /// The element, or what is open around it, is not nested well: a parser moves it, or goes on with it elsewhere.
    Misnested,
    /// The markup can't stand there: a parser would drop it, move it, or close the element for it.
    Markup,
    /// The element is the frame of the page: `html`, `head` or `body`.
    Frame,
    /// The element is there without a tag of its own.
    Untagged,
    /// The element is longer than may be held back.
    HeldTooLong,
    /// More is found in the text than is replaced on one page.
    TooManyMatches,
    /// What is looked for may be in text that can't be read for certain: characters beyond ASCII in an encoding that is
    /// not declared, NUL, a reference with dozens of zeros.
    UnreadableText,
    /// Too many elements match on this page.
    TooManyElements,
    /// The parser had given up before the element was complete.
    Lost(Lost),
    /// It is a script of another type than JSON.
    NotJson,
    /// A value of the request would go into an import map or speculation rules, which load scripts and pages.
    UnsafeJson,
    /// Its text, or the body, is not JSON, or breaks off. What was done before that stands.
    JsonSyntax,
    /// It nests deeper than is followed.
    JsonTooDeep,
    /// A value that was to be replaced or removed is longer than may be held back.
    JsonTooLong,
    /// It repeats the names of members too often.
    JsonRepeats,
    /// The script has a `<!--` in it, and where it ends would change with what was to be replaced or removed.
    ScriptComment,
    /// The page's Content-Security-Policy forbids what it inserts, and could not be made to allow it alone.
    Policy,
    /// It moves the element, which has left before it is known where to.
    Move,
    /// Its selector asks for what a stream doesn't know yet, or is none.
    Selector,
    /// It says something that we don't know how to do.
    Unsupported,
    /// Its markup ends inside a tag, a comment or a script, and would take in what follows on the page.
    OpenMarkup,
    /// There is something in its markup that does nothing when a script inserts it, and would do something here: a script, or
    /// a declarative shadow root.
    InertMarkup,
    /// The text of its script or its style would end the element.
    EndsElement,
    /// It selects by what an earlier change of the same variation makes, or what that inserts.
    Dependent,
    /// There are more changes than are taken in.
    TooManyChanges,
    /// A text of it is longer than is taken in.
    TextTooLong,
    /// The page is delivered wholly or not at all, and another patch was not done.
    Reverted,
    /// A bug of ours.
    Internal,
}

names! {
    Skip {
        Lost(Lost::Ambiguous) => Lost::Ambiguous.name(),
        Lost(Lost::TooComplex) => Lost::TooComplex.name(),
        Lost(Lost::TagTooLong) => Lost::TagTooLong.name(),
        VoidElement => "void_element",
        RawText => "raw_text_element",
        Charset => "charset",
        UnsafeAttribute => "unsafe_attribute",
        Covered => "covered",
        Unclosed => "unclosed",
        Misnested => "misnested",
        Markup => "misplaced_markup",
        Frame => "page_frame",
        Untagged => "untagged",
        HeldTooLong => "held_too_long",
        TooManyMatches => "too_many_matches",
        UnreadableText => "unreadable_text",
        TooManyElements => "too_many_elements",
        NotJson => "not_json",
        UnsafeJson => "unsafe_json",
        JsonSyntax => "json_syntax",
        JsonTooDeep => "json_too_deep",
        JsonTooLong => "json_too_long",
        JsonRepeats => "json_repeats",
        ScriptComment => "script_comment",
        Policy => "content_security_policy",
        Move => "move",
        Selector => "unsupported_selector",
        Unsupported => "unsupported_mutation",
        OpenMarkup => "open_markup",
        InertMarkup => "inert_markup",
        EndsElement => "ends_its_element",
        Dependent => "depends_on_mutation",
        TooManyChanges => "too_many_changes",
        TextTooLong => "text_too_long",
        Reverted => "reverted",
        Internal => "internal",
    }
}

impl Skip {
    /// Those for which a search ends before the page does.
    pub(crate) const OF_SEARCH: &'static [Self] = &[
        Self::Lost(Lost::Ambiguous),
        Self::Lost(Lost::TooComplex),
        Self::Lost(Lost::TagTooLong),
        Self::TooManyElements,
        Self::Internal,
    ];

    /// Those of what is made for the end of a page.
    pub(crate) const OF_PAGE_END: &'static [Self] = &[Self::Misnested, Self::Policy, Self::Reverted];
}

impl From<Misfit> for Skip {
    fn from(misfit: Misfit) -> Self {
        match misfit {
            Misfit::Misnested => Self::Misnested,
            Misfit::Markup => Self::Markup,
            Misfit::Frame => Self::Frame,
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
    /// That of a patch which was not tried on the page, for one reason.
    #[must_use]
    pub fn skipped(reason: Skip) -> Self {
        let mut outcome = Self::default();
        outcome.skip(reason);
        outcome
    }

    /// Elements that it matches.
    #[must_use]
    pub fn matched(&self) -> u32 {
        self.skipped.values().fold(self.applied, |sum, n| sum.saturating_add(*n))
    }

    /// Whether it was done wherever it was to be done. What another patch covers is gone, as it should be.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.search_ended.is_none() && self.skipped.keys().all(|reason| *reason == Skip::Covered)
    }

    /// Whether it was found, and another patch covers it wherever it was.
    #[must_use]
    pub fn is_covered(&self) -> bool {
        self.applied == 0
            && !self.skipped.is_empty()
            && self.skipped.keys().all(|reason| *reason == Skip::Covered)
    }

    /// What was applied was taken back.
    pub(crate) fn revert(&mut self) {
        if self.applied > 0 {
            let reverted = self.skipped.entry(Skip::Reverted).or_default();
            *reverted = reverted.saturating_add(std::mem::take(&mut self.applied));
        }
    }

    pub(super) fn skip(&mut self, reason: Skip) {
        let count = self.skipped.entry(reason).or_default();
        *count = count.saturating_add(1);
    }
}
