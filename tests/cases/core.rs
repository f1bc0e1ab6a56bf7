//! Cases through the core, in this process: what a shell does, done with values.

use std::net::{IpAddr, Ipv4Addr};

use engraft::config::model::Connection;
use engraft::exchange::report::{BodyState, Report};
use engraft::exchange::{self, Begun, Body, Next, Surroundings};
use engraft::headers::HeaderEdit;
use engraft::request::RequestHead;
use engraft::request::attributes::Fact;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use crate::cut::{Cut, Made};
use crate::observed::{Observed, Reported, Seen};
use crate::table::Case;

/// How many random ways to cut a body are tried.
const RANDOM_CUTS: u64 = 8;
/// The longest body that is written byte by byte, one that takes some tenths of a second in a debug build.
const BYTE_BY_BYTE: usize = 256 * 1024;

/// Where the tests' requests come from.
const PEER: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// How a body is written.
#[derive(Clone, Copy, Debug)]
enum Cuts {
    Whole,
    /// Pieces of this size.
    Each(usize),
    /// Pieces of random sizes.
    Random {
        seed: u64,
    },
}

/// Runs a case at every way to cut its body.
pub(crate) fn run(case: &Case) -> Result<(), String> {
    let first = seed()?;
    if case.seams.is_some() {
        return run_cut(case, first);
    }
    let small = if case.body.len() <= BYTE_BY_BYTE { 1 } else { 4099 };
    let random = (first..first.saturating_add(RANDOM_CUTS)).map(|seed| Cuts::Random { seed });
    for cuts in [Cuts::Whole, Cuts::Each(small)].into_iter().chain(random) {
        // A length is known where the origin has the page as a file, and is not where it writes it as it goes.
        let says_length = matches!(cuts, Cuts::Whole);
        let observed = exchange(case, cuts, says_length, Cut::Nowhere)?;
        if case.expect.broken && observed.broken.is_none() {
            return Err(format!("{}, body cut {cuts}: the response is not broken off", case.name));
        }
        observed.check(case).map_err(|why| format!("{}, body cut {cuts}:\n{why}", case.name))?;
    }
    Ok(())
}

/// Runs a case whose page may end anywhere: each such page whole, byte by byte, and cut at random.
fn run_cut(case: &Case, seed: u64) -> Result<(), String> {
    let mut made: Option<Made> = None;
    for end in Cut::all(case.body.len()) {
        let mut first = None;
        for cuts in [Cuts::Whole, Cuts::Each(1), Cuts::Random { seed }] {
            let context =
                |why: String| format!("{}, the page ends: {end:?}, body cut {cuts}:\n{why}", case.name);
            let observed = exchange(case, cuts, matches!(cuts, Cuts::Whole), end).map_err(context)?;
            let now = observed.check_cut(case, end).map_err(context)?;
            if first.get_or_insert_with(|| observed.body.clone()) != &observed.body {
                return Err(context("it is not the same page as in one piece".to_owned()));
            }
            // Wholly or not at all: a page that is longer may have more that can't be done.
            if observed.is_reverted() {
                made = None;
                continue;
            }
            let before = made.unwrap_or_default();
            if before.iter().zip(&now).any(|(before, now)| *before && !now) {
                return Err(context(format!("of {before:?}, {now:?} is left with one byte more")));
            }
            made = Some(now);
        }
    }
    Ok(())
}

/// Where random cuts start from.
pub(crate) fn seed() -> Result<u64, String> {
    match std::env::var("ENGRAFT_SEED") {
        Ok(seed) => seed.parse().map_err(|_| format!("ENGRAFT_SEED is {seed:?}, not a number")),
        Err(_) => Ok(1),
    }
}

impl std::fmt::Display for Cuts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Whole => f.write_str("nowhere"),
            Self::Each(size) => write!(f, "every {size} bytes"),
            Self::Random { seed } => write!(f, "at random (ENGRAFT_SEED={seed})"),
        }
    }
}

impl Cuts {
    fn sizes(self) -> Box<dyn Iterator<Item = usize>> {
        match self {
            Self::Whole => Box::new(std::iter::empty()),
            Self::Each(size) => Box::new(std::iter::repeat(size)),
            Self::Random { seed } => Box::new(sizes(seed)),
        }
    }
}

/// Sizes of random pieces, most of them short.
pub(crate) fn sizes(seed: u64) -> impl Iterator<Item = usize> {
    // SplitMix64 (Steele, Lea, Flood 2014): enough to spread cuts, and the same on every machine.
    let mut state = seed;
    std::iter::from_fn(move || {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        let longest = match z & 7 {
            0..=3 => 8,
            4..=6 => 200,
            _ => 20_000,
        };
        usize::try_from((z >> 8) % longest).ok().map(|size| size.saturating_add(1))
    })
}

/// The digest of what the patches make of the visitor's page, where they make something of it.
pub(crate) fn digest(case: &Case) -> Result<Option<String>, String> {
    let (_, begun) = begin(case)?;
    Ok(match begun.next {
        Next::Forward(forwarded) => forwarded.variant().map(|digest| digest.to_string()),
        Next::Respond(..) => None,
    })
}

