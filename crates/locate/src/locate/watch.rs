//! What the locator makes of tokens: which elements they open and close, which of these are looked for, and what an
//! edit there would do to the tree.

use std::ops::Range;
use std::sync::Arc;

use encoding_rs::Encoding;

use super::fragment;
use super::hold::{Hold, Holds};
use super::shadow::Shadow;
use super::{
    AttributePlace, Bounds, ElementId, End, LeadTag, Lost, Misfit, NewTags, Place, Sighting, Slot, StartTag,
    Target, TargetAt,
};
use crate::attribute::{Attribute, Run};
use crate::name::{Name, Tag};
use crate::offset::as_u64;
use crate::selector::marks::Marks;
use crate::selector::program::{Candidate, Matched, Program};
use crate::tokenizer::{TextKind, Token};
use crate::tree::{self, Namespace, Node, Origin, Tree};

/// See the [module](self).
pub(super) struct Watch {
    tree: Tree,
    program: Program,
    targets: Vec<Wanted>,
    /// How many of them may match another element.
    looking: usize,
    /// Reused for every element.
    attributes: Vec<Attribute>,
    encoding: &'static Encoding,
    bounds: Bounds,
    /// Sighted elements whose end or text matters, outermost first.
    open: Vec<Open>,
    holds: Holds,
    elements: u32,
    pub(super) passed_over: bool,
    lost: Option<Lost>,
    landmarks: super::landmark::Landmarks,
    /// The content of the current element is not markup, and read like this.
    text_kind: Option<TextKind>,
    in_text_node: bool,
    /// Where the content of a `pre` begins that has no line feed to lose.
    pre_content: Option<u64>,
}

struct Wanted {
    target: Target,
    /// How many matches are to be passed by.
    skip: u32,
    found: bool,
}

impl Wanted {
    const fn all(&self) -> bool {
        matches!(self.target.place, Place::Elements { all: true, .. })
    }
}

/// A sighted element that is open.
struct Open {
    element: ElementId,
    node: u32,
    needs_text: bool,
    inserts_at_end: bool,
    /// Start tags may end it, or what it stands in.
    ends_by_start_tags: bool,
    targets: Vec<usize>,
    /// Its content is not markup.
    text: Option<(TextKind, Name)>,
    shadows: Vec<(usize, Shadow)>,
}

/// Whether the tokens behind a start tag must be there before it is taken: a line feed may belong to it.
pub(super) fn needs_next_line(name: &Name, after: &[u8]) -> bool {
    matches!(name.tag, Tag::Pre | Tag::Listing | Tag::Textarea) && matches!(after, [] | b"\r")
}

impl Watch {
    pub(super) fn new(targets: Vec<Target>, encoding: &'static Encoding, bounds: Bounds) -> Self {
        let selectors = targets.iter().enumerate().filter_map(|(index, target)| match &target.place {
            Place::Elements { selector, .. } => Some((index, Arc::clone(selector))),
            Place::Landmark(_) => None,
        });
        let program = Program::new(selectors);
        let landmarks =
            super::landmark::Landmarks::new(targets.iter().filter_map(|target| match target.place {
                Place::Landmark(landmark) => Some(landmark),
                Place::Elements { .. } => None,
            }));
        let targets = targets.into_iter().map(|target| {
            let skip = match target.place {
                Place::Elements { skip_first, .. } => skip_first,
                Place::Landmark(_) => 0,
            };
            Wanted { skip, found: matches!(target.place, Place::Landmark(_)), target }
        });
        let targets: Vec<Wanted> = targets.collect();
        Self {
            tree: Tree::default(),
            program,
            looking: targets.iter().filter(|wanted| !wanted.found).count(),
            attributes: Vec::new(),
            targets,
            encoding,
            bounds,
            open: Vec::new(),
            holds: Holds::default(),
            elements: 0,
            passed_over: false,
            lost: None,
            landmarks,
            text_kind: None,
            in_text_node: false,
            pre_content: None,
        }
    }

    pub(super) fn is_in_foreign(&self) -> bool {
        self.tree.is_in_foreign()
    }

    pub(super) const fn lost(&self) -> Option<Lost> {
        self.lost
    }

    pub(super) fn undecided_from(&self) -> Option<u64> {
        self.holds.from()
    }

