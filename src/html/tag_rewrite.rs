//! Changes of a start tag that depend on what it says: URLs, loading hints.

use std::borrow::Cow;
use std::fmt;

use super::outcome::Skip;

/// Computes changes of start tags. One is made for each page and sees the tags in source order, so it may remember
/// (in a cell) what earlier tags said: a `base`, how many images there were.
pub trait TagRewrite: fmt::Debug {
    /// The attributes that it reads or changes, in lower case.
    fn attributes(&self) -> Vec<&str>;

    /// The changes of one tag; none where there is nothing to do, which then counts as no match.
    ///
    /// # Errors
    /// Why this tag must not be changed.
    fn rewrite(&self, tag: &TagView<'_>) -> Result<Vec<AttributeChange>, Skip>;
}

/// A start tag as a [`TagRewrite`] sees it.
pub struct TagView<'a> {
    /// The tag name in lower case.
    pub name: &'a str,
    /// Whether it is an HTML element, not SVG or MathML.
    pub html: bool,
    /// The attributes that were asked for, in source order, the first of each name only: name in lower case, and value
    /// decoded.
    pub attributes: &'a [(String, String)],
}

impl fmt::Debug for TagView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TagView").field("name", &self.name).field("attributes", &self.attributes).finish()
    }
}

impl TagView<'_> {
    /// The value of an attribute, if the tag has it.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// One change of a start tag.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "whoever edits tags must handle each")]
pub enum AttributeChange {
    /// Sets an attribute, there or not; the value is not escaped yet.
    Set(Cow<'static, str>, String),
    /// Removes an attribute.
    Remove(Cow<'static, str>),
}
