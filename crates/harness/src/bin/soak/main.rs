//! Ten minutes of everything at once on a real Envoy: pages made personal, pages that pass, bodies that break off on either side, origins
//! and visitors that are slow, and a configuration that is replaced again and again. Every byte of every answer is compared, and memory has
//! to stay flat.
//!
//! `make soak` runs this. `SOAK_SECONDS` is for how long (600), `SOAK_SEED` makes the same requests again, `SOAK_WASM` is another module. The first
//! answer that is not right ends it; what came and what was expected are in `target/soak`.
#![expect(clippy::disallowed_methods, reason = "it runs for a time, and measures")]

mod memory;
mod proxy;
mod random;
mod site;
mod visit;

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use engraft_harness::origin::Origin;
use engraft_harness::samples::Samples;
use engraft_harness::table::Table;
use engraft_harness::workspace;

use memory::{Memory, Slope};
use proxy::Proxy;
use visit::{Client, Kind, Shared, Tally, Wrong};

type Outcome<T> = Result<T, Box<dyn Error>>;

const DEFAULT_SECONDS: f64 = 600.0;
const CLIENTS: u64 = 8;
/// Between two configurations; every third one can't be used.
const UPDATE_EVERY: Duration = Duration::from_secs(3);
const PROGRESS_EVERY: Duration = Duration::from_secs(10);
/// The part of the run in which only what is large is asked for.
const PEAK: f64 = 0.1;
/// The part of the run after which memory counts: connections, caches and code are warm then.
const WARM_UP: f64 = 0.3;
/// What memory may grow by, in KiB a minute. At 200 requests a second, one page of 120 KB in
/// a thousand requests that is not let go of is more than five times that.
const MAX_SLOPE: f64 = 256.0;
/// A shorter run says nothing of memory.
const MIN_SECONDS_FOR_MEMORY: f64 = 300.0;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("soak: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn run() -> Outcome<()> {
    let seconds: f64 = setting("SOAK_SECONDS")?.unwrap_or(DEFAULT_SECONDS);
    let seed = setting("SOAK_SEED")?.unwrap_or_else(|| u64::from(std::process::id()));
    let origin = Origin::start()?;
    origin.forget_requests();
    origin.otherwise(site::reply);
    let proxy = Proxy::start(origin.addr(), &site::configuration(0))?;
    say(&format!(
        "envoy {}, {CLIENTS} clients, {seconds} s, SOAK_SEED={seed}",
        proxy.envoy.binary().version()
    ));

    let (shared, addr) = (Arc::new(Shared::default()), proxy.addr()?);
    let clients: Vec<_> = (0..CLIENTS)
        .map(|number| {
            let mut client = Client::new(seed, number, addr, Arc::clone(&shared));
            thread::spawn(move || (client.run(), client.tallies))
        })
        .collect();
    let watched = watch(&proxy, &shared, Duration::from_secs_f64(seconds), || {
        clients.iter().any(thread::JoinHandle::is_finished)
    });
    shared.is_over.store(true, Ordering::SeqCst);
    let mut tallies: BTreeMap<Kind, Tally> = BTreeMap::new();
    let mut wrong = Vec::new();
    for client in clients {
        let (outcome, of_client) = client.join().map_err(|_| "a client panicked")?;
        wrong.extend(outcome.err());
        for (kind, tally) in of_client {
            let sum = tallies.entry(kind).or_default();
            sum.visits += tally.visits;
            sum.bytes += tally.bytes;
            sum.millis.extend(tally.millis);
        }
    }
    let watched = watched?;
    write!(
        io::stdout(),
        "{}",
        Summary { tallies: &tallies, watched: &watched, shared: &shared, proxy: &proxy, seconds }
    )?;
    if let Some(wrong) = wrong.into_iter().next() {
        keep(&wrong)?;
        return Err(wrong);
    }
    judge(&proxy, &watched, seconds)
}

/// What was seen from outside while the clients ran.
#[derive(Debug, Default)]
struct Watched {
    memory: Memory,
    taken: u64,
    refused: u64,
}

/// Replaces configurations and samples memory, until the time is over or a client has ended.
fn watch(proxy: &Proxy, shared: &Shared, time: Duration, has_ended: impl Fn() -> bool) -> Outcome<Watched> {
    let (start, mut watched) = (Instant::now(), Watched::default());
    let (mut next_update, mut next_progress, mut next_sample) =
        (UPDATE_EVERY, PROGRESS_EVERY, Duration::ZERO);
    let mut number = 0;
    while start.elapsed() < time && !has_ended() {
        let now = start.elapsed();
        if now >= time.mul_f64(PEAK) {
            shared.is_warm.store(true, Ordering::SeqCst);
        }
        if now >= next_sample {
            watched.memory.add(now.as_secs_f64(), proxy.resident_kib()?);
            next_sample += Duration::from_secs(1);
        }
        if now >= next_update {
            next_update = now + UPDATE_EVERY;
            if (watched.taken + watched.refused) % 3 == 2 {
                if proxy.update(&site::mistake(number))? {
                    return Err("Envoy took a configuration that can't be used".into());
                }
                watched.refused += 1;
            } else {
                number += 1;
                shared.offered.store(number, Ordering::SeqCst);
                if !proxy.update(&site::configuration(number))? {
                    return Err("Envoy refused a configuration".into());
                }
                shared.taken.store(number, Ordering::SeqCst);
                watched.taken += 1;
            }
        }
        if now >= next_progress {
            next_progress += PROGRESS_EVERY;
            let requests = proxy.envoy.stat("http.main.downstream_rq_total")?;
            say(&format!(
                "{:>4} s  {requests:>8} requests  {:>7} KiB  {number} configurations",
                now.as_secs(),
                proxy.resident_kib()?
            ));
        }
        thread::sleep(Duration::from_millis(20));
    }
    Ok(watched)
}

