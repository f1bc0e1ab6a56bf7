//! Operands, read as the kind that their attribute is declared to be.
//!
//! YAML turns `007` into 7, and Envoy's `Struct` turns `3000000000` into text: by the time a condition is
//! compiled, the type of a scalar says little about what its author typed. The declared kind says more.

use serde_json::{Number, Value};

use super::coercion;
use super::error::Problem;
use super::vocabulary::Kind;

/// A scalar as the declared kind; without one, as it is. A list's kind is that of its elements, which is
/// text.
pub(super) fn scalar(operand: &Value, kind: Option<Kind>) -> Result<Value, Problem> {
    let Some(kind) = kind else { return Ok(operand.clone()) };
    match (kind, operand) {
        (Kind::Any, _)
        | (_, Value::Null)
        | (Kind::Text | Kind::List, Value::String(_))
        | (Kind::Number, Value::Number(_))
        | (Kind::Bool, Value::Bool(_)) => Ok(operand.clone()),
        (Kind::Text | Kind::List, Value::Number(_) | Value::Bool(_)) => {
            Ok(Value::String(coercion::text(operand).into_owned()))
        }
        (Kind::Number, Value::String(text)) => {
            decimal(text).map(Value::Number).ok_or_else(|| unexpected("a number", operand))
        }
        (Kind::Bool, Value::String(text)) => match text.as_str() {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            _ => Err(unexpected("true or false", operand)),
        },
        (Kind::Text | Kind::List, _) => Err(unexpected("text", operand)),
        (Kind::Number, _) => Err(unexpected("a number", operand)),
        (Kind::Bool, _) => Err(unexpected("true or false", operand)),
    }
}

/// The operand of `$lt` and its kin. Numbers, and text that is one, compare as numbers with text attributes
/// too: `{ $gt: 9 }` on a cookie means more than nine, not what sorts after the character 9. Other text (a
/// date) compares as text.
pub(super) fn ordered(operand: &Value, kind: Option<Kind>) -> Result<Value, Problem> {
    match (kind, operand) {
        (Some(Kind::Text), Value::Number(_)) => Ok(operand.clone()),
        (Some(Kind::Text), Value::String(text)) => {
            Ok(decimal(text).map_or_else(|| operand.clone(), Value::Number))
        }
        (Some(_), Value::Null) => Err(unexpected("a number or text", operand)),
        _ => scalar(operand, kind),
    }
}

/// A name or a pattern: text, for which a number may have been taken on the way.
pub(super) fn name(operand: &Value, expected: &'static str) -> Result<String, Problem> {
    match operand {
        Value::String(text) => Ok(text.clone()),
        Value::Number(_) => Ok(coercion::text(operand).into_owned()),
        _ => Err(unexpected(expected, operand)),
    }
}

fn decimal(text: &str) -> Option<Number> {
    Number::from_f64(coercion::decimal(text)?)
}

/// How much of what is there an error quotes.
const MAX_QUOTED_CHARS: usize = 60;

pub(super) fn unexpected(expected: &'static str, got: &Value) -> Problem {
    let got = match got {
        Value::Null => "null".to_owned(),
        Value::Bool(_) | Value::Number(_) => got.to_string(),
        Value::String(text) if text.chars().nth(MAX_QUOTED_CHARS).is_some() => {
            format!("`{}…`", text.chars().take(MAX_QUOTED_CHARS).collect::<String>())
        }
        Value::String(text) => format!("`{text}`"),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    };
    Problem::Unexpected { expected, got }
}
