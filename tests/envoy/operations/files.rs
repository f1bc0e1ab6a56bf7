//! The files that are shipped: page, rules and dashboard.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::PathBuf;

use engraft_harness::workspace;
use serde_json::Value;

use crate::manifest;

/// Alerts and recording rules.
pub(super) const RULES: &str = "envoy/prometheus/engraft.rules.yaml";
/// How often subqueries look, there and in the dashboard, which tests have no time for.
pub(super) const SUBQUERY: &str = "[5m:30s]";

pub(super) fn path(name: &str) -> PathBuf {
    workspace::root().join(name)
}

pub(super) fn text(name: &str) -> Result<String, Box<dyn Error>> {
    Ok(std::fs::read_to_string(path(name))?)
}

/// Expressions by the name of what they are for.
pub(super) type Expressions = BTreeMap<String, String>;

/// The rules of a kind, `alert` or `record`.
pub(super) fn rules(kind: &str) -> Result<Expressions, Box<dyn Error>> {
    let documents = manifest::documents(&path(RULES))?;
    let groups = documents.first().and_then(|document| document.get("groups")?.as_array());
    let rules = groups.into_iter().flatten().filter_map(|group| group.get("rules")?.as_array());
    let field = |rule: &Value, name: &str| Some(rule.get(name)?.as_str()?.to_owned());
    let found: Expressions =
        rules.flatten().filter_map(|rule| Some((field(rule, kind)?, field(rule, "expr")?))).collect();
    if found.is_empty() { Err(format!("{RULES} has no {kind}").into()) } else { Ok(found) }
}

/// The queries of the dashboard by panel, for every job and instance, with this in place of the interval that Grafana chooses.
pub(super) fn queries(interval: &str) -> Result<Expressions, Box<dyn Error>> {
    let dashboard: Value = serde_json::from_str(&text("envoy/grafana/engraft.json")?)?;
    let panels = dashboard.get("panels").and_then(Value::as_array).ok_or("no panels")?;
    let mut queries = Expressions::new();
    for panel in panels {
        let title = panel.get("title").and_then(Value::as_str).ok_or("no title")?;
        for target in panel.get("targets").and_then(Value::as_array).into_iter().flatten() {
            let [name, expr] = ["refId", "expr"].map(|name| target.get(name).and_then(Value::as_str));
            let expr = expr.ok_or("no expr")?.replace("$__rate_interval", interval);
            let expr = expr.replace("$job", ".+").replace("$instance", ".+");
            queries.insert(format!("{title} {}", name.unwrap_or_default()), expr);
        }
    }
    Ok(queries)
}

/// The rows of the page of metrics, which alert looks at each, or why none does.
pub(super) fn rows() -> Result<Vec<(String, String)>, Box<dyn Error>> {
    let page = text("docs/metrics.md")?;
    let mut rows = Vec::new();
    for line in page.lines().filter(|line| line.starts_with("| `") && line.ends_with(" |")) {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [names, _, alert] = cells.as_slice() else { return Err(format!("no row: {line}").into()) };
        rows.extend(quoted(names).map(|name| (name.to_owned(), (*alert).to_owned())));
    }
    Ok(rows)
}

/// What stands between backticks.
pub(super) fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}
