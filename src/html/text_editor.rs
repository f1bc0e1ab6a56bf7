//! Documents inside the page's text: JSON in a script, CSS in a style, words in a paragraph. The locator finds the
//! text, an editor of its kind says what changes in it, the splicer makes the changes.

use std::fmt;

use super::outcome::Skip;

/// Makes a [`TextEditor`] for each element that a patch matches.
pub trait TextEditorFactory: fmt::Debug {
    /// Whether several such editors on one text work one after the other, each on what the one before left; the others
    /// work side by side.
    fn is_chained(&self) -> bool {
        false
    }

    /// The editor for the text of an element, by its tag name in lower case; `None` when it is not of the kind that is
    /// edited. `attribute` gives an attribute of the start tag, decoded.
    ///
    /// # Errors
    /// Why this element's text must not be edited.
    fn editor(
        &self,
        name: &str,
        attribute: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Option<Box<dyn TextEditor>>, Skip>;
}

/// Edits text while it streams by. Pieces come in source order; pieces of one text node follow each other without a gap.
///
/// What it decides must not depend on how the text was cut into pieces.
pub trait TextEditor: fmt::Debug {
    /// The next piece, as the page has it: encoded, character references and all. It stands at offset `at` of the source.
    fn write(&mut self, text: &[u8], at: u64, edits: &mut Vec<TextEdit>);

    /// A text node ends: at a tag, at a comment, or with the element.
    fn end_node(&mut self, edits: &mut Vec<TextEdit>);

    /// The element ends. Returns what became of it.
    fn end(&mut self, edits: &mut Vec<TextEdit>) -> TextOutcome;

    /// From which offset on it may still ask for edits of what it has seen; `None` when all that it has seen may leave.
    /// It bounds how far back that is itself.
    fn open_from(&self) -> Option<u64>;
}

/// One change: the bytes of `range` in the source become `with`, in the page's encoding and escaped for the place.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "editors make them")]
pub struct TextEdit {
    /// Offsets in the source; not before an earlier edit's end.
    pub range: std::ops::Range<u64>,
    /// What stands there instead.
    pub with: Vec<u8>,
}

/// What an editor made of an element's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is nothing else to tell")]
pub enum TextOutcome {
    /// It made what was asked for.
    Applied,
    /// It found nothing to do.
    Missed,
    /// It gave up; edits that were made before stand.
    Skipped(Skip),
}
