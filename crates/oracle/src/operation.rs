//! What a patch does to elements, done to a [`Dom`] by the methods of the DOM.

use html5ever::{QualName, local_name, ns};
use serde_json::{Map, Value, json};

use crate::dom::{DOCUMENT, Dom, Id, html_name};
use crate::select::select;

/// One operation of a patch.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "tests make them")]
pub enum Operation {
    /// A new element with this name, and the attributes and children of the old one.
    Rename(String),
    /// `setAttribute`.
    SetAttribute(String, String),
    /// `removeAttribute`.
    RemoveAttribute(String),
    /// `classList.add`.
    AddClass(String),
    /// `classList.remove`.
    RemoveClass(String),
    /// `textContent = …`, of a template in its contents.
    Text(String),
    /// `innerHTML = …`
    Html(String),
    /// `insertAdjacentHTML('afterbegin', …)`, of a template in its contents.
    Prepend(String),
    /// `insertAdjacentHTML('beforeend', …)`, of a template in its contents.
    Append(String),
    /// `insertAdjacentHTML('beforebegin', …)`
    Before(String),
    /// `insertAdjacentHTML('afterend', …)`
    After(String),
    /// `outerHTML = …`
    Replace(String),
    /// `remove()`
    Remove,
    /// `replaceWith(...childNodes)`, of a template with its contents.
    Unwrap,
}

/// A patch on elements: its operations are in the order in which patches do them.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "tests make them")]
pub struct Patch {
    /// Which elements.
    pub select: String,
    /// Every match, not just the first.
    pub all: bool,
    /// What is done to each.
    pub operations: Vec<Operation>,
}

impl Operation {
    /// Its name in a configuration.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Rename(_) => "rename",
            Self::SetAttribute(..) | Self::RemoveAttribute(_) => "attributes",
            Self::AddClass(_) | Self::RemoveClass(_) => "class",
            Self::Text(_) => "text",
            Self::Html(_) => "html",
            Self::Prepend(_) => "prepend",
            Self::Append(_) => "append",
            Self::Before(_) => "before",
            Self::After(_) => "after",
            Self::Replace(_) => "replace",
            Self::Remove => "remove",
            Self::Unwrap => "unwrap",
        }
    }

    fn value(&self) -> Value {
        match self {
            Self::SetAttribute(name, value) => json!({ "set": { name: value } }),
            Self::RemoveAttribute(name) => json!({ "remove": [name] }),
            Self::AddClass(class) => json!({ "add": [class] }),
            Self::RemoveClass(class) => json!({ "remove": [class] }),
            Self::Rename(text)
            | Self::Text(text)
            | Self::Html(text)
            | Self::Prepend(text)
            | Self::Append(text)
            | Self::Before(text)
            | Self::After(text)
            | Self::Replace(text) => json!(text),
            Self::Remove | Self::Unwrap => json!(true),
        }
    }

    /// Does it to an element. `None` where the method of the DOM throws, and where there is nothing that it could be done
    /// to any more; the tree is unchanged then.
    fn apply(&self, dom: &mut Dom, id: Id) -> Option<Id> {
        let parent = dom.node(id).parent;
        // "If context is an Attr or a Document, throw": an element of the tree is needed around it.
        let around = parent.filter(|parent| *parent != DOCUMENT);
        match self {
            Self::Rename(name) => {
                let parent = parent?;
                let element = dom.element(id)?.clone();
                let name = QualName::new(None, element.name.ns, name.as_str().into());
                let renamed = dom.new_element(name, element.attributes);
                let (from, to) = (dom.content_of(id), dom.content_of(renamed));
                while let Some(child) = dom.node(from).first {
                    dom.append(to, child);
                }
                dom.insert(parent, Some(id), renamed);
                dom.detach(id);
                return Some(renamed);
            }
            Self::SetAttribute(name, value) => set_attribute(dom, id, name, value),
            Self::RemoveAttribute(name) => {
                dom.element_mut(id)?.attributes.retain(|(attribute, _)| qualified(attribute) != *name);
            }
            Self::AddClass(class) => change_classes(dom, id, |classes| {
                if !classes.contains(class) {
                    classes.push(class.clone());
                }
            }),
            Self::RemoveClass(class) => change_classes(dom, id, |classes| classes.retain(|it| it != class)),
            Self::Text(text) => {
                let content = dom.content_of(id);
                clear(dom, content);
                if !text.is_empty() {
                    let text = dom.new_text(text);
                    dom.append(content, text);
                }
            }
            Self::Html(markup) => {
                let nodes = dom.parse_fragment(id, markup);
                let content = dom.content_of(id);
                clear(dom, content);
                insert_all(dom, content, None, nodes);
            }
            Self::Prepend(markup) | Self::Append(markup) => {
                let nodes = parse_inside(dom, id, markup);
                let content = dom.content_of(id);
                let before = match self {
                    Self::Prepend(_) => dom.node(content).first,
                    _ => None,
                };
                insert_all(dom, content, before, nodes);
            }
            Self::Before(markup) => {
                let around = around?;
                let nodes = parse_inside(dom, around, markup);
                insert_all(dom, around, Some(id), nodes);
            }
            Self::After(markup) => {
                let around = around?;
                let nodes = parse_inside(dom, around, markup);
                let before = dom.node(id).next;
                insert_all(dom, around, before, nodes);
            }
            Self::Replace(markup) => {
                let around = around?;
                let nodes = dom.parse_fragment(around, markup);
                insert_all(dom, around, Some(id), nodes);
                dom.detach(id);
            }
            Self::Remove => dom.detach(id),
            Self::Unwrap => {
                let parent = parent?;
                let content = dom.content_of(id);
                while let Some(child) = dom.node(content).first {
                    dom.insert(parent, Some(id), child);
                }
                dom.detach(id);
            }
        }
        Some(id)
    }
}

