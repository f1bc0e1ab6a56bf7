//! Which attribute a visitor is hashed by (`getHashAttribute` of the JavaScript SDK).

use std::borrow::Cow;

use serde_json::Value;

use super::condition::{Attributes, coercion};

/// The attribute that is hashed where nothing else is said.
pub(crate) const DEFAULT: &str = "id";

/// What JavaScript has for a visitor without an id: the empty text.
pub(crate) static NONE: Value = Value::String(String::new());

/// What stands where there is no value.
pub(crate) static NULL: Value = Value::Null;

/// The attribute that a visitor is hashed by, and its value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Identity<'a> {
    pub(crate) attribute: &'a str,
    /// Only what is truthy: neither empty text nor zero is an id.
    value: Option<&'a Value>,
}

impl<'a> Identity<'a> {
    /// By the attribute, or by the other one where that is missing.
    pub(crate) fn of(attributes: &'a dyn Attributes, attribute: &'a str, fallback: Option<&'a str>) -> Self {
        let value = |name| attributes.own(name).filter(|value| coercion::truthy(value));
        let first = Self { attribute, value: value(attribute) };
        if first.value.is_some() {
            return first;
        }
        let second = fallback.filter(|name| !name.is_empty());
        let second = second.and_then(|name| Some(Self { attribute: name, value: Some(value(name)?) }));
        second.unwrap_or(first)
    }

    /// The value as text, to be hashed.
    pub(crate) fn text(self) -> Option<Cow<'a, str>> {
        self.value.map(coercion::text)
    }

    /// The value as it is; empty text for none.
    pub(crate) fn value(self) -> &'a Value {
        self.value.unwrap_or(&NONE)
    }
}
