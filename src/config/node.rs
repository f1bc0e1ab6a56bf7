//! The located value tree that every form of a configuration is read into.
//!
//! Answers for values, where they stand in the text, and how to name and find one. It refuses to interpret: what a
//! value means is the schema's business (see [`decode`](super::decode)).

use std::collections::BTreeMap;
use std::fmt;

use super::problem::{Kind, Problem};

/// How deep lists and maps may nest, in all three forms.
///
/// prost stops at 100 nested messages, and a `Struct` spends three of them on each map: 33 maps and no more. Text is
/// held to what a `Struct` can surely carry, or `check` would pass what Envoy then cannot hand over.
pub const MAX_DEPTH: usize = 32;

/// A place in the text of a configuration, both counted from 1, the column in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct Location {
    /// The line, from 1.
    pub line: usize,
    /// The character in the line, from 1.
    pub column: usize,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// One value of a configuration, with the place it was written at when the form has places (a `Struct` has none).
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// What was written.
    pub value: Value,
    /// Where it begins.
    pub at: Option<Location>,
}

/// What a [`Node`] holds: the kinds of `google.protobuf.Value`.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "the kinds of google.protobuf.Value, which are closed")]
pub enum Value {
    /// Nothing: `null`, `~`, or a key without a value.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number that Envoy carries as one.
    Number(f64),
    /// Text, and every number that Envoy carries as text.
    Text(String),
    /// A list, in order.
    List(Vec<Node>),
    /// A map, in the order written. A key may stand in it twice: see [`Node::duplicate_keys`].
    Map(Vec<(Key, Node)>),
}

/// A key of a map, and where it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The key as text; keys are never numbers, in any form.
    pub name: String,
    /// Where the key begins.
    pub at: Option<Location>,
}

impl Node {
    /// A value without a place.
    pub fn new(value: Value) -> Self {
        Self { value, at: None }
    }

    /// The value at a path; of a key written twice, the first.
    pub fn find(&self, path: &Path) -> Option<&Self> {
        path.0.iter().try_fold(self, |node, segment| node.child(segment))
    }

    /// The place of the value at a path or, when it was not written, of the closest value around it that was.
    pub fn locate(&self, path: &Path) -> Option<Location> {
        let mut node = self;
        let mut at = self.at;
        for segment in &path.0 {
            let Some(child) = node.child(segment) else { break };
            node = child;
            at = node.at.or(at);
        }
        at
    }

    /// The place where a reader would point for a remark on all that is at a path: the key where a list or a map stands behind it,
    /// else what [`locate`](Self::locate) gives.
    pub fn locate_entry(&self, path: &Path) -> Option<Location> {
        let key = || {
            let (last, parents) = path.0.split_last()?;
            let Segment::Key(name) = last else { return None };
            let parent = parents.iter().try_fold(self, |node, segment| node.child(segment))?;
            let Value::Map(entries) = &parent.value else { return None };
            let (key, node) = entries.iter().find(|(key, _)| key.name == *name)?;
            matches!(node.value, Value::List(_) | Value::Map(_)).then_some(key.at)?
        };
        key().or_else(|| self.locate(path))
    }

    fn child(&self, segment: &Segment) -> Option<&Self> {
        match (&self.value, segment) {
            (Value::List(items), Segment::Index(index)) => items.get(*index),
            (Value::Map(entries), Segment::Key(name)) => {
                entries.iter().find(|(key, _)| key.name == *name).map(|(_, value)| value)
            }
            _ => None,
        }
    }

    /// Every key that stands in its map a second time, as a problem and the value to leave out.
    ///
    /// Envoy keeps the last of them and says nothing, so one half of what the operator wrote would silently not count.
    pub fn duplicate_keys(&self) -> Vec<(Problem, &Self)> {
        let mut found = Vec::new();
        self.collect_duplicates(&mut Path::default(), &mut found);
        found
    }

    fn collect_duplicates<'n>(&'n self, path: &mut Path, found: &mut Vec<(Problem, &'n Self)>) {
        match &self.value {
            Value::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    path.0.push(Segment::Index(index));
                    item.collect_duplicates(path, found);
                    path.0.pop();
                }
            }
            Value::Map(entries) => {
                let mut seen = BTreeMap::new();
                for (key, value) in entries {
                    path.0.push(Segment::Key(key.name.clone()));
                    if let Some(first) = seen.get(key.name.as_str()) {
                        found.push((duplicate(path.clone(), key, *first), value));
                    } else {
                        seen.insert(key.name.as_str(), key.at);
                        value.collect_duplicates(path, found);
                    }
                    path.0.pop();
                }
            }
            _ => {}
        }
    }

    /// What was found, for messages: the kind and, for a scalar, the value.
    pub(crate) fn describe(&self) -> String {
        match &self.value {
            Value::Null => "null".to_owned(),
            Value::Bool(true) => "true".to_owned(),
            Value::Bool(false) => "false".to_owned(),
            Value::Number(number) => format!("the number {number}"),
            Value::Text(text) => format!("text {}", quote(text)),
            Value::List(_) => "a list".to_owned(),
            Value::Map(_) => "a map".to_owned(),
        }
    }
}

fn duplicate(path: Path, key: &Key, first: Option<Location>) -> Problem {
    let message = match first {
        Some(first) => format!("key {} was already given at {first}; keep one of them", quote(&key.name)),
        None => format!("key {} is given twice; keep one of them", quote(&key.name)),
    };
    Problem::new(Kind::DuplicateKey, path, message).at(key.at)
}

