//! The page before and after, as what stayed and what was edited, in order.
//!
//! Where an edit is, the core says; here its word is held against both bodies. Secrets are looked for in the whole of each, so that none
//! shows where an edit cuts it.

use std::ops::Range;

use engraft::coding::{Bounds, Decoder};
use engraft::explain::hidden::Hidden;
use engraft::explain::trace::{Edit, HIDDEN, Trace};
use http::{HeaderMap, header};
use serde::Serialize;

use crate::serve::recent::{Exchange, MAX_BODY_BYTES};

#[derive(Debug, Serialize)]
pub(super) struct Sides {
    segments: Vec<Segment>,
    /// There is more of it than is kept.
    is_cut: bool,
    /// Not every edit has its own place here.
    is_coarse: bool,
    /// What the body was coded with.
    coding: Option<String>,
}

#[derive(Debug, PartialEq, Serialize)]
#[serde(untagged)]
enum Segment {
    Kept {
        kept: String,
    },
    Edited {
        was: String,
        with: String,
        patches: Vec<String>,
        /// Its number in the trace.
        #[serde(skip_serializing_if = "Option::is_none")]
        edit: Option<usize>,
    },
}

/// The body as it came, without its coding.
struct Body {
    bytes: Vec<u8>,
    is_cut: bool,
    coding: Option<String>,
}

impl Sides {
    /// `None` where the bodies are not kept, or nothing is known of what to hide.
    pub(super) fn of(exchange: &Exchange) -> Option<Self> {
        let trace = exchange.report.trace.as_deref()?;
        let hidden = exchange.report.hidden.as_deref()?;
        let body = came(exchange)?;
        let before = Side::new(&body.bytes, hidden);
        let is_cut = body.is_cut || exchange.after.as_ref().is_some_and(|after| after.is_cut);
        let coding = body.coding;
        let Some(after) = &exchange.after else {
            let kept = before.shown(0..before.bytes.len());
            return Some(Self { segments: vec![Segment::Kept { kept }], is_cut, is_coarse: false, coding });
        };
        let after = Side::new(&after.bytes, hidden);
        let (segments, is_coarse) = segments(&before, &after, trace, is_cut);
        Some(Self { segments, is_cut, is_coarse, coding })
    }
}

/// The page as it came, to be saved.
pub(super) fn before(exchange: &Exchange) -> Option<String> {
    let hidden = exchange.report.hidden.as_deref()?;
    let body = came(exchange)?;
    Some(Side::new(&body.bytes, hidden).shown(0..body.bytes.len()))
}

/// In which line each edit of the trace begins, from 1.
pub(super) fn lines(exchange: &Exchange) -> Vec<Option<usize>> {
    let edits = exchange.report.trace.iter().filter_map(|trace| trace.body.as_ref()).flat_map(|it| &it.edits);
    let Some(body) = came(exchange) else { return edits.map(|_| None).collect() };
    let (mut at, mut line) = (0, 1_usize);
    let line_of = |edit: &Edit| {
        let start = usize::try_from(edit.start).ok()?;
        let passed = body.bytes.get(at..start)?;
        line = line.saturating_add(passed.iter().filter(|byte| **byte == b'\n').count());
        at = start;
        Some(line)
    };
    edits.map(line_of).collect()
}

fn came(exchange: &Exchange) -> Option<Body> {
    let captured = exchange.before.as_ref()?;
    let nothing = HeaderMap::new();
    let headers = exchange.from_origin.as_ref().map_or(&nothing, |(_, headers)| headers);
    let coding = headers.get_all(header::CONTENT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let coding = coding.collect::<Vec<_>>().join(", ");
    let tokens = coding.split(',').map(str::trim).filter(|token| !token.is_empty()).map(str::as_bytes);
    let decoder = Decoder::from_header(tokens, Bounds::default()).filter(|decoder| !decoder.is_identity());
    let Some(mut decoder) = decoder else {
        let bytes = captured.bytes.clone();
        return Some(Body { bytes, is_cut: captured.is_cut, coding: None });
    };
    let mut bytes = Vec::new();
    // What came out before it went wrong is shown; that there was more is said.
    let is_broken = decoder.write(&captured.bytes, &mut bytes).is_err();
    let is_cut = captured.is_cut || is_broken || bytes.len() > MAX_BODY_BYTES;
    bytes.truncate(MAX_BODY_BYTES);
    Some(Body { bytes, is_cut, coding: Some(coding) })
}

/// One of the two, and where secrets stand in it.
struct Side<'b> {
    bytes: &'b [u8],
    secrets: Vec<Range<usize>>,
}

