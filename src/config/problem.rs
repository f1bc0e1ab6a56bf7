//! What is wrong with a configuration, told to the person who wrote it.
//!
//! Answers for one line per problem (where, what was found, what would do, and the likely meaning of a misspelt word),
//! and for the same as JSON. It refuses Rust names and refuses to stop at the first problem.

use std::fmt;

mod code;

pub use code::{Code, Level};

use super::node::{Location, MAX_DEPTH, Path};

/// How many accepted words a line shows before it says that there are more.
const MAX_SHOWN: usize = 12;

/// The sort of a [`Problem`], for programs that read the JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Kind {
    /// The text is not YAML, JSON or a `Struct` at all.
    Syntax,
    /// Too large, too deep, or too much expanded from anchors.
    Limit,
    /// A key stands twice in a map.
    DuplicateKey,
    /// A key that the schema does not know.
    UnknownField,
    /// A key that the schema needs.
    MissingField,
    /// One of several words was asked for, and this is none of them.
    UnknownValue,
    /// Text where a number was asked for, and the like.
    WrongType,
    /// The right type, but not a value that will do.
    InvalidValue,
    /// The list of problems was cut short.
    More,
    /// It can be used, and may not do what was meant.
    Advice,
}

impl Kind {
    /// The code of what has no narrower one; none for what is no remark of its own.
    const fn code(self) -> Option<Code> {
        match self {
            Self::Syntax => Some(Code::Syntax),
            Self::Limit => Some(Code::Limit),
            Self::DuplicateKey => Some(Code::DuplicateKey),
            Self::UnknownField => Some(Code::UnknownField),
            Self::MissingField => Some(Code::MissingField),
            Self::UnknownValue => Some(Code::UnknownValue),
            Self::WrongType => Some(Code::WrongType),
            Self::InvalidValue => Some(Code::InvalidValue),
            Self::More | Self::Advice => None,
        }
    }
}

/// One problem: where, what, and what to do about it.
///
/// Shown on one line, such as
/// `routes[0].patches[2].slect (line 14, column 7): unknown field "slect"; did you mean "select"? accepted: select, all`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Problem {
    /// The value or key it is about; the root for the whole document.
    pub path: Path,
    /// Where that was written, when the form has places.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Location>,
    /// The sort of problem.
    pub kind: Kind,
    /// What it is called in the docs; only what says that there may be more has no name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    /// The whole statement, in one sentence without its place, its suggestion and the accepted words: what is wrong, then,
    /// behind a semicolon, what to do.
    pub message: String,
    /// What was found, when that can be told apart from the message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
    /// What was expected instead, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// The closed set of words that would have been accepted, if there is one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub accepted: Vec<String>,
    /// The accepted word that was probably meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<String>,
}

impl Problem {
    /// A problem about the value at `path`; `message` is lower case, quotes the input and has no full stop.
    pub fn new(kind: Kind, path: Path, message: impl Into<String>) -> Self {
        Self {
            path,
            at: None,
            kind,
            code: kind.code(),
            message: message.into(),
            found: None,
            expected: None,
            accepted: Vec::new(),
            suggestion: None,
        }
    }

    /// What can be used, and may not do what was meant.
    pub fn advice(code: Code, path: Path, message: impl Into<String>) -> Self {
        Self { code: Some(code), ..Self::new(Kind::Advice, path, message) }
    }

    /// With a narrower code than its kind has.
    #[must_use]
    pub fn coded(mut self, code: Code) -> Self {
        self.code = Some(code);
        self
    }

    /// Lists and maps nest deeper than is read, in whichever form.
    pub(super) fn too_deep(path: Path, at: Option<Location>) -> Self {
        Self::new(Kind::Limit, path, format!("lists and maps nest more than {MAX_DEPTH} deep")).at(at)
    }

    /// With the place in the text.
    #[must_use]
    pub fn at(mut self, at: Option<Location>) -> Self {
        self.at = at;
        self
    }

    /// With what was found and what was expected, which also become the message.
    #[must_use]
    pub fn mismatch(mut self, found: impl Into<String>, expected: impl Into<String>) -> Self {
        let (found, expected) = (found.into(), expected.into());
        self.message = format!("found {found}, expected {expected}");
        self.found = Some(found);
        self.expected = Some(expected);
        self
    }

    /// With the words that would do for `word`, and the one of them that was probably meant.
    #[must_use]
    pub fn accepting(mut self, word: &str, accepted: &[&str]) -> Self {
        self.suggestion = suggest(word, accepted.iter().copied()).map(str::to_owned);
        self.accepted = accepted.iter().map(|&word| word.to_owned()).collect();
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.path.is_root(), self.at) {
            (true, None) => {}
            (true, Some(at)) => write!(f, "{at}: ")?,
            (false, None) => write!(f, "{}: ", self.path)?,
            (false, Some(at)) => write!(f, "{} ({at}): ", self.path)?,
        }
        f.write_str(&self.message)?;
        if let Some(suggestion) = &self.suggestion {
            write!(f, "; did you mean \"{suggestion}\"?")?;
        }
        if !self.accepted.is_empty() {
            f.write_str(if self.suggestion.is_some() { " accepted: " } else { "; accepted: " })?;
            for (position, word) in self.accepted.iter().take(MAX_SHOWN).enumerate() {
                let separator = if position == 0 { "" } else { ", " };
                write!(f, "{separator}{word}")?;
            }
            if self.accepted.len() > MAX_SHOWN {
                f.write_str(", …")?;
            }
        }
        Ok(())
    }
}

