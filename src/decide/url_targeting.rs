//! Which URLs an experiment is for (`isURLTargeted` of the JavaScript SDK, `packages/sdk-js/src/util.ts`).
//!
//! Patterns are compiled when a payload is read. A visitor's URL is parsed once for all experiments, and matching it
//! takes time linear in its length for each pattern of the kind `simple`; `regex` patterns are those of [`regex_lite`]
//! under the limits that conditions have. A pattern that can't be read matches no URL, as in the SDK.

mod glob;

use std::cell::OnceCell;

use super::pattern::Pattern;
use super::url::Url;
use glob::{Glob, folded};

/// The URL of a page that is looked at: parsed when the first experiment asks.
#[derive(Debug, Clone, Default)]
pub struct PageUrl<'a> {
    text: &'a str,
    parsed: OnceCell<Option<Url>>,
}

impl<'a> PageUrl<'a> {
    /// The page at that URL, as a browser shows it.
    #[must_use]
    pub const fn new(text: &'a str) -> Self {
        Self { text, parsed: OnceCell::new() }
    }

    /// As it came.
    #[must_use]
    pub const fn text(&self) -> &'a str {
        self.text
    }

    fn parsed(&self) -> Option<&Url> {
        self.parsed.get_or_init(|| Url::on("_", self.text)).as_ref()
    }

    /// Its host and its path, folded as those of [`Reach`]; `None` for a URL that can't be read.
    pub(crate) fn folded(&self) -> Option<(String, String)> {
        let url = self.parsed()?;
        let fold = |text: &str| text.chars().map(folded).collect();
        Some((fold(url.host()), fold(url.path())))
    }
}

/// The URL patterns of an experiment.
///
/// ```
/// use engraft::decide::url_targeting::{PageUrl, Target, Targets};
///
/// let targets = Targets::new(vec![
///     Target::simple("https://shop.example/*", true),
///     Target::simple("/*?nopromo=1", false),
/// ]);
/// assert!(targets.include(&PageUrl::new("https://shop.example/women?page=2")));
/// assert!(!targets.include(&PageUrl::new("https://shop.example/women?nopromo=1")));
/// ```
#[derive(Debug, Clone)]
pub struct Targets(Box<[Target]>);

impl Targets {
    /// All patterns of an experiment.
    #[must_use]
    pub fn new(targets: Vec<Target>) -> Self {
        Self(targets.into())
    }

    /// Whether a page is targeted: matched by no pattern that excludes, and by one that includes if there is such a one.
    /// Without patterns no page is.
    #[must_use]
    pub fn include(&self, page: &PageUrl<'_>) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let (mut wanted, mut included) = (false, false);
        for target in &self.0 {
            wanted |= target.include;
            let open = !(target.include && included);
            if open && page.parsed().is_some_and(|url| target.kind.matches(url)) {
                if !target.include {
                    return false;
                }
                included = true;
            }
        }
        included || !wanted
    }
}

/// Which pages a pattern, or an experiment, may be for at most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Any.
    All,
    /// Those of that host, if one is named, with that path, or with one that starts so. A slash before the path, and one
    /// behind an exact one, makes no difference. Folded.
    Part { host: Option<String>, path: String, is_exact: bool },
}

impl Targets {
    /// Pages that none of these reaches are not targeted.
    pub(crate) fn reaches(&self) -> Vec<Reach> {
        if !self.0.is_empty() && !self.0.iter().any(|target| target.include) {
            return vec![Reach::All];
        }
        let including = self.0.iter().filter(|target| target.include);
        let reach = |target: &Target| match &target.kind {
            Kind::Simple(simple) => Some(simple.reach()),
            Kind::Regex(_) => Some(Reach::All),
            Kind::Nothing => None,
        };
        including.filter_map(reach).collect()
    }
}

/// One URL pattern.
#[derive(Debug, Clone)]
pub struct Target {
    include: bool,
    kind: Kind,
}

impl Target {
    /// Host, path and parameters, with `*` for anything: what the pattern doesn't name may be anything.
    #[must_use]
    pub fn simple(pattern: &str, include: bool) -> Self {
        Self { include, kind: Simple::compile(pattern).map_or(Kind::Nothing, Kind::Simple) }
    }

