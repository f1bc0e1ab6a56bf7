//! Test Anything Protocol, version 14: <https://testanything.org/tap-version-14-specification.html>.

use std::io::{self, Write};

use super::super::outcome::Round;
use super::told;
use crate::printable;

pub(in crate::test) fn write(round: &Round, out: &mut dyn Write) -> io::Result<()> {
    let mut points = Vec::new();
    for suite in &round.suites {
        match &suite.scenarios {
            Ok(scenarios) => points.extend(scenarios.iter().map(|scenario| {
                let complaints: Vec<String> = scenario.complaints.iter().map(told).collect();
                let at = scenario.at.map(|at| format!("{}:{}", suite.file, at.line));
                let name = format!("{}: {}", suite.file, scenario.name);
                (name, at.unwrap_or_else(|| suite.file.clone()), complaints)
            })),
            Err(flaws) => {
                let flaws = flaws.iter().map(ToString::to_string).collect();
                points.push((format!("{}: can be run", suite.file), suite.file.clone(), flaws));
            }
        }
    }
    writeln!(out, "TAP version 14")?;
    writeln!(out, "1..{}", points.len())?;
    for (number, (name, at, complaints)) in (1_usize..).zip(&points) {
        let not = if complaints.is_empty() { "" } else { "not " };
        writeln!(out, "{not}ok {number} - {}", description(name))?;
        if complaints.is_empty() {
            continue;
        }
        writeln!(out, "  ---\n  at: {}\n  message: |", quoted(at))?;
        for line in complaints.iter().flat_map(|complaint| complaint.lines()) {
            writeln!(out, "    {}", printable::code(line))?;
        }
        writeln!(out, "  ...")?;
    }
    for note in &round.notes {
        writeln!(out, "# {}", printable::line(note))?;
    }
    Ok(())
}

/// `#` would begin a directive.
fn description(name: &str) -> String {
    printable::line(name).replace('\\', "\\\\").replace('#', "\\#")
}

/// A scalar of YAML, whatever is in it; JSON's are.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}