    /// Whether text that comes now tells nothing.
    pub(super) fn passes_text(&self) -> bool {
        self.open.is_empty() && self.text_kind.is_none() && self.tree.text_is_plain()
    }

    /// Whether the tag that `unfinished` begins can be no place, whatever follows in it.
    pub(super) fn ignores_tag(&self, unfinished: &[u8]) -> bool {
        if !self.passes_ends() {
            return false;
        }
        match unfinished {
            [b'<', b'/', letter, ..] => letter.is_ascii_alphabetic(),
            [b'<', name @ ..] if name.first().is_some_and(u8::is_ascii_alphabetic) => {
                let (name, rest) = name.split_at_checked(Run::TagName.len(name)).unwrap_or_default();
                // An `image` becomes an `img`.
                let name = Some(Name::new(name)).filter(|name| name.tag != Tag::Image && !rest.is_empty());
                name.is_some_and(|name| !self.program.may_find(&name))
            }
            _ => false,
        }
    }

    /// Whether nothing that follows matters.
    pub(super) const fn is_complete(&self) -> bool {
        self.looking == 0 && self.passes_ends()
    }

    pub(super) fn take_sightings(&mut self) -> Vec<Sighting> {
        self.holds.take()
    }

    pub(super) fn into_sightings(self) -> Vec<Sighting> {
        self.holds.into_sightings()
    }

    /// What is not decided never will be.
    pub(super) fn give_up(&mut self) {
        self.holds.refuse_all();
        self.landmarks.give_up(&mut self.holds);
    }

    /// Takes a token that stands at `at`; `after` is what follows it, as far as it is there. Returns how the text behind it
    /// is read, where that is not as markup.
    pub(super) fn token(&mut self, token: &Token, source: &[u8], after: &[u8], at: u64) -> Option<TextKind> {
        self.landmarks.bound(at, self.bounds.max_undecided_bytes, &mut self.holds);
        self.holds.bound(at, self.bounds.max_undecided_bytes);
        let expected = match token {
            Token::Text { .. } => {
                self.text(source, at);
                return None;
            }
            Token::Nothing { comment, .. } => {
                if *comment {
                    self.end_text_node();
                }
                return None;
            }
            Token::Start { name, name_end, self_closing, .. } => {
                self.end_text_node();
                let (name_end, self_closing) = (*name_end, *self_closing);
                self.start(&tree::StartTag { name, source, name_end, self_closing }, after, at)
            }
            Token::End { name, .. } => {
                self.end_text_node();
                self.end_tag(name, at..at.saturating_add(as_u64(source.len())));
                None
            }
            Token::Doctype { .. } => {
                self.end_text_node();
                self.tree.doctype(crate::doctype::is_quirky(source));
                None
            }
            Token::More => None,
        };
        self.landmarks.after_token(
            &self.tree,
            at,
            as_u64(source.len()),
            !self.open.is_empty(),
            &mut self.holds,
        );
        if self.lost.is_none() {
            self.lost = self.tree.lost.map(|lost| match lost {
                tree::Lost::Frameset => Lost::Ambiguous,
                tree::Lost::TooComplex => Lost::TooComplex,
            });
        }
        expected
    }

    fn end_text_node(&mut self) {
        if std::mem::take(&mut self.in_text_node) {
            self.holds.push(Sighting::TextEnd);
        }
    }

    fn text(&mut self, source: &[u8], at: u64) {
        let range = at..at.saturating_add(as_u64(source.len()));
        if self.text_kind.is_none() && !self.tree.text_is_plain() {
            self.text_that_matters(source, at);
        }
        for open in &mut self.open {
            for (_, shadow) in &mut open.shadows {
                if self.text_kind.is_none() {
                    shadow.text(source, &self.tree);
                }
            }
        }
        if self.open.iter().any(|open| open.needs_text) {
            let raw = self.text_kind.is_some_and(|kind| kind != TextKind::Rcdata);
            let current = self.tree.stack.last();
            if current.is_some_and(|node| node.in_template || (!raw && node.is_table_part())) {
                return;
            }
            let raw = if raw {
                Some(ElementId(current.and_then(|node| node.sighted).unwrap_or(u32::MAX)))
            } else {
                None
            };
            self.in_text_node = true;
            self.holds.push(Sighting::Text { at: range, raw });
        }
    }

