//! One JSON object with everything.

use std::collections::BTreeMap;
use std::io::{self, Write};

use engraft::explain::trace::HeaderChange;
use serde::Serialize;

use super::super::analysis::{Analysis, Caches, Row};
use super::short;
use crate::output;

#[derive(Serialize)]
struct Recording<'a> {
    exchanges: Vec<Exchange<'a>>,
    passed_over: &'a BTreeMap<&'static str, usize>,
    warnings: Vec<String>,
}

#[derive(Serialize)]
struct Exchange<'a> {
    number: usize,
    method: &'a str,
    url: &'a str,
    status: u16,
    route: Option<&'a str>,
    redirected_by: Option<&'a str>,
    body: &'a str,
    patches: Vec<Patch<'a>>,
    decisions: BTreeMap<&'a str, &'a str>,
    bytes_before: usize,
    bytes_after: usize,
    changed_bytes: u64,
    /// There are more edits than were counted.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    more_changes: bool,
    max_held_bytes: usize,
    microseconds: f64,
    microseconds_per_kb: f64,
    cache_before: CachesShown,
    cache_after: CachesShown,
    #[serde(skip_serializing_if = "Option::is_none")]
    store: Option<String>,
    headers: &'a [HeaderChange],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    warnings: &'a [String],
}

#[derive(Serialize)]
struct Patch<'a> {
    label: &'a str,
    state: &'a str,
}

/// How long a response may be used without asking; `no` where it may not be kept.
#[derive(Serialize)]
struct CachesShown {
    browser: String,
    shared: String,
}

pub(in crate::har) fn write(analysis: &Analysis, out: &mut dyn Write) -> io::Result<()> {
    let exchanges = analysis.by_time().into_iter().map(Exchange::from).collect();
    let recording =
        Recording { exchanges, passed_over: &analysis.passed_over, warnings: analysis.warnings() };
    output::json(out, &recording)
}

impl<'a> From<&'a Row> for Exchange<'a> {
    fn from(row: &'a Row) -> Self {
        let patches = row.patches.iter().map(|patch| Patch { label: &patch.label, state: &patch.state });
        Self {
            number: row.number,
            method: &row.method,
            url: &row.url,
            status: row.status.as_u16(),
            route: row.route.as_deref(),
            redirected_by: row.redirected_by.as_deref(),
            body: &row.body,
            patches: patches.collect(),
            decisions: row.decisions.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect(),
            bytes_before: row.bytes_before,
            bytes_after: row.bytes_after,
            changed_bytes: row.changed.bytes,
            more_changes: row.changed.is_more,
            max_held_bytes: row.max_held_bytes,
            microseconds: row.took.as_secs_f64() * 1e6,
            microseconds_per_kb: row.microseconds_per_kb(),
            cache_before: row.before.into(),
            cache_after: row.after.into(),
            store: row.store.map(|verdict| short(verdict).into_owned()),
            headers: &row.headers,
            warnings: &row.warnings,
        }
    }
}

impl From<Caches> for CachesShown {
    fn from(Caches { browser, shared }: Caches) -> Self {
        Self { browser: short(browser).into_owned(), shared: short(shared).into_owned() }
    }
}
