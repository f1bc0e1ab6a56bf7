//! How one text is compared, compiled from a `StringMatcher`.
//!
//! Answers for Envoy's semantics (`envoy.type.matcher.v3.StringMatcher`): one way to compare, ASCII letters in either
//! case when `ignore_case` says so, and a regular expression that has to match the whole text. Knowingly different:
//!
//! - Expressions are those of [`regex_lite`] where Envoy has RE2: no `\p{…}` classes, no `\Q…\E`, and `(?i)` folds
//!   ASCII letters only.
//! - `ignore_case` beside `safe_regex` is refused where Envoy overlooks it.

#[cfg(feature = "lint")]
mod cover;

use std::borrow::Cow;

use regex_lite::{Regex, RegexBuilder};

use super::literal;
use crate::config::model::StringMatcher;
use crate::config::node::{Path, quote};
use crate::config::problem::{Kind, Problem};

/// The memory that one compiled expression may take: some thousand letters. Time grows with this and with the text,
/// which the visitor writes, so [`regex_lite`]'s own limit of 10 MB would let one expression stall a worker.
///
/// On a path of 64 KB, `/p/.*` takes 3 ms, and the slowest that we found within the limit (`.*a.{1000}`) nearly a
/// second. A limit on the text instead would let a visitor leave a route by writing a longer path.
pub const MAX_COMPILED_REGEX_BYTES: usize = 64 * 1024;

const WAYS: [&str; 5] = ["exact", "prefix", "suffix", "contains", "safe_regex"];

/// A compiled [`StringMatcher`].
#[derive(Debug, Clone)]
pub struct Matcher {
    way: Way,
    ignore_case: bool,
}

/// Texts are in lower case when case is ignored.
#[derive(Debug, Clone)]
enum Way {
    Exact(Box<str>),
    Prefix(Box<str>),
    Suffix(Box<str>),
    Contains(Box<str>),
    Regex { whole: Regex, prefix: Box<str> },
}

/// What every text that a matcher accepts has in common, for whoever sorts matchers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape<'m> {
    /// It is this text.
    Exact(&'m str),
    /// It starts with this, which may be empty.
    Prefix(&'m str),
}

impl Matcher {
    /// Compiles a matcher that stands at `at`; what is wrong with it is added to `problems`.
    pub fn compile(definition: &StringMatcher, at: &Path, problems: &mut Vec<Problem>) -> Option<Self> {
        Self::build(definition, definition.ignore_case, at, problems)
    }

    /// As [`compile`](Self::compile), for texts in which case never counts, such as hosts; in expressions too.
    pub(super) fn compile_folded(
        definition: &StringMatcher,
        at: &Path,
        problems: &mut Vec<Problem>,
    ) -> Option<Self> {
        Self::build(definition, true, at, problems)
    }

    fn build(
        definition: &StringMatcher,
        ignore_case: bool,
        at: &Path,
        problems: &mut Vec<Problem>,
    ) -> Option<Self> {
        match way(definition, ignore_case, at) {
            Ok(way) => Some(Self { way, ignore_case }),
            Err(problem) => {
                problems.push(*problem);
                None
            }
        }
    }

    /// True when the text is as the matcher asks.
    ///
    /// Linear in the text; an expression multiplies that by its size, which [`MAX_COMPILED_REGEX_BYTES`] bounds.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        let bytes = text.as_bytes();
        let same = |part: Option<&[u8]>, ours: &str| {
            part.is_some_and(|part| match self.ignore_case {
                true => part.eq_ignore_ascii_case(ours.as_bytes()),
                false => part == ours.as_bytes(),
            })
        };
        match &self.way {
            Way::Exact(exact) => same(Some(bytes), exact),
            Way::Prefix(prefix) => same(bytes.get(..prefix.len()), prefix),
            Way::Suffix(suffix) => {
                same(bytes.len().checked_sub(suffix.len()).and_then(|start| bytes.get(start..)), suffix)
            }
            Way::Contains(part) if self.ignore_case => lower(text).contains(&**part),
            Way::Contains(part) => text.contains(&**part),
            Way::Regex { whole, .. } => whole.is_match(text),
        }
    }

    /// What accepted texts look like; when case is ignored, what they look like in lower case.
    pub(super) fn shape(&self) -> Shape<'_> {
        match &self.way {
            Way::Exact(exact) => Shape::Exact(exact),
            Way::Prefix(prefix) | Way::Regex { prefix, .. } => Shape::Prefix(prefix),
            Way::Suffix(_) | Way::Contains(_) => Shape::Prefix(""),
        }
    }

    /// True when `/A` and `/a` are the same to it, and [`shape`](Self::shape) is in lower case.
    pub(super) const fn ignores_case(&self) -> bool {
        self.ignore_case
    }
}