    /// Text that may open elements, or end them.
    #[cold]
    fn text_that_matters(&mut self, source: &[u8], at: u64) {
        let mut rest = source;
        let mut at = at;
        while let Some(first) = rest.first() {
            let class = fragment::Class::of(*first);
            let len = rest.iter().position(|byte| fragment::Class::of(*byte) != class).unwrap_or(rest.len());
            self.tree.text(class == fragment::Class::Space, class == fragment::Class::Null);
            self.after_step(&(at..at), None, None);
            self.landmarks.after_token(&self.tree, at, 0, !self.open.is_empty(), &mut self.holds);
            rest = rest.get(len..).unwrap_or_default();
            at = at.saturating_add(as_u64(len));
        }
    }

    fn start(&mut self, tag: &tree::StartTag<'_>, after: &[u8], at: u64) -> Option<TextKind> {
        let may_end = self.open.iter().any(|open| open.inserts_at_end && open.ends_by_start_tags);
        let before = may_end.then(|| self.tree.clone());
        self.tree.start(tag);
        for open in &mut self.open {
            open.shadows.iter_mut().for_each(|(_, shadow)| shadow.start(tag, &self.tree));
        }
        if self.tree.step.ignored
            && matches!(tag.name.tag, Tag::Html | Tag::Body)
            && tag.attributes().next().is_some()
        {
            // They go to the element that is there already: what it matches is different from now on.
            self.lost = Some(Lost::Ambiguous);
            return None;
        }
        let begins_pre = self.pre_content.take() == Some(at);
        self.after_step(&(at..at), None, before.as_ref());
        let own = self.tree.step.own?;
        let void = self.tree.step.is_void;
        let text = self.tree.step.text;
        if matches!(tag.name.tag, Tag::Pre | Tag::Listing)
            && !after.starts_with(b"\n")
            && !after.starts_with(b"\r")
        {
            self.pre_content = Some(at.saturating_add(as_u64(tag.source.len())));
        }
        self.enter_own(tag, own, begins_pre, after, at);
        if void {
            self.tree.close_void();
        }
        self.text_kind = text;
        text
    }

    /// What the start tag did besides opening its element, written as tags; `None` where that can't be.
    fn lead(&self) -> Option<Vec<LeadTag>> {
        let step = &self.tree.step;
        if step.moved_something() {
            return None;
        }
        if step.resumed {
            return None;
        }
        let older = self.tree.closed.iter().filter(|node| node.id < step.first_id && !node.is(Tag::Head));
        let mut lead = fragment::end_tags(older)?;
        let opened = self.tree.stack.iter().rev().take_while(|node| node.id >= step.first_id);
        let mut implied: Vec<&Box<Node>> = opened.filter(|node| Some(node.id) != step.own).collect();
        implied.reverse();
        // The others imply html.
        for node in implied.into_iter().filter(|node| !node.is(Tag::Html)) {
            lead.push(fragment::start_tag(node)?);
        }
        Some(lead)
    }

    fn end_tag(&mut self, name: &Name, range: Range<u64>) {
        if self.text_kind.take().is_some() {
            let before = self.ends_matter().then(|| self.tree.clone());
            self.tree.end_of_text();
            for open in &mut self.open {
                open.shadows.iter_mut().for_each(|(_, shadow)| shadow.end_of_text());
            }
            self.after_step(&range, Some(name), before.as_ref());
            return;
        }
        if self.open.is_empty() {
            self.tree.end(name);
            self.after_step(&range, Some(name), None);
            return;
        }
        let closes = self.tree.stack.iter().rposition(|node| node.name == *name);
        let reaches = closes.is_some_and(|index| {
            self.open.iter().any(|open| {
                open.inserts_at_end && self.tree.stack.iter().skip(index).any(|node| node.id == open.node)
            })
        });
        let before = (reaches && self.ends_matter()).then(|| self.tree.clone());
        let own = closes.and_then(|index| self.tree.stack.get(index)).map(|node| node.id);
        self.tree.end(name);
        for open in &mut self.open {
            let ends = own == Some(open.node);
            for (_, shadow) in &mut open.shadows {
                shadow.end(name, ends, &self.tree);
            }
        }
        self.after_step(&range, Some(name), before.as_ref());
    }

