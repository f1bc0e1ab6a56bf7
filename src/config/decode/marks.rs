//! What an attempt at reading has changed in the tree, kept beside it.
//!
//! Answers for what stands at each value now. The tree itself is never touched, so that the paths and places in messages
//! are those that the operator wrote; a value is known by its address, which holds while the tree is borrowed.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use super::super::node::Node;
use super::super::yaml::Asked;

/// What is read at the place of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// The value.
    Whole,
    /// A stand-in, whatever the type asks for.
    Stubbed,
    /// Nothing: its entry or element is passed over.
    Removed,
}

#[derive(Debug, Default)]
pub(super) struct Marks {
    states: BTreeMap<*const Node, State>,
    /// Fields that a map lacks, and that are read as stand-ins.
    added: BTreeMap<*const Node, Vec<&'static str>>,
    /// Lists and maps in which something was changed, at any depth.
    damaged: BTreeSet<*const Node>,
    /// Scalars for which it matters what the type asks for.
    watched: RefCell<BTreeMap<*const Node, Option<Asked>>>,
}

impl Marks {
    pub(super) fn watching<'n>(nodes: impl Iterator<Item = &'n Node>) -> Self {
        Self { watched: RefCell::new(nodes.map(|node| (address(node), None)).collect()), ..Self::default() }
    }

    pub(super) fn state(&self, node: &Node) -> State {
        self.states.get(&address(node)).copied().unwrap_or(State::Whole)
    }

    pub(super) fn set(&mut self, node: &Node, state: State) {
        self.states.insert(address(node), state);
    }

    pub(super) fn added(&self, node: &Node) -> &[&'static str] {
        self.added.get(&address(node)).map_or(&[], Vec::as_slice)
    }

    pub(super) fn add(&mut self, node: &Node, field: &'static str) {
        self.added.entry(address(node)).or_default().push(field);
    }

    pub(super) fn is_damaged(&self, node: &Node) -> bool {
        self.damaged.contains(&address(node))
    }

    pub(super) fn damage(&mut self, node: &Node) {
        self.damaged.insert(address(node));
    }

    /// Notes what the type asked a scalar for; the last question counts.
    pub(super) fn ask(&self, node: &Node, asked: Asked) {
        if let Some(slot) = self.watched.borrow_mut().get_mut(&address(node)) {
            *slot = Some(asked);
        }
    }

    pub(super) fn asked(&self, node: &Node) -> Option<Asked> {
        self.watched.borrow().get(&address(node)).copied().flatten()
    }
}

fn address(node: &Node) -> *const Node {
    std::ptr::from_ref(node)
}
