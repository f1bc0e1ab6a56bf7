//! For people: a line for each scenario, what does not hold in full, and a last line that sums up.

use std::io::{self, Write};

use engraft::config::node::Location;

use super::super::outcome::{Complaint, Mismatch, Round, ScenarioOutcome};
use super::place;
use crate::diff::{self, Side};
use crate::output::Palette;
use crate::printable;

pub(in crate::test) fn write(round: &Round, out: &mut dyn Write, palette: &Palette) -> io::Result<()> {
    let Palette { error, warning, place: bold, .. } = *palette;
    for suite in &round.suites {
        writeln!(out, "{bold}{}{bold:#}", printable::line(&suite.file))?;
        match &suite.scenarios {
            Ok(scenarios) => {
                scenarios
                    .iter()
                    .try_for_each(|scenario| write_scenario(scenario, &suite.file, out, palette))?;
            }
            Err(flaws) => {
                for flaw in flaws {
                    writeln!(out, "  {error}error:{error:#} {}", printable::line(&flaw.to_string()))?;
                }
            }
        }
    }
    for note in &round.notes {
        writeln!(out, "{warning}note:{warning:#} {}", printable::line(note))?;
    }
    writeln!(out, "{}", summary(round, palette))
}

fn write_scenario(
    scenario: &ScenarioOutcome,
    file: &str,
    out: &mut dyn Write,
    palette: &Palette,
) -> io::Result<()> {
    let name = printable::line(&scenario.name);
    let Palette { error, warning, fine, .. } = *palette;
    if scenario.passes() {
        writeln!(out, "  {fine}✓{fine:#} {name}")?;
    } else {
        writeln!(out, "  {error}✗ {name}{error:#}")?;
    }
    if let Some(snapshot) = &scenario.updated {
        writeln!(out, "      {warning}wrote{warning:#} {}", printable::line(snapshot))?;
    }
    scenario.complaints.iter().try_for_each(|complaint| write_complaint(complaint, file, out, palette))
}

fn write_complaint(
    complaint: &Complaint,
    file: &str,
    out: &mut dyn Write,
    palette: &Palette,
) -> io::Result<()> {
    let bold = palette.place;
    let at = complaint.at.map(|Location { line, column }| format!("{file}:{line}:{column}: "));
    let named =
        place(&Complaint { at: None, path: complaint.path.clone(), what: Mismatch::Says(String::new()) });
    let at = at.unwrap_or_default();
    write!(out, "      {bold}{}{bold:#}{}", printable::line(&at), printable::line(&named))?;
    match &complaint.what {
        Mismatch::Says(message) => {
            let mut lines = message.lines();
            writeln!(out, ": {}", printable::line(lines.next().unwrap_or_default()))?;
            lines.try_for_each(|line| writeln!(out, "        {}", printable::code(line)))
        }
        Mismatch::Differs { expected, found } => {
            writeln!(out)?;
            for line in diff::lines(expected, found) {
                let style = match line.side {
                    Side::Expected => palette.error,
                    Side::Found => palette.fine,
                    Side::Both | Side::Gap => Default::default(),
                };
                writeln!(out, "        {style}{} {}{style:#}", line.side.sign(), line.text)?;
            }
            Ok(())
        }
    }
}

fn summary(round: &Round, palette: &Palette) -> String {
    let Palette { error, fine, .. } = *palette;
    let broken = round.suites.iter().filter(|suite| suite.scenarios.is_err()).count();
    let failed = round.failed().saturating_sub(broken);
    let all = count(round.passed().saturating_add(failed), "scenario");
    let files = count(round.suites.len(), "file");
    if round.failed() == 0 {
        let pass = if round.passed() == 1 { "passes" } else { "pass" };
        return format!("{fine}{all} {pass}{fine:#}, in {files}");
    }
    let fail = if failed == 1 { "fails" } else { "fail" };
    let cannot = format!("{} can't be run", count(broken, "file"));
    let what = match (failed, broken) {
        (_, 0) => format!("{failed} of {all} {fail}"),
        (0, _) if round.passed() == 0 => return format!("{error}{cannot}{error:#}"),
        (0, _) => format!("{cannot}, {all} pass"),
        _ => format!("{failed} of {all} {fail}, {cannot}"),
    };
    format!("{error}{what}{error:#}, in {files}")
}

fn count(n: usize, noun: &str) -> String {
    let plural = if n == 1 { "" } else { "s" };
    format!("{n} {noun}{plural}")
}
