//! One policy: its directives as they are written, what it says of a need, and the hash it can take up.

use super::source::{Source, SourceList};
use super::{Kind, Need, Page, Resource};

/// A policy (§ 2.2). Whatever is not changed keeps its bytes.
#[derive(Debug, Clone)]
pub(super) struct Policy {
    directives: Vec<Directive>,
    delivery: Delivery,
    changed: bool,
}

/// How a policy came: `sandbox` is read in an enforced header only (§ 6.3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Delivery {
    Header,
    ReportOnly,
    Meta,
}

/// What stands between two semicolons.
#[derive(Debug, Clone)]
struct Directive {
    raw: String,
    /// In lower case; empty for what browsers pass over: nothing, a repeated name, characters beyond ASCII (§ 2.2.1).
    name: String,
    sources: Vec<String>,
}

/// A change that makes a policy take up a need.
#[derive(Debug)]
pub(super) enum Amendment {
    /// Adds expressions to a directive.
    Extend(usize, Vec<String>),
    /// Adds a directive.
    Create(&'static str, Vec<String>),
}

/// Resource directives that a hint may go by (§ 6.7.2.2).
const FETCH_DIRECTIVES: &[&str] = &[
    "child-src",
    "connect-src",
    "default-src",
    "font-src",
    "frame-src",
    "img-src",
    "manifest-src",
    "media-src",
    "object-src",
    "script-src",
    "script-src-elem",
    "style-src",
    "style-src-elem",
    "worker-src",
];

impl Policy {
    /// Parses a serialized policy (§ 2.2.1).
    pub(super) fn parse(text: &str, delivery: Delivery) -> Self {
        let mut directives: Vec<Directive> = Vec::new();
        for raw in text.split(';') {
            let mut tokens = raw.split_ascii_whitespace().map(str::to_owned);
            let name = tokens.next().filter(|_| raw.is_ascii()).unwrap_or_default().to_ascii_lowercase();
            let repeated = directives.iter().any(|directive| directive.name == name);
            let name = if repeated { String::new() } else { name };
            directives.push(Directive { raw: raw.to_owned(), name, sources: tokens.collect() });
        }
        Self { directives, delivery, changed: false }
    }

    pub(super) const fn is_changed(&self) -> bool {
        self.changed
    }

    pub(super) fn serialize(&self) -> String {
        let raws: Vec<&str> = self.directives.iter().map(|directive| directive.raw.as_str()).collect();
        raws.join(";")
    }

    fn directive(&self, name: &str) -> Option<usize> {
        self.directives.iter().position(|directive| directive.name == name)
    }

    fn governing(&self, need: &Need) -> Option<(usize, &Directive)> {
        let index = need.directives().iter().find_map(|name| self.directive(name))?;
        Some((index, self.directives.get(index)?))
    }

    /// The nonces by which it would let the need pass.
    pub(super) fn nonces(&self, need: &Need) -> Vec<&str> {
        self.governing(need).map_or_else(Vec::new, |(_, directive)| directive.list().nonces().collect())
    }

    fn forbids_scripts(&self) -> bool {
        let sandbox = self.directive("sandbox").and_then(|index| self.directives.get(index));
        self.delivery == Delivery::Header
            && sandbox.is_some_and(|sandbox| {
                !sandbox.sources.iter().any(|flag| flag.eq_ignore_ascii_case("allow-scripts"))
            })
    }

    /// Whether it lets the need pass as it stands, with `nonce` on its element.
    pub(super) fn admits(&self, need: &Need, nonce: Option<&str>, page: &Page) -> bool {
        if need.is_script() && self.forbids_scripts() {
            return false;
        }
        let Some((_, directive)) = self.governing(need) else { return true };
        let list = directive.list();
        let by_nonce = need.is_nonceable() && nonce.is_some_and(|nonce| list.has_nonce(nonce));
        match need {
            Need::Inline { kind, hash, .. } => {
                by_nonce
                    || list.allows_all_inline(*kind)
                    || hash.as_ref().is_some_and(|hash| list.has_hash(hash))
            }
            Need::Attribute { kind, hash } => {
                list.allows_all_inline(*kind)
                    || (list.has_unsafe_hashes() && hash.as_ref().is_some_and(|hash| list.has_hash(hash)))
            }
            // § 6.7.1.1. What we insert comes from the parser, so `'strict-dynamic'` trusts it only by nonce or hash.
            Need::Fetch { resource: Resource::Script, url, integrity, .. } => {
                let by_hash = !integrity.is_empty() && integrity.iter().all(|hash| list.has_hash(hash));
                by_nonce || by_hash || (!list.is_strict_dynamic() && list.matches(url, page))
            }
            Need::Fetch { resource: Resource::Hint, url, .. } => self
                .directives
                .iter()
                .filter(|directive| FETCH_DIRECTIVES.contains(&directive.name.as_str()))
                .any(|directive| directive.list().matches(url, page)),
            Need::Fetch { url, .. } => by_nonce || list.matches(url, page),
        }
    }

