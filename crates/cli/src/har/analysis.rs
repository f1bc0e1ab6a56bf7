//! What a configuration does to each exchange of a recording.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use engraft::engine::Engine;
use engraft::explain::trace::{self, HeaderChange};
use engraft::json::script::is_json;
use engraft::live::Live;
use http::header::{CONTENT_LENGTH, SET_COOKIE};
use http::{HeaderMap, Method, StatusCode};

use super::archive::Entry;
use crate::args::{Fact, Url};
use crate::cacheability::{Audience, Verdict};
use crate::content_type::{essence, is_html};
use crate::exchange::rendering::{Answer, Rendering};
use crate::exchange::stages::Stages;
use crate::exchange::visit::{self, Visit};
use crate::failure::Failure;
use crate::time;

/// The longest body that is looked at.
const MAX_BODY_BYTES: usize = 32 << 20;

/// How often an exchange is run to time it; the fastest counts.
const RUNS: usize = 3;

/// What exchanges are run with.
#[derive(Debug)]
pub(super) struct Bench {
    pub(super) engine: Arc<Engine>,
    /// What is told of the cache behind the personal edits.
    pub(super) stages: Option<Stages>,
    pub(super) live: Option<Arc<Live>>,
    pub(super) facts: Vec<Fact>,
    pub(super) now: Option<SystemTime>,
}

/// What came of a recording.
#[derive(Debug, Default)]
pub(super) struct Analysis {
    /// Exchanges of HTML or JSON, in the order in which they were recorded.
    pub(super) rows: Vec<Row>,
    /// How many others there were, and why they were passed over.
    pub(super) passed_over: BTreeMap<&'static str, usize>,
}

/// What is kept of an exchange: not its body.
#[derive(Debug)]
pub(super) struct Row {
    /// Its place in the recording, from 1.
    pub(super) number: usize,
    pub(super) method: String,
    pub(super) url: String,
    pub(super) status: StatusCode,
    pub(super) route: Option<String>,
    pub(super) redirected_by: Option<String>,
    /// What became of the body.
    pub(super) body: String,
    /// Labels and states.
    pub(super) patches: Vec<Patch>,
    /// What was decided: names and values.
    pub(super) decisions: Vec<(String, String)>,
    pub(super) bytes_before: usize,
    pub(super) bytes_after: usize,
    pub(super) changed: Changed,
    pub(super) max_held_bytes: usize,
    /// In the core.
    pub(super) took: Duration,
    pub(super) before: Caches,
    pub(super) after: Caches,
    /// What the cache behind the personal edits may do.
    pub(super) store: Option<Verdict>,
    /// Those of the response that change, and by whom.
    pub(super) headers: Vec<HeaderChange>,
    pub(super) warnings: Vec<String>,
}

/// How much of a page its edits take away and put there.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Changed {
    pub(super) bytes: u64,
    /// There are more edits than are recorded.
    pub(super) is_more: bool,
}

/// What became of a patch.
#[derive(Debug)]
pub(super) struct Patch {
    pub(super) label: String,
    pub(super) state: String,
    pub(super) is_applied: bool,
    pub(super) is_required: bool,
}

/// What caches outside may do with a response.
#[derive(Debug, Clone, Copy)]
pub(super) struct Caches {
    pub(super) browser: Verdict,
    pub(super) shared: Verdict,
}

impl Row {
    /// How long the core takes for a kilobyte of the page.
    pub(super) fn microseconds_per_kb(&self) -> f64 {
        let kilobytes = u32::try_from(self.bytes_before).map_or(f64::MAX, f64::from) / 1000.0;
        self.took.as_secs_f64() * 1e6 / kilobytes.max(0.001)
    }
}

impl Bench {
    /// Runs an exchange and keeps what came of it; or counts why it was passed over.
    ///
    /// # Errors
    /// [`Failure::UnreadFact`].
    pub(super) fn add(&self, entry: Entry, number: usize, analysis: &mut Analysis) -> Result<(), Failure> {
        match self.row(entry, number)? {
            Ok(row) => analysis.rows.push(row),
            Err(why) => {
                let count = analysis.passed_over.entry(why).or_default();
                *count = count.saturating_add(1);
            }
        }
        Ok(())
    }

