//! What came of an exchange, and how it differs from what a case expects.
//!
//! Every header counts: one that a case says nothing about must be the origin's (or the request's), and there must be no
//! other ones, but for those with which Envoy frames a message and tells its peer about itself.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use engraft::exchange::{DEBUG_HEADER, TRACE_HEADER};
use engraft::explain::compact;
use engraft_harness::diff::{self, Style};
use http::HeaderName;

use crate::cut::{Cut, Made};
use crate::table::{Case, Changes};

/// What came of an exchange.
#[derive(Debug)]
pub(crate) struct Observed {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
    /// Why the response is not whole.
    pub(crate) broken: Option<String>,
    /// The request as the origin got it.
    pub(crate) request: Option<Seen>,
    /// `None` where nobody can tell.
    pub(crate) report: Option<Reported>,
}

/// A request.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) target: String,
    pub(crate) authority: String,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
}

/// What engraft said about it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Reported {
    pub(crate) route: Option<String>,
    pub(crate) body: Option<String>,
    pub(crate) patches: Option<String>,
    pub(crate) redirected_by: Option<String>,
    pub(crate) counters: BTreeMap<String, u64>,
}

/// Names the test's request in the access log and for the origin.
pub(crate) const CASE_HEADER: &str = "x-client-trace-id";
/// Which cluster Envoy is to take.
pub(crate) const UPSTREAM_HEADER: &str = "x-ot-span-context";

/// Of the message, not of the page. Compared only where a case speaks of them.
const FRAMING: [&str; 6] =
    ["connection", "content-length", "date", "keep-alive", "server", "transfer-encoding"];
/// Of the request, likewise.
const FRAMING_OF_REQUESTS: [&str; 7] = [
    "content-length",
    "host",
    "transfer-encoding",
    "x-forwarded-proto",
    "x-request-id",
    CASE_HEADER,
    UPSTREAM_HEADER,
];

impl Observed {
    /// Everything that differs from what `case` expects.
    pub(crate) fn check(&self, case: &Case) -> Result<(), String> {
        let mut out = String::new();
        let expect = &case.expect;
        if expect.broken && self.broken.is_none() {
            return self.check_taken_back(case);
        }
        if let Some(why) = self.broken.as_ref().filter(|_| !expect.broken) {
            let _ = writeln!(out, "the response is not whole: {why}");
        }
        let status = expect.status.unwrap_or(case.origin.status);
        if self.status != status {
            let _ = writeln!(out, "status: expected {status}, got {}", self.status);
        }
        let sent = if expect.asks_origin { case.origin_headers() } else { Vec::new() };
        let headers = self.without_trace(&mut out);
        compare_headers(&mut out, "header", &sent, &expect.headers, &headers, &FRAMING, &[]);
        self.check_length(case, &mut out);
        match expect.coding.map_or_else(|| Ok(self.body.clone()), |coding| coding.decode(&self.body)) {
            // What had left when the break was found depends on the network.
            Ok(body) if expect.broken && case.expected_body.starts_with(&body) => {}
            Ok(body) => compare_bodies(&mut out, &case.expected_body, &body),
            Err(error) => {
                let _ = writeln!(out, "body: {error}");
            }
        }
        self.check_request(case, &mut out);
        if let Some(report) = &self.report {
            check_report(case, report, &mut out);
        }
        if out.is_empty() { Ok(()) } else { Err(out) }
    }

    /// The headers but for the trace, whose text depends on time and chance. It must come with the debug header and never else, and
    /// tell of the same route.
    fn without_trace(&self, out: &mut String) -> Vec<(String, Vec<u8>)> {
        let text = |wanted: &HeaderName| {
            let value = self.headers.iter().find(|(name, _)| name == wanted.as_str());
            value.map(|(_, value)| String::from_utf8_lossy(value).into_owned())
        };
        let (debug, trace) = (text(&DEBUG_HEADER), text(&TRACE_HEADER));
        // What somebody chose to see is told to those as well who ask for no more.
        let debug = debug.filter(|debug| !debug.starts_with("forced="));
        let said = debug.as_deref().and_then(|debug| debug.strip_prefix("route=")?.split(';').next());
        let trace = trace.map(|trace| compact::decode(&trace));
        match (said, trace) {
            (None, None) => {}
            (Some(said), Some(Ok(trace))) if trace.route.as_deref().unwrap_or("none") == said => {}
            (said, trace) => {
                let _ = writeln!(
                    out,
                    "header {TRACE_HEADER}: the debug header says {said:?}, the trace {trace:?}"
                );
            }
        }
        self.headers.iter().filter(|(name, _)| name != TRACE_HEADER.as_str()).cloned().collect()
    }

