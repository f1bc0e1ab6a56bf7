//! What a condition asks of one value.

use std::cmp::Ordering;

use regex_lite::Regex;
use serde_json::Value;

use super::MAX_SEARCHED_BYTES;
use super::clause::Clause;
use super::coercion::{self, Primitive};
use super::groups::{Members, SavedGroups};
use super::version::Version;

/// A test of one attribute's value, or of an element of a list.
#[derive(Debug, Clone)]
pub(super) enum Predicate {
    All(Vec<Self>),
    Not(Box<Self>),
    /// Implicit equality with text: the value, as text, is this.
    Text(Box<str>),
    /// The same without regard to case, for the operands of `$alli`; held in lower case.
    FoldedText(Box<str>),
    /// Implicit equality with a number: the value, as a number, is this.
    Number(f64),
    /// Implicit equality with a boolean: the value isn't null, and is as truthy.
    Truthy(bool),
    Null,
    /// Implicit equality with a list or an object: the JSON is the same.
    Json(Value),
    /// `$eq`: same type, same value. Only scalars: JavaScript compares lists and objects by identity.
    Is(Value),
    Order(Comparison, Primitive<'static>),
    Version(Comparison, Version),
    Exists(bool),
    Type(Type),
    In(Members),
    InGroup(Box<str>),
    Size(Box<Self>),
    /// `$elemMatch` with operators.
    Element(Box<Self>),
    /// `$elemMatch` with a condition over the element's members.
    ElementWhere(Box<Clause>),
    /// `$all`: each of these holds for some element.
    Each(Vec<Self>),
    Matches(Regex),
    /// Not understood: false, and its negation true.
    Never,
}

impl Predicate {
    pub(super) fn holds(&self, value: &Value, groups: &SavedGroups) -> bool {
        match self {
            Self::All(predicates) => predicates.iter().all(|predicate| predicate.holds(value, groups)),
            Self::Not(predicate) => !predicate.holds(value, groups),
            Self::Text(expected) => coercion::text(value) == **expected,
            Self::FoldedText(expected) => coercion::lower(&coercion::text(value)) == **expected,
            Self::Number(expected) => coercion::number(value) == *expected,
            Self::Truthy(expected) => !value.is_null() && coercion::truthy(value) == *expected,
            Self::Null => value.is_null(),
            Self::Json(expected) => coercion::same_json(value, expected),
            Self::Is(expected) => coercion::identical(value, expected),
            Self::Order(comparison, expected) => {
                coercion::primitive(value).compare(expected).is_some_and(|order| comparison.accepts(order))
            }
            Self::Version(comparison, expected) => comparison.accepts(Version::of(value).cmp(expected)),
            Self::Exists(expected) => value.is_null() != *expected,
            Self::Type(expected) => expected.names(value),
            Self::In(members) => members.intersect(value),
            Self::InGroup(id) => groups.contains(id, value),
            Self::Size(predicate) => {
                value.as_array().is_some_and(|items| predicate.holds(&Value::from(items.len()), groups))
            }
            Self::Element(predicate) => elements(value).any(|element| predicate.holds(element, groups)),
            Self::ElementWhere(clause) => elements(value).any(|element| clause.holds(element, groups)),
            Self::Each(predicates) => value.as_array().is_some_and(|items| {
                predicates.iter().all(|predicate| items.iter().any(|item| predicate.holds(item, groups)))
            }),
            Self::Matches(pattern) => {
                let text = coercion::text(value);
                text.len() <= MAX_SEARCHED_BYTES && pattern.is_match(&text)
            }
            Self::Never => false,
        }
    }

    pub(super) fn negated(self) -> Self {
        Self::Not(Box::new(self))
    }
}

/// What `$elemMatch` looks at: the SDK skips elements that are falsy (`null`, `0`, `""`, `false`).
fn elements(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten().filter(|element| coercion::truthy(element))
}

/// Which outcomes of a comparison hold.
#[derive(Debug, Clone, Copy)]
pub(super) enum Comparison {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    const fn accepts(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }
}

/// The types that `$type` knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Null,
    Boolean,
    Number,
    String,
    Array,
    Object,
}

impl Type {
    pub(super) const NAMES: [(&'static str, Self); 6] = [
        ("null", Self::Null),
        ("boolean", Self::Boolean),
        ("number", Self::Number),
        ("string", Self::String),
        ("array", Self::Array),
        ("object", Self::Object),
    ];

    fn names(self, value: &Value) -> bool {
        self == match value {
            Value::Null => Self::Null,
            Value::Bool(_) => Self::Boolean,
            Value::Number(_) => Self::Number,
            Value::String(_) => Self::String,
            Value::Array(_) => Self::Array,
            Value::Object(_) => Self::Object,
        }
    }
}
