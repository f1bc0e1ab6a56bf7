//! YAML text into the value tree, giving every scalar the meaning that Envoy gives it.
//!
//! Answers for the same tree as a `google.protobuf.Struct` of the same text, plus places and [`Warning`]s. It refuses
//! more than one document, tags that Envoy would ignore silently, and text whose aliases expand to more than
//! 16 MiB of copies: nested aliases ("billion laughs") are an attack on whoever loads the file.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span, StrInput, Tag};

use super::node::{Key, Location, MAX_DEPTH, Node, Path, Segment, Value, quote};
use super::problem::{Kind, Problem, Problems};

mod scalar;
mod warning;

pub(super) use scalar::{decimal, flexible_bool};
pub(super) use warning::Asked;
pub use warning::Warning;

/// The most that anchors and aliases may copy, counting each value's text and 64 bytes for the value itself.
const MAX_COPIED_BYTES: usize = 16 << 20;

/// The most warnings collected: nobody reads more, and a text may have a million.
const MAX_WARNINGS: usize = 1000;

/// What a text holds; no root when it has no document at all.
pub(super) struct Parsed {
    pub(super) root: Option<Node>,
    pub(super) warnings: Vec<Warning>,
}

/// Reads one document.
pub(super) fn parse(text: &str) -> Result<Parsed, Problems> {
    let mut builder = Builder {
        parser: Parser::new_from_str(text),
        anchors: BTreeMap::new(),
        copied_bytes: 0,
        path: Path::default(),
        warnings: Vec::new(),
        problems: Vec::new(),
    };
    match builder.document() {
        Err(fatal) => Err(fatal.and(builder.problems)),
        Ok(root) => match Problems::collect(builder.problems) {
            None => Ok(Parsed { root, warnings: builder.warnings }),
            Some(problems) => Err(problems),
        },
    }
}

struct Builder<'t> {
    parser: Parser<'t, StrInput<'t>>,
    /// Finished values that an alias may name.
    anchors: BTreeMap<usize, Node>,
    copied_bytes: usize,
    path: Path,
    warnings: Vec<Warning>,
    problems: Vec<Problem>,
}

