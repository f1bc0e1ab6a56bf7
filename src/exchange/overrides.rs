//! What a person at this machine wants to see instead of what a request says.
//!
//! The attack that this prevents: anybody choosing for others. Only a host that runs exchanges for one person hands overrides in, and
//! never takes them from what anybody else can write. As with [`force`](crate::decisions::force), no cache may keep what comes of
//! them, and nothing is reported.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::decisions::force::Forced;
use crate::request::attributes::Values;

/// What somebody chose; no cache keeps what comes of it.
#[derive(Debug, Clone, Default, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "a host says all of it")]
pub struct Overrides {
    /// Values of attributes, `id` among them, by name; those that the route does not read have no effect. Null stands for none.
    pub attributes: BTreeMap<String, Value>,
    /// Variations of experiments and values of flags.
    pub choices: Forced,
}

impl Overrides {
    /// Takes the place of what was read of the request.
    pub(super) fn apply(&self, reads: impl Fn(&str) -> bool, values: &mut Values) {
        for (name, value) in self.attributes.iter().filter(|(name, _)| reads(name)) {
            match value {
                Value::Null => values.forget(name),
                value => values.decide(name, value.clone()),
            }
        }
    }
}
