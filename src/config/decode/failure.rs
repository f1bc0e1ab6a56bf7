//! One failed reading: what serde said, kept as it was said, and the way to the value it was said about.
//!
//! Answers for turning serde's vocabulary into that of the documents. It refuses to pass on the names of Rust types, which
//! mean nothing to an operator.

use std::fmt;

use serde::de::{Error, Expected, Unexpected};

use super::super::node::quote;
use super::super::problem::Kind;

/// Why a reading failed, and where: every list and map that it passes on its way up adds the position.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) fault: Box<Fault>,
    /// Positions of elements and entries, the innermost first.
    pub(super) trail: Vec<usize>,
    /// It is the key of the innermost entry, not its value.
    pub(super) at_key: bool,
}

#[derive(Debug)]
pub(super) enum Fault {
    UnknownField {
        name: String,
        accepted: &'static [&'static str],
    },
    MissingField(&'static str),
    DuplicateField(&'static str),
    UnknownVariant {
        name: String,
        accepted: &'static [&'static str],
    },
    /// `found: None` stands for the value itself.
    Mismatch {
        kind: Kind,
        found: Option<String>,
        expected: String,
        advice: Option<String>,
    },
    Custom(String),
}

impl Failure {
    pub(super) fn new(fault: Fault) -> Self {
        Self { fault: Box::new(fault), trail: Vec::new(), at_key: false }
    }

    /// The value is not of the type that was asked for.
    pub(super) fn expected(expected: impl Into<String>) -> Self {
        Self::new(Fault::Mismatch {
            kind: Kind::WrongType,
            found: None,
            expected: expected.into(),
            advice: None,
        })
    }

    /// The same, with what to do about it.
    pub(super) fn advised(expected: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::new(Fault::Mismatch {
            kind: Kind::WrongType,
            found: None,
            expected: expected.into(),
            advice: Some(advice.into()),
        })
    }

    /// On its way up through a list or map.
    pub(super) fn within(mut self, position: usize) -> Self {
        self.trail.push(position);
        self
    }

    /// On its way up from the key of an entry.
    pub(super) fn within_key(mut self, position: usize) -> Self {
        self.at_key = true;
        self.within(position)
    }
}

impl Error for Failure {
    fn custom<T: fmt::Display>(message: T) -> Self {
        let message = message.to_string();
        if let Some(name) = message.strip_prefix("unknown field `").and_then(|rest| rest.strip_suffix('`')) {
            // What `flatten` leaves over comes as a sentence.
            return Self::new(Fault::UnknownField { name: name.to_owned(), accepted: &[] });
        }
        if message.starts_with("data did not match any variant") {
            return Self::new(Fault::Custom("this has none of the accepted forms".to_owned()));
        }
        Self::new(Fault::Custom(message))
    }

    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(Fault::Mismatch {
            kind: Kind::WrongType,
            found: found(&unexpected),
            expected: in_words(&expected.to_string()),
            advice: None,
        })
    }

    fn invalid_value(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(Fault::Mismatch {
            kind: Kind::InvalidValue,
            found: found(&unexpected),
            expected: in_words(&expected.to_string()),
            advice: None,
        })
    }

    fn invalid_length(length: usize, expected: &dyn Expected) -> Self {
        let elements = if length == 1 { "element" } else { "elements" };
        Self::new(Fault::Mismatch {
            kind: Kind::InvalidValue,
            found: Some(format!("{length} {elements}")),
            expected: in_words(&expected.to_string()),
            advice: None,
        })
    }

    fn unknown_variant(variant: &str, accepted: &'static [&'static str]) -> Self {
        Self::new(Fault::UnknownVariant { name: variant.to_owned(), accepted })
    }

    fn unknown_field(field: &str, accepted: &'static [&'static str]) -> Self {
        Self::new(Fault::UnknownField { name: field.to_owned(), accepted })
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(Fault::MissingField(field))
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::new(Fault::DuplicateField(field))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.fault {
            Fault::UnknownField { name, .. } => write!(f, "unknown field {}", quote(name)),
            Fault::MissingField(name) => write!(f, "missing field {}", quote(name)),
            Fault::DuplicateField(name) => write!(f, "field {} is given twice", quote(name)),
            Fault::UnknownVariant { name, .. } => write!(f, "unknown value {}", quote(name)),
            Fault::Mismatch { expected, .. } => write!(f, "expected {expected}"),
            Fault::Custom(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for Failure {}

/// What a type says it was given; `None` leaves it to the value, which knows better how it was written.
fn found(unexpected: &Unexpected<'_>) -> Option<String> {
    Some(match unexpected {
        Unexpected::Other(other) => (*other).to_owned(),
        Unexpected::Bytes(_) => "bytes".to_owned(),
        _ => return None,
    })
}

/// serde's name for what a type expects, in the vocabulary of the documents.
fn in_words(expected: &str) -> String {
    const KINDS: [(&str, &str); 12] = [
        ("struct variant ", "a map"),
        ("struct ", "a map"),
        ("internally tagged enum ", "a map"),
        ("adjacently tagged enum ", "a map"),
        ("tuple struct ", "a list"),
        ("tuple variant ", "a list"),
        ("enum ", "one of the accepted words"),
        ("unit variant ", "one of the accepted words"),
        ("newtype variant ", "a value"),
        ("unit", "null"),
        ("option", "a value or null"),
        ("variant identifier", "one of the accepted words"),
    ];
    if let Some((_, words)) = KINDS.iter().find(|(rust, _)| expected.starts_with(rust)) {
        return (*words).to_owned();
    }
    match expected {
        "a boolean" => return "true or false".to_owned(),
        "a string" => return "text".to_owned(),
        "a sequence" => return "a list".to_owned(),
        _ => {}
    }
    let expected =
        expected.replace("a tuple of size", "a list of").replace("an array of length", "a list of");
    let words: Vec<&str> = expected
        .split(' ')
        .map(|word| match word {
            "i8" | "i16" | "i32" | "i64" | "i128" | "isize" | "u8" | "u16" | "u32" | "u64" | "u128"
            | "usize" => "whole number",
            "f32" | "f64" => "number",
            word => word,
        })
        .collect();
    match words.join(" ") {
        words if matches!(words.as_str(), "whole number" | "number") => format!("a {words}"),
        words => words,
    }
}
