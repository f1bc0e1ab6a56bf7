//! What some responses of a route are told: the headers of a policy, made one with what the origin says.

use std::collections::BTreeSet;

use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::Answer;
use super::check::says_shared;
use super::dialect::{CDN_CACHE_CONTROL, Syntax, is_for_shared_caches};
use super::merge::{self, Origin};
use super::rule::Criteria;
use crate::config::model::{CacheMode, Directives, Duration};
use crate::headers::{HeaderEdit, list};

/// What some responses of a route are told.
#[derive(Debug, Default)]
pub(super) struct Policy {
    pub(super) criteria: Criteria,
    pub(super) mode: CacheMode,
    pub(super) targets: Vec<Target>,
    /// What caches in front are told, for headers that they are not spoken to in.
    pub(super) cdn: Option<Directives>,
    pub(super) store: Option<Directives>,
    /// The request headers by which caches in front tell visitors apart, where that is all that the route depends on.
    pub(super) key: Vec<HeaderName>,
    /// It may be for a page that depends on the visitor, so it is always private.
    pub(super) is_private: bool,
    /// Caches in front may keep what the origin says nothing of.
    pub(super) is_kept_in_front: bool,
}

/// One header of a policy.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) name: HeaderName,
    pub(super) ours: Directives,
    /// The visitor may be told by it what caches in front may keep.
    pub(super) is_for_cdn: bool,
    /// What `override` writes.
    pub(super) value: Option<HeaderValue>,
    /// The same where it depends on the visitor.
    pub(super) sealed: Option<HeaderValue>,
}

impl Target {
    /// Whether the headers of both have the same value: written alike, to the same readers, where the origin has neither.
    fn says_as(&self, other: &Self, origin: &HeaderMap) -> bool {
        let is_own =
            |target: &Self| target.name == header::CACHE_CONTROL || origin.contains_key(&target.name);
        !is_own(self)
            && !is_own(other)
            && !origin.contains_key(CDN_CACHE_CONTROL)
            && self.is_for_cdn == other.is_for_cdn
            && Syntax::of(&self.name) == Syntax::of(&other.name)
            && self.ours == other.ours
    }
}

impl Policy {
    /// Whether caches in front tell visitors apart by all that the route depends on.
    pub(super) const fn is_keyed(&self) -> bool {
        !self.key.is_empty()
    }

    /// Says what the key says in words that every cache knows (RFC 9110 § 12.5.5).
    fn vary(&self, answer: &Answer<'_>) -> Option<HeaderEdit> {
        let mut decided = HeaderMap::new();
        let headers = match answer.vary {
            Some(vary) => {
                vary.apply(&mut decided);
                &decided
            }
            None => answer.headers,
        };
        let said = |name: &str| {
            let mut names = list(headers, &header::VARY);
            names.any(|it| it == b"*" || it.eq_ignore_ascii_case(name.as_bytes()))
        };
        let names: Vec<&str> = self.key.iter().map(HeaderName::as_str).filter(|name| !said(name)).collect();
        let value = HeaderValue::try_from(names.join(", ")).ok().filter(|value| !value.is_empty())?;
        Some(HeaderEdit::Add(header::VARY, value))
    }