    fn ends_matter(&self) -> bool {
        self.open.iter().any(|open| open.inserts_at_end)
    }

    /// Follows what a token did to the tree: elements that ended, elements that began without a tag.
    fn after_step(&mut self, range: &Range<u64>, end: Option<&Name>, before: Option<&Tree>) {
        if !self.tree.closed.is_empty() && !self.passes_ends() {
            self.follow_closed(range, end, before);
        }
        if self.tree.step.moved_something() {
            self.follow_moves();
        }
        self.enter_untagged(range.start);
    }

    /// Whether it does not matter what ends.
    const fn passes_ends(&self) -> bool {
        self.open.is_empty() && self.holds.is_empty() && self.landmarks.are_complete()
    }

    fn follow_closed(&mut self, range: &Range<u64>, end: Option<&Name>, before: Option<&Tree>) {
        let mut closed = std::mem::take(&mut self.tree.closed);
        if let Some(last) = closed.last_mut() {
            // A tag that means this element without being its own would mean something else if it were not there.
            let misses = end.is_some_and(|name| last.name != *name);
            last.strayed |= misses || (end.is_none() && self.tree.step.ignored);
        }
        self.landmarks.closed(&closed, range.start, &mut self.holds);
        if self.tree.step.adopted {
            self.holds.refuse_settling();
        }
        let last = closed.len().saturating_sub(1);
        for (index, node) in closed.iter().enumerate() {
            self.holds.settle(Hold::Settle { guard: node.id });
            let is_own = end.is_some_and(|name| index == last && node.name == *name);
            self.close(node, is_own, range, before);
        }
        self.tree.closed = closed;
    }

    /// Elements were moved, or go on in another place.
    #[cold]
    fn follow_moves(&mut self) {
        if self.tree.step.adopted {
            if self.program.is_positional || self.program.has_child {
                self.lost = Some(Lost::Ambiguous);
            }
            let first_id = self.tree.step.first_id;
            let mut cloned = Vec::new();
            for index in 1..self.tree.stack.len() {
                let (above, below) = self.tree.stack.split_at_mut(index);
                if let (Some(parent), Some(node)) = (above.last(), below.first_mut()) {
                    let matched = self.program.moved(&parent.marks, &mut node.marks);
                    if node.id >= first_id && node.origin == Origin::Clone && !node.in_template {
                        cloned.push(matched.targets);
                    }
                }
            }
            // Some are closed by the token that makes them.
            let parent = self.tree.stack.last().map(|node| node.marks.clone()).unwrap_or_default();
            for node in self.tree.closed.iter().filter(|node| node.id >= first_id) {
                if node.origin == Origin::Clone && !node.in_template {
                    cloned.push(self.program.moved(&parent, &mut node.marks.clone()).targets);
                }
            }
            for targets in cloned {
                let targets = self.wanted(targets);
                if !targets.is_empty() {
                    self.holds.push(Sighting::Untagged { targets, is_clone: true });
                }
            }
        }
        if self.tree.step.fostered && self.program.is_positional && self.tree.step.own.is_some() {
            self.holds.refuse_settling();
            self.lost = Some(Lost::Ambiguous);
        }
        if self.tree.step.reconstructed && self.program.is_positional {
            self.lost = Some(Lost::Ambiguous);
        }
    }

    #[cold]
    fn close(&mut self, node: &Node, is_own: bool, range: &Range<u64>, before: Option<&Tree>) {
        let Some(at) = self.open.iter().rposition(|open| open.node == node.id) else { return };
        let open = self.open.remove(at);
        let mut end = End {
            element: open.element,
            tag: if is_own { range.clone() } else { range.start..range.start },
            inner_lead: Vec::new(),
            outer_lead: Vec::new(),
            // What ends SVG or MathML without being its end tag may depend on what is in it.
            is_strayed: node.strayed || (!is_own && node.ns != Namespace::Html),
            misfits: Vec::new(),
            closers: Vec::new(),
        };
        if open.inserts_at_end && !node.strayed {
            let inside = before.and_then(|tree| {
                let mut tree = tree.clone();
                let lead = fragment::close_down_to(&mut tree, node.id)?;
                Some((tree, lead))
            });
            let (tree, lead) = inside.unzip();
            end.inner_lead = lead.unwrap_or_default();
            let behind = if is_own {
                Some(self.tree.clone())
            } else {
                tree.clone().and_then(|mut tree| {
                    end.outer_lead.clone_from(&end.inner_lead);
                    end.outer_lead.push(fragment::close(&mut tree)?);
                    Some(tree)
                })
            };
            self.fit(&open, Slot::End, tree.as_ref(), &mut end);
            self.fit(&open, Slot::After, behind.as_ref(), &mut end);
        }
        for (target, shadow) in &open.shadows {
            if !shadow.is_same() {
                end.misfits.push((*target, Misfit::Markup));
            }
        }
        self.holds.push(Sighting::End(end));
    }

