//! Features that other features and experiments depend on.

use serde_json::Value;

use super::condition::{Attributes, Condition, Named, SavedGroups};
use super::fields::{Fields, Unreadable};
use super::payload::Scope;

/// How many features may wait for one another. It bounds the stack that a decision takes; a feature that waits for more is
/// treated like one that waits for itself.
pub const MAX_DEPTH: usize = 64;

/// How many features that (perhaps indirectly) wait for themselves one decision looks at. Without cycles each feature is
/// looked at once, and this doesn't count; with them, two rules each would double the work at every step.
pub const MAX_CYCLIC_EVALUATIONS: usize = 1_000;

/// A condition on another feature's value.
#[derive(Debug, Clone)]
pub(crate) struct Prerequisite {
    /// The feature's place in the payload; `None` if it isn't there, and its value `null`.
    pub(crate) feature: Option<usize>,
    condition: Option<Condition>,
    /// Whether the whole feature depends on it, not just the rule.
    pub(crate) gate: bool,
}

impl Prerequisite {
    /// Whether the feature's value is as it must be. Saved groups are not looked at here, as in the SDK.
    pub(crate) fn holds(&self, value: &Value) -> bool {
        let attributes: &dyn Attributes = &Named { name: "value", value };
        self.condition.as_ref().is_none_or(|condition| condition.eval(attributes, &SavedGroups::default()))
    }

    /// The `parentConditions` of a rule or an experiment.
    pub(crate) fn read(fields: Fields<'_>, scope: &Scope<'_>) -> Result<Box<[Self]>, Unreadable> {
        let parents = fields.list("parentConditions")?.unwrap_or_default();
        let read = |value| {
            let fields = Fields::of(value, "parentConditions")?;
            let feature = fields.any("id").and_then(Value::as_str).and_then(|id| scope.feature(id));
            Ok(Self { feature, condition: fields.condition(), gate: fields.is("gate") })
        };
        parents.iter().map(read).collect()
    }
}