impl<'t> Builder<'t> {
    fn document(&mut self) -> Result<Option<Node>, Problems> {
        let mut root = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamEnd => return Ok(root),
                Event::DocumentStart(_) if root.is_some() => {
                    let message = "a second document starts here; a configuration is one document";
                    return Err(syntax(&span.start, message));
                }
                Event::DocumentStart(_) => {
                    let (event, span) = self.next()?;
                    root = Some(self.node(event, span, 0)?);
                }
                _ => {}
            }
        }
    }

    fn next(&mut self) -> Result<(Event<'t>, Span), Problems> {
        match self.parser.next_event() {
            Some(event) => event.map_err(|error: ScanError| match error.info() {
                // The scanner looks ahead and may meet its own bound before ours.
                "recursion limit exceeded" => self.too_deep(error.marker()),
                info => syntax(error.marker(), info),
            }),
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    /// The value that begins with `event`, inside `depth` lists and maps.
    fn node(&mut self, event: Event<'t>, span: Span, depth: usize) -> Result<Node, Problems> {
        let at = Some(location(&span.start));
        let (anchor, value) = match event {
            Event::Alias(anchor) => return self.alias(anchor, &span, depth),
            Event::Scalar(text, style, anchor, tag) => {
                (anchor, self.scalar(&text, style == ScalarStyle::Plain, tag.as_deref(), at))
            }
            Event::SequenceStart(anchor, tag) => {
                self.refuse_foreign(tag.as_deref(), &["seq"], at);
                (anchor, self.list(self.deeper(depth, &span)?)?)
            }
            Event::MappingStart(anchor, tag) => {
                self.refuse_foreign(tag.as_deref(), &["map"], at);
                (anchor, self.map(self.deeper(depth, &span)?)?)
            }
            _ => return Err(syntax(&span.start, "expected a value")),
        };
        let node = Node { value, at };
        if anchor > 0 {
            self.spend(&node, &span)?;
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn list(&mut self, depth: usize) -> Result<Value, Problems> {
        let mut items = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if event == Event::SequenceEnd {
                return Ok(Value::List(items));
            }
            self.path.push(Segment::Index(items.len()));
            let item = self.node(event, span, depth);
            self.path.pop();
            items.push(item?);
        }
    }

    fn map(&mut self, depth: usize) -> Result<Value, Problems> {
        let mut entries = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if event == Event::MappingEnd {
                return Ok(Value::Map(entries));
            }
            let (key, ignored) = self.key(event, &span)?;
            let (event, span) = self.next()?;
            let written = !matches!(&event, Event::Scalar(text, ScalarStyle::Plain, ..) if text.is_empty());
            self.path.push(Segment::Key(key.name.clone()));
            let value = self.node(event, span, depth);
            self.path.pop();
            let mut value = value?;
            if !written {
                // The parser places a value that is not there at whatever comes next.
                value.at = key.at;
            }
            if !ignored {
                entries.push((key, value));
            }
        }
    }

    /// A key, and whether its entry is left out (`!ignore`, which Envoy offers as a place to put anchors).
    fn key(&mut self, event: Event<'t>, span: &Span) -> Result<(Key, bool), Problems> {
        let at = Some(location(&span.start));
        let (name, ignored) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let ignored = tag.as_deref().is_some_and(|tag| name_of(tag) == "!ignore");
                if !ignored {
                    self.refuse_foreign(tag.as_deref(), &["str", "int", "float", "bool", "null"], at);
                }
                // As Envoy has it, a key is the text as written, except that a null key is called null.
                let null = style == ScalarStyle::Plain && tag.is_none() && scalar::is_null(&text);
                let name = if null { "null".to_owned() } else { text.into_owned() };
                if anchor > 0 {
                    let node = Node { value: Value::Text(name.clone()), at };
                    self.spend(&node, span)?;
                    self.anchors.insert(anchor, node);
                }
                (name, ignored)
            }
            Event::Alias(anchor) => match self.anchors.get(&anchor).map(|node| &node.value) {
                Some(Value::Text(name)) => (name.clone(), false),
                _ => return Err(syntax(&span.start, "an alias used as a key must stand for text")),
            },
            _ => return Err(syntax(&span.start, "a key must be text, not a list or a map")),
        };
        if name == "<<" {
            self.warn(Warning::merge_key(self.path.clone(), at));
        }
        Ok((Key { name, at }, ignored))
    }

    fn alias(&mut self, anchor: usize, span: &Span, depth: usize) -> Result<Node, Problems> {
        let Some(node) = self.anchors.get(&anchor).cloned() else {
            return Err(syntax(&span.start, "this alias stands inside the value that it stands for"));
        };
        self.spend(&node, span)?;
        if depth.saturating_add(height(&node)) > MAX_DEPTH {
            return Err(self.too_deep(&span.start));
        }
        Ok(node)
    }

    fn scalar(&mut self, text: &str, plain: bool, tag: Option<&Tag>, at: Option<Location>) -> Value {
        let tag = tag.map(name_of);
        let (value, meant) = match tag.as_deref() {
            None if plain => (scalar::envoy(text), scalar::core(text)),
            None | Some("!") => return Value::Text(text.to_owned()),
            // A tag keeps Envoy from seeing a null, and lets it take quoted text for a number: it is as if it were not
            // there, except that it also takes the quotes away.
            Some(name) => match scalar::tagged(name, text) {
                Some(meant) => (scalar::envoy_tagged(text), meant),
                None => {
                    self.foreign_tag(name, at);
                    return Value::Text(text.to_owned());
                }
            },
        };
        if let Some(warning) = Warning::about(text, tag.as_deref(), &value, meant, &self.path, at) {
            self.warn(warning);
        }
        value
    }

    fn warn(&mut self, warning: Warning) {
        if self.warnings.len() < MAX_WARNINGS {
            self.warnings.push(warning);
        }
    }

    fn refuse_foreign(&mut self, tag: Option<&Tag>, accepted: &[&str], at: Option<Location>) {
        if let Some(tag) = tag {
            let name = name_of(tag);
            let core = name.strip_prefix("!!").is_some_and(|name| accepted.contains(&name));
            if !core && name != "!" {
                self.foreign_tag(&name, at);
            }
        }
    }

    fn foreign_tag(&mut self, name: &str, at: Option<Location>) {
        let message = format!("tag {} means nothing here, and Envoy would ignore it; remove it", quote(name));
        self.problems.push(Problem::new(Kind::Syntax, self.path.clone(), message).at(at));
    }

    fn deeper(&self, depth: usize, span: &Span) -> Result<usize, Problems> {
        if depth < MAX_DEPTH { Ok(depth.saturating_add(1)) } else { Err(self.too_deep(&span.start)) }
    }

    fn too_deep(&self, mark: &Marker) -> Problems {
        Problem::too_deep(self.path.clone(), Some(location(mark))).into()
    }

    /// Counts what a copy of `node` costs, against billion laughs.
    fn spend(&mut self, node: &Node, span: &Span) -> Result<(), Problems> {
        self.copied_bytes = self.copied_bytes.saturating_add(weight(node));
        if self.copied_bytes > MAX_COPIED_BYTES {
            let message = "anchors and aliases expand to more than 16 MiB up to here; write the values out";
            let problem = Problem::new(Kind::Limit, self.path.clone(), message);
            return Err(problem.at(Some(location(&span.start))).into());
        }
        Ok(())
    }
}

/// A tag as it is written: `!!str`, `!local`, `!`.
fn name_of(tag: &Tag) -> String {
    let name = format!("{}{}", tag.handle, tag.suffix);
    match name.strip_prefix("tag:yaml.org,2002:") {
        Some(core) => format!("!!{core}"),
        None => name,
    }
}

fn weight(node: &Node) -> usize {
    const VALUE_BYTES: usize = 64;
    VALUE_BYTES.saturating_add(match &node.value {
        Value::Text(text) => text.len(),
        Value::List(items) => items.iter().map(weight).fold(0, usize::saturating_add),
        Value::Map(entries) => entries
            .iter()
            .map(|(key, value)| key.name.len().saturating_add(weight(value)))
            .fold(0, usize::saturating_add),
        _ => 0,
    })
}

fn height(node: &Node) -> usize {
    let below = match &node.value {
        Value::List(items) => items.iter().map(height).max(),
        Value::Map(entries) => entries.iter().map(|(_, value)| height(value)).max(),
        _ => return 0,
    };
    below.unwrap_or(0).saturating_add(1)
}

fn syntax(mark: &Marker, message: &str) -> Problems {
    Problem::new(Kind::Syntax, Path::default(), message).at(Some(location(mark))).into()
}

fn location(mark: &Marker) -> Location {
    Location { line: mark.line().max(1), column: mark.col().saturating_add(1) }
}

#[cfg(test)]
mod tests;
