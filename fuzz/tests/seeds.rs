//! The checks on the committed seeds: `fuzz/seeds/<check>/<seed>`, each a test with a name of its own.

use std::error::Error;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use engraft_fuzz::CHECKS;
use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    match trials() {
        Ok(trials) => libtest_mimic::run(&Arguments::from_args(), trials).exit_code(),
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

fn trials() -> Result<Vec<Trial>, Box<dyn Error>> {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds");
    let mut trials = Vec::new();
    for (name, check) in CHECKS {
        let before = trials.len();
        for entry in fs::read_dir(seeds.join(name))? {
            let path = entry?.path();
            let seed = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            trials.push(Trial::test(format!("{name}::{seed}"), move || {
                let input = fs::read(&path).map_err(|error| error.to_string())?;
                check(&input).map_err(Into::into)
            }));
        }
        if trials.len() == before {
            return Err(format!("seeds/{name} is empty").into());
        }
    }
    trials.sort_by(|a, b| a.name().cmp(b.name()));
    Ok(trials)
}
