//! Several patches on one element, folded into one outcome.
//!
//! The order is that of the configuration, and within a patch that of its operations; each step sees what the ones
//! before it left, as the methods of the DOM would:
//!
//! - `before` and `append` go behind what was inserted there already, `prepend` and `after` go in front of it;
//! - the last `text` or `html` counts, and takes away what was prepended and appended before it;
//! - the first `replace` or `remove` takes the element with all that other patches do to it, but for what they insert
//!   `before` and `after` it;
//! - what stands inside an element whose content is replaced is gone, whichever patch comes first.
//!
//! A [probe](ElementPatch::probe) loses what it would lose, and takes nothing away.

use std::collections::BTreeSet;
use std::ops::Range;

use super::locate::{ElementId, End, LeadTag, Slot, StartTag};
use super::operation::{Content, ElementPatch, Operation};
use super::splice::{Edit, Inner, Owner, Window};
use super::start_tag::{TagChanges, tag_name};
use super::tag_rewrite::AttributeChange;

/// Changes of a start tag, and the new values ready to go in.
pub(super) type Changes = Vec<(AttributeChange, Vec<u8>)>;

/// A patch at an element: which, and what only the element could tell.
#[derive(Debug, Default)]
pub(super) struct AtElement {
    /// Index of the patch.
    pub(super) patch: usize,
    /// What its rewrites make of the start tag.
    pub(super) changes: Changes,
    /// End tags that its markup lacks.
    pub(super) closers: Vec<(Slot, Vec<u8>)>,
}

/// See the [module](self).
#[derive(Debug, Default)]
pub(super) struct Fold {
    tag: TagChanges,
    before: Vec<u8>,
    prepend: Vec<u8>,
    append: Vec<u8>,
    after: Vec<u8>,
    content: Option<Vec<u8>>,
    element: Fate,
    /// The patches that have an effect, and the probes that would.
    pub(super) effective: Vec<usize>,
    /// The patches whose effect another one takes away; they are left out altogether.
    pub(super) covered: Vec<usize>,
}

/// What becomes of the element itself.
#[derive(Debug, Default, PartialEq, Eq)]
enum Fate {
    #[default]
    Stays,
    Unwrapped,
    Replaced(Vec<u8>),
}

