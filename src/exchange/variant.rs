//! Which of the pages that a URL can have a visitor would get, and the validators that stand for it.

use http::{HeaderMap, StatusCode, header};

use super::patches::Patches;
use crate::cache::validator::Variance;
use crate::cache::validator::conditional::{self, Current, Variants};
use crate::cache::validator::digest::{Digest, Outcome};
use crate::cache::validator::entity_tag::{EntityTag, Member, members};
use crate::config::model::{ContentCoding, Delivery};
use crate::csp::Verdict;
use crate::engine::Route;
use crate::headers::HeaderEdit;
use crate::patch::Patch;
use crate::request::attributes::Values;

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Variant {
    variance: Variance,
    current: Current,
    /// The tags by which the origin is asked in place of the variant's.
    asked: Vec<EntityTag>,
    /// It is a variant whatever the origin answers, not only where that is a page.
    beyond_pages: bool,
    /// The method asks for what a tag stands for.
    is_retrieved: bool,
}

/// What a page depends on besides its patches and what they read.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Besides<'a> {
    /// The digest of the payload that had a say.
    pub(super) live: Option<u128>,
    /// What its scripts may be told.
    pub(super) told: &'a [String],
}

impl Variant {
    /// What a request gets that is on no route.
    pub(super) const fn of_no_route() -> Self {
        let variance = Variance::Nothing;
        let current = Current::Origin;
        Self { variance, current, asked: Vec::new(), beyond_pages: false, is_retrieved: false }
    }

    /// What the patches with the numbers `eligible` make.
    pub(super) fn of(
        patches: &Patches,
        route: &Route,
        eligible: &[usize],
        values: &Values,
        besides: Besides<'_>,
        method: &str,
        accepts_gzip: bool,
    ) -> Self {
        let chosen = || patches.numbered(eligible);
        let edits_pages =
            !besides.told.is_empty() || chosen().any(|patch| patch.edits_elements() || patch.edits_json());
        let beyond_pages = route.variance == Variance::Everything && chosen().any(Patch::rewrites);
        let to_gzip = route.content_coding == ContentCoding::Gzip && accepts_gzip;
        let digest = || digest(patches, route, eligible, values, besides, to_gzip);
        let current = match (edits_pages || beyond_pages, route.has_validator()) {
            (false, _) => Current::Origin,
            (true, true) => Current::Variant(digest()),
            (true, false) => Current::Unknown,
        };
        let is_retrieved = conditional::retrieves(method);
        Self { variance: route.variance, current, asked: Vec::new(), beyond_pages, is_retrieved }
    }

    /// What changes of the conditions of the request. What a browser marks as a part of a page is asked for as it is, where
    /// only pages have variants.
    pub(super) fn towards_origin(
        &mut self,
        method: &str,
        headers: &HeaderMap,
        is_subresource: bool,
    ) -> Vec<HeaderEdit> {
        match self.variance {
            Variance::Nothing => return Vec::new(),
            Variance::Pages if is_subresource => return Vec::new(),
            Variance::Pages | Variance::Everything => {}
        }
        let of_one_page = self.variance == Variance::Pages;
        let variants = Variants { current: self.current, of_one_page };
        let edits = conditional::towards_origin(method, headers, variants);
        let mut asked = HeaderMap::new();
        for edit in &edits {
            if let HeaderEdit::Set(header::IF_NONE_MATCH, _) = edit {
                edit.apply(&mut asked);
            }
        }
        let asked = members(&asked, &header::IF_NONE_MATCH).unwrap_or_default().into_iter();
        self.asked = asked
            .filter_map(|member| match member {
                Member::Tag(tag) => Some(tag),
                Member::Any | Member::Other(_) => None,
            })
            .collect();
        edits
    }

    /// What changes of the validators of an answer whose body is, or would be, edited. A nonce is the response's own: the
    /// next one has another, so the page is no function of the digest.
    pub(super) fn of_edited(&self, headers: &HeaderMap, verdicts: &[Verdict]) -> Vec<HeaderEdit> {
        let digest = self.digest().filter(|_| self.is_retrieved && !has_nonce(verdicts));
        conditional::towards_visitor(headers, digest, &[])
    }

