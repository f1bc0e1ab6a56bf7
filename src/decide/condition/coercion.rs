//! How JavaScript turns one kind of value into another and compares them, as far as conditions need it.
//!
//! Sources are sections of ECMA-262 (2024). Values are JSON, so there is no `undefined`, no symbol and no
//! bigint, and every number is the f64 that JavaScript would have parsed.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::{Number, Value};

/// How deep lists are joined into text; deeper ones count as empty. As deep as serde_json reads.
const MAX_JOIN_DEPTH: usize = 128;

/// What an object or list becomes before it is compared (§7.1.1 ToPrimitive).
#[derive(Debug, Clone)]
pub(crate) enum Primitive<'a> {
    /// Strings, and lists and objects in their text form.
    Text(Cow<'a, str>),
    /// Numbers, and null and booleans in their number form: nothing but text compares otherwise.
    Number(f64),
}

impl Primitive<'_> {
    /// §7.2.12 IsLessThan, both ways: text with text by UTF-16 code units, everything else as numbers. `None`
    /// when one of them isn't a number.
    pub(crate) fn compare(&self, other: &Primitive<'_>) -> Option<Ordering> {
        match (self, other) {
            (Self::Text(a), Primitive::Text(b)) => Some(a.encode_utf16().cmp(b.encode_utf16())),
            _ => self.number().partial_cmp(&other.number()),
        }
    }

    fn number(&self) -> f64 {
        match self {
            Self::Text(text) => text_number(text),
            Self::Number(number) => *number,
        }
    }

    pub(crate) fn into_owned(self) -> Primitive<'static> {
        match self {
            Self::Text(text) => Primitive::Text(Cow::Owned(text.into_owned())),
            Self::Number(number) => Primitive::Number(number),
        }
    }
}

/// §7.1.1 ToPrimitive.
pub(crate) fn primitive(value: &Value) -> Primitive<'_> {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => Primitive::Number(number(value)),
        Value::String(_) | Value::Array(_) | Value::Object(_) => Primitive::Text(text(value)),
    }
}

/// §7.1.17 ToString. Borrows unless it has to write digits or join a list.
pub(crate) fn text(value: &Value) -> Cow<'_, str> {
    match value {
        Value::Null => Cow::Borrowed("null"),
        Value::Bool(true) => Cow::Borrowed("true"),
        Value::Bool(false) => Cow::Borrowed("false"),
        Value::Number(number) => Cow::Owned(number_text(float(number))),
        Value::String(text) => Cow::Borrowed(text),
        Value::Array(items) => {
            let mut joined = String::new();
            join(items, &mut joined, MAX_JOIN_DEPTH);
            Cow::Owned(joined)
        }
        Value::Object(_) => Cow::Borrowed("[object Object]"),
    }
}

/// §23.1.3.18 Array.prototype.join: null elements are empty, inner lists are joined the same way.
fn join(items: &[Value], joined: &mut String, depth: usize) {
    for (position, item) in items.iter().enumerate() {
        if position > 0 {
            joined.push(',');
        }
        match (item, depth.checked_sub(1)) {
            (Value::Null, _) | (Value::Array(_), None) => {}
            (Value::Array(inner), Some(depth)) => join(inner, joined, depth),
            _ => joined.push_str(&text(item)),
        }
    }
}

/// §7.1.4 ToNumber; NaN where there is none.
pub(crate) fn number(value: &Value) -> f64 {
    match value {
        Value::Null | Value::Bool(false) => 0.0,
        Value::Bool(true) => 1.0,
        Value::Number(number) => float(number),
        Value::String(text) => text_number(text),
        Value::Array(_) | Value::Object(_) => text_number(&text(value)),
    }
}