impl Fold {
    /// Folds these patches, given in the order of their indexes.
    pub(super) fn new<'a>(
        patches: &'a [ElementPatch],
        at_element: impl IntoIterator<Item = &'a AtElement> + Clone,
    ) -> Self {
        let on_element =
            || at_element.clone().into_iter().filter_map(|at| Some((at, patches.get(at.patch)?)));
        let edits = || on_element().filter(|(_, patch)| !patch.is_probe);
        let replaced_by =
            edits().find(|(_, patch)| patch.operations.iter().any(replaces)).map(|(at, _)| at.patch);
        let content_by = edits()
            .filter(|(_, patch)| patch.operations.iter().any(sets_content))
            .map(|(at, _)| at.patch)
            .max();

        let mut fold = Self::default();
        for (at, patch) in on_element() {
            let index = at.patch;
            let loses = |op: &Operation| match replaced_by {
                // What takes the element is not itself taken away by new content for it.
                Some(by) => by != index && !matches!(op, Operation::Before(_) | Operation::After(_)),
                None => content_by.is_some_and(|by| by > index && (sets_content(op) || adds_content(op))),
            };
            if patch.operations.iter().any(loses) {
                fold.covered.push(index);
                continue;
            }
            fold.effective.push(index);
            if !patch.is_probe {
                patch.operations.iter().for_each(|operation| fold.apply(operation, at));
            }
        }
        fold
    }

    fn apply(&mut self, operation: &Operation, at: &AtElement) {
        let closed = |Content { bytes, .. }: &Content, slot: Slot| {
            let closers = at.closers.iter().find(|(known, _)| *known == slot);
            [bytes.as_slice(), closers.map_or(&[][..], |(_, closers)| closers)].concat()
        };
        match operation {
            Operation::Rename(name) => self.tag.rename(name),
            Operation::SetAttribute { name, value, .. } => self.tag.set(name, value),
            Operation::RemoveAttribute(name) => self.tag.remove(name),
            Operation::AddClass(class) => self.tag.add_class(class),
            Operation::RemoveClass(class) => self.tag.remove_class(class),
            Operation::SetContent(content) => self.content = Some(closed(content, Slot::Content)),
            Operation::Before(content) => self.before.extend(closed(content, Slot::Before)),
            Operation::After(content) => push_front(&mut self.after, &closed(content, Slot::After)),
            Operation::Prepend(content) => push_front(&mut self.prepend, &closed(content, Slot::Start)),
            Operation::Append(content) => self.append.extend(closed(content, Slot::End)),
            Operation::Replace(content) => self.element = Fate::Replaced(closed(content, Slot::Instead)),
            Operation::Unwrap => self.element = Fate::Unwrapped,
            Operation::RewriteTag(_) => {
                for (change, value) in &at.changes {
                    match change {
                        AttributeChange::Set(name, _) => self.tag.set(name, value),
                        AttributeChange::Remove(name) => self.tag.remove(name),
                    }
                }
            }
            Operation::EditText(_) => {}
        }
    }

    /// What goes in front of the element, with the tags that stand for what its start tag did besides.
    fn front(&self, start_tag: &StartTag, ended: &Ended) -> Vec<u8> {
        let displaced = self.element != Fate::Stays || self.tag.new_name().is_some();
        if !displaced && self.before.is_empty() {
            return Vec::new();
        }
        let renamed = self.tag.new_name().map(|name| [b"<", name.as_bytes()].concat());
        let first = match (&self.element, &renamed) {
            (Fate::Replaced(with), _) if self.before.is_empty() => with,
            (Fate::Stays, Some(tag)) if self.before.is_empty() => tag,
            _ => &self.before,
        };
        // Text, say, opens the body by itself, and fragments of pages are better off without the tag.
        let mut front = match start_tag.lead.as_slice() {
            [tag] if tag.tag == b"<body>" && opens_body(first) => Vec::new(),
            lead => ended.write(lead),
        };
        front.extend_from_slice(&self.before);
        front
    }

    /// The edits at the start tag of an element that keeps its tags and its content.
    pub(super) fn at_start(&self, start_tag: &StartTag, source: Window<'_>, ended: &Ended) -> Vec<Edit> {
        let owner = start_tag.element.0;
        // The first one is always there: by it the splicer can tell that the element is covered.
        let mut edits = vec![Edit::insert(start_tag.tag.start, self.front(start_tag, ended), owner)];
        edits.extend(self.tag.edits(start_tag, source, owner));
        let prepend = after_start_tag(start_tag, self.prepend.clone());
        edits.push(Edit::insert(start_tag.content_start, prepend, owner));
        edits
    }

    /// The edits at the end of an element that keeps its tags and its content.
    pub(super) fn at_end(self, owner: Owner, end: &End, ended: &mut Ended) -> [Edit; 2] {
        let (append, after) = self.tail(end, ended);
        [Edit::insert(end.tag.start, append, owner), Edit::insert(end.tag.end, after, owner)]
    }

    /// What goes in at the end of the content and behind the element, with the end tags that must come before it.
    fn tail(&self, end: &End, ended: &mut Ended) -> (Vec<u8>, Vec<u8>) {
        let mut append = Vec::new();
        let is_new = self.content.is_some() || matches!(self.element, Fate::Replaced(_));
        if is_new {
            ended.inside(end.element);
        }
        if !self.append.is_empty() {
            // New content has nothing open at its end.
            append = if is_new { Vec::new() } else { ended.write(&end.inner_lead) };
            ended.inside(end.element);
            append.extend_from_slice(&self.append);
        }
        let mut after = Vec::new();
        if self.element == Fate::Stays && self.tag.new_name().is_none() {
            if !self.after.is_empty() {
                after = ended.write(&end.outer_lead);
                ended.all(end.element);
            }
        } else {
            if self.element == Fate::Unwrapped && !self.after.is_empty() {
                after = ended.write(&end.inner_lead);
                ended.inside(end.element);
            }
            if self.tag.new_name().is_some() {
                ended.inside(end.element);
            }
            ended.itself(end.element);
        }
        after.extend_from_slice(&self.after);
        (append, after)
    }

    /// The edits for an element that has no content: there is only its start tag.
    pub(super) fn void(self, start_tag: &StartTag, source: Window<'_>, ended: &Ended) -> Vec<Edit> {
        let (tag, owner) = (start_tag.tag.clone(), start_tag.element.0);
        let mut edits = vec![Edit::insert(tag.start, self.front(start_tag, ended), owner)];
        match self.element {
            Fate::Stays => edits.extend(self.tag.edits(start_tag, source, owner)),
            Fate::Unwrapped => edits.push(Edit::new(tag.clone(), [], owner)),
            Fate::Replaced(with) => edits.push(Edit::new(tag.clone(), with, owner)),
        }
        edits.push(Edit::insert(tag.end, self.after, owner));
        edits
    }

    /// What settles an element that was held back: the edits from its start on, what becomes of the edits inside it, and
    /// the edits from its end on.
    pub(super) fn whole(
        self,
        start_tag: &StartTag,
        end: &End,
        source: Window<'_>,
        ended: &mut Ended,
    ) -> (Vec<Edit>, Inner, Vec<Edit>) {
        let owner = start_tag.element.0;
        let start = start_tag.tag.clone();
        let end_tag = end.tag.clone();
        let content_start = start_tag.content_start.min(end_tag.start);
        let edit = |range: Range<u64>, with| Edit::new(range, with, owner);
        let front = self.front(start_tag, ended);
        let mut lead = vec![Edit::insert(start.start, front, owner)];
        let mut trail = Vec::new();
        let (append, after) = self.tail(end, ended);
        let after = Edit::insert(end_tag.end, after, owner);

        if let Fate::Replaced(with) = self.element {
            lead.push(edit(start.start..end_tag.end, with));
            return (lead, Inner::Drop, vec![after]);
        }
        let new_name = self.tag.new_name();
        if self.element == Fate::Unwrapped {
            lead.push(edit(start.start..content_start, Vec::new()));
        } else {
            lead.extend(self.tag.edits(start_tag, source, owner));
            if new_name.is_some_and(|name| !takes_line(name)) {
                lead.push(edit(start.end..content_start, Vec::new()));
            }
        }
        let is_pre = new_name.map_or_else(|| start_tag.html && takes_line(&start_tag.name), takes_line);
        let was_pre = content_start > start.end && new_name.is_none();
        let line = |text: Vec<u8>| if is_pre && !was_pre { with_line(text) } else { text };
        let mut prepend = if self.element == Fate::Unwrapped { self.prepend } else { line(self.prepend) };
        // Where a new name takes a line feed away, the content must not lose its own.
        if new_name.is_some_and(takes_line) && self.content.is_none() && prepend.is_empty() {
            prepend = b"\n".to_vec();
        }
        let has_prepend = !prepend.is_empty();
        lead.push(Edit::insert(content_start, prepend, owner));
        let inner = match self.content {
            Some(content) => {
                let content = if has_prepend { content } else { line(content) };
                lead.push(edit(content_start..end_tag.start, content));
                Inner::Drop
            }
            None => Inner::Keep,
        };
        trail.push(Edit::insert(end_tag.start, append, owner));
        match (&self.element, new_name) {
            (Fate::Unwrapped, _) => trail.push(edit(end_tag, Vec::new())),
            (_, Some(name)) if end_tag.is_empty() => {
                trail.push(edit(end_tag, [b"</", name.as_bytes(), b">"].concat()));
            }
            (_, Some(name)) => {
                let name_start = end_tag.start.saturating_add(2);
                trail.push(edit(tag_name(name_start, end_tag.end, source), name.as_bytes().to_vec()));
            }
            _ => {}
        }
        trail.push(after);
        (lead, inner, trail)
    }
}

