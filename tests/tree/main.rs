//! The standard's tree is the judge: `DOM(output) = operation(DOM(source))`.
//!
//! A document and a patch go through the core. Its output is parsed by html5ever, which follows the standard's tree
//! construction, and compared with the source's tree after the same operation by the methods of the DOM. The edit is right,
//! or skipped with a reason, never wrong.
//!
//! ```text
//! generated::<n>      a share of the generated documents and patches
//! examples::<name>    tests/data/tree/<name>.yaml: a document, and patches that must not be skipped
//! pages::<name>       a real page with ordinary selectors
//! judge::<name>       the judge itself
//! split::<n>          routes in two stages: the bytes are those of one filter
//! ```
//!
//! | variable              | meaning                                                                                |
//! |-----------------------|----------------------------------------------------------------------------------------|
//! | `ENGRAFT_TREE_SEED`   | what documents and patches are made from                                               |
//! | `ENGRAFT_TREE_CASES`  | how many are made                                                                      |
//! | `ENGRAFT_TREE_ONLY`   | only the case with this number, which a failure prints                                 |
//! | `ENGRAFT_TREE_SHOW`   | how many failures of a share are shrunk and shown, 3 if it does not say                |

#![expect(clippy::indexing_slicing, reason = "what the judge stumbles over is a failure")]

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use libtest_mimic::{Arguments, Trial};

mod examples;
mod generate;
mod generated;
mod itself;
mod judge;
mod pages;
mod random;
mod shrink;
mod split;
mod summary;

use summary::Summary;

/// The generated cases are shared out among so many tests.
const SHARES: u64 = 8;

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<ExitCode, String> {
    let arguments = Arguments::from_args();
    let plan = generated::Plan::from_environment()?;
    let summary = Arc::new(Mutex::new(Summary::default()));
    let mut trials = examples::trials()?;
    trials.extend(itself::trials());
    trials.extend(pages::trials());
    trials.extend(split::trials(&plan));
    for share in 0..SHARES {
        let (plan, summary) = (plan.clone(), Arc::clone(&summary));
        trials.push(Trial::test(format!("generated::{share}"), move || {
            let (counted, failures) = generated::run(&plan, share, SHARES)?;
            summary.lock().unwrap_or_else(PoisonError::into_inner).add(counted);
            if failures.is_empty() { Ok(()) } else { Err(failures.into()) }
        }));
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    let summary = summary.lock().unwrap_or_else(PoisonError::into_inner);
    let _ = writeln!(std::io::stderr(), "tree, seed {}: {summary}", plan.seed);
    Ok(conclusion.exit_code())
}
