//! A trace in a header: `1.` and then the trace's JSON, compressed (RFC 1951), in base64url without padding (RFC 4648 § 5).
//!
//! Headers have little room, and a response whose head is too long for some proxy on its way is lost. So a trace is cut down,
//! member by member, until it fits, and says what was left out.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use miniz_oxide::deflate::compress_to_vec;
use miniz_oxide::inflate::decompress_to_vec_with_limit;

use super::trace::{Trace, VERSION};

/// The longest header that is written: nginx refuses heads above 4 or 8 KiB by default (`proxy_buffer_size`).
pub const MAX_BYTES: usize = 3072;

/// The longest JSON that is read.
const MAX_JSON_BYTES: usize = 4 << 20;

/// The same as browsers' and servers' default.
const LEVEL: u8 = 6;

/// A way to make a trace shorter.
type Cut = (&'static str, fn(&mut Trace));

/// What is left out first, and what after that.
const CUTS: [Cut; 11] = [
    ("routes", |trace| trace.routes.clear()),
    ("patches.guards", |trace| {
        trace.patches.iter_mut().filter(|patch| patch.eligible).for_each(|patch| patch.guards.clear());
    }),
    ("response.headers", |trace| trace.response.iter_mut().for_each(|it| it.headers.clear())),
    ("request.headers", |trace| trace.request.headers.clear()),
    ("patches", |trace| trace.patches.retain(|patch| patch.eligible)),
    ("origin", |trace| trace.origin = None),
    ("attributes", |trace| trace.attributes.clear()),
    ("response.changes", |trace| trace.response.iter_mut().for_each(|it| it.changes.clear())),
    ("patches, decisions", |trace| {
        trace.patches.clear();
        trace.decisions.clear();
    }),
    ("cache, request.facts", |trace| {
        trace.cache = None;
        trace.request.facts.clear();
    }),
    ("the end of request.url", |trace| {
        trace.request.url = trace.request.url.chars().take(MAX_CUT_URL_CHARS).collect();
    }),
];

/// What may be left out, in order.
#[cfg(test)]
pub(super) fn cuts() -> impl Iterator<Item = &'static str> {
    CUTS.iter().map(|(name, _)| *name)
}

/// How much stays of a URL that alone is too long.
const MAX_CUT_URL_CHARS: usize = 400;

/// Writes a trace, at most [`MAX_BYTES`] of it; `None` where not even what a trace must have fits.
///
/// ```
/// use engraft::explain::compact;
/// use engraft::explain::trace::{Trace, VERSION};
///
/// let trace = Trace { trace: VERSION, route: Some("product".into()), ..Trace::default() };
/// let header = compact::encode(trace.clone()).unwrap();
/// assert_eq!(compact::decode(&header).unwrap(), trace);
/// ```
#[must_use]
#[cold]
pub fn encode(mut trace: Trace) -> Option<String> {
    let mut cuts = CUTS.iter();
    loop {
        let json = serde_json::to_vec(&trace).ok()?;
        let text = format!("{VERSION}.{}", URL_SAFE_NO_PAD.encode(compress_to_vec(&json, LEVEL)));
        if text.len() <= MAX_BYTES {
            return Some(text);
        }
        let (name, cut) = cuts.next()?;
        cut(&mut trace);
        trace.left_out.push((*name).to_owned());
    }
}

/// Reads what [`encode`] wrote, alone or as the line `x-engraft-trace: …`.
///
/// # Errors
/// What of it is not as it should be.
pub fn decode(text: &str) -> Result<Trace, CompactError> {
    let text = text.trim();
    let value = text.rsplit_once(':').map_or(text, |(_, value)| value.trim());
    let (version, value) = value.split_once('.').ok_or(CompactError::Form)?;
    if version != VERSION.to_string() {
        return Err(CompactError::Version(version.chars().take(20).collect()));
    }
    let bytes = URL_SAFE_NO_PAD.decode(value).map_err(|_| CompactError::Form)?;
    let json = decompress_to_vec_with_limit(&bytes, MAX_JSON_BYTES).map_err(|_| CompactError::Form)?;
    let trace: Option<Trace> = serde_json::from_slice(&json).ok();
    trace.filter(|trace| trace.trace == VERSION).ok_or(CompactError::Json)
}

