//! Edits inside a start tag: attributes, classes, the name. The bytes of everything else stay.

use std::collections::BTreeMap;
use std::ops::Range;

use super::locate::{AttributePlace, StartTag};
use super::splice::{Edit, Owner, Window};
use engraft_locate::offset::as_u64;

/// What is to become of a start tag. Changes are given in order; each sees the one before it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct TagChanges {
    name: Option<String>,
    /// Sorted: a configuration that came as a `Struct` has no order of its own.
    attributes: BTreeMap<String, Change>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Change {
    Set(Vec<u8>),
    Remove,
    Classes(Vec<ClassChange>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum ClassChange {
    Add(Vec<u8>),
    Remove(Vec<u8>),
}

impl TagChanges {
    /// Another tag name.
    pub(super) fn rename(&mut self, name: &str) {
        self.name = Some(name.to_owned());
    }

    /// The new tag name, if there is one.
    #[must_use]
    pub(super) fn new_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Sets an attribute to an escaped value.
    pub(super) fn set(&mut self, name: &str, value: &[u8]) {
        *self.change(name) = Change::Set(value.to_vec());
    }

    /// Removes an attribute.
    pub(super) fn remove(&mut self, name: &str) {
        *self.change(name) = Change::Remove;
    }

    /// Adds a class, unless it is there.
    pub(super) fn add_class(&mut self, class: &[u8]) {
        self.class(ClassChange::Add(class.to_vec()));
    }

    /// Removes a class.
    pub(super) fn remove_class(&mut self, class: &[u8]) {
        self.class(ClassChange::Remove(class.to_vec()));
    }

    fn class(&mut self, class: ClassChange) {
        match self.change("class") {
            Change::Classes(changes) => changes.push(class),
            Change::Set(value) => *value = with_classes(value, &[class]),
            removed @ Change::Remove => {
                let classes = with_classes(&[], &[class]);
                if !classes.is_empty() {
                    *removed = Change::Set(classes);
                }
            }
        }
    }

    fn change(&mut self, name: &str) -> &mut Change {
        self.attributes.entry(name.to_owned()).or_insert_with(|| Change::Classes(Vec::new()))
    }

    /// The edits that make these changes, in source order.
    #[must_use]
    pub(super) fn edits(&self, start_tag: &StartTag, source: Window<'_>, owner: Owner) -> Vec<Edit> {
        let name_at = tag_name(start_tag.tag.start.saturating_add(1), start_tag.tag.end, source);
        let mut edits = Vec::new();
        if let Some(name) = &self.name {
            edits.push(Edit::new(name_at.clone(), name.as_bytes(), owner));
        }
        let mut added = Vec::new();
        for (name, change) in &self.attributes {
            let mut places = start_tag.attributes.iter().filter(|place| place.name == *name);
            match (change, places.next()) {
                (Change::Set(value), Some(place)) => edits.extend(set_value(place, value, source, owner)),
                (Change::Set(value), None) => add_attribute(&mut added, name, value),
                (Change::Remove, first) => {
                    let all = first.into_iter().chain(places);
                    edits.extend(all.map(|place| Edit::new(removal(place, source), [], owner)));
                }
                (Change::Classes(changes), Some(place)) => {
                    let old = place.value_at.clone().map(|at| source.get(at)).unwrap_or_default();
                    let new = with_classes(&old, changes);
                    if new != *old {
                        edits.extend(set_value(place, &new, source, owner));
                    }
                }
                (Change::Classes(changes), None) => {
                    let new = with_classes(&[], changes);
                    if !new.is_empty() {
                        add_attribute(&mut added, name, &new);
                    }
                }
            }
        }
        // Right after the name: there a space and an attribute can stand whatever the rest looks like.
        if !added.is_empty() {
            edits.push(Edit::insert(name_at.end, added, owner));
        }
        edits.sort_by_key(|edit| (edit.range.start, edit.range.end));
        edits
    }
}

/// The range of a tag name that starts at `start`, as it stands in the source; decoded, it may have another length.
pub(super) fn tag_name(start: u64, tag_end: u64, source: Window<'_>) -> Range<u64> {
    let rest = source.get(start..tag_end);
    let len =
        rest.iter().take_while(|byte| !byte.is_ascii_whitespace() && !matches!(byte, b'/' | b'>')).count();
    start..start.saturating_add(as_u64(len))
}

fn add_attribute(added: &mut Vec<u8>, name: &str, value: &[u8]) {
    added.extend_from_slice(b" ");
    added.extend_from_slice(name.as_bytes());
    added.extend_from_slice(b"=\"");
    added.extend_from_slice(value);
    added.extend_from_slice(b"\"");
}

fn set_value(place: &AttributePlace, value: &[u8], source: Window<'_>, owner: Owner) -> Option<Edit> {
    let quoted = [b"\"", value, b"\""].concat();
    match &place.value_at {
        Some(at) if is_quoted(at, source) => {
            (*source.get(at.clone()) != *value).then(|| Edit::new(at.clone(), value, owner))
        }
        Some(at) => Some(Edit::new(at.clone(), quoted, owner)),
        None => match equals_sign(place, source) {
            Some(equals) => Some(Edit::insert(equals.saturating_add(1), quoted, owner)),
            None => Some(Edit::insert(place.name_at.end, [b"=", quoted.as_slice()].concat(), owner)),
        },
    }
}

/// An unquoted value never starts with a quote, so the byte before tells.
fn is_quoted(value_at: &Range<u64>, source: Window<'_>) -> bool {
    let before = value_at.start.saturating_sub(1)..value_at.start;
    matches!(*source.get(before), [b'"' | b'\''])
}

/// The `=` of an attribute whose value is missing (`<a href=>`).
fn equals_sign(place: &AttributePlace, source: Window<'_>) -> Option<u64> {
    let mut at = place.name_at.end;
    loop {
        let next = at.saturating_add(1);
        match *source.get(at..next) {
            [b'='] => return Some(at),
            [byte] if byte.is_ascii_whitespace() => at = next,
            _ => return None,
        }
    }
}

/// What goes when an attribute goes: name, value, quotes, and the space before it where it is not needed.
fn removal(place: &AttributePlace, source: Window<'_>) -> Range<u64> {
    let end = match &place.value_at {
        Some(at) if is_quoted(at, source) => at.end.saturating_add(1),
        Some(at) => at.end,
        None => equals_sign(place, source).map_or(place.name_at.end, |equals| equals.saturating_add(1)),
    };
    let mut start = place.name_at.start;
    let follows = source.get(end..end.saturating_add(1));
    if matches!(*follows, [b'>' | b'/']) || follows.iter().all(u8::is_ascii_whitespace) {
        while start > 0
            && source.get(start.saturating_sub(1)..start).first().is_some_and(u8::is_ascii_whitespace)
        {
            start = start.saturating_sub(1);
        }
    }
    start..end
}

/// The ordered set of classes after the changes (DOM § 7.1, DOMTokenList): unchanged if nothing changes.
fn with_classes(value: &[u8], changes: &[ClassChange]) -> Vec<u8> {
    let mut classes: Vec<&[u8]> = Vec::new();
    for class in value.split(u8::is_ascii_whitespace).filter(|class| !class.is_empty()) {
        if !classes.contains(&class) {
            classes.push(class);
        }
    }
    let before = classes.clone();
    for change in changes {
        match change {
            ClassChange::Add(class) if !classes.contains(&class.as_slice()) => classes.push(class),
            ClassChange::Add(_) => {}
            ClassChange::Remove(class) => classes.retain(|known| *known != class.as_slice()),
        }
    }
    if classes == before { value.to_vec() } else { classes.join(&b' ') }
}