    /// Whether the page is the origin's because not all of the edits could be made.
    pub(crate) fn is_reverted(&self) -> bool {
        self.report.as_ref().is_some_and(|report| report.body.as_deref() == Some("reverted"))
    }

    /// Which edits a page has that ends early, or what is wrong with it. What is reported of patches differs from cut to cut, so it is
    /// compared for the whole page only.
    pub(crate) fn check_cut(&self, case: &Case, end: Cut) -> Result<Made, String> {
        let seams = case.seams.as_ref().ok_or("a case that is not cut")?;
        let page = case.page(end);
        let Some(made) = seams.made(page.len(), &self.body) else {
            let (page, got) = (page.escape_ascii(), self.body.escape_ascii());
            return Err(format!("not the page with some of its edits:\n  sent {page}\n   got {got}"));
        };
        if end == Cut::Nowhere {
            return self.check(case).map(|()| made);
        }
        let mut out = String::new();
        if let Some(why) = &self.broken {
            let _ = writeln!(out, "the response is not whole: {why}");
        }
        let sent = case.origin_headers();
        compare_headers(&mut out, "header", &sent, &case.expect.headers, &self.headers, &FRAMING, &[]);
        if let Some(report) = &self.report {
            let read = ["edited", "reverted"].map(Some).contains(&report.body.as_deref());
            if report.route != case.route || !read {
                let _ = writeln!(out, "report: {report:?}");
            }
        }
        if out.is_empty() { Ok(made) } else { Err(out) }
    }

    /// A body of which a part must not be decoded goes out as it came where Envoy has all that matters at once.
    fn check_taken_back(&self, case: &Case) -> Result<(), String> {
        let mut out = String::new();
        if self.status != case.origin.status {
            let _ = writeln!(out, "status: expected {}, got {}", case.origin.status, self.status);
        }
        let sent = case.origin_headers();
        compare_headers(&mut out, "header", &sent, &Changes::new(), &self.headers, &FRAMING, &[]);
        compare_bodies(&mut out, &case.body, &self.body);
        let body = self.report.as_ref().and_then(|report| report.body.as_deref());
        if body.is_some_and(|body| !["untouched:corrupt_coding", "untouched:expansion"].contains(&body)) {
            let _ = writeln!(out, "report: the body is {body:?}");
        }
        if out.is_empty() { Ok(()) } else { Err(out) }
    }

    fn check_length(&self, case: &Case, out: &mut String) {
        let length = all(&self.headers, "content-length");
        if case.has_body() && length.iter().any(|length| *length != self.body.len().to_string()) {
            let _ = writeln!(out, "content-length is {length:?}, the body has {} bytes", self.body.len());
        }
    }

    fn check_request(&self, case: &Case, out: &mut String) {
        let expect = &case.expect;
        let seen = match (&self.request, expect.asks_origin) {
            (Some(seen), true) => seen,
            (None, false) => return,
            (Some(_), false) => return out.push_str("the origin was asked\n"),
            (None, true) => return out.push_str("the origin was not asked\n"),
        };
        let target = expect.origin_saw.path.as_ref().map_or_else(|| case.target(), |path| case.below(path));
        let host = expect.origin_saw.host.as_ref().unwrap_or(&case.request.host);
        for (what, expected, got) in [("path", &target, &seen.target), ("host", host, &seen.authority)] {
            if expected != got {
                let _ = writeln!(out, "the origin saw the {what} {got}, not {expected}");
            }
        }
        // Asked for where patches may edit the body, so it is no news.
        let identity = [("accept-encoding", "identity")];
        let sent = case.request_headers();
        let changes = &expect.origin_saw.headers;
        compare_headers(
            out,
            "request header",
            &sent,
            changes,
            &seen.headers,
            &FRAMING_OF_REQUESTS,
            &identity,
        );
    }
}

