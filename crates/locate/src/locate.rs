//! The locator: finds elements in HTML while it streams, and only finds them.
//!
//! The page is read as the standard's parser reads it (`tokenizer`, `tree`); what
//! matches is noted as byte ranges of the source ([`Sighting`]s). Nothing is ever changed here. Where an edit in the
//! source could differ from the same change of the tree, the sighting says so, and whoever edits leaves it alone.
//!
//! What is found does not depend on how the source was cut into chunks: a token is only taken when it is whole, and
//! bounds are on lengths in the source.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use encoding_rs::Encoding;

use crate::offset::as_u64;
use crate::selector::Selector;
use crate::tokenizer::{Token, Tokenizer};

mod fragment;
mod hold;
mod landmark;
mod shadow;
mod watch;

use watch::Watch;

/// One thing to look for.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "whoever looks says all of it")]
pub struct Target {
    /// Where.
    pub place: Place,
    /// Whether the end of the element matters.
    pub needs_end: bool,
    /// Whether the text inside the element matters.
    pub needs_text: bool,
    /// Whether the element itself may go, or become another one.
    pub displaces: bool,
    /// Whether another kind of element is to have the same content.
    pub keeps_content: Option<NewTags>,
    /// The attributes whose places matter, in lower case; `None` when the start tag is not looked into.
    pub attributes: Option<Vec<String>>,
    /// Markup that is to be inserted.
    pub inserts: Vec<(Slot, Arc<[u8]>)>,
}

impl Target {
    /// What is only to be found: nothing of it matters but that it is there.
    #[must_use]
    pub const fn at(place: Place) -> Self {
        Self {
            place,
            needs_end: false,
            needs_text: false,
            displaces: false,
            keeps_content: None,
            attributes: None,
            inserts: Vec::new(),
        }
    }
}

/// Where a target is.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_enums, reason = "there is nothing else in a page")]
pub enum Place {
    /// At elements.
    Elements {
        /// Which.
        selector: Arc<Selector>,
        /// Every match, not just the first.
        all: bool,
        /// So many matches are passed by before.
        skip_first: u32,
    },
    /// At a place that every page has.
    Landmark(Landmark),
}

/// A place that every page has (WHATWG HTML § 13.2.6: head and body are there even where their tags are not).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a page has no others")]
pub enum Landmark {
    /// Before the first child of `head`.
    HeadStart,
    /// After the last child of `head`.
    HeadEnd,
    /// Before the first child of `body`.
    BodyStart,
    /// After the last child of `body`.
    BodyEnd,
}

/// What stands around the content of an element that changes its tags.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is no third way")]
pub enum NewTags {
    /// Nothing.
    Gone,
    /// The tags of an element with this name.
    Named(String),
}

/// Where markup goes, seen from an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "an element has no other places")]
pub enum Slot {
    /// In front of it.
    Before,
    /// In place of it.
    Instead,
    /// In place of its content.
    Content,
    /// Before its first child.
    Start,
    /// After its last child.
    End,
    /// Behind it.
    After,
}

/// An element of the page, numbered in the order of the start tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(clippy::exhaustive_structs, reason = "a number")]
pub struct ElementId(pub u32);

/// What was seen, in source order.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "whoever edits must handle every sighting")]
pub enum Sighting {
    /// A start tag that some target matches.
    Start(StartTag),
    /// The end of an element that has been sighted.
    End(End),
    /// A text, or a piece of one, in an element whose text matters.
    Text {
        /// Where.
        at: Range<u64>,
        /// The element whose content is not markup, where it is the content of one.
        raw: Option<ElementId>,
    },
    /// A text is over.
    TextEnd,
    /// The page is over, and this element has no end.
    Unclosed(ElementId),
    /// A place that every page has.
    Landmark {
        /// Which.
        landmark: Landmark,
        /// Where.
        at: u64,
        /// Tags that must stand in front of what is inserted.
        lead: Vec<LeadTag>,
        /// Nothing can be inserted.
        misfit: bool,
    },
    /// Targets match an element that has no tag to be edited.
    Untagged {
        /// Which, ascending.
        targets: Vec<usize>,
        /// It is a formatting element that goes on in another place, with the attributes of its tag.
        is_clone: bool,
    },
}

/// The start tag of an element.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "whoever edits reads it")]
pub struct StartTag {
    /// The element's number.
    pub element: ElementId,
    /// From `<` to `>`.
    pub tag: Range<u64>,
    /// Where the content begins: behind the line feed that a `pre` or `textarea` may begin with.
    pub content_start: u64,
    /// The local name, in lower case.
    pub name: String,
    /// Whether it is an HTML element, not SVG or MathML.
    pub html: bool,
    /// `false` for void elements and self-closing foreign ones.
    pub can_have_content: bool,
    /// It may go on elsewhere if it is not closed well: nothing of it may be changed before its end is known.
    pub is_fragile: bool,
    /// What stands at its start may yet be moved: nothing may be inserted there before its end is known.
    pub is_unsteady: bool,
    /// Tags that stand for what the start tag does besides opening the element: where it goes, they must be written.
    pub lead: Vec<LeadTag>,
    /// Places of the attributes that were asked for, in source order. Of a repeated attribute the first one counts
    /// (WHATWG HTML, duplicate-attribute parse error), but all are here.
    pub attributes: Vec<AttributePlace>,
    /// The targets that match, ascending.
    pub targets: Vec<TargetAt>,
}