    /// Whether what targets insert in a place at the end of an element fits there.
    fn fit(&self, open: &Open, slot: Slot, tree: Option<&Tree>, end: &mut End) {
        for &target in &open.targets {
            for (_, markup) in self.inserts(target).filter(|(known, _)| *known == slot) {
                let fits = match &open.text {
                    Some((kind, name)) if slot == Slot::End => {
                        fragment::is_content_of(name, *kind, markup).then(Vec::new)
                    }
                    _ => tree.and_then(|tree| fragment::closers(tree, markup)),
                };
                match fits {
                    Some(closers) if closers.is_empty() => {}
                    Some(closers) => end.closers.push((target, slot, closers)),
                    None => end.misfits.push((target, Misfit::Markup)),
                }
            }
        }
    }

    fn inserts(&self, target: usize) -> impl Iterator<Item = (Slot, &Arc<[u8]>)> {
        self.targets
            .get(target)
            .into_iter()
            .flat_map(|wanted| wanted.target.inserts.iter().map(|(slot, markup)| (*slot, markup)))
    }

    /// Elements that the last token opened without being their tag.
    fn enter_untagged(&mut self, at: u64) {
        let first = self.tree.step.first_id;
        let own = self.tree.step.own;
        if self.tree.next_id().saturating_sub(first) > u32::from(own.is_some()) {
            self.enter_all_untagged(first, own);
        }
        self.landmarks.entered(&self.tree, at, &mut self.holds);
        if self.tree.step.is_void && own.is_none() {
            self.tree.close_void();
        }
    }

    #[cold]
    fn enter_all_untagged(&mut self, first: u32, own: Option<u32>) {
        // Some are closed by the token that implies them.
        let closed = self.tree.closed.iter().filter(|node| node.origin == Origin::Implied);
        let open = self.tree.stack.iter().filter(|node| Some(node.id) != own);
        let mut opened: Vec<u32> = closed.chain(open).map(|node| node.id).filter(|id| *id >= first).collect();
        opened.sort_unstable();
        for id in opened {
            self.enter_implied(id);
        }
    }

    fn enter_implied(&mut self, id: u32) {
        let closed = self.tree.closed.iter().find(|node| node.id == id);
        let index = self.tree.stack.iter().rposition(|node| node.id == id);
        let Some(node) = closed.or_else(|| self.tree.stack.get(index?)) else { return };
        let (origin, in_template) = (node.origin, node.in_template);
        let (name, ns, parent) = (node.name.clone(), node.ns, node.parent);
        let mut marks = Marks::from(node.marks.local().clone());
        let is_root = index == Some(0);
        let parent = if is_root { None } else { self.tree.stack.get_mut(parent).map(|node| &mut node.marks) };
        let matched = if origin == Origin::Clone {
            if self.tree.step.adopted {
                return;
            }
            self.program.enter_clone(parent, &mut marks)
        } else {
            let source = [b"<", name.bytes(), b">"].concat();
            let name_end = source.len().saturating_sub(1);
            let tag = tree::StartTag { name: &name, source: &source, name_end, self_closing: false };
            let (quirks, attributes) = (self.tree.quirks, &mut self.attributes);
            let mut candidate = Candidate::new(tag, ns, quirks, self.encoding, is_root, attributes);
            self.program.enter(&mut candidate, parent, &mut marks)
        };
        // A head that its end tag implied has children yet.
        let node = match index {
            Some(index) => self.tree.stack.get_mut(index),
            None => self.tree.closed_head(id),
        };
        if let Some(node) = node {
            node.marks = marks;
        }
        let targets = if in_template { Vec::new() } else { self.wanted(matched.targets) };
        if !targets.is_empty() {
            self.holds.push(Sighting::Untagged { targets, is_clone: origin == Origin::Clone });
        }
    }

