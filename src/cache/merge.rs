//! A policy and what the origin says, made one: `respect_origin` and `at_most`.
//!
//! What the origin forbids stays forbidden, and what is not known stays. A lifetime of the origin that is written again is what is
//! left of it after the age that the response has, since that age is not told any more (RFC 9111 § 4.2.3).

use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::dialect::{CDN_CACHE_CONTROL, Syntax, shared_lifetime};
use super::directive::{Field, age};
use crate::config::model::{CacheMode, Directives, Duration};

/// What the origin says of lifetimes.
#[derive(Debug)]
pub(super) struct Origin<'h> {
    headers: &'h HeaderMap,
    cache_control: Field,
    age: u32,
    /// The lifetime that `Expires` gives.
    expires: Option<u32>,
}

/// What one audience is told by the origin.
#[derive(Debug, Clone)]
struct Said {
    field: Field,
    /// It counts where no directive says a lifetime.
    expires: Option<u32>,
    /// Shared caches only read it.
    is_shared: bool,
    /// It is what the header itself says, not what its readers fall back to.
    is_own: bool,
}

impl<'h> Origin<'h> {
    pub(super) fn read(headers: &'h HeaderMap) -> Self {
        Self {
            headers,
            cache_control: Field::read(headers, &header::CACHE_CONTROL),
            age: age(headers),
            expires: expires(headers),
        }
    }

    /// The header of this name, made one with the policy; `None` where the policy has nothing to add. `is_sealed`: no cache that
    /// visitors share may keep it.
    pub(super) fn merged(
        &self,
        name: &HeaderName,
        ours: &Directives,
        mode: CacheMode,
        is_sealed: bool,
    ) -> Option<HeaderValue> {
        let said = self.said(name);
        let syntax = Syntax::of(name);
        if syntax == Syntax::Edge && said.is_own {
            return if mode == CacheMode::AtMost { edge_at_most(said.field, ours) } else { None };
        }
        if !said.field.is_whole() {
            // What can't be read can't be made shorter.
            let kept = Directives {
                private: is_sealed,
                no_cache: is_sealed,
                no_store: mode == CacheMode::AtMost,
                ..Directives::default()
            };
            return syntax.value(&kept, false);
        }
        let is_verbatim = syntax == Syntax::CacheControl || said.is_own;
        let says_who = ["public", "private", "no-store"].iter().any(|name| said.field.has(name));
        let says_freshness = ["max-age", "s-maxage", "no-cache"].iter().any(|name| said.field.has(name));
        let is_silent = !says_who && !says_freshness && said.expires.is_none();
        let mut merge = Merge { said, ours, mode, age: self.age, says_who, is_silent, adds: false };
        merge.lifetimes();
        merge.stale();
        merge.flags();
        if is_sealed {
            merge.seal();
        }
        match merge {
            Merge { adds: false, .. } => None,
            Merge { said, .. } if is_verbatim => said.field.to_value(),
            Merge { said, .. } => syntax.value(&summary(&said.field), false),
        }
    }

    /// A header of this name that the policy leaves alone, when `Age` and `Expires` go: what is left of its lifetimes.
    pub(super) fn restated(&self, name: &HeaderName) -> Option<HeaderValue> {
        let is_cache_control = *name == header::CACHE_CONTROL;
        let mut field =
            if is_cache_control { self.cache_control.clone() } else { Field::read(self.headers, name) };
        if self.age > 0 && !field.is_whole() {
            return Some(HeaderValue::from_static("no-store"));
        }
        let by_expires = self.expires.filter(|_| is_cache_control && !field.has("max-age"));
        if self.age == 0 && by_expires.is_none() {
            return None;
        }
        let before = field.clone();
        for name in ["max-age", "s-maxage"] {
            let said = field.lifetime(name).or_else(|| by_expires.filter(|_| name == "max-age"));
            if let Some(said) = said {
                field.set_lifetime(name, said.saturating_sub(self.age));
            }
        }
        (field != before).then(|| field.to_value()).flatten()
    }

    /// For how long the origin itself lets shared caches keep what it says nothing of but in `Cache-Control` and `Expires`; `None`
    /// where it does not say that they may.
    pub(super) fn lets_shared_caches(&self) -> Option<u32> {
        let field = &self.cache_control;
        let forbids = ["private", "no-store", "no-cache"].iter().any(|name| field.has(name));
        if forbids || !field.is_whole() {
            return None;
        }
        let lifetime = field.lifetime("s-maxage").or_else(|| field.lifetime("max-age")).or(self.expires);
        let lifetime = lifetime.or_else(|| field.has("public").then_some(0))?;
        Some(lifetime.saturating_sub(self.age))
    }

