//! The places that every page has: where head and body begin and end, with or without tags for them.

use super::fragment;
use super::hold::{Hold, Holds};
use super::{ElementId, Landmark, LeadTag, Sighting};
use crate::name::Tag;
use crate::tree::{Node, Tree};

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Landmarks {
    /// Those that are looked for and have not been passed.
    wanted: Vec<Landmark>,
    /// Where the head ends, as far as is known.
    head_end: Option<u64>,
    /// Where the body ends, as far as is known.
    body_end: Option<u64>,
}

impl Landmarks {
    pub(super) fn new(wanted: impl Iterator<Item = Landmark>) -> Self {
        let mut wanted: Vec<Landmark> = wanted.collect();
        wanted.sort_unstable();
        wanted.dedup();
        Self { wanted, head_end: None, body_end: None }
    }

    pub(super) const fn are_complete(&self) -> bool {
        self.wanted.is_empty()
    }

    fn is_wanted(&self, landmark: Landmark) -> bool {
        self.wanted.contains(&landmark)
    }

    #[cold]
    fn pass(&mut self, landmark: Landmark, at: u64, lead: Option<Vec<LeadTag>>, holds: &mut Holds) {
        if let Some(index) = self.wanted.iter().position(|wanted| *wanted == landmark) {
            self.wanted.remove(index);
            let misfit = lead.is_none();
            holds.push(Sighting::Landmark { landmark, at, lead: lead.unwrap_or_default(), misfit });
        }
    }

    /// What is looked for will not be found.
    pub(super) fn give_up(&mut self, holds: &mut Holds) {
        for landmark in std::mem::take(&mut self.wanted) {
            holds.push(Sighting::Landmark { landmark, at: u64::MAX, lead: Vec::new(), misfit: true });
        }
    }

    /// Elements were closed at this offset.
    pub(super) fn closed(&mut self, closed: &[Box<Node>], at: u64, holds: &mut Holds) {
        if self.is_wanted(Landmark::HeadEnd) && closed.iter().any(|node| node.is(Tag::Head)) {
            self.head_end = Some(at);
            holds.hold(Hold::Head, at);
        }
    }

    /// Elements were opened, at this offset where they have no tag; sightings of the tag itself come after this.
    pub(super) fn entered(&mut self, tree: &Tree, at: u64, holds: &mut Holds) {
        if !self.wanted.is_empty() {
            self.pass_entered(tree, at, holds);
        }
    }

    #[cold]
    fn pass_entered(&mut self, tree: &Tree, at: u64, holds: &mut Holds) {
        let own = tree.step.own.and_then(|id| tree.stack.iter().find(|node| node.id == id));
        let has_own = |tag: Tag| own.is_some_and(|node| node.is(tag));
        if tree.has_head() && !has_own(Tag::Head) {
            self.pass(Landmark::HeadStart, at, Some(Vec::new()), holds);
        }
        if tree.has_body() {
            let end = self.head_end.take().unwrap_or(at);
            holds.settle(Hold::Head);
            self.pass(Landmark::HeadEnd, end, Some(Vec::new()), holds);
            if !has_own(Tag::Body) {
                self.pass(Landmark::BodyStart, at, Some(body_tag()), holds);
            }
        }
    }

    /// A token from `at` on, `len` bytes long, has been taken. `watches_body` says that the end of the body matters to
    /// others, too.
    #[inline]
    pub(super) fn after_token(
        &mut self,
        tree: &Tree,
        at: u64,
        len: u64,
        watches_body: bool,
        holds: &mut Holds,
    ) {
        if !self.wanted.is_empty() {
            self.pass_behind(tree, at.saturating_add(len), holds);
        }
        match (tree.is_after_body(), self.body_end) {
            (true, None) if watches_body || self.is_wanted(Landmark::BodyEnd) => {
                self.body_end = Some(at);
                holds.hold(Hold::Body, at);
            }
            (false, Some(_)) => {
                self.body_end = None;
                holds.settle(Hold::Body);
            }
            _ => {}
        }
    }

    /// A token has been taken that ends here.
    #[cold]
    fn pass_behind(&mut self, tree: &Tree, end: u64, holds: &mut Holds) {
        if tree.has_head() {
            self.pass(Landmark::HeadStart, end, Some(Vec::new()), holds);
        }
        if tree.has_body() {
            self.pass(Landmark::BodyStart, end, Some(Vec::new()), holds);
        }
        let closed = &tree.closed;
        let is_late = tree.is_after_head() && tree.stack.len() == 1 && !closed.is_empty();
        if is_late && !closed.iter().any(|node| node.is(Tag::Head)) {
            holds.refuse(Hold::Head);
            if self.head_end.is_some() {
                self.head_end = Some(end);
                holds.hold(Hold::Head, end);
            }
        }
    }

    /// What has waited for too long is passed.
    pub(super) fn bound(&mut self, at: u64, max: u64, holds: &mut Holds) {
        if self.head_end.is_some_and(|end| at.saturating_sub(end) > max) {
            self.head_end = None;
            holds.refuse(Hold::Head);
            self.pass(Landmark::HeadEnd, at, None, holds);
        }
        if self.body_end.is_some_and(|end| at.saturating_sub(end) > max) {
            holds.refuse(Hold::Body);
            self.body_end = Some(at);
        }
    }

    /// Where the body ends, the page being over at this offset.
    pub(super) fn body_end(&self, at: u64) -> u64 {
        self.body_end.unwrap_or(at)
    }

    /// The page is over. `has_body` says that it has one of its own, `lead` are the end tags of what is open in it.
    pub(super) fn end(&mut self, has_body: bool, at: u64, lead: Option<Vec<LeadTag>>, holds: &mut Holds) {
        let body_end = self.body_end(at);
        self.pass(Landmark::HeadStart, at, Some(Vec::new()), holds);
        self.pass(Landmark::HeadEnd, self.head_end.unwrap_or(at), Some(Vec::new()), holds);
        self.pass(Landmark::BodyStart, at, Some(body_tag()), holds);
        let lead = if has_body { lead } else { Some(body_tag()) };
        self.pass(Landmark::BodyEnd, body_end, lead, holds);
    }

    /// The end tags of what is open in the body.
    pub(super) fn body_lead(&self, tree: &Tree) -> Option<Vec<LeadTag>> {
        if !self.is_wanted(Landmark::BodyEnd) {
            return None;
        }
        let body = tree.stack.get(1).filter(|node| node.is(Tag::Body))?;
        let mut lead = fragment::close_down_to(&mut tree.in_body_again(), body.id)?;
        // Whoever has put something at the end of the body's content has ended the others already.
        lead.extend(body.sighted.map(|body| LeadTag { ends: Some(ElementId(body)), tag: Vec::new() }));
        Some(lead)
    }
}

fn body_tag() -> Vec<LeadTag> {
    vec![LeadTag { ends: None, tag: b"<body>".to_vec() }]
}
