//! A payload that is taken over: the work as a whole, and the longest piece of it, during which a worker serves nobody.

use std::time::{Duration, Instant};

use engraft::decide::decrypt::DecryptionKey;
use engraft::live::{Step, Takeover};
use engraft_harness::payload;
use engraft_harness::samples::Samples;
use engraft_harness::table::Table;

use crate::{Outcome, ROUNDS};

/// As large as payloads get that people worry about.
const BYTES: usize = 1_000_000;

/// One takeover.
struct Taken {
    whole: Duration,
    longest: Duration,
    steps: usize,
}

/// A table of plain and encrypted payloads.
pub(crate) fn table() -> Outcome<Table> {
    let plain = payload::of(BYTES, 1);
    let encrypted = payload::encrypted(&plain)?;
    let key = DecryptionKey::parse(payload::KEY)?;
    let mut table = Table::new(&["payload taken over", "bytes", "steps", "ms", "longest step, ms"]);
    for (name, text, key) in [("plain", &plain, None), ("encrypted", &encrypted, Some(&key))] {
        let taken = (0..ROUNDS).map(|_| take(text, key)).collect::<Outcome<Vec<_>>>()?;
        let millis = |of: fn(&Taken) -> Duration| Samples::millis(&taken.iter().map(of).collect::<Vec<_>>());
        table.row(vec![
            name.to_owned(),
            text.len().to_string(),
            taken.first().map(|taken| taken.steps).unwrap_or_default().to_string(),
            millis(|taken| taken.whole).to_string(),
            millis(|taken| taken.longest).to_string(),
        ]);
    }
    Ok(table)
}

fn take(text: &str, key: Option<&DecryptionKey>) -> Outcome<Taken> {
    let bytes = text.as_bytes().to_vec();
    let start = Instant::now();
    let mut takeover = Takeover::new(bytes, key.cloned());
    let mut longest = start.elapsed();
    for steps in 2.. {
        let before = Instant::now();
        let step = takeover.step()?;
        longest = longest.max(before.elapsed());
        match step {
            Step::Working(next) => takeover = next,
            Step::Done(_) => return Ok(Taken { whole: start.elapsed(), longest, steps }),
        }
    }
    Err("a takeover ends".into())
}
