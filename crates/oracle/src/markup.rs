//! What an element holds, as a script in a browser reads it: `textContent` and `innerHTML`.

use std::io;

use html5ever::QualName;
use html5ever::serialize::{Serialize, SerializeOpts, Serializer, TraversalScope, serialize};

use crate::dom::{Dom, Id, Kind};

/// All text in a node, in order (DOM § 4.4, `textContent`). What is in a template is no part of it.
#[must_use]
pub fn text_content(dom: &Dom, id: Id) -> String {
    let mut text = String::new();
    // Pages nest as deep as they like; a stack of our own is as deep as that.
    let mut rest = children(dom, id);
    while let Some(id) = rest.pop() {
        match &dom.node(id).kind {
            Kind::Text(part) => text.push_str(part),
            Kind::Element(_) => rest.extend(children(dom, id)),
            _ => {}
        }
    }
    text
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

/// The children of a node, the last one first.
fn children(dom: &Dom, id: Id) -> Vec<Id> {
    let mut children: Vec<Id> = dom.children(id).collect();
    children.reverse();
    children
}

/// The children of a node.
struct Children<'d> {
    dom: &'d Dom,
    of: Id,
}

/// What is still to be written.
enum Step {
    Node(Id),
    End(QualName),
}

impl Serialize for Children<'_> {
    fn serialize<S: Serializer>(&self, to: &mut S, _: TraversalScope) -> io::Result<()> {
        let dom = self.dom;
        let inside = |id| children(dom, id).into_iter().map(Step::Node);
        let mut rest: Vec<Step> = inside(self.of).collect();
        while let Some(step) = rest.pop() {
            let id = match step {
                Step::Node(id) => id,
                Step::End(name) => {
                    to.end_elem(name)?;
                    continue;
                }
            };
            match &dom.node(id).kind {
                Kind::Document | Kind::Fragment => {}
                Kind::Doctype(name) => to.write_doctype(name)?,
                Kind::Comment(comment) => to.write_comment(comment)?,
                Kind::Text(text) => to.write_text(text)?,
                Kind::Element(element) => {
                    let attributes = element.attributes.iter();
                    let attributes =
                        attributes.map(|(name, value): &(QualName, String)| (name, value.as_str()));
                    to.start_elem(element.name.clone(), attributes)?;
                    rest.push(Step::End(element.name.clone()));
                    rest.extend(inside(dom.content_of(id)));
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
    #[test]
    fn content_may_nest_as_deep_as_it_likes() {
        let depth = 50_000;
        let page = format!("<div>{}x", "<b>".repeat(depth));
        let (text, html) = of(&page, "div");
        assert_eq!(text, "x");
        assert_eq!(html, format!("{}x{}", "<b>".repeat(depth), "</b>".repeat(depth)));
    }
}
