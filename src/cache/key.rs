//! What the caches and the origin see of a request: the key of a stored response.
//!
//! The attack that this prevents: two requests that are one to a cache and two to the origin. Whatever the origin may make
//! a page from is in the key, or it does not reach the origin.
//!
//! Only `GET` and `HEAD` are changed, and only without a body or an upgrade: nothing else is answered from a cache
//! ([`covers`](CacheKey::covers)). What the patches of the route read is read before, from the request as it came.

pub mod headers;
pub mod query;
pub mod tracking;

use std::borrow::Cow;

use http::{HeaderMap, HeaderName, header};

use self::headers::Headers;
use self::query::Query;
use super::check::{is_shared, lets_front_keep};
use super::names::Names;
use super::origin_reads::{Few, OriginReads, Standing};
use super::vary;
use crate::config::model;
use crate::config::node::Path;
use crate::config::problem::{Kind, Problem};
use crate::headers::{HeaderEdit, list};
use crate::patch::{Action, Patch};
use crate::request::RequestHead;
use crate::request::attributes::Catalogue;
use crate::request::input::Input;

/// The key of a route, compiled.
#[derive(Debug, Default)]
pub struct CacheKey {
    query: Option<Query>,
    headers: Headers,
    /// Of routes that caches may keep.
    reads: Option<OriginReads>,
    is_stored: bool,
    droppable: Names,
}

/// Whether an attribute is the same in all requests of one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "it is in the URL, in a header that tells variants apart, or nowhere"
)]
pub enum Keyed {
    /// It is in the URL that caches and the origin see.
    Url,
    /// It is in a header that `Vary` names, with the same value before and after that is normalised.
    Vary,
    /// It is not in the key.
    No,
}

impl CacheKey {
    /// Compiles the key of a route with these patches. What is wrong goes to `problems`; `path` is the route's.
    #[must_use]
    pub fn compile(
        route: &model::Route,
        patches: &[Patch],
        path: &Path,
        problems: &mut Vec<Problem>,
    ) -> Self {
        let cache = route.cache.as_ref();
        let cache_path = path.clone().key("cache");
        let query = cache.and_then(|cache| cache.query.as_ref());
        let query = query.map(|query| Query::compile(query, &cache_path.clone().key("query"), problems));
        let headers = cache.and_then(|cache| cache.headers.as_ref());
        let headers = headers
            .map(|headers| Headers::compile(headers, &cache_path.clone().key("headers"), problems))
            .unwrap_or_default();
        let droppable = cache.map(|cache| cache.droppable_cookies.as_slice()).unwrap_or_default();
        let droppable = Names::compile(droppable, &cache_path.key("droppable_cookies"), problems);
        let set = set_by_patches(patches);
        let reads_path = path.clone().key("origin_reads");
        // Compiled where nothing is stored too: what is wrong is wrong.
        let reads = OriginReads::compile(&route.origin_reads, &headers, set, &reads_path, problems);
        let is_stored = is_stored(cache);
        let is_kept = is_stored || is_kept_in_front(cache);
        Self { query, headers, reads: is_kept.then_some(reads), is_stored, droppable }
    }

    /// Whether responses of the route may be stored between the stages.
    #[must_use]
    pub const fn is_stored(&self) -> bool {
        self.is_stored
    }

    /// The rule for the query.
    #[must_use]
    pub const fn query(&self) -> Option<&Query> {
        self.query.as_ref()
    }

    /// The headers that become one of a few values.
    #[must_use]
    pub const fn headers(&self) -> &Headers {
        &self.headers
    }

    /// What the origin reads, on a route that caches may keep.
    #[must_use]
    pub const fn reads(&self) -> Option<&OriginReads> {
        self.reads.as_ref()
    }

    /// The cookies that a response to be stored may lose.
    #[must_use]
    pub const fn droppable_cookies(&self) -> &Names {
        &self.droppable
    }

    /// Whether a request is one that a cache may answer. The response to any other may depend on whatever it sent, and
    /// must not be stored.
    #[must_use]
    pub fn covers(request: &RequestHead) -> bool {
        let is_read = matches!(request.method.as_str(), "GET" | "HEAD");
        let upgrades = list(&request.headers, &header::CONNECTION)
            .any(|it| it.eq_ignore_ascii_case(b"upgrade"))
            && request.headers.contains_key(header::UPGRADE);
        let has_body = request.has_body
            || request.headers.contains_key(header::TRANSFER_ENCODING)
            || list(&request.headers, &header::CONTENT_LENGTH).any(|length| length != b"0");
        is_read && !upgrades && !has_body
    }