/// §7.1.4.1.1 StringToNumber: empty text is zero; hexadecimal, octal, binary and `Infinity` count.
pub(crate) fn text_number(text: &str) -> f64 {
    let text = trim(text);
    if text.is_empty() {
        return 0.0;
    }
    for (prefixes, radix) in [(["0x", "0X"], 16), (["0o", "0O"], 8), (["0b", "0B"], 2)] {
        if let Some(digits) = prefixes.iter().find_map(|prefix| text.strip_prefix(prefix)) {
            return integer(digits, radix);
        }
    }
    match text {
        "Infinity" | "+Infinity" => f64::INFINITY,
        "-Infinity" => f64::NEG_INFINITY,
        _ => decimal(text).unwrap_or(f64::NAN),
    }
}

/// The number that decimal text denotes: digits, a fraction, an exponent. `None` for what Rust would read
/// besides (`inf`, `nan`), and for empty text.
pub(crate) fn decimal(text: &str) -> Option<f64> {
    let text = trim(text);
    let written = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E');
    text.bytes().all(written).then(|| text.parse().ok()).flatten()
}

fn integer(digits: &str, radix: u32) -> f64 {
    if digits.is_empty() {
        return f64::NAN;
    }
    digits
        .chars()
        .try_fold(0.0, |sum, digit| Some(sum * f64::from(radix) + f64::from(digit.to_digit(radix)?)))
        .unwrap_or(f64::NAN)
}

/// §12.2 white space and §12.3 line terminators: Unicode's, plus the byte order mark, less U+0085.
fn trim(text: &str) -> &str {
    text.trim_matches(|c: char| c == '\u{FEFF}' || (c.is_whitespace() && c != '\u{85}'))
}

/// §6.1.6.1.20 Number::toString: the shortest digits that read back as the same number, plain up to 21
/// digits.
pub(crate) fn number_text(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number == 0.0 {
        return "0".to_owned();
    }
    let sign = if number < 0.0 { "-" } else { "" };
    if number.is_infinite() {
        return format!("{sign}Infinity");
    }
    // Rust's exponent form has the same shortest digits; only the layout differs.
    let scientific = format!("{:e}", number.abs());
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let (first, rest) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    match exponent {
        0..=20 => {
            let whole = usize::try_from(exponent).unwrap_or(0);
            match rest.split_at_checked(whole) {
                Some((digits, "")) => format!("{sign}{first}{digits}"),
                Some((digits, fraction)) => format!("{sign}{first}{digits}.{fraction}"),
                None => format!("{sign}{first}{rest:0<whole$}"),
            }
        }
        -6..=-1 => {
            let zeros = usize::try_from(-1 - exponent).unwrap_or(0);
            format!("{sign}0.{:0<zeros$}{first}{rest}", "")
        }
        _ => {
            let point = if rest.is_empty() { "" } else { "." };
            format!("{sign}{first}{point}{rest}e{exponent:+}")
        }
    }
}

/// §7.1.2 ToBoolean.
pub(crate) fn truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => float(number) != 0.0,
        Value::String(text) => !text.is_empty(),
        Value::Array(_) | Value::Object(_) => true,
    }
}

/// §7.2.15 IsStrictlyEqual for scalars; lists and objects are never identical to an operand, being compared
/// by identity.
pub(crate) fn identical(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Null, Value::Null) => true,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Number(a), Value::Number(b)) => float(a) == float(b),
        (Value::String(a), Value::String(b)) => a == b,
        _ => false,
    }
}

/// Equality of what `JSON.stringify` writes, but for the order of members. No deeper than the shallower of
/// the two.
pub(crate) fn same_json(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_json(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| same_json(a, b)))
        }
        _ => identical(a, b),
    }
}

/// Lower case as `toLowerCase` makes it.
pub(crate) fn lower(text: &str) -> Cow<'_, str> {
    if text.bytes().any(|byte| byte.is_ascii_uppercase() || !byte.is_ascii()) {
        Cow::Owned(text.to_lowercase())
    } else {
        Cow::Borrowed(text)
    }
}

/// The f64 that JavaScript would have parsed.
pub(crate) fn float(number: &Number) -> f64 {
    number.as_f64().unwrap_or(f64::NAN)
}
