//! Unquoted scalars that do not mean to Envoy what they seem to mean.
//!
//! Answers for `check`'s remarks on `NO`, `007` or `1.0`, and for telling which of them matter once the schema has said
//! what it asked for. It refuses nothing: a warning never stops a configuration.

use std::fmt;

use super::super::node::{Location, Node, Path, Value, quote};
use super::super::problem::Code;
use super::scalar::Meaning;

/// An unquoted scalar that becomes something else than a reader of YAML 1.2 expects.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub struct Warning {
    /// The value it is about.
    pub path: Path,
    /// Where it was written.
    pub at: Option<Location>,
    /// The scalar as written.
    pub written: String,
    /// What it is called in the docs.
    pub code: Code,
    /// What it becomes and what to do about it, in one sentence without its place.
    pub message: String,
    /// The number that YAML 1.2 sees in it.
    #[serde(skip)]
    number: Option<f64>,
}

/// What the schema asked for when it came to a scalar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Asked {
    Bool,
    Number,
    Text,
    Any,
}

impl Warning {
    pub(super) fn about(
        written: &str,
        tag: Option<&str>,
        becomes: &Value,
        meant: Meaning,
        path: &Path,
        at: Option<Location>,
    ) -> Option<Self> {
        let as_meant = match (becomes, meant) {
            (Value::Null, Meaning::Null) => true,
            (Value::Bool(is), Meaning::Bool(meant)) => *is == meant,
            // 007 is 7 to both, but who writes zeros wants to see them again.
            (Value::Number(is), Meaning::Number(_)) => is.to_string() == written,
            (Value::Text(is), Meaning::Text) => is == written,
            _ => false,
        };
        if as_meant {
            return None;
        }
        let node = Node { value: becomes.clone(), at: None };
        let seen = match meant {
            Meaning::Number(_) if !matches!(becomes, Value::Number(_)) => ", not a number,",
            _ => "",
        };
        let message = match tag {
            None => format!(
                "unquoted {} becomes {}{seen} as in Envoy; quotes keep it as written",
                shown(written),
                node.describe()
            ),
            Some(tag) => format!(
                "{tag} {} becomes {}{seen} as in Envoy, which ignores the tag; quotes without a tag keep it as written",
                shown(written),
                node.describe()
            ),
        };
        let number = match meant {
            Meaning::Number(number) => Some(number),
            _ => None,
        };
        let code = Code::UnquotedScalar;
        Some(Self { path: path.clone(), at, written: written.to_owned(), code, message, number })
    }

    pub(super) fn merge_key(path: Path, at: Option<Location>) -> Self {
        Self {
            path: path.key("<<"),
            at,
            written: "<<".to_owned(),
            code: Code::MergeKey,
            message: "the key << merges nothing, as in Envoy: it is a key like any other".to_owned(),
            number: None,
        }
    }

    /// True when the schema asked for something that comes out as the author must have meant it: `0.5` where a number was
    /// asked for, `on` for a switch, `1.0` where text was wanted.
    pub(in super::super) fn is_moot(&self, node: &Node, asked: Asked) -> bool {
        match (asked, &node.value) {
            (Asked::Bool, Value::Bool(_)) => true,
            // 010 is 8 to Envoy and 10 to YAML 1.2: that one stays worth a remark.
            (Asked::Number, Value::Number(number)) => self.number.is_none_or(|meant| meant == *number),
            (Asked::Number | Asked::Text, Value::Text(text)) => *text == self.written,
            _ => false,
        }
    }
}

fn shown(written: &str) -> String {
    let plain =
        written.chars().count() <= 40 && !written.is_empty() && !written.chars().any(char::is_control);
    if plain { written.to_owned() } else { quote(written) }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.path.is_root(), self.at) {
            (true, None) => {}
            (true, Some(at)) => write!(f, "{at}: ")?,
            (false, None) => write!(f, "{}: ", self.path)?,
            (false, Some(at)) => write!(f, "{} ({at}): ", self.path)?,
        }
        f.write_str(&self.message)
    }
}
