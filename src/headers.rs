//! Changes of headers, as values for a shell to carry out.

use http::{HeaderMap, HeaderName, HeaderValue};

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a shell must carry out every change")]
pub enum HeaderEdit {
    /// Replaces all values of the name by this one.
    Set(HeaderName, HeaderValue),
    /// Adds a value.
    Add(HeaderName, HeaderValue),
    /// Removes all values of the name.
    Remove(HeaderName),
}

impl HeaderEdit {
    /// Carries it out.
    pub fn apply(&self, headers: &mut HeaderMap) {
        match self {
            Self::Set(name, value) => {
                headers.insert(name.clone(), value.clone());
            }
            Self::Add(name, value) => {
                headers.append(name.clone(), value.clone());
            }
            Self::Remove(name) => {
                headers.remove(name);
            }
        }
    }
}

/// The values that a header has once `edits` are carried out on `headers`.
#[must_use]
pub fn values_after<'h>(
    headers: &'h HeaderMap,
    edits: &'h [HeaderEdit],
    name: &HeaderName,
) -> Vec<&'h HeaderValue> {
    let mut values: Vec<&HeaderValue> = headers.get_all(name).iter().collect();
    for edit in edits {
        match edit {
            HeaderEdit::Set(edited, value) if edited == name => values = vec![value],
            HeaderEdit::Add(edited, value) if edited == name => values.push(value),
            HeaderEdit::Remove(edited) if edited == name => values.clear(),
            _ => {}
        }
    }
    values
}

/// The values of `name` as one list, as RFC 9110 § 5.3 reads repeated headers: split at commas, trimmed, not empty.
pub fn list<'h>(headers: &'h HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'h [u8]> {
    headers
        .get_all(name)
        .into_iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        .filter(|item| !item.is_empty())
}
