//! One JSON object with everything, for programs.

use std::io::{self, Write};

use engraft::config::node::Location;
use serde::Serialize;

use super::super::outcome::{Complaint, Flaw, Mismatch, Round, ScenarioOutcome, SuiteOutcome};
use crate::output;

#[derive(Serialize)]
struct Outcome<'r> {
    passed: usize,
    failed: usize,
    files: Vec<File<'r>>,
    notes: &'r [String],
}

#[derive(Serialize)]
struct File<'r> {
    file: &'r str,
    /// What keeps it from being run.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Error<'r>>,
    scenarios: Vec<Scenario<'r>>,
}

#[derive(Serialize)]
struct Error<'r> {
    file: &'r str,
    at: Option<Location>,
    message: &'r str,
}

#[derive(Serialize)]
struct Scenario<'r> {
    name: &'r str,
    at: Option<Location>,
    passed: bool,
    microseconds: u128,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated: Option<&'r str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    failures: Vec<Failure<'r>>,
}

#[derive(Serialize)]
struct Failure<'r> {
    path: String,
    at: Option<Location>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    found: Option<&'r str>,
}

pub(in crate::test) fn write(round: &Round, out: &mut dyn Write) -> io::Result<()> {
    let files = round.suites.iter().map(File::from).collect();
    let outcome = Outcome { passed: round.passed(), failed: round.failed(), files, notes: &round.notes };
    output::json(out, &outcome)
}

impl<'r> From<&'r SuiteOutcome> for File<'r> {
    fn from(suite: &'r SuiteOutcome) -> Self {
        let (scenarios, errors) = match &suite.scenarios {
            Ok(scenarios) => (scenarios.iter().map(Scenario::from).collect(), Vec::new()),
            Err(flaws) => (Vec::new(), flaws.iter().map(Error::from).collect()),
        };
        Self { file: &suite.file, errors, scenarios }
    }
}

impl<'r> From<&'r Flaw> for Error<'r> {
    fn from(flaw: &'r Flaw) -> Self {
        Self { file: &flaw.file, at: flaw.at, message: &flaw.message }
    }
}

impl<'r> From<&'r ScenarioOutcome> for Scenario<'r> {
    fn from(scenario: &'r ScenarioOutcome) -> Self {
        Self {
            name: &scenario.name,
            at: scenario.at,
            passed: scenario.passes(),
            microseconds: scenario.took.as_micros(),
            updated: scenario.updated.as_deref(),
            failures: scenario.complaints.iter().map(Failure::from).collect(),
        }
    }
}

impl<'r> From<&'r Complaint> for Failure<'r> {
    fn from(complaint: &'r Complaint) -> Self {
        let (message, expected, found) = match &complaint.what {
            Mismatch::Says(message) => (Some(message.as_str()), None, None),
            Mismatch::Differs { expected, found } => (None, Some(expected.as_str()), Some(found.as_str())),
        };
        Self { path: complaint.path.to_string(), at: complaint.at, message, expected, found }
    }
}
