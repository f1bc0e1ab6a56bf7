//! CSS selectors as a stream can match them: lol_html's, with errors that say what to write instead.

use std::fmt;
use std::str::FromStr;

use lol_html::errors::SelectorError as Reason;

/// A parsed selector. Parsed once, when the configuration loads; used for every response.
#[derive(Debug, Clone)]
pub struct Selector {
    source: String,
    parsed: lol_html::Selector,
}

impl Selector {
    /// The selector as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.source
    }

    pub(crate) const fn parsed(&self) -> &lol_html::Selector {
        &self.parsed
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}

impl FromStr for Selector {
    type Err = SelectorError;

    fn from_str(source: &str) -> Result<Self, Self::Err> {
        match source.parse() {
            Ok(parsed) => Ok(Self { source: source.to_owned(), parsed }),
            Err(reason) => Err(SelectorError { selector: source.to_owned(), reason }),
        }
    }
}

/// A selector that can't be used, with the nearest form that can.
#[derive(Debug, Clone)]
pub struct SelectorError {
    selector: String,
    reason: Reason,
}

impl SelectorError {
    /// What to write instead.
    #[must_use]
    pub fn advice(&self) -> String {
        let selector = self.selector.as_str();
        let known = SUBSTITUTES.iter().find(|(token, _)| contains_outside_strings(selector, token));
        if let Some((_, advice)) = known {
            return (*advice).to_owned();
        }
        match self.reason {
            Reason::UnsupportedCombinator(combinator) => format!(
                "a stream knows the ancestors of an element, not its siblings: replace `{combinator}` by a class or \
                 an attribute of the element itself, or by `>` and `:nth-child(n)`"
            ),
            Reason::EmptySelector | Reason::UnexpectedEnd => "write for example `main h1` or `img.hero`".into(),
            Reason::DanglingCombinator => "write an element on both sides of the combinator".into(),
            Reason::NamespacedSelector => "leave the namespace out: `svg|a` is written `svg a`".into(),
            Reason::NestedNegation => "write `:not(a):not(b)` instead of a `:not()` inside a `:not()`".into(),
            Reason::InvalidClassName => {
                "a class name that starts with a digit is written `[class~=\"2col\"]`".into()
            }
            Reason::MissingAttributeName | Reason::UnexpectedTokenInAttribute => {
                "write attributes as `[name]`, `[name=\"value\"]`, or with ~= ^= $= *= |=".into()
            }
            _ => "use types, classes, ids, attributes, `:nth-child()`, `:nth-of-type()`, `:not()`, descendants and \
                  children (`>`)"
                .into(),
        }
    }
}

/// Forms that lol_html refuses, and the nearest one that it takes. The first that occurs in the selector counts.
const SUBSTITUTES: &[(&str, &str)] = &[
    (":is(", "write the alternatives out, separated by commas: `main h1, main h2`"),
    (":where(", "write the alternatives out, separated by commas: `main h1, main h2`"),
    (
        ":has(",
        "what an element contains is not known when its start tag passes: select by class or attribute",
    ),
    (":last-child", "which child is the last is not known while it passes: use `:nth-child(n)` or a class"),
    (":last-of-type", "which one is the last is not known while it passes: use `:nth-of-type(n)` or a class"),
    (":nth-last", "positions from the end are not known in a stream: use `:nth-child(n)`"),
    (":only-", "whether a sibling follows is not known in a stream: use `:first-child`"),
    (
        ":empty",
        "whether an element is empty is not known when its start tag passes: select by class or attribute",
    ),
    (":contains(", "selectors do not see text: select the element by class or attribute"),
    (":root", "write `html`"),
    ("::", "pseudo-elements are not in the markup: select the element itself"),
    (":hover", "states of the browser are not in the markup: select the element itself"),
    (":focus", "states of the browser are not in the markup: select the element itself"),
    (":checked", "write `[checked]`"),
    (":disabled", "write `[disabled]`"),
    (":enabled", "write `:not([disabled])`"),
    (":required", "write `[required]`"),
    (":link", "write `a[href]`"),
    (":any-link", "write `a[href]`"),
];

fn contains_outside_strings(selector: &str, token: &str) -> bool {
    selector.split(['"', '\'']).step_by(2).any(|outside| outside.to_ascii_lowercase().contains(token))
}

impl fmt::Display for SelectorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = match self.reason {
            Reason::UnsupportedCombinator(_) => "combinator is not supported",
            Reason::UnsupportedPseudoClassOrElement => "pseudo-class is not supported",
            Reason::EmptySelector => "selector is empty",
            Reason::DanglingCombinator => "combinator has nothing beside it",
            Reason::UnexpectedEnd => "selector ends too early",
            Reason::NamespacedSelector => "namespaces are not supported",
            Reason::NestedNegation => "negations can't be nested",
            Reason::InvalidClassName => "class name is not valid",
            Reason::MissingAttributeName => "attribute has no name",
            _ => "syntax is not understood",
        };
        write!(f, "selector \"{}\": {reason}; {}", self.selector, self.advice())
    }
}

impl std::error::Error for SelectorError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_stream_cannot_match_is_refused_with_the_nearest_form() {
        let cases = [
            ("main > h1 + p", "combinator is not supported", "`+`"),
            ("h1 ~ p", "combinator is not supported", "`~`"),
            ("ul li:last-child", "pseudo-class is not supported", ":nth-child(n)"),
            ("article:has(img)", "pseudo-class is not supported", "class or attribute"),
            (":is(h1, h2)", "pseudo-class is not supported", "separated by commas"),
            ("input:checked", "pseudo-class is not supported", "`[checked]`"),
            ("p::before", "pseudo-class is not supported", "element itself"),
            ("", "selector is empty", "main h1"),
            ("main >", "combinator has nothing beside it", "both sides"),
            ("a[", "", ""),
        ];
        for (selector, reason, advice) in cases {
            let message = selector.parse::<Selector>().unwrap_err().to_string();
            assert!(message.contains(&format!("\"{selector}\"")), "{message}");
            assert!(message.contains(reason) && message.contains(advice), "{message}");
        }
    }

    #[test]
    fn what_a_stream_can_match_is_taken() {
        for selector in
            ["h1", "*", "main > h1.hero", "a[href^='/p/' i]", "li:nth-child(2n+1)", "p:not(.x)", "a, b"]
        {
            assert_eq!(selector.parse::<Selector>().unwrap().as_str(), selector);
        }
    }
}
