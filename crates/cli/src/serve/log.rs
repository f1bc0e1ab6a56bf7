//! One line for each exchange, on standard output.

use std::io::{self, Write};

use engraft::exchange::report::Report;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::args::LogForm;
use super::recent::{End, Exchange};
use crate::output::{self, Palette};
use crate::printable;

/// How wide a path is where no terminal says otherwise; longer ones push the rest of the line to the right.
const PATH_WIDTH: usize = 32;
/// How wide the rest of a line is.
const REST_WIDTH: usize = 86;
/// Less of a path says nothing.
const MIN_PATH_WIDTH: usize = 16;

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Log {
    form: LogForm,
    palette: Palette,
    /// How much room paths have, where they are not to have more.
    path_width: Option<usize>,
    /// Where the server runs; found out once, which takes a look at the file system.
    zone: TimeZone,
}

impl Log {
    pub(crate) fn new(form: LogForm) -> Self {
        let stdout = io::stdout();
        let path_width =
            output::columns(&stdout).map(|columns| columns.saturating_sub(REST_WIDTH).max(MIN_PATH_WIDTH));
        Self { form, palette: Palette::of(&stdout), path_width, zone: TimeZone::system() }
    }

    pub(crate) fn write(&self, exchange: &Exchange) {
        let mut line = Vec::new();
        // Writing to memory does not fail, and whoever reads no more need not be told.
        let _ = match self.form {
            LogForm::None => return,
            LogForm::Text => self.text(&mut line, exchange),
            LogForm::Json => json(&mut line, exchange),
        };
        let _ = io::stdout().lock().write_all(&line);
    }

    fn text(&self, line: &mut Vec<u8>, exchange: &Exchange) -> io::Result<()> {
        let Exchange { request, report, status, .. } = exchange;
        let style = match (&exchange.end, status.as_u16()) {
            (End::Failed(_), _) | (_, 500..) => self.palette.error,
            (End::Aborted, _) | (_, 400..) => self.palette.warning,
            _ => self.palette.fine,
        };
        let at = jiff::Timestamp::try_from(exchange.at).unwrap_or_default().to_zoned(self.zone.clone());
        write!(line, "{} {:<4} ", at.strftime("%H:%M:%S"), request.method)?;
        write!(line, "{} {style}{}{style:#}", self.path(&request.path), status.as_u16())?;
        let counts = Counts::of(report);
        write!(line, " {:<12} {:<16}", report.route.as_deref().unwrap_or("-"), variants(report))?;
        let missed = if counts.missed > 0 { self.palette.warning } else { self.palette.place };
        write!(line, " {:>2} applied", counts.applied)?;
        if counts.missed > 0 {
            write!(line, ", {missed}{} missed{missed:#}", counts.missed)?;
        }
        if counts.skipped > 0 {
            write!(line, ", {missed}{} skipped{missed:#}", counts.skipped)?;
        }
        write!(line, " {:>7} B held {:>8.1} ms", report.max_held_bytes, millis(exchange))?;
        match &exchange.end {
            End::Whole => writeln!(line),
            End::Aborted => writeln!(line, " {style}aborted{style:#}"),
            End::Failed(why) => writeln!(line, " {style}{why}{style:#}"),
        }
    }

    /// The path, with the middle left out where a terminal is too narrow for it.
    fn path(&self, path: &str) -> String {
        let path = printable::line(path);
        let (chars, width) = (path.chars().count(), self.path_width.unwrap_or(PATH_WIDTH));
        if self.path_width.is_none() || chars <= width {
            return format!("{path:<width$}");
        }
        let front = width / 2;
        let back = width.saturating_sub(front).saturating_sub(1);
        let start: String = path.chars().take(front).collect();
        let end: String = path.chars().skip(chars.saturating_sub(back)).collect();
        format!("{start}…{end}")
    }
}

/// The patches of an exchange by what became of them.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Counts {
    pub(crate) applied: usize,
    pub(crate) missed: usize,
    pub(crate) skipped: usize,
}

impl Counts {
    pub(crate) fn of(report: &Report) -> Self {
        let mut counts = Self::default();
        for patch in &report.patches {
            let skipped = patch.outcome.as_ref().is_none_or(|outcome| !outcome.skipped.is_empty());
            let count = match (patch.is_applied(), skipped) {
                (true, _) => &mut counts.applied,
                (false, true) => &mut counts.skipped,
                (false, false) => &mut counts.missed,
            };
            *count = count.saturating_add(1);
        }
        counts
    }
}

/// `hero=bold`, for each experiment that was decided.
pub(crate) fn variants(report: &Report) -> String {
    let variants = report.decisions.iter().filter_map(|note| {
        let experiment = note.name.strip_prefix("variants.")?;
        Some(format!("{experiment}={}", note.value))
    });
    let variants: Vec<String> = variants.collect();
    if variants.is_empty() { "-".to_owned() } else { variants.join(",") }
}

fn millis(exchange: &Exchange) -> f64 {
    exchange.took.as_secs_f64() * 1000.0
}

#[derive(Serialize)]
struct Line<'e> {
    id: u64,
    /// RFC 3339.
    time: String,
    method: &'e str,
    path: &'e str,
    status: u16,
    route: Option<&'e str>,
    variants: String,
    body: String,
    patches: Counts,
    bytes: u64,
    max_held_bytes: usize,
    head_ms: f64,
    ms: f64,
    end: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'e str>,
}

fn json(line: &mut Vec<u8>, exchange: &Exchange) -> io::Result<()> {
    serde_json::to_writer(&mut *line, &summary(exchange))?;
    line.write_all(b"\n")
}

/// What is said of an exchange in one line, for tools.
pub(crate) fn summary(exchange: &Exchange) -> impl Serialize + '_ {
    let Exchange { request, report, .. } = exchange;
    let (end, why) = match &exchange.end {
        End::Whole => ("whole", None),
        End::Aborted => ("aborted", None),
        End::Failed(why) => ("failed", Some(why.as_str())),
    };
    Line {
        id: exchange.id,
        time: jiff::Timestamp::try_from(exchange.at).unwrap_or_default().to_string(),
        method: &request.method,
        path: &request.path,
        status: exchange.status.as_u16(),
        route: report.route.as_deref(),
        variants: variants(report),
        body: report.body.to_string(),
        patches: Counts::of(report),
        bytes: exchange.bytes,
        max_held_bytes: report.max_held_bytes,
        head_ms: exchange.head_after.as_secs_f64() * 1000.0,
        ms: millis(exchange),
        end,
        why,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_fit_into_a_terminal_and_do_nothing_to_it() {
        let log = |path_width| Log {
            form: LogForm::Text,
            palette: Palette::default(),
            path_width,
            zone: TimeZone::UTC,
        };
        for (width, path, shown) in [
            (Some(8), "/p/a", "/p/a    "),
            (Some(8), "/p/aurora", "/p/a…ora"),
            (Some(10), "/\u{9b}2J", "/\\u{9b}2J "),
            (None, "/p/aurora/and/on/and/on/and/on/and/on", "/p/aurora/and/on/and/on/and/on/and/on"),
            (None, "/p", "/p                              "),
        ] {
            assert_eq!(log(width).path(path), shown);
        }
    }
}
