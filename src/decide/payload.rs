//! Payloads: what `GET /api/features/{clientKey}` of GrowthBook answers, compiled once and then only read.
//!
//! Reading is tolerant where the SDKs are: members that we don't know are passed over, and a rule or an experiment that
//! can't be read is off, with the rest in force. What is no payload at all is an error, so that whoever has a good one can
//! keep it.

mod builder;
mod error;
mod order;
mod reading;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::{Map, Value};

pub use error::PayloadError;
pub use reading::{Reading, Step};

use super::condition::SavedGroups;
use super::condition::coercion::truthy;
use super::decrypt::{DecryptError, DecryptionKey};
use super::experiment::Experiment;
use super::feature::Feature;
use super::fields::{Fields, Unreadable};
use builder::Builder;

/// The longest payload that is read. Compiled it takes several times as much.
pub const MAX_PAYLOAD_BYTES: usize = 16 * 1024 * 1024;

/// How many rules and experiments that can't be read are told apart; the rest is counted.
pub const MAX_SWITCHED_OFF: usize = 100;

/// Members that may be encrypted, and what they are then called.
const ENCRYPTED: [(&str, &str); 4] = [
    ("encryptedFeatures", "features"),
    ("encryptedExperiments", "experiments"),
    ("encryptedSavedGroups", "savedGroups"),
    ("encryptedContextualBandits", "contextualBandits"),
];

/// A compiled payload.
#[derive(Debug, Clone, Default)]
pub struct Payload {
    pub(super) features: Box<[Feature]>,
    index: BTreeMap<Box<str>, usize>,
    experiments: Box<[Experiment]>,
    groups: SavedGroups,
    switched_off: Vec<SwitchedOff>,
    switched_off_count: usize,
}

/// A rule or an experiment that can't be read, and is off.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SwitchedOff {
    /// Where it stands, as a JSON pointer.
    pub at: String,
    /// Why.
    pub why: Unreadable,
}

impl fmt::Display for SwitchedOff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is off: {}", self.at, self.why)
    }
}

/// What rules refer to by name.
pub(crate) struct Scope<'a> {
    index: &'a BTreeMap<Box<str>, usize>,
    bandits: Option<&'a Map<String, Value>>,
}

impl<'a> Scope<'a> {
    pub(crate) fn feature(&self, key: &str) -> Option<usize> {
        self.index.get(key).copied()
    }

    pub(crate) fn bandit(&self, name: &str) -> Option<Fields<'a>> {
        Fields::of(self.bandits?.get(name)?, "contextualBandits").ok()
    }
}

impl Payload {
    /// Reads a payload as it came over the network, all at once; [`Reading`] does the same in pieces.
    ///
    /// # Errors
    /// If it is too long, no JSON, no payload, or encrypted with no key or another one.
    pub fn read(bytes: &[u8], key: Option<&DecryptionKey>) -> Result<Self, PayloadError> {
        Reading::new(bytes.to_vec(), key.cloned()).finish()
    }

    /// Reads a payload, members of which may be encrypted.
    ///
    /// # Errors
    /// If it is no payload, or encrypted with no key or another one.
    pub fn decrypt(mut payload: Value, key: Option<&DecryptionKey>) -> Result<Self, PayloadError> {
        if let Some(members) = payload.as_object_mut() {
            for (encrypted, plain) in ENCRYPTED {
                let Some(Value::String(text)) = members.remove(encrypted) else { continue };
                if text.is_empty() {
                    continue;
                }
                let failed = |why| PayloadError::Encrypted { member: encrypted, why };
                let key = key.ok_or(PayloadError::NoKey { member: encrypted })?;
                let json = key.decrypt(&text).map_err(failed)?;
                let value = serde_json::from_str(&json);
                // What a wrong key makes of it is no JSON, so blame the key.
                members.insert(plain.to_owned(), value.map_err(|_| failed(DecryptError::WrongKey))?);
            }
        }
        Self::compile(&payload)
    }

    /// Compiles a payload that is not encrypted.
    ///
    /// # Errors
    /// If it is no payload.
    pub fn compile(payload: &Value) -> Result<Self, PayloadError> {
        let unexpected = |member, expected| PayloadError::Unexpected { member, expected };
        let fields = Fields::of(payload, "payload").map_err(|_| unexpected("", "an object"))?;
        let object = |member| match fields.truthy(member) {
            None => Ok(None),
            Some(value) => value.as_object().map(Some).ok_or_else(|| unexpected(member, "an object")),
        };
        let listed = object("features")?;
        let experiments = fields.list("experiments").map_err(|_| unexpected("experiments", "a list"))?;
        let groups = object("savedGroups")?;
        let bandits = object("contextualBandits")?;

        // A feature that is null is none; anything else that isn't an object has neither rules nor a value.
        let mut listed: Vec<_> =
            listed.into_iter().flatten().filter(|(_, feature)| truthy(feature)).collect();
        listed.sort_by_key(|(key, _)| key.as_str());
        let mut builder = Builder::new(listed.iter().map(|(key, _)| key.as_str()), bandits.cloned());
        for (id, members) in groups.into_iter().flatten() {
            builder.group(id, members);
        }
        for (key, feature) in listed {
            builder.feature(key, feature);
        }
        for experiment in experiments.unwrap_or_default() {
            builder.experiment(experiment);
        }
        Ok(builder.finish())
    }

    /// The features, by key.
    #[must_use]
    pub const fn features(&self) -> &[Feature] {
        &self.features
    }

    /// Whether there is a feature of that key.
    #[must_use]
    pub fn has_feature(&self, key: &str) -> bool {
        self.index.contains_key(key)
    }

    /// The auto experiments, in their order.
    #[must_use]
    pub const fn experiments(&self) -> &[Experiment] {
        &self.experiments
    }

    /// The saved groups.
    #[must_use]
    pub const fn saved_groups(&self) -> &SavedGroups {
        &self.groups
    }

    /// The first rules and experiments that can't be read, and how many there are.
    #[must_use]
    pub fn switched_off(&self) -> (&[SwitchedOff], usize) {
        (&self.switched_off, self.switched_off_count)
    }

    /// The attributes for which there may be documents of sticky buckets, each once.
    #[must_use]
    pub fn sticky_attributes(&self) -> BTreeSet<&str> {
        let features = self.features.iter().flat_map(Feature::hash_attributes);
        features.chain(self.experiments.iter().flat_map(Experiment::hash_attributes)).collect()
    }

    pub(super) fn feature_index(&self, key: &str) -> Option<usize> {
        self.index.get(key).copied()
    }

    pub(super) const fn scope(&self) -> Scope<'_> {
        Scope { index: &self.index, bandits: None }
    }
}

#[cfg(test)]
mod tests;