    fn said(&self, name: &HeaderName) -> Said {
        if *name == header::CACHE_CONTROL {
            let field = self.cache_control.clone();
            return Said { field, expires: self.expires, is_shared: false, is_own: true };
        }
        // RFC 9213 § 2.2: the first of a cache's list of headers that is there counts, and nothing but it.
        let general = name.as_str().ends_with("cdn-cache-control").then_some(CDN_CACHE_CONTROL);
        for candidate in [name.clone()].into_iter().chain(general) {
            let field = Field::read(self.headers, &candidate);
            if !field.is_empty() || !field.is_whole() {
                return Said { field, expires: None, is_shared: true, is_own: candidate == *name };
            }
        }
        let mut field = self.cache_control.clone();
        if let Some(lifetime) = field.lifetime("s-maxage") {
            field.set_lifetime("max-age", lifetime);
            field.remove("s-maxage");
        }
        Said { field, expires: self.expires, is_shared: true, is_own: false }
    }
}

struct Merge<'d> {
    said: Said,
    ours: &'d Directives,
    mode: CacheMode,
    age: u32,
    /// The origin said who may store it.
    says_who: bool,
    /// It said that neither, nor for how long.
    is_silent: bool,
    adds: bool,
}

impl Merge<'_> {
    fn tightens(&self) -> bool {
        self.mode == CacheMode::AtMost
    }

    /// Whether the origin lets it be used without asking.
    fn may_be_fresh(&self) -> bool {
        !self.said.field.has("no-store") && !self.said.field.has_plain("no-cache")
    }

    fn lifetimes(&mut self) {
        let (max_age, s_maxage) = match shared_lifetime(self.ours) {
            // `must_understand`: the lifetime comes with the `no-store`, or not at all.
            _ if self.ours.no_store && !self.tightens() && !self.is_silent => (None, None),
            of_cdn if self.said.is_shared => (of_cdn, of_cdn),
            _ => (self.ours.max_age, self.ours.s_maxage),
        };
        let left = |said: u32| said.saturating_sub(self.age);
        let own = self.said.field.lifetime("max-age").or(self.said.expires).map(left);
        let shared = self.said.field.lifetime("s-maxage").map(left);
        let is_private = self.said.field.has("private");
        for (name, said, limit) in [("max-age", own, max_age), ("s-maxage", shared, s_maxage)] {
            let limit = limit.map(Duration::seconds);
            let is_s_maxage = name == "s-maxage";
            let lifetime = match (said, limit) {
                (Some(said), Some(limit)) if self.mode == CacheMode::AtMost && said > limit => {
                    self.adds = true;
                    Some(limit)
                }
                (Some(said), _) => Some(said),
                (None, Some(limit)) if self.may_be_fresh() => {
                    let is_said_otherwise =
                        if is_s_maxage { own.is_some() } else { self.said.is_shared && shared.is_some() };
                    let is_barred = is_s_maxage && (self.said.is_shared || is_private);
                    match self.mode {
                        _ if is_barred => None,
                        CacheMode::AtMost if is_s_maxage => own.map(|own| own.min(limit)).or(Some(limit)),
                        _ if is_said_otherwise => None,
                        _ => Some(limit),
                    }
                    .inspect(|_| self.adds = true)
                }
                (None, _) => None,
            };
            if let Some(lifetime) = lifetime {
                self.said.field.set_lifetime(name, lifetime);
                if self.ours.immutable && said.is_none() && !is_s_maxage {
                    self.said.field.add("immutable");
                }
            }
        }
    }

    fn stale(&mut self) {
        let barred = ["must-revalidate", "proxy-revalidate"];
        let may = self.may_be_fresh() && !barred.iter().any(|name| self.said.field.has(name));
        for (name, limit) in [
            ("stale-while-revalidate", self.ours.stale_while_revalidate),
            ("stale-if-error", self.ours.stale_if_error),
        ] {
            let Some(limit) = limit.map(Duration::seconds) else { continue };
            let is_written = match self.said.field.lifetime(name) {
                Some(said) => self.mode == CacheMode::AtMost && said > limit,
                None => may,
            };
            if is_written {
                self.said.field.set_lifetime(name, limit);
                self.adds = true;
            }
        }
    }

    fn flags(&mut self) {
        let (tightens, says_who, is_silent) = (self.tightens(), self.says_who, self.is_silent);
        if self.ours.no_store && (tightens || is_silent) {
            for name in
                ["max-age", "s-maxage", "stale-while-revalidate", "stale-if-error", "immutable", "public"]
            {
                if !self.ours.must_understand {
                    self.said.field.remove(name);
                }
            }
            self.add("no-store");
            if self.ours.must_understand {
                self.add("must-understand");
            }
        }
        if self.ours.private && (tightens || !says_who) {
            self.said.field.remove("public");
            self.said.field.remove("s-maxage");
            self.add("private");
        }
        if self.ours.public && !says_who {
            self.add("public");
        }
        if self.ours.no_cache && (tightens || is_silent) {
            self.add("no-cache");
        }
        for (name, set) in [
            ("must-revalidate", self.ours.must_revalidate),
            ("proxy-revalidate", self.ours.proxy_revalidate),
            ("no-transform", self.ours.no_transform),
        ] {
            if set {
                self.add(name);
            }
        }
    }

    fn seal(&mut self) {
        self.said.field.remove("public");
        self.said.field.remove("s-maxage");
        if !self.said.field.has("no-store") || self.said.field.has("must-understand") {
            self.said.field.add("private");
        }
        self.adds = true;
    }

    fn add(&mut self, name: &str) {
        if !self.said.field.has_plain(name) {
            self.said.field.add(name);
            self.adds = true;
        }
    }
}

