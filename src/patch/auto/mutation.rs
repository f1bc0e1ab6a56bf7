//! What dom-mutator does for a mutation (`declarative` of its `index.ts`), read once.

use std::borrow::Cow;

use serde_json::Value;

use crate::decide::condition::coercion;
use crate::html::outcome::Skip;

/// A change of every element that a selector names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mutation<'a> {
    pub(super) selector: &'a str,
    pub(super) change: Change<'a>,
}

/// What is done to an element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change<'a> {
    SetHtml(Cow<'a, str>),
    AppendHtml(Cow<'a, str>),
    AddClasses(Vec<&'a str>),
    RemoveClass(&'a str),
    /// Names in lower case.
    SetAttribute(String, Cow<'a, str>),
    AppendAttribute(String, Cow<'a, str>),
    RemoveAttribute(String),
}

impl<'a> Mutation<'a> {
    /// Reads one of `domMutations`. `None` for what dom-mutator passes over in silence: an attribute of a name that it does not
    /// take, an action that there is not.
    ///
    /// # Errors
    /// [`Skip::Move`] for a change of place, [`Skip::Unsupported`] for what would make the SDK throw, or do what nobody can mean.
    pub(super) fn read(value: &'a Value) -> Result<Option<Self>, Skip> {
        let member = |name| value.get(name).filter(|value| !value.is_null());
        let text = |name| member(name).and_then(Value::as_str).ok_or(Skip::Unsupported);
        let (selector, attribute) = (text("selector")?, text("attribute")?);
        let action = member("action").and_then(Value::as_str).unwrap_or_default();
        let value = member("value");
        let text = || match value {
            None => Cow::Borrowed(""),
            Some(value) => coercion::text(value),
        };
        // Anything but text would be taken apart in JavaScript's way.
        let class =
            value.filter(|value| coercion::truthy(value) && matches!(attribute, "class" | "className"));
        let class = class.map(|value| value.as_str().ok_or(Skip::Unsupported)).transpose()?;
        let change = match (attribute, action) {
            ("html", "set") => Some(Change::SetHtml(text())),
            ("html", "append") => Some(Change::AppendHtml(text())).filter(|_| !text().is_empty()),
            ("class", "append") => class.map(|class| Change::AddClasses(class.split_whitespace().collect())),
            // A class with a space in it is no element's.
            ("class", "remove") => {
                class.filter(|class| !class.contains(char::is_whitespace)).map(Change::RemoveClass)
            }
            ("class" | "className", "set") => Some(match class {
                Some(class) => Change::SetAttribute("class".to_owned(), class.into()),
                None => Change::RemoveAttribute("class".to_owned()),
            }),
            ("className", "remove") => Some(Change::RemoveAttribute("class".to_owned())),
            // It goes on with the last class of the list that the page has.
            ("className", "append") => return Err(Skip::Unsupported),
            ("position", "set") if member("parentSelector").is_some_and(coercion::truthy) => {
                return Err(Skip::Move);
            }
            ("html" | "class" | "position", _) => None,
            (name, _) if !is_attribute_name(name) => None,
            (name, "set") => Some(Change::SetAttribute(name.to_ascii_lowercase(), text())),
            (name, "append") => Some(Change::AppendAttribute(name.to_ascii_lowercase(), text())),
            (name, "remove") => Some(Change::RemoveAttribute(name.to_ascii_lowercase())),
            _ => None,
        };
        Ok(change.map(|change| Self { selector, change }))
    }

    /// How long its texts are.
    pub(super) fn len(&self) -> usize {
        let change = match &self.change {
            Change::SetHtml(text) | Change::AppendHtml(text) => text.len(),
            Change::AddClasses(classes) => classes.iter().map(|class| class.len()).sum(),
            Change::RemoveClass(class) => class.len(),
            Change::SetAttribute(name, text) | Change::AppendAttribute(name, text) => {
                name.len().saturating_add(text.len())
            }
            Change::RemoveAttribute(name) => name.len(),
        };
        self.selector.len().saturating_add(change)
    }
}

/// `validAttributeName`: `/^[a-zA-Z:_][a-zA-Z0-9:_.-]*$/`.
fn is_attribute_name(name: &str) -> bool {
    let starts = |byte: u8| byte.is_ascii_alphabetic() || matches!(byte, b':' | b'_');
    let goes_on = |byte: u8| starts(byte) || byte.is_ascii_digit() || matches!(byte, b'.' | b'-');
    name.bytes().next().is_some_and(starts) && name.bytes().all(goes_on)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn mutations_are_read_as_dom_mutator_reads_them() {
        let class = || "class".to_owned();
        for (attribute, action, value, expected) in [
            ("html", "set", json!("<b>"), Ok(Some(Change::SetHtml("<b>".into())))),
            ("html", "set", json!(null), Ok(Some(Change::SetHtml("".into())))),
            ("html", "set", json!(7), Ok(Some(Change::SetHtml("7".into())))),
            ("html", "append", json!("x"), Ok(Some(Change::AppendHtml("x".into())))),
            ("html", "append", json!(""), Ok(None)),
            ("html", "remove", json!("x"), Ok(None)),
            ("class", "append", json!("a  b"), Ok(Some(Change::AddClasses(vec!["a", "b"])))),
            ("class", "append", json!(""), Ok(None)),
            ("class", "append", json!({}), Err(Skip::Unsupported)),
            ("class", "remove", json!("a"), Ok(Some(Change::RemoveClass("a")))),
            ("class", "remove", json!("a b"), Ok(None)),
            ("class", "set", json!("a b"), Ok(Some(Change::SetAttribute(class(), "a b".into())))),
            ("class", "set", json!(""), Ok(Some(Change::RemoveAttribute(class())))),
            ("className", "set", json!("a"), Ok(Some(Change::SetAttribute(class(), "a".into())))),
            ("className", "append", json!("a"), Err(Skip::Unsupported)),
            ("class", "toggle", json!("a"), Ok(None)),
            ("HREF", "set", json!("/a"), Ok(Some(Change::SetAttribute("href".into(), "/a".into())))),
            ("href", "set", json!(null), Ok(Some(Change::SetAttribute("href".into(), "".into())))),
            ("style", "append", json!("a"), Ok(Some(Change::AppendAttribute("style".into(), "a".into())))),
            ("onclick", "remove", json!(null), Ok(Some(Change::RemoveAttribute("onclick".into())))),
            ("x:y_.-1", "remove", json!(null), Ok(Some(Change::RemoveAttribute("x:y_.-1".into())))),
            ("href", "", json!("a"), Ok(None)),
            ("1a", "set", json!("a"), Ok(None)),
            ("a b", "set", json!("a"), Ok(None)),
            ("a\n", "set", json!("a"), Ok(None)),
            ("a><script", "set", json!("a"), Ok(None)),
            ("é", "set", json!("a"), Ok(None)),
            ("", "set", json!("a"), Ok(None)),
            ("position", "set", json!("a"), Ok(None)),
        ] {
            let mutation =
                json!({ "selector": "p", "attribute": attribute, "action": action, "value": value });
            let read = Mutation::read(&mutation).map(|mutation| mutation.map(|mutation| mutation.change));
            assert_eq!(read, expected, "{mutation}");
        }
        for (mutation, expected) in [
            (
                json!({ "selector": "p", "attribute": "position", "action": "set", "parentSelector": "a" }),
                Skip::Move,
            ),
            (json!({ "attribute": "html", "action": "set" }), Skip::Unsupported),
            (json!({ "selector": "p", "action": "set" }), Skip::Unsupported),
            (json!("p"), Skip::Unsupported),
            (json!(null), Skip::Unsupported),
        ] {
            assert_eq!(Mutation::read(&mutation), Err(expected), "{mutation}");
        }
    }
}
