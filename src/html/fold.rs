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

use std::ops::Range;

use super::locate::StartTag;
use super::operation::{Content, ElementPatch, Operation};
use super::splice::{Edit, Inner, Owner, Window};
use super::start_tag::{TagChanges, tag_name};

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
    /// The patches that have an effect.
    pub(super) effective: Vec<usize>,
    /// The patches whose effect another one takes away; they are left out altogether.
    pub(super) covered: Vec<usize>,
}

/// What becomes of the element itself.
#[derive(Debug, Default)]
enum Fate {
    #[default]
    Stays,
    Unwrapped,
    Replaced(Vec<u8>),
}

impl Fold {
    /// Folds the patches with these indexes, given in ascending order.
    pub(super) fn new(patches: &[ElementPatch], indexes: &[usize]) -> Self {
        let on_element = || indexes.iter().filter_map(|index| Some((*index, patches.get(*index)?)));
        let replaced_by =
            on_element().find(|(_, patch)| patch.operations.iter().any(replaces)).map(|(i, _)| i);
        let content_by =
            on_element().filter(|(_, patch)| patch.operations.iter().any(sets_content)).map(|(i, _)| i).max();

        let mut fold = Self::default();
        for (index, patch) in on_element() {
            let loses = |op: &Operation| {
                replaced_by.is_some_and(|by| {
                    by != index && !matches!(op, Operation::Before(_) | Operation::After(_))
                }) || content_by.is_some_and(|by| by > index && (sets_content(op) || adds_content(op)))
            };
            if patch.operations.iter().any(loses) {
                fold.covered.push(index);
                continue;
            }
            fold.effective.push(index);
            for operation in &patch.operations {
                fold.apply(operation);
            }
        }
        fold
    }

    fn apply(&mut self, operation: &Operation) {
        match operation {
            Operation::Rename(name) => self.tag.rename(name),
            Operation::SetAttribute { name, value, .. } => self.tag.set(name, value),
            Operation::RemoveAttribute(name) => self.tag.remove(name),
            Operation::AddClass(class) => self.tag.add_class(class),
            Operation::RemoveClass(class) => self.tag.remove_class(class),
            Operation::SetContent(Content { bytes, .. }) => self.content = Some(bytes.clone()),
            Operation::Before(Content { bytes, .. }) => self.before.extend_from_slice(bytes),
            Operation::After(Content { bytes, .. }) => push_front(&mut self.after, bytes),
            Operation::Prepend(Content { bytes, .. }) => push_front(&mut self.prepend, bytes),
            Operation::Append(Content { bytes, .. }) => self.append.extend_from_slice(bytes),
            Operation::Replace(Content { bytes, .. }) => self.element = Fate::Replaced(bytes.clone()),
            Operation::Unwrap => self.element = Fate::Unwrapped,
        }
    }

    /// The edits at the start tag of an element that keeps its tags and its content.
    pub(super) fn at_start(&self, start_tag: &StartTag, source: Window<'_>) -> Vec<Edit> {
        let owner = start_tag.element.0;
        // The first one is always there: by it the splicer can tell that the element is covered.
        let mut edits = vec![Edit::insert(start_tag.tag.start, self.before.clone(), owner)];
        edits.extend(self.tag.edits(start_tag, source, owner));
        edits.push(Edit::insert(start_tag.tag.end, self.prepend.clone(), owner));
        edits
    }

    /// The edits at the end tag of an element that keeps its tags and its content.
    pub(super) fn at_end(self, owner: Owner, end_tag: Range<u64>) -> [Edit; 2] {
        [Edit::insert(end_tag.start, self.append, owner), Edit::insert(end_tag.end, self.after, owner)]
    }

    /// The edits for an element that has no content: there is only its start tag.
    pub(super) fn void(self, start_tag: &StartTag, source: Window<'_>) -> Vec<Edit> {
        let (tag, owner) = (start_tag.tag.clone(), start_tag.element.0);
        let mut edits = vec![Edit::insert(tag.start, self.before, owner)];
        match self.element {
            Fate::Stays => edits.extend(self.tag.edits(start_tag, source, owner)),
            Fate::Unwrapped => edits.push(Edit::new(tag.clone(), [], owner)),
            Fate::Replaced(with) => edits.push(Edit::new(tag.clone(), with, owner)),
        }
        edits.push(Edit::insert(tag.end, self.after, owner));
        edits
    }

    /// What settles an element that was held back: the edits from its start on, what becomes of the edits inside it, and
    /// the edits from its end tag on.
    pub(super) fn whole(
        self,
        start_tag: &StartTag,
        end_tag: Range<u64>,
        source: Window<'_>,
    ) -> (Vec<Edit>, Inner, Vec<Edit>) {
        let owner = start_tag.element.0;
        let start = start_tag.tag.clone();
        let edit = |range, with| Edit::new(range, with, owner);
        let mut lead = vec![Edit::insert(start.start, self.before, owner)];
        let mut trail = Vec::new();
        let after = Edit::insert(end_tag.end, self.after, owner);

        if let Fate::Replaced(with) = self.element {
            lead.push(edit(start.start..end_tag.end, with));
            return (lead, Inner::Drop, vec![after]);
        }
        if matches!(self.element, Fate::Unwrapped) {
            lead.push(edit(start.clone(), Vec::new()));
        } else {
            lead.extend(self.tag.edits(start_tag, source, owner));
        }
        lead.push(Edit::insert(start.end, self.prepend, owner));
        let inner = match self.content {
            Some(content) => {
                lead.push(edit(start.end..end_tag.start, content));
                Inner::Drop
            }
            None => Inner::Keep,
        };
        trail.push(Edit::insert(end_tag.start, self.append, owner));
        match (self.element, self.tag.new_name()) {
            (Fate::Unwrapped, _) => trail.push(edit(end_tag, Vec::new())),
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
