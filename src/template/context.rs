//! Where a value stands, found when the configuration loads by reading the literal parts of a template as a browser would
//! (WHATWG HTML § 13.2.5, CSS Syntax § 4, ECMA-262 § 12, WHATWG URL § 4.4), and how it is written there.
//!
//! It is Go's html/template in this: the text around a value decides, and what no escaping makes safe is refused with its
//! place. What depends on the element that a patch meets is left open here and told by [`Dynamic`]; the element is looked at
//! when it comes ([`Operation`](crate::html::operation::Operation)). Markup that ends inside a tag, a comment or a script is
//! refused too: it would swallow the page behind it.

use std::fmt;

use super::escape::{Escape, Kind, markup as escape_markup};
use super::escaped::{Escaped, Piece};
use super::expression::Expression;
use super::{Part, Template};
use crate::html::operation::Dynamic;

pub mod attribute;
mod css;
mod machine;
mod reader;
mod reference;
mod script;
mod url;

use machine::{Event, Machine, Refusal, Slot};
use reader::Reader;

/// What there is to know of markup that can be inserted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Found {
    /// A character beyond ASCII stands in a script or another place where character references are not read.
    pub beyond_ascii_in_raw_text: bool,
    /// An element whose content is not markup, or would be read as markup only in SVG and MathML.
    pub has_raw_text: bool,
}

/// A template that is inserted as markup.
///
/// # Errors
/// The first value that stands where it can't be made safe, or an end inside a tag, a comment or a script.
pub fn markup(template: &Template) -> Result<(Escaped, Found), ContextError> {
    let mut reader = Reader::default();
    for part in template.parts() {
        match part {
            Part::Literal(text) => text.chars().for_each(|character| reader.read(character)),
            Part::Value(expression) => reader.value(expression)?,
        }
    }
    reader.end()
}

/// A template that is inserted as text.
///
/// # Errors
/// When a value in it asks for [`raw`](Expression::is_raw).
pub fn text(template: &Template) -> Result<Escaped, ContextError> {
    refuse_raw(template, "in text")?;
    Ok(Escaped::text(template))
}

/// A template that is the whole value of the attribute `name`, in lower case, and what the element that it is set on must
/// be asked about.
///
/// # Errors
/// The first value that no element makes safe.
pub fn attribute(name: &str, template: &Template) -> Result<(Escaped, Dynamic), ContextError> {
    let place = format!("in the attribute \"{name}\"");
    refuse_raw(template, &place)?;
    let mut machine = Machine::attribute(attribute::class(None, name));
    let mut draft = Draft::default();
    draft.read(template, &mut machine, &place, true)?;
    let dynamic = match (draft.slots(), machine.origin_is_open()) {
        (0, _) => Dynamic::No,
        (_, false) => Dynamic::Inside,
        (_, true) => Dynamic::Origin,
    };
    draft.finish().map(|escaped| (escaped, dynamic))
}

/// A template that is a URL of the exchange: where to redirect to, what to ask the origin for. Its scheme and its host are
/// constant.
///
/// # Errors
/// The first value that could say where the URL leads.
pub fn location(template: &Template) -> Result<Escaped, ContextError> {
    refuse_raw(template, "in a URL")?;
    let mut machine = Machine::Url(url::Url::new(true));
    let mut draft = Draft::default();
    draft.read(template, &mut machine, "in a URL", false)?;
    draft.finish()
}

/// A template that is the value of the header `name`, in lower case.
///
/// # Errors
/// When the header is more than text, or a value stands where a cookie has its name or its attributes.
pub fn header(name: &str, template: &Template) -> Result<Escaped, ContextError> {
    let place = format!("in the header \"{name}\"");
    refuse_raw(template, &place)?;
    let mut before = String::new();
    let mut draft = Draft::default();
    for part in template.parts() {
        match part {
            Part::Literal(text) => {
                before.push_str(text);
                draft.literal.push_str(text);
            }
            Part::Value(expression) => {
                let refusal = if POLICY_HEADERS.contains(&name)
                    || POLICY_PREFIXES.iter().any(|it| name.starts_with(it))
                {
                    Some(Refusal {
                        what: ", which browsers and caches obey",
                        advice: "write one patch for each value, with `when`, and the header in full",
                    })
                } else if name == "set-cookie" && (before.contains(';') || !before.contains('=')) {
                    Some(Refusal {
                        what: ", outside of the cookie's value",
                        advice: "write the name and the attributes of the cookie in full: `name={{ … }}; Path=/`",
                    })
                } else {
                    None
                };
                if let Some(refusal) = refusal {
                    return Err(ContextError::place(expression, &place, refusal));
                }
                draft.value(expression, Kind::Header, false);
            }
        }
    }
    draft.finish()
}

/// Headers that say what is allowed, what is what, or where something is.
const POLICY_HEADERS: &[&str] = &[
    "age",
    "alt-svc",
    "authorization",
    "cache-control",
    "clear-site-data",
    "content-disposition",
    "content-location",
    "content-type",
    "critical-ch",
    "document-policy",
    "etag",
    "expires",
    "feature-policy",
    "integrity-policy",
    "link",
    "location",
    "nel",
    "origin-agent-cluster",
    "permissions-policy",
    "pragma",
    "proxy-authenticate",
    "referrer-policy",
    "refresh",
    "report-to",
    "reporting-endpoints",
    "service-worker-allowed",
    "sourcemap",
    "speculation-rules",
    "strict-transport-security",
    "supports-loading-mode",
    "timing-allow-origin",
    "vary",
    "www-authenticate",
    "x-content-type-options",
    "x-dns-prefetch-control",
    "x-frame-options",
    "x-sourcemap",
    "x-xss-protection",
];
const POLICY_PREFIXES: &[&str] =
    &["access-control-", "cdn-cache-control", "content-security-policy", "cross-origin-", "surrogate-"];

