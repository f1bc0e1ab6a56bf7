//! JUnit's XML, as CI servers read it: a `testsuite` for each file, a `testcase` for each scenario.

use std::io::{self, Write};
use std::time::Duration;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::super::outcome::{Round, SuiteOutcome};
use super::told;

pub(in crate::test) fn write(round: &Round, out: &mut dyn Write) -> io::Result<()> {
    let mut xml = Writer::new_with_indent(Vec::new(), b' ', 2);
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let (tests, failures) =
        (round.passed().saturating_add(round.failed()).to_string(), round.failed().to_string());
    xml.create_element("testsuites")
        .with_attributes([
            ("name", "engraft"),
            ("tests", &tests),
            ("failures", &failures),
            ("time", &seconds(round.took)),
        ])
        .write_inner_content(|xml| round.suites.iter().try_for_each(|suite| write_suite(suite, xml)))?;
    out.write_all(&xml.into_inner())?;
    out.write_all(b"\n")
}

fn write_suite(suite: &SuiteOutcome, xml: &mut Writer<Vec<u8>>) -> io::Result<()> {
    let file = allowed(&suite.file);
    let (tests, failures, took) = match &suite.scenarios {
        Ok(scenarios) => (
            scenarios.len(),
            scenarios.iter().filter(|scenario| !scenario.passes()).count(),
            scenarios.iter().map(|scenario| scenario.took).sum(),
        ),
        Err(_) => (1, 1, Duration::ZERO),
    };
    let (tests, failures, took) = (tests.to_string(), failures.to_string(), seconds(took));
    let attributes =
        [("name", &*file), ("file", &file), ("tests", &tests), ("failures", &failures), ("time", &took)];
    xml.create_element("testsuite").with_attributes(attributes).write_inner_content(|xml| {
        match &suite.scenarios {
            Ok(scenarios) => {
                for scenario in scenarios {
                    let line = scenario.at.map(|at| at.line.to_string()).unwrap_or_default();
                    let complaints: Vec<String> = scenario.complaints.iter().map(told).collect();
                    let (name, took) = (allowed(&scenario.name), seconds(scenario.took));
                    let case = [
                        ("name", &*name),
                        ("classname", &file),
                        ("file", &file),
                        ("line", &line),
                        ("time", &took),
                    ];
                    write_case(&case, &complaints, xml)?;
                }
            }
            Err(flaws) => {
                let flaws: Vec<String> = flaws.iter().map(ToString::to_string).collect();
                write_case(&[("name", "can be run"), ("classname", &file), ("file", &file)], &flaws, xml)?;
            }
        }
        Ok(())
    })?;
    Ok(())
}

fn write_case(
    attributes: &[(&str, &str)],
    complaints: &[String],
    xml: &mut Writer<Vec<u8>>,
) -> io::Result<()> {
    let case = xml.create_element("testcase").with_attributes(attributes.iter().copied());
    let Some(first) = complaints.first() else {
        case.write_empty()?;
        return Ok(());
    };
    let message = allowed(first.lines().next().unwrap_or_default());
    let text = allowed(&complaints.join("\n"));
    case.write_inner_content(|xml| {
        let failure = xml.create_element("failure").with_attribute(("message", &*message));
        failure.write_text_content(BytesText::new(&text))?;
        Ok(())
    })?;
    Ok(())
}

/// Without the characters that XML has not, in any form (XML 1.0 § 2.2).
fn allowed(text: &str) -> String {
    let is_allowed = |char: char| match char {
        '\t' | '\n' | '\r' => true,
        '\u{fffe}' | '\u{ffff}' => false,
        char => char >= ' ',
    };
    text.chars().map(|char| if is_allowed(char) { char } else { '\u{fffd}' }).collect()
}

fn seconds(took: Duration) -> String {
    format!("{:.6}", took.as_secs_f64())
}
