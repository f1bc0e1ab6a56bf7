//! A compiled route: its patches, what caches are told of it, and what it depends on.

use std::collections::BTreeSet;

use crate::cache::key::{CacheKey, Keyed};
use crate::cache::validator::Variance;
use crate::cache::{CacheHeaders, Dependence, OF_MATCH, Subject};
use crate::config::model::{self, ContentCoding, Delivery, Limits};
use crate::config::node::Path;
use crate::config::problem::{Kind, Problem};
use crate::decisions::Decisions;
use crate::patch::Patch;
use crate::patch::compile::Compiler;
use crate::patch::split::{Place, split};
use crate::request::attributes::Catalogue;
use crate::request::decided::{AUTO, Decided};
use crate::request::input::Input;

/// A compiled route.
#[derive(Debug)]
#[non_exhaustive]
pub struct Route {
    /// Its name.
    pub name: String,
    /// Its patches, in order.
    pub patches: Vec<Patch>,
    /// What caches outside are told.
    pub cache: CacheHeaders,
    /// What caches and the origin see of requests.
    pub key: CacheKey,
    /// Content types that are read as HTML besides HTML's own, in lower case.
    pub content_types: Vec<String>,
    /// Whether pages are edited while they pass, or wholly or not at all.
    pub delivery: Delivery,
    /// The content coding of edited pages.
    pub content_coding: ContentCoding,
    /// The attributes that it reads.
    pub reads: BTreeSet<String>,
    /// Whether the payload's own experiments run on its pages.
    pub auto_experiments: bool,
    /// Those of them that are decided, not read.
    pub decides: Vec<String>,
    /// Those of the decided that are not the same for everybody who asks for a URL.
    pub decides_by_visitor: Vec<String>,
    /// What of its URLs is not the same for everybody.
    pub variance: Variance,
    /// Where each patch runs when a cache stands between two stages.
    pub places: Vec<Place>,
}

/// What routes are compiled against.
#[derive(Clone, Copy)]
pub(super) struct Scope<'e> {
    pub(super) attributes: &'e Catalogue,
    pub(super) decisions: &'e Decisions,
    pub(super) limits: &'e Limits,
    /// Pages are told what is seen on them.
    pub(super) tells_pages: bool,
}

impl Route {
    pub(super) fn compile(
        route: &model::Route,
        of_match: &BTreeSet<String>,
        Scope { attributes, decisions, limits, tells_pages }: Scope<'_>,
        path: &Path,
        problems: &mut Vec<Problem>,
    ) -> Self {
        let mut compiler = Compiler::new(attributes, problems).holding(limits.max_held_bytes);
        let patches: Vec<Patch> = route
            .patches
            .iter()
            .enumerate()
            .filter_map(|(index, patch)| {
                compiler.patch(index, patch, &path.clone().key("patches").index(index))
            })
            .collect();
        check_labels(&patches, path, problems);
        let mut reads: BTreeSet<String> = patches.iter().flat_map(Patch::reads).cloned().collect();
        let mut dependence = Dependence::default();
        dependence.exchange.extend(of_match.iter().map(String::as_str));
        for patch in &patches {
            let of_visitor = patch.reads().iter().map(String::as_str);
            let of_visitor = of_visitor.filter(|name| attributes.depends_on_visitor(name));
            if patch.changes_pages_only() { &mut dependence.pages } else { &mut dependence.exchange }
                .extend(of_visitor);
        }
        if route.auto_experiments {
            if attributes.input(AUTO).is_none() {
                let path = path.clone().key("auto_experiments");
                let message = "there is no payload with experiments; add `growthbook: { fetch: … }`";
                problems.push(Problem::new(Kind::InvalidValue, path, message));
            }
            reads.insert(AUTO.to_owned());
            dependence.pages.insert(AUTO);
        }
        let content_types: Vec<String> =
            route.content_types.iter().map(|name| name.to_ascii_lowercase()).collect();
        let subject = Subject {
            dependence: &dependence,
            attributes,
            content_types: &content_types,
            edits_json: patches.iter().any(Patch::edits_json),
        };
        let mut cache =
            CacheHeaders::compile(route.cache.as_ref(), &subject, &path.clone().key("cache"), problems);
        let key = CacheKey::compile(route, &patches, path, problems);
        cache.check_reads(key.reads(), &path.clone().key("cache"), problems);
        let rewrites = patches.iter().any(Patch::rewrites);
        let is_keyed = |name: &str| key.is_stored() && is_keyed(name, &key, attributes, rewrites);
        key.check_patches(&patches, attributes, is_keyed, path, problems);
        let places = places(route, &patches, is_keyed);
        cache.choose_stored_tags(is_keyed);
        reads.extend(cache.reads().iter().cloned());
        let decides: Vec<String> = reads.iter().filter(|name| Decided::of(name).is_some()).cloned().collect();
        reads.extend(decisions.reads(&decides, attributes));
        // The payload's experiments do, and so does what pages are told.
        let edits_all_pages = route.auto_experiments || (tells_pages && !decides.is_empty());
        Self {
            name: route.name.clone(),
            cache,
            key,
            content_types,
            delivery: route.delivery,
            content_coding: route.content_coding,
            variance: if edits_all_pages {
                variance(&patches, of_match, attributes).max(Variance::Pages)
            } else {
                variance(&patches, of_match, attributes)
            },
            places,
            auto_experiments: route.auto_experiments,
            patches,
            reads,
            decides_by_visitor: decides
                .iter()
                .filter(|name| attributes.depends_on_visitor(name))
                .cloned()
                .collect(),
            decides,
        }
    }

