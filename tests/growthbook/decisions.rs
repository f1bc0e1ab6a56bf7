//! The tables of the data's README: what six visitors see of one payload, in its plain and its encrypted form.

use std::path::Path;

use engraft::decide::decrypt::DecryptionKey;
use engraft::decide::evaluation::Evaluation;
use engraft::decide::visitor::Visitor;
use serde_json::{Value, json};

use crate::Tested;
use crate::cases::same;
use crate::payloads::payload as read;
use crate::section::{Case, Section};

/// For tests only; the README has it, too.
const KEY: &str = "ZW5ncmFmdC10ZXN0LWtleQ==";

pub(crate) fn sections(data: &Path) -> Result<Vec<Section>, String> {
    let path = data.join("README.md");
    let readme = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let (visitors, features, experiments) = (
        table(&readme, "visitor | attributes")?,
        table(&readme, "feature | A")?,
        table(&readme, "auto experiment | A")?,
    );
    let section = |form: &str| {
        let payload = crate::json(&data.join(format!("payload.{form}.json")))?;
        let mut cases = Vec::new();
        for (row, visitor) in visitors.iter().enumerate() {
            let visitor = Person::of(visitor)?;
            for (kind, table) in [("feature", &features), ("experiment", &experiments)] {
                for cells in table {
                    let (key, expected) = cells.first().zip(cells.get(row + 1)).ok_or("a short row")?;
                    let (key, expected) = (key.clone(), expected.clone());
                    let (payload, visitor) = (payload.clone(), visitor.clone());
                    let name = format!("{} {key}", visitor.name);
                    cases.push(Case::new(name, move || visitor.check(payload, kind, &key, &expected)));
                }
            }
        }
        Ok(Section { name: format!("{form} payload"), cases })
    };
    ["plain", "encrypted"].into_iter().map(section).collect()
}

#[derive(Clone)]
struct Person {
    name: String,
    attributes: Value,
    url: String,
}

impl Person {
    fn of(cells: &[String]) -> Result<Self, String> {
        let [name, attributes, url] = cells else { return Err(format!("no visitor: {cells:?}")) };
        let attributes =
            serde_json::from_str(attributes.trim_matches('`')).map_err(|error| error.to_string())?;
        Ok(Self { name: name.clone(), attributes, url: url.trim_matches('`').to_owned() })
    }

    fn check(&self, payload: Value, kind: &str, key: &str, expected: &str) -> Tested {
        let decryption = DecryptionKey::parse(KEY).map_err(|error| error.to_string())?;
        let payload = read(&payload, Some(&decryption))?;
        let mut evaluation = Evaluation::new(&payload, Visitor::new(&self.attributes, &self.url));
        if kind == "feature" {
            let result = evaluation.feature(key);
            let (value, decided_by) = expected.rsplit_once(", ").ok_or("a cell without a rule")?;
            let by = if result.rule_id.is_empty() { result.source.name() } else { result.rule_id };
            same(json!(by), &json!(decided_by))?;
            return match value.strip_prefix("tone ") {
                Some(tone) => same(json!(result.value["tone"]), &json!(tone)),
                None => same(
                    result.value.clone(),
                    &serde_json::from_str(value).map_err(|error| error.to_string())?,
                ),
            };
        }
        let experiment = payload.experiments().iter().find(|experiment| experiment.key() == key);
        let result = evaluation.experiment(experiment.ok_or("no such experiment")?);
        let cell = match (result.in_experiment, result.bucket) {
            (false, _) => "–".to_owned(),
            (true, Some(bucket)) => format!("{} ({bucket})", result.variation_id),
            (true, None) => format!("{} (forced)", result.variation_id),
        };
        same(json!(cell), &json!(expected))
    }
}

/// The rows of the table whose columns are called that.
fn table(readme: &str, first: &str) -> Result<Vec<Vec<String>>, String> {
    let head = format!("| {first} |");
    let lines = readme.lines().skip_while(|line| !line.starts_with(&head));
    let rows = lines.take_while(|line| line.starts_with('|')).skip(2);
    let cells = |row: &str| row.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect();
    let rows: Vec<Vec<String>> = rows.map(cells).collect();
    if rows.is_empty() { Err(format!("the README has no table of `{first}`")) } else { Ok(rows) }
}
