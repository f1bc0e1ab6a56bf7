//! The text that whatever a regular expression matches must start with.
//!
//! Answers for a lower bound: the prefix may be shorter than it could be, down to nothing, and must never be longer,
//! or a route would be passed over that its request is on. So it reads only the part of the syntax in which that is
//! plain to see and gives up on the rest: flags and named groups, `]` and `[` in odd places.

use std::iter::Peekable;
use std::str::Chars;

/// The literal prefix of an expression that is known to compile without flags and is matched against whole texts.
pub(super) fn prefix(pattern: &str) -> String {
    if has_alternatives(pattern) { String::new() } else { leading_text(pattern) }
}

fn leading_text(pattern: &str) -> String {
    let pattern = pattern.strip_prefix('^').or_else(|| pattern.strip_prefix(r"\A")).unwrap_or(pattern);
    let mut text = String::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            // Even `+` takes the letter back: operators stack, and `a+*` may match nothing.
            '*' | '+' | '?' | '{' => {
                text.pop();
                break;
            }
            '.' | '|' | '(' | ')' | '[' | '^' | '$' => break,
            '\\' => match chars.next() {
                // Of escaped punctuation only these two, the bounds of words, don't stand for themselves.
                Some(c) if c.is_ascii_punctuation() && !matches!(c, '<' | '>') => text.push(c),
                _ => break,
            },
            c => text.push(c),
        }
    }
    text
}

/// True when the expression is a choice between several, or may be one.
fn has_alternatives(pattern: &str) -> bool {
    let mut depth = 0_usize;
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => drop(chars.next()),
            '[' if !skip_class(&mut chars) => return true,
            '(' => {
                // `(?x)` would make comments of what follows, and names may contain brackets.
                if chars.next_if_eq(&'?').is_some() && chars.next() != Some(':') {
                    return true;
                }
                depth = depth.saturating_add(1);
            }
            ')' => depth = depth.saturating_sub(1),
            '|' if depth == 0 => return true,
            _ => {}
        }
    }
    false
}

/// Goes past the end of a class; false when it is of a kind whose end is not plain to see (`[]|]`, `[[:alpha:](]`).
fn skip_class(chars: &mut Peekable<Chars<'_>>) -> bool {
    chars.next_if_eq(&'^');
    if chars.peek() == Some(&']') {
        return false;
    }
    while let Some(c) = chars.next() {
        match c {
            '\\' => drop(chars.next()),
            ']' => return true,
            '[' => return false,
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex_lite::Regex;

    use super::prefix;

    #[test]
    fn is_what_every_match_starts_with_or_less() {
        for (pattern, expected) in [
            ("/p/[0-9]+", "/p/"),
            ("^/p/[0-9]+$", "/p/"),
            (r"\A/p\z", "/p"),
            ("/p", "/p"),
            (r"/a\.b\/c\-d/.*", "/a.b/c-d/"),
            ("/p/(a|b)/c", "/p/"),
            ("/p/(?:a|b)", "/p/"),
            ("/p/[a|b]", "/p/"),
            (r"/p/[\]|]", "/p/"),
            (r"/a\|b", "/a|b"),
            ("/ab?", "/a"),
            ("/ab*", "/a"),
            ("/ab+", "/a"),
            ("/ab+*", "/a"),
            ("/ab{0,2}", "/a"),
            (r"/a\.?", "/a"),
            ("/é?", "/"),
            ("/é.", "/é"),
            ("a?", ""),
            ("/p|/q", ""),
            ("/p/(a)|/q", ""),
            ("|/p", ""),
            ("(/p/a)", ""),
            ("(?i)/p", ""),
            ("/p/(?i)a", ""),
            ("(?x) /p", ""),
            ("/(?P<a[>x)|y", ""),
            ("/p/[]|]", ""),
            ("/p/[^]|]", ""),
            ("/p/[[:alpha:](]|x", ""),
            (r"/p\b/", "/p"),
            (r"/p\</", "/p"),
            (r"/p\x41", "/p"),
            (r"/p\d", "/p"),
            ("^^/p", ""),
            ("^?/p", ""),
            ("", ""),
        ] {
            assert_eq!(prefix(pattern), expected, "{pattern:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]
        #[test]
        fn no_match_starts_with_anything_else(
            pattern in r"(/|p|a|\||\(|\)|\[|\]|\\|\^|\$|\.|\*|\+|\?|\{0\}|\{1,2\}|-|:|\(\?:|\[a|a\]|/p|\(\?x\)| |#){0,9}",
            texts in prop::collection::vec("[/pa|.()^ #-]{0,6}", 24),
        ) {
            let Ok(regex) = Regex::new(&format!(r"\A(?:{pattern})\z")) else { return Ok(()) };
            prop_assume!(Regex::new(&pattern).is_ok());
            let prefix = prefix(&pattern);
            for text in texts.iter().map(String::as_str).chain(["", "/", "/p", "p", "a", "/pa"]) {
                prop_assert!(!regex.is_match(text) || text.starts_with(&prefix), "{text:?} {prefix:?}");
            }
        }
    }
}
