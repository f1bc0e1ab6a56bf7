//! `google.protobuf.Struct` into the value tree: the form in which Envoy hands over a native YAML configuration.
//!
//! Answers for values; a `Struct` has no places and no order, so its maps come out sorted by key, the same on every load.
//! It refuses numbers that no document can spell.

use std::collections::BTreeMap;

use prost::Message as _;

use super::node::{Key, MAX_DEPTH, Node, Path, Segment, Value};
use super::problem::{Kind, Problem, Problems};

/// Reads a `Struct`; `None` when the bytes are not one.
pub(super) fn parse(bytes: &[u8]) -> Option<Result<Node, Problems>> {
    match Struct::decode(bytes) {
        Ok(decoded) => {
            let mut reader = Reader { path: Path::default(), problems: Vec::new() };
            let root = reader.map(decoded, 0);
            Some(Problems::collect(reader.problems).map_or(Ok(root), Err))
        }
        // Only something well-formed up to here nests that deep, so it is a Struct and no text.
        Err(error) if error.to_string().contains("recursion limit") => {
            Some(Err(Problem::too_deep(Path::default(), None).into()))
        }
        Err(_) => None,
    }
}

struct Reader {
    path: Path,
    problems: Vec<Problem>,
}

impl Reader {
    fn map(&mut self, map: Struct, depth: usize) -> Node {
        if depth >= MAX_DEPTH {
            self.problems.push(Problem::too_deep(self.path.clone(), None));
            return Node::new(Value::Null);
        }
        let entries = map.fields.into_iter().map(|(name, value)| {
            self.path.push(Segment::Key(name.clone()));
            let node = self.node(value, depth.saturating_add(1));
            self.path.pop();
            (Key { name, at: None }, node)
        });
        Node::new(Value::Map(entries.collect()))
    }

    fn list(&mut self, list: ListValue, depth: usize) -> Node {
        if depth >= MAX_DEPTH {
            self.problems.push(Problem::too_deep(self.path.clone(), None));
            return Node::new(Value::Null);
        }
        let items = list.values.into_iter().enumerate().map(|(index, value)| {
            self.path.push(Segment::Index(index));
            let node = self.node(value, depth.saturating_add(1));
            self.path.pop();
            node
        });
        Node::new(Value::List(items.collect()))
    }

    fn node(&mut self, value: StructValue, depth: usize) -> Node {
        let value = match value.kind {
            Some(ValueKind::Null(_)) => Value::Null,
            Some(ValueKind::Bool(truth)) => Value::Bool(truth),
            Some(ValueKind::Text(text)) => Value::Text(text),
            Some(ValueKind::Map(map)) => return self.map(map, depth),
            Some(ValueKind::List(list)) => return self.list(list, depth),
            Some(ValueKind::Number(number)) => {
                if !number.is_finite() {
                    let problem = Problem::new(Kind::InvalidValue, self.path.clone(), String::new());
                    self.problems.push(problem.mismatch(number.to_string(), "a finite number"));
                }
                Value::Number(number)
            }
            None => {
                let message = "this protobuf value has no kind, which google.protobuf.Value does not allow";
                self.problems.push(Problem::new(Kind::Syntax, self.path.clone(), message));
                Value::Null
            }
        };
        Node::new(value)
    }
}

/// `google.protobuf.Struct`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Struct {
    #[prost(btree_map = "string, message", tag = "1")]
    pub(super) fields: BTreeMap<String, StructValue>,
}

/// `google.protobuf.Value`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct StructValue {
    #[prost(oneof = "ValueKind", tags = "1, 2, 3, 4, 5, 6")]
    pub(super) kind: Option<ValueKind>,
}

/// `google.protobuf.Value.kind`.
#[derive(Clone, PartialEq, prost::Oneof)]
pub(super) enum ValueKind {
    /// Of the enum `NullValue`, which has one member.
    #[prost(int32, tag = "1")]
    Null(i32),
    #[prost(double, tag = "2")]
    Number(f64),
    #[prost(string, tag = "3")]
    Text(String),
    #[prost(bool, tag = "4")]
    Bool(bool),
    #[prost(message, tag = "5")]
    Map(Struct),
    #[prost(message, tag = "6")]
    List(ListValue),
}

