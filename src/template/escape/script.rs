//! Values in scripts and in JSON. Both take the same escapes: those of JSON, and only of characters that HTML, XML and old
//! encodings can't mistake for anything. So they hold in any script, in JSON in a script, in a JSON body, and where a script
//! is parsed as markup, as in SVG.

use std::fmt::Write as _;

use serde_json::Value;

use crate::decide::condition::coercion;

/// How deep values nest that are written; deeper ones are null.
const MAX_DEPTH: usize = 128;

/// The inside of a string of JSON or JavaScript, in either kind of quotes. All but letters, digits and a few marks is escaped:
/// quotes and `\` would end the string, `<`, `>` and `&` the script, U+2028 the line in old engines, and what is beyond
/// ASCII may not exist in the encoding of the page.
pub fn json_string(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '/' => out.push_str("\\/"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            // `+` begins what looks like UTF-7.
            '\'' | '`' | '<' | '>' | '&' | '+' => unicode(c, out),
            c if c.is_ascii_control() || !c.is_ascii() => unicode(c, out),
            other => out.push(other),
        }
    }
}

/// A value as JSON, which is JavaScript as well (ECMA-262, since 2019).
pub fn json_value(value: &Value, out: &mut String) {
    write_value(value, out, MAX_DEPTH);
}

fn write_value(value: &Value, out: &mut String, depth: usize) {
    let Some(depth) = depth.checked_sub(1) else { return out.push_str("null") };
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => out.push_str(&coercion::text(value)),
        Value::String(text) => quoted(text, out),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index > 0 { "," } else { "" });
                write_value(item, out, depth);
            }
            out.push(']');
        }
        Value::Object(members) => {
            out.push('{');
            for (index, (name, member)) in members.iter().enumerate() {
                out.push_str(if index > 0 { "," } else { "" });
                quoted(name, out);
                out.push(':');
                write_value(member, out, depth);
            }
            out.push('}');
        }
    }
}

fn quoted(text: &str, out: &mut String) {
    out.push('"');
    json_string(text, out);
    out.push('"');
}

/// As UTF-16 code units (RFC 8259 § 7).
fn unicode(c: char, out: &mut String) {
    for unit in c.encode_utf16(&mut [0; 2]) {
        let _ = write!(out, "\\u{unit:04x}");
    }
}
