//! The files in `tests/data/browser`. What may stand in them is said at their start.

use std::fs;

use engraft::config::source;
use engraft_harness::workspace;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Escaping {
    pub(crate) values: Vec<String>,
    pub(crate) places: Vec<Place>,
}

/// A place that takes values.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Place {
    pub(crate) name: String,
    pub(crate) markup: Option<String>,
    pub(crate) patch: Option<Value>,
    #[serde(default)]
    pub(crate) source: String,
    #[serde(default)]
    pub(crate) head: String,
    #[serde(default)]
    pub(crate) alone: bool,
    #[serde(default = "text_content")]
    pub(crate) reads: String,
    pub(crate) shows: Vec<String>,
    #[serde(default)]
    pub(crate) fetches: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Policies {
    pub(crate) attacks: String,
    pub(crate) csp: Vec<Case>,
    pub(crate) trusted_types: Vec<Case>,
    pub(crate) sri: Vec<Case>,
}

/// A page with a policy, and what is done to it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) headers: Vec<(String, String)>,
    #[serde(default)]
    pub(crate) head: String,
    pub(crate) patches: Value,
    #[serde(default)]
    pub(crate) ran: Vec<String>,
    #[serde(default = "nothing")]
    pub(crate) reads: String,
    #[serde(default)]
    pub(crate) shows: String,
    #[serde(default)]
    pub(crate) fetches: Vec<String>,
    pub(crate) outcome: Option<String>,
}

fn text_content() -> String {
    "el.textContent".to_owned()
}

fn nothing() -> String {
    "''".to_owned()
}

/// Reads one of them.
pub(crate) fn read<T: DeserializeOwned>(name: &str) -> Result<T, String> {
    let path = workspace::root().join("tests/data/browser").join(name);
    let bytes = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let document = source::read(&bytes);
    document
        .and_then(|document| document.decode())
        .map_err(|problems| format!("{}: {problems}", path.display()))
}