    /// A regular expression, searched in the URL and in what comes after its host.
    #[must_use]
    pub fn regex(pattern: &str, include: bool) -> Self {
        Self { include, kind: Pattern::compile(pattern).map_or(Kind::Nothing, Kind::Regex) }
    }

    /// A pattern of a kind that we don't know.
    #[must_use]
    pub const fn unknown(include: bool) -> Self {
        Self { include, kind: Kind::Nothing }
    }
}

#[derive(Debug, Clone)]
enum Kind {
    Simple(Simple),
    Regex(Pattern),
    /// Can't be read.
    Nothing,
}

impl Kind {
    fn matches(&self, url: &Url) -> bool {
        match self {
            Self::Simple(simple) => simple.matches(url),
            Self::Regex(pattern) => pattern.is_match(url.href()) || pattern.is_match(url.after_origin()),
            Self::Nothing => false,
        }
    }
}

/// What stands for `*` while a pattern is read as a URL, in which `*` would be no host.
const WILDCARD: &str = "_____";

#[derive(Debug, Clone)]
struct Simple {
    host: Glob,
    path: Glob,
    fragment: Option<Glob>,
    parameters: Box<[(Box<str>, Glob)]>,
}

impl Simple {
    fn compile(pattern: &str) -> Option<Self> {
        // A host without a scheme: there is a dot before whatever ends a host.
        let first = pattern.split([':', '/', '?']).next().unwrap_or_default();
        let scheme = if first.contains('.') { "https://" } else { "" };
        let url = Url::on(WILDCARD, &format!("{scheme}{pattern}").replace('*', WILDCARD))?;
        let fragment = url.fragment();
        let parameters = url.parameters().map(|(name, value)| (name.into(), Glob::new(&value)));
        Some(Self {
            host: Glob::new(url.host()),
            path: Glob::path(url.path()),
            fragment: (!fragment.is_empty()).then(|| Glob::new(fragment)),
            parameters: parameters.collect(),
        })
    }

    fn reach(&self) -> Reach {
        let exact = self.path.exact();
        let is_exact = exact.is_some();
        Reach::Part { host: self.host.exact(), path: exact.unwrap_or_else(|| self.path.prefix()), is_exact }
    }

    fn matches(&self, url: &Url) -> bool {
        self.host.matches(url.host())
            && self.path.matches(url.path())
            && self.fragment.as_ref().is_none_or(|fragment| fragment.matches(url.fragment()))
            && self.parameters.iter().all(|(name, value)| value.matches(&url.parameter(name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn includes(target: Target, url: &str) -> bool {
        Targets::new(vec![target]).include(&PageUrl::new(url))
    }

    #[test]
    fn what_cannot_be_read_matches_nothing_and_excludes_nothing() {
        let url = "https://shop.example/a";
        for target in [
            Target::regex("(", true),
            Target::regex("a(?=b)", true),
            Target::simple("https://", true),
            Target::simple("https://[", true),
            Target::unknown(true),
        ] {
            assert!(!includes(target.clone(), url), "{target:?}");
            assert!(includes(Target { include: false, ..target.clone() }, url), "{target:?}");
        }
        assert!(!includes(Target::simple("*", true), "https://["));
        assert!(includes(Target::simple("*", false), "https://["));
    }

    #[test]
    fn regular_expressions_see_the_url_with_and_without_its_host() {
        for pattern in ["^https://shop\\.example/", "^/(de|fr)/\\d+", "\\/de/", "\\?a=1$"] {
            assert!(includes(Target::regex(pattern, true), "https://Shop.example/de/1?a=1"), "{pattern}");
        }
    }

    #[test]
    fn case_does_not_count() {
        assert!(includes(
            Target::simple("/Caf%C3%A9/MENU?q=ÉTÉ", true),
            "https://a.example/CAF%c3%a9/menu?q=été"
        ));
    }

    #[test]
    fn a_parameter_that_the_page_lacks_is_empty() {
        assert!(includes(Target::simple("/?a=", true), "https://a.example/"));
        assert!(includes(Target::simple("/?a=*", true), "https://a.example/"));
        assert!(!includes(Target::simple("/?a=1", true), "https://a.example/"));
        // The first one counts.
        assert!(!includes(Target::simple("/?a=1", true), "https://a.example/?a=2&a=1"));
    }
}
