//! What is wrong with a condition, for whoever wrote the configuration.

use std::fmt;

/// A condition that can't be compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConditionError {
    /// Where, as a JSON pointer (RFC 6901) from the condition's root; empty for the root itself.
    pub at: String,
    /// What.
    pub problem: Problem,
}

/// What can be wrong with a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// No such operator.
    UnknownOperator {
        /// As written.
        name: String,
        /// The operator that was probably meant.
        nearest: Option<&'static str>,
    },
    /// No such attribute.
    UnknownAttribute {
        /// As written.
        path: String,
        /// The attribute that was probably meant.
        nearest: Option<String>,
    },
    /// An operand, or the attribute an operator stands under, is of another kind.
    Unexpected {
        /// What would have been right.
        expected: &'static str,
        /// What is there, quoted.
        got: String,
    },
    /// A pattern that doesn't compile.
    Pattern {
        /// As written.
        pattern: String,
        /// What the pattern compiler says.
        reason: String,
    },
    /// Nested deeper than [`MAX_DEPTH`](super::MAX_DEPTH).
    TooDeep,
}

impl std::error::Error for ConditionError {}

impl fmt::Display for ConditionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.at.is_empty() {
            write!(f, "at {}: ", self.at)?;
        }
        self.problem.fmt(f)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownOperator { name, nearest } => {
                write!(f, "unknown operator `{name}`")?;
                suggestion(f, *nearest)
            }
            Self::UnknownAttribute { path, nearest } => {
                write!(f, "unknown attribute `{path}`")?;
                suggestion(f, nearest.as_deref())
            }
            Self::Unexpected { expected, got } => write!(f, "expected {expected}, got {got}"),
            Self::Pattern { pattern, reason } => write!(f, "pattern `{pattern}` does not compile: {reason}"),
            Self::TooDeep => write!(f, "nested deeper than {}", super::MAX_DEPTH),
        }
    }
}

fn suggestion(f: &mut fmt::Formatter<'_>, nearest: Option<&str>) -> fmt::Result {
    match nearest {
        Some(name) => write!(f, "; did you mean `{name}`?"),
        None => Ok(()),
    }
}