    /// Whether what its patches make is a function of what a [digest](crate::cache::validator::digest) covers, so that a tag
    /// can stand for it. Whatever will read anything else (a fragment, a decision that is awaited) says no here.
    #[must_use]
    pub const fn has_validator(&self) -> bool {
        true
    }
}

/// A rewrite that is the same for everybody is where the pages are; one that is not makes answers of one URL of several.
fn variance(patches: &[Patch], of_match: &BTreeSet<String>, attributes: &Catalogue) -> Variance {
    let of_patch = |patch: &Patch| {
        let of_visitor = || patch.reads().iter().any(|name| attributes.depends_on_visitor(name));
        if patch.rewrites() && (!of_match.is_empty() || of_visitor()) {
            Variance::Everything
        } else if patch.edits_elements() || patch.edits_json() {
            Variance::Pages
        } else {
            Variance::Nothing
        }
    };
    patches.iter().map(of_patch).max().unwrap_or_default()
}

/// Where patches run.
fn places(route: &model::Route, patches: &[Patch], is_keyed: impl Fn(&str) -> bool) -> Vec<Place> {
    split(patches, is_keyed, route.delivery == Delivery::Whole, route.content_coding == ContentCoding::Gzip)
}

/// Whether an attribute is the same in all requests of one key of the cache between the stages. A patch that rewrites makes several
/// URLs of visitors one of the cache's, so these are not in its key any more. Neither is the method: what is stored for GET answers
/// HEAD.
fn is_keyed(name: &str, key: &CacheKey, attributes: &Catalogue, rewrites: bool) -> bool {
    match key.keyed(attributes, name) {
        Keyed::Vary => true,
        Keyed::Url => !rewrites && attributes.input(name) != Some(Input::Method),
        Keyed::No => false,
    }
}

/// The headers by which a request gets on this route or on an earlier one instead: two visitors who ask for the same URL
/// may be on different routes.
pub(super) fn headers_that_choose(routes: &[model::Route], index: usize) -> BTreeSet<String> {
    let Some(route) = routes.get(index) else { return BTreeSet::new() };
    let before = routes.iter().take(index.saturating_add(1));
    let matches = before.filter_map(|other| other.matches.as_ref()).filter(|other| {
        route.matches.as_ref().is_none_or(|own| {
            !excludes(own.host.as_ref(), other.host.as_ref())
                && !excludes(own.path.as_ref(), other.path.as_ref())
        })
    });
    matches.flat_map(|other| other.headers.keys()).map(|name| format!("{OF_MATCH}{name}")).collect()
}

/// Whether no text can satisfy both. `false` where that takes more than a look.
fn excludes(one: Option<&model::StringMatcher>, other: Option<&model::StringMatcher>) -> bool {
    let (Some(one), Some(other)) = (one, other) else { return false };
    if one.ignore_case || other.ignore_case {
        return false;
    }
    match (&one.exact, &one.prefix, &other.exact, &other.prefix) {
        (Some(a), _, Some(b), _) => a != b,
        (Some(exact), _, _, Some(prefix)) | (_, Some(prefix), Some(exact), _) => !exact.starts_with(prefix),
        (_, Some(a), _, Some(b)) => !a.starts_with(b) && !b.starts_with(a),
        _ => false,
    }
}

/// Reports tell patches apart by their names.
fn check_labels(patches: &[Patch], path: &Path, problems: &mut Vec<Problem>) {
    let mut seen = BTreeSet::new();
    for patch in patches.iter().filter(|patch| !seen.insert(patch.label.as_str())) {
        let message = format!("two patches are called \"{}\"; give one another `name`", patch.label);
        problems.push(Problem::new(Kind::InvalidValue, path.clone().key("patches"), message));
    }
}
