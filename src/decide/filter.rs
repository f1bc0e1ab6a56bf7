//! Filters: who is looked at at all, by a hash of its own (`docs/lib/build-your-own.mdx`, "filters"). They took the
//! place of namespaces.

use super::bucket::Range;
use super::condition::Attributes;
use super::hash::HashVersion;
use super::identity::Identity;

/// One filter of a rule or an experiment.
#[derive(Debug, Clone)]
pub(crate) struct Filter {
    pub(crate) seed: Box<str>,
    pub(crate) ranges: Box<[Range]>,
    pub(crate) attribute: Box<str>,
    /// `None` for a version that we don't know: nobody passes.
    pub(crate) hash_version: Option<HashVersion>,
}

impl Filter {
    /// Whether a visitor passes. One without the attribute does not.
    fn passes(&self, attributes: &dyn Attributes) -> bool {
        let Some(version) = self.hash_version else { return false };
        let Some(value) = Identity::of(attributes, &self.attribute, None).text() else { return false };
        let hash = version.hash(&self.seed, &value);
        self.ranges.iter().any(|range| range.contains(hash))
    }
}

/// Whether a visitor passes all of them.
pub(crate) fn pass(filters: &[Filter], attributes: &dyn Attributes) -> bool {
    filters.iter().all(|filter| filter.passes(attributes))
}