/// Why a configuration can't be used: at least one problem, in the order of the text.
///
/// Problems without a place (all of them, in a `Struct`) are in the order of their paths. As JSON it is the list.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(transparent)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Sorts what was collected; `None` when there is nothing wrong.
    pub fn collect(problems: Vec<Problem>) -> Option<Self> {
        (!problems.is_empty()).then(|| Self(Vec::new()).and(problems))
    }

    /// These problems and others, in order.
    #[must_use]
    pub fn and(mut self, others: impl IntoIterator<Item = Problem>) -> Self {
        self.0.extend(others);
        self.sort();
        self
    }

    /// What says that the list was cut short has no place of its own and belongs at the end.
    fn sort(&mut self) {
        self.0.sort_by(|a, b| {
            let key = |problem: &Problem| (problem.kind == Kind::More, problem.at);
            key(a).cmp(&key(b)).then_with(|| a.path.cmp(&b.path))
        });
    }

    /// The problems, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Problem> {
        self.0.iter()
    }

    /// The problems, in order.
    pub fn into_vec(self) -> Vec<Problem> {
        self.0
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

impl<'a> IntoIterator for &'a Problems {
    type Item = &'a Problem;
    type IntoIter = std::slice::Iter<'a, Problem>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, problem) in self.0.iter().enumerate() {
            if position > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// The candidate that `word` was probably meant to be.
///
/// Spelling conventions (`hashAttribute`, `Max-Age`) count as no difference; beyond that about one slip in three letters
/// is forgiven, since suggesting an unrelated word sends the reader the wrong way.
pub fn suggest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    const MAX_WORD_BYTES: usize = 64;
    if word.is_empty() || word.len() > MAX_WORD_BYTES {
        return None;
    }
    let word = snake_case(word);
    let allowed = (word.chars().count() / 3).clamp(1, 3);
    candidates
        .into_iter()
        .map(|candidate| (strsim::osa_distance(&word, &snake_case(candidate)), candidate))
        .filter(|(distance, candidate)| *distance <= allowed && *distance < candidate.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

fn snake_case(word: &str) -> String {
    let mut snake = String::with_capacity(word.len());
    let mut after_lower = false;
    for c in word.chars() {
        if c.is_ascii_uppercase() && after_lower {
            snake.push('_');
        }
        after_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
        snake.push(if matches!(c, '-' | ' ') { '_' } else { c.to_ascii_lowercase() });
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_slips_and_other_conventions_only() {
        let words = ["select", "all", "required", "hash_attribute", "max_age", "text", "html"];
        let cases = [
            ("slect", Some("select")),
            ("selcet", Some("select")),
            ("SELECT", Some("select")),
            ("hashAttribute", Some("hash_attribute")),
            ("max-age", Some("max_age")),
            ("maxage", Some("max_age")),
            ("txt", Some("text")),
            ("require", Some("required")),
            ("al", Some("all")),
            ("x", None),
            ("banana", None),
            ("", None),
        ];
        for (word, expected) in cases {
            assert_eq!(suggest(word, words), expected, "{word}");
        }
        assert_eq!(suggest(&"select".repeat(100_000), words), None);
    }

    #[test]
    fn shows_one_line_each_in_the_order_of_the_text() {
        let at = |line| Some(Location { line, column: 7 });
        let long: Vec<String> = (0..20).map(|n| format!("word{n}")).collect();
        let long: Vec<&str> = long.iter().map(String::as_str).collect();
        let problems = Problems::collect(vec![
            Problem::new(Kind::More, Path::default(), "there may be more"),
            Problem::new(Kind::UnknownField, Path::default().key("z"), "unknown field \"z\"")
                .at(at(9))
                .accepting("z", &long),
            Problem::new(Kind::UnknownField, Path::default().key("slect"), "unknown field \"slect\"")
                .at(at(2))
                .accepting("slect", &["select", "all"]),
            Problem::new(Kind::WrongType, Path::default(), "").at(at(1)).mismatch("a list", "a map"),
        ])
        .unwrap();
        assert_eq!(
            problems.to_string(),
            "line 1, column 7: found a list, expected a map\n\
             slect (line 2, column 7): unknown field \"slect\"; did you mean \"select\"? accepted: select, all\n\
             z (line 9, column 7): unknown field \"z\"; accepted: word0, word1, word2, word3, word4, word5, word6, \
             word7, word8, word9, word10, word11, …\n\
             there may be more"
        );
        assert_eq!(Problems::collect(Vec::new()), None);
    }

    #[test]
    fn is_a_list_in_json() {
        let problem = Problem::new(Kind::WrongType, Path::default().key("a").index(0), "")
            .at(Some(Location { line: 1, column: 5 }))
            .mismatch("text \"x\"", "a number");
        assert_eq!(
            serde_json::to_value(Problems::from(problem)).unwrap(),
            serde_json::json!([{
                "path": "a[0]", "at": { "line": 1, "column": 5 }, "kind": "wrong_type", "code": "wrong-type",
                "message": "found text \"x\", expected a number", "found": "text \"x\"", "expected": "a number"
            }])
        );
    }
}
