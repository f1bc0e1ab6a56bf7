//! Who is in a namespace: experiments with disjoint parts of one exclude each other (`docs/lib/build-your-own.mdx`,
//! "inNamespace").

use super::bucket::Range;
use super::hash::HashVersion;

/// A part of a namespace.
#[derive(Debug, Clone)]
pub struct Namespace {
    seed: Box<str>,
    range: Range,
}

impl Namespace {
    /// The part `range` of the namespace `id`.
    #[must_use]
    pub fn new(id: &str, range: Range) -> Self {
        Self { seed: format!("__{id}").into(), range }
    }

    /// Whether the visitor of that id is in this part.
    ///
    /// ```
    /// use engraft::decide::bucket::Range;
    /// use engraft::decide::namespace::Namespace;
    ///
    /// let [first, second] = [(0.0, 0.4), (0.4, 1.0)]
    ///     .map(|(start, end)| Namespace::new("namespace1", Range { start, end }));
    /// assert!(!first.includes("1") && second.includes("1"));
    /// ```
    #[must_use]
    pub fn includes(&self, value: &str) -> bool {
        self.range.contains(HashVersion::V1.hash(&self.seed, value))
    }
}
