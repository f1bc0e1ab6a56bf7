//! The cases of GrowthBook's SDK specification for conditions: every SDK has to pass all of them.

use std::error::Error;
use std::io::Write as _;
use std::path::Path;

use engraft::decide::condition::{Condition, SavedGroups};
use serde_json::{Map, Value};

/// Where the steering repository keeps the cases; a checkout without it skips them, visibly.
const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/growthbook/cases.json");

#[test]
fn conditions_evaluate_as_the_specification_says() -> Result<(), Box<dyn Error>> {
    // Not `println!`, which the test harness swallows when a test passes.
    let mut report = std::io::stderr();
    if !Path::new(CASES).exists() {
        writeln!(report, "SKIPPED: ../shared/growthbook is absent")?;
        return Ok(());
    }
    let cases: Value = serde_json::from_str(&std::fs::read_to_string(CASES)?)?;
    let cases = cases["evalCondition"].as_array().ok_or("no evalCondition cases")?;
    let mut failures = Vec::new();
    for case in cases {
        let (condition, attributes, expected) = (&case[1], &case[2], &case[3]);
        let groups = case[4].as_object().map_or_else(|| SavedGroups::new(&Map::new()), SavedGroups::new);
        let holds = Condition::compile_lenient(condition).eval(attributes, &groups);
        if *expected != holds {
            failures
                .push(format!("{}: {condition} on {attributes} is {holds}, expected {expected}", case[0]));
        }
    }
    writeln!(report, "evalCondition {}/{}", cases.len() - failures.len(), cases.len())?;
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    Ok(())
}
