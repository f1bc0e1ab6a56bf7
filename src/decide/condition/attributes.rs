//! Where a condition finds the values it compares.

use serde_json::{Map, Value};

/// The attributes of one visitor, by the path that a condition writes (`country`, `request.host`).
///
/// Implemented for JSON values, where the dots of a path walk members of objects and positions of lists. A
/// shell that keeps attributes under flat names implements it for its own type.
pub trait Attributes {
    /// The value at `path`; `None` and `null` mean the same to a condition.
    fn attribute(&self, path: &str) -> Option<&Value>;

    /// The value of the attribute of that very name, by which a visitor is hashed: dots in it walk nowhere. For
    /// attributes under flat names that is the same as [`attribute`](Self::attribute).
    fn own(&self, name: &str) -> Option<&Value> {
        self.attribute(name)
    }
}

impl Attributes for Value {
    fn attribute(&self, path: &str) -> Option<&Value> {
        path.split('.').try_fold(self, member)
    }

    fn own(&self, name: &str) -> Option<&Value> {
        self.get(name)
    }
}

impl Attributes for Map<String, Value> {
    fn attribute(&self, path: &str) -> Option<&Value> {
        let mut parts = path.split('.');
        let first = self.get(parts.next()?)?;
        parts.try_fold(first, member)
    }

    fn own(&self, name: &str) -> Option<&Value> {
        self.get(name)
    }
}

/// One value under one name.
pub(crate) struct Named<'a> {
    pub(crate) name: &'static str,
    pub(crate) value: &'a Value,
}

impl Attributes for Named<'_> {
    fn attribute(&self, path: &str) -> Option<&Value> {
        let mut parts = path.split('.');
        let named = parts.next().filter(|name| *name == self.name).map(|_| self.value);
        parts.try_fold(named?, member)
    }
}

fn member<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    match value {
        Value::Object(members) => members.get(name),
        // A property name of a JavaScript array is a canonical index: `01` and `+1` name nothing.
        Value::Array(items) if name == "0" || name.starts_with(|c: char| matches!(c, '1'..='9')) => {
            items.get(name.parse::<usize>().ok()?)
        }
        _ => None,
    }
}
