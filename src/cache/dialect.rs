//! How caches in front are spoken to: the headers of each dialect, and what is written into them.
//!
//! Where each is documented stands in `docs/caching.md`.

use http::{HeaderName, HeaderValue};

use crate::config::model::{CdnDialect, Directives, Duration};

/// `CDN-Cache-Control` (RFC 9213).
pub const CDN_CACHE_CONTROL: HeaderName = HeaderName::from_static("cdn-cache-control");
pub(super) const SURROGATE_CONTROL: HeaderName = HeaderName::from_static("surrogate-control");
pub(super) const EDGE_CONTROL: HeaderName = HeaderName::from_static("edge-control");

/// Headers that speak to shared caches past `Cache-Control`, besides those that end in `cdn-cache-control`: Edge Architecture,
/// Akamai, nginx, LiteSpeed.
const FOR_SHARED_CACHES: [&str; 4] =
    ["surrogate-control", "edge-control", "x-accel-expires", "x-litespeed-cache-control"];

/// Whether a response header speaks to shared caches past `Cache-Control`.
pub(super) fn is_for_shared_caches(name: &HeaderName) -> bool {
    name.as_str().ends_with("cdn-cache-control") || FOR_SHARED_CACHES.contains(&name.as_str())
}

/// The grammar of a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Syntax {
    /// That of `Cache-Control`.
    CacheControl,
    /// Edge Architecture 1.0: it knows `max-age` and `no-store`; Fastly reads the `stale-…` directives as well, and ignores
    /// `no-cache`.
    Surrogate,
    /// Akamai's: lifetimes with a unit, `!` takes a directive back.
    Edge,
}

impl Syntax {
    pub(super) fn of(name: &HeaderName) -> Self {
        match name {
            name if *name == SURROGATE_CONTROL => Self::Surrogate,
            name if *name == EDGE_CONTROL => Self::Edge,
            _ => Self::CacheControl,
        }
    }

    /// The value that says this; `None` where there is nothing to say or no word for it. `cancels` takes back what other
    /// configuration of that cache says.
    pub(super) fn value(self, directives: &Directives, cancels: bool) -> Option<HeaderValue> {
        let text = match self {
            Self::CacheControl => cache_control(directives),
            Self::Surrogate => surrogate(directives),
            Self::Edge => edge(directives, cancels),
        };
        HeaderValue::try_from(text).ok().filter(|value| !value.is_empty())
    }
}

/// The header that a dialect has for caches in front alone; `None` where it reads `Cache-Control`, as the browser does.
pub(super) const fn own_header(dialect: CdnDialect) -> Option<HeaderName> {
    Some(match dialect {
        CdnDialect::Rfc9213 => CDN_CACHE_CONTROL,
        CdnDialect::SurrogateControl | CdnDialect::Fastly => SURROGATE_CONTROL,
        CdnDialect::Cloudflare => HeaderName::from_static("cloudflare-cdn-cache-control"),
        CdnDialect::Akamai => EDGE_CONTROL,
        CdnDialect::Netlify => HeaderName::from_static("netlify-cdn-cache-control"),
        CdnDialect::Vercel => HeaderName::from_static("vercel-cdn-cache-control"),
        CdnDialect::Cloudfront | CdnDialect::Varnish | CdnDialect::Envoy => return None,
    })
}

/// How long shared caches keep it fresh (RFC 9111 § 5.2.2.10).
pub(super) fn shared_lifetime(directives: &Directives) -> Option<Duration> {
    directives.s_maxage.or(directives.max_age)
}

fn cache_control(directives: &Directives) -> String {
    let flags = [
        ("public", directives.public),
        ("private", directives.private),
        ("no-cache", directives.no_cache),
        ("no-store", directives.no_store),
        ("must-revalidate", directives.must_revalidate),
        ("proxy-revalidate", directives.proxy_revalidate),
        ("immutable", directives.immutable),
        ("no-transform", directives.no_transform),
        ("must-understand", directives.must_understand),
    ];
    let lifetimes = [("max-age", directives.max_age), ("s-maxage", directives.s_maxage)];
    let flags = flags.iter().filter(|(_, set)| *set).map(|(name, _)| (*name).to_owned());
    let all: Vec<String> = flags.chain(seconds(&lifetimes)).chain(stale(directives)).collect();
    all.join(", ")
}

