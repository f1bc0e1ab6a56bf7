//! Annotations of a run of GitHub Actions: workflow commands on standard output.

use std::io::{self, Write};

use engraft::config::problem::Level;

use super::findings::Findings;

/// `::error file=…,line=…,col=…,endColumn=…,title=…::message`
pub(super) fn write(out: &mut dyn Write, findings: &Findings, name: &str) -> io::Result<()> {
    for finding in &findings.list {
        let command = match finding.level {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Note => "notice",
        };
        write!(out, "::{command} file={}", property(name))?;
        if let Some(at) = finding.problem.at {
            write!(out, ",line={},col={}", at.line, at.column)?;
            if let Some(end) = findings.source.end_column(at) {
                write!(out, ",endColumn={end}")?;
            }
        }
        if let Some(code) = finding.code() {
            write!(out, ",title={}", property(code.name()))?;
        }
        let mut rest = finding.problem.clone();
        rest.at = None;
        writeln!(out, "::{}", data(&rest.to_string()))?;
    }
    Ok(())
}

/// What stands behind the last `::` (`escapeData` of `@actions/core`): a command ends with its line.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// What stands behind an equals sign (`escapeProperty`): a colon or a comma would end it.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_said_ends_a_command_or_a_property() {
        assert_eq!(data("100 %\r\na: b, c"), "100 %25%0D%0Aa: b, c");
        assert_eq!(property("C:\\a,b%"), "C%3A\\a%2Cb%25");
    }
}
