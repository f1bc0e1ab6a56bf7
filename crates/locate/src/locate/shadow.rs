//! A second tree beside the page's, in which one element is not there or has another name: whether its content would
//! still become the same.

use super::NewTags;
use super::fragment;
use crate::name::Name;
use crate::tree::{StartTag, Tree};

/// See the [module](self).
pub(super) struct Shadow {
    tree: Tree,
    /// The element in the page's tree.
    element: u32,
    /// The name that it has here, if it is here.
    name: Option<Name>,
    /// Elements that are open around it.
    depth: usize,
    differs: bool,
    is_over: bool,
}

impl Shadow {
    /// Begins where `page` has just opened the element.
    pub(super) fn new(page: &Tree, tags: &NewTags) -> Self {
        let mut tree = page.without_own();
        let depth = tree.stack.len();
        let element = page.stack.last().map_or(0, |node| node.id);
        let mut differs = page.step.text.is_some();
        let name = match tags {
            NewTags::Gone => None,
            NewTags::Named(name) => {
                let name = Name::new(name.as_bytes());
                let source = [b"<", name.bytes(), b">"].concat();
                let name_end = source.len().saturating_sub(1);
                tree.start(&StartTag { name: &name, source: &source, name_end, self_closing: false });
                let step = tree.step;
                differs |= step.own.is_none()
                    || step.moved_something()
                    || !tree.closed.is_empty()
                    || step.text.is_some()
                    || step.is_void != page.step.is_void
                    || tree.stack.len() != depth.saturating_add(1);
                if step.is_void {
                    tree.close_void();
                }
                Some(name)
            }
        };
        Self { tree, element, name, depth, differs, is_over: false }
    }

    /// It can't be told.
    pub(super) const fn refuse(&mut self) {
        self.differs = true;
    }

    pub(super) fn start(&mut self, tag: &StartTag<'_>, page: &Tree) {
        if self.ended_by_other(page) {
            return;
        }
        self.tree.start(tag);
        self.compare(page);
        if page.step.own.is_some() {
            let ns = |tree: &Tree| tree.stack.last().map(|node| node.ns);
            self.differs |= ns(&self.tree) != ns(page);
        }
        if self.tree.step.is_void {
            let step = self.tree.step;
            self.tree.close_void();
            self.tree.step = step;
        }
    }

    /// `is_own` says that it is the element's own end tag.
    pub(super) fn end(&mut self, name: &Name, is_own: bool, page: &Tree) {
        if !is_own || !page.closed.iter().any(|node| node.id == self.element) {
            if !self.ended_by_other(page) {
                self.tree.end(name);
                self.compare(page);
            }
            return;
        }
        self.close();
        self.differs |= self.tree.state() != page.state();
    }

    pub(super) fn end_of_text(&mut self) {
        self.tree.end_of_text();
    }

    pub(super) fn text(&mut self, text: &[u8], page: &Tree) {
        // Where text is plain in the page, it did nothing there.
        let plain = page.text_is_plain();
        if !(plain && self.tree.text_is_plain()) {
            let moved = fragment::take_text(&mut self.tree, text);
            let around = usize::from(self.name.is_none());
            self.differs |= (plain && moved)
                || self.tree.step.fostered != page.step.fostered
                || self.tree.stack.len().saturating_add(around) != page.stack.len();
        }
    }

    /// The page ends with the element open.
    pub(super) fn end_with_page(&mut self) {
        self.close();
    }

    /// Whether the content is the same.
    pub(super) fn is_same(&self) -> bool {
        self.is_over && !self.differs
    }

    /// The element's end is implied by a token that is not part of it.
    fn ended_by_other(&mut self, page: &Tree) -> bool {
        let ended = page.closed.iter().any(|node| node.id == self.element);
        if ended {
            self.close();
        }
        ended
    }

    /// What is written where the element ends.
    fn close(&mut self) {
        self.is_over = true;
        if let Some(name) = &self.name {
            let name = name.clone();
            if self.tree.stack.len() > self.depth {
                self.tree.end(&name);
                self.differs |= self.tree.step.moved_something() || self.tree.step.ignored;
            }
        }
        self.differs |= self.tree.stack.len() != self.depth;
    }

    fn compare(&mut self, page: &Tree) {
        let opened = |tree: &Tree| tree.next_id().saturating_sub(tree.step.first_id);
        self.differs |= opened(page) != opened(&self.tree);
        let same_names =
            self.tree.closed.iter().map(|node| &node.name).eq(page.closed.iter().map(|node| &node.name));
        let (step, page) = (&self.tree.step, &page.step);
        self.differs |= step.own.is_some() != page.own.is_some()
            || step.is_void != page.is_void
            || step.text != page.text
            || step.ignored != page.ignored
            || step.fostered != page.fostered
            || step.adopted != page.adopted
            || step.reconstructed != page.reconstructed
            || !same_names;
    }
}
