//! The operations on parsed documents, as the RFCs define them, one after the other.

use serde_json::{Map, Value};

use crate::json::Pointer;

#[derive(Debug, Clone)]
pub(super) enum Operation {
    Set(String, Value),
    Remove(String),
    Insert(String, Value),
    Merge(String, Map<String, Value>),
}

impl Operation {
    fn tokens(&self) -> Vec<String> {
        let (Self::Set(pointer, _)
        | Self::Remove(pointer)
        | Self::Insert(pointer, _)
        | Self::Merge(pointer, _)) = self;
        pointer.parse::<Pointer>().unwrap().tokens().to_vec()
    }
}

/// Operations name places of the source: what stands further back in an array is done first, so that nothing moves that is
/// still asked for.
pub(super) fn apply(source: &Value, operations: &[Operation]) -> Value {
    let mut sorted: Vec<(Vec<String>, &Operation)> =
        operations.iter().map(|operation| (operation.tokens(), operation)).collect();
    let rank = |token: &String| if token == "-" { u64::MAX } else { token.parse().unwrap_or(0) };
    sorted.sort_by_key(|(tokens, _)| std::cmp::Reverse(tokens.iter().map(rank).collect::<Vec<u64>>()));
    let mut document = source.clone();
    for (tokens, operation) in sorted {
        do_one(source, &mut document, &tokens, operation);
    }
    document
}

fn do_one(source: &Value, document: &mut Value, tokens: &[String], operation: &Operation) {
    let Some((last, parents)) = tokens.split_last() else {
        *document = match operation {
            Operation::Set(_, value) | Operation::Insert(_, value) => value.clone(),
            Operation::Merge(_, patch) => merged(document.clone(), &Value::Object(patch.clone())),
            Operation::Remove(_) => return,
        };
        return;
    };
    let parent_pointer: String =
        parents.iter().map(|token| format!("/{}", token.replace('~', "~0").replace('/', "~1"))).collect();
    let (Some(parent_was), Some(parent)) =
        (source.pointer(&parent_pointer), document.pointer_mut(&parent_pointer))
    else {
        return;
    };
    match parent {
        Value::Object(object) => match operation {
            Operation::Set(_, value) | Operation::Insert(_, value) => {
                object.insert(last.clone(), value.clone());
            }
            Operation::Remove(_) => {
                object.remove(last);
            }
            Operation::Merge(_, patch) => {
                let target = object.remove(last).unwrap_or(Value::Null);
                object.insert(last.clone(), merged(target, &Value::Object(patch.clone())));
            }
        },
        Value::Array(items) => {
            let length = parent_was.as_array().unwrap().len();
            let index = last.parse::<usize>().ok().filter(|index| index.to_string() == *last);
            match (operation, index) {
                (Operation::Insert(_, value), _) if last == "-" => items.push(value.clone()),
                (Operation::Insert(_, value), Some(index)) if index <= length => {
                    items.insert(index, value.clone())
                }
                (Operation::Set(_, value), Some(index)) if index < length => items[index] = value.clone(),
                (Operation::Remove(_), Some(index)) if index < length => {
                    items.remove(index);
                }
                (Operation::Merge(_, patch), Some(index)) if index < length => {
                    items[index] = merged(items[index].clone(), &Value::Object(patch.clone()));
                }
                _ => {}
            }
        }
        _ => {}
    }
}

/// `MergePatch` of RFC 7396 § 2.
fn merged(target: Value, patch: &Value) -> Value {
    let Value::Object(patch) = patch else { return patch.clone() };
    let mut out = match target {
        Value::Object(target) => target,
        _ => Map::new(),
    };
    for (name, value) in patch {
        if value.is_null() {
            out.remove(name);
        } else {
            let old = out.remove(name).unwrap_or(Value::Null);
            out.insert(name.clone(), merged(old, value));
        }
    }
    Value::Object(out)
}
