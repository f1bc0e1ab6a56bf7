//! Block YAML out of JSON values, with one thing JSON has no word for: a piece of YAML that is pasted in as its author wrote it,
//! so that it is Envoy's reader, and nobody else's, that decides what its scalars are.

use serde_json::{Value, json};

/// The only key of an object that stands for verbatim YAML. The NUL keeps it apart from every key a configuration can have.
const VERBATIM: &str = "\0verbatim";

/// `text`, to be pasted where this value stands.
pub(super) fn verbatim(text: &str) -> Value {
    json!({ VERBATIM: text })
}

pub(super) fn document(value: &Value) -> String {
    let mut out = String::new();
    write_fields(&mut out, value, 0);
    out
}

/// Writes what follows `key:` or `-`.
fn write(out: &mut String, value: &Value, depth: usize) {
    match value {
        Value::Object(fields) if fields.is_empty() => out.push_str(" {}\n"),
        Value::Object(_) => {
            out.push('\n');
            write_fields(out, value, depth);
        }
        Value::Array(items) if !items.is_empty() => {
            out.push('\n');
            for item in items {
                indent(out, depth);
                out.push('-');
                write(out, item, depth + 1);
            }
        }
        // Every JSON scalar is YAML as it stands.
        scalar => {
            out.push(' ');
            out.push_str(&scalar.to_string());
            out.push('\n');
        }
    }
}

fn write_fields(out: &mut String, value: &Value, depth: usize) {
    let Some(fields) = value.as_object() else { return };
    if let Some(Value::String(text)) = fields.get(VERBATIM) {
        for line in text.lines().filter(|line| *line != "---") {
            indent(out, depth);
            out.push_str(line);
            out.push('\n');
        }
        return;
    }
    for (key, value) in fields {
        indent(out, depth);
        out.push_str(&json!(key).to_string());
        out.push(':');
        write(out, value, depth + 1);
    }
}

fn indent(out: &mut String, depth: usize) {
    out.extend(std::iter::repeat_n("  ", depth));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verbatim_yaml_keeps_its_lines_below_its_key() {
        let pasted = verbatim("---\nk: NO # why\nl: |\n  two\n\n  lines\n");
        let value = json!({ "a": [1, {"b": "x\ny"}, [true]], "c": pasted, "d": {}, "e": [] });
        let expected = [
            "\"a\":",
            "  - 1",
            "  -",
            "    \"b\": \"x\\ny\"",
            "  -",
            "    - true",
            "\"c\":",
            "  k: NO # why",
            "  l: |",
            "    two",
            "  ",
            "    lines",
            "\"d\": {}",
            "\"e\": []",
            "",
        ];
        assert_eq!(document(&value), expected.join("\n"));
    }
}
