//! The Kubernetes manifests of `envoy/`, as an API server reads them.

use std::error::Error;
use std::path::Path;

use engraft_harness::workspace;
use saphyr::{LoadableYamlNode as _, Scalar, Yaml};
use serde_json::{Map, Value, json};

/// The documents of a file of `envoy/`.
pub(crate) fn shipped(name: &str) -> Result<Vec<Value>, Box<dyn Error>> {
    documents(&workspace::root().join("envoy").join(name))
}

/// The one document of a file of `envoy/` that is of this kind and in this namespace.
pub(crate) fn resource(name: &str, kind: &str, namespace: &str) -> Result<Value, Box<dyn Error>> {
    let is_it = |document: &Value| {
        text(document, "/kind") == kind && text(document, "/metadata/namespace") == namespace
    };
    let found = shipped(name)?.into_iter().find(is_it);
    found.ok_or_else(|| format!("{name} has no {kind} in {namespace}").into())
}

/// The documents of any YAML file, anchors resolved.
pub(crate) fn documents(path: &Path) -> Result<Vec<Value>, Box<dyn Error>> {
    let read = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let documents = Yaml::load_from_str(&read).map_err(|error| format!("{}: {error}", path.display()))?;
    documents.iter().map(|document| Ok(value(document)?)).collect()
}

/// The text at a JSON pointer; nothing where there is none.
pub(crate) fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// YAML 1.2 as JSON. Kubernetes reads YAML 1.1, so what both read differently has to be in quotes; a test sees to that.
fn value(yaml: &Yaml<'_>) -> Result<Value, String> {
    Ok(match yaml {
        Yaml::Value(Scalar::Null) => Value::Null,
        Yaml::Value(Scalar::Boolean(boolean)) => json!(boolean),
        Yaml::Value(Scalar::Integer(integer)) => json!(integer),
        Yaml::Value(Scalar::FloatingPoint(float)) => json!(float.0),
        Yaml::Value(Scalar::String(text)) => json!(text),
        Yaml::Sequence(items) => Value::Array(items.iter().map(value).collect::<Result<_, _>>()?),
        Yaml::Mapping(fields) => {
            let field = |(key, field): (&Yaml<'_>, &Yaml<'_>)| match key.as_str() {
                Some(key) => Ok((key.to_owned(), value(field)?)),
                None => Err(format!("the key {key:?} is not text")),
            };
            Value::Object(fields.iter().map(field).collect::<Result<Map<_, _>, _>>()?)
        }
        other => return Err(format!("{other:?} is nothing that JSON has a word for")),
    })
}