fn lower(text: &str) -> Cow<'_, str> {
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(text.to_ascii_lowercase())
    } else {
        Cow::Borrowed(text)
    }
}

fn way(definition: &StringMatcher, ignore_case: bool, at: &Path) -> Result<Way, Box<Problem>> {
    let StringMatcher { exact, prefix, suffix, contains, safe_regex, ignore_case: asked } = definition;
    let text = |text: &str| if ignore_case { lower(text).into() } else { text.into() };
    // Every text has the empty prefix, suffix and part. Envoy refuses them too.
    let part = |way: &str, part: &str| match part {
        "" => Err(refusal(at.clone().key(way), format!("an empty {way}, which every text has"), "some text")),
        part => Ok(text(part)),
    };
    match (exact, prefix, suffix, contains, safe_regex) {
        (Some(exact), None, None, None, None) => Ok(Way::Exact(text(exact))),
        (None, Some(prefix), None, None, None) => part("prefix", prefix).map(Way::Prefix),
        (None, None, Some(suffix), None, None) => part("suffix", suffix).map(Way::Suffix),
        (None, None, None, Some(contains), None) => part("contains", contains).map(Way::Contains),
        (None, None, None, None, Some(_)) if *asked => Err(refusal(
            at.clone().key("ignore_case"),
            "ignore_case beside safe_regex",
            "(?i) at the start of the regex",
        )),
        (None, None, None, None, Some(expression)) => {
            let at = at.clone().key("safe_regex").key("regex");
            regex(&expression.regex, ignore_case, at)
        }
        _ => Err(ways(definition, at.clone())),
    }
}

fn regex(pattern: &str, ignore_case: bool, at: Path) -> Result<Way, Box<Problem>> {
    if pattern.is_empty() {
        return Err(refusal(at, "an empty regex", "a regular expression for the whole text"));
    }
    let build = |pattern: &str| {
        let mut builder = RegexBuilder::new(pattern);
        builder.case_insensitive(ignore_case).size_limit(MAX_COMPILED_REGEX_BYTES).build()
    };
    // On its own first: `a)|(?:b` must not compile by the grace of what is put around it. And in `(?x)` a comment at
    // the end would take the closing parenthesis with it, were it not for a line of its own.
    let whole = build(pattern).and_then(|_| {
        build(&format!(r"\A(?:{pattern})\z")).or_else(|_| build(&format!("\\A(?:{pattern}\n)\\z")))
    });
    match whole {
        Ok(whole) => {
            let prefix = if ignore_case { String::new() } else { literal::prefix(pattern) };
            Ok(Way::Regex { whole, prefix: prefix.into() })
        }
        Err(error) => Err(refusal(
            at,
            format!("regex {}, which doesn't compile ({error})", quote(pattern)),
            "a regular expression that runs in linear time: no look-around, no backreferences, no \\p{…} classes, \
             at most 64 KB compiled",
        )),
    }
}

fn ways(definition: &StringMatcher, at: Path) -> Box<Problem> {
    let StringMatcher { exact, prefix, suffix, contains, safe_regex, ignore_case } = definition;
    let named =
        [exact.is_some(), prefix.is_some(), suffix.is_some(), contains.is_some(), safe_regex.is_some()];
    let named: Vec<_> = WAYS.iter().zip(named).filter(|(_, named)| *named).map(|(way, _)| *way).collect();
    let (kind, found) = match (named.split_last(), ignore_case) {
        (Some((last, others)), _) => (Kind::InvalidValue, format!("{} and {last}", others.join(", "))),
        (None, true) => (Kind::MissingField, "only ignore_case".to_owned()),
        (None, false) => (Kind::MissingField, "no way to compare".to_owned()),
    };
    Box::new(Problem::new(kind, at, "").mismatch(found, "exactly one").accepting("", &WAYS))
}