    fn row(&self, entry: Entry, number: usize) -> Result<Result<Row, &'static str>, Failure> {
        let Entry { started_date_time, request, response } = entry;
        let headers = response.headers();
        if !self.reads(&essence(&headers)) {
            return Ok(Err("neither HTML nor JSON"));
        }
        let Some(status) = u16::try_from(response.status).ok().and_then(|it| StatusCode::from_u16(it).ok())
        else {
            return Ok(Err("without a response"));
        };
        let page = match response.into_body() {
            _ if matches!(status.as_u16(), 204 | 205 | 304) => return Ok(Err("without a body")),
            None => return Ok(Err("without a body")),
            Some(Err(_)) => return Ok(Err("with a body that is not the base64 it is said to be")),
            Some(Ok(page)) if page.len() > MAX_BODY_BYTES => return Ok(Err("with a body above 32 MiB")),
            Some(Ok(page)) => page,
        };
        let Ok(url) = request.url.parse::<Url>() else {
            return Ok(Err("with a URL that no server can be asked for"));
        };
        let Ok(method) = request.method.parse::<Method>() else {
            return Ok(Err("with a method that is none"));
        };
        let head = visit::head(&method, url, request.headers());
        let mut visit = Visit::new(head, &self.facts, self.engine.facts())?;
        // Whoever asked, it was not this machine: what only that may do, the visitor did not.
        let given = self.facts.iter().rev().find(|fact| fact.name == "peer_address");
        visit.peer = given.and_then(|fact| fact.value.trim().parse::<IpAddr>().ok());
        visit.now = self.now.or_else(|| time::parse(&started_date_time).ok()).unwrap_or_else(time::now);
        // The same report for the same recording.
        visit.random = u128::try_from(number).unwrap_or_default();
        visit.live.clone_from(&self.live);
        Ok(Ok(self.run(number, &visit, status, headers, page)))
    }

    /// Whether bodies of this type are edited anywhere.
    fn reads(&self, essence: &str) -> bool {
        let routes = self.engine.routes().iter();
        let mut named = routes.flat_map(|route| &route.content_types);
        is_json(essence) || is_html(essence) || named.any(|it| it == essence)
    }

    fn run(
        &self,
        number: usize,
        visit: &Visit,
        status: StatusCode,
        headers: HeaderMap,
        page: Vec<u8>,
    ) -> Row {
        let bytes_before = page.len();
        let answer = Answer::new(status, headers.clone(), page);
        let rendering = Rendering::of(&self.engine, visit.clone(), &answer);
        let report = &rendering.report;
        let trace = report.trace.as_deref().cloned().unwrap_or_default();
        let caches = |status, headers: &HeaderMap| {
            let verdict = |audience| Verdict::of(audience, &visit.head, (status, headers), visit.now);
            Caches { browser: verdict(Audience::Browser), shared: verdict(Audience::Shared) }
        };
        let after = caches(rendering.status, &rendering.headers);
        let patches = report.patches.iter().map(|patch| {
            let shown = patch.to_string();
            let (label, state) = shown.rsplit_once('=').unwrap_or((&shown, ""));
            Patch {
                label: label.to_owned(),
                state: state.to_owned(),
                is_applied: patch.is_applied(),
                is_required: patch.required,
            }
        });
        let mut warnings = Vec::new();
        if matches!(after.shared, Verdict::For(_)) && rendering.headers.contains_key(SET_COOKIE) {
            warnings.push("shared caches may keep a response that sets a cookie".to_owned());
        }
        let state = report.body.to_string();
        if state.starts_with("untouched:") || state.starts_with("broken:") {
            warnings.push(format!("the body is {}", state.replace(':', ": ")));
        }
        let changes = trace.response.map(|response| response.changes).unwrap_or_default();
        // A recording does not say how a body was framed.
        let changes = changes.into_iter().filter(|change| change.name != CONTENT_LENGTH.as_str());
        Row {
            number,
            method: visit.head.method.clone(),
            url: trace.request.url,
            status: rendering.status,
            route: report.route.clone(),
            redirected_by: report.redirected_by.clone(),
            patches: patches.collect(),
            decisions: trace.decisions.into_iter().map(|decision| (decision.name, decision.value)).collect(),
            bytes_before,
            bytes_after: rendering.body.len(),
            changed: Changed::of(trace.body.as_ref()),
            max_held_bytes: report.max_held_bytes,
            took: (0..RUNS).map(|_| self.time(visit, &answer)).min().unwrap_or_default(),
            before: caches(status, &headers),
            after,
            store: self.stages.as_ref().and_then(|stages| stages.store(visit, &answer)),
            headers: changes.collect(),
            body: state,
            warnings,
        }
    }

    /// How long an exchange takes that nobody wants explained.
    fn time(&self, visit: &Visit, answer: &Answer) -> Duration {
        let (visit, answer) = (Visit { explains: false, ..visit.clone() }, answer.clone());
        let begun = time::instant();
        let rendering = Rendering::of(&self.engine, visit, &answer);
        let took = begun.elapsed();
        drop(rendering);
        took
    }
}

