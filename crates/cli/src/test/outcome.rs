//! What came of scenarios.

use std::fmt;
use std::time::Duration;

use engraft::config::node::{Location, Path};
use engraft::config::problem::Problem;

/// A round of files.
#[derive(Debug)]
pub(super) struct Round {
    pub(super) suites: Vec<SuiteOutcome>,
    /// What can be said beside, a line each.
    pub(super) notes: Vec<String>,
    pub(super) took: Duration,
}

/// A file.
#[derive(Debug)]
pub(super) struct SuiteOutcome {
    pub(super) file: String,
    pub(super) scenarios: Result<Vec<ScenarioOutcome>, Vec<Flaw>>,
}

/// What keeps a file from being run: of itself, of the configuration or of the payload.
#[derive(Debug)]
pub(super) struct Flaw {
    pub(super) file: String,
    pub(super) at: Option<Location>,
    pub(super) message: String,
}

/// A scenario.
#[derive(Debug)]
pub(super) struct ScenarioOutcome {
    pub(super) name: String,
    pub(super) at: Option<Location>,
    pub(super) complaints: Vec<Complaint>,
    /// A snapshot that was written.
    pub(super) updated: Option<String>,
    pub(super) took: Duration,
}

/// Something that does not hold.
#[derive(Debug)]
pub(super) struct Complaint {
    /// What expects it.
    pub(super) path: Path,
    pub(super) at: Option<Location>,
    pub(super) what: Mismatch,
}

/// How it does not hold.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Mismatch {
    Differs { expected: String, found: String },
    Says(String),
}

impl Mismatch {
    pub(super) fn says(what: impl Into<String>) -> Self {
        Self::Says(what.into())
    }
}

impl Round {
    pub(super) fn passed(&self) -> usize {
        self.outcomes().filter(|scenario| scenario.passes()).count()
    }

    /// Scenarios that fail, and files that can't be run.
    pub(super) fn failed(&self) -> usize {
        let broken = self.suites.iter().filter(|suite| suite.scenarios.is_err()).count();
        self.outcomes().filter(|scenario| !scenario.passes()).count().saturating_add(broken)
    }

    pub(super) fn outcomes(&self) -> impl Iterator<Item = &ScenarioOutcome> {
        self.suites.iter().filter_map(|suite| suite.scenarios.as_ref().ok()).flatten()
    }
}

impl ScenarioOutcome {
    pub(super) fn passes(&self) -> bool {
        self.complaints.is_empty()
    }
}

impl Flaw {
    pub(super) fn new(file: &str, message: impl fmt::Display) -> Self {
        Self { file: file.to_owned(), at: None, message: message.to_string() }
    }

    pub(super) fn of(file: &str, problem: &Problem) -> Self {
        let mut rest = problem.clone();
        rest.at = None;
        Self { file: file.to_owned(), at: problem.at, message: rest.to_string() }
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at {
            Some(Location { line, column }) => write!(f, "{}:{line}:{column}: {}", self.file, self.message),
            None => write!(f, "{}: {}", self.file, self.message),
        }
    }
}
