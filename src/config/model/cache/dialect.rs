//! `cdn_dialects`: the headers that caches in front read.

use serde::{Deserialize, Serialize};

/// A kind of cache in front.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CdnDialect {
    /// `CDN-Cache-Control` (RFC 9213), `Cache-Tag`.
    Rfc9213,
    /// `Surrogate-Control` (Edge Architecture 1.0), `Surrogate-Key`.
    SurrogateControl,
    /// `Cloudflare-CDN-Cache-Control`, `Cache-Tag`.
    Cloudflare,
    /// `Surrogate-Control` and `Surrogate-Key` as Fastly reads them.
    Fastly,
    /// `Edge-Control`, `Edge-Cache-Tag`.
    Akamai,
    /// `Netlify-CDN-Cache-Control`, `Netlify-Cache-Tag`.
    Netlify,
    /// `Vercel-CDN-Cache-Control`, `Vercel-Cache-Tag`.
    Vercel,
    /// `Cache-Control: s-maxage`; no tags.
    Cloudfront,
    /// `Cache-Control: s-maxage`, `xkey`.
    Varnish,
    /// Envoy's own cache filter: `Cache-Control: s-maxage`; no tags.
    Envoy,
}
