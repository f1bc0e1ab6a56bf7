//! A configuration that says `version: 1` loads with every release that knows version 1.
//!
//! `tests/data/configurations/v1` holds configurations as they stood in examples, documentation and tests at some time: nothing in it is changed
//! once it has been released, and what an example becomes is added. Each file is a test of its own. A configuration that has to be
//! written in another way is a new version, with a folder of its own.

use std::error::Error;
use std::fs;
use std::io::Write as _;
use std::process::ExitCode;

use engraft::engine::Engine;
use engraft_harness::workspace;
use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<ExitCode, Box<dyn Error>> {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    for version in sorted("tests/data/configurations")? {
        for file in sorted(&format!("tests/data/configurations/{version}"))? {
            let path = workspace::root().join("tests/data/configurations").join(&version).join(&file);
            let name = format!("{version}::{}", file.trim_end_matches(".yaml"));
            trials.push(Trial::test(name, move || {
                Engine::load(&fs::read(path)?).map(drop).map_err(|problems| problems.to_string().into())
            }));
        }
    }
    if trials.is_empty() {
        return Err("no configuration in tests/data/configurations".into());
    }
    Ok(libtest_mimic::run(&arguments, trials).exit_code())
}

/// The names in a folder of the checkout.
fn sorted(folder: &str) -> Result<Vec<String>, Box<dyn Error>> {
    let entries = fs::read_dir(workspace::root().join(folder))?;
    let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    let mut names = names.collect::<Result<Vec<_>, std::io::Error>>()?;
    names.sort();
    Ok(names)
}
