//! The locator: finds elements in HTML while it streams, and only finds them.
//!
//! lol_html is the parser. Its handlers note byte ranges ([`Sighting`]s) and never change anything, so its output is
//! its input and tells one thing only: how far the source has been understood ([`Locator::located`]). It runs in
//! strict mode. When it gives up ([`Lost`]), it is dropped on the spot (after an error it must not be called again), no
//! further places are found, and those found before stand.
//!
//! What is found does not depend on how the source was cut into chunks. lol_html guarantees that for places; for its
//! limits this module sees to it: the source is fed in steps that end at fixed offsets, and only there is the length of
//! an unfinished tag compared with the bound.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::ops::Range;
use std::rc::Rc;

use lol_html::errors::RewritingError;
use lol_html::html_content::{Element, EndTag};
use lol_html::{AsciiCompatibleEncoding, ElementContentHandlers, HtmlRewriter, MemorySettings, Settings};

use crate::offset::{as_u64, as_usize};
use crate::selector::Selector;

/// One thing to look for.
#[derive(Debug, Clone)]
pub struct Target<'a> {
    /// Which elements.
    pub selector: &'a Selector,
    /// Every match, not just the first.
    pub all: bool,
    /// Whether the end tag matters.
    pub needs_end: bool,
    /// The attributes whose places matter, in lower case; `None` when the start tag is not looked into.
    pub attributes: Option<Vec<String>>,
}

/// An element of the page, numbered in the order of the start tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ElementId(pub u32);

/// What was seen, in source order.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "whoever edits must handle every sighting")]
pub enum Sighting {
    /// A start tag that some target matches.
    Start(StartTag),
    /// The end tag of an element that has been sighted.
    End {
        /// Whose.
        element: ElementId,
        /// From `</` to `>`.
        tag: Range<u64>,
    },
    /// An ancestor ended: this element has no end tag of its own.
    Unclosed {
        /// Which.
        element: ElementId,
        /// The ancestor's end tag.
        tag: Range<u64>,
    },
}

/// The start tag of an element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartTag {
    /// The element's number.
    pub element: ElementId,
    /// From `<` to `>`.
    pub tag: Range<u64>,
    /// The local name, in lower case.
    pub name: String,
    /// Whether it is an HTML element, not SVG or MathML.
    pub html: bool,
    /// `false` for void elements and self-closing foreign ones.
    pub can_have_content: bool,
    /// Places of the attributes that were asked for, in source order. Of a repeated attribute the first one counts
    /// (WHATWG HTML, duplicate-attribute parse error), but all are here.
    pub attributes: Vec<AttributePlace>,
    /// Indexes of the targets that match, ascending.
    pub targets: Vec<usize>,
    end_awaited: bool,
}

/// Where an attribute stands in the source.
#[derive(Debug, Clone, PartialEq, Eq)]
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
#[non_exhaustive]
pub enum Lost {
    /// Markup whose tree can't be known from the stream (lol_html's strict mode).
    Ambiguous,
    /// Nested deeper than 4096 elements, or a tag with more than 8192 attributes.
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

/// Why an element that matches was passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "these are the bounds that a single element can meet")]
pub enum PassedOver {
    /// There are more than [`Bounds::max_elements`].
    TooMany,
    /// Its start tag is longer than [`Bounds::max_tag_bytes`].
    TagTooLong,
}

/// What an origin can grow, bounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// The longest tag that is understood, in bytes.
    pub max_tag_bytes: usize,
    /// How many elements may be sighted in one page.
    pub max_elements: u32,
}

/// The source is fed in steps that end at multiples of this.
const STEP: u64 = 64 * 1024;

/// Memory of the parser for open elements and for the attributes of one tag.
///
/// lol_html 3.0.3 counts the capacities of two vectors that double: 64 bytes an open element and 28 an attribute where
/// pointers have 32 bits, 104 and 56 where they have 64. Any value from 376 832 to 459 263, and from 671 744 to 851 967,
/// allows the same pairs of capacities: 4096 elements with up to 4096 attributes, fewer with 8192. A tenth of either more or
/// less would make a page's edits depend on where the core runs.
const PARSER_MEMORY: usize = if size_of::<usize>() == 4 { 400 * 1024 } else { 740 * 1024 };

type Sink = Box<dyn FnMut(&[u8])>;
type Rewriter = HtmlRewriter<'static, Sink>;

/// See the [module](self). Feed it with [`write`](Self::write) until [`is_looking`](Self::is_looking) is `false`.
pub struct Locator {
    /// Gone once it has failed or there is nothing left to find.
    rewriter: Option<Rewriter>,
    notes: Rc<RefCell<Notes>>,
    emitted: Rc<Cell<u64>>,
    fed: u64,
    max_tag_bytes: usize,
    lost: Option<Lost>,
}