    /// The target that caches and the origin are to see.
    #[must_use]
    pub fn target<'r>(&self, request: &'r RequestHead) -> Cow<'r, str> {
        let changed = self.query.as_ref().filter(|_| Self::covers(request));
        match changed.and_then(|query| query.apply(&request.path)) {
            Some(target) => Cow::Owned(target),
            None => Cow::Borrowed(&request.path),
        }
    }

    /// The changes of a request's headers, to be made before those of patches. `is_limited`: the origin is to get no more than it is
    /// declared to read.
    #[must_use]
    pub fn header_edits(
        &self,
        request: &RequestHead,
        standing: Standing,
        is_limited: bool,
    ) -> Vec<HeaderEdit> {
        if !Self::covers(request) {
            return Vec::new();
        }
        let mut edits = self.headers.edits(&request.headers);
        if let Some(reads) = self.reads.as_ref().filter(|_| is_limited) {
            let mut seen = Cow::Borrowed(&request.headers);
            if !edits.is_empty() {
                let seen = seen.to_mut();
                edits.iter().for_each(|edit| edit.apply(seen));
            }
            edits.extend(reads.edits(request, &seen, standing));
        }
        edits
    }

    /// What becomes of the `Vary` of the origin's response to a request that this key [covers](Self::covers): names of
    /// headers that the origin did not get are left out, those that tell variants apart are there. `is_limited`: it got no more than
    /// it is declared to read.
    #[must_use]
    pub fn vary(&self, response: &HeaderMap, is_limited: bool) -> Option<HeaderEdit> {
        let Some(reads) = self.reads.as_ref().filter(|_| is_limited) else {
            let is_active = self.query.is_some() || self.headers != Headers::default();
            let may_vary = |name: &str| !self.headers.takes(name);
            return is_active.then(|| vary::merged(response, may_vary, [])).flatten();
        };
        // Who does not say so compresses for those who take it, all the same.
        let is_coded = response.contains_key(header::CONTENT_ENCODING);
        let coded = is_coded.then_some(header::ACCEPT_ENCODING);
        vary::merged(response, |name| reads.may_vary(name), reads.vary().chain(coded))
    }

    /// What the cache between the stages has in the key besides the URL: the headers, after all changes of the request, by which
    /// stored responses differ.
    pub fn told_apart_by(&self) -> impl Iterator<Item = HeaderName> {
        self.reads.iter().flat_map(OriginReads::vary)
    }

    /// Whether a response to a request that this key [covers](Self::covers) differs by nothing that is not in the key: no header
    /// of its `Vary` reached the origin but those, nor is it coded for those who take that.
    #[must_use]
    pub fn tells_apart(&self, response: &HeaderMap) -> bool {
        let Some(reads) = &self.reads else { return false };
        let is_told = |name: &[u8]| {
            let name = String::from_utf8_lossy(name).to_ascii_lowercase();
            let is_in_key =
                self.told_apart_by().any(|known| known.as_str() == name) || name == "accept-encoding";
            is_in_key || (HeaderName::try_from(&name).is_ok() && name != "*" && !reads.may_vary(&name))
        };
        list(response, &header::VARY).all(is_told)
    }

    /// Refuses patches that tell the origin of a stored page what is not in its key. `is_keyed` tells what is, after all that patches
    /// change.
    pub(crate) fn check_patches(
        &self,
        patches: &[Patch],
        catalogue: &Catalogue,
        is_keyed: impl Fn(&str) -> bool,
        path: &Path,
        problems: &mut Vec<Problem>,
    ) {
        if let Some(reads) = self.reads.as_ref().filter(|_| self.is_stored) {
            unkeyed_request_headers(patches, reads, catalogue, is_keyed, path, problems);
        }
    }

    /// Whether all requests of one key have the same value of an attribute.
    #[must_use]
    pub fn keyed(&self, catalogue: &Catalogue, attribute: &str) -> Keyed {
        let (values, otherwise) = (catalogue.values(attribute), catalogue.fallback(attribute));
        let keeps = |few: Option<&Few>| few.is_none_or(|few| few.keeps(values, otherwise));
        let declares = |name: &HeaderName| {
            let normalised = self.headers.names().any(|known| known == *name);
            let mut declaring = self.reads.iter().filter(|reads| reads.headers().contains(name));
            !normalised && declaring.any(|reads| keeps(reads.values_of_header(name)))
        };
        let is_keyed = match catalogue.input(attribute) {
            Some(Input::Host | Input::Path | Input::PathSegment(_) | Input::Method | Input::Scheme) => {
                return Keyed::Url;
            }
            Some(Input::Parameter(name)) => {
                let is_kept = self.query.as_ref().is_none_or(|query| query.keeps(name));
                return if is_kept { Keyed::Url } else { Keyed::No };
            }
            Some(Input::Query) => return if self.query.is_none() { Keyed::Url } else { Keyed::No },
            Some(Input::Header(name)) => declares(name),
            Some(Input::Cookie(name)) => {
                let mut declaring =
                    self.reads.iter().filter(|reads| reads.cookies().iter().any(|known| known == name));
                declaring.any(|reads| keeps(reads.values_of_cookie(name)))
            }
            // The same value from what is left, where nothing fits too.
            Some(Input::Language(tags)) => {
                let is_same = self.headers.languages() == tags
                    && catalogue.fallback(attribute) == tags.first().map(String::as_str);
                declares(&header::ACCEPT_LANGUAGE) || (is_same && self.reads.is_some())
            }
            Some(Input::Device) => self.headers.has_device() && self.reads.is_some(),
            _ => false,
        };
        if is_keyed { Keyed::Vary } else { Keyed::No }
    }
}

