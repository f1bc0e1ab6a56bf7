//! A body that is JSON, or is said to be.
//!
//! How it is cut does not matter, and where nothing is done it stays as it is. Of a body that is JSON, each plan makes what
//! its operation makes of the parsed document.

use std::rc::Rc;

use engraft::html::outcome::Outcome;
use engraft::json::plan::Patch;
use engraft::json::{BodyEditor, Bounds, Change, Plan, Pointer};
use serde_json::{Map, Value, json};

use crate::cuts;
use crate::{same, shown};

/// Where something is done.
const PLACES: [&str; 10] = ["", "/a", "/b", "/a/b", "/a/0", "/0", "/1", "/0/a", "/-", "/a/-"];

type Body = (Vec<u8>, Vec<Outcome>);

/// Checks a body.
///
/// # Errors
/// What does not hold.
pub fn check(body: &[u8]) -> Result<(), String> {
    let parsed: Option<Value> = serde_json::from_slice(body).ok();
    let mut plans = Vec::new();
    for place in PLACES {
        let patch = json!({ "a": { "b": null, "c": [1] }, "b": null, "d": "é" });
        let patch = patch.as_object().cloned().unwrap_or_default();
        let merge = Change::Merge(Patch::from_object(&patch, &mut Value::to_string));
        for (name, change) in [
            ("set", Change::Set("{\"new\":1}".to_owned())),
            ("remove", Change::Remove),
            ("insert", Change::Insert("\"new\"".to_owned())),
            ("merge", merge),
        ] {
            let pointer: Pointer = place.parse().map_err(|error| format!("{place:?}: {error}"))?;
            let Ok(plan) = Plan::new(vec![(pointer.clone(), change)]) else { continue };
            let plan = Rc::new(plan);
            let (out, outcomes) = edit(std::slice::from_ref(&plan), body, Bounds::holding(1 << 20), place)?;
            if let (Some(source), true) = (&parsed, outcomes.iter().all(|outcome| outcome.skipped.is_empty()))
            {
                let found: Value = serde_json::from_slice(&out)
                    .map_err(|error| format!("{name} {place:?}: {error} in {}", shown(&out)))?;
                same(format!("{name} {place:?}"), &found, &operate(source, pointer.tokens(), name, &patch))?;
            }
            plans.push(plan);
        }
    }
    // One after the other, and with little to hold.
    let (out, _) = edit(&plans, body, Bounds { max_held_bytes: 16, max_depth: 8 }, "all")?;
    if parsed.is_some() {
        serde_json::from_slice::<Value>(&out).map_err(|error| format!("all: {error} in {}", shown(&out)))?;
    }
    Ok(())
}

/// What comes out, however the body is cut.
fn edit(plans: &[Rc<Plan<String>>], body: &[u8], bounds: Bounds, name: &str) -> Result<Body, String> {
    let whole = through(plans, &[body], bounds)?;
    // Of repeated members all are edited, and only the last one says whether that counts.
    let value = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).ok();
    let is_undone = whole.1.iter().all(|outcome| outcome.applied == 0 && outcome.skipped.is_empty());
    if is_undone && (value(body).is_none() || value(body) != value(&whole.0)) {
        same(format!("{name}: nothing is done"), &shown(&whole.0), &shown(body))?;
    }
    for pieces in cuts::ways(body) {
        let cut = through(plans, &pieces, bounds)?;
        if cut != whole {
            let lengths: Vec<usize> = pieces.iter().map(|piece| piece.len()).collect();
            let left = |(out, outcomes): &Body| (shown(out), outcomes.clone());
            same(format!("{name}: cut into {lengths:?}"), &left(&cut), &left(&whole))?;
        }
    }
    Ok(whole)
}

fn through(plans: &[Rc<Plan<String>>], pieces: &[&[u8]], bounds: Bounds) -> Result<Body, String> {
    let mut editor = BodyEditor::new(plans.iter().cloned(), bounds);
    let mut out = Vec::new();
    for piece in pieces {
        let kept = if editor.is_done() { piece.len() } else { editor.write(piece, &mut out) };
        let from = piece.len().checked_sub(kept).ok_or("more bytes are to follow than there are")?;
        out.extend_from_slice(piece.get(from..).unwrap_or_default());
    }
    editor.end(&mut out);
    Ok((out, editor.outcomes()))
}

/// What an operation makes of a document (RFC 6902 § 4, RFC 7396 § 2); where there is nothing to do it on, nothing.
fn operate(source: &Value, tokens: &[String], name: &str, patch: &Map<String, Value>) -> Value {
    let mut document = source.clone();
    let patch = Value::Object(patch.clone());
    let Some((last, parents)) = tokens.split_last() else {
        return match name {
            "set" => json!({ "new": 1 }),
            "insert" => json!("new"),
            "merge" => merged(document, &patch),
            _ => document,
        };
    };
    let parents: String = parents.iter().map(|token| format!("/{token}")).collect();
    match document.pointer_mut(&parents) {
        Some(Value::Object(object)) => match name {
            "set" => {
                object.insert(last.clone(), json!({ "new": 1 }));
            }
            "insert" => {
                object.insert(last.clone(), json!("new"));
            }
            "merge" => {
                let old = object.remove(last).unwrap_or(Value::Null);
                object.insert(last.clone(), merged(old, &patch));
            }
            _ => {
                object.remove(last);
            }
        },
        Some(Value::Array(items)) => match (name, last.parse::<usize>()) {
            ("insert", Err(_)) if last == "-" => items.push(json!("new")),
            ("insert", Ok(index)) if index <= items.len() => items.insert(index, json!("new")),
            ("remove", Ok(index)) if index < items.len() => {
                items.remove(index);
            }
            ("set" | "merge", Ok(index)) => {
                if let Some(item) = items.get_mut(index) {
                    *item = if name == "set" { json!({ "new": 1 }) } else { merged(item.take(), &patch) };
                }
            }
            _ => {}
        },
        _ => {}
    }
    document
}

fn merged(target: Value, patch: &Value) -> Value {
    let Value::Object(patch) = patch else { return patch.clone() };
    let mut object = match target {
        Value::Object(object) => object,
        _ => Map::new(),
    };
    for (name, value) in patch {
        let old = object.remove(name);
        if !value.is_null() {
            object.insert(name.clone(), merged(old.unwrap_or(Value::Null), value));
        }
    }
    Value::Object(object)
}
