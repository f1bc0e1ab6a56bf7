//! Whether one matcher takes all that another one takes.
//!
//! Answers for what is plain to see in the two texts, and says no for the rest: whoever asks tells a person that a route never
//! counts, and must be right.

use std::borrow::Cow;

use super::{Matcher, Way, lower};

/// How an expression that takes every text is compiled.
const ANYTHING: &str = r"\A(?:.*)\z";

impl Matcher {
    /// Whether every text that `other` accepts is accepted here, too.
    pub(in crate::route) fn covers(&self, other: &Self) -> bool {
        if let Way::Regex { whole, .. } = &self.way
            && whole.as_str() == ANYTHING
        {
            return true;
        }
        let text = other.way.text();
        if other.ignore_case && !self.ignore_case && text.bytes().any(|byte| byte.is_ascii_alphabetic()) {
            return false;
        }
        let text = if self.ignore_case { lower(text) } else { Cow::Borrowed(text) };
        match (&self.way, &other.way) {
            (Way::Regex { whole, .. }, Way::Regex { whole: other, .. }) => whole.as_str() == other.as_str(),
            (_, Way::Exact(_)) => self.matches(&text),
            (Way::Prefix(own), Way::Prefix(_) | Way::Regex { .. }) => text.starts_with(&**own),
            (Way::Suffix(own), Way::Suffix(_)) => text.ends_with(&**own),
            (Way::Contains(own), _) => text.contains(&**own),
            _ => false,
        }
    }

    /// Whether every text is accepted that starts so.
    pub(in crate::route) fn takes_all_from(&self, start: &str) -> bool {
        match &self.way {
            Way::Prefix(own) => start.starts_with(&**own),
            Way::Regex { whole, .. } => whole.as_str() == ANYTHING,
            _ => false,
        }
    }
}

impl Way {
    /// A text that is in every text that it accepts, at its place.
    fn text(&self) -> &str {
        match self {
            Self::Exact(text) | Self::Prefix(text) | Self::Suffix(text) | Self::Contains(text) => text,
            Self::Regex { prefix, .. } => prefix,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::config::model::{SafeRegex, StringMatcher};
    use crate::config::node::Path;

    fn matcher(way: u8, text: &str, ignore_case: bool) -> Option<Matcher> {
        let text = Some(text.to_owned());
        let mut written = StringMatcher { ignore_case, ..StringMatcher::default() };
        match way {
            0 => written.exact = text,
            1 => written.prefix = text,
            2 => written.suffix = text,
            3 => written.contains = text,
            _ => {
                written.ignore_case = false;
                written.safe_regex = text.map(|regex| SafeRegex { regex });
            }
        }
        Matcher::compile(&written, &Path::default(), &mut Vec::new())
    }

    #[test]
    fn what_is_plain_to_see_is_seen() {
        for (own, other, covered) in [
            ((1, "/p/", false), (1, "/p/a", false), true),
            ((1, "/p/", false), (0, "/p/a", false), true),
            ((1, "/p/", false), (4, "/p/[0-9]+", false), true),
            ((1, "/p/", false), (1, "/", false), false),
            ((1, "/p/", false), (1, "/P/a", true), false),
            ((1, "/P/", true), (1, "/p/a", true), true),
            ((1, "/", false), (1, "/p", true), false),
            ((1, "/", false), (1, "/1", true), true),
            ((2, ".html", false), (2, "a.html", false), true),
            ((2, ".html", false), (1, "/a.html", false), false),
            ((3, "a", false), (2, "ab", false), true),
            ((4, "/[a-z]+", false), (0, "/abc", false), true),
            ((4, "/[a-z]+", false), (4, "/[a-z]+", false), true),
            ((4, "/[a-z]+", false), (1, "/a", false), false),
            ((4, ".*", false), (1, "/a", true), true),
        ] {
            let [a, b] = [own, other].map(|(way, text, folds)| matcher(way, text, folds).unwrap());
            assert_eq!(a.covers(&b), covered, "{own:?} {other:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2048))]
        #[test]
        fn what_is_covered_is_accepted(
            own in (0..5_u8, "[/aA.]{1,3}", any::<bool>()),
            (way, before, after, folds) in (0..5_u8, "[/aA]{0,1}", "[/aA]{0,1}", any::<bool>()),
            texts in prop::collection::vec("[/aA.b]{0,6}", 32),
        ) {
            let other = (way, format!("{before}{}{after}", own.1), folds);
            let built = |(way, text, folds): &(u8, String, bool)| matcher(*way, text, *folds);
            let (Some(a), Some(b)) = (built(&own), built(&other)) else { return Ok(()) };
            if !a.covers(&b) {
                return Ok(());
            }
            let near = texts.iter().flat_map(|text| [text.clone(), format!("{}{text}", other.1), format!("{text}{}", other.1)]);
            for text in near.chain([other.1.clone(), other.1.to_ascii_uppercase()]) {
                prop_assert!(!b.matches(&text) || a.matches(&text), "{text}");
            }
        }
    }
}
