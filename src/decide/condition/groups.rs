//! Membership: the lists of `$in` and the saved groups of `$inGroup`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::coercion;

/// GrowthBook's saved groups: lists of values under an id, sent beside the features that refer to them.
///
/// They arrive with a payload and change with it, so a condition names a group and finds it when it is
/// evaluated. An id that isn't there is an empty group.
#[derive(Debug, Clone, Default)]
pub struct SavedGroups(BTreeMap<Box<str>, Members>);

impl SavedGroups {
    /// Reads the `savedGroups` of a payload. A group that isn't a list is left out.
    #[must_use]
    pub fn new(groups: &Map<String, Value>) -> Self {
        let mut listed = Self::default();
        for (id, members) in groups {
            listed.insert(id, members);
        }
        listed
    }

    /// Adds a group of a payload. One that isn't a list is left out.
    pub(crate) fn insert(&mut self, id: &str, members: &Value) {
        if let Some(members) = members.as_array() {
            self.0.insert(id.into(), Members::of(members));
        }
    }

    pub(super) fn contains(&self, id: &str, value: &Value) -> bool {
        self.0.get(id).is_some_and(|members| members.intersect(value))
    }
}

/// A set of scalars, compared by type and value. Sorted, because groups of thousands of ids are common and
/// because a hash map would want randomness, which the core doesn't have.
#[derive(Debug, Clone, Default)]
pub(super) struct Members {
    texts: BTreeSet<Box<str>>,
    numbers: BTreeSet<u64>,
    booleans: BTreeSet<bool>,
    null: bool,
    folded: bool,
}

impl Members {
    pub(super) fn of<'a>(values: impl IntoIterator<Item = &'a Value>) -> Self {
        let mut members = Self::default();
        members.extend(values);
        members
    }

    /// Members whose text is compared without regard to case, for `$ini` and `$nini`.
    pub(super) fn folded<'a>(values: impl IntoIterator<Item = &'a Value>) -> Self {
        let mut members = Self { folded: true, ..Self::default() };
        members.extend(values);
        members
    }

    fn extend<'a>(&mut self, values: impl IntoIterator<Item = &'a Value>) {
        for value in values {
            match value {
                Value::Null => self.null = true,
                Value::Bool(value) => _ = self.booleans.insert(*value),
                Value::Number(number) => _ = self.numbers.insert(bits(coercion::float(number))),
                Value::String(text) if self.folded => {
                    _ = self.texts.insert(coercion::lower(text).as_ref().into())
                }
                Value::String(text) => _ = self.texts.insert(text.as_str().into()),
                // Compared by identity in JavaScript, so no attribute is ever equal to it.
                Value::Array(_) | Value::Object(_) => {}
            }
        }
    }

    /// Whether the value, or for a list one of its elements, is a member.
    pub(super) fn intersect(&self, value: &Value) -> bool {
        match value {
            Value::Array(items) => items.iter().any(|item| self.contains(item)),
            _ => self.contains(value),
        }
    }

    fn contains(&self, value: &Value) -> bool {
        match value {
            Value::Null => self.null,
            Value::Bool(value) => self.booleans.contains(value),
            Value::Number(number) => self.numbers.contains(&bits(coercion::float(number))),
            Value::String(text) if self.folded => self.texts.contains(coercion::lower(text).as_ref()),
            Value::String(text) => self.texts.contains(text.as_str()),
            Value::Array(_) | Value::Object(_) => false,
        }
    }
}

/// Zero and minus zero are the same member.
fn bits(number: f64) -> u64 {
    if number == 0.0 { 0 } else { number.to_bits() }
}
