//! What was measured, as Markdown.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use engraft_harness::samples::Samples;
use engraft_harness::table::Table;

use crate::Outcome;
use crate::check::Checked;
use crate::contender::Contender;
use crate::measure::{self, Stand};
use crate::page::Page;

/// What was run, and where.
pub(crate) fn preamble(envoy: &str, time: Duration, command: &str) -> String {
    let cpus = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let models: Vec<&str> = cpus
        .lines()
        .filter_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map(|(_, model)| model.trim())
        .collect();
    let model = models.first().copied().unwrap_or("unknown processor");
    format!(
        "`{command}`: Envoy {envoy} with one worker, origin and client on the same machine ({} × {model}); {} rounds of {} s \
         under {} connections, contenders in turns; median (min–max). × is the ratio to pass-through in the same round, \
         + is added to it. Compare ratios of one run, not times of two. Where the core was not busy, something else than Envoy \
         limited requests/s, and CPU is the column to read.\n",
        models.len(),
        measure::ROUNDS,
        time.as_secs_f64(),
        measure::CONNECTIONS,
    )
}

/// One page: what a response costs, when its first byte comes, and how much of it is held.
pub(crate) fn page(page: &Page, stands: &[Stand], checked: &[Checked]) -> String {
    let Some((control, stands)) = stands.split_last() else { return String::new() };
    let Some(baseline) = stands.first() else { return String::new() };
    let mut table = Table::new(&[
        page.name,
        "requests/s",
        "×",
        "CPU µs/request",
        "×",
        "core busy",
        "first byte, ms",
        "first byte, slow origin, ms",
        "bytes held",
    ]);
    for (stand, checked) in stands.iter().zip(checked) {
        let is_baseline = stand.contender == baseline.contender;
        let ratio = |ratios: Samples| if is_baseline { "1".to_owned() } else { ratios.to_string() };
        let first_byte = |times: &[Duration], baseline: &[Duration]| {
            if is_baseline {
                Samples::millis(times).to_string()
            } else {
                format!("{:+}", Samples::added_millis(times, baseline))
            }
        };
        table.row(vec![
            stand.contender.name().to_owned(),
            format!("{:.0}", Samples::new(stand.rates()).median()),
            ratio(Samples::ratios(stand.rates(), baseline.rates())),
            format!("{:.0}", Samples::new(stand.cpu()).median()),
            ratio(Samples::ratios(stand.cpu(), baseline.cpu())),
            format!("{:.0} %", Samples::new(stand.busy()).median() * 100.0),
            first_byte(&stand.idle, &baseline.idle),
            first_byte(&stand.slow, &baseline.slow),
            checked.held_bytes.map_or_else(|| "not reported".to_owned(), thousands),
        ]);
    }
    let rate = Samples::ratios(control.rates(), baseline.rates());
    let cpu = Samples::ratios(control.cpu(), baseline.cpu());
    let long: Vec<String> =
        checked.iter().map(|checked| format!("{} {}", checked.contender.name(), checked.long_page)).collect();
    format!(
        "{table}\n\
         - {} bytes, five edits. Before the run every contender gave the expected page, byte for byte.\n\
         - Noise: a second pass-through in the same rounds had requests/s × {rate}, CPU × {cpu}.\n\
         - The slow origin sends the page in {} pieces, {} ms apart; bytes held are those of this page.\n\
         - The page grown to 2 MiB, above Envoy's default buffer: {}.\n",
        thousands(page.markup.len() as u64),
        measure::PIECES,
        measure::PAUSE.as_millis(),
        long.join(", "),
    )
}

/// What a filter costs before the first request.
pub(crate) fn modules(contenders: &[Contender], starts: &[Vec<Duration>]) -> Outcome<String> {
    let mut table = Table::new(&["", "module, bytes", "gzipped", "Envoy starts in, ms", "added, ms"]);
    let baseline = starts.first().map(|times| Samples::millis(times).median());
    for (contender, times) in contenders.iter().zip(starts) {
        let module = contender.module()?;
        let (bytes, gzipped) = match &module {
            Some(module) => (thousands(module.metadata()?.len()), thousands(gzipped_bytes(module)?)),
            None => Default::default(),
        };
        let times = Samples::millis(times);
        let added = baseline.map(|baseline| format!("{:+.0}", times.median() - baseline));
        table.row(vec![
            contender.name().to_owned(),
            bytes,
            gzipped,
            format!("{times:.0}"),
            added.filter(|_| *contender != Contender::PassThrough).unwrap_or_default(),
        ]);
    }
    Ok(table.to_string())
}

impl Stand {
    fn rates(&self) -> impl Iterator<Item = f64> {
        self.costs.iter().map(|cost| cost.responses_per_second)
    }

    fn busy(&self) -> impl Iterator<Item = f64> {
        self.costs.iter().map(|cost| cost.busy)
    }

    fn cpu(&self) -> impl Iterator<Item = f64> {
        self.costs.iter().map(|cost| cost.cpu_micros_per_response)
    }
}

fn gzipped_bytes(module: &Path) -> Outcome<u64> {
    let gzip = Command::new("gzip").arg("-9c").arg(module).output()?;
    Ok(u64::try_from(gzip.stdout.len())?)
}

/// 119237 as 119,237.
fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::thousands;

    #[test]
    fn digits_are_grouped_from_the_right() {
        let written =
            [(0, "0"), (999, "999"), (1000, "1,000"), (119_237, "119,237"), (1_000_000, "1,000,000")];
        for (number, text) in written {
            assert_eq!(thousands(number), text);
        }
    }
}
