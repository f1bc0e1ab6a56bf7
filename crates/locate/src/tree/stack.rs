//! The stack of open elements (WHATWG HTML § 13.2.4.2).

use super::{Mode, Namespace, Next, Node, Tag, Tree};

/// How far a search for an open element goes (§ 13.2.4.2, "in scope").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    Default,
    ListItem,
    Button,
    Table,
}

impl Scope {
    fn ends_at(self, node: &Node) -> bool {
        let tag = node.name.tag;
        if node.ns != Namespace::Html {
            return self != Self::Table && node.is_special();
        }
        match self {
            Self::Table => matches!(tag, Tag::Html | Tag::Table | Tag::Template),
            _ if Self::is_boundary(tag) => true,
            Self::ListItem => matches!(tag, Tag::Ol | Tag::Ul),
            Self::Button => tag == Tag::Button,
            Self::Default => false,
        }
    }

    const fn is_boundary(tag: Tag) -> bool {
        matches!(
            tag,
            Tag::Applet
                | Tag::Caption
                | Tag::Html
                | Tag::Table
                | Tag::Td
                | Tag::Th
                | Tag::Marquee
                | Tag::Object
                | Tag::Select
                | Tag::Template
        )
    }
}

impl Tree {
    pub(super) fn current_is(&self, tag: Tag) -> bool {
        self.stack.last().is_some_and(|node| node.is(tag))
    }

    pub(super) fn current_is_any(&self, matches: impl Fn(Tag) -> bool) -> bool {
        self.stack.last().is_some_and(|node| node.is_html(matches))
    }

    pub(super) fn has_template(&self) -> bool {
        self.stack.iter().any(|node| node.is(Tag::Template))
    }

    pub(super) fn in_scope(&self, scope: Scope, matches: impl Fn(&Node) -> bool) -> bool {
        for node in self.stack.iter().rev() {
            if matches(node) {
                return true;
            }
            if scope.ends_at(node) {
                return false;
            }
        }
        false
    }

    pub(super) fn has_in_scope(&self, scope: Scope, tag: Tag) -> bool {
        self.in_scope(scope, |node| node.is(tag))
    }

    pub(super) fn pop(&mut self) {
        if let Some(mut node) = self.stack.pop() {
            self.close(&mut node);
            self.closed.push(node);
        }
    }

    /// What closing an element means for the rest.
    pub(super) fn close(&mut self, node: &mut Node) {
        if node.is_formatting() {
            self.mark_entry_closed(node.id);
        }
        // Formatting that goes on behind it, or a form that others ask for: without the element they would not be there.
        let leaks = !node.ends_formatting() && self.active.len() > node.entries;
        node.strayed |= leaks || self.form != node.form;
        if node.is(Tag::Head) {
            self.head = Some(Box::new(node.clone()));
        }
    }

    pub(super) fn pop_until(&mut self, matches: impl Fn(&Node) -> bool) {
        while let Some(node) = self.stack.last() {
            let found = matches(node);
            self.pop();
            if found {
                return;
            }
        }
    }

    pub(super) fn pop_until_tag(&mut self, tag: Tag) {
        self.pop_until(|node| node.is(tag));
    }

    /// "Clear the stack back to a … context": pops until the current node is one of these.
    pub(super) fn clear_back_to(&mut self, context: impl Fn(Tag) -> bool) {
        while self
            .stack
            .last()
            .is_some_and(|node| !node.is_html(|tag| context(tag) || matches!(tag, Tag::Html | Tag::Template)))
        {
            self.pop();
        }
    }

    pub(super) fn generate_implied_ends(&mut self, except: Option<Tag>) {
        while self.current_is_any(|tag| tag.has_implied_end() && Some(tag) != except) {
            self.pop();
        }
    }

    pub(super) fn close_p_in_button_scope(&mut self) {
        if self.has_in_scope(Scope::Button, Tag::P) {
            self.generate_implied_ends(Some(Tag::P));
            self.pop_until_tag(Tag::P);
        }
    }

    /// Where the next element goes (§ 13.2.6.1, appropriate place for inserting a node): its parent's index.
    pub(super) fn insertion_parent(&mut self) -> usize {
        let current = self.stack.len().saturating_sub(1);
        if !(self.fostering && self.current_is_any(Tag::fosters)) {
            return current;
        }
        let table = self.stack.iter().rposition(|node| node.is(Tag::Table));
        let template = self.stack.iter().rposition(|node| node.is(Tag::Template));
        match (template, table) {
            (Some(template), table) if table.is_none_or(|table| table < template) => {
                self.stray_from(template.saturating_add(1));
                template
            }
            (_, Some(table)) => {
                self.stray_from(table);
                table.saturating_sub(1)
            }
            _ => 0,
        }
    }

    /// From this index on, elements do not contain what stands between their tags.
    pub(super) fn stray_from(&mut self, index: usize) {
        self.step.fostered = true;
        for node in self.stack.iter_mut().skip(index) {
            node.strayed = true;
        }
    }

    /// § 13.2.4.1, reset the insertion mode appropriately.
    pub(super) fn reset_mode(&mut self) {
        let found = self.stack.iter().rev().find_map(|node| {
            if node.ns != Namespace::Html {
                return None;
            }
            match node.name.tag {
                Tag::Td | Tag::Th => Some(Mode::InCell),
                Tag::Tr => Some(Mode::InRow),
                Tag::Tbody | Tag::Thead | Tag::Tfoot => Some(Mode::InTableBody),
                Tag::Caption => Some(Mode::InCaption),
                Tag::Colgroup => Some(Mode::InColumnGroup),
                Tag::Table => Some(Mode::InTable),
                Tag::Template => self.template_modes.last().copied(),
                Tag::Head => Some(if node.reopened { Mode::AfterHead } else { Mode::InHead }),
                Tag::Body => Some(Mode::InBody),
                Tag::Html if self.head.is_none() => Some(Mode::BeforeHead),
                Tag::Html => Some(Mode::AfterHead),
                _ => None,
            }
        });
        self.mode = found.unwrap_or(Mode::InBody);
    }

    /// The end of a page or of a `template` that was cut short.
    pub(super) fn close_template(&mut self) -> Next {
        if !self.has_template() {
            return self.ignore();
        }
        while self.current_is_any(Tag::has_thoroughly_implied_end) {
            self.pop();
        }
        self.pop_until_tag(Tag::Template);
        self.clear_to_marker();
        self.template_modes.pop();
        self.reset_mode();
        Next::Done
    }
}
