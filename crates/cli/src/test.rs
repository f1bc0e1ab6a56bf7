//! `engraft test`: scenarios, run by the core that runs in Envoy.
//!
//! ```text
//! *.test.yaml ─► scenario (given, expect) ─► staging ─► exchange, whole and byte by byte ─► judge ─► report
//! ```
//!
//! A scenario says what a visitor asks for and what the origin answers, and what must come of it. Pages are judged by the tree that
//! the standard makes of them, caching by a library of RFC 9111: not by what made the edits and wrote the headers.

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
    loop {
        let paths = files::find(&args.paths)?;
        let mut files = Files::default();
        let asked = Asked { filter: args.filter.as_deref(), updates: args.update, coverage: args.coverage };
        let round = run::run(&paths, asked, &mut files);
        if let (true, Some(filter)) = (round.suites.is_empty(), &args.filter) {
            return Err(Failure::NoSuchScenario { filter: filter.clone() });
        }
        tell(&round, args.format)?;
        if !args.watch {
            return Ok(if round.failed() == 0 { Verdict::Fine } else { Verdict::Problems });
        }
        output::to_stdout(|out, _| writeln!(out, "\nwatching; Ctrl-C ends it\n"))?;
        // Folders are searched again as well; where that fails for a moment, there is nothing new.
        let finds_others = || files::find(&args.paths).is_ok_and(|found| found != paths);
        watch::wait(&files.into_stamps(), finds_others);
    }
}

fn tell(round: &Round, format: Format) -> Result<(), Failure> {
    output::to_stdout(|out, palette| match format {
        Format::Human => report::human::write(round, out, palette),
        Format::Tap => report::tap::write(round, out),
        Format::Junit => report::junit::write(round, out),
        Format::Json => report::json::write(round, out),
    })
}
