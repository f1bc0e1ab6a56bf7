//! A payload of a feature service, whatever has come for one.
//!
//! Read in pieces it is what it is when compiled at once, or is refused both times. Every feature and experiment of it can then be
//! decided, for visitors who have attributes and for one who has none, and twice it is the same.

use engraft::decide::decrypt::DecryptionKey;
use engraft::decide::evaluation::Evaluation;
use engraft::decide::payload::{Payload, PayloadError};
use engraft::decide::visitor::Visitor;
use serde_json::{Value, json};

use crate::same;

const KEY: &str = "Zvwv/+uhpFDznZ6SX28Yjg==";
const URL: &str = "https://shop.example/p/lamp?hero=1&x=%C3%A9";

/// Checks a payload.
///
/// # Errors
/// What does not hold.
pub fn check(bytes: &[u8]) -> Result<(), String> {
    let key = DecryptionKey::parse(KEY).map_err(|error| error.to_string())?;
    let read = Payload::read(bytes, Some(&key));
    let value: Option<Value> = serde_json::from_slice(bytes).ok();
    let whole = value.map(|value| Payload::decrypt(value, Some(&key)));
    match (&read, &whole) {
        (Ok(read), Some(Ok(whole))) => same("in pieces", &format!("{read:?}"), &format!("{whole:?}"))?,
        // Members that nobody reads may be what they like.
        (Ok(_), None) => {}
        (Ok(_), Some(Err(error))) => return Err(format!("read in pieces only: {error}")),
        // What is long is looked at late.
        (Err(PayloadError::Member { .. } | PayloadError::Encrypted { .. }), _) => {}
        (Err(error), Some(Ok(_))) => return Err(format!("refused in pieces only: {error}")),
        (Err(error), _) => drop(error.to_string()),
    }
    let Ok(payload) = read else { return Ok(()) };
    for attributes in [json!({}), json!({ "id": "u-1", "country": "US", "age": 7, "tags": ["a", null] })] {
        same("decided twice", &decided(&payload, &attributes), &decided(&payload, &attributes))?;
    }
    Ok(())
}

fn decided(payload: &Payload, attributes: &Value) -> Vec<String> {
    let mut visitor = Visitor::new(attributes, URL);
    visitor.query_override = true;
    let mut evaluation = Evaluation::new(payload, visitor);
    let features =
        payload.features().iter().map(|feature| json!(evaluation.feature(feature.key())).to_string());
    let mut decided: Vec<String> = features.collect();
    for experiment in payload.experiments() {
        decided.push(json!(evaluation.experiment(experiment)).to_string());
    }
    decided
}
