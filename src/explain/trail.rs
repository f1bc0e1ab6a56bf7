//! Who changed which header.

use std::fmt;

use http::{HeaderMap, HeaderName};

use super::hidden::Hidden;
use super::trace::HeaderChange;
use crate::exchange::DEBUG_HEADER;
use crate::headers::{HeaderEdit, values_after};

/// Why a header was changed. Shown as in traces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause<'a> {
    /// A patch, by its name: `patch banner`.
    Patch(&'a str),
    /// Nobody but engraft may send `x-engraft-*`.
    Internal,
    /// What caches and the origin are to see of requests (docs/cache-key.md).
    Key,
    /// So that bodies come whole, and can be read.
    WholeBodies,
    /// `ETag` and conditions (docs/validators.md).
    Validators,
    /// The caches behind are to ask the origin, as somebody chose what they see.
    PastCaches,
    /// What the route says under `cache` (docs/caching.md).
    CachePolicy,
    /// The body is another one than the origin's head says.
    EditedBody,
    /// The page's policy allows what is inserted (docs/csp.md).
    ContentSecurityPolicy,
    /// What the two stages tell each other (docs/stages.md).
    Stages,
    /// The visitor's id and sticky buckets.
    Visitor,
    /// Somebody chose what they see, which no cache may keep.
    Forced,
    /// Somebody asked for debug headers, which no cache may keep.
    Debug,
}

impl fmt::Display for Cause<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Patch(label) => return write!(f, "patch {label}"),
            Self::Internal => "internal",
            Self::Key => "cache_key",
            Self::WholeBodies => "whole_bodies",
            Self::Validators => "validators",
            Self::PastCaches => "past_caches",
            Self::CachePolicy => "cache_policy",
            Self::EditedBody => "edited_body",
            Self::ContentSecurityPolicy => "content_security_policy",
            Self::Stages => "stages",
            Self::Visitor => "visitor",
            Self::Forced => "forced",
            Self::Debug => "debug",
        };
        f.write_str(name)
    }
}

/// The causes of a list of edits, kept beside it while it grows.
#[derive(Debug, Default)]
pub(crate) struct Trail(Vec<(usize, String)>);

impl Trail {
    /// The edits up to the one before `len`, from where the last cause ends, have this cause.
    #[cold]
    pub(crate) fn note(&mut self, cause: Cause<'_>, len: usize) {
        if len > self.0.last().map_or(0, |(end, _)| *end) {
            self.0.push((len, cause.to_string()));
        }
    }

    /// How `edits` change `headers`, by name.
    #[cold]
    pub(crate) fn changes(
        &self,
        headers: &HeaderMap,
        edits: &[HeaderEdit],
        hidden: &Hidden,
    ) -> Vec<HeaderChange> {
        let mut names: Vec<&HeaderName> = Vec::new();
        // What debug headers say is in the trace.
        for name in edits.iter().map(name).filter(|name| **name != DEBUG_HEADER) {
            let at = names.partition_point(|it| it.as_str() < name.as_str());
            if names.get(at) != Some(&name) {
                names.insert(at, name);
            }
        }
        let change = |name: &HeaderName| {
            let shown = |value| hidden.header(name, value);
            let before: Vec<String> = headers.get_all(name).iter().map(shown).collect();
            let after: Vec<String> = values_after(headers, edits, name).into_iter().map(shown).collect();
            (before != after).then(|| HeaderChange {
                name: name.to_string(),
                before,
                after,
                by: self.causes(edits, name),
            })
        };
        names.into_iter().filter_map(change).collect()
    }

    fn causes(&self, edits: &[HeaderEdit], of: &HeaderName) -> Vec<String> {
        let mut causes: Vec<String> = Vec::new();
        for (number, _) in edits.iter().enumerate().filter(|(_, edit)| name(edit) == of) {
            let cause = self.0.iter().find(|(end, _)| number < *end).map_or("engraft", |(_, cause)| cause);
            if causes.last().is_none_or(|last| last != cause) {
                causes.push(cause.to_owned());
            }
        }
        causes
    }
}

const fn name(edit: &HeaderEdit) -> &HeaderName {
    match edit {
        HeaderEdit::Set(name, _) | HeaderEdit::Add(name, _) | HeaderEdit::Remove(name) => name,
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, header};

    use super::*;

    #[test]
    fn each_change_names_who_made_it() {
        let set = |name, value| HeaderEdit::Set(name, HeaderValue::from_static(value));
        let mut headers = HeaderMap::new();
        headers.insert(header::VARY, HeaderValue::from_static("cookie"));
        headers.insert(header::AGE, HeaderValue::from_static("1"));
        let mut trail = Trail::default();
        let mut edits = vec![set(header::CACHE_CONTROL, "no-store"), HeaderEdit::Remove(header::EXPIRES)];
        trail.note(Cause::CachePolicy, edits.len());
        trail.note(Cause::Visitor, edits.len());
        edits.extend([HeaderEdit::Remove(header::AGE), set(header::CACHE_CONTROL, "private")]);
        trail.note(Cause::Patch("banner"), edits.len());
        edits.push(set(header::VARY, "cookie"));
        let changes = trail.changes(&headers, &edits, &Hidden::default());
        let shown: Vec<String> = changes
            .iter()
            .map(|it| format!("{}: {:?} -> {:?} by {}", it.name, it.before, it.after, it.by.join(", ")))
            .collect();
        assert_eq!(
            shown,
            [
                "age: [\"1\"] -> [] by patch banner",
                "cache-control: [] -> [\"private\"] by cache_policy, patch banner",
            ],
            "what stays as it was is no change"
        );
    }
}
