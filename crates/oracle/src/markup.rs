//! What an element holds, as a script in a browser reads it: `textContent` and `innerHTML`.

use std::io;

use html5ever::QualName;
use html5ever::serialize::{Serialize, SerializeOpts, Serializer, TraversalScope, serialize};

use crate::dom::{Dom, Id, Kind};

/// All text in a node, in order (DOM § 4.4, `textContent`). What is in a template is no part of it.
#[must_use]
pub fn text_content(dom: &Dom, id: Id) -> String {
    let mut text = String::new();
    collect(dom, id, &mut text);
    text
}

fn collect(dom: &Dom, parent: Id, text: &mut String) {
    for child in dom.children(parent) {
        match &dom.node(child).kind {
            Kind::Text(part) => text.push_str(part),
            Kind::Element(_) => collect(dom, child, text),
            _ => {}
        }
    }
}

/// The markup of what is in an element (WHATWG HTML § 13.3, `innerHTML`).
#[must_use]
pub fn inner_html(dom: &Dom, id: Id) -> String {
    let mut out = Vec::new();
    let name = dom.element(id).map(|element| element.name.clone());
    let options = SerializeOpts {
        scripting_enabled: true,
        traversal_scope: TraversalScope::ChildrenOnly(name),
        create_missing_parent: false,
    };
    // Writing to memory does not fail.
    let _ = serialize(&mut out, &Children { dom, of: dom.content_of(id) }, options);
    String::from_utf8_lossy(&out).into_owned()
}

/// The children of a node.
struct Children<'d> {
    dom: &'d Dom,
    of: Id,
}

impl Serialize for Children<'_> {
    fn serialize<S: Serializer>(&self, to: &mut S, _: TraversalScope) -> io::Result<()> {
        for child in self.dom.children(self.of) {
            match &self.dom.node(child).kind {
                Kind::Document | Kind::Fragment => {}
                Kind::Doctype(name) => to.write_doctype(name)?,
                Kind::Comment(comment) => to.write_comment(comment)?,
                Kind::Text(text) => to.write_text(text)?,
                Kind::Element(element) => {
                    let attributes = element.attributes.iter();
                    let attributes =
                        attributes.map(|(name, value): &(QualName, String)| (name, value.as_str()));
                    to.start_elem(element.name.clone(), attributes)?;
                    let inside = Self { dom: self.dom, of: self.dom.content_of(child) };
                    inside.serialize(to, TraversalScope::IncludeNode)?;
                    to.end_elem(element.name.clone())?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::select::select;

    fn of(page: &str, selector: &str) -> (String, String) {
        let dom = Dom::parse(page.as_bytes());
        let id = select(&dom, selector).unwrap()[0];
        (text_content(&dom, id), inner_html(&dom, id))
    }

    #[test]
    fn content_reads_as_in_a_browser() {
        for (page, selector, text, html) in [
            ("<p>a &amp; <b title='\"'>b</b><br>", "p", "a & b", "a &amp; <b title=\"&quot;\">b</b><br>"),
            ("<template><i>x</i></template>", "template", "", "<i>x</i>"),
            ("<p>a<!-- c --><script>1<2</script>", "p", "a1<2", "a<!-- c --><script>1<2</script>"),
            ("<div><template>x</template>y", "div", "y", "<template>x</template>y"),
        ] {
            assert_eq!(of(page, selector), (text.to_owned(), html.to_owned()), "{page}");
        }
    }
}
