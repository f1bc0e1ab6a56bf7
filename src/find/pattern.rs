//! What is looked for: a text or a regular expression, in a window of text.

use std::fmt;
use std::ops::Range;

use regex_lite::{Regex, RegexBuilder};

/// How long a match may be where nothing else is said, in characters.
pub const DEFAULT_MAX_MATCH: u16 = 256;

/// How long a match may be said to be, in characters. Twice as much is held back.
pub const MAX_MATCH: u16 = 1024;

/// The memory that a compiled expression may take. A search takes time in proportion to it.
pub const MAX_REGEX_BYTES: usize = 16 * 1024;

/// What is looked for.
#[derive(Debug)]
pub struct Pattern {
    kind: Kind,
    max_match: usize,
}

#[derive(Debug)]
enum Kind {
    Literal(String),
    Regex(Regex),
}

/// What follows the text in the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Horizon {
    /// More of the node, perhaps.
    Open,
    /// Nothing: the node ends.
    Closed,
    /// Its last character stands for what can't be read. It shows what follows, and matches nothing.
    Unreadable,
}

/// What a search came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// A match; the expression saw the text up to `seen`.
    Match { range: Range<usize>, seen: usize },
    /// Something that matches but doesn't count starts here.
    Discarded(usize),
    /// Nothing starts before this position; what starts from there on is not decided yet.
    Nothing(usize),
}

impl Pattern {
    /// This text.
    ///
    /// # Errors
    /// An empty text, and one that is too long.
    pub fn literal(text: &str) -> Result<Self, PatternError> {
        if text.is_empty() {
            return Err(PatternError::Empty);
        }
        let max_match = text.chars().count();
        if max_match > usize::from(MAX_MATCH) {
            return Err(PatternError::TooLong(max_match));
        }
        Ok(Self { kind: Kind::Literal(text.to_owned()), max_match })
    }

    /// A regular expression, with how many characters a match may have.
    ///
    /// # Errors
    /// An expression that does not compile or can match nothing at all, and a bound out of range.
    pub fn regex(pattern: &str, max_match: u16) -> Result<Self, PatternError> {
        if pattern.is_empty() {
            return Err(PatternError::Empty);
        }
        if !(1..=MAX_MATCH).contains(&max_match) {
            return Err(PatternError::MaxMatch(max_match));
        }
        let regex = RegexBuilder::new(pattern).size_limit(MAX_REGEX_BYTES).build().map_err(|error| {
            PatternError::Syntax { pattern: pattern.to_owned(), reason: error.to_string() }
        })?;
        let is_empty = |text: &&str| regex.find_iter(text).any(|found| found.is_empty());
        if PROBES.iter().any(is_empty) {
            return Err(PatternError::MatchesNothing(pattern.to_owned()));
        }
        Ok(Self { kind: Kind::Regex(regex), max_match: usize::from(max_match) })
    }

    /// How many characters a match may have.
    #[must_use]
    pub const fn max_match(&self) -> usize {
        self.max_match
    }

    /// Its expression, if it is one.
    pub(super) const fn as_regex(&self) -> Option<&Regex> {
        match &self.kind {
            Kind::Regex(regex) => Some(regex),
            Kind::Literal(_) => None,
        }
    }

    /// Searches `text` from `from` on.
    pub(super) fn search(&self, text: &str, from: usize, horizon: Horizon) -> Found {
        match &self.kind {
            Kind::Literal(literal) => search_literal(literal, text, from, horizon),
            Kind::Regex(regex) => self.search_regex(regex, text, from, horizon),
        }
    }

    /// The leftmost match, searched view by view: no search looks at more than that, whatever the expression.
    fn search_regex(&self, regex: &Regex, text: &str, mut from: usize, horizon: Horizon) -> Found {
        let view_length = self.max_match.saturating_mul(4).max(MIN_VIEW);
        loop {
            let rest = text.get(from..).unwrap_or_default();
            let view = rest.char_indices().nth(view_length).map(|(at, _)| from.saturating_add(at));
            let Some(view) = view.and_then(|end| text.get(..end)) else {
                return self.search_view(regex, text, from, horizon);
            };
            match self.search_view(regex, view, from, Horizon::Open) {
                Found::Nothing(undecided) => from = undecided,
                found => return found,
            }
        }
    }