/// A tag that the source does without and an edit may need.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "whoever edits reads it")]
pub struct LeadTag {
    /// The sighted element that it ends: where that one is gone or has been ended, the tag must not be written. Those of
    /// elements inside it come before it.
    pub ends: Option<ElementId>,
    /// From `<` to `>`; empty where it only says which element the others are in.
    pub tag: Vec<u8>,
}

/// A target at an element.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "whoever edits reads it")]
pub struct TargetAt {
    /// Its index.
    pub target: usize,
    /// Why it must not be carried out here.
    pub misfit: Option<Misfit>,
    /// End tags that its markup needs at its end, by the order of its inserts, for those that go in at the start.
    pub closers: Vec<(Slot, Vec<u8>)>,
}

/// The end of an element.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "whoever edits reads it")]
pub struct End {
    /// Whose.
    pub element: ElementId,
    /// Its end tag; empty where the end is implied by what follows.
    pub tag: Range<u64>,
    /// Tags that must stand in front of what is inserted at the end of its content.
    pub inner_lead: Vec<LeadTag>,
    /// Tags that must stand in front of what is inserted behind it.
    pub outer_lead: Vec<LeadTag>,
    /// What stands between the tags is not what the element contains, or something else depends on it.
    pub is_strayed: bool,
    /// Targets that must not be carried out, and why.
    pub misfits: Vec<(usize, Misfit)>,
    /// End tags that markup needs at its end: of which target, where.
    pub closers: Vec<(usize, Slot, Vec<u8>)>,
}

/// Why an edit of the source would not be the same change of the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "whoever edits must handle each")]
pub enum Misfit {
    /// The element is not nested well: it, or what is open around it, goes on elsewhere in the tree.
    Misnested,
    /// The markup can't stand there: a parser would drop it, move it, or close the element for it.
    Markup,
    /// The element is the page's frame: `html`, `head` or `body`.
    Frame,
}

/// Where an attribute stands in the source.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "whoever edits reads it")]
pub struct AttributePlace {
    /// In lower case.
    pub name: String,
    /// The name.
    pub name_at: Range<u64>,
    /// The value without its quotes; `None` when it has none.
    pub value_at: Option<Range<u64>>,
}

/// Why no more places are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "whoever counts them must name each")]
pub enum Lost {
    /// Markup whose tree can't be known from the stream: framesets, elements that were moved where selectors ask for
    /// siblings or parents, a second `body` with attributes.
    Ambiguous,
    /// Nested deeper than 512 elements, where browsers differ, or more than 128 formatting elements at a time.
    TooComplex,
    /// A tag is longer than [`Bounds::max_tag_bytes`].
    TagTooLong,
}

impl Lost {
    /// Its name in reports and counters.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ambiguous => "ambiguous_markup",
            Self::TooComplex => "too_complex",
            Self::TagTooLong => "tag_too_long",
        }
    }
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What an origin can grow, bounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "whoever looks sets all bounds")]
pub struct Bounds {
    /// The longest tag that is understood, in bytes.
    pub max_tag_bytes: usize,
    /// How many elements may be sighted in one page.
    pub max_elements: u32,
    /// For how many bytes of the source a sighting may be kept back because what follows decides on it.
    pub max_undecided_bytes: u64,
}

/// How much of a chunk is looked at in one go while an unfinished token waits.
const STEP: usize = 64 * 1024;

/// See the [module](self). Feed it with [`write`](Self::write) until [`is_looking`](Self::is_looking) is `false`.
pub struct Locator {
    /// Gone once there is nothing left to find.
    watch: Option<Watch>,
    tokenizer: Tokenizer,
    /// The beginning of a token that is not complete.
    unfinished: Vec<u8>,
    /// The offset up to which tokens have been taken.
    taken: u64,
    max_tag_bytes: usize,
    lost: Option<Lost>,
    sightings: Vec<Sighting>,
    passed_over: bool,
}

impl fmt::Debug for Locator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Locator")
            .field("taken", &self.taken)
            .field("lost", &self.lost)
            .finish_non_exhaustive()
    }
}

impl Locator {
    /// Looks for `targets` in a page written in `encoding`, a superset of ASCII.
    #[must_use]
    pub fn new(targets: Vec<Target>, encoding: &'static Encoding, bounds: Bounds) -> Self {
        let watch = (!targets.is_empty()).then(|| Watch::new(targets, encoding, bounds));
        Self {
            watch,
            tokenizer: Tokenizer::default(),
            unfinished: Vec::new(),
            taken: 0,
            max_tag_bytes: bounds.max_tag_bytes,
            lost: None,
            sightings: Vec::new(),
            passed_over: false,
        }
    }

