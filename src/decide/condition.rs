//! Conditions over attributes, in the language of GrowthBook (specification 0.8.0, itself modelled on MongoDB
//! queries).
//!
//! Answers for: compiling a condition once, and telling for one set of attributes whether it holds. It
//! evaluates as GrowthBook's JavaScript SDK does (`packages/sdk-js/src/mongrule.ts`), coercions included, so
//! that the same payload decides the same here and in a browser: a missing attribute is `null`, which is `0`
//! where numbers are compared and the text `null` where text is; implicit equality (`{ age: 7 }`) coerces
//! where `$eq` doesn't.
//!
//! Two ways to compile, because two people write conditions:
//!
//! - [`Condition::compile`] is for those in our configuration: whatever can't mean what its author meant is
//!   an error with its place.
//! - [`Condition::compile_lenient`] is for GrowthBook payloads, which newer servers fill with operators that
//!   we may not know: the clause that we don't understand is false, the rest counts, as in the SDKs.
//!
//! Where this differs from the JavaScript SDK, knowingly:
//!
//! - Patterns are those of [`regex_lite`]: linear time over visitor-controlled text, at the price of
//!   lookaround and backreferences (such a pattern counts as invalid, and so does what only JavaScript
//!   tolerates, such as `[[]`), and of `$regexi` folding ASCII letters only.
//! - Objects compare without regard to the order of their members, which our JSON values don't keep.
//! - A path walks what the attributes contain (members, list positions), not what a JavaScript object
//!   inherits (`tags.length`, `constructor`).
//! - Text longer than [`MAX_SEARCHED_BYTES`] matches no pattern.
//! - An operand of the wrong JSON type (`{ $or: 5 }`), for which the SDK throws or answers by accident, makes
//!   the clause false.
//!
//! Evaluation can't fail. Its depth is bounded by [`MAX_DEPTH`] at compilation, its patterns by
//! [`MAX_COMPILED_PATTERN_BYTES`], and its time is linear in the size of the attribute it looks at, times the
//! condition's own size.

mod attributes;
mod clause;
pub(crate) mod coercion;
mod compile;
mod error;
mod groups;
mod operand;
mod operator;
mod predicate;
mod version;
mod vocabulary;

use serde_json::Value;

pub use attributes::Attributes;
pub(crate) use attributes::Named;
pub use error::{ConditionError, Problem};
pub use groups::SavedGroups;
pub use vocabulary::{Kind, Vocabulary};

use clause::Clause;
use compile::Compiler;

/// How deep a condition may nest, counted in JSON containers. It bounds the stack that compiling and
/// evaluating take; serde_json reads twice as deep.
pub const MAX_DEPTH: usize = 64;

/// The memory one compiled pattern may take: some thousand letters. A search takes time proportional to this
/// times the text, so [`regex_lite`]'s own limit of 10 MB would let one pattern stall a worker.
pub const MAX_COMPILED_PATTERN_BYTES: usize = 64 * 1024;

/// The longest text that a pattern is searched in; a longer one matches no pattern. Visitors decide how long
/// a header is, and with both limits met the slowest pattern that we found takes a tenth of a second.
pub const MAX_SEARCHED_BYTES: usize = 8 * 1024;

/// A compiled condition.
///
/// ```
/// use engraft::decide::condition::{Condition, Kind, SavedGroups, Vocabulary};
/// use serde_json::json;
///
/// let vocabulary = Vocabulary::from_iter([("country", Kind::Text), ("age", Kind::Number)]);
/// let condition = Condition::compile(
///     &json!({ "country": { "$in": ["US", "CA"] }, "age": { "$gte": "18" } }),
///     &vocabulary,
/// ).unwrap();
///
/// let groups = SavedGroups::default();
/// assert!(condition.eval(&json!({ "country": "US", "age": 20 }), &groups));
/// assert!(!condition.eval(&json!({ "country": "DE", "age": 20 }), &groups));
/// assert_eq!(condition.attributes().collect::<Vec<_>>(), ["age", "country"]);
///
/// let error = Condition::compile(&json!({ "contry": "US" }), &vocabulary).unwrap_err();
/// assert_eq!(error.to_string(), "at /contry: unknown attribute `contry`; did you mean `country`?");
/// ```
#[derive(Debug, Clone)]
pub struct Condition {
    clause: Clause,
    attributes: Box<[Box<str>]>,
}

impl Condition {
    /// Compiles a condition of our own configuration.
    ///
    /// The vocabulary says which attributes exist and of which kind they are. Operands are read as that kind:
    /// a `7` in a condition on a text attribute is the text `7`, a `"18"` on a number is the number, because
    /// YAML on its way through Envoy's `Struct` changes one into the other.
    ///
    /// # Errors
    ///
    /// The first clause that can't mean what its author meant: an unknown attribute or operator, an operand
    /// of another kind, a pattern that doesn't compile, an operator that never holds for the attribute's
    /// kind.
    pub fn compile(condition: &Value, vocabulary: &Vocabulary) -> Result<Self, ConditionError> {
        let mut compiler = Compiler::strict(vocabulary);
        let clause = compiler.condition(condition)?;
        Ok(Self { clause, attributes: compiler.into_attributes() })
    }

    /// Compiles a condition of a GrowthBook payload: a clause that can't be understood is false. Operands
    /// keep their JSON type, since the payload reached us as JSON.
    #[must_use]
    pub fn compile_lenient(condition: &Value) -> Self {
        let mut compiler = Compiler::lenient();
        let clause = compiler.condition(condition).unwrap_or(Clause::Never);
        Self { clause, attributes: compiler.into_attributes() }
    }

    /// Whether the condition holds for these attributes.
    #[must_use]
    pub fn eval(&self, attributes: &dyn Attributes, saved_groups: &SavedGroups) -> bool {
        self.clause.holds(attributes, saved_groups)
    }

    /// The paths of the attributes whose values can change what [`eval`](Self::eval) answers, sorted, each
    /// once; clauses that were not understood included. A cache key that covers them covers the condition.
    pub fn attributes(&self) -> impl Iterator<Item = &str> {
        self.attributes.iter().map(AsRef::as_ref)
    }
}

#[cfg(test)]
mod tests;