impl fmt::Debug for Locator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Locator").field("fed", &self.fed).field("lost", &self.lost).finish_non_exhaustive()
    }
}

impl Locator {
    /// Looks for `targets` in a page written in `encoding`.
    #[must_use]
    pub fn new(targets: &[Target<'_>], encoding: AsciiCompatibleEncoding, bounds: Bounds) -> Self {
        let notes = Rc::new(RefCell::new(Notes::new(targets, bounds)));
        let emitted = Rc::new(Cell::new(0_u64));
        let max_buffer = bounds.max_tag_bytes.saturating_add(as_usize(STEP));
        let mut settings = Settings::new().with_strict(true).with_encoding(encoding).with_memory_settings(
            // The whole parsing buffer is allocated at once: how much of it is used depends on where the chunks were
            // cut, and what is left for open elements must not.
            MemorySettings::new()
                .with_preallocated_parsing_buffer_size(max_buffer)
                .with_max_allowed_memory_usage(max_buffer.saturating_add(PARSER_MEMORY)),
        );
        for (index, target) in targets.iter().enumerate() {
            let notes = Rc::clone(&notes);
            let handlers = ElementContentHandlers::default().element(move |element: &mut Element<'_, '_>| {
                Notes::start(&notes, index, element);
                Ok(())
            });
            let selector = std::borrow::Cow::Borrowed(target.selector.parsed());
            settings = settings.append_element_content_handler((selector, handlers));
        }
        let counter = Rc::clone(&emitted);
        let sink: Sink =
            Box::new(move |bytes: &[u8]| counter.set(counter.get().saturating_add(as_u64(bytes.len()))));
        let rewriter = (!targets.is_empty()).then(|| HtmlRewriter::new(settings, sink));
        Self { rewriter, notes, emitted, fed: 0, max_tag_bytes: bounds.max_tag_bytes, lost: None }
    }

    /// Whether more of the source can tell anything.
    #[must_use]
    pub const fn is_looking(&self) -> bool {
        self.rewriter.is_some()
    }

    /// Up to which offset the source is understood: no sighting will start before it.
    #[must_use]
    pub fn located(&self) -> u64 {
        if self.is_looking() { self.emitted.get() } else { u64::MAX }
    }

    /// Why it stopped looking too early, if it did.
    #[must_use]
    pub const fn lost(&self) -> Option<Lost> {
        self.lost
    }

    /// Why elements that match were passed over, if some were.
    #[must_use]
    pub fn passed_over(&self) -> Option<PassedOver> {
        self.notes.borrow().passed_over
    }

    /// Takes the next bytes of the source; what they show is in [`take_sightings`](Self::take_sightings).
    pub fn write(&mut self, mut chunk: &[u8]) {
        while let Some(rewriter) = &mut self.rewriter {
            let to_step = STEP.saturating_sub(self.fed % STEP);
            let Some((bytes, rest)) = chunk.split_at_checked(as_usize(to_step).min(chunk.len())) else {
                return;
            };
            if bytes.is_empty() {
                return;
            }
            chunk = rest;
            self.fed = self.fed.saturating_add(as_u64(bytes.len()));
            let result = rewriter.write(bytes);
            let waiting = self.fed.saturating_sub(self.emitted.get());
            if self.notes.borrow().is_complete() {
                self.rewriter = None;
            } else if let Err(error) = result {
                self.lose(Lost::from(error));
            } else if self.fed.is_multiple_of(STEP) && waiting > as_u64(self.max_tag_bytes) {
                self.lose(Lost::TagTooLong);
            }
        }
    }

    /// Stops looking.
    pub fn stop(&mut self) {
        self.rewriter = None;
    }

    /// The source has ended.
    pub fn end(&mut self) {
        if let Some(rewriter) = self.rewriter.take()
            && let Err(error) = rewriter.end()
            && !self.notes.borrow().is_complete()
        {
            self.lost = Some(Lost::from(error));
        }
    }

    /// What was seen since the last call.
    #[must_use]
    pub fn take_sightings(&self) -> Vec<Sighting> {
        let mut notes = self.notes.borrow_mut();
        notes.last_start = None;
        std::mem::take(&mut notes.sightings)
    }

    fn lose(&mut self, reason: Lost) {
        self.rewriter = None;
        self.lost = Some(reason);
    }
}

impl From<RewritingError> for Lost {
    fn from(error: RewritingError) -> Self {
        match error {
            RewritingError::MemoryLimitExceeded(_) => Self::TooComplex,
            // No handler of ours fails, so what is left is the strict mode's refusal.
            _ => Self::Ambiguous,
        }
    }
}

struct Wanted {
    all: bool,
    needs_end: bool,
    attributes: Option<Vec<String>>,
    found: bool,
}

/// What the handlers write down.
struct Notes {
    wanted: Vec<Wanted>,
    sightings: Vec<Sighting>,
    /// Index in `sightings` and offset of the start tag seen last: several targets may match one element.
    last_start: Option<(usize, u64)>,
    elements: u32,
    ends_awaited: u32,
    bounds: Bounds,
    passed_over: Option<PassedOver>,
}

impl Notes {
    fn new(targets: &[Target<'_>], bounds: Bounds) -> Self {
        let wanted = targets.iter().map(|target| Wanted {
            all: target.all,
            needs_end: target.needs_end,
            attributes: target.attributes.clone(),
            found: false,
        });
        Self {
            wanted: wanted.collect(),
            sightings: Vec::new(),
            last_start: None,
            elements: 0,
            ends_awaited: 0,
            bounds,
            passed_over: None,
        }
    }

    fn is_complete(&self) -> bool {
        self.ends_awaited == 0 && self.wanted.iter().all(|wanted| wanted.found && !wanted.all)
    }

    fn start(notes: &Rc<RefCell<Self>>, target: usize, element: &mut Element<'_, '_>) {
        let mut this = notes.borrow_mut();
        let Self { wanted, sightings, last_start, elements, ends_awaited, bounds, passed_over } = &mut *this;
        let Some(wanted) = wanted.get_mut(target) else { return };
        if wanted.found && !wanted.all {
            return;
        }
        let range = element.source_location().bytes();
        let tag = as_u64(range.start)..as_u64(range.end);

        let known =
            last_start.filter(|(_, start)| *start == tag.start).and_then(|(at, _)| sightings.get_mut(at));
        let site = if let Some(Sighting::Start(site)) = known {
            site
        } else {
            let reason = if range.len() > bounds.max_tag_bytes {
                Some(PassedOver::TagTooLong)
            } else {
                (*elements >= bounds.max_elements).then_some(PassedOver::TooMany)
            };
            if reason.is_some() {
                *passed_over = reason;
                wanted.found = true;
                return;
            }
            *last_start = Some((sightings.len(), tag.start));
            let id = ElementId(*elements);
            *elements = elements.saturating_add(1);
            sightings.push(Sighting::Start(StartTag {
                element: id,
                tag,
                name: element.tag_name(),
                html: element.namespace_uri() == "http://www.w3.org/1999/xhtml",
                can_have_content: element.can_have_content(),
                attributes: Vec::new(),
                targets: Vec::new(),
                end_awaited: false,
            }));
            let Some(Sighting::Start(site)) = sightings.last_mut() else { return };
            site
        };

        wanted.found = true;
        site.targets.push(target);
        if let Some(names) = &wanted.attributes {
            site.note_attributes(names, element);
        }
        if wanted.needs_end && site.can_have_content && !site.end_awaited {
            site.end_awaited = true;
            *ends_awaited = ends_awaited.saturating_add(1);
            let (id, name) = (site.element, site.name.clone());
            let notes = Rc::clone(notes);
            if let Some(handlers) = element.end_tag_handlers() {
                handlers.push(Box::new(move |end: &mut EndTag<'_>| {
                    notes.borrow_mut().end(id, &name, end);
                    Ok(())
                }));
            }
        }
    }

    fn end(&mut self, element: ElementId, name: &str, end: &EndTag<'_>) {
        self.ends_awaited = self.ends_awaited.saturating_sub(1);
        // The parser pops every element above the one that an end tag closes; only that one carries its name.
        let range = end.source_location().bytes();
        let tag = as_u64(range.start)..as_u64(range.end);
        self.sightings.push(if end.name() == name {
            Sighting::End { element, tag }
        } else {
            Sighting::Unclosed { element, tag }
        });
    }
}

impl StartTag {
    fn note_attributes(&mut self, names: &[String], element: &Element<'_, '_>) {
        for attribute in element.attributes() {
            let name = attribute.name();
            let Some(name_at) = attribute.name_source_location() else { continue };
            let offsets = |range: Range<usize>| as_u64(range.start)..as_u64(range.end);
            let name_at = offsets(name_at.bytes());
            // Another target may have asked for the same one.
            let place = self.attributes.binary_search_by_key(&name_at.start, |place| place.name_at.start);
            if let (true, Err(at)) = (names.contains(&name), place) {
                let value_at = attribute.value_source_location().map(|value| offsets(value.bytes()));
                self.attributes.insert(at, AttributePlace { name, name_at, value_at });
            }
        }
    }
}