impl<'b> Side<'b> {
    fn new(bytes: &'b [u8], hidden: &Hidden) -> Self {
        Self { bytes, secrets: hidden.spans(bytes) }
    }

    fn slice(&self, range: Range<usize>) -> &'b [u8] {
        let end = range.end.min(self.bytes.len());
        self.bytes.get(range.start.min(end)..end).unwrap_or_default()
    }

    /// A part of it, without what nobody is to see. Bytes that are not UTF-8 are replaced.
    fn shown(&self, range: Range<usize>) -> String {
        let mut shown = String::new();
        if range.is_empty() {
            return shown;
        }
        let mut at = range.start;
        let touching = self.secrets.partition_point(|secret| secret.end <= range.start);
        for secret in self.secrets.iter().skip(touching).take_while(|secret| secret.start < range.end) {
            shown.push_str(&String::from_utf8_lossy(self.slice(at..secret.start.max(at))));
            shown.push_str(HIDDEN);
            at = secret.end;
        }
        shown.push_str(&String::from_utf8_lossy(self.slice(at..range.end.max(at))));
        shown
    }
}

/// What stayed and what was edited, and whether some edits have no place of their own.
fn segments(before: &Side<'_>, after: &Side<'_>, trace: &Trace, is_cut: bool) -> (Vec<Segment>, bool) {
    let mut segments = Vec::new();
    let (mut came, mut left) = (0_usize, 0_usize);
    let edits = trace.body.iter().flat_map(|body| body.edits.iter().enumerate());
    for (number, edit) in edits {
        let (Ok(start), Ok(end)) = (usize::try_from(edit.start), usize::try_from(edit.end)) else { break };
        let Some(kept) = start.checked_sub(came).filter(|_| start <= before.bytes.len()) else { break };
        let from = left.saturating_add(kept);
        if before.slice(came..start) != after.slice(left..from) {
            break;
        }
        keep(&mut segments, before.shown(came..start));
        let to = from.saturating_add(usize::try_from(edit.with_bytes).unwrap_or(usize::MAX));
        // What patches made of a secret is hidden in the trace only.
        let is_hidden = edit.with.contains(HIDDEN);
        segments.push(Segment::Edited {
            was: before.shown(start..end),
            with: if is_hidden { edit.with.clone() } else { after.shown(from..to) },
            patches: edit.patches.clone(),
            edit: Some(number),
        });
        (came, left) = (end, to);
    }
    let (rest, other) = (before.slice(came..usize::MAX), after.slice(left..usize::MAX));
    let common = rest.len().min(other.len());
    let is_same = if is_cut { rest.get(..common) == other.get(..common) } else { rest == other };
    if is_same {
        keep(&mut segments, before.shown(came..before.bytes.len()));
        return (segments, false);
    }
    let same = |(a, b): &(&u8, &u8)| a == b;
    let prefix = rest.iter().zip(other).take_while(same).count();
    let suffix = rest.iter().rev().zip(other.iter().rev()).take_while(same).count();
    let suffix = suffix.min(common.saturating_sub(prefix));
    let was = came.saturating_add(prefix)..before.bytes.len().saturating_sub(suffix);
    let with = left.saturating_add(prefix)..after.bytes.len().saturating_sub(suffix);
    let is_hidden = trace.attributes.iter().any(|attribute| attribute.hidden);
    keep(&mut segments, before.shown(came..was.start));
    segments.push(Segment::Edited {
        was: before.shown(was.clone()),
        with: if is_hidden { HIDDEN.to_owned() } else { after.shown(with) },
        patches: Vec::new(),
        edit: None,
    });
    keep(&mut segments, before.shown(was.end..before.bytes.len()));
    (segments, true)
}

