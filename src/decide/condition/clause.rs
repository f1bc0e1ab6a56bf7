//! What a condition asks of a set of attributes.

use serde_json::Value;

use super::attributes::Attributes;
use super::groups::SavedGroups;
use super::predicate::Predicate;

/// One condition object, or one member of it.
#[derive(Debug, Clone)]
pub(super) enum Clause {
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    Attribute {
        path: Box<str>,
        predicate: Predicate,
    },
    /// Not understood: false, and its negation true.
    Never,
}

impl Clause {
    /// Holds for everybody: what `{}`, `{ $and: [] }` and `{ $or: [] }` mean.
    pub(super) const ALWAYS: Self = Self::All(Vec::new());

    pub(super) fn holds(&self, attributes: &dyn Attributes, groups: &SavedGroups) -> bool {
        match self {
            Self::All(clauses) => clauses.iter().all(|clause| clause.holds(attributes, groups)),
            Self::Any(clauses) => clauses.iter().any(|clause| clause.holds(attributes, groups)),
            Self::Not(clause) => !clause.holds(attributes, groups),
            Self::Attribute { path, predicate } => {
                predicate.holds(attributes.attribute(path).unwrap_or(&Value::Null), groups)
            }
            Self::Never => false,
        }
    }
}