    /// Those of the targets that still look for an element; each has found one now.
    fn wanted(&mut self, targets: Vec<usize>) -> Vec<usize> {
        let mut wanted = Vec::new();
        for index in targets {
            let Some(target) = self.targets.get_mut(index) else { continue };
            if target.found && !target.all() {
                continue;
            }
            if target.skip > 0 {
                target.skip = target.skip.saturating_sub(1);
                continue;
            }
            target.found = true;
            wanted.push(index);
            if !target.all() {
                self.looking = self.looking.saturating_sub(1);
                self.program.finish(index);
            }
        }
        wanted
    }

    fn enter_own(&mut self, tag: &tree::StartTag<'_>, own: u32, begins_pre: bool, after: &[u8], at: u64) {
        let (quirks, is_root) = (self.tree.quirks, self.tree.stack.len() == 1);
        let Some((node, above)) = self.tree.stack.split_last_mut().filter(|(node, _)| node.id == own) else {
            return;
        };
        let parent = above.get_mut(node.parent).map(|node| &mut node.marks);
        let Node { name, ns, in_template, marks, .. } = &mut **node;
        let candidate = tree::StartTag { name, ..*tag };
        let mut candidate =
            Candidate::new(candidate, *ns, quirks, self.encoding, is_root, &mut self.attributes);
        let matched = self.program.enter(&mut candidate, parent, marks);
        let is_looked_for = !matched.targets.is_empty() && !*in_template;
        if tag.name.tag.is_formatting() && *ns == Namespace::Html && !marks.local().is_empty() {
            let matches = marks.local().clone();
            self.tree.remember_matches(own, matches);
        }
        if is_looked_for {
            self.sight(tag, own, matched, begins_pre, after, at);
        }
    }

    /// The start tag of an element that targets match.
    #[cold]
    fn sight(
        &mut self,
        tag: &tree::StartTag<'_>,
        own: u32,
        Matched { targets, by_context }: Matched,
        begins_pre: bool,
        after: &[u8],
        at: u64,
    ) {
        let index = self.tree.stack.len().saturating_sub(1);
        let Some(node) = self.tree.stack.get(index) else { return };
        let (name, ns) = (node.name.clone(), node.ns);
        let tag = tree::StartTag { name: &name, ..*tag };
        let can_have_content = !self.tree.step.is_void;
        let targets = self.wanted(targets);
        if targets.is_empty() {
            return;
        }
        if self.elements >= self.bounds.max_elements {
            self.passed_over = true;
            return;
        }
        let mut lead = self.lead();
        if let Some(lead) = lead.as_mut().filter(|_| begins_pre) {
            // What comes to stand behind the `pre` may begin with a line feed, which it would lose.
            lead.push(LeadTag { ends: None, tag: b"\n".to_vec() });
        }
        let element = ElementId(self.elements);
        self.elements = self.elements.saturating_add(1);
        if let Some(node) = self.tree.stack.get_mut(index) {
            node.sighted = Some(element.0);
        }

        let end = at.saturating_add(as_u64(tag.source.len()));
        let html = ns == Namespace::Html;
        let line = match after {
            _ if !html || !matches!(name.tag, Tag::Pre | Tag::Listing | Tag::Textarea) => 0,
            [b'\r', b'\n', ..] => 2,
            [b'\r' | b'\n', ..] => 1,
            _ => 0,
        };
        let guard = self.guard(index);
        let places =
            targets.iter().map(|target| self.target_at(*target, &name, html, lead.is_some())).collect();
        let start_tag = StartTag {
            element,
            tag: at..end,
            content_start: end.saturating_add(line),
            name: String::from_utf8_lossy(name.bytes()).into_owned(),
            html,
            can_have_content,
            is_fragile: html && name.tag.is_formatting(),
            is_unsteady: (html && name.tag == Tag::Table) || guard.is_some(),
            lead: lead.unwrap_or_default(),
            attributes: self.attributes(&targets, &tag, at),
            targets: places,
        };
        if can_have_content {
            self.open(&start_tag, own, &targets);
        }
        // What is open around it may turn out to be elsewhere in the tree.
        let moves = html && name.tag == Tag::Table && self.program.is_positional;
        if let Some(guard) = guard.or_else(|| moves.then_some(own)).filter(|_| by_context) {
            self.holds.hold(Hold::Settle { guard }, at);
        }
        self.holds.push(Sighting::Start(start_tag));
    }

