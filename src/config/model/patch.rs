//! `patches`: what is changed, and when.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::value::SeqAccessDeserializer;
use serde::de::{self, Deserializer, SeqAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use super::injection::{LinkElement, MetaElement, ScriptElement, StyleElement};
use super::{Find, Optimize, Urls};

/// One change, under a condition: of the elements that `select` names, of the page's head and body (`title`, `meta`,
/// `script`, `style`, `link`), or of the exchange (`redirect`, `rewrite`, headers). Texts may have `{{ attribute }}` in them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Patch {
    /// A name for logs and reports; without it, the patch goes by its number in the route.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The variation that each of these experiments must show: `{ hero: bold }`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub variant: BTreeMap<String, String>,
    /// The value that each of these flags must have: `{ new-nav: true }`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub flag: BTreeMap<String, Value>,
    /// A condition over attributes, as MongoDB and GrowthBook write them: `{ country: { $in: [US, CA] } }`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<BTreeMap<String, Value>>"))]
    pub when: Option<Value>,

    /// Which elements: a CSS selector of types, classes, ids, attributes, `:nth-child()`, `:nth-of-type()`, `:not()`,
    /// descendants and children.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub select: Option<String>,
    /// Every element that matches, not just the first.
    pub all: bool,
    /// That no element matches is an error, counted as such.
    pub required: bool,

    /// Another tag name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rename: Option<String>,
    /// Attributes to set and to remove.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attributes: Option<AttributeChanges>,
    /// Classes to add and to remove.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<ClassChanges>,
    /// Replaces the content by text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Replaces the content by markup.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub html: Option<String>,
    /// Looks for words in the text of the element and of all that is in it: a text, or `{ regex: … }`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub find: Option<Find>,
    /// The text that stands instead of what was found, everywhere; with a regex, `$1` and `${name}` are its groups.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replace_with: Option<String>,
    /// Markup before the first child.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prepend: Option<String>,
    /// Markup after the last child.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub append: Option<String>,
    /// Markup before the element.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// Markup after the element.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Markup instead of the element.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replace: Option<String>,
    /// `true` removes the element with its content; of JSON, a list of JSON Pointers (RFC 6901).
    pub remove: Removal,
    /// Removes the tags and keeps the content.
    pub unwrap: bool,

    /// Which JSON: a CSS selector of `script` elements that hold some, or `body` for a response that is JSON. What is done
    /// to it say `set`, `insert`, `remove` and `merge`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub json: Option<String>,
    /// New values in JSON, by JSON Pointer; a member that is missing is added to its object.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub set: BTreeMap<String, Value>,
    /// New members and elements in JSON, by JSON Pointer: before the element that is there, or at the end with `-`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub insert: BTreeMap<String, Value>,
    /// Merge patches (RFC 7396) for values in JSON, by JSON Pointer; `""` is the whole document.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub merge: BTreeMap<String, Value>,
    /// The title of the page: its text is replaced, or it is added to the head.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// A `meta` of the page: what the first one of that name says, or one that is added to the head.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meta: Option<MetaElement>,
    /// A script to add.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub script: Option<ScriptElement>,
    /// A style sheet to add.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub style: Option<StyleElement>,
    /// A link to add.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<LinkElement>,
    /// Rewrites URLs all over the page and in headers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub urls: Option<Urls>,
    /// Makes the page load faster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub optimize: Option<Optimize>,

    /// Answers with a redirect; the origin is not asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect: Option<Redirect>,
    /// Asks the origin for something else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rewrite: Option<Rewrite>,
    /// Changes the headers of the request to the origin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_headers: Option<HeaderChanges>,
    /// Changes the headers of the response.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_headers: Option<HeaderChanges>,
}

impl Patch {
    /// Whether some operation on elements is written.
    #[must_use]
    pub fn edits_elements(&self) -> bool {
        let texts = [
            &self.rename,
            &self.text,
            &self.html,
            &self.replace_with,
            &self.prepend,
            &self.append,
            &self.before,
            &self.after,
            &self.replace,
        ];
        texts.into_iter().any(Option::is_some)
            || self.attributes.as_ref().is_some_and(|it| !it.set.is_empty() || !it.remove.is_empty())
            || self.class.as_ref().is_some_and(|it| !it.add.is_empty() || !it.remove.is_empty())
            || self.find.is_some()
            || self.remove == Removal::Element
            || self.unwrap
    }

    /// What is put into the page's head and body, by name.
    #[must_use]
    pub fn injections(&self) -> Vec<&'static str> {
        let all = [
            ("title", self.title.is_some()),
            ("meta", self.meta.is_some()),
            ("script", self.script.is_some()),
            ("style", self.style.is_some()),
            ("link", self.link.is_some()),
        ];
        all.into_iter().filter(|(_, there)| *there).map(|(name, _)| name).collect()
    }

    /// The operations on JSON that are written.
    #[must_use]
    pub fn json_operations(&self) -> Vec<&'static str> {
        let operations = [
            ("set", !self.set.is_empty()),
            ("insert", !self.insert.is_empty()),
            ("remove", matches!(self.remove, Removal::Pointers(_))),
            ("merge", !self.merge.is_empty()),
        ];
        operations.into_iter().filter(|(_, there)| *there).map(|(name, _)| name).collect()
    }
}

/// What `remove` removes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "whoever compiles must handle each")]
pub enum Removal {
    /// `false`, or not written.
    #[default]
    Nothing,
    /// `true`: the element.
    Element,
    /// Members and elements of JSON.
    Pointers(Vec<String>),
}

impl Serialize for Removal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Nothing => serializer.serialize_bool(false),
            Self::Element => serializer.serialize_bool(true),
            Self::Pointers(pointers) => pointers.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Removal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TruthOrPointers;
        impl<'de> Visitor<'de> for TruthOrPointers {
            type Value = Removal;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("true, or a list of JSON Pointers such as [/props/banner]")
            }

            fn visit_bool<E: de::Error>(self, truth: bool) -> Result<Removal, E> {
                Ok(if truth { Removal::Element } else { Removal::Nothing })
            }

            fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Removal, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(items)).map(Removal::Pointers)
            }
        }
        deserializer.deserialize_any(TruthOrPointers)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Removal {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Removal".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let pointers = schemars::json_schema!({ "type": "array", "items": { "type": "string" } });
        schemars::json_schema!({ "anyOf": [{ "type": "boolean" }, pointers] })
    }
}

/// Attributes of an element to set and to remove.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct AttributeChanges {
    /// New values, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub set: BTreeMap<String, String>,
    /// Names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remove: Vec<String>,
}

/// Classes of an element to add and to remove.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct ClassChanges {
    /// Classes to add.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub add: Vec<String>,
    /// Classes to remove.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remove: Vec<String>,
}

/// Headers to set, to add and to remove; removed first, then set, then added.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct HeaderChanges {
    /// Values that replace what there is, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub set: BTreeMap<String, String>,
    /// Values that come in addition, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub add: BTreeMap<String, String>,
    /// Names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remove: Vec<String>,
}

/// Where to send a visitor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Redirect {
    /// A path that starts with `/`, or a whole `http` or `https` URL.
    pub to: String,
    /// 301, 302, 303, 307 or 308.
    #[serde(default = "found")]
    #[cfg_attr(feature = "schema", schemars(extend("enum" = [301, 302, 303, 307, 308])))]
    pub status: u16,
    /// Adds the query of the request to the new location.
    #[serde(default)]
    pub keep_query: bool,
}

const fn found() -> u16 {
    302
}

/// What to ask the origin for. What is not named stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Rewrite {
    /// The path, starting with `/`; the query stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
}
