//! How an edited page leaves.

use serde::{Deserialize, Serialize};

/// Whether pages are edited while they pass.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Delivery {
    /// Each part leaves as soon as it is edited. A patch that can't be applied is skipped, the others stand.
    #[default]
    Stream,
    /// The page is held until its end, and leaves with all of its patches or as it came: one that was skipped, or a
    /// `required` one that missed, takes back all. Pages longer than `limits.max_whole_bytes` stay as they are.
    Whole,
}

impl Delivery {
    /// Whether it is what nobody needs to write.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// The content coding of edited pages (RFC 9110 § 8.4).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ContentCoding {
    /// None: what compresses stands in front, such as Envoy's compressor.
    #[default]
    Identity,
    /// gzip, lightly, for visitors whose `Accept-Encoding` takes it.
    Gzip,
}

impl ContentCoding {
    /// Whether it is what nobody needs to write.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}