    /// The leftmost match. From each place the expression sees as much as a match may be long, and one character more: what is
    /// behind that never changes the answer, so neither does where the view ends.
    fn search_view(&self, regex: &Regex, text: &str, from: usize, horizon: Horizon) -> Found {
        // Starts from here on see less than that.
        let undecided = match horizon {
            Horizon::Closed => text.len(),
            Horizon::Unreadable => nth_back(text, from, 0).unwrap_or(from),
            // Twice as much, so that not much is searched twice.
            Horizon::Open if nth_back(text, from, self.max_match.saturating_mul(2)).is_none() => {
                return Found::Nothing(from);
            }
            Horizon::Open => nth_back(text, from, self.max_match.saturating_sub(1)).unwrap_or(from),
        };
        let nothing = match horizon {
            Horizon::Open => Found::Nothing(undecided),
            Horizon::Closed | Horizon::Unreadable => Found::Nothing(text.len()),
        };
        // Where it finds nothing in all that there is, it finds nothing that counts in less.
        let Some(first) = regex.find_at(text, from).filter(|first| first.start() < undecided) else {
            return nothing;
        };
        let start = first.start();
        let longest = text.get(start..).and_then(|rest| {
            rest.char_indices().nth(self.max_match.saturating_add(1)).map(|(at, _)| start.saturating_add(at))
        });
        let found = match longest.and_then(|end| text.get(..end)) {
            Some(seen) => regex.find_at(seen, start),
            None => Some(first),
        };
        let counts = |range: &Range<usize>| {
            let is_whole = horizon == Horizon::Closed || range.end < text.len();
            let length = text.get(range.clone()).map_or(0, |found| found.chars().count());
            range.start == start && is_whole && (1..=self.max_match).contains(&length)
        };
        match found.map(|found| found.range()).filter(counts) {
            Some(range) => Found::Match { range, seen: longest.unwrap_or(text.len()) },
            None => Found::Discarded(start),
        }
    }
}

/// What a search looks at, at least, in characters: each has a price of its own.
const MIN_VIEW: usize = 256;

/// Texts in which an expression finds an empty match if it can find one anywhere, or nearly so.
const PROBES: &[&str] = &["", "a", " ", "a b", "\n", "a\nb", "0.é"];

fn search_literal(literal: &str, text: &str, from: usize, horizon: Horizon) -> Found {
    let end = match horizon {
        Horizon::Unreadable => nth_back(text, from, 0).unwrap_or(from),
        Horizon::Open | Horizon::Closed => text.len(),
    };
    let rest = text.get(from..end).unwrap_or_default();
    if let Some(at) = rest.find(literal) {
        let start = from.saturating_add(at);
        return Found::Match { range: start..start.saturating_add(literal.len()), seen: end };
    }
    if horizon != Horizon::Open {
        return Found::Nothing(text.len());
    }
    let held = literal
        .char_indices()
        .rev()
        .map(|(at, _)| at)
        .find(|length| literal.get(..*length).is_some_and(|start| rest.ends_with(start)));
    Found::Nothing(text.len().saturating_sub(held.unwrap_or(0)))
}

/// Where the character starts that has `n` behind it; `None` where the text from `from` on is not as long.
fn nth_back(text: &str, from: usize, n: usize) -> Option<usize> {
    let (at, _) = text.get(from..)?.char_indices().nth_back(n)?;
    Some(from.saturating_add(at))
}

/// A pattern that can't be used.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PatternError {
    /// Nothing is looked for.
    Empty,
    /// The text has so many characters.
    TooLong(usize),
    /// The expression does not compile.
    Syntax {
        /// The expression.
        pattern: String,
        /// Why.
        reason: String,
    },
    /// The expression can match without taking a character.
    MatchesNothing(String),
    /// The bound is out of range.
    MaxMatch(u16),
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("nothing is looked for; write the text that is to be replaced"),
            Self::TooLong(length) => {
                write!(f, "the text has {length} characters; look for at most {MAX_MATCH} of them")
            }
            Self::Syntax { pattern, reason } => write!(
                f,
                "regex \"{pattern}\" doesn't compile ({reason}); write one without look-around, backreferences and \
                 \\p{{…}} classes, of at most {} KB compiled",
                MAX_REGEX_BYTES / 1024
            ),
            Self::MatchesNothing(pattern) => write!(
                f,
                "regex \"{pattern}\" also matches between characters; make it take at least one, such as `+` instead of \
                 `*`"
            ),
            Self::MaxMatch(found) => {
                write!(f, "a match can't be at most {found} characters long; write 1 to {MAX_MATCH}")
            }
        }
    }
}

impl std::error::Error for PatternError {}
