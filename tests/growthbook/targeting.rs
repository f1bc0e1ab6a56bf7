//! `url-targeting-cases.json`: which pages URL patterns mean.

use std::path::Path;

use engraft::decide::evaluation::Evaluation;
use engraft::decide::experiment::Experiment;
use engraft::decide::payload::Payload;
use engraft::decide::visitor::Visitor;
use serde_json::{Value, json};

use crate::Tested;
use crate::cases::same;
use crate::section::{Case, Section};

pub(crate) fn section(data: &Path) -> Result<Section, String> {
    let cases = crate::json(&data.join("url-targeting-cases.json"))?;
    let case = |case: &Value| {
        let name = case["name"].as_str().unwrap_or_default().to_owned();
        let case = case.clone();
        Case::new(name, move || check(&case))
    };
    let cases = cases.as_array().ok_or("url-targeting-cases.json is not a list")?;
    Ok(Section { name: "url targeting".to_owned(), cases: cases.iter().map(case).collect() })
}

/// Through an experiment that is for everybody on those pages.
fn check(case: &Value) -> Tested {
    let payload = Payload::default();
    let experiment = json!({ "key": "e", "variations": [0, 1], "urlPatterns": case["targets"] });
    let experiment = Experiment::compile(&experiment, &payload).map_err(|error| error.to_string())?;
    let attributes = json!({ "id": "u-1" });
    let visitor = Visitor::new(&attributes, case["url"].as_str().unwrap_or_default());
    let result = Evaluation::new(&payload, visitor).experiment(&experiment);
    same(json!(result.in_experiment), &case["expected"])
}
