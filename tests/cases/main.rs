//! One table of exchanges, run through the core and through the real Envoy with the same expected bytes.
//!
//! A case is a file, `tests/data/cases/<group>/<case>.yaml`; what may stand in it is said in [`table`]. Each is three tests:
//!
//! ```text
//! native::<group>::<case>      the core, in this process: the body whole, byte by byte, and at random cuts
//! envoy_h1::<group>::<case>    Envoy, HTTP/1.1: the body with its length, and in chunks
//! envoy_h2::<group>::<case>    the same over HTTP/2
//! ```
//!
//! All cases share one configuration and one Envoy; a group with a `group.yaml` has a configuration of its own in the same
//! Envoy. What is run can be chosen like other tests: `cargo test --test cases -- native::redirect`.
//!
//! | variable               | meaning                                                                               |
//! |------------------------|---------------------------------------------------------------------------------------|
//! | `ENGRAFT_SEED`         | where random cuts start from; a failure says with which seed it comes again           |
//! | `ENGRAFT_PRINT`        | when set, prints the Envoy configuration that the cases need, and runs nothing        |
//! | `ENGRAFT_MODULE`       | where the Envoy with the printed configuration finds the module, if not in `dist`     |
//! | `ENGRAFT_ENVOY`        | `host:port` of an Envoy that runs with it; none is started then                       |
//! | `ENGRAFT_ORIGIN_LISTEN`| where the origin listens, if not on a free port; where that Envoy looks for it        |
//! | `ENGRAFT_ACCESS_LOG`   | the access log of that Envoy; without it, what the filter reports is not compared     |

use std::error::Error;
use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;

use engraft_harness::wire::Protocol;
use libtest_mimic::{Arguments, Trial};

mod coding;
mod core;
mod cut;
mod lab;
mod observed;
mod table;

use lab::Lab;
use table::{Case, Table};

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
    let table = Arc::new(Table::read()?);
    if std::env::var_os("ENGRAFT_PRINT").is_some() {
        std::io::stdout().write_all(lab::print(&table)?.as_bytes())?;
        return Ok(ExitCode::SUCCESS);
    }
    // Started by the first case that needs it; stopped at the end of this function.
    let lab = Arc::new(Lab::new(Arc::clone(&table)));
    let mut trials = Vec::new();
    for case in &table.cases {
        let name = case.name.replace('/', "::");
        let run = Arc::clone(case);
        trials.push(Trial::test(format!("native::{name}"), move || core::run(&run).map_err(Into::into)));
        for (kind, protocol) in [("envoy_h1", Protocol::Http1), ("envoy_h2", Protocol::Http2)] {
            let (run, lab): (Arc<Case>, _) = (Arc::clone(case), Arc::clone(&lab));
            let trial =
                Trial::test(format!("{kind}::{name}"), move || lab.run(&run, protocol).map_err(Into::into));
            trials.push(trial);
        }
    }
    Ok(libtest_mimic::run(&arguments, trials).exit_code())
}