fn check_report(case: &Case, report: &Reported, out: &mut String) {
    let expected = match &case.expect.report {
        Some(expected) if case.expect.matches => Reported {
            route: case.route.clone(),
            body: Some(expected.body.clone()),
            patches: Some(expected.patches.clone()).filter(|patches| !patches.is_empty()),
            redirected_by: expected.redirected_by.clone(),
            counters: if report.counters.is_empty() { BTreeMap::new() } else { expected.counters.clone() },
        },
        _ => Reported::default(),
    };
    let counters = report.counters.iter().filter(|(name, _)| expected.counters.contains_key(*name));
    let got = Reported {
        counters: counters.map(|(name, n)| (name.clone(), *n)).collect(),
        route: report.route.clone(),
        body: report.body.clone(),
        patches: report.patches.clone(),
        redirected_by: report.redirected_by.clone(),
    };
    if got != expected {
        let _ = writeln!(out, "report: expected {expected:?}\n             got {got:?}");
    }
}

type Lines = BTreeMap<String, Vec<String>>;

fn compare_headers(
    out: &mut String,
    what: &str,
    sent: &[(String, Vec<u8>)],
    changes: &Changes,
    got: &[(String, Vec<u8>)],
    framing: &[&str],
    allowed: &[(&str, &str)],
) {
    let mut expected = lines(sent);
    for (name, values) in changes {
        expected.remove(name);
        if let Some(values) = values {
            expected.insert(name.clone(), values.0.clone());
        }
    }
    let got = lines(got);
    for name in expected.keys().chain(got.keys().filter(|name| !expected.contains_key(*name))) {
        let (expected, got) = (expected.get(name), got.get(name));
        let unspoken = !changes.contains_key(name);
        let exempt = (unspoken && framing.contains(&name.as_str()))
            || (unspoken
                && expected.is_none()
                && allowed.iter().any(|(known, value)| {
                    name == known && got.is_some_and(|got| got.as_slice() == [value.to_owned()])
                }));
        if !exempt && !same(name, expected, got) {
            let _ = writeln!(out, "{what} {name}: expected {}, got {}", shown(expected), shown(got));
        }
    }
}

/// Repeated lines and one line of all their values are the same (RFC 9110 § 5.3; of cookies, RFC 9113 § 8.2.3), and Envoy
/// turns one into the other.
fn same(name: &str, expected: Option<&Vec<String>>, got: Option<&Vec<String>>) -> bool {
    let separator = if name == "cookie" { ';' } else { ',' };
    let list = |values: &Vec<String>| {
        let items = values.iter().flat_map(|value| value.split(separator));
        items.map(|item| item.trim().to_owned()).collect::<Vec<String>>()
    };
    match (expected, got) {
        (Some(expected), Some(got)) => {
            expected == got || (expected.len() != got.len() && list(expected) == list(got))
        }
        (expected, got) => expected == got,
    }
}

fn shown(values: Option<&Vec<String>>) -> String {
    values.map_or_else(|| "none".to_owned(), |values| format!("{values:?}"))
}

fn lines(headers: &[(String, Vec<u8>)]) -> Lines {
    let mut lines = Lines::new();
    for (name, value) in headers {
        lines.entry(name.to_ascii_lowercase()).or_default().push(latin1(value));
    }
    lines
}

fn all(headers: &[(String, Vec<u8>)], name: &str) -> Vec<String> {
    lines(headers).remove(name).unwrap_or_default()
}

/// Bytes as characters, so that none is lost.
fn latin1(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().copied().map(char::from).collect(),
    }
}

fn compare_bodies(out: &mut String, expected: &[u8], got: &[u8]) {
    const CONTEXT: usize = 60;
    const SHOWN: usize = 64 * 1024;
    if expected == got {
        return;
    }
    let at = expected.iter().zip(got).take_while(|(a, b)| a == b).count();
    let around = |body: &[u8]| {
        let start = at.saturating_sub(CONTEXT);
        let end = at.saturating_add(CONTEXT).min(body.len());
        body.get(start..end).unwrap_or_default().escape_ascii().to_string()
    };
    let _ = writeln!(
        out,
        "body: differs from byte {at} on (expected {} bytes, got {})\n  expected …{}…\n       got …{}…",
        expected.len(),
        got.len(),
        around(expected),
        around(got)
    );
    if expected.len() < SHOWN && got.len() < SHOWN {
        let text = |body| String::from_utf8_lossy(body).into_owned();
        out.push_str(&diff::lines(&text(expected), &text(got), Style::Plain));
    }
}
