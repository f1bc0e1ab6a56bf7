//! Operations on JSON.

use serde_json::{Map, Value};

use super::Compiler;
use crate::config::model;
use crate::config::node::Path;
use crate::html::operation::Site;
use crate::json::plan::{Patch, RAW, is_raw};
use crate::json::{Bounds, Change, Plan, Pointer};
use crate::patch::Action;
use crate::patch::element::{ElementEdit, Step};
use crate::patch::json::{JsonEdit, JsonValue, Piece};

/// `json: body` is the body of a response; a selector for the element `body` would find no JSON.
const BODY: &str = "body";

impl Compiler<'_> {
    /// A patch with `json`, or with one of its `operations`. `exchange` are its other kinds of changes.
    pub(super) fn json(
        &mut self,
        patch: &model::Patch,
        operations: &[&str],
        exchange: &[&str],
        path: &Path,
    ) -> Option<Action> {
        let Some(json) = patch.json.as_deref() else {
            let names = operations.join("`, `");
            self.report(path, format!("`{names}` must have `json` beside it: a selector of `script` elements, or `body` for responses that are JSON"));
            return None;
        };
        let others = [("select", patch.select.is_some()), ("edits of elements", patch.edits_elements())];
        let others = others.iter().filter(|(_, there)| *there).map(|(name, _)| *name);
        let others: Vec<&str> = others.chain(exchange.iter().copied()).collect();
        if !others.is_empty() {
            self.report(
                path,
                format!("`json` and `{}` can't be in one patch; write two", others.join("`, `")),
            );
        }
        if operations.is_empty() {
            self.report(path, "nothing is done to the JSON; add `set`, `insert`, `remove` or `merge`");
        }
        let plan = self.plan(patch, path);
        if json == BODY && patch.all {
            self.report(&path.clone().key("all"), "a response has one body; leave `all` out");
        }
        let site = match json {
            BODY => None,
            select => Some(Site::Elements {
                selector: self.selector(select, &path.clone().key("json"))?,
                all: patch.all,
                skip_first: 0,
            }),
        };
        let edit = JsonEdit { plan: plan?, bounds: Bounds::holding(self.max_held_bytes) };
        Some(match site {
            None => Action::Json(edit),
            Some(site) => {
                let steps = vec![Step::Json(edit)];
                Action::Elements(vec![ElementEdit { part: None, site, refusal: None, steps, fallback: None }])
            }
        })
    }

    fn plan(&mut self, patch: &model::Patch, path: &Path) -> Option<Plan<JsonValue>> {
        let mut changes = Vec::new();
        let values = [("set", &patch.set), ("insert", &patch.insert), ("merge", &patch.merge)];
        for (operation, map) in values {
            for (pointer, value) in map {
                let path = path.clone().key(operation).key(pointer);
                let pointer = self.pointer(pointer, &path);
                if operation == "insert" && pointer.as_ref().is_some_and(Pointer::is_root) {
                    self.report(&path, "nothing can be inserted next to the whole document; use `set`");
                }
                let change = match (operation, value) {
                    ("merge", Value::Object(object)) => Some(Change::Merge(self.merge(object, &path))),
                    ("merge", _) => {
                        self.report(&path, "a merge patch is a map; use `set` or `remove`");
                        None
                    }
                    ("set", value) => Some(Change::Set(self.json_value(value, &path))),
                    (_, value) => Some(Change::Insert(self.json_value(value, &path))),
                };
                changes.extend(pointer.zip(change));
            }
        }
        if let model::Removal::Pointers(pointers) = &patch.remove {
            for (index, pointer) in pointers.iter().enumerate() {
                let path = path.clone().key("remove").index(index);
                let pointer = self.pointer(pointer, &path);
                if pointer.as_ref().is_some_and(Pointer::is_root) {
                    self.report(&path, "the whole document can't be removed; use `set` with another value");
                }
                changes.extend(pointer.map(|pointer| (pointer, Change::Remove)));
            }
        }
        match Plan::new(changes) {
            Ok(plan) => Some(plan),
            Err(overlaps) => {
                overlaps.iter().for_each(|overlap| self.report(path, overlap.to_string()));
                None
            }
        }
    }

    fn pointer(&mut self, source: &str, path: &Path) -> Option<Pointer> {
        if source.contains("{{") {
            self.report(
                path,
                "values can't stand in a JSON Pointer; write one patch for each value, with `when`",
            );
            return None;
        }
        match source.parse::<Pointer>() {
            Ok(pointer) if pointer.tokens().len() > Bounds::MAX_DEPTH => {
                self.report(path, format!("more than {} names deep is not followed", Bounds::MAX_DEPTH));
                None
            }
            Ok(pointer) => Some(pointer),
            Err(error) => {
                self.report(path, format!("\"{source}\" is not a JSON Pointer: one {error}"));
                None
            }
        }
    }

    fn merge(&mut self, object: &Map<String, Value>, path: &Path) -> Patch<JsonValue> {
        // Each value stands in the patch and in what it makes of nothing: what is wrong is told once.
        let before = self.problems.len();
        let whole = self.json_value(&Value::Object(object.clone()), path);
        if self.problems.len() > before {
            return Patch { whole, members: std::collections::BTreeMap::new() };
        }
        Patch::from_object(object, &mut |value| self.json_value(value, path))
    }

    fn json_value(&mut self, value: &Value, path: &Path) -> JsonValue {
        let mut out = JsonValue::default();
        self.write_value(value, path, &mut out);
        out
    }

    fn write_value(&mut self, value: &Value, path: &Path, out: &mut JsonValue) {
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => out.raw(&value.to_string()),
            Value::String(text) => {
                out.raw("\"");
                if let Some(template) = self.text_template(text, path) {
                    out.pieces.push(Piece::Text(template));
                }
                out.raw("\"");
            }
            Value::Array(items) => {
                out.raw("[");
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.raw(",");
                    }
                    self.write_value(item, &path.clone().index(index), out);
                }
                out.raw("]");
            }
            Value::Object(object) if is_raw(object) => {
                self.write_raw(object.get(RAW), &path.clone().key(RAW), out);
            }
            Value::Object(object) => {
                out.raw("{");
                for (index, (name, value)) in object.iter().enumerate() {
                    let path = path.clone().key(name);
                    if name.contains("{{") {
                        self.report(&path, "values can't stand in the names of members");
                    }
                    out.raw(if index > 0 { ",\"" } else { "\"" });
                    out.pieces.push(Piece::Name(name.clone()));
                    out.raw("\":");
                    self.write_value(value, &path, out);
                }
                out.raw("}");
            }
        }
    }

    /// JSON as text: for numbers that a configuration can't hold as such, and names in an order.
    fn write_raw(&mut self, json: Option<&Value>, path: &Path, out: &mut JsonValue) {
        let json = match json {
            Some(Value::String(text)) => text.trim().to_owned(),
            Some(Value::Number(number)) => number.to_string(),
            _ => {
                self.report(path, format!("`{RAW}` holds JSON as text, such as \"19.90\""));
                return;
            }
        };
        match serde_json::from_str::<serde::de::IgnoredAny>(&json) {
            Ok(_) => out.raw(&json),
            Err(error) => self.report(path, format!("this is not JSON: {error}")),
        }
    }
}

#[cfg(test)]
mod tests;