/// `google.protobuf.ListValue`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct ListValue {
    #[prost(message, repeated, tag = "1")]
    pub(super) values: Vec<StructValue>,
}

/// The bytes that Envoy would hand over for a tree.
#[cfg(test)]
pub(super) fn encode(root: &Node) -> Vec<u8> {
    fn value(node: &Node) -> StructValue {
        StructValue {
            kind: Some(match &node.value {
                Value::Null => ValueKind::Null(0),
                Value::Bool(truth) => ValueKind::Bool(*truth),
                Value::Number(number) => ValueKind::Number(*number),
                Value::Text(text) => ValueKind::Text(text.clone()),
                Value::List(items) => {
                    ValueKind::List(ListValue { values: items.iter().map(value).collect() })
                }
                Value::Map(entries) => ValueKind::Map(Struct {
                    fields: entries.iter().map(|(key, node)| (key.name.clone(), value(node))).collect(),
                }),
            }),
        }
    }
    let Some(ValueKind::Map(root)) = value(root).kind else { panic!("the root of a Struct is a map") };
    root.encode_to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, value: Node) -> (Key, Node) {
        (Key { name: name.to_owned(), at: None }, value)
    }

    #[test]
    fn every_kind_arrives() {
        let root = Node::new(Value::Map(vec![
            entry("a", Node::new(Value::Null)),
            entry("b", Node::new(Value::Bool(true))),
            entry("c", Node::new(Value::Number(1.5))),
            entry(
                "d",
                Node::new(Value::List(vec![
                    Node::new(Value::Text("x".to_owned())),
                    Node::new(Value::Map(vec![])),
                ])),
            ),
        ]));
        assert_eq!(parse(&encode(&root)), Some(Ok(root)));
    }

    #[test]
    fn entries_may_come_in_any_order() {
        // {b: 1, a: [true]}: the maps of a serialised message have no order.
        let bytes = b"\n\x0e\n\x01b\x12\x09\x11\0\0\0\0\0\0\xf0\x3f\n\x0b\n\x01a\x12\x06\x32\x04\n\x02 \x01";
        let list = Node::new(Value::List(vec![Node::new(Value::Bool(true))]));
        let expected =
            Node::new(Value::Map(vec![entry("a", list), entry("b", Node::new(Value::Number(1.0)))]));
        assert_eq!(parse(bytes), Some(Ok(expected)));
    }

    #[test]
    fn numbers_without_a_spelling_are_problems() {
        let list = [f64::NAN, f64::INFINITY, 1.0].map(|n| Node::new(Value::Number(n)));
        let root = Node::new(Value::Map(vec![entry("a", Node::new(Value::List(list.to_vec())))]));
        assert_eq!(
            parse(&encode(&root)).unwrap().unwrap_err().to_string(),
            "a[0]: found NaN, expected a finite number\na[1]: found inf, expected a finite number"
        );
    }

    #[test]
    fn a_value_without_a_kind_is_a_problem() {
        let expected = "a: this protobuf value has no kind, which google.protobuf.Value does not allow";
        assert_eq!(parse(b"\n\x05\n\x01a\x12\0").unwrap().unwrap_err().to_string(), expected);
    }

    #[test]
    fn nests_as_deep_as_text_and_no_deeper() {
        let nested = |depth| {
            let wrap = |node, _| Node::new(Value::Map(vec![entry("a", node)]));
            encode(&(0..depth).fold(Node::new(Value::Null), wrap))
        };
        assert!(parse(&nested(MAX_DEPTH)).unwrap().is_ok());
        // The bound is prost's, all but one.
        assert!(Struct::decode(nested(MAX_DEPTH + 1).as_slice()).is_ok());
        assert!(Struct::decode(nested(MAX_DEPTH + 2).as_slice()).is_err());
        for depth in [MAX_DEPTH + 1, MAX_DEPTH + 2, 200] {
            let problems = parse(&nested(depth)).unwrap().unwrap_err().to_string();
            assert!(problems.ends_with("lists and maps nest more than 32 deep"), "{depth}: {problems}");
        }
    }
}