/// What has to hold besides every byte.
fn judge(proxy: &Proxy, watched: &Watched, seconds: f64) -> Outcome<()> {
    let log = proxy.envoy.log();
    for failure in ["panicked", "Uncaught"] {
        if let Some(line) = log.lines().find(|line| line.contains(failure)) {
            return Err(format!("a VM has failed: {line}").into());
        }
    }
    if seconds < MIN_SECONDS_FOR_MEMORY {
        return Ok(());
    }
    match watched.memory.slope(seconds * WARM_UP) {
        Some(slope) if slope.low > MAX_SLOPE => Err(Leak(slope).into()),
        Some(_) => Ok(()),
        None => Err("too few samples of memory".into()),
    }
}

fn keep(wrong: &Wrong) -> Outcome<()> {
    let folder = workspace::root().join("target/soak");
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("wrong.txt"), wrong.to_string())?;
    std::fs::write(folder.join("got"), &wrong.got)?;
    for (number, right) in wrong.expected.iter().enumerate() {
        std::fs::write(folder.join(format!("expected-{number}")), right)?;
    }
    Ok(())
}

/// Memory grows.
#[derive(Debug)]
struct Leak(Slope);

impl fmt::Display for Leak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Slope { median, low, .. } = self.0;
        write!(
            f,
            "memory grows by {median:.0} KiB a minute, at least {low:.0}; {MAX_SLOPE} would pass for noise"
        )
    }
}

impl Error for Leak {}

struct Summary<'a> {
    tallies: &'a BTreeMap<Kind, Tally>,
    watched: &'a Watched,
    shared: &'a Shared,
    proxy: &'a Proxy,
    seconds: f64,
}

impl fmt::Display for Summary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new(&["visits", "number", "MB", "median ms", "longest ms"]);
        let (mut visits, mut bytes) = (0, 0);
        for kind in Kind::all() {
            let Some(tally) = self.tallies.get(&kind) else { continue };
            visits += tally.visits;
            bytes += tally.bytes;
            let (median, longest) = if tally.millis.is_empty() {
                ("-".to_owned(), "-".to_owned())
            } else {
                let times = Samples::new(tally.millis.iter().copied());
                (format!("{:.1}", times.median()), format!("{:.1}", times.max()))
            };
            table.row(vec![
                kind.to_string(),
                tally.visits.to_string(),
                megabytes(tally.bytes),
                median,
                longest,
            ]);
        }
        writeln!(f, "\n{table}")?;
        let (seen, bold) = self.shared.variations();
        writeln!(
            f,
            "{visits} visits, {} MB, every answer compared; {seen} visitors, {bold} with the second variation",
            megabytes(bytes)
        )?;
        writeln!(f, "{} configurations taken, {} refused", self.watched.taken, self.watched.refused)?;
        let stat = |name: &str| {
            self.proxy.envoy.stat(name).map_or_else(|_| "?".to_owned(), |value| value.to_string())
        };
        writeln!(
            f,
            "Envoy: {} requests, {} answered 5xx: by the origin itself, or as it broke off before its head was through",
            stat("http.main.downstream_rq_total"),
            stat("http.main.downstream_rq_5xx"),
        )?;
        let first = self.watched.memory.samples.first().map_or(0.0, |(_, kib)| *kib);
        let last = self.watched.memory.samples.last().map_or(0.0, |(_, kib)| *kib);
        write!(f, "memory: {first:.0} KiB at first, {last:.0} KiB at last")?;
        match self.watched.memory.slope(self.seconds * WARM_UP) {
            Some(Slope { median, low, high }) => writeln!(
                f,
                "; from {:.0} s on {median:+.1} KiB a minute (95 % interval {low:+.1} to {high:+.1})",
                self.seconds * WARM_UP
            ),
            None => writeln!(f),
        }
    }
}

fn megabytes(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "for people")]
    let megabytes = bytes as f64 / 1e6;
    format!("{megabytes:.1}")
}

fn setting<T: std::str::FromStr<Err: Error + 'static>>(name: &str) -> Outcome<Option<T>> {
    let value = std::env::var(name).ok().filter(|value| !value.is_empty());
    value.map(|value| value.parse().map_err(|error| format!("{name}={value}: {error}").into())).transpose()
}

fn say(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}
