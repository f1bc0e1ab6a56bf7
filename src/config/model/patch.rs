//! `patches`: what is changed, and when.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One change, under a condition: of the elements that `select` names, or of the exchange (`redirect`, `rewrite`,
/// headers). Texts may have `{{ attribute }}` in them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Patch {
    /// A name for logs and reports; without it, the patch goes by its number in the route.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A condition over attributes, as MongoDB and GrowthBook write them: `{ country: { $in: [US, CA] } }`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<BTreeMap<String, serde_json::Value>>"))]
    pub when: Option<serde_json::Value>,

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
    /// Removes the element with its content.
    pub remove: bool,
    /// Removes the tags and keeps the content.
    pub unwrap: bool,

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
            &self.prepend,
            &self.append,
            &self.before,
            &self.after,
            &self.replace,
        ];
        texts.into_iter().any(Option::is_some)
            || self.attributes.as_ref().is_some_and(|it| !it.set.is_empty() || !it.remove.is_empty())
            || self.class.as_ref().is_some_and(|it| !it.add.is_empty() || !it.remove.is_empty())
            || self.remove
            || self.unwrap
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
