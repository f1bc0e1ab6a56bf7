//! What a stored response says of itself, from the origin stage to the client stage.
//!
//! ```text
//! x-engraft-record: 0123456789abcdef0123456789abcdef;made=0-2,5
//! x-engraft-record: 0123456789abcdef0123456789abcdef;skipped=no_transform
//! x-engraft-origin-cache-control: private
//! x-engraft-origin-etag: "abc"
//! ```
//!
//! The record has the digest of the configuration and which patches the stored body has already, by their numbers, or why it
//! has none. Beside it stand the origin's own policy and validators, under names of their own, as the origin stage writes
//! others in their place for the cache. So the client stage sees the head as it came from the origin.
//!
//! What a patch skips while the body streams is not known when the head leaves, so it is not on the record: it is counted
//! where it happens.
//!
//! Only the origin stage writes these names: what an origin sends under them is removed before.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::dialect::is_for_shared_caches;
use super::directive::age;
use crate::headers::HeaderEdit;

const RECORD: HeaderName = HeaderName::from_static("x-engraft-record");
const PREFIX: &str = "x-engraft-origin-";
/// What the origin stage writes anew for the cache, besides headers that outrank `Cache-Control`.
const SAVED: [&str; 13] = [
    "age",
    "cache-control",
    "cache-tag",
    "date",
    "edge-cache-tag",
    "etag",
    "expires",
    "last-modified",
    "netlify-cache-tag",
    "surrogate-key",
    "vary",
    "vercel-cache-tag",
    "xkey",
];
/// The longest list of patches: of those beyond it the client stage takes care.
const MAX_LIST_BYTES: usize = 4096;

/// Which patches the stored body has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Made(BTreeSet<usize>);

impl Made {
    /// These, unless they take too many words to say; then none.
    #[must_use]
    pub fn of(patches: &[usize]) -> Self {
        let made = Self(patches.iter().copied().collect());
        if made.to_string().len() > MAX_LIST_BYTES { Self::default() } else { made }
    }

    /// Whether this patch is one of them.
    #[must_use]
    pub fn has(&self, patch: usize) -> bool {
        self.0.contains(&patch)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn parse(text: &str, patches: usize) -> Option<Self> {
        let mut made = BTreeSet::new();
        for range in text.split(',').filter(|_| !text.is_empty()) {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
            if first > last || last >= patches {
                return None;
            }
            made.extend(first..=last);
        }
        Some(Self(made))
    }
}

impl fmt::Display for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut ranges: Vec<(usize, usize)> = Vec::new();
        for patch in &self.0 {
            match ranges.last_mut() {
                Some((_, last)) if last.checked_add(1) == Some(*patch) => *last = *patch,
                _ => ranges.push((*patch, *patch)),
            }
        }
        for (nth, (first, last)) in ranges.iter().enumerate() {
            let comma = if nth > 0 { "," } else { "" };
            if first == last { write!(f, "{comma}{first}")? } else { write!(f, "{comma}{first}-{last}")? }
        }
        Ok(())
    }
}

/// The changes that put a record on a response. `headers` are those of the origin.
#[must_use]
pub fn written(
    headers: &HeaderMap,
    configuration: u128,
    made: &Made,
    skipped: Option<&str>,
) -> Vec<HeaderEdit> {
    let said = match skipped {
        Some(reason) => format!("skipped={reason}"),
        None => format!("made={made}"),
    };
    let record = HeaderValue::try_from(format!("{configuration:032x};{said}")).ok();
    let record = record.map(|record| HeaderEdit::Set(RECORD, record));
    record.into_iter().chain(saved(headers)).collect()
}

/// What the origin says of its policy and validators, under names of its own: all of a record that a 304 brings, as it has
/// no body to tell anything of. One line each, as caches lose others (RFC 9110 § 5.3; what must not be repeated can't be read then, as
/// before).
pub fn saved(headers: &HeaderMap) -> impl Iterator<Item = HeaderEdit> + '_ {
    headers.keys().filter(|name| is_saved(name)).filter_map(move |name| {
        let lines: Vec<&[u8]> = headers.get_all(name).iter().map(HeaderValue::as_bytes).collect();
        let value = HeaderValue::from_bytes(&lines.join(&b", "[..])).ok()?;
        Some(HeaderEdit::Set(saved_name(name)?, value))
    })
}

/// Says of a stored response that it was not old when it came from the origin, as a 304 that says nothing of it means.
#[must_use]
pub fn not_aged(headers: &HeaderMap) -> Option<HeaderEdit> {
    let name = saved_name(&header::AGE).filter(|_| !headers.contains_key(header::AGE))?;
    Some(HeaderEdit::Set(name, HeaderValue::from_static("0")))
}

/// Whether the origin stage writes a header anew for the cache, or takes it from it.
fn is_saved(name: &HeaderName) -> bool {
    SAVED.contains(&name.as_str()) || is_for_shared_caches(name)
}