/// Why a header is not a trace.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CompactError {
    /// It does not look like one, or was cut off on the way.
    Form,
    /// Of another version.
    Version(String),
    /// What is in it is not a trace.
    Json,
}

impl fmt::Display for CompactError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form => f.write_str(
                "this is not the whole value of an x-engraft-trace header; copy all of it, from `1.` to its last letter",
            ),
            Self::Version(version) => {
                write!(f, "the trace has the version \"{version}\", and this engraft reads {VERSION}; use the engraft that wrote it")
            }
            Self::Json => f.write_str("what is in the header is not a trace; it was written by something else"),
        }
    }
}

impl std::error::Error for CompactError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::trace::{Decision, Header, Patch, Response, RouteVerdict};

    /// A text that does not compress.
    fn noise(seed: u64, len: usize) -> String {
        let mut state = seed;
        let letter = |_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            char::from(b'a' + u8::try_from((state >> 33) % 26).unwrap())
        };
        (0..len).map(letter).collect()
    }

    #[test]
    fn what_does_not_fit_is_left_out_and_named() {
        let mut trace = Trace { trace: VERSION, route: Some("product".into()), ..Trace::default() };
        trace.routes = (0..50).map(|n| RouteVerdict { name: noise(n, 60), fails: None }).collect();
        trace.decisions = vec![Decision { name: "variants.hero".into(), ..Decision::default() }];
        let headers = vec![Header { name: "x".into(), value: noise(77, 2000) }];
        trace.response = Some(Response { headers, ..Response::default() });
        let header = encode(trace.clone()).unwrap();
        assert!(header.len() <= MAX_BYTES);
        let read = decode(&format!("x-engraft-trace: {header}\n")).unwrap();
        assert_eq!(read.left_out, ["routes"]);
        assert_eq!((read.routes.len(), &read.response), (0, &trace.response));

        trace.patches =
            (0..200).map(|n| Patch { name: noise(n, 40), eligible: true, ..Patch::default() }).collect();
        let read = decode(&encode(trace.clone()).unwrap()).unwrap();
        assert_eq!((read.route, read.patches.len()), (trace.route.clone(), 0));

        trace.request.url = noise(5, 9000);
        let read = decode(&encode(trace.clone()).unwrap()).unwrap();
        assert_eq!(read.left_out.last().map(String::as_str), Some("the end of request.url"));
        assert!(
            read.request.url.len() == MAX_CUT_URL_CHARS && trace.request.url.starts_with(&read.request.url)
        );

        trace.route = Some(noise(6, 9000));
        assert_eq!(encode(trace), None);
    }

    #[test]
    fn what_is_no_trace_is_told_apart() {
        assert_eq!(decode(""), Err(CompactError::Form));
        assert_eq!(decode("1.###"), Err(CompactError::Form));
        assert_eq!(decode("2.abc"), Err(CompactError::Version("2".into())));
        let other = URL_SAFE_NO_PAD.encode(compress_to_vec(b"{}", LEVEL));
        assert_eq!(decode(&format!("1.{other}")), Err(CompactError::Json));
        let header = encode(Trace { trace: VERSION, ..Trace::default() }).unwrap();
        assert_eq!(decode(header.get(..header.len() - 4).unwrap()), Err(CompactError::Form));
        let bomb = URL_SAFE_NO_PAD.encode(compress_to_vec(&vec![b' '; MAX_JSON_BYTES + 1], LEVEL));
        assert_eq!(decode(&format!("1.{bomb}")), Err(CompactError::Form));
    }
}