    /// Whether more of the source can tell anything.
    #[must_use]
    pub const fn is_looking(&self) -> bool {
        self.watch.is_some()
    }

    /// Up to which offset the source is understood: no sighting will start before it.
    #[must_use]
    pub fn located(&self) -> u64 {
        match &self.watch {
            Some(watch) if watch.ignores_tag(&self.unfinished) => {
                self.taken.saturating_add(as_u64(self.unfinished.len()))
            }
            Some(watch) => watch.undecided_from().map_or(self.taken, |from| from.min(self.taken)),
            None => u64::MAX,
        }
    }

    /// Why it stopped looking too early, if it did.
    #[must_use]
    pub const fn lost(&self) -> Option<Lost> {
        self.lost
    }

    /// Whether elements that match were passed over because there are more than [`Bounds::max_elements`].
    #[must_use]
    pub fn passed_over(&self) -> bool {
        self.passed_over || self.watch.as_ref().is_some_and(|watch| watch.passed_over)
    }

    /// Takes the next bytes of the source; what they show is in [`take_sightings`](Self::take_sightings).
    pub fn write(&mut self, chunk: &[u8]) {
        let mut rest = chunk;
        while !rest.is_empty() && self.is_looking() {
            if self.unfinished.is_empty() {
                let used = self.take(rest, false);
                if self.is_looking() {
                    self.unfinished.extend_from_slice(rest.get(used..).unwrap_or_default());
                }
                rest = &[];
            } else {
                let (step, after) = rest.split_at_checked(STEP).unwrap_or((rest, &[]));
                rest = after;
                let mut waiting = std::mem::take(&mut self.unfinished);
                waiting.extend_from_slice(step);
                let used = self.take(&waiting, false);
                if self.is_looking() {
                    waiting.drain(..used.min(waiting.len()));
                    self.unfinished = waiting;
                }
            }
            if self.unfinished.len() > self.max_tag_bytes {
                self.lose(Lost::TagTooLong);
            }
        }
    }

    /// Stops looking.
    pub fn stop(&mut self) {
        if let Some(watch) = self.watch.take() {
            self.passed_over = watch.passed_over;
            self.sightings.extend(watch.into_sightings());
        }
        self.unfinished = Vec::new();
    }

    /// The source has ended.
    pub fn end(&mut self) {
        let rest = std::mem::take(&mut self.unfinished);
        let used = self.take(&rest, true);
        if let Some(watch) = &mut self.watch {
            // A tag that is not complete is no tag: the page ends before it. But a `<` with nothing behind it is text, and
            // what would come behind it would make it a tag.
            watch.end(self.taken, self.tokenizer.is_in_data() && used == 0);
        }
        self.stop();
    }

    /// What was seen since the last call and is certain.
    #[must_use]
    pub fn take_sightings(&mut self) -> Vec<Sighting> {
        let mut sightings = std::mem::take(&mut self.sightings);
        if let Some(watch) = &mut self.watch {
            sightings.extend(watch.take_sightings());
        }
        sightings
    }

    #[cold]
    fn lose(&mut self, reason: Lost) {
        if let Some(watch) = &mut self.watch {
            watch.give_up();
        }
        self.stop();
        self.lost = Some(reason);
    }

    /// Takes all whole tokens of `input`; returns how many bytes they are.
    fn take(&mut self, input: &[u8], at_end: bool) -> usize {
        let start = self.taken;
        let mut used = 0_usize;
        while let Some(watch) = &mut self.watch {
            if watch.passes_text() {
                used = used.saturating_add(self.tokenizer.text_len(input.get(used..).unwrap_or_default()));
                self.taken = start.saturating_add(as_u64(used));
            }
            let rest = input.get(used..).unwrap_or_default();
            let token = self.tokenizer.next(rest, watch.is_in_foreign(), at_end);
            let at = start.saturating_add(as_u64(used));
            let len = match &token {
                Token::More => break,
                Token::Text { len }
                | Token::Nothing { len, .. }
                | Token::Start { len, .. }
                | Token::End { len, .. }
                | Token::Doctype { len } => *len,
            };
            let is_tag = matches!(token, Token::Start { .. } | Token::End { .. } | Token::Doctype { .. });
            if is_tag && len > self.max_tag_bytes {
                self.lose(Lost::TagTooLong);
                break;
            }
            let source = rest.get(..len).unwrap_or_default();
            let after = rest.get(len..).unwrap_or_default();
            if let Token::Start { name, .. } = &token
                && !at_end
                && watch::needs_next_line(name, after)
            {
                break;
            }
            let expected = watch.token(&token, source, after, at);
            if let Some(kind) = expected
                && let Token::Start { name, .. } = token
            {
                self.tokenizer.expect(kind, name);
            }
            used = used.saturating_add(len);
            self.taken = start.saturating_add(as_u64(used));
            if let Some(lost) = watch.lost() {
                self.lose(lost);
            } else if watch.is_complete() {
                self.stop();
            }
        }
        used
    }
}