fn refuse_raw(template: &Template, place: &str) -> Result<(), ContextError> {
    match template.expressions().find(|expression| expression.is_raw()) {
        Some(expression) => Err(ContextError::place(expression, place, RAW)),
        None => Ok(()),
    }
}

const RAW: Refusal = Refusal {
    what: " with `raw`",
    advice: "`raw` is for markup in the text of `html` and the like; leave it out here",
};

/// What a template becomes while it is read.
#[derive(Debug, Default)]
struct Draft {
    /// What has been read since the last value.
    literal: String,
    pieces: Vec<Piece>,
    error: Option<ContextError>,
}

impl Draft {
    /// Reads a template that is in one language from its start to its end, and is not written as markup itself.
    fn read(
        &mut self,
        template: &Template,
        machine: &mut Machine,
        place: &str,
        in_markup: bool,
    ) -> Result<(), ContextError> {
        for part in template.parts() {
            match part {
                Part::Literal(text) => {
                    for c in text.chars() {
                        let event = machine.read(c);
                        self.take(event, place);
                    }
                    if in_markup {
                        escape_markup(text, &mut self.literal)
                    } else {
                        self.literal.push_str(text)
                    }
                }
                Part::Value(expression) => {
                    let kind = machine
                        .value(expression, self.next_slot())
                        .map_err(|refusal| ContextError::place(expression, place, refusal))?;
                    self.value(expression, kind, in_markup);
                }
            }
        }
        Ok(())
    }

    /// The number of the value that comes next.
    fn next_slot(&self) -> Slot {
        self.pieces.len().saturating_add(usize::from(!self.literal.is_empty()))
    }

    fn slots(&self) -> usize {
        self.pieces.iter().filter(|piece| matches!(piece, Piece::Value(..))).count()
    }

    fn value(&mut self, expression: &Expression, kind: Kind, in_markup: bool) {
        let expression = match kind {
            Kind::ScriptValue | Kind::JsonValue => expression.without_json(),
            _ => expression.clone(),
        };
        self.flush();
        self.pieces.push(Piece::Value(expression, Escape { kind, in_markup }));
    }

    fn flush(&mut self) {
        if !self.literal.is_empty() {
            self.pieces.push(Piece::Literal(std::mem::take(&mut self.literal)));
        }
    }

    /// What was learnt about an earlier value.
    fn take(&mut self, event: Option<Event>, place: &str) {
        match event {
            None => {}
            Some(Event::NeverEmpty(slot)) => {
                if let Some(Piece::Value(_, escape)) = self.pieces.get_mut(slot) {
                    escape.kind = match escape.kind {
                        Kind::Url(part) => Kind::Url(part.never_empty()),
                        Kind::CssUrl(part) => Kind::CssUrl(part.never_empty()),
                        other => other,
                    };
                }
            }
            Some(Event::Refuse(slot, refusal)) => self.refuse(slot, place, refusal),
        }
    }

    fn refuse(&mut self, slot: Slot, place: &str, refusal: Refusal) {
        if let Some(Piece::Value(expression, _)) = self.pieces.get(slot) {
            self.error.get_or_insert_with(|| ContextError::place(expression, place, refusal));
        }
    }

    fn finish(mut self) -> Result<Escaped, ContextError> {
        self.flush();
        match self.error {
            Some(error) => Err(error),
            None => Ok(Escaped::new(self.pieces)),
        }
    }
}

/// A place where a value can't stand, or markup that can't be inserted.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ContextError {
    /// The value stands in a place that can't be escaped.
    Place {
        /// The name of the value.
        value: String,
        /// Which character of the template it starts at; the first one is 1.
        column: usize,
        /// The place, in words.
        place: String,
        /// What to do.
        advice: &'static str,
    },
    /// What a value with `raw` can be is no markup that can be inserted.
    Raw {
        /// The name of the value.
        value: String,
        /// What it can be.
        constant: String,
        /// Why not.
        reason: String,
    },
    /// A script has `<!--` in it, after which a browser looks for its end in another way (script data escaped state).
    ScriptComment,
    /// The markup ends too early.
    Unfinished {
        /// Where, in words.
        place: String,
    },
}

impl ContextError {
    fn place(expression: &Expression, place: &str, refusal: Refusal) -> Self {
        Self::Place {
            value: expression.name().to_owned(),
            column: expression.column(),
            place: format!("{place}{}", refusal.what),
            advice: refusal.advice,
        }
    }
}

impl fmt::Display for ContextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Place { value, column, place, advice } => {
                write!(f, "\"{value}\" stands {place}; {advice} (character {column} of the text)")
            }
            Self::Raw { value, constant, reason } => {
                write!(f, "\"{value}\" with `raw` can be \"{}\", but {reason}", constant.escape_debug())
            }
            Self::ScriptComment => f.write_str(
                "`<!--` inside <script> changes where a browser sees the script end; write it as `<\\!--`, or leave it out",
            ),
            Self::Unfinished { place } => {
                write!(f, "the markup ends {place} and would swallow what follows it; close it")
            }
        }
    }
}

impl std::error::Error for ContextError {}

#[cfg(test)]
mod tests;
