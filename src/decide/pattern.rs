//! Regular expressions of payloads, under the limits that conditions have.

use regex_lite::{Regex, RegexBuilder};

use super::condition::{MAX_COMPILED_PATTERN_BYTES, MAX_SEARCHED_BYTES};

/// A regular expression that is searched in text that visitors choose.
#[derive(Debug, Clone)]
pub(crate) struct Pattern(Regex);

impl Pattern {
    /// `None` for what doesn't compile, or takes too much memory.
    pub(crate) fn compile(pattern: &str) -> Option<Self> {
        RegexBuilder::new(pattern).size_limit(MAX_COMPILED_PATTERN_BYTES).build().ok().map(Self)
    }

    /// Never in text that is too long.
    pub(crate) fn is_match(&self, text: &str) -> bool {
        text.len() <= MAX_SEARCHED_BYTES && self.0.is_match(text)
    }
}
