//! Members of a payload's objects, read as the JavaScript SDK reads them.
//!
//! The SDK asks whether a member is truthy, so `null`, `0`, `""` and `false` are as good as absent, which is what servers
//! in other languages write. Numbers are whatever JavaScript would calculate with. What would make the SDK throw is
//! [`Unreadable`] here, and switches off the rule or the experiment that it stands in.

use std::borrow::Cow;
use std::fmt;

use serde_json::{Map, Value};

use super::bucket::Range;
use super::condition::{Condition, coercion};
use super::filter::Filter;
use super::hash::HashVersion;
use super::identity;
use super::namespace::Namespace;

/// A member that the SDK could not have used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// Its name.
    pub member: &'static str,
    /// What it should have been.
    pub expected: &'static str,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not {}", self.member, self.expected)
    }
}

/// The members of an object.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields<'a>(&'a Map<String, Value>);

type Read<T> = Result<T, Unreadable>;

impl<'a> Fields<'a> {
    pub(crate) fn of(value: &'a Value, member: &'static str) -> Read<Self> {
        value.as_object().map(Self).ok_or(Unreadable { member, expected: "an object" })
    }

    /// Whatever is there, `null` too.
    pub(crate) fn any(self, name: &str) -> Option<&'a Value> {
        self.0.get(name)
    }

    pub(crate) fn truthy(self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| coercion::truthy(value))
    }

    pub(crate) fn is(self, name: &str) -> bool {
        self.truthy(name).is_some()
    }

    pub(crate) fn text(self, name: &'static str) -> Read<Option<&'a str>> {
        self.typed(name, "text", Value::as_str)
    }

    pub(crate) fn owned(self, name: &'static str) -> Read<Option<Box<str>>> {
        Ok(self.text(name)?.map(Into::into))
    }

    pub(crate) fn list(self, name: &'static str) -> Read<Option<&'a [Value]>> {
        self.typed(name, "a list", |value| value.as_array().map(Vec::as_slice))
    }

    fn typed<T>(
        self,
        name: &'static str,
        expected: &'static str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Read<Option<T>> {
        let Some(value) = self.truthy(name) else { return Ok(None) };
        read(value).map(Some).ok_or(Unreadable { member: name, expected })
    }

    /// The version of the hash, if we know it.
    pub(crate) fn hash_version(self, otherwise: HashVersion) -> Option<HashVersion> {
        match self.truthy("hashVersion") {
            None => Some(otherwise),
            Some(Value::Number(number)) => HashVersion::numbered(coercion::float(number)),
            Some(_) => None,
        }
    }

    pub(crate) fn condition(self) -> Option<Condition> {
        match self.truthy("condition")? {
            // Nothing is asked, which is what servers that know no difference between lists and maps write.
            Value::Array(items) if items.is_empty() => None,
            condition => Some(Condition::compile_lenient(condition)),
        }
    }

    pub(crate) fn namespace(self) -> Read<Option<Namespace>> {
        let Some(parts) = self.list("namespace")? else { return Ok(None) };
        let id = parts.first().map_or(Cow::Borrowed("undefined"), coercion::text);
        Ok(Some(Namespace::new(&id, Range { start: at(parts, 1), end: at(parts, 2) })))
    }

    pub(crate) fn weights(self) -> Read<Option<Vec<f64>>> {
        // Anything but a list has another length than the variations, and then they are equal.
        let Some(Value::Array(weights)) = self.truthy("weights") else { return Ok(None) };
        // Text among them, JavaScript would join.
        let number =
            |weight: &Value| (weight.is_number() || weight.is_null()).then(|| coercion::number(weight));
        let weights: Option<Vec<f64>> = weights.iter().map(number).collect();
        weights.map(Some).ok_or(Unreadable { member: "weights", expected: "a list of numbers" })
    }

    pub(crate) fn ranges(self) -> Read<Option<Box<[Range]>>> {
        let Some(ranges) = self.list("ranges")? else { return Ok(None) };
        let ranges: Option<_> = ranges.iter().map(range).collect();
        ranges.map(Some).ok_or(Unreadable { member: "ranges", expected: "a list of ranges" })
    }

    pub(crate) fn filters(self) -> Read<Option<Box<[Filter]>>> {
        let Some(filters) = self.list("filters")? else { return Ok(None) };
        filters.iter().map(filter).collect::<Read<_>>().map(Some)
    }
}

/// A range; what isn't a number in it is in no order with any hash.
pub(crate) fn range(value: &Value) -> Option<Range> {
    let parts = value.as_array()?;
    Some(Range { start: at(parts, 0), end: at(parts, 1) })
}

fn at(parts: &[Value], index: usize) -> f64 {
    parts.get(index).map_or(f64::NAN, coercion::number)
}

fn filter(value: &Value) -> Read<Filter> {
    let fields = Fields::of(value, "filters")?;
    let lacking = |member, expected| Unreadable { member, expected };
    let seed = fields.any("seed").and_then(Value::as_str).ok_or_else(|| lacking("seed", "text"))?;
    Ok(Filter {
        seed: seed.into(),
        ranges: fields.ranges()?.ok_or_else(|| lacking("ranges", "a list of ranges"))?,
        attribute: fields.text("attribute")?.unwrap_or(identity::DEFAULT).into(),
        hash_version: fields.hash_version(HashVersion::V2),
    })
}
