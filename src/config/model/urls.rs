//! `urls`: which URLs of a page become which.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Rewrites URLs in attributes, styles and headers. One rule counts for a URL: `images`, then the longest of `prefixes`, then
/// `hosts`. Scripts, JSON and text stay as they are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Urls {
    /// New hosts, by the old ones: `old.example: new.example`. A port counts as part of the host; with `https://` in front, the
    /// new one sets the scheme as well.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub hosts: BTreeMap<String, String>,
    /// Other starts of URLs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub prefixes: Vec<UrlPrefix>,
    /// An image service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub images: Option<ImageUrls>,
    /// Only in elements of these names: `[img, link]`. Without it, in all, and in headers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<String>,
    /// Whether `Location`, `Content-Location`, `Link` and `Refresh` are rewritten as well; without `only` they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub headers: Option<bool>,
}

/// The start of URLs and what becomes of it; the rest stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct UrlPrefix {
    /// A path on the page's own site (`/static/`), or a URL with a host (`https://old.example/static/`, `//old.example/`
    /// for both schemes). Relative URLs are resolved before they are compared.
    pub from: String,
    /// A path or a URL with a host; it ends in a slash if `from` does.
    pub to: String,
}

/// Where images are fetched from instead: `img`, `srcset`, `poster`, icons, preloads of images.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ImageUrls {
    /// The new URL, with `{path}` (without its first slash), `{host}` or `{url}` (the whole, encoded) in it:
    /// `https://img.example/fit/{path}`.
    pub to: String,
    /// Which images, as `from` in `prefixes`; without it, those of the page's own site.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub from: Vec<String>,
    /// Only files that end so: `[jpg, png]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extensions: Vec<String>,
    /// What the page's own site is called, for `{host}` and `{url}`: `https://shop.example`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// Query parameters that are added.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, String>,
}