impl Patch {
    /// As it stands in a configuration.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut patch = Map::new();
        patch.insert("select".to_owned(), json!(self.select));
        patch.insert("all".to_owned(), json!(self.all));
        for operation in &self.operations {
            let value = operation.value();
            match (patch.get_mut(operation.name()), value) {
                (Some(Value::Object(known)), Value::Object(more)) => known.extend(more),
                (_, value) => drop(patch.insert(operation.name().to_owned(), value)),
            }
        }
        Value::Object(patch)
    }

    /// The elements that it is about, in tree order. The first one is that whose start tag comes first in the source.
    ///
    /// # Errors
    /// Why the selector is none.
    pub fn matches(&self, dom: &Dom) -> Result<Vec<Id>, String> {
        let mut matches = select(dom, &self.select)?;
        if !self.all {
            matches = matches.into_iter().min().into_iter().collect();
        }
        Ok(matches)
    }

    /// The document after the patch on `elements`.
    #[must_use]
    pub fn apply(&self, dom: &Dom, elements: &[Id]) -> Dom {
        let mut dom = dom.clone();
        for element in elements {
            let mut at = *element;
            for operation in &self.operations {
                at = operation.apply(&mut dom, at).unwrap_or(at);
            }
        }
        dom
    }
}

/// `insertAdjacentHTML` parses in a `body` where the context is `html` (DOM Parsing and Serialization).
fn parse_inside(dom: &mut Dom, context: Id, markup: &str) -> Vec<Id> {
    if dom.element(context).is_some_and(|element| element.is_html(&local_name!("html"))) {
        let body = dom.new_element(html_name(local_name!("body")), Vec::new());
        return dom.parse_fragment(body, markup);
    }
    dom.parse_fragment(context, markup)
}

fn clear(dom: &mut Dom, id: Id) {
    while let Some(child) = dom.node(id).first {
        dom.detach(child);
    }
}

fn insert_all(dom: &mut Dom, parent: Id, before: Option<Id>, nodes: Vec<Id>) {
    for node in nodes {
        dom.insert(parent, before, node);
    }
}

fn qualified(name: &QualName) -> String {
    match &name.prefix {
        Some(prefix) => format!("{prefix}:{}", name.local),
        None => name.local.to_string(),
    }
}

fn set_attribute(dom: &mut Dom, id: Id, name: &str, value: &str) {
    let Some(element) = dom.element_mut(id) else { return };
    match element.attributes.iter_mut().find(|(attribute, _)| qualified(attribute) == name) {
        Some((_, known)) => value.clone_into(known),
        None => element.attributes.push((QualName::new(None, ns!(), name.into()), value.to_owned())),
    }
}

