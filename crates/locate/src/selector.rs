//! CSS selectors as a stream can match them, with errors that say what to write instead.
//!
//! When a start tag passes, its ancestors, the siblings before it and it itself are known, and nothing else. So there are
//! all combinators, and no pseudo-class that asks for what comes later.

use std::fmt;
use std::str::FromStr;

pub(crate) mod marks;
pub(crate) mod parse;
pub(crate) mod program;
mod reach;

use parse::Complex;
pub use program::decode as decode_value;
pub use reach::GivesUp;

/// A parsed selector. Parsed once, when the configuration loads; used for every response.
#[derive(Debug, Clone)]
pub struct Selector {
    source: String,
    pub(crate) alternatives: Vec<Complex>,
}

impl Selector {
    /// The selector as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.source
    }
}

impl Selector {
    /// Whether it asks where an element stands, not only what it is.
    #[must_use]
    pub fn asks_for_context(&self) -> bool {
        self.alternatives.iter().any(|complex| {
            complex.compounds.len() > 1 || complex.compounds.iter().any(|compound| compound.is_positional())
        })
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
        match parse::parse(source) {
            Ok(alternatives) => Ok(Self { source: source.to_owned(), alternatives }),
            Err(reason) => Err(SelectorError { selector: source.to_owned(), reason }),
        }
    }
}

/// What is wrong with a selector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reason {
    Empty,
    UnexpectedEnd,
    DanglingCombinator,
    /// A pseudo-class or a pseudo-element that is not known here.
    Pseudo,
    /// `:is(a b)`.
    CombinatorInside,
    Namespace,
    ClassName,
    AttributeName,
    AttributeSyntax,
    Syntax,
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
            Reason::Empty | Reason::UnexpectedEnd => "write for example `main h1` or `img.hero`",
            Reason::DanglingCombinator => "write an element on both sides of the combinator",
            Reason::CombinatorInside => {
                "inside `:is()`, `:where()` and `:not()` there is one element: write the combinator outside, or the \
                 alternatives out, separated by commas"
            }
            Reason::Namespace => "leave the namespace out: `svg|a` is written `svg a`",
            Reason::ClassName => "a class name that starts with a digit is written `[class~=\"2col\"]`",
            Reason::AttributeName | Reason::AttributeSyntax => {
                "write attributes as `[name]`, `[name=\"value\"]`, or with ~= ^= $= *= |="
            }
            Reason::Pseudo | Reason::Syntax => {
                "use types, classes, ids, attributes, `:nth-child()`, `:nth-of-type()`, `:is()`, `:not()`, and the \
                 combinators ` `, `>`, `+`, `~`"
            }
        }
        .to_owned()
    }
}

/// Forms that a stream can't match, and the nearest one that it can. The first that occurs in the selector counts.
const SUBSTITUTES: &[(&str, &str)] = &[
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
            Reason::Empty => "selector is empty",
            Reason::UnexpectedEnd => "selector ends too early",
            Reason::DanglingCombinator => "combinator has nothing beside it",
            Reason::Pseudo => "pseudo-class is not supported",
            Reason::CombinatorInside => "combinator inside a pseudo-class",
            Reason::Namespace => "namespaces are not supported",
            Reason::ClassName => "class name is not valid",
            Reason::AttributeName => "attribute has no name",
            Reason::AttributeSyntax | Reason::Syntax => "syntax is not understood",
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
            ("ul li:last-child", "pseudo-class is not supported", ":nth-child(n)"),
            ("article:has(img)", "pseudo-class is not supported", "class or attribute"),
            (":is(main h1, h2)", "combinator inside a pseudo-class", "there is one element"),
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
        for selector in [
            "h1",
            "*",
            "main > h1.hero",
            "a[href^='/p/' i]",
            "li:nth-child(2n+1)",
            "p:not(.x)",
            "a, b",
            "h1 + p",
            "h1 ~ p",
            ":is(h1, h2.x) em",
            ":where(main) p:not(.x, [y])",
            ":root",
        ] {
            assert_eq!(selector.parse::<Selector>().unwrap().as_str(), selector);
        }
    }
}