fn refusal(at: Path, found: impl Into<String>, expected: &str) -> Box<Problem> {
    Box::new(Problem::new(Kind::InvalidValue, at, "").mismatch(found, expected))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn compile(definition: Value) -> Result<Matcher, String> {
        let definition = serde_json::from_value(definition).unwrap();
        let mut problems = Vec::new();
        let matcher = Matcher::compile(&definition, &Path::default().key("path"), &mut problems);
        assert_eq!(matcher.is_some(), problems.is_empty());
        matcher.ok_or_else(|| problems[0].to_string())
    }

    #[test]
    fn compares_as_envoy_does() {
        let regex = |regex: &str| json!({ "safe_regex": { "regex": regex } });
        for (definition, accepted, refused) in [
            (json!({ "exact": "/a" }), &["/a"][..], &["/A", "/a/", "", "/"][..]),
            (json!({ "exact": "" }), &[""], &["a"]),
            (json!({ "exact": "/É", "ignore_case": true }), &["/É"], &["/é"]),
            (json!({ "exact": "/Ab", "ignore_case": true }), &["/aB", "/ab", "/AB"], &["/a", "/abc"]),
            (json!({ "prefix": "/a" }), &["/a", "/ab"], &["/A", "/", "b/a"]),
            (json!({ "prefix": "/A", "ignore_case": true }), &["/a", "/AB"], &["é/a"]),
            (json!({ "suffix": ".html" }), &[".html", "/a.html"], &["/a.HTML", "html", "/.html/"]),
            (json!({ "suffix": ".Html", "ignore_case": true }), &["/a.hTML"], &["é"]),
            (json!({ "contains": "aa" }), &["aa", "baab"], &["aba", "AA", ""]),
            (json!({ "contains": "aA", "ignore_case": true }), &["bAab"], &["aba"]),
            (regex("/p/[0-9]+"), &["/p/1", "/p/42"], &["/p/", "/p/1/", "x/p/1", "/p/1\n"]),
            (regex("a|b"), &["a", "b"], &["ab", "ac", "cb"]),
            (regex("a|ab"), &["a", "ab"], &["abc"]),
            (regex("^a$|^b$"), &["a", "b"], &["ab"]),
            (regex("(?i)/a"), &["/A", "/a"], &["/b"]),
            (regex("(?m)^a$"), &["a"], &["a\nb", "b\na"]),
            (regex("(?x) a b # the end"), &["ab"], &["a b", "abc"]),
            (regex(".*"), &["", "é"], &["\n"]),
        ] {
            let matcher = compile(definition.clone()).unwrap();
            for text in accepted {
                assert!(matcher.matches(text), "{definition} {text:?}");
            }
            for text in refused {
                assert!(!matcher.matches(text), "{definition} {text:?}");
            }
        }
    }

    #[test]
    fn says_what_is_wrong_and_what_would_do() {
        let regex = |regex: &str| json!({ "safe_regex": { "regex": regex } });
        let linear = "expected a regular expression that runs in linear time: no look-around, no backreferences, \
                      no \\p{…} classes, at most 64 KB compiled";
        let accepted = "expected exactly one; accepted: exact, prefix, suffix, contains, safe_regex";
        for (definition, expected) in [
            (json!({}), format!("path: found no way to compare, {accepted}")),
            (json!({ "ignore_case": true }), format!("path: found only ignore_case, {accepted}")),
            (json!({ "exact": "a", "prefix": "a" }), format!("path: found exact and prefix, {accepted}")),
            (
                json!({ "exact": "a", "contains": "a", "safe_regex": { "regex": "a" } }),
                format!("path: found exact, contains and safe_regex, {accepted}"),
            ),
            (
                json!({ "prefix": "" }),
                "path.prefix: found an empty prefix, which every text has, expected some text".to_owned(),
            ),
            (
                json!({ "contains": "" }),
                "path.contains: found an empty contains, which every text has, expected some text".to_owned(),
            ),
            (
                json!({ "safe_regex": { "regex": "a" }, "ignore_case": true }),
                "path.ignore_case: found ignore_case beside safe_regex, expected (?i) at the start of the regex"
                    .to_owned(),
            ),
            (
                regex(""),
                "path.safe_regex.regex: found an empty regex, expected a regular expression for the whole text"
                    .to_owned(),
            ),
            (
                regex("/(?!api).*"),
                format!(
                    "path.safe_regex.regex: found regex \"/(?!api).*\", which doesn't compile (look-around is not \
                     supported), {linear}"
                ),
            ),
            (
                regex("a)|(?:b"),
                format!(
                    "path.safe_regex.regex: found regex \"a)|(?:b\", which doesn't compile (found closing ')' \
                     without matching '('), {linear}"
                ),
            ),
            (
                regex("[a-z]{5000}"),
                format!(
                    "path.safe_regex.regex: found regex \"[a-z]{{5000}}\", which doesn't compile (compiled regex \
                     exceeded size limit), {linear}"
                ),
            ),
        ] {
            assert_eq!(compile(definition).unwrap_err(), expected);
        }
    }

    #[test]
    fn hosts_are_folded_in_every_way() {
        for definition in [
            json!({ "exact": "Shop.Example" }),
            json!({ "suffix": ".Example" }),
            json!({ "safe_regex": { "regex": "Shop[.].*" } }),
        ] {
            let definition = serde_json::from_value(definition).unwrap();
            let matcher = Matcher::compile_folded(&definition, &Path::default(), &mut Vec::new()).unwrap();
            assert!(matcher.matches("shop.example"), "{definition:?}");
        }
    }
}