    /// The same, for an answer whose body passes.
    pub(super) fn of_passing(
        &self,
        status: StatusCode,
        headers: &HeaderMap,
        is_subresource: bool,
    ) -> Vec<HeaderEdit> {
        let is_of_page = status == StatusCode::NOT_MODIFIED && !is_subresource;
        if self.is_retrieved && self.current != Current::Origin && (is_of_page || self.beyond_pages) {
            let asked = if status == StatusCode::NOT_MODIFIED { self.asked.as_slice() } else { &[] };
            conditional::towards_visitor(headers, self.digest(), asked)
        } else {
            Vec::new()
        }
    }

    /// What stands for what the patches make; `None` where they leave the origin's bytes, or nothing can stand for it.
    pub(super) const fn digest(&self) -> Option<Digest> {
        match self.current {
            Current::Variant(digest) => Some(digest),
            Current::Origin | Current::Unknown => None,
        }
    }
}

/// The validators of a page that is stored: the cache's key is the same for equal outcomes only, so a page is stored as one variant
/// or as the origin's bytes.
#[derive(Debug)]
pub(super) struct Stored {
    digest: Option<Digest>,
    /// The tags by which the origin is asked in place of the variant's.
    asked: Vec<EntityTag>,
}

impl Stored {
    /// What the patches with the numbers `eligible` make.
    pub(super) fn of(patches: &Patches, route: &Route, eligible: &[usize], values: &Values) -> Self {
        let digest = (!eligible.is_empty() && route.has_validator())
            .then(|| digest(patches, route, eligible, values, Besides::default(), false));
        Self { digest, asked: Vec::new() }
    }

    /// What changes of the conditions by which the cache asks whether what it has stored is still good.
    pub(super) fn towards_origin(&mut self, headers: &HeaderMap) -> Vec<HeaderEdit> {
        let Some(digest) = self.digest else { return Vec::new() };
        let (edit, asked) = conditional::of_cache(headers, digest);
        self.asked = asked;
        edit.into_iter().collect()
    }

    /// What changes of the validators of a page that is edited before it is stored.
    pub(super) fn of_edited(&self, headers: &HeaderMap, verdicts: &[Verdict]) -> Vec<HeaderEdit> {
        conditional::towards_visitor(headers, self.digest.filter(|_| !has_nonce(verdicts)), &[])
    }

    /// Whether a 304 is about the variant: the origin was asked for that one.
    pub(super) fn is_asked(&self, headers: &HeaderMap) -> bool {
        let origin = EntityTag::of(headers);
        origin.is_some_and(|origin| self.asked.iter().any(|asked| asked.matches_weakly(&origin)))
    }

    /// The same, of a 304: it is about the variant where the origin was asked for that.
    pub(super) fn of_revalidated(&self, headers: &HeaderMap) -> Vec<HeaderEdit> {
        let origin = EntityTag::of(headers);
        let is_of_variant =
            origin.is_some_and(|origin| self.asked.iter().any(|asked| asked.matches_weakly(&origin)));
        if is_of_variant {
            conditional::towards_visitor(headers, self.digest, &self.asked)
        } else {
            Vec::new()
        }
    }

    pub(super) const fn digest(&self) -> Option<Digest> {
        self.digest
    }
}

/// What stands for what the patches with the numbers `eligible` make.
fn digest(
    patches: &Patches,
    route: &Route,
    eligible: &[usize],
    values: &Values,
    besides: Besides<'_>,
    to_gzip: bool,
) -> Digest {
    let outcome = Outcome {
        configuration: patches.engine().digest(),
        payload: besides.live,
        told: besides.told,
        auto: patches.auto_labels(eligible).collect(),
        route: &route.name,
        patches: eligible,
        reads: patches.numbered(eligible).flat_map(Patch::reads).map(String::as_str).collect(),
        values,
        to_gzip,
        is_whole: route.delivery == Delivery::Whole,
    };
    outcome.digest()
}

/// Whether a nonce of the response's policies is put into the page: the next response has another one.
fn has_nonce(verdicts: &[Verdict]) -> bool {
    verdicts.iter().any(|verdict| matches!(verdict, Verdict::Insert { nonce: Some(_) }))
}
