//! What engraft costs in Envoy, next to no filter, Envoy's Lua filter, and a plugin that buffers: throughput, processor time, time
//! to first byte, bytes held, module size, start.
//!
//! `make bench` builds what is measured and runs this. `BENCH_SECONDS` is the length of one run under load, `BENCH_ONLY` the one
//! contender to measure besides pass-through, `BENCH_BASELINE_WASM` a module of engraft in an earlier state, which takes its turn
//! with the others. The result is printed and written to `target/bench.md`.
#![expect(clippy::disallowed_methods, reason = "what is measured is real time")]

mod check;
mod contender;
mod measure;
mod page;
mod report;
mod takeover;

use std::env;
use std::error::Error;
use std::fmt;
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use contender::Contender;
use engraft_harness::envoy::Binary;
use engraft_harness::workspace;

type Outcome<T> = Result<T, Box<dyn Error>>;

const SECONDS: &str = "BENCH_SECONDS";
const ONLY: &str = "BENCH_ONLY";
const BASELINE: &str = contender::BASELINE_WASM;
/// Two pages, five rounds, five or six runs each: under three minutes in all.
const DEFAULT_SECONDS: f64 = 2.0;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            progress(&format!("bench: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn run() -> Outcome<()> {
    let settings = Settings::from_env()?;
    let binary = Binary::find()?;
    let (pages, absent) = page::find()?;
    for path in absent {
        progress(&format!("skipped: {} is not there", path.display()));
    }

    let contenders = &settings.contenders;
    let mut sections =
        vec![report::preamble(&binary.version().to_string(), settings.time, &settings.command())];
    for page in &pages {
        progress(&format!("{}: checking", page.name));
        let checked = contenders.iter().map(|contender| check::check(*contender, page));
        let checked = checked.collect::<Outcome<Vec<_>>>()?;
        progress(&format!("{}: measuring", page.name));
        let stands = measure::page(contenders, page, settings.time)?;
        sections.push(report::page(page, &stands, &checked));
    }
    if let Some(page) = pages.first() {
        progress("starting Envoys");
        sections.push(report::modules(contenders, &measure::starts(contenders, page)?)?);
    }

    if contenders.contains(&Contender::Engraft) {
        progress("taking payloads over");
        sections.push(takeover::section()?);
    }

    let report = sections.join("\n");
    let path = workspace::root().join("target/bench.md");
    std::fs::create_dir_all(workspace::root().join("target"))?;
    std::fs::write(&path, &report)?;
    write!(io::stdout(), "\n{report}")?;
    progress(&format!("\nwritten to {}", path.display()));
    Ok(())
}

/// What the environment asks for.
struct Settings {
    seconds: Option<String>,
    only: Option<String>,
    baseline: Option<String>,
    time: Duration,
    contenders: Vec<Contender>,
}

impl Settings {
    fn from_env() -> Outcome<Self> {
        let set = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
        let (seconds, only, baseline) = (set(SECONDS), set(ONLY), set(BASELINE));
        let time = match &seconds {
            Some(seconds) => {
                let number = seconds.parse().ok().filter(|number| (0.1..=60.0).contains(number));
                number.ok_or_else(|| BadSetting::new(SECONDS, seconds, "a number from 0.1 to 60"))?
            }
            None => DEFAULT_SECONDS,
        };
        let present = |contender: &Contender| *contender != Contender::Baseline || baseline.is_some();
        let contenders = match &only {
            Some(name) => {
                let accepted = || Contender::ALL.map(Contender::name).join(", ");
                let only = Contender::named(name).ok_or_else(|| BadSetting::new(ONLY, name, &accepted()))?;
                let measured = |contender: &Contender| match (contender, only) {
                    (Contender::PassThrough, _) => true,
                    // Alone it would have nothing to be compared with.
                    (Contender::Baseline, Contender::Engraft) | (Contender::Engraft, Contender::Baseline) => {
                        true
                    }
                    (contender, only) => *contender == only,
                };
                Contender::ALL.into_iter().filter(measured).filter(present).collect()
            }
            None => Contender::ALL.into_iter().filter(present).collect(),
        };
        Ok(Self { seconds, only, baseline, time: Duration::from_secs_f64(time), contenders })
    }

    /// What was typed.
    fn command(&self) -> String {
        let set = |name: &str, value: &Option<String>| {
            value.as_ref().map(|value| format!("{name}={value} ")).unwrap_or_default()
        };
        format!(
            "{}{}{}make bench",
            set(SECONDS, &self.seconds),
            set(ONLY, &self.only),
            set(BASELINE, &self.baseline)
        )
    }
}

/// The environment asks for something that there is not.
#[derive(Debug)]
struct BadSetting {
    name: &'static str,
    got: String,
    accepted: String,
}

impl BadSetting {
    fn new(name: &'static str, got: &str, accepted: &str) -> Self {
        Self { name, got: got.to_owned(), accepted: accepted.to_owned() }
    }
}

impl fmt::Display for BadSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is {:?}; accepted: {}", self.name, self.got, self.accepted)
    }
}

impl Error for BadSetting {}

/// A run takes minutes; this says what it is at. Nobody reading it is no failure.
fn progress(what: &str) {
    let _ = writeln!(io::stderr(), "{what}");
}
