//! `engraft schema`: the JSON Schema of the configuration, from the types that read it.

use engraft::config::model::Config;
use schemars::Schema;
use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use serde_json::Value;

use crate::failure::{Failure, Verdict};
use crate::output;

const TITLE: &str = "engraft configuration";
const DESCRIPTION: &str = "Configuration of the engraft filter, version 1: which pages are changed, for whom, and \
                           what caches are told. `engraft check` also finds what a schema can't say.";

pub(crate) fn run() -> Result<Verdict, Failure> {
    let schema = schema();
    output::to_stdout(|out, _| output::json(out, &schema))?;
    Ok(Verdict::Fine)
}

/// The schema that editors and validators take.
pub(crate) fn schema() -> Schema {
    let settings = SchemaSettings::draft2020_12().with_transform(RecursiveTransform(tidy));
    let mut schema = settings.into_generator().into_root_schema_for::<Config>();
    schema.insert("title".to_owned(), TITLE.into());
    schema.insert("description".to_owned(), DESCRIPTION.into());
    schema
}

/// Leaves out the formats that are Rust's and not JSON Schema's, which strict validators refuse, and the line breaks of
/// doc comments, which editors would show.
fn tidy(schema: &mut Schema) {
    if schema.get("format").and_then(Value::as_str).is_some_and(|format| format.starts_with("uint")) {
        schema.remove("format");
    }
    if let Some(Value::String(description)) = schema.get_mut("description") {
        *description = description.replace('\n', " ");
    }
}