impl Changed {
    fn of(body: Option<&trace::Body>) -> Self {
        let Some(trace::Body { edits, more_edits, .. }) = body else { return Self::default() };
        let bytes =
            edits.iter().map(|edit| edit.end.saturating_sub(edit.start).saturating_add(edit.with_bytes));
        Self { bytes: bytes.sum(), is_more: *more_edits > 0 }
    }

    /// Whether there was any edit.
    pub(super) const fn is_any(self) -> bool {
        self.bytes > 0 || self.is_more
    }
}

impl fmt::Display for Changed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let more = if self.is_more { "≥ " } else { "" };
        write!(f, "{more}{} B", self.bytes)
    }
}

impl Analysis {
    /// What deserves a look, over all exchanges.
    pub(super) fn warnings(&self) -> Vec<String> {
        /// How often a patch was to be applied, and how often it was.
        #[derive(Default)]
        struct Tally {
            eligible: usize,
            applied: usize,
            required_missed: usize,
            reasons: BTreeMap<String, usize>,
        }
        let mut tallies: BTreeMap<(&str, &str), Tally> = BTreeMap::new();
        for row in &self.rows {
            for patch in &row.patches {
                let route = row.route.as_deref().unwrap_or_default();
                let tally = tallies.entry((route, &patch.label)).or_default();
                tally.eligible = tally.eligible.saturating_add(1);
                if patch.is_applied {
                    tally.applied = tally.applied.saturating_add(1);
                    continue;
                }
                tally.required_missed = tally.required_missed.saturating_add(usize::from(patch.is_required));
                let reason = tally.reasons.entry(patch.state.clone()).or_default();
                *reason = reason.saturating_add(1);
            }
        }
        let mut warnings = Vec::new();
        for ((route, label), tally) in tallies {
            let reasons: Vec<String> =
                tally.reasons.iter().map(|(reason, n)| format!("{n} × {reason}")).collect();
            let reasons = reasons.join(", ");
            if tally.applied == 0 {
                let pages = if tally.eligible == 1 { "page" } else { "pages" };
                let eligible = tally.eligible;
                warnings.push(format!(
                    "route {route}, patch {label}: applied nowhere on {eligible} {pages} ({reasons})"
                ));
            } else if tally.required_missed > 0 {
                warnings.push(format!(
                    "route {route}, patch {label}: required, and not applied everywhere ({reasons})"
                ));
            } else if tally.reasons.keys().any(|reason| reason.contains(':')) {
                warnings.push(format!("route {route}, patch {label}: not applied everywhere ({reasons})"));
            }
        }
        let of_rows = self.rows.iter().flat_map(|row| {
            row.warnings.iter().map(|warning| format!("{} {}: {warning}", row.method, row.url))
        });
        warnings.extend(of_rows);
        warnings
    }

    /// The slowest first.
    pub(super) fn by_time(&self) -> Vec<&Row> {
        let mut rows: Vec<&Row> = self.rows.iter().collect();
        rows.sort_by_key(|row| std::cmp::Reverse(row.took));
        rows
    }
}