    /// The outermost formatting element that, if it is not closed well, moves the element at this index or what it stands
    /// in: one that has a block between them.
    fn guard(&self, index: usize) -> Option<u32> {
        let mut formatting = None;
        let mut guard = None;
        for (at, node) in self.tree.stack.iter().enumerate().take(index.saturating_add(1)) {
            if node.is_formatting() && at < index {
                formatting = formatting.or(Some(node.id));
            } else if node.is_special() {
                guard = formatting;
                if guard.is_some() {
                    break;
                }
            }
            // Formatting does not reach out of a cell, a caption and the like.
            if node.ends_formatting() {
                formatting = None;
            }
        }
        guard
    }

    fn target_at(&self, target: usize, name: &Name, html: bool, has_lead: bool) -> TargetAt {
        let mut found = TargetAt { target, misfit: None, closers: Vec::new() };
        let Some(wanted) = self.targets.get(target) else { return found };
        let is_frame = html && matches!(name.tag, Tag::Html | Tag::Head | Tag::Body);
        let displaces = wanted.target.displaces;
        let around = |slot: Slot| matches!(slot, Slot::Before | Slot::After | Slot::Instead);
        if is_frame
            && (displaces
                || wanted
                    .target
                    .inserts
                    .iter()
                    .any(|(slot, _)| around(*slot) || *slot == Slot::Content || name.tag == Tag::Html))
        {
            found.misfit = Some(Misfit::Frame);
            return found;
        }
        if self.tree.step.fostered && wanted.target.inserts.iter().any(|(slot, _)| around(*slot)) {
            found.misfit = Some(Misfit::Misnested);
            return found;
        }
        let renamed = match &wanted.target.keeps_content {
            Some(NewTags::Named(new)) => {
                let renamed = fragment::renamed(&self.tree, new);
                if renamed.is_none() {
                    found.misfit = Some(Misfit::Markup);
                    return found;
                }
                renamed
            }
            _ => None,
        };
        let inserts_before = wanted.target.inserts.iter().any(|(slot, _)| *slot == Slot::Before);
        if (displaces || inserts_before) && !has_lead {
            found.misfit = Some(Misfit::Misnested);
            return found;
        }
        for (slot, markup) in &wanted.target.inserts {
            let closers = match slot {
                Slot::Before | Slot::Instead => fragment::closers(&self.tree.without_own(), markup),
                Slot::Start | Slot::Content => match self.tree.step.text {
                    Some(kind) => fragment::is_content_of(name, kind, markup).then(Vec::new),
                    None if self.tree.step.is_void => Some(Vec::new()),
                    None => fragment::closers(renamed.as_ref().unwrap_or(&self.tree), markup),
                },
                Slot::After if self.tree.step.is_void => fragment::closers(&self.tree.without_own(), markup),
                // At its end it is looked at again.
                Slot::End => match &renamed {
                    Some(renamed) => fragment::closers(renamed, markup).map(|_| Vec::new()),
                    None => Some(Vec::new()),
                },
                Slot::After => Some(Vec::new()),
            };
            match closers {
                Some(closers) if closers.is_empty() => {}
                Some(closers) => found.closers.push((*slot, closers)),
                None => found.misfit = Some(Misfit::Markup),
            }
        }
        found
    }

    fn attributes(&self, targets: &[usize], tag: &tree::StartTag<'_>, at: u64) -> Vec<AttributePlace> {
        let asked: Vec<&String> = targets
            .iter()
            .filter_map(|target| self.targets.get(*target)?.target.attributes.as_ref())
            .flatten()
            .collect();
        if asked.is_empty() {
            return Vec::new();
        }
        let place = |range: Range<usize>| {
            at.saturating_add(as_u64(range.start))..at.saturating_add(as_u64(range.end))
        };
        tag.attributes()
            .filter_map(|it| {
                let name = String::from_utf8_lossy(tag.source.get(it.name.clone())?).to_ascii_lowercase();
                asked.contains(&&name).then(|| AttributePlace {
                    name,
                    name_at: place(it.name),
                    value_at: it.value.map(place),
                })
            })
            .collect()
    }