/// Text in quotes, cut to a length that a message can carry.
pub(crate) fn quote(text: &str) -> String {
    const MAX_CHARS: usize = 60;
    match text.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => format!("{:?}…", text.get(..end).unwrap_or_default()),
        None => format!("{text:?}"),
    }
}

/// The way from the root of a configuration to a value, shown as `routes[3].patches[0].text`.
///
/// ```
/// # use engraft::config::node::Path;
/// let path = Path::default().key("experiments").key("a b").key("weights").index(1);
/// assert_eq!(path.to_string(), r#"experiments["a b"].weights[1]"#);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path(Vec<Segment>);

/// One step of a [`Path`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a value is in a list or in a map")]
pub enum Segment {
    /// Into a list, counted from 0.
    Index(usize),
    /// Into a map.
    Key(String),
}

impl Path {
    /// This path and a key further.
    #[must_use]
    pub fn key(mut self, name: impl Into<String>) -> Self {
        self.0.push(Segment::Key(name.into()));
        self
    }

    /// This path and a list element further.
    #[must_use]
    pub fn index(mut self, index: usize) -> Self {
        self.0.push(Segment::Index(index));
        self
    }

    /// The steps, from the root.
    pub fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// True for the whole configuration.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn push(&mut self, segment: Segment) {
        self.0.push(segment);
    }

    pub(super) fn pop(&mut self) {
        self.0.pop();
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Index(index) => write!(f, "[{index}]")?,
                Segment::Key(name) if !reads_plain(name) => write!(f, "[{}]", quote(name))?,
                Segment::Key(name) if position == 0 => f.write_str(name)?,
                Segment::Key(name) => write!(f, ".{name}")?,
            }
        }
        Ok(())
    }
}

impl serde::Serialize for Path {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Operators such as `$in` and names such as `new-nav` are as readable and as unambiguous as identifiers.
fn reads_plain(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_' || c == '$')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Node {
        Node::new(Value::Text(text.to_owned()))
    }

    fn map(entries: Vec<(&str, Node)>) -> Node {
        let entries = entries.into_iter().map(|(name, node)| (Key { name: name.to_owned(), at: None }, node));
        Node::new(Value::Map(entries.collect()))
    }

    #[test]
    fn paths_read_like_the_document() {
        let cases = [
            (Path::default(), ""),
            (
                Path::default().key("routes").index(3).key("patches").index(0).key("text"),
                "routes[3].patches[0].text",
            ),
            (Path::default().key("experiments").key("a b"), r#"experiments["a b"]"#),
            (Path::default().key("a.b").key("$in").index(0), r#"["a.b"].$in[0]"#),
            (Path::default().key("flag").key("new-nav"), "flag.new-nav"),
            (Path::default().key("set").key("/props/x").key(""), r#"set["/props/x"][""]"#),
            (Path::default().index(2).key("7"), r#"[2]["7"]"#),
        ];
        for (path, expected) in cases {
            assert_eq!(path.to_string(), expected);
        }
    }

    #[test]
    fn finds_by_path() {
        let root = map(vec![("a", Node::new(Value::List(vec![text("x"), map(vec![("b", text("y"))])])))]);
        let path = Path::default().key("a").index(1).key("b");
        assert_eq!(root.find(&path), Some(&text("y")));
        assert_eq!(root.find(&path.key("c")), None);
        assert_eq!(root.find(&Path::default()), Some(&root));
        assert_eq!(root.find(&Path::default().index(0)), None);
    }

    #[test]
    fn locates_what_was_not_written_by_what_is_around_it() {
        let at = |line| Some(Location { line, column: 1 });
        let mut root = map(vec![("a", map(vec![]))]);
        root.at = at(1);
        if let Value::Map(entries) = &mut root.value {
            entries[0].1.at = at(2);
        }
        assert_eq!(root.locate(&Path::default().key("a").key("missing").index(3)), at(2));
        assert_eq!(root.locate(&Path::default().key("b")), at(1));
    }

    #[test]
    fn what_is_a_map_is_pointed_at_by_its_key() {
        let at = |line| Some(Location { line, column: 1 });
        let mut root = map(vec![("a", map(vec![("b", text("x"))]))]);
        let Value::Map(entries) = &mut root.value else { panic!() };
        (entries[0].0.at, entries[0].1.at) = (at(1), at(2));
        let Value::Map(inner) = &mut entries[0].1.value else { panic!() };
        (inner[0].0.at, inner[0].1.at) = (at(3), at(4));
        let a = Path::default().key("a");
        assert_eq!(root.locate_entry(&a), at(1));
        assert_eq!(root.locate_entry(&a.clone().key("b")), at(4));
        assert_eq!(root.locate_entry(&a.key("missing")), at(2));
    }

    #[test]
    fn every_repeated_key_is_named() {
        let root = map(vec![
            ("a", text("1")),
            ("b", map(vec![("c", text("1")), ("c", text("2"))])),
            ("a", text("3")),
        ]);
        let lines: Vec<_> =
            root.duplicate_keys().into_iter().map(|(problem, _)| problem.to_string()).collect();
        assert_eq!(
            lines,
            [
                r#"b.c: key "c" is given twice; keep one of them"#,
                r#"a: key "a" is given twice; keep one of them"#
            ]
        );
    }
}
