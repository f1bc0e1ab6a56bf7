//! What a patch does, piece by piece, so that two of them can be held beside each other.

use std::fmt;

use serde_json::Value;

use crate::config::model::{Patch, Removal};
use crate::config::node::Path;

/// One thing that a patch does.
pub(super) struct Effect<'p> {
    pub(super) target: Target<'p>,
    pub(super) slot: Slot<'p>,
    /// Where it is written.
    pub(super) path: Path,
    what: What<'p>,
}

/// To what it is done. Two selectors that are written differently may meet at an element; that is seen on a page only.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Target<'p> {
    Elements(String),
    Json(String),
    Head,
    Exchange(&'p str),
}

/// What of that is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot<'p> {
    Element,
    Content,
    Tag,
    Attribute(&'p str),
    Class(&'p str),
    Title,
    /// How it is named, and its name.
    Meta(&'static str, &'p str),
    Pointer(&'p str),
    Redirect,
}

#[derive(PartialEq)]
enum What<'p> {
    Text(&'p str),
    Markup(&'p str),
    Json(&'p Value),
    Gone,
}

/// Which of two patches counts where both apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counts {
    Earlier,
    Later,
}

impl Effect<'_> {
    /// Which of the two counts, where not both can; `docs/patches.md`, in which order.
    pub(super) fn against(&self, later: &Self) -> Option<Counts> {
        if self.target != later.target || self.what == later.what && self.slot == later.slot {
            return None;
        }
        if let (Slot::Pointer(pointer), What::Gone) = (self.slot, &self.what)
            && ends_in_index(pointer)
        {
            // An array moves up, so that the later one is done to another element.
            return None;
        }
        match (self.slot, later.slot) {
            (Slot::Element, Slot::Element | Slot::Content) | (Slot::Redirect, Slot::Redirect) => {
                Some(Counts::Earlier)
            }
            (Slot::Content, Slot::Element) => Some(Counts::Later),
            (own, other) if own == other => Some(Counts::Later),
            _ => None,
        }
    }
}

fn ends_in_index(pointer: &str) -> bool {
    let last = pointer.rsplit('/').next().unwrap_or_default();
    !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit())
}

/// Everything that a patch does of which only one can count.
pub(super) fn effects<'p>(patch: &'p Patch, path: &Path) -> Vec<Effect<'p>> {
    let mut effects = Vec::new();
    of_elements(patch, path, &mut effects);
    of_json(patch, path, &mut effects);
    let mut add = |target, slot, path: Path, what| effects.push(Effect { target, slot, path, what });
    if let Some(title) = &patch.title {
        add(Target::Head, Slot::Title, path.clone().key("title"), What::Text(title));
    }
    if let Some(meta) = &patch.meta
        && let Some(content) = &meta.content
    {
        let names = [("name", &meta.name), ("property", &meta.property), ("http_equiv", &meta.http_equiv)];
        for (by, name) in names {
            if let Some(name) = name {
                add(Target::Head, Slot::Meta(by, name), path.clone().key("meta"), What::Text(content));
            }
        }
    }
    if let Some(redirect) = &patch.redirect {
        let path = path.clone().key("redirect");
        add(Target::Exchange("redirect"), Slot::Redirect, path, What::Text(&redirect.to));
    }
    effects
}

fn of_elements<'p>(patch: &'p Patch, path: &Path, effects: &mut Vec<Effect<'p>>) {
    let Some(select) = &patch.select else { return };
    let select = select.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut add = |slot, path, what| {
        effects.push(Effect { target: Target::Elements(select.clone()), slot, path, what })
    };
    let texts = [
        ("rename", Slot::Tag, patch.rename.as_deref().map(What::Text)),
        ("text", Slot::Content, patch.text.as_deref().map(What::Text)),
        ("html", Slot::Content, patch.html.as_deref().map(What::Markup)),
        ("replace", Slot::Element, patch.replace.as_deref().map(What::Markup)),
        ("remove", Slot::Element, (patch.remove == Removal::Element).then_some(What::Gone)),
    ];
    for (field, slot, what) in texts {
        if let Some(what) = what {
            add(slot, path.clone().key(field), what);
        }
    }
    if let Some(changes) = &patch.attributes {
        let path = path.clone().key("attributes");
        for (name, value) in &changes.set {
            add(Slot::Attribute(name), path.clone().key("set").key(name), What::Text(value));
        }
        for (index, name) in changes.remove.iter().enumerate() {
            add(Slot::Attribute(name), path.clone().key("remove").index(index), What::Gone);
        }
    }
    if let Some(changes) = &patch.class {
        let path = path.clone().key("class");
        for (index, name) in changes.add.iter().enumerate() {
            add(Slot::Class(name), path.clone().key("add").index(index), What::Text(name));
        }
        for (index, name) in changes.remove.iter().enumerate() {
            add(Slot::Class(name), path.clone().key("remove").index(index), What::Gone);
        }
    }
}

fn of_json<'p>(patch: &'p Patch, path: &Path, effects: &mut Vec<Effect<'p>>) {
    let Some(json) = &patch.json else { return };
    let mut add = |pointer, path, what| {
        effects.push(Effect { target: Target::Json(json.clone()), slot: Slot::Pointer(pointer), path, what })
    };
    for (pointer, value) in &patch.set {
        add(pointer, path.clone().key("set").key(pointer), What::Json(value));
    }
    if let Removal::Pointers(pointers) = &patch.remove {
        for (index, pointer) in pointers.iter().enumerate() {
            add(pointer, path.clone().key("remove").index(index), What::Gone);
        }
    }
}

impl fmt::Display for Target<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Elements(select) | Self::Json(select) => write!(f, "`{select}`"),
            Self::Head => f.write_str("the page"),
            Self::Exchange(what) => f.write_str(what),
        }
    }
}

impl fmt::Display for Slot<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Element => f.write_str("the element"),
            Self::Content => f.write_str("the content"),
            Self::Tag => f.write_str("the tag name"),
            Self::Attribute(name) => write!(f, "the attribute `{name}`"),
            Self::Class(name) => write!(f, "the class `{name}`"),
            Self::Title => f.write_str("the title"),
            Self::Meta(_, name) => write!(f, "the meta `{name}`"),
            Self::Pointer(pointer) => write!(f, "`{pointer}`"),
            Self::Redirect => f.write_str("the answer"),
        }
    }
}
