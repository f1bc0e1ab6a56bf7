//! One line for each exchange, on standard output.

use std::io::{self, Write};

use engraft::exchange::report::Report;
use jiff::tz::TimeZone;
use serde::Serialize;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::args::LogForm;
use super::recent::{End, Exchange};
use crate::output::{self, Palette};
use crate::printable;

/// How wide a path is where no terminal says otherwise; longer ones push the rest of the line to the right.
const PATH_WIDTH: usize = 32;
/// How wide the rest of a line is in columns.
const REST_WIDTH: usize = 86;
/// Less of a path says nothing.
const MIN_PATH_WIDTH: usize = 16;

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Log {
    form: LogForm,
    palette: Palette,
    /// How wide lines may be, where something says so.
    columns: Option<usize>,
    /// Where the server runs; found out once, which takes a look at the file system.
    zone: TimeZone,
}

impl Log {
    pub(crate) fn new(form: LogForm) -> Self {
        let stdout = io::stdout();
        Self {
            form,
            palette: Palette::of(&stdout),
            columns: output::columns(&stdout),
            zone: TimeZone::system(),
        }
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
        let is_narrow =
            self.columns.is_some_and(|columns| columns < REST_WIDTH.saturating_add(MIN_PATH_WIDTH));
        let rest = |palette: &Palette| rest(exchange, palette, !is_narrow);
        let method = &exchange.request.method;
        let start = if is_narrow { method.clone() } else { format!("{method:<4}") };
        let at = jiff::Timestamp::try_from(exchange.at).unwrap_or_default().to_zoned(self.zone.clone());
        let start = format!("{} {start} ", at.strftime("%H:%M:%S"));
        let room = self.columns.map(|columns| {
            let taken = if is_narrow {
                start.width().saturating_add(rest(&Palette::default()).width())
            } else {
                REST_WIDTH
            };
            columns.saturating_sub(taken).max(MIN_PATH_WIDTH)
        });
        let path = printable::line(&exchange.request.path);
        let path = match room {
            Some(room) if path.width() > room => cut(&path, room),
            // What is not in columns is not filled up.
            Some(_) if is_narrow => path.into_owned(),
            room => filled(&path, room.unwrap_or(PATH_WIDTH)),
        };
        writeln!(line, "{start}{path}{}", rest(&self.palette))
    }
}

/// What stands behind the path, in columns of their own or with a space in between.
fn rest(exchange: &Exchange, palette: &Palette, is_in_columns: bool) -> String {
    let report = &exchange.report;
    let style = match (&exchange.end, exchange.status.as_u16()) {
        (End::Failed(_), _) | (_, 500..) => palette.error,
        (End::Aborted, _) | (_, 400..) => palette.warning,
        _ => palette.fine,
    };
    let wide = |columns: usize| if is_in_columns { columns } else { 0 };
    let counts = Counts::of(report);
    let missed = if counts.missed > 0 { palette.warning } else { palette.place };
    let mut parts = vec![
        format!(" {style}{}{style:#}", exchange.status.as_u16()),
        filled(report.route.as_deref().unwrap_or("-"), wide(12)),
        filled(&printable::line(&variants(report)), wide(16)),
        format!("{:>1$} applied", counts.applied, wide(2)),
    ];
    if let Some(part) = parts.last_mut() {
        if counts.missed > 0 {
            part.push_str(&format!(", {missed}{} missed{missed:#}", counts.missed));
        }
        if counts.skipped > 0 {
            part.push_str(&format!(", {missed}{} skipped{missed:#}", counts.skipped));
        }
    }
    parts.push(format!("{:>1$} B held", report.max_held_bytes, wide(7)));
    parts.push(format!("{:>1$.1} ms", millis(exchange), wide(8)));
    match &exchange.end {
        End::Whole => {}
        End::Aborted => parts.push(format!("{style}aborted{style:#}")),
        End::Failed(why) => parts.push(format!("{style}{}{style:#}", printable::line(why))),
    }
    parts.join(" ")
}

/// A text with spaces behind it, so that it takes so many columns at least.
fn filled(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(text.width())))
}

/// A text of which the middle is left out, so that it takes so many columns.
fn cut(text: &str, columns: usize) -> String {
    let fitting = |chars: &mut dyn Iterator<Item = char>, room: usize| -> Vec<char> {
        let mut taken = 0_usize;
        let fits = |c: &char| {
            taken = taken.saturating_add(c.width().unwrap_or(0));
            taken <= room
        };
        chars.take_while(fits).collect()
    };
    let start: String = fitting(&mut text.chars(), columns / 2).into_iter().collect();
    let room = columns.saturating_sub(start.width()).saturating_sub(1);
    let end: String = fitting(&mut text.chars().rev(), room).into_iter().rev().collect();
    filled(&format!("{start}…{end}"), columns)
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
    fn the_middle_of_a_path_is_left_out_where_there_is_no_room() {
        for (columns, path, shown) in [
            (8, "/p/aurora", "/p/a…ora"),
            (9, "/p/auroraaa", "/p/a…raaa"),
            (8, "/漢字漢字漢字", "/漢…漢字"),
            (9, "/漢字漢字漢字", "/漢…漢字 "),
        ] {
            let found = cut(path, columns);
            assert_eq!((found.as_str(), found.width()), (shown, columns), "{path}");
        }
    }
}
