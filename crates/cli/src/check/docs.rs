//! The pages of the docs about codes, which are part of the program.

use engraft::config::problem::Code;

/// The page about a code, `docs/checks/<code>.md`.
pub(super) fn page(code: Code) -> &'static str {
    PAGES.iter().find(|(it, _)| *it == code).map_or("", |(_, page)| page)
}

/// What it says in one sentence: the first paragraph under the title.
pub(super) fn summary(code: Code) -> String {
    let paragraph = page(code).split("\n\n").nth(1).unwrap_or_default();
    paragraph.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Where the page is on the web.
pub(super) fn url(code: Code) -> String {
    format!("{}/blob/main/docs/checks/{code}.md", env!("CARGO_PKG_REPOSITORY"))
}

macro_rules! pages {
    ($($variant:ident = $name:literal;)+) => {
        const PAGES: &[(Code, &str)] =
            &[$((Code::$variant, include_str!(concat!("../../../../docs/checks/", $name, ".md")))),+];
    };
}

pages! {
    Syntax = "syntax";
    Limit = "limit";
    DuplicateKey = "duplicate-key";
    UnknownField = "unknown-field";
    MissingField = "missing-field";
    UnknownValue = "unknown-value";
    WrongType = "wrong-type";
    InvalidValue = "invalid-value";
    UnsupportedSelector = "unsupported-selector";
    InvalidTemplate = "invalid-template";
    UnescapedContext = "unescaped-context";
    InvalidCondition = "invalid-condition";
    ContradictoryDirectives = "contradictory-directives";
    SharedPersonalPage = "shared-personal-page";
    UnquotedScalar = "unquoted-scalar";
    MergeKey = "merge-key";
    UnreachableRoute = "unreachable-route";
    UnmatchedContentType = "unmatched-content-type";
    ImpossibleGuard = "impossible-guard";
    ImpossibleOperation = "impossible-operation";
    HeldRegion = "held-region";
    DuplicatePatch = "duplicate-patch";
    ConflictingPatches = "conflicting-patches";
    RawValue = "raw-value";
    UnusedExperiment = "unused-experiment";
    UnusedFlag = "unused-flag";
    UnusedAttribute = "unused-attribute";
    UnusedSavedGroup = "unused-saved-group";
    OpenForce = "open-force";
    UnknownFlagAttribute = "unknown-flag-attribute";
    PayloadSwitchedOff = "payload-switched-off";
    UselessStage = "useless-stage";
    IneffectiveField = "ineffective-field";
    OpenQueryKey = "open-query-key";
    UnboundedKey = "unbounded-key";
    AnyCookieRule = "any-cookie-rule";
    UncacheableVary = "uncacheable-vary";
    RemovedValidator = "removed-validator";
    UnseenMatch = "unseen-match";
    StaleWithoutLifetime = "stale-without-lifetime";
    ImmutablePage = "immutable-page";
    LongLivedErrors = "long-lived-errors";
    NoMatch = "no-match";
    ManyMatches = "many-matches";
    NotApplied = "not-applied";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_page() {
        for code in Code::ALL {
            let page = page(*code);
            assert_eq!(page.lines().next(), Some(&*format!("# {code}")), "docs/checks/{code}.md");
            assert!(summary(*code).ends_with('.'), "docs/checks/{code}.md: {}", summary(*code));
        }
        assert_eq!(PAGES.len(), Code::ALL.len());
    }
}
