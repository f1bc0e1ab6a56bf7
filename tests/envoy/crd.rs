//! What an API server takes for a resource: the schema of a CRD.
//!
//! The schemas lie beside the checkout (`../shared`), as Istio and Envoy Gateway publish them; without them what needs them says that it
//! is skipped.

use std::error::Error;
use std::io::Write as _;
use std::path::PathBuf;

use engraft_harness::workspace;
use jsonschema::Validator;
use serde_json::{Value, json};

use crate::cel;
use crate::manifest::{self, text};

/// One version of a custom resource.
pub(crate) struct Crd {
    validator: Validator,
    /// As the CRD has it, rules included.
    schema: Value,
}

impl Crd {
    /// Of a file of `../shared`; `None`, and a line that says so, where it is missing.
    pub(crate) fn shared(name: &str) -> Result<Option<Self>, Box<dyn Error>> {
        let path: PathBuf = workspace::root().join("../shared").join(name);
        if !path.exists() {
            writeln!(std::io::stderr(), "SKIPPED: no ../shared/{name} beside the checkout")?;
            return Ok(None);
        }
        let crd = manifest::documents(&path)?.pop().ok_or("an empty file")?;
        Self::of(&crd).map(Some)
    }

    fn of(crd: &Value) -> Result<Self, Box<dyn Error>> {
        let [group, kind] = ["/spec/group", "/spec/names/kind"].map(|pointer| text(crd, pointer));
        let versions =
            crd.pointer("/spec/versions").and_then(Value::as_array).ok_or("a CRD without versions")?;
        let [version] = versions.as_slice() else { return Err("a CRD of several versions".into()) };
        let open_api = version.pointer("/schema/openAPIV3Schema").ok_or("a version without a schema")?;
        let api_version = format!("{group}/{}", text(version, "/name"));
        let validator = jsonschema::validator_for(&schema(open_api, &api_version, kind)?)?;
        Ok(Self { validator, schema: open_api.clone() })
    }

    /// What is wrong with a resource, each with its place.
    pub(crate) fn problems(&self, resource: &Value) -> Vec<String> {
        let told = |error: jsonschema::ValidationError<'_>| format!("{}: {error}", error.instance_path());
        let mut problems: Vec<String> = self.validator.iter_errors(resource).map(told).collect();
        problems.extend(cel::problems(&self.schema, resource));
        problems
    }
}

/// The JSON Schema of a resource: what the CRD says of `spec`, and what all resources have.
fn schema(open_api: &Value, api_version: &str, kind: &str) -> Result<Value, Box<dyn Error>> {
    let mut schema = open_api.clone();
    close(&mut schema);
    let name = json!({ "type": "string", "pattern": "^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$" });
    let texts = json!({ "type": "object", "additionalProperties": { "type": "string" } });
    let fields =
        schema.get_mut("properties").and_then(Value::as_object_mut).ok_or("a schema without fields")?;
    let metadata = json!({ "name": name, "namespace": name, "labels": texts, "annotations": texts });
    fields.insert("apiVersion".to_owned(), json!({ "const": api_version }));
    fields.insert("kind".to_owned(), json!({ "const": kind }));
    fields.insert(
        "metadata".to_owned(),
        json!({ "type": "object", "required": ["name"], "properties": metadata, "additionalProperties": false }),
    );
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("required".to_owned(), json!(["apiVersion", "kind", "metadata", "spec"]));
    }
    Ok(schema)
}

/// An API server drops the fields that a structural schema does not name, unless it says `x-kubernetes-preserve-unknown-fields`; here
/// they are refused. Only what describes a field's own value is gone through: below `oneOf` and the like there are further conditions.
fn close(schema: &mut Value) {
    let Some(fields) = schema.as_object_mut() else { return };
    let is = |fields: &serde_json::Map<String, Value>, name: &str| fields.get(name) == Some(&json!(true));
    let is_open =
        is(fields, "x-kubernetes-preserve-unknown-fields") || fields.contains_key("additionalProperties");
    let is_object = fields.get("type") == Some(&json!("object"));
    if is(fields, "x-kubernetes-int-or-string") {
        fields.remove("type");
        fields.insert("type".to_owned(), json!(["integer", "string"]));
    } else if is(fields, "nullable")
        && let Some(kind) = fields.get("type").cloned()
    {
        fields.insert("type".to_owned(), json!([kind, "null"]));
    }
    if let Some(properties) = fields.get_mut("properties").and_then(Value::as_object_mut) {
        properties.values_mut().for_each(close);
    }
    for below in ["items", "additionalProperties"] {
        if let Some(below) = fields.get_mut(below) {
            close(below);
        }
    }
    if is_object && !is_open {
        fields.insert("additionalProperties".to_owned(), json!(false));
    }
}

#[test]
fn what_a_schema_does_not_name_is_refused_where_it_keeps_nothing_unknown() -> Result<(), Box<dyn Error>> {
    let crd = json!({ "spec": {
        "group": "shop.example",
        "names": { "kind": "Shelf" },
        "versions": [{ "name": "v1", "schema": { "openAPIV3Schema": { "type": "object", "properties": {
            "spec": { "type": "object", "required": ["size"],
                "x-kubernetes-validations": [{ "rule": "!has(self.books) || !has(self.any)" }], "properties": {
                "size": { "x-kubernetes-int-or-string": true },
                "note": { "type": "string", "nullable": true },
                "books": { "type": "array", "items": { "type": "object", "properties": { "title": {
                    "type": "string", "x-kubernetes-validations": [{ "rule": "self.size() > 0" }],
                } } } },
                "any": { "type": "object", "x-kubernetes-preserve-unknown-fields": true },
                "labels": { "type": "object", "additionalProperties": { "type": "string" } },
            } },
        } } } }],
    } });
    let crd = Crd::of(&crd)?;
    let problems = |spec: Value| {
        let metadata = json!({ "name": "a" });
        crd.problems(
            &json!({ "apiVersion": "shop.example/v1", "kind": "Shelf", "metadata": metadata, "spec": spec }),
        )
        .len()
    };
    let good = json!({ "size": "10%", "note": null, "books": [{ "title": "x" }], "labels": { "a": "b" } });
    assert_eq!(problems(good), 0);
    assert_eq!(problems(json!({ "size": 3, "any": { "a": [1] } })), 0);
    for bad in [
        json!({}),
        json!({ "size": true }),
        json!({ "size": 1, "sizes": 1 }),
        json!({ "size": 1, "books": [{ "tilte": "x" }] }),
        json!({ "size": 1, "labels": { "a": 1 } }),
        json!({ "size": 1, "books": [{ "title": "" }] }),
        json!({ "size": 1, "books": [], "any": {} }),
    ] {
        assert_eq!(problems(bad.clone()), 1, "{bad}");
    }
    Ok(())
}
