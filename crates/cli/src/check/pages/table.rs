//! What patches select on a page, as a table: each patch, what it selects, how often, and where.

use std::io::{self, Write};

use engraft::lint::page::PIECE_BYTES;

use super::{PatchSeen, Seen};
use crate::output::Palette;

impl Seen {
    pub(in crate::check) fn write(&self, out: &mut dyn Write, palette: &Palette) -> io::Result<()> {
        let place = palette.place;
        write!(out, "\n{place}page {}{place:#}", self.page)?;
        if let Some(url) = self.url.as_ref().filter(|url| **url != self.page) {
            write!(out, " as {url}")?;
        }
        match &self.route {
            Some(route) => writeln!(out, ", route {route}")?,
            None => return writeln!(out, "\n  no route is for it"),
        }
        if let Some(reason) = self.untouched {
            return writeln!(out, "  it passes as it is: {reason}");
        }
        if self.patches.is_empty() {
            return writeln!(out, "  no patch edits such a page");
        }
        let columns = |text: fn(&PatchSeen) -> &str| {
            self.patches.iter().map(|it| text(it).chars().count()).max().unwrap_or_default()
        };
        let (label, select) = (columns(|it| &it.patch), columns(PatchSeen::target));
        for patch in &self.patches {
            let style = if patch.applied == 0 { palette.warning } else { palette.fine };
            let (name, target, counts) = (&patch.patch, patch.target(), patch.counts());
            let line =
                format!("  {name:label$}  {target:select$}  {style}{counts:10}{style:#}  {}", patch.rest());
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

impl PatchSeen {
    fn target(&self) -> &str {
        match (&self.select, self.is_anywhere) {
            (Some(select), _) => select,
            (None, true) => "head or body",
            (None, false) => "body",
        }
    }

    fn counts(&self) -> String {
        match (self.matches, self.applied) {
            // Into head or body, where every page has a place.
            (0, 1..) => "inserted".to_owned(),
            (0, 0) => "no match".to_owned(),
            (1, _) => "1 match".to_owned(),
            (n, _) => format!("{n} matches"),
        }
    }

    fn rest(&self) -> String {
        let places: Vec<String> = self.places.iter().map(|at| format!("{}:{}", at.line, at.column)).collect();
        let more = if self.matches > self.places.len() && !self.places.is_empty() { ", …" } else { "" };
        let mut parts = vec![format!("{}{more}", places.join(", "))];
        if self.matches > 1 && !self.all {
            parts.push("the first one counts".to_owned());
        }
        parts.extend(self.skipped.iter().map(|(reason, count)| format!("skipped {count}: {reason}")));
        parts.extend(self.search_ended.map(|reason| format!("the search ended: {reason}")));
        if self.held_bytes >= PIECE_BYTES {
            parts.push(format!("holds {} bytes", self.held_bytes));
        }
        parts.retain(|part| !part.is_empty());
        parts.join("; ")
    }
}