/// Whether responses are to be stored between the stages.
fn is_stored(cache: Option<&model::Cache>) -> bool {
    let Some(cache) = cache else { return false };
    let mut stores = cache.store.iter().chain(cache.rules.iter().filter_map(|rule| rule.store.as_ref()));
    stores.any(|store| is_shared(&store.0))
}

/// Whether a policy lets shared caches in front keep responses that the origin may have said nothing of.
fn is_kept_in_front(cache: Option<&model::Cache>) -> bool {
    let Some(cache) = cache else { return false };
    let audiences = [(cache.browser.as_ref(), cache.cdn.as_ref())].into_iter();
    let mut audiences =
        audiences.chain(cache.rules.iter().map(|rule| (rule.browser.as_ref(), rule.cdn.as_ref())));
    audiences.any(|(browser, cdn)| lets_front_keep(browser.map(|it| &it.0), cdn.map(|it| &it.0)))
}

fn set_by_patches(patches: &[Patch]) -> Vec<HeaderName> {
    let exchanges = patches.iter().filter_map(|patch| match &patch.action {
        Action::Exchange(template) => Some(template),
        _ => None,
    });
    let names = exchanges.flat_map(|template| template.request_header_names());
    names.filter(|(_, sets)| *sets).map(|(name, _)| name.clone()).collect()
}

/// A patch that tells the origin something that is not in the key makes the origin's page depend on it. That is fine where the
/// header is declared, as it is in `Vary` then, and where it has few values.
fn unkeyed_request_headers(
    patches: &[Patch],
    reads: &OriginReads,
    catalogue: &Catalogue,
    is_keyed: impl Fn(&str) -> bool,
    path: &Path,
    problems: &mut Vec<Problem>,
) {
    for patch in patches {
        let Action::Exchange(template) = &patch.action else { continue };
        let of_visitor: Vec<&str> =
            patch.reads().iter().map(String::as_str).filter(|name| !is_keyed(name)).collect();
        let Some(attribute) = of_visitor.first() else { continue };
        let mut refuse = |message: String| {
            let path = path.clone().key("patches");
            problems.push(Problem::new(Kind::InvalidValue, path, message));
        };
        let label = &patch.label;
        for (name, sets) in template.request_header_names() {
            if !reads.headers().contains(name) {
                refuse(format!(
                    "patch {label} changes \"{name}\" by \"{attribute}\", so the origin's page depends on the visitor and is stored for all; add `header: {name}` to `origin_reads`"
                ));
            } else if let Some(open) = of_visitor.iter().find(|name| sets && !catalogue.is_bounded(name)) {
                refuse(format!(
                    "patch {label} puts \"{open}\" into the key, which has as many values as visitors send; give that attribute `values` and `otherwise`"
                ));
            }
        }
    }
}

#[cfg(test)]
mod tests;