fn saved_name(name: &HeaderName) -> Option<HeaderName> {
    HeaderName::try_from(format!("{PREFIX}{name}")).ok()
}

/// A response head at the client stage.
#[derive(Debug)]
#[non_exhaustive]
pub struct Arrived<'h> {
    /// What it was when it left the origin.
    pub headers: Cow<'h, HeaderMap>,
    /// The changes that make it so.
    pub edits: Vec<HeaderEdit>,
    /// What the origin stage says of it.
    pub record: Record,
}

/// What the origin stage says of a response.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "whoever reads it must handle each")]
pub enum Record {
    /// Nothing: it has not been there.
    None,
    /// What is on it.
    Ours {
        /// The patches that its body has.
        made: Made,
        /// It was in the cache.
        is_hit: bool,
    },
    /// It is by another configuration, or can't be read: what the body has is not known.
    Foreign,
}

impl Record {
    /// Whether the body has this patch.
    #[must_use]
    pub fn has(&self, patch: usize) -> bool {
        matches!(self, Self::Ours { made, .. } if made.has(patch))
    }

    /// What the cache made of the request, where that is known: `hit` or `miss`.
    #[must_use]
    pub const fn cache_status(&self) -> Option<&'static str> {
        match self {
            Self::Ours { is_hit: true, .. } => Some("hit"),
            Self::Ours { is_hit: false, .. } => Some("miss"),
            Self::None | Self::Foreign => None,
        }
    }
}

impl<'h> Arrived<'h> {
    /// Reads and takes off what the origin stage, with this configuration, put on a response of a route with so many patches.
    #[must_use]
    pub fn with_record(headers: &'h HeaderMap, configuration: u128, patches: usize) -> Self {
        let mut lines = headers.get_all(RECORD).into_iter();
        let record = match (lines.next(), lines.next()) {
            (None, _) => Record::None,
            (Some(line), None) => parse(line, configuration, patches).map_or(Record::Foreign, |made| {
                Record::Ours { made, is_hit: headers.contains_key(header::AGE) }
            }),
            (Some(_), Some(_)) => Record::Foreign,
        };
        let mut edits: Vec<HeaderEdit> = Vec::new();
        if record != Record::None {
            edits.extend(headers.keys().filter(|name| is_saved(name)).cloned().map(HeaderEdit::Remove));
            for (saved, value) in headers {
                let name =
                    saved.as_str().strip_prefix(PREFIX).and_then(|name| HeaderName::try_from(name).ok());
                let name = name.filter(is_saved);
                edits.extend(name.map(|name| HeaderEdit::Add(name, value.clone())));
            }
            edits.extend(whole_age(headers));
        }
        Self { record, ..Self::stripped(headers, edits) }
    }

    /// Takes off what an origin has no business to send.
    #[must_use]
    pub fn without_record(headers: &'h HeaderMap) -> Self {
        Self::stripped(headers, Vec::new())
    }

    fn stripped(headers: &'h HeaderMap, mut edits: Vec<HeaderEdit>) -> Self {
        let names = headers.keys().filter(|name| **name == RECORD || name.as_str().starts_with(PREFIX));
        edits.extend(names.cloned().map(HeaderEdit::Remove));
        let mut came = Cow::Borrowed(headers);
        if !edits.is_empty() {
            let came = came.to_mut();
            edits.iter().for_each(|edit| edit.apply(came));
        }
        Self { headers: came, edits, record: Record::None }
    }
}

/// How old it was when it came from the origin, and how old it has become in the cache (RFC 9111 § 4.2.3).
fn whole_age(headers: &HeaderMap) -> Option<HeaderEdit> {
    let mut before = HeaderMap::new();
    let saved = saved_name(&header::AGE)?;
    headers.get_all(saved).iter().for_each(|value| {
        before.append(header::AGE, value.clone());
    });
    let is_told = headers.contains_key(header::AGE) || !before.is_empty();
    let age = age(&before).saturating_add(age(headers));
    is_told.then(|| HeaderEdit::Set(header::AGE, age.into()))
}

