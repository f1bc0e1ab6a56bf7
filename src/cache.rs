//! What caches outside are told about a route.
//!
//! The attack that this prevents: a page with one visitor's data in it, kept by a cache that serves it to the next one.
//! A route whose output depends on the visitor can't be declared public, unless the caches in front tell visitors apart by all that
//! it depends on, and says so itself where nothing is declared.
//!
//! A policy has three audiences: the browser, caches in front (`cdn`), and the cache behind the personal edits (`store`), which the
//! origin stage speaks to ([`CacheHeaders::store_edits`]). How a policy and the origin's word become one is in `merge`, how
//! caches in front are spoken to in `dialect`, the directives themselves in [`directive`].

pub(crate) mod advice;
pub mod inputs;
pub mod key;
pub mod mark;
pub mod names;
pub mod origin_reads;
pub mod record;
pub mod set_cookie;
pub mod vary;

use std::collections::BTreeSet;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use crate::config::model::{Cache, CacheControl, CacheMode, CdnDialect, Directives};
use crate::config::node::Path;
use crate::config::problem::{Kind, Problem};
use crate::headers::{HeaderEdit, list};
use crate::request::attributes::{Catalogue, Values};
use crate::template::Template;

mod check;
mod compile;
mod dialect;
pub mod directive;
mod merge;
mod policy;
mod rule;
mod tags;
pub mod validator;

pub use dialect::CDN_CACHE_CONTROL;
use dialect::{Syntax, is_for_shared_caches};
use merge::Origin;
use origin_reads::OriginReads;
use policy::{Policy, Target};
use rule::Fit;
use set_cookie::{NOT_STORABLE, Storable};

/// What a response says that is for one visitor.
pub const PRIVATE: HeaderValue = HeaderValue::from_static("private, no-cache");

/// How a name in a [`Dependence`] begins that is no attribute but a header by which a route is chosen.
pub const OF_MATCH: &str = "the header ";

/// Whether a response lets shared caches keep it by a header that goes before `Cache-Control`.
#[must_use]
pub fn lets_shared_caches_keep(headers: &HeaderMap) -> bool {
    let forbids = |name: &HeaderName| {
        list(headers, name)
            .any(|it| it.eq_ignore_ascii_case(b"private") || it.eq_ignore_ascii_case(b"no-store"))
    };
    headers.keys().any(|name| is_for_shared_caches(name) && !forbids(name))
}

/// What keeps a response for one visitor out of shared caches. What the origin forbids stays forbidden.
#[must_use]
pub fn protection(origin: &HeaderMap) -> Vec<HeaderEdit> {
    let says = |word: &[u8]| list(origin, &header::CACHE_CONTROL).any(|it| it.eq_ignore_ascii_case(word));
    let value = match (says(b"no-store"), says(b"no-transform")) {
        (false, false) => PRIVATE,
        (true, false) => HeaderValue::from_static("private, no-cache, no-store"),
        (false, true) => HeaderValue::from_static("private, no-cache, no-transform"),
        (true, true) => HeaderValue::from_static("private, no-cache, no-store, no-transform"),
    };
    let shared = |name: &&HeaderName| is_for_shared_caches(name) || **name == header::EXPIRES;
    let removed = origin.keys().filter(shared).cloned().map(HeaderEdit::Remove);
    [HeaderEdit::Set(header::CACHE_CONTROL, value)].into_iter().chain(removed).collect()
}

/// The cache headers of a route, compiled.
#[derive(Debug, Default)]
pub struct CacheHeaders {
    /// The first one that fits counts; the last is the route's own.
    policies: Vec<Policy>,
    tags: Vec<Template>,
    /// Those that are the same for all requests of one key of the cache behind the personal edits.
    stored_tags: Vec<Template>,
    /// The headers that tags stand in.
    tag_headers: Vec<tags::Limits>,
    /// Whether every response depends on the visitor, not just pages.
    beyond_pages: bool,
    depends_on: BTreeSet<String>,
    reads: BTreeSet<String>,
}

