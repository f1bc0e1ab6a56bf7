//! A value in a template: where it comes from and what is made of it.
//!
//! What a visitor can write is bounded before it comes here (`limits.max_value_bytes`); filters can make it longer, but
//! not beyond [`MAX_BYTES`].

use std::borrow::Cow;

use serde_json::Value;

use super::filter::Filter;
use crate::decide::condition::coercion;

/// How long a value may become by its filters; a longer one counts as missing.
pub const MAX_BYTES: usize = 256 * 1024;

/// `name`, or `name | filter('argument') | …`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expression {
    pub(super) head: Head,
    pub(super) filters: Vec<Filter>,
    /// `raw`: all that it can become, for there it is all constants.
    pub(super) raw: Option<Vec<String>>,
    /// Which character of the template its braces start at; the first one is 1.
    pub(super) column: usize,
}

/// What an expression starts with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Head {
    /// An attribute.
    Attribute(String),
    /// A text of the configuration.
    Text(String),
}

/// A value once its filters are done.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluated(Value);

impl Evaluated {
    pub(super) const fn new(value: Value) -> Self {
        Self(value)
    }

    /// As text: numbers as JavaScript writes them, lists with commas.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        coercion::text(&self.0)
    }

    /// As it is: text, number, boolean or list.
    #[must_use]
    pub const fn value(&self) -> &Value {
        &self.0
    }
}

impl Expression {
    /// What errors call it.
    #[must_use]
    pub fn name(&self) -> &str {
        match &self.head {
            Head::Attribute(name) | Head::Text(name) => name,
        }
    }

    /// Which character of the template it starts at; the first one is 1.
    #[must_use]
    pub const fn column(&self) -> usize {
        self.column
    }

    /// Whether it is to be inserted as it is.
    #[must_use]
    pub const fn is_raw(&self) -> bool {
        self.raw.is_some()
    }

    /// The attributes that it reads.
    pub fn attributes(&self) -> impl Iterator<Item = &str> {
        let head = match &self.head {
            Head::Attribute(name) => Some(name.as_str()),
            Head::Text(_) => None,
        };
        head.into_iter().chain(self.filters.iter().filter_map(Filter::attribute))
    }

    /// Whether it is the path of the request as it came: percent-encoded, with slashes.
    pub(super) fn is_request_path(&self) -> bool {
        self.filters.is_empty() && matches!(&self.head, Head::Attribute(name) if name == "request.path")
    }

    /// Whether it ends percent-encoded.
    pub(super) fn url_encodes(&self) -> bool {
        self.filters.contains(&Filter::UrlEncode)
    }

    /// The same without a last `json`: where a value is written as JSON anyway.
    pub(super) fn without_json(&self) -> Self {
        let mut same = self.clone();
        if same.filters.last() == Some(&Filter::Json) {
            same.filters.pop();
        }
        same
    }

    /// Its value; `None` where there is none, or an empty one.
    #[must_use]
    pub fn evaluate(&self, lookup: &dyn Fn(&str) -> Option<Value>) -> Option<Evaluated> {
        let mut value = match &self.head {
            Head::Attribute(name) => lookup(name),
            Head::Text(text) => Some(Value::String(text.clone())),
        };
        for filter in &self.filters {
            value = filter.apply(value.filter(|value| !is_empty(value)), lookup);
            if value.as_ref().and_then(Value::as_str).is_some_and(|text| text.len() > MAX_BYTES) {
                value = None;
            }
        }
        value.filter(|value| !is_empty(value)).map(Evaluated)
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}