    fn open(&mut self, start_tag: &StartTag, node: u32, targets: &[usize]) {
        let live = || start_tag.targets.iter().filter(|at| at.misfit.is_none()).map(|at| at.target);
        let wanted = || live().filter_map(|target| self.targets.get(target));
        let needs_end =
            wanted().any(|wanted| wanted.target.needs_end) || start_tag.is_fragile || start_tag.is_unsteady;
        let needs_text = wanted().any(|wanted| wanted.target.needs_text);
        if !needs_end && !needs_text {
            return;
        }
        let inserts_at_end = wanted().any(|wanted| {
            wanted.target.inserts.iter().any(|(slot, _)| matches!(slot, Slot::End | Slot::After))
        });
        // In an element that goes or has another name already, the shadows would have to know of each other.
        let is_shadowed = self.open.iter().any(|open| !open.shadows.is_empty());
        let shadows = live()
            .filter_map(|target| {
                let tags = self.targets.get(target)?.target.keeps_content.as_ref()?;
                let mut shadow = Shadow::new(&self.tree, tags);
                if is_shadowed && !is_independent(&self.tree, tags) {
                    shadow.refuse();
                }
                Some((target, shadow))
            })
            .collect();
        let open = Open {
            element: start_tag.element,
            node,
            needs_text,
            inserts_at_end,
            ends_by_start_tags: self.tree.stack.iter().any(|node| node.may_end_by_start_tag()),
            targets: targets.to_vec(),
            text: self.tree.step.text.zip(self.tree.stack.last().map(|node| node.name.clone())),
            shadows,
        };
        self.open.push(open);
    }

    /// The page has ended, at this offset; `whole` says that it does not end inside a comment or the like.
    pub(super) fn end(&mut self, at: u64, whole: bool) {
        self.end_text_node();
        let in_text = self.text_kind.is_some() || !whole;
        let had_body = self.tree.has_body();
        self.tree.end_of_page(self.text_kind.is_some());
        self.after_step(&(at..at), None, None);
        let body_lead = self.landmarks.body_lead(&self.tree).filter(|_| !in_text);
        let ended = self.landmarks.body_end(at);
        let before = self.ends_matter().then(|| self.tree.in_body_again());
        self.holds.settle_all();
        let stack = std::mem::take(&mut self.tree.stack);
        for node in stack.iter().rev() {
            let optional =
                node.is(Tag::Body) || node.is(Tag::Head) || node.name.tag.has_thoroughly_implied_end();
            if optional && node.ns == Namespace::Html && !in_text {
                for open in self.open.iter_mut().filter(|open| open.node == node.id) {
                    open.shadows.iter_mut().for_each(|(_, shadow)| shadow.end_with_page());
                }
                self.close(node, false, &(ended..ended), before.as_ref());
            } else if let Some(open) = self.open.iter().position(|open| open.node == node.id) {
                let open = self.open.remove(open);
                self.holds.push(Sighting::Unclosed(open.element));
            }
        }
        self.tree.stack = stack;
        self.landmarks.end(had_body, at, body_lead, &mut self.holds);
    }
}

/// Whether the element that was opened last may lose or change its tags whatever others do: nothing ends for it that
/// would not end without it, or it only keeps the ends of items from what stands around it.
fn is_independent(tree: &Tree, tags: &NewTags) -> bool {
    let ordinary = |tag: Tag| !tag.is_special() && !tag.is_formatting() && !tag.has_implied_end();
    let Some(node) = tree.stack.last().filter(|node| node.ns == Namespace::Html) else { return false };
    let old = node.name.tag;
    match tags {
        NewTags::Gone => ordinary(old),
        NewTags::Named(name) => {
            let new = Name::new(name.as_bytes()).tag;
            (ordinary(old) && ordinary(new)) || (old.is_block() && new.is_block())
        }
    }
}