/// The attributes of the visitor that a route's output depends on, and headers by which it is chosen ([`OF_MATCH`]).
#[derive(Debug, Clone, Default)]
#[expect(clippy::exhaustive_structs, reason = "there are these two ways to depend")]
pub struct Dependence<'a> {
    /// Through what is done to the exchange: every response of the route depends on them.
    pub exchange: BTreeSet<&'a str>,
    /// Through edits of pages.
    pub pages: BTreeSet<&'a str>,
}

/// What a policy is checked against.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_structs, reason = "whoever compiles a policy must say all of it")]
pub struct Subject<'a> {
    /// What the route's output depends on.
    pub dependence: &'a Dependence<'a>,
    /// Where attributes are read.
    pub attributes: &'a Catalogue,
    /// The content types that are read as HTML besides HTML's own, in lower case.
    pub content_types: &'a [String],
    /// Whether patches edit JSON.
    pub edits_json: bool,
}

/// Which policies the cookies of a request leave, see [`CacheHeaders::asked`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked(Vec<bool>);

/// Which caches may keep the response to a request, going by what is known of the request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a cache is behind or in front")]
pub struct Keepers {
    /// The cache behind the personal edits.
    pub store: bool,
    /// Shared caches in front, by our word and not by the origin's.
    pub front: bool,
}

/// A response, for [`CacheHeaders::edits`].
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_structs, reason = "whoever asks must say all of it")]
pub struct Answer<'a> {
    /// The status.
    pub status: StatusCode,
    /// The headers that it has.
    pub headers: &'a HeaderMap,
    /// What is decided of its `Vary`.
    pub vary: Option<&'a HeaderEdit>,
    /// Whether patches of pages may apply to it.
    pub is_page: bool,
    /// What the request asked.
    pub asked: &'a Asked,
    /// The attributes of the request.
    pub values: &'a Values,
    /// The origin may have got more of the visitor than it is declared to read, so no shared cache may keep it by our word.
    pub is_of_visitor: bool,
    /// What its cookies say of that.
    pub cookies: &'a Storable,
}

/// What becomes of a response's headers.
#[derive(Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheEdits {
    /// The changes, in order.
    pub headers: Vec<HeaderEdit>,
    /// How many tags did not fit into the limits of a dialect.
    pub dropped_tags: usize,
    /// `Set-Cookie` is taken off for the sake of shared caches, as all that it sets may be dropped.
    pub drops_cookies: bool,
    /// Shared caches in front may keep it by our word, whatever browsers are told.
    pub is_kept_in_front: bool,
}

enum Choice<'p> {
    Policy(&'p Policy),
    None,
    /// A 304 that may be of a response with another policy.
    Unknown,
}

impl CacheHeaders {
    /// What is to be known of a request when its response comes.
    #[must_use]
    pub fn asked(&self, request: &HeaderMap) -> Asked {
        Asked(self.policies.iter().map(|policy| policy.criteria.asked(request)).collect())
    }

    /// Which caches may keep the response to a request. Where a rule for certain cookies keeps pages from a cache, all that these
    /// visitors ask for passes it: what comes is known too late.
    #[must_use]
    pub fn keepers(&self, asked: &Asked) -> Keepers {
        let mut keepers = Keepers::default();
        for (policy, _) in self.policies.iter().zip(&asked.0).filter(|(_, asked)| **asked) {
            let store = policy.store.as_ref().is_some_and(check::is_shared);
            let front = policy.is_kept_in_front;
            keepers = Keepers { store: keepers.store || store, front: keepers.front || front };
            if policy.criteria.fits_all_successes() {
                let by_cookie = policy.criteria.cookies.is_some();
                return if by_cookie {
                    Keepers { store: keepers.store && store, front: keepers.front && front }
                } else {
                    keepers
                };
            }
        }
        keepers
    }