fn parse(line: &HeaderValue, configuration: u128, patches: usize) -> Option<Made> {
    let (digest, said) = line.to_str().ok()?.split_once(';')?;
    if digest != format!("{configuration:032x}") {
        return None;
    }
    match said.split_once('=')? {
        ("made", list) => Made::parse(list, patches),
        ("skipped", _) => Some(Made::default()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn map(lines: &[(&'static str, &str)]) -> HeaderMap {
        let lines = lines.iter();
        lines
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap()))
            .collect()
    }

    fn applied(headers: &HeaderMap, edits: &[HeaderEdit]) -> HeaderMap {
        let mut headers = headers.clone();
        edits.iter().for_each(|edit| edit.apply(&mut headers));
        headers
    }

    const ORIGIN: [(&str, &str); 7] = [
        ("cache-control", "private, max-age=5"),
        ("etag", "\"abc\""),
        ("vary", "Cookie"),
        ("content-type", "text/html"),
        ("expires", "0"),
        ("last-modified", "Thu, 01 Jan 2026 00:00:00 GMT"),
        ("cache-tag", "own"),
    ];

    #[test]
    fn the_head_comes_back_as_it_left_the_origin() {
        let origin = map(&ORIGIN);
        let mut stored = applied(&origin, &written(&origin, 7, &Made::of(&[0, 1, 2, 5]), None));
        assert_eq!(stored["x-engraft-record"], "00000000000000000000000000000007;made=0-2,5");
        for (name, value) in [
            ("cache-control", "max-age=3600"),
            ("vary", "x-engraft-key"),
            ("etag", "W/\"abc;e=0\""),
            ("cache-tag", "a"),
        ] {
            stored.insert(name, HeaderValue::from_static(value));
        }
        stored.remove("expires");
        let arrived = Arrived::with_record(&stored, 7, 6);
        assert_eq!(arrived.record, Record::Ours { made: Made::of(&[0, 1, 2, 5]), is_hit: false });
        assert_eq!(*arrived.headers, origin);
        assert_eq!(applied(&stored, &arrived.edits), origin);

        stored.insert("age", HeaderValue::from_static("12"));
        let hit = Arrived::with_record(&stored, 7, 6);
        assert!(matches!(hit.record, Record::Ours { is_hit: true, .. }));
        assert_eq!(hit.headers["age"], "12");
        stored.insert("x-engraft-origin-age", HeaderValue::from_static("30"));
        assert_eq!(Arrived::with_record(&stored, 7, 6).headers["age"], "42");
    }

    #[test]
    fn lines_become_one() {
        let origin = map(&[
            ("cache-control", "private"),
            ("cache-control", "max-age=5"),
            ("etag", "\"a\""),
            ("etag", "\"b\""),
        ]);
        let stored = applied(&origin, &written(&origin, 7, &Made::default(), None));
        assert_eq!(stored["x-engraft-origin-cache-control"], "private, max-age=5");
        assert_eq!(stored["x-engraft-origin-etag"], "\"a\", \"b\"");
    }

    #[test]
    fn what_is_not_by_this_configuration_is_foreign_and_none_is_none() {
        for (value, expected) in [
            ("00000000000000000000000000000007;made=", Some(&[][..])),
            ("00000000000000000000000000000007;skipped=charset", Some(&[])),
            ("00000000000000000000000000000007;made=1,3-4", Some(&[1, 3, 4])),
            ("00000000000000000000000000000008;made=1", None),
            ("00000000000000000000000000000007;made=5", None),
            ("00000000000000000000000000000007;made=4-3", None),
            ("00000000000000000000000000000007;made=0-18446744073709551615", None),
            ("00000000000000000000000000000007;made=x", None),
            ("00000000000000000000000000000007;made=,", None),
            ("00000000000000000000000000000007;other=", None),
            ("00000000000000000000000000000007", None),
            ("", None),
            ("\u{e9}", None),
        ] {
            let headers = map(&[("x-engraft-record", value), ("etag", "\"a\"")]);
            let arrived = Arrived::with_record(&headers, 7, 5);
            let expected =
                expected.map_or(Record::Foreign, |made| Record::Ours { made: Made::of(made), is_hit: false });
            assert_eq!(arrived.record, expected, "{value}");
            assert!(arrived.headers.is_empty());
        }
        let twice = map(&[("x-engraft-record", "00000000000000000000000000000007;made=1"); 2]);
        assert_eq!(Arrived::with_record(&twice, 7, 5).record, Record::Foreign);
        let plain = map(&ORIGIN);
        let arrived = Arrived::with_record(&plain, 7, 5);
        assert_eq!((arrived.record, arrived.edits.len()), (Record::None, 0));
    }

    #[test]
    fn an_origin_can_not_forge_what_is_saved() {
        let forged =
            map(&[("x-engraft-origin-etag", "\"forged\""), ("x-engraft-record", "junk"), ("etag", "\"a\"")]);
        let arrived = Arrived::without_record(&forged);
        assert_eq!(*arrived.headers, map(&[("etag", "\"a\"")]));
        assert_eq!(applied(&forged, &arrived.edits), *arrived.headers);
    }

    #[test]
    fn a_list_without_end_is_not_told() {
        let all: Vec<usize> = (0..10_000).collect();
        assert_eq!(Made::of(&all).to_string(), "0-9999");
        let odd: Vec<usize> = (0..10_000).filter(|n| n % 2 == 1).collect();
        assert!(Made::of(&odd).is_empty());
    }

    proptest! {
        #[test]
        fn a_list_reads_as_it_was_written(patches in prop::collection::vec(0_usize..40, 0..40)) {
            let made = Made::of(&patches);
            prop_assert_eq!(Made::parse(&made.to_string(), 40), Some(made.clone()));
            prop_assert!((0..40).all(|n| made.has(n) == patches.contains(&n)));
        }
    }
}
