//! What `engraft serve` carries: the demo's product page with all its patches, next to the same server without any.
//!
//! `make bench` builds the command line tool and runs this. The result is printed.

use std::error::Error;
use std::fmt;
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use engraft_harness::client::{self, Request};
use engraft_harness::load::Load;
use engraft_harness::samples::Samples;
use engraft_harness::serve::{Serve, argument};
use engraft_harness::table::Table;
use engraft_harness::wire::Protocol;
use engraft_harness::workspace;

const PAGE: &str = "/p/aurora/";
/// For whom every patch of the page's route is made.
const VISITOR: [&str; 4] = ["--header", "x-geo-country: US", "--header", "cookie: plan=pro; first_name=Ada"];
const WITHOUT: &str = "version: 1\n";

const ROUNDS: usize = 5;
const CONNECTIONS: usize = 32;
const WARM_UP: Duration = Duration::from_millis(500);
const DEFAULT_SECONDS: f64 = 2.0;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "bench: {error}");
            ExitCode::FAILURE
        }
    }
}

/// A server and what was measured of it, round by round.
struct Stand {
    name: &'static str,
    server: Serve,
    bytes: usize,
    rates: Vec<f64>,
    /// Of all its threads, in µs a request.
    cpu: Vec<f64>,
}

impl Stand {
    fn start(name: &'static str, configuration: &std::path::Path) -> Result<Self, Box<dyn Error>> {
        let binary = workspace::existing(
            workspace::root().join("target/release/engraft"),
            "run `cargo build --release -p engraft-cli` to build it",
        )?;
        let site = workspace::root().join("examples/shop/site");
        let arguments = ["--config", argument(configuration)?, "--site", argument(&site)?];
        let server = Serve::start(&binary, &[&arguments[..], &VISITOR].concat())?;
        let page = client::fetch(Protocol::Http1, server.addr(), &Request::get(PAGE))?;
        let bytes = page.body.len();
        Load::new(CONNECTIONS, WARM_UP).run(server.addr(), PAGE, bytes)?;
        Ok(Self { name, server, bytes, rates: Vec::new(), cpu: Vec::new() })
    }

    fn measure(&mut self, time: Duration) -> Result<(), Box<dyn Error>> {
        let before = self.server.cpu_time()?;
        let served = Load::new(CONNECTIONS, time).run(self.server.addr(), PAGE, self.bytes)?;
        let cpu = self.server.cpu_time()?.saturating_sub(before);
        #[expect(clippy::cast_precision_loss, reason = "far fewer responses than a float counts exactly")]
        let responses = served.responses as f64;
        self.rates.push(responses / served.elapsed.as_secs_f64());
        self.cpu.push(cpu.as_secs_f64() * 1e6 / responses);
        Ok(())
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let seconds = std::env::var("BENCH_SECONDS").ok().filter(|value| !value.is_empty());
    let seconds = seconds.map_or(Ok(DEFAULT_SECONDS), |value| value.parse())?;
    let time = Duration::try_from_secs_f64(seconds)?;
    let folder = tempfile::tempdir()?;
    let without = folder.path().join("engraft.yaml");
    std::fs::write(&without, WITHOUT)?;
    let shop = workspace::root().join("examples/shop/engraft.yaml");
    let mut plain = Stand::start("without patches", &without)?;
    let mut patched = Stand::start("the shop's eight", &shop)?;
    if plain.bytes == patched.bytes {
        return Err(Unpatched.into());
    }
    for _ in 0..ROUNDS {
        plain.measure(time)?;
        patched.measure(time)?;
    }
    let mut table = Table::new(&["engraft serve", "requests/s", "×", "CPU µs/request", "×"]);
    for stand in [&plain, &patched] {
        let ratio = |of: fn(&Stand) -> &Vec<f64>| {
            Samples::ratios(of(stand).iter().copied(), of(&plain).iter().copied()).to_string()
        };
        table.row(vec![
            stand.name.to_owned(),
            Samples::new(stand.rates.iter().copied()).to_string(),
            ratio(|stand| &stand.rates),
            Samples::new(stand.cpu.iter().copied()).to_string(),
            ratio(|stand| &stand.cpu),
        ]);
    }
    write!(
        io::stdout(),
        "\n`engraft serve` with a folder, {PAGE} ({} bytes as it is), a line to a file for each request; the client is one thread of the \
         same machine. {ROUNDS} rounds of {seconds} s under {CONNECTIONS} connections, in turns; median (min–max). × is the ratio to the \
         server without patches in the same round.\n\n{table}",
        plain.bytes,
    )?;
    Ok(())
}

/// Both servers gave the same page.
#[derive(Debug)]
struct Unpatched;

impl fmt::Display for Unpatched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the shop's page came without its patches: is examples/shop/engraft.yaml what it was?")
    }
}

impl Error for Unpatched {}
