//! What stands there instead: text with values, and what groups of the expression captured.

use std::cell::RefCell;
use std::fmt;

use regex_lite::Regex;

use super::pattern::Pattern;
use crate::html::charset::Charset;
use crate::request::attributes::Values;
use crate::template::Template;
use crate::template::escape::markup;

/// What stands there instead of a match.
#[derive(Debug)]
pub struct Replacement {
    template: Template,
    /// The names of groups, by number; `None` where a `$` means itself.
    groups: Option<Vec<Option<String>>>,
}

/// A piece of text in the configuration.
enum Piece<'a> {
    Text(&'a str),
    Group(usize),
}

impl Replacement {
    /// Text with values. With an expression, `$1`, `${1}` and `${name}` in it (not in values) are groups, and `$$` is a
    /// dollar sign.
    ///
    /// # Errors
    /// A group that the expression doesn't have, and a `$` that is none.
    pub fn new(template: Template, pattern: &Pattern) -> Result<Self, ReplacementError> {
        let names = |regex: &Regex| regex.capture_names().map(|name| name.map(str::to_owned)).collect();
        let groups: Option<Vec<Option<String>>> = pattern.as_regex().map(names);
        let fault = RefCell::new(None);
        template.render(
            |_| None::<String>,
            |literal, _| {
                if let Err(error) = pieces(literal, groups.as_deref(), |_| {}) {
                    fault.borrow_mut().get_or_insert(error);
                }
            },
            |_, _| {},
        );
        fault.into_inner().map_or(Ok(Self { template, groups }), Err)
    }

    /// The attributes that it reads.
    pub fn attributes(&self) -> impl Iterator<Item = &str> {
        self.template.attributes()
    }

    pub(super) fn render(&self, values: &Values, charset: Charset) -> Rendered {
        let rendered = RefCell::new(Rendered { parts: Vec::new(), charset });
        self.template.render(
            |name| values.text(name),
            |literal, _| {
                // It was parsed before.
                let _ = pieces(literal, self.groups.as_deref(), |piece| rendered.borrow_mut().push(&piece));
            },
            |value, _| rendered.borrow_mut().push(&Piece::Text(value)),
        );
        rendered.into_inner()
    }
}

/// Splits a text of the configuration at its groups.
fn pieces(
    text: &str,
    groups: Option<&[Option<String>]>,
    mut each: impl FnMut(Piece<'_>),
) -> Result<(), ReplacementError> {
    let Some(groups) = groups else {
        each(Piece::Text(text));
        return Ok(());
    };
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('$') {
        each(Piece::Text(before));
        if let Some(behind) = behind.strip_prefix('$') {
            each(Piece::Text("$"));
            rest = behind;
            continue;
        }
        let (name, behind) = match behind.strip_prefix('{') {
            Some(inside) => inside.split_once('}').ok_or(ReplacementError::Dollar)?,
            None => {
                let digits = behind.bytes().take_while(u8::is_ascii_digit).count();
                behind.split_at_checked(digits).ok_or(ReplacementError::Dollar)?
            }
        };
        if name.is_empty() {
            return Err(ReplacementError::Dollar);
        }
        let group = name
            .parse()
            .ok()
            .filter(|number| *number < groups.len())
            .or_else(|| groups.iter().position(|known| known.as_deref() == Some(name)))
            .ok_or_else(|| ReplacementError::Group { name: name.to_owned(), count: groups.len() })?;
        each(Piece::Group(group));
        rest = behind;
    }
    each(Piece::Text(rest));
    Ok(())
}

/// A replacement for one page: escaped, encoded.
#[derive(Debug)]
pub(super) struct Rendered {
    parts: Vec<Part>,
    charset: Charset,
}

#[derive(Debug)]
enum Part {
    Bytes(Vec<u8>),
    Group(usize),
}

impl Rendered {
    fn push(&mut self, piece: &Piece<'_>) {
        match piece {
            Piece::Text(text) => {
                let bytes = escaped(text, self.charset);
                self.parts.push(Part::Bytes(bytes));
            }
            Piece::Group(group) => self.parts.push(Part::Group(*group)),
        }
    }

    /// The bytes for a match of `pattern` that starts at `start` in `seen`.
    pub(super) fn bytes(&self, pattern: &Pattern, seen: &str, start: usize) -> Vec<u8> {
        let has_groups = self.parts.iter().any(|part| matches!(part, Part::Group(_)));
        let captures =
            pattern.as_regex().filter(|_| has_groups).and_then(|regex| regex.captures_at(seen, start));
        let mut out = Vec::new();
        for part in &self.parts {
            match part {
                Part::Bytes(bytes) => out.extend_from_slice(bytes),
                Part::Group(group) => {
                    let captured = captures.as_ref().and_then(|captures| captures.get(*group));
                    let captured = captured.map_or("", |captured| captured.as_str());
                    out.extend(self.charset.encode(&captured_markup(captured)));
                }
            }
        }
        out
    }
}

/// Text of the page goes back as it was, its control characters too.
fn captured_markup(text: &str) -> String {
    let mut out = String::new();
    for character in text.chars() {
        if character.is_ascii_control() && character != '\r' {
            out.push(character);
        } else {
            markup(character.encode_utf8(&mut [0; 4]), &mut out);
        }
    }
    out
}

fn escaped(text: &str, charset: Charset) -> Vec<u8> {
    let mut out = String::new();
    markup(text, &mut out);
    charset.encode(&out)
}

/// A replacement that can't be used.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReplacementError {
    /// The expression has no such group.
    Group {
        /// As it was written.
        name: String,
        /// How many there are, the whole match among them.
        count: usize,
    },
    /// A `$` that is neither a group nor doubled.
    Dollar,
}

impl fmt::Display for ReplacementError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Group { name, count } => write!(
                f,
                "the regex has no group \"{name}\"; its last one is ${}, and a dollar sign is written `$$`",
                count.saturating_sub(1)
            ),
            Self::Dollar => {
                f.write_str("a `$` starts a group, such as `$1` or `${name}`; a dollar sign is written `$$`")
            }
        }
    }
}

impl std::error::Error for ReplacementError {}
