//! The bytes of a configuration, in whichever of its three forms they come.
//!
//! Answers for telling the forms apart and for one tree whatever the form. It refuses to guess among texts: what is
//! neither a `Struct` nor JSON is YAML, and its problems are YAML's.

use serde::de::DeserializeOwned;

use super::node::{Location, Node, Path, Value};
use super::problem::{Kind, Problem, Problems};
use super::{decode, json, structpb, yaml};

pub use super::yaml::Warning;

/// The largest configuration read.
pub const MAX_BYTES: usize = 4 << 20;

/// A configuration as it was written, before a schema has looked at it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Document {
    /// The values.
    pub root: Node,
    /// Every scalar that may surprise; [`warnings_for`](Self::warnings_for) leaves out those that a schema settles.
    pub warnings: Vec<Warning>,
    /// The form it came in.
    pub form: Form,
}

/// The form a configuration came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Form {
    /// `google.protobuf.Struct`, Envoy's native YAML.
    Struct,
    /// JSON text.
    Json,
    /// YAML text.
    Yaml,
}

impl Document {
    /// Reads the document as a `T`: [`decode::decode`] of its root.
    ///
    /// # Errors
    /// All problems found.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, Problems> {
        decode::decode(&self.root)
    }

    /// The warnings that matter to a `T`: not `0.5` where it asks for a number, but `NO` where it asks for text.
    pub fn warnings_for<T: DeserializeOwned>(&self) -> Vec<Warning> {
        decode::relevant::<T>(&self.root, &self.warnings)
    }
}

/// Reads a configuration in any form.
///
/// ```
/// let document = engraft::config::source::read(b"{version: 1, stage: client}").unwrap();
/// assert_eq!(document.form, engraft::config::source::Form::Yaml);
/// ```
///
/// # Errors
/// What keeps the bytes from being a configuration of any form. A key written twice does not: the tree keeps both and
/// [`decode`](Document::decode) reports it with everything else.
pub fn read(bytes: &[u8]) -> Result<Document, Problems> {
    if bytes.is_empty() {
        return Err(empty());
    }
    if bytes.len() > MAX_BYTES {
        let message =
            format!("the configuration has {} bytes, more than the {MAX_BYTES} accepted", bytes.len());
        return Err(Problem::new(Kind::Limit, Path::default(), message).into());
    }
    // The tag of a Struct's only field is a line feed, which text may begin with too; but then the next character would
    // have to be the exact length of an entry.
    if bytes.first() == Some(&b'\n')
        && let Some(root) = structpb::parse(bytes)
    {
        return Ok(Document { root: root?, warnings: Vec::new(), form: Form::Struct });
    }
    let text = std::str::from_utf8(bytes).map_err(|error| not_text(bytes, error.valid_up_to()))?;
    read_text(text.strip_prefix('\u{feff}').unwrap_or(text))
}

fn read_text(text: &str) -> Result<Document, Problems> {
    let json = text.trim_start().starts_with('{').then(|| json::parse(text));
    if let Some(Ok(root)) = json {
        return Ok(Document { root, warnings: Vec::new(), form: Form::Json });
    }
    match (yaml::parse(text), json) {
        (Ok(yaml::Parsed { root: Some(root), warnings }), _) if root.value != Value::Null => {
            Ok(Document { root, warnings, form: Form::Yaml })
        }
        (Ok(_), _) => Err(empty()),
        // Both forms refuse it; whoever quotes the first key is writing JSON.
        (Err(_), Some(Err(json))) if opens_as_json(text) => Err(json),
        (Err(yaml), _) => Err(yaml),
    }
}

fn opens_as_json(text: &str) -> bool {
    text.trim_start().strip_prefix('{').is_some_and(|inside| inside.trim_start().starts_with('"'))
}

fn empty() -> Problems {
    let message = "the configuration is empty; write at least \"version: 1\" and a list of routes";
    Problem::new(Kind::MissingField, Path::default(), message).into()
}

fn not_text(bytes: &[u8], valid_up_to: usize) -> Problems {
    let before = bytes.get(..valid_up_to).map(String::from_utf8_lossy).unwrap_or_default();
    let line = before.split('\n').count();
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count().saturating_add(1);
    let byte = bytes.get(valid_up_to).copied().unwrap_or_default();
    let message =
        format!("byte 0x{byte:02x} is neither UTF-8 nor part of a google.protobuf.Struct; save it as UTF-8");
    Problem::new(Kind::Syntax, Path::default(), message).at(Some(Location { line, column })).into()
}

#[cfg(test)]
mod tests;
