//! A report as one HTML file that needs nothing else: no script, no style of others, no request.
//!
//! The attack that this prevents: a recording whose URLs and headers are markup, opened by whoever looks into it. Everything that was
//! recorded is escaped, nothing of it becomes an attribute or a link, and a policy forbids whatever would load or run.

use std::io::{self, Write};

use engraft::explain::trace::HeaderChange;
use quick_xml::escape::escape;

use super::super::analysis::{Analysis, Row};
use super::{change, microseconds, passed_over, patches, short, summary};
use crate::printable;

const STYLE: &str = include_str!("page.css");

/// What a report may do.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

const TITLES: [&str; 9] =
    ["µs", "µs/KB", "exchange", "route", "patches", "changed", "browser", "shared", "store"];

pub(in crate::har) fn write(analysis: &Analysis, recording: &str, out: &mut dyn Write) -> io::Result<()> {
    let rows = analysis.by_time();
    writeln!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>engraft: {0}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<h1>{0}</h1>\n<p>{1}.</p>",
        text(recording),
        text(&summary(analysis)),
    )?;
    if let Some(others) = passed_over(analysis) {
        writeln!(out, "<p class=\"faint\">{}.</p>", text(&others))?;
    }
    let warnings = analysis.warnings();
    if !warnings.is_empty() {
        writeln!(out, "<h2>Warnings</h2>\n<ul class=\"warnings\">")?;
        warnings.iter().try_for_each(|warning| writeln!(out, "<li>{}</li>", text(warning)))?;
        writeln!(out, "</ul>")?;
    }
    writeln!(
        out,
        "<h2>Exchanges, the slowest first</h2>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Exchanges\">\n<table>\n<thead><tr>"
    )?;
    TITLES.iter().try_for_each(|title| writeln!(out, "<th scope=\"col\">{title}</th>"))?;
    writeln!(out, "</tr></thead>\n<tbody>")?;
    rows.into_iter().try_for_each(|row| write_row(row, out))?;
    writeln!(
        out,
        "</tbody>\n</table>\n</div>\n\
         <p class=\"faint\">µs: the fastest of three runs in the core, which took the page whole. Changed: bytes that edits took away and \
         put there. Caches: how long each may use the response without asking; no: it may not keep it. Store: the cache \
         behind the personal edits, between two stages.</p>\n</body>\n</html>"
    )
}

fn write_row(row: &Row, out: &mut dyn Write) -> io::Result<()> {
    let cells = [("number", microseconds(row)), ("number", format!("{:.1}", row.microseconds_per_kb()))];
    writeln!(out, "<tr>")?;
    cells.iter().try_for_each(|(class, cell)| writeln!(out, "<td class=\"{class}\">{cell}</td>"))?;
    let dot = if row.warnings.is_empty() { "" } else { " <span class=\"warning\">!</span>" };
    writeln!(
        out,
        "<td class=\"exchange\"><details><summary>{} <span class=\"url\">{}</span> {}{dot}</summary>",
        text(&row.method),
        text(&row.url),
        row.status.as_u16()
    )?;
    write_details(row, out)?;
    writeln!(out, "</details></td>")?;
    let cells = [
        row.route.clone().unwrap_or_else(|| "none".to_owned()),
        patches(row),
        format!("{} of {} B", row.changed, row.bytes_before),
        change(row.before.browser, row.after.browser),
        change(row.before.shared, row.after.shared),
        row.store.map(|store| short(store).into_owned()).unwrap_or_default(),
    ];
    cells.iter().try_for_each(|cell| writeln!(out, "<td>{}</td>", text(cell)))?;
    writeln!(out, "</tr>")
}

fn write_details(row: &Row, out: &mut dyn Write) -> io::Result<()> {
    for warning in &row.warnings {
        writeln!(out, "<p class=\"warning\">{}</p>", text(warning))?;
    }
    writeln!(
        out,
        "<p>Number {} of the recording. The body is {}: {} bytes became {}, {} were held at most.</p>",
        row.number,
        text(&row.body),
        row.bytes_before,
        row.bytes_after,
        row.max_held_bytes
    )?;
    let decisions = row.decisions.iter().map(|(name, value)| [name.as_str(), value.as_str()]);
    write_table(["decision", "value"], decisions, out)?;
    let patches = row.patches.iter().map(|patch| [patch.label.as_str(), patch.state.as_str()]);
    write_table(["patch", "became"], patches, out)?;
    let headers = row.headers.iter().map(|change| {
        let HeaderChange { name, before, after, by } = change;
        [name.clone(), before.join(", "), after.join(", "), by.join(", ")]
    });
    write_table(["header", "before", "after", "by"], headers, out)
}

fn write_table<const N: usize, T: AsRef<str>>(
    titles: [&str; N],
    rows: impl Iterator<Item = [T; N]>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut rows = rows.peekable();
    if rows.peek().is_none() {
        return Ok(());
    }
    write!(out, "<table><thead><tr>")?;
    titles.iter().try_for_each(|title| write!(out, "<th scope=\"col\">{title}</th>"))?;
    writeln!(out, "</tr></thead><tbody>")?;
    for row in rows {
        write!(out, "<tr>")?;
        row.iter().try_for_each(|cell| write!(out, "<td>{}</td>", text(cell.as_ref())))?;
        writeln!(out, "</tr>")?;
    }
    writeln!(out, "</tbody></table>")
}

/// As the text of an element.
fn text(text: &str) -> String {
    escape(printable::line(text)).into_owned()
}
