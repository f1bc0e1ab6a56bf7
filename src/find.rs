//! Words in the text of elements: found as a reader sees them, replaced where the source has them.
//!
//! What is searched is the text of the DOM: decoded from the page's encoding, character references and line ends
//! included (`Old&nbsp;Name` has a no-break space in it, and a line feed is found where the source has CR LF). A match lies in
//! one text node; how the network cut it does not matter. What is replaced is the source of the matched
//! characters, a reference always as a whole; every other byte stays. What was put in is never searched.
//!
//! A regular expression looks at [`Pattern::max_match`] characters, and one more that tells it what follows, from where a match
//! starts; a match that takes that one too does not count. So a stream holds back only so much text, and a node is
//! never searched beyond what a match may be long.
//!
//! The attack that this prevents: a value, or text of the page that a group captured, becoming markup. Both are escaped
//! when they are put in.

mod editor;
mod pattern;
mod reader;
mod replacement;
mod window;

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use crate::html::charset::Charset;
use crate::html::operation::RAW_TEXT;
use crate::html::outcome::Skip;
use crate::html::text_editor::{TextEditor, TextEditorFactory};
use crate::request::attributes::Values;

pub use pattern::{DEFAULT_MAX_MATCH, MAX_MATCH, MAX_REGEX_BYTES, Pattern, PatternError};
pub use replacement::{Replacement, ReplacementError};

use editor::Editor;
use replacement::Rendered;

/// The most matches on a page, counted with those that turn out not to count. Each can take a search through all that
/// is held back, and each becomes an edit.
pub const MAX_MATCHES: u32 = 10_000;

/// The most that is put into a page.
pub const MAX_INSERTED_BYTES: usize = 1024 * 1024;

/// What is found and what stands there instead; compiled once, used for every page.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "whoever compiles a patch gives both")]
pub struct Find {
    /// What is found.
    pub pattern: Arc<Pattern>,
    /// What stands there instead.
    pub replacement: Replacement,
}

impl Find {
    /// Ready for one page: its bounds are those of a page, so each page takes one of its own.
    #[must_use]
    pub fn render(&self, values: &Values, charset: Charset) -> Rc<dyn TextEditorFactory> {
        Rc::new(OnPage(Rc::new(Page {
            pattern: Arc::clone(&self.pattern),
            replacement: self.replacement.render(values, charset),
            charset,
            matches_left: Cell::new(MAX_MATCHES),
            bytes_left: Cell::new(MAX_INSERTED_BYTES),
        })))
    }
}

/// What all editors of a page share.
#[derive(Debug)]
struct Page {
    pattern: Arc<Pattern>,
    replacement: Rendered,
    charset: Charset,
    matches_left: Cell<u32>,
    bytes_left: Cell<usize>,
}

impl Page {
    /// Whether one more match may be looked at.
    fn take_match(&self) -> bool {
        let left = self.matches_left.get().checked_sub(1);
        self.matches_left.set(left.unwrap_or(0));
        left.is_some()
    }

    /// Whether so many bytes more may be put in.
    fn take_bytes(&self, count: usize) -> bool {
        let left = self.bytes_left.get().checked_sub(count);
        self.bytes_left.set(left.unwrap_or(0));
        left.is_some()
    }
}

#[derive(Debug)]
struct OnPage(Rc<Page>);

impl TextEditorFactory for OnPage {
    fn editor(
        &self,
        name: &str,
        _: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Option<Box<dyn TextEditor>>, Skip> {
        if RAW_TEXT.contains(&name) {
            return Err(Skip::RawText);
        }
        if self.0.matches_left.get() == 0 || self.0.bytes_left.get() == 0 {
            return Err(Skip::TooManyMatches);
        }
        Ok(Some(Box::new(Editor::new(Rc::clone(&self.0)))))
    }
}

#[cfg(test)]
mod tests;