    /// How it could take up a need that it does not let pass; `None` when it can't without allowing more than the need,
    /// or forbidding what it allows.
    pub(super) fn amendment(&self, need: &Need) -> Option<Amendment> {
        if need.is_script() && self.forbids_scripts() {
            return None;
        }
        let (index, directive) = self.governing(need)?;
        let list = directive.list();
        match need {
            Need::Inline { hash: Some(hash), .. } => {
                Some(directive.with_hashes(index, need, std::slice::from_ref(hash)))
            }
            // A hash would turn off the `'unsafe-inline'` by which the page's own scripts run.
            Need::Fetch { resource: Resource::Script, integrity, .. }
                if !integrity.is_empty() && !list.allows_all_inline(Kind::Script) =>
            {
                let missing: Vec<_> = integrity.iter().filter(|hash| !list.has_hash(hash)).cloned().collect();
                Some(directive.with_hashes(index, need, &missing))
            }
            Need::Attribute { hash: Some(hash), .. } => directive.with_attribute(index, need, hash),
            _ => None,
        }
    }

    pub(super) fn amend(&mut self, amendment: Amendment) {
        self.changed = true;
        match amendment {
            Amendment::Extend(index, sources) => {
                if let Some(directive) = self.directives.get_mut(index) {
                    directive.extend(sources);
                }
            }
            Amendment::Create(name, sources) => {
                let directive = Directive {
                    raw: format!(" {name} {}", sources.join(" ")),
                    name: name.to_owned(),
                    sources,
                };
                // A policy may end in a semicolon.
                match self.directives.last_mut() {
                    Some(last) if is_blank(&last.raw) => *last = directive,
                    _ => self.directives.push(directive),
                }
            }
        }
    }
}

impl Directive {
    fn list(&self) -> SourceList<'_> {
        SourceList(&self.sources)
    }

    /// `default-src` governs much else, so what it says is copied into a directive for elements alone.
    fn with_hashes(&self, index: usize, need: &Need, hashes: &[super::Hash]) -> Amendment {
        let hashes = hashes.iter().map(ToString::to_string);
        match (self.name.as_str(), need.directives()) {
            ("default-src", [own, ..]) => Amendment::Create(own, self.copied().chain(hashes).collect()),
            _ => Amendment::Extend(index, hashes.collect()),
        }
    }

    /// Hashes allow attributes only beside `'unsafe-hashes'`, which would make the other hashes of the list allow them too.
    fn with_attribute(&self, index: usize, need: &Need, hash: &super::Hash) -> Option<Amendment> {
        let (list, own) = (self.list(), *need.directives().first()?);
        let hash = hash.to_string();
        let unsafe_hashes = || "'unsafe-hashes'".to_owned();
        if self.name == own {
            return match (list.has_unsafe_hashes(), list.has_hashes()) {
                (true, _) => Some(Amendment::Extend(index, vec![hash])),
                (false, false) => Some(Amendment::Extend(index, vec![unsafe_hashes(), hash])),
                (false, true) => None,
            };
        }
        if list.has_unsafe_hashes() {
            return Some(Amendment::Create(own, self.copied().chain([hash]).collect()));
        }
        // No attribute is allowed so far: the new directive need not repeat what allows none.
        let sample = list.reports_samples().then(|| "'report-sample'".to_owned());
        Some(Amendment::Create(own, sample.into_iter().chain([unsafe_hashes(), hash]).collect()))
    }

    fn copied(&self) -> impl Iterator<Item = String> {
        self.sources.iter().filter(|token| Source::parse(token) != Source::None).cloned()
    }

    /// Behind the last expression. `'none'` means something only where it is alone (§ 6.7.2.7), so it goes.
    fn extend(&mut self, sources: Vec<String>) {
        let trimmed = self.raw.trim_end_matches(|c: char| c.is_ascii_whitespace());
        let tail = self.raw.strip_prefix(trimmed).unwrap_or_default();
        let kept = match self.sources.as_slice() {
            [only] if Source::parse(only) == Source::None => {
                let kept = trimmed.strip_suffix(only.as_str()).unwrap_or(trimmed);
                kept.trim_end_matches(|c: char| c.is_ascii_whitespace())
            }
            _ => trimmed,
        };
        let dropped = kept.len() < trimmed.len();
        self.raw = format!("{kept} {}{tail}", sources.join(" "));
        if dropped {
            self.sources.clear();
        }
        self.sources.extend(sources);
    }
}

fn is_blank(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_whitespace())
}
