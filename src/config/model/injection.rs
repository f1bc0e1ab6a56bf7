//! What is put into the head or body of a page: `title`, `meta`, `script`, `style`, `link`.

use serde::{Deserialize, Serialize};

/// A `meta` element: named in one of four ways, and with what it says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct MetaElement {
    /// `name`: `description`, `robots`, …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `property`: `og:title`, …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub property: Option<String>,
    /// `http-equiv`: `refresh`, …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_equiv: Option<String>,
    /// The encoding of the page. It has no `content`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub charset: Option<String>,
    /// What it says. May have `{{ attribute }}` in it, except beside `http_equiv`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
}

/// A `script` element: by `src`, or `inline` with what it does.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct ScriptElement {
    /// Where it is fetched from: a whole `http` or `https` URL, or a path that starts with `/`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub src: Option<String>,
    /// The script itself, a constant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inline: Option<String>,
    /// Values for the script, as JSON in a `script` element of its own before it, which does not run. Its id is
    /// `engraft-data-` and the patch's name, or its number. Texts may have `{{ attribute }}` in them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<serde_json::Value>,
    /// `module`, or a MIME type.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub script_type: Option<String>,
    /// Runs as soon as it is there.
    #[serde(rename = "async")]
    pub is_async: bool,
    /// Runs after the page has been read.
    pub defer: bool,
    /// Hashes that what is fetched must have, as Subresource Integrity writes them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub integrity: Option<String>,
    /// Whether cookies are sent to other hosts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crossorigin: Option<CrossOrigin>,
    /// Where in the page.
    pub at: Place,
}

/// A `style` element.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct StyleElement {
    /// The style sheet, a constant.
    pub inline: String,
    /// `media`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media: Option<String>,
    /// Where in the page.
    #[serde(default)]
    pub at: Place,
}

/// A `link` element.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct LinkElement {
    /// `rel`: `preload`, `stylesheet`, `canonical`, …
    pub rel: String,
    /// `href`: a whole `http` or `https` URL, or a path that starts with `/`.
    pub href: String,
    /// `as`: what is preloaded.
    #[serde(rename = "as", skip_serializing_if = "Option::is_none")]
    pub destination: Option<String>,
    /// `type`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<String>,
    /// `media`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media: Option<String>,
    /// `sizes`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sizes: Option<String>,
    /// `hreflang`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hreflang: Option<String>,
    /// Hashes that what is fetched must have, as Subresource Integrity writes them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub integrity: Option<String>,
    /// Whether cookies are sent to other hosts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crossorigin: Option<CrossOrigin>,
    /// `fetchpriority`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fetchpriority: Option<FetchPriority>,
    /// Where in the page.
    #[serde(default)]
    pub at: Place,
}

/// A place that every page has, with or without tags for it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "the compiler of patches handles each")]
pub enum Place {
    /// Before all else in the head.
    HeadStart,
    /// Behind all else in the head.
    #[default]
    HeadEnd,
    /// Before all else in the body.
    BodyStart,
    /// Behind all else in the body.
    BodyEnd,
}

/// `crossorigin`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[expect(clippy::exhaustive_enums, reason = "the standard has these two")]
pub enum CrossOrigin {
    /// Without cookies.
    Anonymous,
    /// With cookies.
    UseCredentials,
}

/// `fetchpriority`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "the standard has these three")]
pub enum FetchPriority {
    /// Before others of its kind.
    High,
    /// After others of its kind.
    Low,
    /// As the browser thinks.
    Auto,
}
