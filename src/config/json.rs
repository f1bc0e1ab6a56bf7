//! JSON text into the value tree.
//!
//! Answers for a place on every value and key, and for the same tree as the YAML and `Struct` forms of the document. It
//! refuses what is not JSON, with the place where it stops being so.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

use super::node::{Key, Location, MAX_DEPTH, Node, Path, Segment, Value};
use super::problem::{Kind, Problem, Problems};

/// Reads one JSON value and nothing after it.
pub(super) fn parse(text: &str) -> Result<Node, Problems> {
    let root: &RawValue = serde_json::from_str(text).map_err(|error| {
        let column = byte_column(text, error.line(), error.column());
        Problems::from(syntax(&error).at(Some(Location { line: error.line().max(1), column })))
    })?;
    Reader { text, offset: 0, line: 1, column: 1, path: Path::default() }.node(root, 0)
}

/// Walks the raw values in the order of the text, so that counting lines and columns is one pass over it.
struct Reader<'t> {
    text: &'t str,
    offset: usize,
    line: usize,
    column: usize,
    path: Path,
}

impl<'t> Reader<'t> {
    fn node(&mut self, raw: &'t RawValue, depth: usize) -> Result<Node, Problems> {
        let at = self.locate(raw);
        let text = raw.get();
        let value = match text.as_bytes().first() {
            Some(b'n') => Value::Null,
            Some(b't') => Value::Bool(true),
            Some(b'f') => Value::Bool(false),
            Some(b'"') => Value::Text(self.string(raw, at)?),
            Some(b'[') => {
                let items: Vec<&RawValue> = self.parsed(text, at)?;
                let depth = self.deeper(depth, at)?;
                let mut nodes = Vec::with_capacity(items.len());
                for (index, item) in items.into_iter().enumerate() {
                    self.path.push(Segment::Index(index));
                    nodes.push(self.node(item, depth)?);
                    self.path.pop();
                }
                Value::List(nodes)
            }
            Some(b'{') => {
                let Entries(entries) = self.parsed(text, at)?;
                let depth = self.deeper(depth, at)?;
                let mut nodes = Vec::with_capacity(entries.len());
                for (key, value) in entries {
                    let at = self.locate(key);
                    let name = self.string(key, at)?;
                    self.path.push(Segment::Key(name.clone()));
                    nodes.push((Key { name, at }, self.node(value, depth)?));
                    self.path.pop();
                }
                Value::Map(nodes)
            }
            // Envoy carries integers of 32 bits as numbers and every other number as text, so that a Struct loses no
            // digits; JSON is held to the same, or a document would mean one thing in a file and another in Envoy.
            _ => match text.parse::<i32>() {
                Ok(number) => Value::Number(number.into()),
                Err(_) => Value::Text(text.to_owned()),
            },
        };
        Ok(Node { value, at })
    }

    fn deeper(&self, depth: usize, at: Option<Location>) -> Result<usize, Problems> {
        let deeper = (depth < MAX_DEPTH).then(|| depth.saturating_add(1));
        deeper.ok_or_else(|| Problem::too_deep(self.path.clone(), at).into())
    }

    fn string(&self, raw: &RawValue, at: Option<Location>) -> Result<String, Problems> {
        self.parsed(raw.get(), at)
    }

    /// Parses a part of what is known to be JSON; what can still be wrong is inside a string (a lone surrogate).
    fn parsed<T: serde::Deserialize<'t>>(&self, text: &'t str, at: Option<Location>) -> Result<T, Problems> {
        serde_json::from_str(text)
            .map_err(|error| Problem { path: self.path.clone(), ..syntax(&error) }.at(at).into())
    }

    fn locate(&mut self, raw: &RawValue) -> Option<Location> {
        let offset = raw.get().as_ptr().addr().checked_sub(self.text.as_ptr().addr())?;
        for c in self.text.get(self.offset..offset)?.chars() {
            if c == '\n' {
                self.line = self.line.saturating_add(1);
                self.column = 1;
            } else {
                self.column = self.column.saturating_add(1);
            }
        }
        self.offset = offset;
        Some(Location { line: self.line, column: self.column })
    }
}