    /// The changes of a response's headers. A policy is one for successes unless it names statuses, so what is not one keeps
    /// what the origin says; but whatever depends on the visitor is kept out of shared caches, whatever its status.
    #[must_use]
    pub fn edits(&self, answer: &Answer<'_>) -> CacheEdits {
        let mut edits = CacheEdits::default();
        let is_personal = !self.depends_on.is_empty() && (answer.is_page || self.beyond_pages);
        if is_personal {
            edits.headers.extend(protection(answer.headers));
        }
        match self.choose(answer) {
            Choice::None => {}
            Choice::Unknown if is_personal => {}
            Choice::Unknown => edits.headers.extend(self.withheld(answer.headers)),
            Choice::Policy(policy) => {
                // A cookie that may be dropped is dropped only for caches that keep the response by our word.
                let is_sealed = match answer.cookies {
                    Storable::No => true,
                    Storable::Without(_) if !policy.is_kept_in_front => true,
                    Storable::Yes | Storable::Without(_) => answer.is_of_visitor && policy.is_kept_in_front,
                };
                policy.edit(answer, is_personal, is_sealed, &mut edits.headers);
                let is_kept = policy.is_kept_in_front && !is_sealed && (!is_personal || policy.is_keyed());
                edits.is_kept_in_front = is_kept;
                if is_kept && matches!(answer.cookies, Storable::Without(_)) {
                    edits.drops_cookies = true;
                    edits.headers.push(HeaderEdit::Remove(header::SET_COOKIE));
                }
                if !is_personal || policy.is_keyed() {
                    self.tag(&self.tags, answer, &mut edits);
                }
            }
        }
        edits
    }

    /// The changes of a response's headers on its way into the cache behind the personal edits, which may store it where nothing but
    /// what is in its key is in it ([`Answer::is_of_visitor`], [`Answer::cookies`]). That cache reads `Cache-Control` as any shared
    /// cache does. Lifetimes count from now on, so `Age` goes, and whoever carries this out sets `Date`; so does `Vary`, as all of it is in the key.
    #[must_use]
    pub fn store_edits(&self, answer: &Answer<'_>) -> CacheEdits {
        let mut edits = CacheEdits::default();
        if answer.is_of_visitor || *answer.cookies == Storable::No {
            edits.headers.extend(not_storable(answer.headers));
            return edits;
        }
        edits.headers.extend(outranking(answer.headers));
        if matches!(answer.cookies, Storable::Without(_)) {
            edits.drops_cookies = true;
            edits.headers.push(HeaderEdit::Remove(header::SET_COOKIE));
        }
        edits.headers.extend(removed(answer.headers, &[header::VARY]));
        let origin = Origin::read(answer.headers);
        let said = match self.choose(answer) {
            Choice::Policy(Policy { mode, store: Some(store), .. }) => {
                self.tag(&self.stored_tags, answer, &mut edits);
                match mode {
                    CacheMode::Override => Syntax::CacheControl.value(store, true),
                    mode => origin.merged(&header::CACHE_CONTROL, store, *mode, false),
                }
            }
            Choice::Unknown => {
                // What was stored before keeps its policy.
                let of_time = [header::CACHE_CONTROL, header::EXPIRES, header::AGE];
                edits.headers.extend(removed(answer.headers, &of_time));
                return edits;
            }
            Choice::Policy(_) | Choice::None => None,
        };
        let said = said.or_else(|| origin.restated(&header::CACHE_CONTROL));
        let gone: &[HeaderName] =
            if said.is_some() { &[header::EXPIRES, header::AGE] } else { &[header::AGE] };
        edits.headers.extend(removed(answer.headers, gone));
        edits.headers.extend(said.map(|value| HeaderEdit::Set(header::CACHE_CONTROL, value)));
        edits
    }

    /// Chooses the tags that may be stored: those that read nothing but what is in the key of the cache behind.
    pub(crate) fn choose_stored_tags(&mut self, is_keyed: impl Fn(&str) -> bool) {
        let stored = self.tags.iter().filter(|tag| tag.attributes().all(&is_keyed));
        self.stored_tags = stored.cloned().collect();
    }

