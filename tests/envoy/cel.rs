//! The rules of a CRD that are CEL (`x-kubernetes-validations`), held against a resource as an API server does.
//!
//! <https://kubernetes.io/docs/reference/using-api/cel/>. Rules that compare with the resource as it was (`oldSelf`) have nothing to say of
//! one that is new.

use std::error::Error;
use std::sync::Arc;

use cel::extractors::This;
use cel::{Context, Program, Value as Cel};
use serde_json::Value;
use url::Url;

/// What is wrong with a value by the rules of its schema, and of all that is in it; each with its place.
pub(crate) fn problems(schema: &Value, value: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    collect(schema, value, "", &mut problems);
    problems
}

fn collect(schema: &Value, value: &Value, at: &str, problems: &mut Vec<String>) {
    for rule in schema.get("x-kubernetes-validations").and_then(Value::as_array).into_iter().flatten() {
        let [rule, message] = ["rule", "message"].map(|name| rule.get(name).and_then(Value::as_str));
        let Some(rule) = rule.filter(|rule| !rule.contains("oldSelf")) else { continue };
        match holds(rule, value) {
            Ok(true) => {}
            Ok(false) => problems.push(format!("{at}: {}", message.unwrap_or(rule))),
            Err(why) => problems.push(format!("{at}: `{rule}` can't be evaluated: {why}")),
        }
    }
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let of = schema.get("properties").and_then(|properties| properties.get(name));
                if let Some(schema) = of.or_else(|| schema.get("additionalProperties")) {
                    collect(schema, value, &format!("{at}/{name}"), problems);
                }
            }
        }
        Value::Array(items) => {
            if let Some(schema) = schema.get("items") {
                for (index, item) in items.iter().enumerate() {
                    collect(schema, item, &format!("{at}/{index}"), problems);
                }
            }
        }
        _ => {}
    }
}

fn holds(rule: &str, value: &Value) -> Result<bool, Box<dyn Error>> {
    let program = Program::compile(rule)?;
    let mut context = Context::default();
    // Kubernetes' own, <https://pkg.go.dev/k8s.io/apiserver/pkg/cel/library#URLs>; a URL is its text here.
    context.add_function("isURL", |text: Arc<String>| Url::parse(&text).is_ok())?;
    context.add_function("url", |text: Arc<String>| text)?;
    context.add_function("getScheme", |This(url): This<Arc<String>>| {
        Url::parse(&url).map(|url| url.scheme().to_owned()).unwrap_or_default()
    })?;
    context.add_variable("self", value)?;
    match program.execute(&context)? {
        Cel::Bool(holds) => Ok(holds),
        other => Err(format!("it gives {other:?}").into()),
    }
}