    pub(super) fn edit(
        &self,
        answer: &Answer<'_>,
        is_personal: bool,
        is_sealed: bool,
        edits: &mut Vec<HeaderEdit>,
    ) {
        let headers = answer.headers;
        let origin = Origin::read(headers);
        let mut written: BTreeSet<&str> = BTreeSet::new();
        let mut sets = Vec::new();
        let mut before: Option<(&Target, Option<HeaderValue>)> = None;
        for target in &self.targets {
            let is_private = (is_personal || self.is_private) && !(target.is_for_cdn && self.is_keyed());
            let is_sealed = is_private || is_sealed;
            let value = match self.mode {
                _ if !is_sealed && self.is_read_by_unnamed(target) => self.for_the_browser(target, &origin),
                CacheMode::Override if is_sealed => target.sealed.clone(),
                CacheMode::Override => target.value.clone(),
                mode => match &before {
                    // Most dialects say the same.
                    Some((like, value)) if target.says_as(like, headers) => value.clone(),
                    _ => origin.merged(&target.name, &target.ours, mode, is_sealed),
                },
            };
            before = Some((target, value.clone()));
            let Some(value) = value else { continue };
            written.insert(target.name.as_str());
            sets.push(HeaderEdit::Set(target.name.clone(), value));
        }
        if !is_personal {
            self.edit_others(headers, &origin, &written, &mut sets);
        }
        if sets.is_empty() {
            return;
        }
        if !is_personal {
            let others = headers.keys().filter(|name| {
                (**name == header::CACHE_CONTROL || is_for_shared_caches(name))
                    && !written.contains(name.as_str())
                    && !sets.iter().any(|edit| matches!(edit, HeaderEdit::Set(set, _) | HeaderEdit::Remove(set) if set == *name))
            });
            let mut again: Vec<HeaderName> =
                others.filter(|name| Syntax::of(name) != Syntax::Edge).cloned().collect();
            let tells_browser =
                written.contains(header::CACHE_CONTROL.as_str()) || again.contains(&header::CACHE_CONTROL);
            if headers.contains_key(header::EXPIRES) && !tells_browser {
                again.push(header::CACHE_CONTROL);
            }
            let again = again.into_iter().filter_map(|name| {
                let value = origin.restated(&name)?;
                Some(HeaderEdit::Set(name, value))
            });
            sets.extend(again.collect::<Vec<_>>());
        }
        edits.extend(sets);
        if is_personal {
            edits.extend(self.vary(answer));
        }
        // What else speaks of time must not defeat the new lifetimes (RFC 9111 § 4.2.3, 5.1, 5.3). An old `Date` makes a
        // response old as `Age` does; where there is none, whoever passes it on writes the present one (RFC 9110 § 6.6.1),
        // and so does Envoy behind its filters.
        let of_time = [header::EXPIRES, header::AGE, header::DATE];
        edits.extend(of_time.into_iter().filter(|name| headers.contains_key(name)).map(HeaderEdit::Remove));
    }

    /// Whether caches in front may read this header although it is not for them: `Cache-Control`, of a policy that does not let them
    /// keep anything.
    fn is_read_by_unnamed(&self, target: &Target) -> bool {
        target.name == header::CACHE_CONTROL && !says_shared(&target.ours) && !self.is_kept_in_front
    }

    /// What the browser is told, and caches in front no more than they are told otherwise: by the policy, or by the origin.
    fn for_the_browser(&self, target: &Target, origin: &Origin<'_>) -> Option<HeaderValue> {
        let lets = origin.lets_shared_caches().filter(|_| self.cdn.is_none());
        match (self.mode, lets) {
            (CacheMode::Override, None) => target.sealed.clone(),
            (CacheMode::Override, Some(seconds)) => {
                let own = target.ours.max_age.map(Duration::seconds);
                let shared = Duration::from_seconds(seconds.into());
                let shared =
                    shared.filter(|_| own != Some(seconds) && !target.ours.private && !target.ours.no_store);
                Syntax::CacheControl.value(&Directives { s_maxage: shared, ..target.ours.clone() }, true)
            }
            (mode, Some(_)) => origin.merged(&target.name, &target.ours, mode, false),
            (mode, None) => origin
                .merged(&target.name, &target.ours, mode, false)
                .and_then(|_| origin.merged(&target.name, &target.ours, mode, true)),
        }
    }

    /// Headers for caches in front that the policy does not speak in, and that some cache may read before those that it does.
    fn edit_others(
        &self,
        headers: &HeaderMap,
        origin: &Origin<'_>,
        written: &BTreeSet<&str>,
        sets: &mut Vec<HeaderEdit>,
    ) {
        let Some(cdn) = &self.cdn else { return };
        let others = headers.keys().filter(|name| {
            is_for_shared_caches(name)
                && !written.contains(name.as_str())
                && (self.mode == CacheMode::Override
                    || !self.targets.iter().any(|target| target.name == **name))
        });
        for name in others {
            match self.mode {
                CacheMode::Override => sets.push(HeaderEdit::Remove(name.clone())),
                CacheMode::AtMost if name.as_str() == "x-accel-expires" => {
                    let shorter = merge::accel_at_most(headers.get(name), cdn);
                    sets.extend(shorter.map(|value| HeaderEdit::Set(name.clone(), value)));
                }
                CacheMode::AtMost => {
                    let shorter = origin.merged(name, cdn, CacheMode::AtMost, false);
                    sets.extend(shorter.map(|value| HeaderEdit::Set(name.clone(), value)));
                }
                CacheMode::RespectOrigin => {}
            }
        }
    }
}
