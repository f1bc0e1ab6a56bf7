//! `engraft har`: what a configuration would have done to what was recorded.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::sync::Arc;

use engraft::config::model::Stage;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::exchange::rules::Compiled;
use crate::exchange::stages::Stages;
use crate::failure::{Failure, Verdict};
use crate::input::{self, Input};
use crate::output;

mod analysis;
mod archive;
pub(crate) mod args;
mod report;

use analysis::{Analysis, Bench};
use args::{Format, Har};

pub(crate) fn run(args: &Har) -> Result<Verdict, Failure> {
    let Har { file, rules, .. } = args;
    let inputs =
        [("FILE", Some(file)), ("--config", Some(&rules.config)), ("--payload", rules.payload.as_ref())];
    input::check(&inputs)?;
    let Some(Compiled { configuration, engine, live }) = rules.compile()? else {
        return Ok(Verdict::Problems);
    };
    let bench = Bench {
        // There is no cache here, so one exchange is both.
        engine: Arc::new(engine.at_stage(Stage::Both)),
        stages: Stages::of(&configuration),
        live,
        facts: args.facts.clone(),
        now: args.now,
    };
    let (analysis, whole) = analyse(&args.file, &bench)?;
    output::to_stdout(|out, palette| match args.format {
        Format::Table => report::table::write(&analysis, output::columns(&io::stdout()), out, palette),
        Format::Json => report::json::write(&analysis, out),
    })?;
    if let Some(path) = &args.report {
        write_page(&analysis, &args.file.name(), path)?;
    }
    match whole {
        Ok(()) => Ok(Verdict::Fine),
        Err(why) => refused(&args.file.name(), &format!("the recording can't be read any further: {why}")),
    }
}

/// What can be told of a recording, and whether that is all of it.
type Told = (Analysis, Result<(), serde_json::Error>);

fn analyse(file: &Input, bench: &Bench) -> Result<Told, Failure> {
    let unread = |source| Failure::Read { name: file.name(), source };
    let (from, length): (Box<dyn Read>, Option<u64>) = match file {
        Input::Stdin => (Box::new(io::stdin().lock()), None),
        Input::File(path) => {
            let file = File::open(path).map_err(unread)?;
            let length = file.metadata().map_err(unread)?.len();
            (Box::new(file), Some(length))
        }
    };
    // It draws on terminals only.
    let progress = ProgressBar::with_draw_target(length, ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{wide_bar} {bytes} of {total_bytes}, {msg}") {
        progress.set_style(style);
    }
    let mut analysis = Analysis::default();
    let mut failure = None;
    let mut number = 0_usize;
    let whole = archive::read(BufReader::new(progress.wrap_read(from)), &mut |entry| {
        number = number.saturating_add(1);
        if failure.is_none() {
            failure = bench.add(entry, number, &mut analysis).err();
        }
        progress.set_message(format!("{number} exchanges"));
    });
    progress.finish_and_clear();
    match (failure, whole) {
        (Some(failure), _) => Err(failure),
        (None, Err(why)) if why.is_io() => Err(unread(why.into())),
        (None, whole) => Ok((analysis, whole)),
    }
}

fn refused(name: &str, why: &str) -> Result<Verdict, Failure> {
    output::to_stderr(|out, palette| output::refused(out, palette, name, &why))?;
    Ok(Verdict::Problems)
}

fn write_page(analysis: &Analysis, recording: &str, path: &Path) -> Result<(), Failure> {
    let mut page = Vec::new();
    let written =
        report::page::write(analysis, recording, &mut page).and_then(|()| std::fs::write(path, page));
    written.map_err(|source| Failure::Save { name: path.display().to_string(), source })?;
    output::to_stderr(|out, _| writeln!(out, "wrote {}", path.display()))
}