fn begin(case: &Case) -> Result<(RequestHead, Begun), String> {
    let request = RequestHead {
        method: case.request.method.clone(),
        scheme: "http".to_owned(),
        authority: case.request.host.clone(),
        path: case.target(),
        headers: map(&case.request_headers())?,
        has_body: false,
    };
    let facts: Vec<Option<String>> = case.engine.facts().iter().map(fact).collect();
    let begun = exchange::begin(
        &case.engine,
        &request,
        &Surroundings { facts: &facts, peer: Some(PEER), ..Surroundings::default() },
    );
    Ok((request, begun))
}

fn exchange(case: &Case, cuts: Cuts, says_length: bool, end: Cut) -> Result<Observed, String> {
    let page = case.page(end);
    let (mut request, begun) = begin(case)?;
    let forwarded = match begun.next {
        Next::Forward(forwarded) => forwarded,
        Next::Respond(response, report) => {
            let headers = response.headers.iter();
            return Ok(Observed {
                status: response.status.as_u16(),
                headers: headers.map(|(name, value)| line(name, value)).collect(),
                body: Vec::new(),
                broken: None,
                request: None,
                report: Some(reported(&report)),
            });
        }
    };
    apply(&begun.edits.headers, &mut request.headers);
    let seen = Seen {
        target: begun.edits.path.unwrap_or(request.path),
        authority: begun.edits.authority.unwrap_or(request.authority),
        headers: pairs(&request.headers),
    };

    let mut headers = map(&case.origin_headers())?;
    if says_length && !matches!(case.origin.status, 204 | 304) {
        headers.insert(http::header::CONTENT_LENGTH, page.len().into());
    }
    let status = StatusCode::from_u16(case.origin.status).map_err(|error| error.to_string())?;
    let answered = forwarded.answer(status, &headers);
    apply(&answered.headers, &mut headers);
    let source: &[u8] = if case.has_body() { page } else { &[] };
    let mut restored_head = None;
    let (body, report) = match answered.body {
        Body::NotModified(_, report) => (Vec::new(), report),
        Body::Passes(report) => (source.to_vec(), report),
        Body::Edited(mut edits) => {
            let (mut out, mut rest, mut sizes) = (Vec::with_capacity(source.len()), source, cuts.sizes());
            while !rest.is_empty() {
                let size = sizes.next().unwrap_or(rest.len()).min(rest.len());
                let (chunk, tail) = rest.split_at(size);
                rest = tail;
                let kept = if edits.is_done() { chunk.len() } else { edits.write(chunk, &mut out) };
                let from = chunk.len().checked_sub(kept).ok_or("more bytes are to follow than there are")?;
                out.extend_from_slice(chunk.get(from..).unwrap_or_default());
                restored_head = restored_head.or_else(|| edits.take_restored_head());
            }
            edits.finish(&mut out);
            restored_head = restored_head.or_else(|| edits.take_restored_head());
            let report = edits.end(&mut out);
            (out, report)
        }
    };
    restored_head.iter().for_each(|edits| apply(edits, &mut headers));
    let broken = matches!(report.body, BodyState::Broken(_)).then(|| report.body.to_string());
    Ok(Observed {
        status: case.origin.status,
        headers: pairs(&headers),
        body,
        broken,
        request: Some(seen),
        report: Some(reported(&report)),
    })
}

fn reported(report: &Report) -> Reported {
    let counters = report.counters().into_iter().map(|(name, n)| (name.to_string(), n));
    let summary = Some(report.summary()).filter(|summary| !summary.is_empty());
    // A shell says nothing of requests without a route.
    Reported {
        body: report.route.is_some().then(|| report.body.to_string()),
        route: report.route.clone(),
        patches: summary,
        redirected_by: report.redirected_by.clone(),
        counters: counters.collect(),
    }
}

/// What Envoy knows of a connection of the tests: cleartext, from this machine.
fn fact(fact: &Fact) -> Option<String> {
    match fact {
        Fact::Connection(Connection::PeerAddress) => Some(PEER.to_string()),
        Fact::Connection(Connection::Mtls) => Some(false.to_string()),
        _ => None,
    }
}

fn map(lines: &[(String, Vec<u8>)]) -> Result<HeaderMap, String> {
    let mut map = HeaderMap::new();
    for (name, value) in lines {
        let name = HeaderName::try_from(name.as_str()).map_err(|error| error.to_string())?;
        map.append(name, HeaderValue::from_bytes(value).map_err(|error| error.to_string())?);
    }
    Ok(map)
}

fn apply(edits: &[HeaderEdit], headers: &mut HeaderMap) {
    edits.iter().for_each(|edit| edit.apply(headers));
}

fn pairs(headers: &HeaderMap) -> Vec<(String, Vec<u8>)> {
    headers.iter().map(|(name, value)| line(name, value)).collect()
}

fn line(name: &HeaderName, value: &HeaderValue) -> (String, Vec<u8>) {
    (name.as_str().to_owned(), value.as_bytes().to_vec())
}
