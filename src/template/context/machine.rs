//! What stands inside an attribute or an element, read character by character: the languages of the web, as far as places
//! for values can be told apart in them.

use super::attribute::{Class, Hazard, Leads};
use super::css::Css;
use super::script::{Json, Script};
use super::url::{Candidates, Url};
use crate::template::escape::Kind;
use crate::template::expression::Expression;

/// The place of a value that was met before, by its number.
pub(super) type Slot = usize;

/// Why a value can't stand where it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Refusal {
    /// What the place is, after its name: `which is script`.
    pub(super) what: &'static str,
    pub(super) advice: &'static str,
}

/// What a character tells about values before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    /// The value must be written with something, even where it is empty.
    NeverEmpty(Slot),
    /// The value can't stand where it does.
    Refuse(Slot, Refusal),
}

/// Reads one language.
#[derive(Debug)]
pub(super) enum Machine {
    Text,
    Url(Url),
    Candidates(Candidates),
    Css(Css),
    Script(Script),
    Json(Json),
    /// No values here.
    Nothing(Refusal),
}

/// What to do where an attribute takes no values.
const ONE_PATCH_EACH: &str = "write one patch for each value, with `when`, and the attribute's value in full";

impl Machine {
    /// For the value of an attribute.
    pub(super) fn attribute(class: Class) -> Self {
        match class {
            Class::Text => Self::Text,
            Class::Url(leads) => Self::Url(Url::new(leads == Leads::Fixed)),
            Class::Candidates => Self::Candidates(Candidates::default()),
            Class::Style => Self::Css(Css::declarations()),
            Class::StyleValue => Self::Css(Css::value()),
            Class::Refused(hazard) => {
                Self::Nothing(Refusal { what: which_is(hazard), advice: ONE_PATCH_EACH })
            }
        }
    }

    pub(super) fn read(&mut self, c: char) -> Option<Event> {
        match self {
            Self::Text | Self::Nothing(_) => None,
            Self::Url(url) => url.read(c),
            Self::Candidates(candidates) => candidates.read(c),
            Self::Css(css) => css.read(c),
            Self::Script(script) => {
                script.read(c);
                None
            }
            Self::Json(json) => {
                json.read(c);
                None
            }
        }
    }

    /// How a value is written here.
    pub(super) fn value(&mut self, expression: &Expression, slot: Slot) -> Result<Kind, Refusal> {
        match self {
            Self::Text => Ok(Kind::Text),
            Self::Url(url) => url.value(expression, slot).map(Kind::Url),
            Self::Candidates(candidates) => candidates.value(expression, slot).map(Kind::Url),
            Self::Css(css) => css.value_here(expression, slot),
            Self::Script(script) => script.value(),
            Self::Json(json) => json.value(),
            Self::Nothing(refusal) => Err(*refusal),
        }
    }

    /// Whether a value decides where a URL leads.
    pub(super) const fn origin_is_open(&self) -> bool {
        match self {
            Self::Url(url) => url.origin_is_open(),
            _ => false,
        }
    }
}

const fn which_is(hazard: Hazard) -> &'static str {
    match hazard {
        Hazard::Url => ", which is a list of URLs, or one that others depend on",
        Hazard::Script => ", which is script",
        Hazard::Document => ", which is a document",
        Hazard::Meaning => ", which is more than text",
    }
}