    /// Refuses to let caches in front keep what the origin makes from more than they tell apart.
    pub(crate) fn check_reads(&self, reads: Option<&OriginReads>, path: &Path, problems: &mut Vec<Problem>) {
        let Some(reads) = reads else { return };
        for policy in self.policies.iter().filter(|policy| policy.is_kept_in_front) {
            let unkeyed = reads.read_of_visitor().find(|name| !policy.key.contains(name));
            problems.extend(unkeyed.map(|name| check::unkeyed_read(&name, path)));
        }
        for policy in
            self.policies.iter().filter(|policy| policy.store.as_ref().is_some_and(check::is_shared))
        {
            let unseen = policy.criteria.unseen_cookie(reads.cookies());
            problems.extend(unseen.map(|name| check::unseen_cookie(&name, path)));
        }
    }

    /// Whether every response depends on the visitor, not just pages.
    #[must_use]
    pub const fn is_beyond_pages(&self) -> bool {
        self.beyond_pages
    }

    /// The attributes of the visitor that the route's output depends on.
    #[must_use]
    pub const fn depends_on(&self) -> &BTreeSet<String> {
        &self.depends_on
    }

    /// The attributes that tags read.
    #[must_use]
    pub const fn reads(&self) -> &BTreeSet<String> {
        &self.reads
    }

    fn choose(&self, answer: &Answer<'_>) -> Choice<'_> {
        let mut asked = answer.asked.0.iter();
        for policy in &self.policies {
            // What was not asked is not known to fit.
            if !asked.next().is_some_and(|asked| *asked) {
                continue;
            }
            match policy.criteria.fit(answer.status, answer.headers) {
                Fit::Yes => return Choice::Policy(policy),
                Fit::Unknown => return Choice::Unknown,
                Fit::No => {}
            }
        }
        Choice::None
    }

    /// A 304 replaces what it says of the stored response's headers (RFC 9111 § 3.2). What it does not say stays as it was
    /// written, which is right whichever policy that was.
    fn withheld(&self, origin: &HeaderMap) -> Vec<HeaderEdit> {
        let targets = self.policies.iter().flat_map(|policy| &policy.targets).map(|target| &target.name);
        let written: BTreeSet<&str> =
            targets.map(HeaderName::as_str).chain(["expires", "age", "date"]).collect();
        let there = origin.keys().filter(|name| written.contains(name.as_str()));
        there.cloned().map(HeaderEdit::Remove).collect()
    }

    fn tag(&self, tags: &[Template], answer: &Answer<'_>, edits: &mut CacheEdits) {
        for limits in &self.tag_headers {
            let (tags, dropped) = limits.edits(tags, answer.values, answer.headers);
            edits.headers.extend(tags);
            edits.dropped_tags = edits.dropped_tags.saturating_add(dropped);
        }
    }
}

/// What keeps a response from the cache behind the personal edits, whichever that is.
pub fn not_storable(headers: &HeaderMap) -> impl Iterator<Item = HeaderEdit> + '_ {
    const OF_TIME: &[HeaderName] = &[header::AGE, header::EXPIRES, header::VARY];
    let set = HeaderEdit::Set(header::CACHE_CONTROL, NOT_STORABLE);
    outranking(headers).chain(removed(headers, OF_TIME)).chain([set])
}

/// What removes headers that some caches read before `Cache-Control`.
fn outranking(headers: &HeaderMap) -> impl Iterator<Item = HeaderEdit> + '_ {
    headers.keys().filter(|name| is_for_shared_caches(name)).cloned().map(HeaderEdit::Remove)
}

/// What removes those of `names` that are there.
fn removed<'h>(headers: &'h HeaderMap, names: &'h [HeaderName]) -> impl Iterator<Item = HeaderEdit> + 'h {
    names.iter().filter(|name| headers.contains_key(*name)).cloned().map(HeaderEdit::Remove)
}

#[cfg(test)]
mod tests;
