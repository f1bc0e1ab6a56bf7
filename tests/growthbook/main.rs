//! The cases of GrowthBook's SDK specification: every SDK has to pass all of them. And what nobody has to believe: assignment is
//! uniform.

use std::error::Error;
use std::io::Write as _;
use std::path::Path;

use serde_json::Value;

mod buckets;
mod conditions;
mod uniform;

/// The cases, where they lie beside the checkout; a checkout without them skips them, visibly.
const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/growthbook/cases.json");

type Outcome = Result<(), Box<dyn Error>>;

/// Runs every case of a section; `run` says what is wrong with one.
fn section(name: &str, run: impl Fn(&Value) -> Option<String>) -> Outcome {
    // Not `println!`, which the test harness swallows when a test passes.
    let mut report = std::io::stderr();
    if !Path::new(CASES).exists() {
        writeln!(report, "SKIPPED: ../shared/growthbook is absent")?;
        return Ok(());
    }
    let cases: Value = serde_json::from_str(&std::fs::read_to_string(CASES)?)?;
    let cases = cases.get(name).and_then(Value::as_array).ok_or_else(|| format!("no {name} cases"))?;
    let failures: Vec<String> =
        cases.iter().filter_map(|case| Some(format!("{case}: {}", run(case)?))).collect();
    writeln!(report, "{name} {}/{}", cases.len() - failures.len(), cases.len())?;
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    Ok(())
}
