//! A line for each remark, as compilers write it and editors read it: `FILE:LINE:COL: error[code]: …`.

use std::io::{self, Write};

use engraft::config::node::Location;
use engraft::config::problem::Level;

use super::finding::Finding;
use crate::output::Palette;

pub(super) fn write(out: &mut dyn Write, palette: &Palette, name: &str, finding: &Finding) -> io::Result<()> {
    let place = palette.place;
    match finding.problem.at {
        Some(Location { line, column }) => write!(out, "{place}{name}:{line}:{column}:{place:#} ")?,
        None => write!(out, "{place}{name}:{place:#} ")?,
    }
    let style = match finding.level {
        Level::Error => palette.error,
        Level::Warning => palette.warning,
        Level::Note => palette.note,
    };
    let code = finding.code().map(|code| format!("[{code}]")).unwrap_or_default();
    let mut rest = finding.problem.clone();
    rest.at = None;
    writeln!(out, "{style}{}{code}:{style:#} {rest}", finding.level)
}
