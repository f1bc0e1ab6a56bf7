//! Decisions as GrowthBook's SDKs make them.
//!
//! Each case of the cross-SDK specification, of the table of URL targets and of the decisions of one payload, plain and
//! encrypted, is a test with its own name. They are no part of this repository; a checkout without them beside it skips
//! them, visibly. How many passed is printed per section.

#![expect(clippy::indexing_slicing, reason = "indexing JSON gives null for what is not there")]

mod cases;
mod decisions;
mod payloads;
mod section;
mod targeting;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use libtest_mimic::Arguments;

/// What gets in a test's way, or what it finds.
type Tested = Result<(), String>;

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            say(&error);
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<ExitCode, String> {
    let arguments = Arguments::from_args();
    let data = data();
    if !data.is_dir() {
        say("SKIPPED: growthbook: ../shared/growthbook is absent");
        return Ok(libtest_mimic::run(&arguments, Vec::new()).exit_code());
    }
    let mut sections = cases::sections(&data)?;
    sections.push(targeting::section(&data)?);
    sections.extend(decisions::sections(&data)?);
    let (trials, counts) = section::trials(sections);
    let conclusion = libtest_mimic::run(&arguments, trials);
    if !arguments.list {
        counts.iter().for_each(|count| say(&count.to_string()));
    }
    Ok(conclusion.exit_code())
}

/// Where the data is, beside the checkout.
fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/growthbook")
}

fn json(path: &Path) -> Result<serde_json::Value, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
}

fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
