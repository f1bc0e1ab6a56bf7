//! Foreign content: SVG and MathML (WHATWG HTML § 13.2.6.5).

use super::{Name, Namespace, Next, Node, StartTag, Tag, Tree};

impl Tree {
    /// Whether a start tag is processed by the rules for foreign content (§ 13.2.6, tree construction dispatcher).
    pub(super) fn is_foreign_for_start(&self, tag: &StartTag<'_>) -> bool {
        let Some(current) = self.stack.last() else { return false };
        if current.ns == Namespace::Html || current.html_inside {
            return false;
        }
        if current.is_text_point() && !matches!(tag.name.tag, Tag::Mglyph | Tag::Malignmark) {
            return false;
        }
        !(current.ns == Namespace::MathMl
            && current.name.tag == Tag::AnnotationXml
            && tag.name.tag == Tag::Svg)
    }

    /// `svg` or `math` among HTML.
    pub(super) fn enter_foreign(&mut self, tag: &StartTag<'_>, ns: Namespace) -> Next {
        self.reconstruct();
        self.insert_foreign(tag, ns);
        Next::Done
    }

    pub(super) fn foreign_start(&mut self, tag: &StartTag<'_>) {
        if leaves_foreign_content(tag) {
            self.leave_foreign();
            self.html_start(tag);
            return;
        }
        let ns = self.stack.last().map_or(Namespace::Html, |current| current.ns);
        self.insert_foreign(tag, ns);
    }

    fn insert_foreign(&mut self, tag: &StartTag<'_>, ns: Namespace) {
        self.insert_own_in(tag.name.clone(), ns);
        if let Some(node) = self.stack.last_mut() {
            node.html_inside = is_html_point(node, tag);
        }
        self.step.is_void = tag.self_closing;
    }

    fn leave_foreign(&mut self) {
        while self
            .stack
            .last()
            .is_some_and(|node| node.ns != Namespace::Html && !node.html_inside && !node.is_text_point())
        {
            self.pop();
        }
    }

    pub(super) fn foreign_end(&mut self, name: &Name) {
        if matches!(name.tag, Tag::Br | Tag::P) {
            self.leave_foreign();
            self.html_end(name);
            return;
        }
        for (index, node) in self.stack.iter().enumerate().rev() {
            if node.ns == Namespace::Html {
                self.html_end(name);
                return;
            }
            if index == 0 {
                break;
            }
            if node.name == *name {
                let id = node.id;
                self.pop_until(|node| node.id == id);
                return;
            }
        }
        self.ignore();
    }
}

/// HTML integration points (§ 13.2.6).
fn is_html_point(node: &Node, tag: &StartTag<'_>) -> bool {
    match node.ns {
        Namespace::Svg => matches!(node.name.tag, Tag::ForeignObject | Tag::Desc | Tag::Title),
        Namespace::MathMl => {
            node.name.tag == Tag::AnnotationXml
                && tag.has_value("encoding", &["text/html", "application/xhtml+xml"])
        }
        Namespace::Html => false,
    }
}

/// Start tags that can't be SVG or MathML.
fn leaves_foreign_content(tag: &StartTag<'_>) -> bool {
    match tag.name.tag {
        Tag::B
        | Tag::Big
        | Tag::Blockquote
        | Tag::Body
        | Tag::Br
        | Tag::Center
        | Tag::Code
        | Tag::Dd
        | Tag::Div
        | Tag::Dl
        | Tag::Dt
        | Tag::Em
        | Tag::Embed
        | Tag::H1
        | Tag::H2
        | Tag::H3
        | Tag::H4
        | Tag::H5
        | Tag::H6
        | Tag::Head
        | Tag::Hr
        | Tag::I
        | Tag::Img
        | Tag::Li
        | Tag::Listing
        | Tag::Menu
        | Tag::Meta
        | Tag::Nobr
        | Tag::Ol
        | Tag::P
        | Tag::Pre
        | Tag::Ruby
        | Tag::S
        | Tag::Small
        | Tag::Span
        | Tag::Strong
        | Tag::Strike
        | Tag::Sub
        | Tag::Sup
        | Tag::Table
        | Tag::Tt
        | Tag::U
        | Tag::Ul
        | Tag::Var => true,
        Tag::Font => tag.has(&["color", "face", "size"]),
        _ => false,
    }
}
