//! Names for what can be said of a configuration, for whoever silences, counts or looks up remarks.
//!
//! A name never changes its meaning and is never used for another one; what is not said any more takes its name with it. Each
//! has a page in `docs/checks`.

use std::fmt;

/// How much weight a remark has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "whoever shows remarks must show each")]
pub enum Level {
    /// Worth knowing.
    Note,
    /// The configuration can be used, and may not do what was meant.
    Warning,
    /// The configuration can't be used.
    Error,
}

impl Level {
    /// The word in front of remarks.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One table makes the enum, its names and its levels, so that none can lack one.
macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal, $level:ident;)+) => {
        /// What a remark is about. Shown as its name, `unreachable-route`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Code {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Its name, which never changes.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            /// How much weight such a remark has, unless somebody says otherwise.
            #[must_use]
            pub const fn level(self) -> Level {
                match self {
                    $(Self::$variant => Level::$level,)+
                }
            }
        }
    };
}

codes! {
    // What the form or the schema refuses.
    /// The text is not YAML, JSON or a `Struct`.
    Syntax = "syntax", Error;
    /// Too large, too deep, or too much expanded from anchors.
    Limit = "limit", Error;
    /// A key stands twice in a map.
    DuplicateKey = "duplicate-key", Error;
    /// A key that the schema does not know.
    UnknownField = "unknown-field", Error;
    /// A key that the schema needs.
    MissingField = "missing-field", Error;
    /// One of several words was asked for, and this is none of them.
    UnknownValue = "unknown-value", Error;
    /// Text where a number was asked for, and the like.
    WrongType = "wrong-type", Error;
    /// The right type, but not a value that will do.
    InvalidValue = "invalid-value", Error;

    // What does not fit together.
    /// A selector that a stream can't match, or none at all.
    UnsupportedSelector = "unsupported-selector", Error;
    /// A text whose values can't be read.
    InvalidTemplate = "invalid-template", Error;
    /// A value stands where no escaping makes it safe.
    UnescapedContext = "unescaped-context", Error;
    /// A condition that can't be read.
    InvalidCondition = "invalid-condition", Error;
    /// Directives that say the opposite of each other.
    ContradictoryDirectives = "contradictory-directives", Error;
    /// A policy would give one visitor's page to another one.
    SharedPersonalPage = "shared-personal-page", Error;

    // Scalars that Envoy reads in its own way.
    /// An unquoted scalar that becomes something else than it looks like.
    UnquotedScalar = "unquoted-scalar", Warning;
    /// `<<`, which merges nothing.
    MergeKey = "merge-key", Warning;

    // Routes and patches.
    /// No request gets to a route, as an earlier one takes them all.
    UnreachableRoute = "unreachable-route", Warning;
    /// A patch on a kind of body that its route does not have.
    UnmatchedContentType = "unmatched-content-type", Warning;
    /// A patch whose guards never hold together.
    ImpossibleGuard = "impossible-guard", Warning;
    /// An operation that none of the elements it is done to can take.
    ImpossibleOperation = "impossible-operation", Warning;
    /// An element as long as the page is held back.
    HeldRegion = "held-region", Warning;
    /// A patch that is written twice.
    DuplicatePatch = "duplicate-patch", Warning;
    /// Two patches that do the same thing to an element in different ways.
    ConflictingPatches = "conflicting-patches", Warning;
    /// A value goes into the page as it is.
    RawValue = "raw-value", Note;

    // What nobody reads.
    /// An experiment that no route shows.
    UnusedExperiment = "unused-experiment", Warning;
    /// A flag that no route reads.
    UnusedFlag = "unused-flag", Warning;
    /// An attribute that nothing reads.
    UnusedAttribute = "unused-attribute", Warning;
    /// A group that no condition names.
    UnusedSavedGroup = "unused-saved-group", Warning;

    // Decisions.
    /// Whoever Envoy takes for this machine may choose what they see.
    OpenForce = "open-force", Warning;
    /// A flag asks for an attribute that there is not.
    UnknownFlagAttribute = "unknown-flag-attribute", Warning;
    /// Something in a payload that can't be run.
    PayloadSwitchedOff = "payload-switched-off", Warning;

    // Caches.
    /// Two stages with nothing stored between them.
    UselessStage = "useless-stage", Warning;
    /// Fields for what is stored, where nothing is.
    IneffectiveField = "ineffective-field", Warning;
    /// Each query that a visitor makes up is another stored page.
    OpenQueryKey = "open-query-key", Warning;
    /// A key with as many values as there are visitors, or as they make up.
    UnboundedKey = "unbounded-key", Warning;
    /// A rule for requests with any cookie, which is nearly every request.
    AnyCookieRule = "any-cookie-rule", Warning;
    /// A `Vary` by which hardly any response is found again.
    UncacheableVary = "uncacheable-vary", Warning;
    /// Without a validator, pages come whole each time.
    RemovedValidator = "removed-validator", Warning;
    /// What chooses the route here does not reach what stands behind.
    UnseenMatch = "unseen-match", Warning;
    /// How long something may be used stale, and not how long it is fresh.
    StaleWithoutLifetime = "stale-without-lifetime", Warning;
    /// A page that is edited, and that browsers never ask for again.
    ImmutablePage = "immutable-page", Warning;
    /// Errors are kept for longer than pages.
    LongLivedErrors = "long-lived-errors", Warning;

    // On a page that was given.
    /// Nothing on the page is selected.
    NoMatch = "no-match", Warning;
    /// Several elements match, and the first one counts.
    ManyMatches = "many-matches", Note;
    /// Something on the page is selected, and nothing can be done to it.
    NotApplied = "not-applied", Warning;
}

impl Code {
    /// The code of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.name() == name)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl serde::Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_words_and_each_is_there_once() {
        for code in Code::ALL {
            let name = code.name();
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{name}");
            assert_eq!(Code::named(name), Some(*code), "{name} is the name of two");
        }
        assert_eq!(Code::named("Unknown-Field"), None);
    }
}
