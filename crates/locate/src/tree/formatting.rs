//! Formatting elements that are not nested as the tree needs it: the list of active formatting elements (WHATWG HTML
//! § 13.2.4.3) and the adoption agency algorithm (§ 13.2.6.4.7).

use std::sync::Arc;

use super::stack::Scope;
use super::{Entry, Formatting, Name, Namespace, Origin, StartTag, Tag, Tree};
use crate::attribute::Attributes;
use crate::name::Name as TagName;
use crate::selector::marks::{Bits, Marks};

impl Tree {
    /// Whether some formatting element waits to be opened again.
    pub(crate) fn has_closed_formatting(&self) -> bool {
        matches!(self.active.last(), Some(Entry::Element(entry)) if !entry.is_open)
    }

    /// § 13.2.4.3, reconstruct the active formatting elements.
    pub(super) fn reconstruct(&mut self) {
        if !self.has_closed_formatting() {
            return;
        }
        let is_closed = |entry: &Entry| matches!(entry, Entry::Element(entry) if !entry.is_open);
        let first =
            self.active.iter().rposition(|entry| !is_closed(entry)).map_or(0, |at| at.saturating_add(1));
        self.step.reconstructed = true;
        for index in first..self.active.len() {
            let Some(Entry::Element(entry)) = self.active.get(index) else { continue };
            let name = Name::from(entry.tag);
            let local = entry.matches.clone();
            let id = self.insert(name, Namespace::Html, Origin::Clone);
            if let Some(node) = self.stack.last_mut() {
                node.entries = index;
                node.marks = Marks::from(local);
            }
            if let Some(Entry::Element(entry)) = self.active.get_mut(index) {
                entry.id = id;
                entry.is_open = true;
            }
        }
    }

    /// "Create a formatting element": at most three equal ones count, "Noah's Ark".
    pub(super) fn insert_formatting(&mut self, tag: &StartTag<'_>) {
        let source = Some(tag.source).filter(|_| !tag.is_bare());
        let since_marker = self.active.iter().enumerate().rev().map_while(|(index, entry)| match entry {
            Entry::Marker => None,
            Entry::Element(entry) => Some((index, entry)),
        });
        let equal: Vec<usize> = since_marker
            .filter(|(_, entry)| entry.tag == tag.name.tag && same_tag(entry.source.as_deref(), source))
            .map(|(index, _)| index)
            .collect();
        if let (3.., Some(earliest)) = (equal.len(), equal.last()) {
            self.remove_entry(*earliest);
        }
        self.insert_own(tag);
        if let Some(id) = self.step.own {
            self.active.push(Entry::Element(Formatting {
                id,
                tag: tag.name.tag,
                source: source.map(Arc::from),
                matches: Bits::default(),
                is_open: true,
            }));
        }
    }

    /// Remembers what an element matches by itself, for its clones.
    pub(crate) fn remember_matches(&mut self, id: u32, matches: Bits) {
        if let Some(Entry::Element(entry)) = self.entry_of(id).and_then(|index| self.active.get_mut(index)) {
            entry.matches = matches;
        }
    }

    pub(super) fn clear_to_marker(&mut self) {
        while let Some(entry) = self.active.pop() {
            if matches!(entry, Entry::Marker) {
                break;
            }
        }
    }

    pub(super) fn formatting_since_marker(&self, tag: Tag) -> Option<u32> {
        self.active
            .iter()
            .rev()
            .map_while(|entry| match entry {
                Entry::Marker => None,
                Entry::Element(entry) => Some(entry),
            })
            .find(|entry| entry.tag == tag)
            .map(|entry| entry.id)
    }

    pub(super) fn entry_of(&self, id: u32) -> Option<usize> {
        self.active.iter().rposition(|entry| matches!(entry, Entry::Element(entry) if entry.id == id))
    }

    pub(super) fn mark_entry_closed(&mut self, id: u32) {
        if let Some(Entry::Element(entry)) = self.entry_of(id).and_then(|index| self.active.get_mut(index)) {
            entry.is_open = false;
        }
    }

    /// Takes an entry away under elements that were opened when it was there: what comes after them depends on them.
    pub(super) fn remove_entry(&mut self, index: usize) {
        self.active.remove(index);
        for node in self.stack.iter_mut().filter(|node| node.entries > index) {
            node.strayed = true;
            node.entries = node.entries.saturating_sub(1);
        }
    }

    /// Takes an element from the stack, wherever it is.
    pub(super) fn remove_from_stack(&mut self, id: u32) {
        if let Some(index) = self.stack.iter().rposition(|node| node.id == id) {
            let mut node = self.stack.remove(index);
            node.strayed = true;
            self.close(&mut node);
            self.closed.push(node);
        }
    }

    /// § 13.2.6.4.7, the adoption agency algorithm, for an end tag.
    pub(super) fn adopt(&mut self, subject: Tag) {
        // As good as every formatting element ends where it should.
        if let (Some(node), Some(Entry::Element(entry))) = (self.stack.last(), self.active.last())
            && node.is(subject)
            && node.id == entry.id
        {
            self.active.pop();
            self.pop();
            return;
        }
        let unlisted =
            self.stack.last().is_some_and(|node| node.is(subject) && self.entry_of(node.id).is_none());
        if unlisted {
            self.pop();
            return;
        }
        self.adopt_misnested(subject);
    }

