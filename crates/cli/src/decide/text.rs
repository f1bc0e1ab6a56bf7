//! Decisions for people.

use std::io::{self, Write};

use engraft::decide::payload::Payload;
use engraft::decide::result::ExperimentResult;

use super::Decisions;
use crate::output::Palette;
use crate::printable::line;

/// A line for each feature and each experiment.
pub(super) fn write(
    out: &mut dyn Write,
    palette: &Palette,
    payload: &Payload,
    decisions: &Decisions<'_>,
) -> io::Result<()> {
    let place = palette.place;
    for (key, result) in &decisions.features {
        let value = result.value.to_string();
        write!(out, "feature {place}{}{place:#}: {} ({}", line(key), line(&value), result.source.name())?;
        if !result.rule_id.is_empty() {
            write!(out, ", rule {}", line(result.rule_id))?;
        }
        match &result.experiment_result {
            Some(result) => writeln!(out, "; {})", assignment(result))?,
            None => writeln!(out, ")")?,
        }
    }
    let in_order = payload.experiments().iter().map(|experiment| experiment.key());
    let own =
        decisions.experiments.keys().filter(|key| in_order.clone().all(|known| known != **key)).copied();
    for key in own.chain(in_order.clone()) {
        let Some(result) = decisions.experiments.get(key) else { continue };
        writeln!(out, "experiment {place}{}{place:#}: {}", line(key), assignment(result))?;
    }
    Ok(())
}

fn assignment(result: &ExperimentResult<'_>) -> String {
    let reason = result.reason.name();
    if !result.in_experiment {
        return format!("not in it, {reason}");
    }
    let name = result.name.map(|name| format!(" \"{name}\"")).unwrap_or_default();
    let bucket = result.bucket.map(|bucket| format!(" {bucket} of {}", result.hash_attribute));
    let assignment =
        format!("variation {}{name}, {reason}{}", result.variation_id, bucket.unwrap_or_default());
    line(&assignment).into_owned()
}

/// What of the payload can't be read, and is off.
pub(super) fn write_switched_off(
    out: &mut dyn Write,
    palette: &Palette,
    name: &str,
    payload: &Payload,
) -> io::Result<()> {
    let (off, count) = payload.switched_off();
    let warning = palette.warning;
    for off in off {
        writeln!(out, "{name}: {warning}warning:{warning:#} {}", line(&off.to_string()))?;
    }
    match count.saturating_sub(off.len()) {
        0 => Ok(()),
        more => writeln!(out, "{name}: {warning}warning:{warning:#} {more} more are off"),
    }
}
