//! How a command ends: what went wrong, and the exit code that says so.

use std::fmt;
use std::io;

use engraft::config::problem::suggest;

use crate::fetch::FetchError;
use crate::serve::error::ServeError;
use crate::trace::TraceError;

/// What a command found, when it could do its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The configuration can be used.
    Fine,
    /// It, or a payload, can't, or a scenario fails; what is wrong has been said.
    Problems,
}

/// Why a command could not do its work.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A file, or standard input, can't be read.
    Read { name: String, source: io::Error },
    /// Standard output can't be written.
    Write(io::Error),
    /// A file that would be written over.
    Exists { name: String },
    /// A file can't be written.
    Save { name: String, source: io::Error },
    /// A name that the first line of a configuration can't say.
    SchemaName { name: String },
    /// A page can't be fetched.
    Fetch { url: String, why: FetchError },
    /// Two arguments ask for standard input.
    StdinTwice { first: &'static str, second: &'static str },
    /// A fact that nothing in the configuration reads.
    UnreadFact { name: String, readable: Vec<String> },
    /// The local server can't start.
    Serve(ServeError),
    /// There is no file of scenarios where one was looked for.
    NoScenarios { searched: Vec<String> },
    /// No scenario has this in its name.
    NoSuchScenario { filter: String },
    /// The configuration knows nothing of that name.
    Unknown { what: &'static str, name: String, known: Vec<String> },
    /// A configuration that knows no visitors.
    OriginStage { name: String },
    /// What is given is no trace, or not enough of one.
    Trace { name: String, source: TraceError },
}

/// The exit codes, as [`exit_code`] gives them and `--help` shows them.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0  done; the configuration is fine
  1  what was read has problems; --deny met remarks; a scenario fails; a replay comes out otherwise
  2  wrong usage, or something can't be read or written";

/// The exit code of an outcome.
pub(crate) const fn exit_code(outcome: &Result<Verdict, Failure>) -> u8 {
    match outcome {
        Ok(Verdict::Fine) => 0,
        Ok(Verdict::Problems) => 1,
        Err(
            Failure::Read { .. }
            | Failure::Fetch { .. }
            | Failure::Write(_)
            | Failure::Exists { .. }
            | Failure::Save { .. }
            | Failure::SchemaName { .. }
            | Failure::StdinTwice { .. }
            | Failure::UnreadFact { .. }
            | Failure::Serve(_)
            | Failure::NoScenarios { .. }
            | Failure::NoSuchScenario { .. }
            | Failure::Unknown { .. }
            | Failure::OriginStage { .. }
            | Failure::Trace { .. },
        ) => 2,
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read { name, source } => write!(f, "can't read {name}: {source}"),
            Self::Fetch { url, why } => write!(f, "can't fetch {url}: {why}"),
            Self::Write(source) => write!(f, "can't write the output: {source}"),
            Self::Exists { name } => {
                write!(f, "{name} is there already; name another file, or write over it with --force")
            }
            Self::Save { name, source } => write!(f, "can't write {name}: {source}"),
            Self::SchemaName { name } => write!(
                f,
                "editors can't find a schema at \"{name}\", with a space in it or not in UTF-8; name another file with --schema"
            ),
            Self::StdinTwice { first, second } => {
                write!(f, "{first} and {second} both name standard input (-); name a file for one of them")
            }
            Self::UnreadFact { name, readable } => {
                write!(f, "no attribute of the configuration reads the fact \"{name}\";")?;
                if let Some(meant) = suggest(name, readable.iter().map(String::as_str)) {
                    write!(f, " did you mean \"{meant}\"?")?;
                }
                write!(f, " accepted: {}", readable.join(", "))
            }
            Self::Serve(error) => error.fmt(f),
            Self::NoScenarios { searched } => {
                let searched = searched.join(", ");
                write!(
                    f,
                    "there is no file named *.test.yaml in {searched}; name a file of scenarios, or a folder with some"
                )
            }
            Self::NoSuchScenario { filter } => {
                write!(f, "no scenario has \"{filter}\" in its name; leave --filter out to see all names")
            }
            Self::Unknown { what, name, known } => {
                write!(f, "the configuration has no {what} \"{name}\";")?;
                if let Some(meant) = suggest(name, known.iter().map(String::as_str)) {
                    write!(f, " did you mean \"{meant}\"?")?;
                }
                write!(
                    f,
                    " accepted: {}",
                    if known.is_empty() { "none".to_owned() } else { known.join(", ") }
                )
            }
            Self::OriginStage { name } => write!(
                f,
                "{name} says `stage: origin`, which is asked by caches and knows no visitor; name the configuration of the client stage"
            ),
            Self::Trace { name, source } => write!(f, "{name}: {source}"),
        }
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Read { source, .. } | Self::Write(source) | Self::Save { source, .. } => Some(source),
            Self::Serve(error) => error.source(),
            Self::Trace { source, .. } => Some(source),
            Self::Exists { .. }
            | Self::Unknown { .. }
            | Self::OriginStage { .. }
            | Self::Fetch { .. }
            | Self::SchemaName { .. }
            | Self::StdinTwice { .. }
            | Self::UnreadFact { .. }
            | Self::NoScenarios { .. }
            | Self::NoSuchScenario { .. } => None,
        }
    }
}

/// What an error says, and what those say that it comes from.
pub(crate) fn causes(error: &(dyn std::error::Error + 'static)) -> Vec<String> {
    let mut causes = Vec::new();
    let mut cause = Some(error);
    while let Some(error) = cause {
        causes.push(error.to_string());
        cause = error.source();
    }
    causes
}