fn seconds(lifetimes: &[(&str, Option<Duration>)]) -> impl Iterator<Item = String> {
    lifetimes.iter().filter_map(|(name, length)| Some(format!("{name}={}", length.as_ref()?.seconds())))
}

fn stale(directives: &Directives) -> impl Iterator<Item = String> + use<> {
    let while_asking = directives.stale_while_revalidate.map(|it| ("stale-while-revalidate", it));
    let if_error = directives.stale_if_error.map(|it| ("stale-if-error", it));
    while_asking.into_iter().chain(if_error).map(|(name, length)| format!("{name}={}", length.seconds()))
}

/// There is no `private`; what no cache in front may keep is not stored.
fn surrogate(directives: &Directives) -> String {
    if directives.private || directives.no_store {
        return "no-store".into();
    }
    if directives.no_cache {
        return "max-age=0".into();
    }
    let lifetime = seconds(&[("max-age", shared_lifetime(directives))]).collect::<Vec<_>>();
    lifetime.into_iter().chain(stale(directives)).collect::<Vec<_>>().join(", ")
}

fn edge(directives: &Directives, cancels: bool) -> String {
    if directives.private || directives.no_store {
        return "no-store".into();
    }
    let lifetime =
        if directives.no_cache { Some(0) } else { shared_lifetime(directives).map(Duration::seconds) };
    let cancelled = if cancels { "!no-store, " } else { "" };
    lifetime.map(|seconds| format!("{cancelled}cache-maxage={seconds}s")).unwrap_or_default()
}

/// One `Cache-Control` for the browser and for caches in front that read nothing else: `max-age` for the one, `s-maxage` for the
/// others, and the reasons why both can't be said in it.
pub(super) fn both(browser: &Directives, cdn: &Directives) -> (Directives, Vec<String>) {
    let mut said = browser.clone();
    let mut reasons = Vec::new();
    let mut refuse = |reason: &str| reasons.push(reason.to_owned());
    if cdn.private || cdn.no_store {
        // There is no word that keeps caches in front from storing, and not the browser, but this one.
        said.private = !said.no_store || said.must_understand;
        said.public = false;
        said.s_maxage = None;
        return (said, reasons);
    }
    if browser.no_store {
        refuse("`browser: no_store` goes for the caches in front as well");
    }
    if browser.private {
        refuse("`private`, said to the browser, goes for the caches in front as well");
    }
    if browser.no_cache && !cdn.no_cache {
        refuse(
            "`no_cache`, said to the browser, goes for the caches in front as well; `browser: { max_age: 0s }` is for the browser alone",
        );
    }
    if browser.must_revalidate && (cdn.stale_while_revalidate.is_some() || cdn.stale_if_error.is_some()) {
        refuse("`must_revalidate`, said to the browser, forbids the caches in front to use it stale");
    }
    let lifetime = shared_lifetime(cdn);
    if browser.s_maxage.is_some() && browser.s_maxage != lifetime {
        refuse(
            "`s_maxage`, said to the browser, is for the caches in front, and `cdn` says another lifetime",
        );
    }
    for (name, of_browser, of_cdn) in [
        ("stale_while_revalidate", browser.stale_while_revalidate, cdn.stale_while_revalidate),
        ("stale_if_error", browser.stale_if_error, cdn.stale_if_error),
    ] {
        if of_browser != of_cdn {
            refuse(&format!(
                "`{name}` is one directive for the browser and the caches in front; write the same for both"
            ));
        }
    }
    said.public |= cdn.public;
    said.no_transform |= cdn.no_transform;
    said.proxy_revalidate |= cdn.must_revalidate || cdn.proxy_revalidate;
    if cdn.no_cache && !browser.no_cache {
        said.s_maxage = Duration::from_seconds(0);
        said.proxy_revalidate = true;
    } else {
        said.s_maxage = lifetime;
    }
    (said, reasons)
}
