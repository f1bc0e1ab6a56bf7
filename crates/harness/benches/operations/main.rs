//! What each operation costs on a page, in the core itself: no Envoy, no wasm.
//!
//! `make bench` runs this last. Every operation takes its turn in each round, and is compared with looking for something
//! that is not there in the same round: what an operation has more than that is its own cost.
#![expect(clippy::disallowed_methods, reason = "what is measured is real time")]

mod decisions;
mod exchange;
mod operation;
mod subject;
mod takeover;

use std::error::Error;
use std::hint::black_box;
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use engraft_harness::samples::Samples;
use engraft_harness::table::Table;

use exchange::Exchange;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Odd: the median is then one that was measured.
const ROUNDS: usize = 15;
/// How long an operation is repeated in its turn, at least.
const TURN: Duration = Duration::from_millis(20);

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "operations: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Outcome<()> {
    let subject = subject::find()?;
    let operations = operation::all(&subject)?;
    // The first one again, at the end of each round: how it differs from itself is what the machine does to the numbers.
    let control = operations.iter().take(1);
    let exchanges = operations.iter().chain(control).map(Exchange::new);
    let exchanges = exchanges.collect::<Outcome<Vec<_>>>()?;
    let mut times: Vec<Vec<f64>> = vec![Vec::new(); exchanges.len()];
    for exchange in &exchanges {
        exchange.check()?;
    }
    for _ in 0..ROUNDS {
        for (exchange, times) in exchanges.iter().zip(&mut times) {
            times.push(micros(exchange));
        }
    }

    let baseline = times.first().cloned().unwrap_or_default();
    let ratios = |times: &[f64]| Samples::ratios(times.iter().copied(), baseline.iter().copied());
    let mut table = Table::new(&["operation", "done", "body, bytes", "µs", "× looking"]);
    for (exchange, times) in exchanges.iter().zip(&times).take(operations.len()) {
        table.row(vec![
            exchange.name().to_owned(),
            exchange.check()?.to_string(),
            exchange.len().to_string(),
            format!("{:.0}", Samples::new(times.iter().copied()).median()),
            ratios(times).to_string(),
        ]);
    }
    let noise = times.last().map(|times| ratios(times).to_string()).unwrap_or_default();
    write!(
        io::stdout(),
        "\n{}: the core alone, in {} byte chunks; {ROUNDS} rounds in turns, median (min–max). × is the ratio to looking for what \
         is not there, in the same round; a second such search had × {noise}.\n\n{table}",
        subject.name,
        exchange::CHUNK,
    )?;
    write!(io::stdout(), "\n{}", decisions::table()?)?;
    write!(io::stdout(), "\n{}", takeover::table()?)?;
    Ok(())
}

/// How long one exchange takes.
fn micros(exchange: &Exchange<'_>) -> f64 {
    let start = Instant::now();
    let mut runs = 0_u32;
    loop {
        black_box(exchange.run());
        runs = runs.saturating_add(1);
        let elapsed = start.elapsed();
        if elapsed >= TURN {
            return elapsed.as_secs_f64() * 1e6 / f64::from(runs);
        }
    }
}
