//! Text with wildcards, compared as the SDK's regular expressions for it do: from end to end, without regard to case.

use super::WILDCARD;

/// A pattern for a part of a URL.
#[derive(Debug, Clone)]
pub(super) struct Glob {
    /// What stands between the wildcards, folded.
    pieces: Box<[Box<[char]>]>,
    /// Whether a slash before and behind counts: for paths it doesn't.
    slashes: bool,
}

impl Glob {
    pub(super) fn new(pattern: &str) -> Self {
        let pieces = pattern.split(WILDCARD).map(|piece| piece.chars().map(folded).collect());
        Self { pieces: pieces.collect(), slashes: true }
    }

    /// One for paths: `/a/`, `/a` and `a` are the same.
    pub(super) fn path(pattern: &str) -> Self {
        let pattern = pattern.strip_prefix('/').unwrap_or(pattern);
        Self { slashes: false, ..Self::new(pattern.strip_suffix('/').unwrap_or(pattern)) }
    }

    /// The only text that it matches, but for slashes before and behind where these don't count; folded.
    pub(super) fn exact(&self) -> Option<String> {
        match &*self.pieces {
            [only] => Some(only.iter().collect()),
            _ => None,
        }
    }

    /// What a text that it matches starts with, perhaps after a slash; folded.
    pub(super) fn prefix(&self) -> String {
        self.pieces.first().map(|piece| piece.iter().collect()).unwrap_or_default()
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        if self.slashes {
            return self.matches_whole(text);
        }
        // `^/?…/?$`: each slash may be that of the pattern, or belong to what it is compared with.
        let starts = [Some(text), text.strip_prefix('/')];
        starts.into_iter().flatten().any(|text| {
            [Some(text), text.strip_suffix('/')].into_iter().flatten().any(|text| self.matches_whole(text))
        })
    }

    /// Takes each piece where it first occurs, which leaves the most for those behind it; the last one has to be at the
    /// end.
    fn matches_whole(&self, text: &str) -> bool {
        let Some((first, others)) = self.pieces.split_first() else { return false };
        let Some(mut rest) = after(text, first) else { return false };
        let Some((last, inner)) = others.split_last() else { return rest.is_empty() };
        for piece in inner {
            let Some(found) = suffixes(rest).find_map(|suffix| after(suffix, piece)) else { return false };
            rest = found;
        }
        suffixes(rest).any(|suffix| after(suffix, last).is_some_and(str::is_empty))
    }
}

/// The text and what is left of it when a wildcard has taken some of it. It takes no line break, as the dot of a regular
/// expression.
fn suffixes(text: &str) -> impl Iterator<Item = &str> {
    let line = text.find(['\n', '\r', '\u{2028}', '\u{2029}']).unwrap_or(text.len());
    let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    ends.take_while(move |at| *at <= line).filter_map(|at| text.get(at..))
}

fn after<'t>(text: &'t str, piece: &[char]) -> Option<&'t str> {
    let mut chars = text.chars();
    piece.iter().all(|expected| chars.next().map(folded) == Some(*expected)).then_some(chars.as_str())
}

/// ECMA-262 § 22.2.2.7.3 Canonicalize, without the flag `u`: upper case where that is one code unit, and not ASCII for
/// what isn't.
pub(super) fn folded(c: char) -> char {
    let mut upper = c.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(single), None)
            if single.len_utf16() == 1 && c.len_utf16() == 1 && (c.is_ascii() || !single.is_ascii()) =>
        {
            single
        }
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex_lite::RegexBuilder;

    use super::*;

    #[test]
    fn folds_as_javascript() {
        assert_eq!("aZéµſİı😀".chars().map(folded).collect::<String>(), "AZÉΜſİı😀");
    }

    proptest! {
        #[test]
        fn matches_what_the_regular_expression_matches(pattern in "[ab/.]{0,3}(_____[ab/.]{0,2}){0,3}", text in "[abAB/.\n]{0,8}") {
            let escaped = pattern.replace('.', "\\.").replace(WILDCARD, ".*");
            let regex = |source: &str| RegexBuilder::new(source).case_insensitive(true).build().unwrap();
            prop_assert_eq!(Glob::new(&pattern).matches(&text), regex(&format!("^{escaped}$")).is_match(&text));
            let inner = escaped.strip_prefix('/').unwrap_or(&escaped);
            let inner = inner.strip_suffix('/').unwrap_or(inner);
            prop_assert_eq!(Glob::path(&pattern).matches(&text), regex(&format!("^/?{inner}/?$")).is_match(&text));
        }
    }
}
