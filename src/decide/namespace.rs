//! Experiments that exclude each other: each takes a part of a namespace ("Build your own SDK", `inNamespace`).

use super::bucket::Range;
use super::hash::{Version, hash};

/// A part of a namespace.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "that is all of a namespace")]
pub struct Namespace {
    /// What the experiments that exclude each other have in common.
    pub name: String,
    /// Whose visitors see this one.
    pub range: Range,
}

impl Namespace {
    /// Whether the visitor with this id is in it.
    #[must_use]
    pub fn has(&self, id: &str) -> bool {
        self.range.has(hash(&format!("__{}", self.name), id, Version::V1))
    }
}
