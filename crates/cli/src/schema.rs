//! `engraft schema`: the JSON Schema of the configuration, from the types that read it.

use engraft::config::model::Config;
use schemars::Schema;
use schemars::generate::SchemaSettings;

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

fn schema() -> Schema {
    let generator = SchemaSettings::draft2020_12().into_generator();
    let mut schema = generator.into_root_schema_for::<Config>();
    schema.insert("title".to_owned(), TITLE.into());
    schema.insert("description".to_owned(), DESCRIPTION.into());
    schema
}
