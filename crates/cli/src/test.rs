//! `engraft test`: scenarios, run by the core that runs in Envoy.
//!
//! ```text
//! *.test.yaml ─► scenario (given, expect) ─► staging ─► exchange, whole and byte by byte ─► judge ─► report
//! ```
//!
//! A scenario says what a visitor asks for and what the origin answers, and what must come of it. Pages are judged by the tree that
//! the standard makes of them, caching by a library of RFC 9111: not by what made the edits and wrote the headers.

use std::path::PathBuf;

use crate::failure::{Failure, Verdict};
use crate::output;

pub(crate) mod args;
mod coverage;
mod expect;
mod files;
mod judge;
mod outcome;
mod report;
mod run;
mod scenario;
mod snapshot;
mod staging;
mod watch;
mod words;

use args::{Format, Test};
use files::Files;
use outcome::Round;
use run::Asked;

pub(crate) fn run(args: &Test) -> Result<Verdict, Failure> {
    let mut is_first = true;
    loop {
        let mut files = Files::default();
        let found = files::find(&args.paths);
        let paths = found.as_deref().unwrap_or_default().to_vec();
        match found.and_then(|_| once(args, &paths, &mut files)) {
            outcome if !args.watch => return outcome,
            Ok(_) => {}
            // What can't be run at first is no slip of the moment.
            Err(failure) if is_first => return Err(failure),
            // An editor took a file away, or a name was changed.
            Err(failure) => output::failed(&failure),
        }
        is_first = false;
        output::to_stdout(|out, _| writeln!(out, "\nwatching; Ctrl-C ends it\n"))?;
        // Folders are searched again as well; where that fails for a moment, there is nothing new.
        let finds_others = || files::find(&args.paths).is_ok_and(|found| found != paths);
        watch::wait(&files.into_stamps(), finds_others);
    }
}

/// Runs what these files have of what is asked for, and tells of it.
fn once(args: &Test, paths: &[PathBuf], files: &mut Files) -> Result<Verdict, Failure> {
    let asked = Asked { filter: args.filter.as_deref(), updates: args.update, coverage: args.coverage };
    let round = run::run(paths, asked, files);
    if let (true, Some(filter)) = (round.suites.is_empty(), &args.filter) {
        return Err(Failure::NoSuchScenario { filter: filter.clone() });
    }
    tell(&round, args.format)?;
    Ok(if round.failed() == 0 { Verdict::Fine } else { Verdict::Problems })
}

fn tell(round: &Round, format: Format) -> Result<(), Failure> {
    output::to_stdout(|out, palette| match format {
        Format::Human => report::human::write(round, out, palette),
        Format::Tap => report::tap::write(round, out),
        Format::Junit => report::junit::write(round, out),
        Format::Json => report::json::write(round, out),
    })
}