/// As `classList` does it, but for one thing: an attribute whose classes stay the same is not written anew.
fn change_classes(dom: &mut Dom, id: Id, change: impl FnOnce(&mut Vec<String>)) {
    let Some(element) = dom.element_mut(id) else { return };
    let mut classes: Vec<String> = Vec::new();
    for class in element.attribute("class").unwrap_or_default().split_ascii_whitespace() {
        if !classes.iter().any(|known| known == class) {
            classes.push(class.to_owned());
        }
    }
    let before = classes.clone();
    change(&mut classes);
    if classes != before {
        set_attribute(dom, id, "class", &classes.join(" "));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patch(select: &str, operation: Operation) -> Patch {
        Patch { select: select.to_owned(), all: true, operations: vec![operation] }
    }

    fn after(source: &str, patch: &Patch) -> Dom {
        let dom = Dom::parse(source.as_bytes());
        patch.apply(&dom, &patch.matches(&dom).unwrap())
    }

    #[test]
    fn operations_give_the_tree_of_the_markup_that_one_would_write() {
        let html = |text: &str| text.to_owned();
        let cases = [
            ("<p>a<div>b</div>", "p", Operation::Append(html("<b>!</b>")), "<p>a<b>!</b></p><div>b</div>"),
            ("<p>a<p>b", "p", Operation::Remove, "<body>"),
            (
                "<ul><li>a<li>b</ul>",
                "li",
                Operation::After(html("<hr>")),
                "<ul><li>a</li><hr><li>b</li><hr></ul>",
            ),
            (
                "<table><td>a</table>",
                "td",
                Operation::Before(html("<th>x")),
                "<table><tr><th>x</th><td>a</table>",
            ),
            ("<table><td>a</table>", "tr", Operation::Html(html("<td>x")), "<table><tr><td>x</table>"),
            (
                "<table><td>a</table>",
                "tbody",
                Operation::Prepend(html("<td>x")),
                "<table><tr><td>x<tr><td>a</table>",
            ),
            ("<pre>\na</pre>", "pre", Operation::Text(html("\nb")), "<pre>\n\nb</pre>"),
            ("<i>a</i>b", "i", Operation::Unwrap, "<body>ab"),
            ("<i id=x>a</i>", "i", Operation::Rename(html("em")), "<em id=x>a</em>"),
            ("<i>a</i>", "i", Operation::Replace(html("<p>b</p>c")), "<body><p>b</p>c"),
            ("<i class=' a  b'>", "i", Operation::AddClass(html("c")), "<i class='a b c'>"),
            ("<i class=' a  b'>", "i", Operation::AddClass(html("a")), "<i class=' a  b'>"),
            ("<i class=a>", "i", Operation::RemoveClass(html("a")), "<i class>"),
            ("<i id=a>", "i", Operation::SetAttribute(html("id"), html("b")), "<i id=b>"),
            ("<i id=a>", "i", Operation::RemoveAttribute(html("id")), "<i>"),
            (
                "<template><p>a</template>",
                "template",
                Operation::Html(html("<td>b")),
                "<template><td>b</template>",
            ),
            ("<div><div>a</div></div>", "div", Operation::Text(html("b")), "<div>b</div>"),
            ("<b><p>a</b>b", "b", Operation::Remove, "<body><p>b"),
            ("<body>a</body>\n", "body", Operation::Append(html("b")), "<body>ab</body>"),
            ("<html>", "html", Operation::Before(html("b")), ""),
        ];
        for (source, select, operation, written) in cases {
            let after = after(source, &patch(select, operation.clone()));
            let written = Dom::parse(written.as_bytes());
            assert_eq!(after.dump(), written.dump(), "{source} {operation:?}");
            assert_eq!(after.differs_from(&written), None, "{source} {operation:?}");
        }
    }

    #[test]
    fn trees_that_differ_are_told_apart() {
        let trees = [
            "<p>a",
            "<p>b",
            "<p>a<p>",
            "<p>a</p> ",
            "<p class>a",
            "<p class=a>a",
            "<p><!--a-->",
            "<i>a",
            "<svg><p/>",
            "<svg><g/>",
            "<g></g>",
            "<template>a</template>",
            "<template></template>",
            "<!doctype html><p>a",
            "",
        ];
        for (at, a) in trees.iter().enumerate() {
            for (other, b) in trees.iter().enumerate() {
                let differ = Dom::parse(a.as_bytes()).differs_from(&Dom::parse(b.as_bytes())).is_some();
                assert_eq!(differ, at != other, "{a} {b}");
            }
        }
        let same = [("<p class=a id=b>", "<P ID=b CLASS=a>"), ("<p>a&amp;b", "<p>a&b</p>"), ("<td>a", "a")];
        for (a, b) in same {
            assert_eq!(Dom::parse(a.as_bytes()).differs_from(&Dom::parse(b.as_bytes())), None, "{a} {b}");
        }
    }

    #[test]
    fn selectors_match_as_in_a_browser() {
        let standards = "<!doctype html><ul class=A id=x><li id=a>1<li id=b TYPE=Y><p id=c>2</ul><template><p id=d></template>\
                         <svg id=e><foreignObject id=f></svg>";
        let cases: [(&str, &[&str]); 12] = [
            ("li", &["a", "b"]),
            ("LI", &["a", "b"]),
            ("p", &["c"]),
            (".a", &[]),
            ("ul > li:nth-child(2)", &["b"]),
            ("li + li", &["b"]),
            (":is(ul, p)", &["x", "c"]),
            ("ul li:not(:first-child, .z)", &["b"]),
            ("[type=y]", &["b"]),
            ("foreignObject", &["f"]),
            ("foreignobject", &[]),
            ("li ~ li p", &["c"]),
        ];
        for (selector, expected) in cases {
            let dom = Dom::parse(standards.as_bytes());
            let ids: Vec<_> = select(&dom, selector).unwrap().into_iter().collect();
            let ids: Vec<&str> = ids.iter().filter_map(|id| dom.element(*id)?.attribute("id")).collect();
            assert_eq!(ids, expected, "{selector}");
        }
        let quirks = Dom::parse(b"<p class=A id=X>");
        assert_eq!(select(&quirks, ".a#x").unwrap().len(), 1);
        assert!(select(&quirks, "p:hover").is_err());
    }
}