    #[cold]
    fn adopt_misnested(&mut self, subject: Tag) {
        for _ in 0..8 {
            let Some(id) = self.formatting_since_marker(subject) else {
                self.any_other_end(&TagName::from(subject));
                return;
            };
            let Some(entry) = self.entry_of(id) else { return };
            let Some(position) = self.stack.iter().rposition(|node| node.id == id) else {
                self.remove_entry(entry);
                return;
            };
            if !self.in_scope(Scope::Default, |node| node.id == id) {
                self.step.ignored = true;
                return;
            }
            let block = self.stack.iter().skip(position).position(|node| node.is_special());
            let Some(block) = block.map(|offset| position.saturating_add(offset)) else {
                self.close_formatting(position, entry);
                return;
            };
            self.move_block(position, block, entry);
        }
    }

    /// Everything down to the formatting element is closed, and it is well nested.
    fn close_formatting(&mut self, position: usize, entry: usize) {
        self.active.remove(entry);
        // Elements above it were opened while it was there; that it goes is nothing that they did.
        for node in self.stack.iter_mut().skip(position) {
            node.entries = node.entries.min(entry);
        }
        while self.stack.len() > position {
            self.pop();
        }
    }

    /// A block goes on outside the formatting element that ends in it.
    fn move_block(&mut self, position: usize, block: usize, entry: usize) {
        self.step.adopted = true;
        // All that is open from the formatting element on ends elsewhere than its tags say.
        for node in self.stack.iter_mut().skip(position) {
            node.strayed = true;
        }
        let ancestor_fosters = position
            .checked_sub(1)
            .and_then(|at| self.stack.get(at))
            .is_some_and(|node| node.is_html(Tag::fosters));
        if ancestor_fosters {
            let table = self.stack.iter().rposition(|node| node.is(Tag::Table)).unwrap_or_default();
            self.stray_from(table);
        }
        let Some(block_id) = self.stack.get(block).map(|node| node.id) else { return };
        let mut bookmark = entry;
        let mut inner = 0;
        let mut at = block;
        let mut last_is_block = true;
        while at.saturating_sub(1) > position {
            at = at.saturating_sub(1);
            inner += 1;
            let Some(id) = self.stack.get(at).map(|node| node.id) else { break };
            let mut listed = self.entry_of(id);
            if inner > 3
                && let Some(index) = listed.take()
            {
                self.active.remove(index);
                if index < bookmark {
                    bookmark = bookmark.saturating_sub(1);
                }
            }
            let Some(index) = listed else {
                let mut node = self.stack.remove(at);
                node.strayed = true;
                self.close(&mut node);
                self.closed.push(node);
                continue;
            };
            self.clone_in_place(at, index);
            if last_is_block {
                bookmark = index.saturating_add(1);
            }
            last_is_block = false;
        }
        let Some(old) = self.stack.get(position).map(|node| node.id) else { return };
        let Some(index) = self.entry_of(old) else { return };
        let Some(Entry::Element(mut moved)) = self.active.get(index).cloned() else { return };
        self.active.remove(index);
        if index < bookmark {
            bookmark = bookmark.saturating_sub(1);
        }
        moved.id = self.next_id;
        moved.is_open = true;
        let (tag, marks) = (moved.tag, Marks::from(moved.matches.clone()));
        self.active.insert(bookmark.min(self.active.len()), Entry::Element(moved));

        let mut gone = self.stack.remove(position);
        gone.strayed = true;
        self.closed.push(gone);
        let block = self.stack.iter().position(|node| node.id == block_id).unwrap_or_default();
        self.insert(Name::from(tag), Namespace::Html, Origin::Clone);
        if let Some(mut clone) = self.stack.pop() {
            clone.parent = block;
            clone.marks = marks;
            clone.strayed = true;
            clone.entries = bookmark.min(clone.entries);
            self.stack.insert(block.saturating_add(1), clone);
        }
    }

    /// Another element takes the place of a formatting element, in the stack and in the list.
    fn clone_in_place(&mut self, at: usize, index: usize) {
        let id = self.next_id;
        self.next_id = self.next_id.saturating_add(1);
        if let Some(Entry::Element(entry)) = self.active.get_mut(index) {
            entry.id = id;
            entry.is_open = true;
        }
        if let Some(node) = self.stack.get_mut(at) {
            let mut gone = node.clone();
            node.id = id;
            node.origin = Origin::Clone;
            node.sighted = None;
            gone.strayed = true;
            self.closed.push(gone);
        }
    }
}

/// Whether two start tags of the same name have the same attributes with the same values, in any order; `None` has none.
fn same_tag(a: Option<&[u8]>, b: Option<&[u8]>) -> bool {
    if a == b {
        return true;
    }
    fn attributes(tag: &[u8]) -> Vec<(Vec<u8>, &[u8])> {
        let name_end =
            tag.iter().position(|byte| crate::attribute::is_space(*byte) || matches!(byte, b'/' | b'>'));
        let mut found: Vec<(Vec<u8>, &[u8])> = Vec::new();
        for it in Attributes::new(tag, name_end.unwrap_or(tag.len())) {
            let name = tag.get(it.name).unwrap_or_default().to_ascii_lowercase();
            if !found.iter().any(|(known, _)| *known == name) {
                found.push((name, it.value.and_then(|at| tag.get(at)).unwrap_or_default()));
            }
        }
        found.sort();
        found
    }
    attributes(a.unwrap_or_default()) == attributes(b.unwrap_or_default())
}