/// The entries of an object as they stand, repeated keys included.
struct Entries<'t>(Vec<(&'t RawValue, &'t RawValue)>);

impl<'t> serde::Deserialize<'t> for Entries<'t> {
    fn deserialize<D: serde::Deserializer<'t>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'t> Visitor<'t> for Collect {
            type Value = Entries<'t>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'t>>(self, mut access: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = access.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

fn syntax(error: &serde_json::Error) -> Problem {
    let message = error.to_string();
    // serde_json ends its message with the place, which the problem has a field for.
    let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(message, _)| message);
    Problem::new(
        Kind::Syntax,
        Path::default(),
        message.replacen("EOF while parsing", "the text ends inside", 1),
    )
}

/// serde_json counts columns in bytes; people count characters.
fn byte_column(text: &str, line: usize, column: usize) -> usize {
    let line = text.split('\n').nth(line.saturating_sub(1)).unwrap_or_default();
    line.char_indices().take_while(|(offset, _)| *offset < column).count().max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(line: usize, column: usize) -> Option<Location> {
        Some(Location { line, column })
    }

    #[test]
    fn every_value_and_key_has_its_place() {
        let text = "{\n  \"é\": [1, {\"b\": null}],\n\t\"ü\" : \"x\\n\" }";
        let root = parse(text).unwrap();
        let Value::Map(entries) = &root.value else { panic!("{root:?}") };
        assert_eq!((root.at, entries[0].0.at, entries[0].1.at), (at(1, 1), at(2, 3), at(2, 8)));
        assert_eq!((entries[1].0.at, entries[1].1.at), (at(3, 2), at(3, 8)));
        assert_eq!(entries[1].1.value, Value::Text("x\n".to_owned()));
        let path = Path::default().key("é").index(1);
        assert_eq!(root.find(&path).unwrap().at, at(2, 12));
        assert_eq!(root.find(&path.key("b")).unwrap().at, at(2, 18));
    }

    #[test]
    fn numbers_are_what_a_struct_makes_of_them() {
        let table = [
            ("0", Value::Number(0.0)),
            ("-0", Value::Number(0.0)),
            ("2147483647", Value::Number(2_147_483_647.0)),
            ("-2147483648", Value::Number(-2_147_483_648.0)),
            ("2147483648", Value::Text("2147483648".to_owned())),
            ("1.0", Value::Text("1.0".to_owned())),
            ("1e3", Value::Text("1e3".to_owned())),
            ("99999999999999999999", Value::Text("99999999999999999999".to_owned())),
        ];
        for (text, expected) in table {
            assert_eq!(parse(text).unwrap().value, expected, "{text}");
        }
    }

    #[test]
    fn repeated_keys_stay_in_the_tree() {
        let root = parse("{\"a\": 1,\n \"a\": 2}").unwrap();
        let lines: Vec<_> =
            root.duplicate_keys().into_iter().map(|(problem, _)| problem.to_string()).collect();
        assert_eq!(
            lines,
            ["a (line 2, column 2): key \"a\" was already given at line 1, column 2; keep one of them"]
        );
    }

    #[test]
    fn errors_have_a_place() {
        let cases = [
            ("{\"a\": 1,}", "line 1, column 9: key must be a string"),
            ("{\n \"é\" 1}", "line 2, column 6: expected `:`"),
            ("{", "line 1, column 1: the text ends inside an object"),
            ("{} {}", "line 1, column 4: trailing characters"),
            ("{\"a\": [\"\\ud800\"]}", "a[0] (line 1, column 8): unexpected end of hex escape"),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text).unwrap_err().to_string(), expected, "{text}");
        }
    }

    #[test]
    fn deep_nesting_is_a_problem() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse(&nested(MAX_DEPTH)).is_ok());
        let expected = "(line 1, column 33): lists and maps nest more than 32 deep";
        assert!(parse(&nested(MAX_DEPTH + 1)).unwrap_err().to_string().ends_with(expected));
        assert!(parse(&nested(100_000)).is_err());
    }
}