/// What a field says, for a header that has other words for it.
fn summary(field: &Field) -> Directives {
    let length = |name| field.lifetime(name).and_then(|seconds| Duration::from_seconds(seconds.into()));
    Directives {
        private: field.has("private"),
        no_store: field.has("no-store"),
        no_cache: field.has_plain("no-cache"),
        max_age: length("max-age"),
        s_maxage: length("s-maxage"),
        stale_while_revalidate: length("stale-while-revalidate"),
        stale_if_error: length("stale-if-error"),
        ..Directives::default()
    }
}

/// Akamai's header, its lifetimes no longer than the policy's.
fn edge_at_most(mut field: Field, ours: &Directives) -> Option<HeaderValue> {
    if !field.is_whole() || ours.no_store || ours.private {
        return Some(HeaderValue::from_static("no-store"));
    }
    if field.has("no-store") || field.has("bypass-cache") {
        return None;
    }
    let limit = if ours.no_cache { 0 } else { shared_lifetime(ours)?.seconds() };
    let names = ["max-age", "cache-maxage"];
    let mut adds = !names.iter().any(|name| field.has(name));
    if adds {
        field.set("cache-maxage", format!("{limit}s"));
    }
    for name in names {
        let is_longer =
            field.has(name) && with_unit(field.argument(name).unwrap_or_default()) > u64::from(limit);
        if is_longer {
            field.set(name, format!("{limit}s"));
            adds = true;
        }
    }
    adds.then(|| field.to_value()).flatten()
}

/// nginx's header: seconds, or `@` and a point in time, which nothing here can compare.
pub(super) fn accel_at_most(said: Option<&HeaderValue>, ours: &Directives) -> Option<HeaderValue> {
    let limit =
        if ours.no_store || ours.private || ours.no_cache { 0 } else { shared_lifetime(ours)?.seconds() };
    let said = said?.to_str().unwrap_or_default().trim();
    let is_within = said == "off" || said.parse::<u32>().is_ok_and(|said| said <= limit);
    (!is_within).then(|| HeaderValue::from(limit))
}

/// `90`, `90s`, `5m`, `1h`, `7d`; longer than anything where it is none of these.
fn with_unit(text: &str) -> u64 {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match text.strip_prefix(digits).unwrap_or_default().to_ascii_lowercase().as_str() {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return u64::MAX,
    };
    digits.parse::<u64>().map_or(u64::MAX, |number| number.saturating_mul(unit))
}

/// RFC 9111 § 4.2.1: `Expires` less `Date`. What is no date is over (§ 5.3), and so is one that nothing can be taken off: there
/// is no clock here.
fn expires(headers: &HeaderMap) -> Option<u32> {
    let at = |name: HeaderName| {
        let mut lines = headers.get_all(name).into_iter();
        let first = lines.next()?.to_str().ok()?;
        if lines.next().is_some() {
            return None;
        }
        httpdate::parse_http_date(first.trim()).ok()
    };
    headers.contains_key(header::EXPIRES).then(|| {
        let length = at(header::EXPIRES).zip(at(header::DATE));
        let length = length.and_then(|(expires, date)| expires.duration_since(date).ok());
        length.map_or(0, |length| u32::try_from(length.as_secs()).unwrap_or(1 << 31).min(1 << 31))
    })
}
