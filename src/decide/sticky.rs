//! Sticky buckets: variations that visitors keep when weights change (`docs/lib/build-your-own.mdx`, "Sticky
//! Bucketing"; `packages/sdk-js/src/sticky-bucket-service.ts`).
//!
//! A document per attribute of the visitor lists the variations assigned so far. The shell reads documents from where
//! the visitor keeps them, and writes those that changed.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::condition::{Attributes, coercion};
use super::experiment::Experiment;
use super::identity::{self, Identity};

/// The variations that one attribute's value was assigned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct StickyDocument {
    /// The attribute's name.
    pub attribute_name: String,
    /// Its value, as text.
    pub attribute_value: String,
    /// Keys of variations by `<experiment>__<bucket version>`.
    pub assignments: BTreeMap<String, String>,
}

impl StickyDocument {
    /// Under what it is kept.
    #[must_use]
    pub fn key(&self) -> String {
        key(&self.attribute_name, &self.attribute_value)
    }
}

fn key(attribute: &str, value: &str) -> String {
    format!("{attribute}||{value}")
}

/// A visitor's documents.
#[derive(Debug, Clone, Default)]
pub struct StickyBuckets {
    documents: BTreeMap<String, StickyDocument>,
    changed: BTreeSet<String>,
}

impl FromIterator<StickyDocument> for StickyBuckets {
    fn from_iter<I: IntoIterator<Item = StickyDocument>>(documents: I) -> Self {
        let documents = documents.into_iter().map(|document| (document.key(), document));
        Self { documents: documents.collect(), changed: BTreeSet::new() }
    }
}

/// What is stored of an experiment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stored {
    Nothing,
    Variation(usize),
    /// A variation of a version that may not take part any more.
    Blocked,
}

impl StickyBuckets {
    /// All documents by their keys.
    #[must_use]
    pub const fn documents(&self) -> &BTreeMap<String, StickyDocument> {
        &self.documents
    }

    /// The documents that decisions changed, to be stored.
    pub fn changed(&self) -> impl Iterator<Item = &StickyDocument> {
        self.changed.iter().filter_map(|key| self.documents.get(key))
    }

    /// `getStickyBucketVariation`: the document of the hash attribute goes before that of the fallback, which without one
    /// is the document of `id`.
    pub(crate) fn stored(&self, experiment: &Experiment, attributes: &dyn Attributes) -> Stored {
        let rules = &experiment.sticky;
        let own = Identity::of(attributes, &experiment.hash_attribute, None);
        let fallback = experiment.fallback_attribute.as_deref().unwrap_or(identity::DEFAULT);
        let fallback = Identity::of(attributes, fallback, None);
        let fallback = fallback.text().and_then(|_| self.of(fallback));
        let documents = [self.of(own), fallback];
        let assignments = || documents.iter().flatten();
        let blocked = |name: &str| {
            let version = name.strip_prefix(&*experiment.key).and_then(|rest| rest.strip_prefix("__"));
            version.and_then(canonical).is_some_and(|version| version < rules.min_version)
        };
        if rules.min_version > 0.0
            && assignments().flat_map(|assigned| assigned.keys()).any(|name| blocked(name))
        {
            return Stored::Blocked;
        }
        let variation = assignments().find_map(|assigned| assigned.get(&*rules.assignment));
        let variation = variation.and_then(|key| experiment.variation_keyed(key));
        variation.map_or(Stored::Nothing, Stored::Variation)
    }

    fn of(&self, identity: Identity<'_>) -> Option<&BTreeMap<String, String>> {
        let document = self.documents.get(&key(identity.attribute, &stored_value(identity.value())))?;
        Some(&document.assignments)
    }

    /// `generateStickyBucketAssignmentDoc`: remembers an assignment, and says whether that is news.
    pub(crate) fn assign(&mut self, identity: Identity<'_>, assignment: &str, variation: &str) -> bool {
        let value = stored_value(identity.value());
        let key = key(identity.attribute, &value);
        let document = self.documents.entry(key.clone()).or_insert_with(|| StickyDocument {
            attribute_name: identity.attribute.to_owned(),
            attribute_value: value,
            assignments: BTreeMap::new(),
        });
        if document.assignments.get(assignment).map(String::as_str) == Some(variation) {
            return false;
        }
        document.assignments.insert(assignment.to_owned(), variation.to_owned());
        self.changed.insert(key);
        true
    }
}

/// A bucket version as the SDK counts them.
fn canonical(digits: &str) -> Option<f64> {
    let number: u32 = digits.parse().ok().filter(|number: &u32| number.to_string() == digits)?;
    Some(number.into())
}

/// `toString` of the SDK: text as it is, anything else as JSON.
pub(crate) fn stored_value(value: &Value) -> String {
    match value {
        Value::Array(_) | Value::Object(_) => value.to_string(),
        _ => coercion::text(value).into_owned(),
    }
}
