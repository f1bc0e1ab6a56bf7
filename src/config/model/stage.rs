//! `stage`: on which side of a cache the filter stands.

use serde::{Deserialize, Serialize};

/// Where the filter stands. A cache wants a page before it is personal and a visitor wants it after, so with a cache in
/// Envoy's own chain there is a filter on each side of it, both with the same document but for this field.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "each is another way to run an exchange")]
pub enum Stage {
    /// There is no cache in the chain.
    #[default]
    Both,
    /// Between visitors and the cache: an HTTP filter of the listener, before the cache filter.
    Client,
    /// Between the cache and the origin: an upstream HTTP filter of the cluster.
    Origin,
}

impl Stage {
    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}
