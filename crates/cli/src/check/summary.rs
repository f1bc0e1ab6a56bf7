//! The last line: how much was found, or that nothing was.

use std::fmt;
use std::io::{self, Write};

use engraft::config::problem::Level;

use super::findings::Findings;
use crate::output::Palette;

pub(super) struct Summary {
    errors: usize,
    warnings: usize,
    notes: usize,
    /// The list of errors was cut short.
    or_more: bool,
    /// Routes and patches, where the configuration can be used.
    size: Option<(usize, usize)>,
}

impl Summary {
    pub(super) fn of(findings: &Findings) -> Self {
        let count = |level| {
            let found = findings.list.iter().filter(|it| it.level == level && !it.is_of_the_list());
            found.count()
        };
        let size = findings.engine.as_ref().map(|engine| {
            let patches = engine.routes().iter().map(|route| route.patches.len());
            (engine.routes().len(), patches.sum())
        });
        Self {
            errors: count(Level::Error),
            warnings: count(Level::Warning),
            notes: count(Level::Note),
            or_more: findings.list.iter().any(super::finding::Finding::is_of_the_list),
            size,
        }
    }

    pub(super) fn write(&self, out: &mut dyn Write, palette: &Palette, name: &str) -> io::Result<()> {
        if self.errors > 0 || self.size.is_none() {
            let or_more = if self.or_more { " or more" } else { "" };
            let style = palette.error;
            write!(out, "{style}{}{or_more}{style:#}", Count(self.errors, "error"))?;
        } else if let Some((routes, patches)) = self.size {
            let style = palette.fine;
            let (routes, patches) = (Count(routes, "route"), Count(patches, "patch"));
            write!(out, "{style}{name} is fine{style:#}: {routes}, {patches}")?;
        }
        for count in [Count(self.warnings, "warning"), Count(self.notes, "note")] {
            if count.0 > 0 {
                write!(out, ", {count}")?;
            }
        }
        writeln!(out)
    }
}

/// A number of things.
struct Count(usize, &'static str);

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(n, noun) = self;
        let plural = match *n {
            1 => "",
            _ if noun.ends_with("ch") => "es",
            _ => "s",
        };
        write!(f, "{n} {noun}{plural}")
    }
}
