//! A table, as wide as the terminal: a line for each exchange, the slowest first.

use std::borrow::Cow;
use std::io::{self, Write};

use console::{Alignment, measure_text_width, pad_str, truncate_str};

use super::super::analysis::{Analysis, Row};
use super::{change, microseconds, passed_over, patches, short, summary};
use crate::output::Palette;
use crate::printable;

/// What stands between columns.
const GAP: usize = 2;

/// The least that is shown of a URL.
const MIN_URL: usize = 20;

/// A column of the table.
struct Column {
    title: &'static str,
    align: Alignment,
    /// Those with higher numbers are left out first where the terminal is narrow.
    rank: usize,
    cell: fn(&Row) -> String,
}

const COLUMNS: [Column; 11] = [
    Column { title: "µs", align: Alignment::Right, rank: 0, cell: microseconds },
    Column {
        title: "µs/KB",
        align: Alignment::Right,
        rank: 6,
        cell: |row| format!("{:.1}", row.microseconds_per_kb()),
    },
    Column { title: "method", align: Alignment::Left, rank: 8, cell: |row| row.method.clone() },
    Column { title: URL, align: Alignment::Left, rank: 0, cell: |row| row.url.clone() },
    Column { title: "status", align: Alignment::Right, rank: 7, cell: |row| row.status.as_u16().to_string() },
    Column {
        title: "route",
        align: Alignment::Left,
        rank: 1,
        cell: |row| row.route.clone().unwrap_or_else(|| "none".to_owned()),
    },
    Column { title: "patches", align: Alignment::Left, rank: 2, cell: patches },
    Column { title: "changed", align: Alignment::Right, rank: 4, cell: |row| row.changed.to_string() },
    Column {
        title: "held",
        align: Alignment::Right,
        rank: 9,
        cell: |row| format!("{} B", row.max_held_bytes),
    },
    Column {
        title: "browser",
        align: Alignment::Left,
        rank: 5,
        cell: |row| change(row.before.browser, row.after.browser),
    },
    Column {
        title: "shared, store",
        align: Alignment::Left,
        rank: 3,
        cell: |row| {
            let shared = change(row.before.shared, row.after.shared);
            row.store.map_or_else(|| shared.clone(), |store| format!("{shared}, {}", short(store)))
        },
    },
];

/// The title of the column that gets what room is left.
const URL: &str = "url";

/// Writes it for a terminal of that width, or as wide as it gets.
pub(in crate::har) fn write(
    analysis: &Analysis,
    width: Option<usize>,
    out: &mut dyn Write,
    palette: &Palette,
) -> io::Result<()> {
    let rows = analysis.by_time();
    if !rows.is_empty() {
        write_table(&rows, width, out, palette)?;
        writeln!(out)?;
    }
    let Palette { warning: style, place: bold, .. } = *palette;
    for warning in analysis.warnings() {
        writeln!(out, "{style}warning:{style:#} {}", printable::line(&warning))?;
    }
    writeln!(out, "{bold}{}{bold:#}", summary(analysis))?;
    passed_over(analysis).into_iter().try_for_each(|others| writeln!(out, "{others}"))
}

fn write_table(
    rows: &[&Row],
    width: Option<usize>,
    out: &mut dyn Write,
    palette: &Palette,
) -> io::Result<()> {
    let columns: Vec<(&Column, Vec<String>)> = COLUMNS
        .iter()
        .map(|column| {
            let cells = rows.iter().map(|row| printable::line(&(column.cell)(row)).into_owned());
            (column, cells.collect())
        })
        .collect();
    let mut widths: Vec<usize> = columns
        .iter()
        .map(|(column, cells)| {
            let cells = cells.iter().map(|cell| measure_text_width(cell));
            cells.chain([measure_text_width(column.title)]).max().unwrap_or_default()
        })
        .collect();
    if let Some(width) = width {
        fit(&columns, &mut widths, width);
    }
    let line = |cell: &dyn Fn(usize, &Column) -> String| {
        let mut line = String::new();
        for (index, ((column, _), width)) in
            columns.iter().zip(&widths).enumerate().filter(|(_, (_, width))| **width > 0)
        {
            let cell = cell(index, column);
            let cell = truncate_str(&cell, *width, "…");
            let cell: Cow<'_, str> = pad_str(&cell, *width, column.align, None);
            if !line.is_empty() {
                line.push_str(&" ".repeat(GAP));
            }
            line.push_str(&cell);
        }
        line.truncate(line.trim_end().len());
        line
    };
    let bold = palette.place;
    writeln!(out, "{bold}{}{bold:#}", line(&|_, column| column.title.to_owned()))?;
    for row in 0..rows.len() {
        let cell = |index: usize, _: &Column| {
            let cells = columns.get(index).map(|(_, cells)| cells);
            cells.and_then(|cells| cells.get(row)).cloned().unwrap_or_default()
        };
        writeln!(out, "{}", line(&cell))?;
    }
    Ok(())
}

/// Leaves columns out (width 0) until the URL has room enough, and gives it the rest.
fn fit(columns: &[(&Column, Vec<String>)], widths: &mut [usize], width: usize) {
    loop {
        let others: usize = columns
            .iter()
            .zip(&*widths)
            .filter(|((column, _), width)| column.title != URL && **width > 0)
            .map(|(_, width)| width.saturating_add(GAP))
            .sum();
        let room = width.saturating_sub(others);
        let Some(url) = columns.iter().position(|(column, _)| column.title == URL) else { return };
        let last = columns.iter().zip(&*widths).enumerate();
        let last = last.filter(|(_, ((column, _), width))| column.rank > 0 && **width > 0);
        let last = last.max_by_key(|(_, ((column, _), _))| column.rank).map(|(index, _)| index);
        let wanted = widths.get(url).copied().unwrap_or_default();
        match last {
            Some(last) if room < wanted.min(MIN_URL) => {
                if let Some(width) = widths.get_mut(last) {
                    *width = 0;
                }
            }
            _ => {
                if let Some(url) = widths.get_mut(url) {
                    *url = wanted.min(room.max(1));
                }
                return;
            }
        }
    }
}
