//! What came of a recording, as people and programs read it.

use std::borrow::Cow;

use super::analysis::{Analysis, Row};
use crate::cacheability::Verdict;

pub(super) mod json;
pub(super) mod page;
pub(super) mod table;

/// What became of the patches of an exchange: `3 applied, 1 missed`.
fn patches(row: &Row) -> String {
    if let Some(patch) = &row.redirected_by {
        return format!("redirected by {patch}");
    }
    let count = |holds: &dyn Fn(&str) -> bool| {
        row.patches.iter().filter(|patch| !patch.is_applied && holds(&patch.state)).count()
    };
    let applied = row.patches.iter().filter(|patch| patch.is_applied).count();
    let missed = count(&|state| state == "missed");
    let skipped = count(&|state| state != "missed");
    let parts = [(applied, "applied"), (missed, "missed"), (skipped, "skipped")];
    let parts = parts.into_iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}"));
    let parts: Vec<String> = parts.collect();
    if parts.is_empty() { "none".to_owned() } else { parts.join(", ") }
}

/// `1h`, or `1h → no` where it changes.
fn change(before: Verdict, after: Verdict) -> String {
    if before == after {
        short(after).into_owned()
    } else {
        format!("{} → {}", short(before), short(after))
    }
}

fn short(verdict: Verdict) -> Cow<'static, str> {
    match verdict {
        Verdict::For(fresh) if fresh.is_zero() => "0s".into(),
        verdict => verdict.to_string().into(),
    }
}

fn microseconds(row: &Row) -> String {
    format!("{:.0}", row.took.as_secs_f64() * 1e6)
}

/// `12 exchanges of HTML or JSON: 9 with a route, 7 edited`.
fn summary(analysis: &Analysis) -> String {
    let rows = &analysis.rows;
    let count = |holds: &dyn Fn(&Row) -> bool| rows.iter().filter(|row| holds(row)).count();
    let exchanges = if rows.len() == 1 { "exchange" } else { "exchanges" };
    format!(
        "{} {exchanges} of HTML or JSON: {} with a route, {} edited, {} redirected",
        rows.len(),
        count(&|row| row.route.is_some()),
        count(&|row| row.changed.is_any()),
        count(&|row| row.redirected_by.is_some()),
    )
}

/// Why others were passed over: `3 neither HTML nor JSON, 1 without a body`.
fn passed_over(analysis: &Analysis) -> Option<String> {
    let parts: Vec<String> = analysis.passed_over.iter().map(|(why, n)| format!("{n} {why}")).collect();
    (!parts.is_empty()).then(|| format!("passed over: {}", parts.join(", ")))
}