/// Elements that are gone from the output, or ended in it, though the source goes on without saying so: an end tag for
/// them would be one too many.
#[derive(Debug, Default)]
pub(super) struct Ended {
    itself: BTreeSet<ElementId>,
    inside: BTreeSet<ElementId>,
}

impl Ended {
    fn itself(&mut self, element: ElementId) {
        self.itself.insert(element);
    }

    fn inside(&mut self, element: ElementId) {
        self.inside.insert(element);
    }

    fn all(&mut self, element: ElementId) {
        self.itself(element);
        self.inside(element);
    }

    /// The tags that are needed.
    pub(super) fn write(&self, lead: &[LeadTag]) -> Vec<u8> {
        let is_over = |element: &ElementId| self.inside.contains(element);
        let inner = lead.iter().rposition(|tag| tag.ends.as_ref().is_some_and(is_over)).unwrap_or_default();
        lead.iter()
            .skip(inner)
            .filter(|tag| !tag.ends.is_some_and(|element| self.itself.contains(&element)))
            .flat_map(|tag| tag.tag.iter().copied())
            .collect()
    }
}

/// Whether markup begins with something that can only stand in the body (WHATWG HTML § 13.2.6.4.6, anything else).
fn opens_body(markup: &[u8]) -> bool {
    const IN_HEAD: &[&[u8]] = &[
        b"html",
        b"head",
        b"body",
        b"frameset",
        b"title",
        b"meta",
        b"link",
        b"base",
        b"basefont",
        b"bgsound",
        b"script",
        b"style",
        b"noscript",
        b"noframes",
        b"template",
    ];
    match markup {
        [b'<', letter, ..] if letter.is_ascii_alphabetic() => {
            let name = markup.iter().skip(1).take_while(|byte| byte.is_ascii_alphanumeric());
            let name: Vec<u8> = name.map(u8::to_ascii_lowercase).collect();
            !IN_HEAD.contains(&name.as_slice())
        }
        [b'<' | 0, ..] | [] => false,
        [first, ..] => !first.is_ascii_whitespace(),
    }
}

/// Elements whose first line feed is not content (WHATWG HTML § 13.2.6.4.7).
fn takes_line(name: &str) -> bool {
    matches!(name, "pre" | "listing" | "textarea")
}

/// Content right behind a start tag: where that takes a line feed away, its own must not be it.
fn after_start_tag(start_tag: &StartTag, content: Vec<u8>) -> Vec<u8> {
    let takes = start_tag.html && takes_line(&start_tag.name) && start_tag.content_start == start_tag.tag.end;
    if takes { with_line(content) } else { content }
}

fn with_line(content: Vec<u8>) -> Vec<u8> {
    if content.starts_with(b"\n") || content.starts_with(b"\r") {
        [b"\n", content.as_slice()].concat()
    } else {
        content
    }
}

const fn replaces(operation: &Operation) -> bool {
    matches!(operation, Operation::Replace(_))
}

const fn sets_content(operation: &Operation) -> bool {
    matches!(operation, Operation::SetContent(_))
}

const fn adds_content(operation: &Operation) -> bool {
    matches!(operation, Operation::Prepend(_) | Operation::Append(_))
}

fn push_front(bytes: &mut Vec<u8>, front: &[u8]) {
    bytes.splice(0..0, front.iter().copied());
}