fn keep(segments: &mut Vec<Segment>, kept: String) {
    if !kept.is_empty() {
        segments.push(Segment::Kept { kept });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use engraft::engine::Engine;
    use engraft::exchange::{self, Next, Surroundings};
    use engraft::explain::trace;
    use engraft::request::RequestHead;
    use http::HeaderValue;

    use super::*;

    fn trace(edits: &[(u64, u64, &str)]) -> Trace {
        let edit = |(start, end, with): &(u64, u64, &str)| Edit {
            start: *start,
            end: *end,
            with: (*with).to_owned(),
            with_bytes: with.len() as u64,
            patches: vec!["p".to_owned()],
            ..Edit::default()
        };
        let body = trace::Body { edits: edits.iter().map(edit).collect(), ..trace::Body::default() };
        Trace { body: Some(body), ..Trace::default() }
    }

    fn shown(before: &str, after: &str, trace: &Trace, hidden: &Hidden) -> (Vec<String>, bool) {
        let (before, after) = (Side::new(before.as_bytes(), hidden), Side::new(after.as_bytes(), hidden));
        let (segments, is_coarse) = segments(&before, &after, trace, false);
        let shown = segments.into_iter().map(|segment| match segment {
            Segment::Kept { kept } => kept,
            Segment::Edited { was, with, .. } => format!("[{was}|{with}]"),
        });
        (shown.collect(), is_coarse)
    }

    /// What is hidden of a request with that cookie.
    fn session(value: &str) -> Hidden {
        let config = b"version: 1\nsecrets: { cookies: [session] }\nroutes: []\n";
        let engine = Arc::new(Engine::load(config).unwrap().engine);
        let cookie = HeaderValue::try_from(format!("session={value}")).unwrap();
        let headers = HeaderMap::from_iter([(header::COOKIE, cookie)]);
        let request = RequestHead { headers, ..RequestHead::default() };
        let surroundings = Surroundings { explains: true, ..Surroundings::default() };
        let Next::Forward(forwarded) = exchange::begin(&engine, &request, &surroundings).next else {
            panic!("nothing redirects")
        };
        *forwarded.abort().hidden.unwrap()
    }

    #[test]
    fn edits_stand_between_what_stayed() {
        let found = shown("abcdef", "aXcdYef", &trace(&[(1, 2, "X"), (4, 4, "Y")]), &Hidden::default());
        assert_eq!(found, (["a", "[b|X]", "cd", "[|Y]", "ef"].map(str::to_owned).to_vec(), false));
    }

    #[test]
    fn what_the_trace_does_not_place_is_one_edit() {
        let found = shown("abcdef", "aXcdYf", &trace(&[(1, 2, "X")]), &Hidden::default());
        assert_eq!(found, (["a", "[b|X]", "cd", "[e|Y]", "f"].map(str::to_owned).to_vec(), true));
        let found = shown("aa", "aaa", &trace(&[(0, 1, "zzz")]), &Hidden::default());
        assert!(found.1, "a trace that is not of these bodies: {found:?}");
    }

    #[test]
    fn secrets_show_nowhere_not_even_where_an_edit_cuts_them() {
        let hidden = session("s3cr3t");
        let found = shown("<s3cr3t> s3cr3t.", "<s3cr3t> s3XXcr3t.", &trace(&[(11, 11, "XX")]), &hidden);
        assert_eq!(found.0, ["<‹hidden›> ‹hidden›", "[|XX]", "‹hidden›."]);
        let found = shown("a", "as3cr3t", &trace(&[(1, 1, "s3cr3t")]), &hidden);
        assert_eq!(found.0, ["a", "[|‹hidden›]"]);
        let mut derived = trace(&[(1, 1, "s3c")]);
        derived.body.as_mut().unwrap().edits[0].with = HIDDEN.to_owned();
        assert_eq!(shown("a", "as3c", &derived, &hidden).0, ["a", "[|‹hidden›]"]);
    }
}
