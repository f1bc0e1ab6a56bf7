//! What an unquoted YAML scalar means: to Envoy, and to the YAML 1.2 core schema.
//!
//! Envoy's meaning is measured on Envoy 1.40.0 (the table in the tests is what `/server_info` showed) and follows
//! `parseYamlNode` in its `source/common/protobuf/yaml_utility.cc`: yaml-cpp's booleans, then integers as a C++ stream
//! reads them with the base left open, then text. It refuses to guess beyond that: floats are text to Envoy.

use super::super::node::Value;

/// What a scalar means where numbers are concerned with their value alone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Meaning {
    Null,
    Bool(bool),
    Number(f64),
    Text,
}

pub(super) fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

/// What Envoy makes of a plain scalar.
pub(super) fn envoy(text: &str) -> Value {
    if is_null(text) { Value::Null } else { envoy_tagged(text) }
}

/// What Envoy makes of a scalar with a core tag, quoted or not.
pub(super) fn envoy_tagged(text: &str) -> Value {
    if let Some(truth) = flexible_bool(text) {
        return Value::Bool(truth);
    }
    match stream_integer(text) {
        // Beyond 32 bits Envoy turns the integer into its decimal text, since a Struct's numbers are doubles.
        Some(integer) => match i32::try_from(integer) {
            Ok(small) => Value::Number(small.into()),
            Err(_) => Value::Text(integer.to_string()),
        },
        None => Value::Text(text.to_owned()),
    }
}

/// yaml-cpp's `convert<bool>`: all lower, ALL UPPER or Capitalised.
pub(in super::super) fn flexible_bool(text: &str) -> Option<bool> {
    let rest = text.get(1..)?;
    let lower = text.bytes().all(|b| b.is_ascii_lowercase());
    let capitalised = text.starts_with(|c: char| c.is_ascii_uppercase())
        && (rest.bytes().all(|b| b.is_ascii_lowercase()) || rest.bytes().all(|b| b.is_ascii_uppercase()));
    if !lower && !capitalised {
        return None;
    }
    match text.to_ascii_lowercase().as_str() {
        "y" | "yes" | "true" | "on" => Some(true),
        "n" | "no" | "false" | "off" => Some(false),
        _ => None,
    }
}

/// `std::istream >> int64_t` with no base set: `0x` is hexadecimal, a leading `0` octal, and all of it must be read.
fn stream_integer(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (radix, digits) = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(digits) => (16, digits),
        None if digits.len() > 1 && digits.starts_with('0') => (8, digits),
        None => (10, digits),
    };
    // from_str_radix would take a second sign.
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    let magnitude = i128::from_str_radix(digits, radix).ok()?;
    i64::try_from(if negative { magnitude.checked_neg()? } else { magnitude }).ok()
}

/// What YAML 1.2's core schema makes of a plain scalar.
pub(super) fn core(text: &str) -> Meaning {
    match text {
        _ if is_null(text) => Meaning::Null,
        "true" | "True" | "TRUE" => Meaning::Bool(true),
        "false" | "False" | "FALSE" => Meaning::Bool(false),
        ".nan" | ".NaN" | ".NAN" => Meaning::Number(f64::NAN),
        _ => core_number(text).map_or(Meaning::Text, Meaning::Number),
    }
}

fn core_number(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") {
        return Some(if text.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY });
    }
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(digits) = text.strip_prefix(prefix) {
            return radix_number(digits, radix);
        }
    }
    decimal(text)
}

fn radix_number(digits: &str, radix: u32) -> Option<f64> {
    let radix_f64 = f64::from(radix);
    let digits = digits.chars().map(|c| c.to_digit(radix).map(f64::from));
    digits.reduce(|number, digit| Some(number? * radix_f64 + digit?))?
}

/// A decimal number as YAML 1.2 and JSON spell it; Rust's `inf`, `nan` and `infinity` are words here.
pub(in super::super) fn decimal(text: &str) -> Option<f64> {
    let spelled = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E'));
    text.parse::<f64>().ok().filter(|_| spelled)
}

/// What a core tag asks for, or `None` for a tag that is not one of a scalar.
pub(super) fn tagged(name: &str, text: &str) -> Option<Meaning> {
    match name {
        "!!str" => Some(Meaning::Text),
        "!!int" | "!!float" | "!!bool" | "!!null" => Some(core(text)),
        _ => None,
    }
}
