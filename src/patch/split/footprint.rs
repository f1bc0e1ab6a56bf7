//! What an edit of a patch looks at and what it changes, as far as its configuration tells.

use std::collections::BTreeSet;

use crate::html::operation::{Landmark, Site};
use crate::html::selector::{GivesUp, Selector};
use crate::patch::element::{ElementEdit, Markup, Slot, Step};
use crate::patch::injection::{Injection, Piece};
use crate::patch::{Action, Patch};

/// What one edit looks at and changes.
#[derive(Debug)]
pub(super) struct Footprint<'p> {
    pub(super) selector: Option<&'p Selector>,
    /// The elements that it may meet, by type; `None` where that may be any, or where it has no selector.
    pub(super) subjects: Option<BTreeSet<String>>,
    /// Places that every page has, at which it inserts, perhaps only where no element matched.
    pub(super) landmarks: Vec<Landmark>,
    /// It works on the whole page, or on JSON in it.
    pub(super) is_whole: bool,
    /// Attributes that it sets and removes; none where it leaves start tags alone.
    pub(super) attributes: BTreeSet<&'p str>,
    /// What it does to tag names, content and surroundings.
    pub(super) content: Content,
    /// Where the search of the page ends for its sake.
    pub(super) gives_up: GivesUp,
    /// All that it does is to put complete elements into the head, or to change the page's title or a plain `meta`.
    pub(super) is_of_head: bool,
}

/// What is done besides changes of attributes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// Nothing.
    Kept,
    /// Words give way to words, of which none makes a tag together with what stands before it.
    Words,
    /// Elements of these types, and text, come in addition, and perhaps words give way to words. They make no tag together
    /// with what stands before them.
    Added(BTreeSet<String>),
    /// Anything.
    Changed,
}

impl Content {
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Kept, it) | (it, Self::Kept) => it,
            (Self::Changed, _) | (_, Self::Changed) => Self::Changed,
            (Self::Words, it) | (it, Self::Words) => it,
            (Self::Added(mut names), Self::Added(others)) => {
                names.extend(others);
                Self::Added(names)
            }
        }
    }
}

impl<'p> Footprint<'p> {
    /// One for each edit of a patch.
    pub(super) fn of(patch: &'p Patch) -> Vec<Self> {
        let edits = match &patch.action {
            Action::Elements(edits) => edits.as_slice(),
            _ => &[],
        };
        let needs = patch.needs().iter().map(|needs| !needs.is_empty());
        edits.iter().zip(needs).map(|(edit, has_needs)| Self::of_edit(edit, has_needs)).collect()
    }

    fn of_edit(edit: &'p ElementEdit, has_needs: bool) -> Self {
        let (selector, landmark) = match &edit.site {
            Site::Elements { selector, .. } => (Some(&**selector), None),
            Site::Landmark(landmark) => (None, Some(*landmark)),
        };
        let fallback = edit.fallback.as_ref().map(|(landmark, _)| *landmark);
        // Where policies have a say, the page is searched for its own: `head > meta`.
        let of_policies = if has_needs { GivesUp::AtMovedBlocks } else { GivesUp::Never };
        Self {
            selector,
            subjects: selector.and_then(Selector::subjects),
            landmarks: landmark.into_iter().chain(fallback).collect(),
            is_whole: edit.steps.iter().any(|step| matches!(step, Step::Page(_) | Step::Json(_))),
            attributes: edit.steps.iter().filter_map(attribute).collect(),
            content: edit.steps.iter().map(content).fold(Content::Kept, Content::and),
            gives_up: selector.map(Selector::gives_up).unwrap_or_default().max(of_policies),
            is_of_head: is_of_head(edit),
        }
    }
}

fn attribute(step: &Step) -> Option<&str> {
    match step {
        Step::SetAttribute(name, ..) | Step::AppendAttribute(name, _) | Step::RemoveAttribute(name) => {
            Some(name)
        }
        Step::SetMeta(_) => Some("content"),
        Step::AddClass(_) | Step::RemoveClass(_) => Some("class"),
        _ => None,
    }
}

fn content(step: &Step) -> Content {
    match step {
        step if attribute(step).is_some() => Content::Kept,
        Step::Find { keeps_words: true, .. } => Content::Words,
        // Values may be `raw`.
        Step::Insert(Slot::Prepend | Slot::Append | Slot::Before | Slot::After, Markup { template, .. })
            if template.is_constant() =>
        {
            let markup = template.sketch(' ');
            if markup.starts_with(continues_a_tag) {
                Content::Changed
            } else {
                Content::Added(tag_names(&markup))
            }
        }
        _ => Content::Changed,
    }
}

/// Whether a `<` that was text becomes the start of a tag or a comment in front of this (WHATWG HTML § 13.2.5.6).
const fn continues_a_tag(first: char) -> bool {
    first.is_ascii_alphabetic() || matches!(first, '/' | '!' | '?')
}

/// The names of all start tags in `markup`, and perhaps more.
fn tag_names(markup: &str) -> BTreeSet<String> {
    let is_end = |character: char| character.is_ascii_whitespace() || matches!(character, '/' | '>');
    let names = markup.split('<').skip(1).filter_map(|tag| tag.split(is_end).next());
    // WHATWG HTML § 13.2.6.4.7: "change the token's tag name to img".
    names
        .map(
            |name| {
                if name.eq_ignore_ascii_case("image") { "img".to_owned() } else { name.to_ascii_lowercase() }
            },
        )
        .collect()
}

fn is_of_head(edit: &ElementEdit) -> bool {
    let inject = |step: &Step| matches!(step, Step::Inject(injection) if is_complete(injection));
    match (&edit.site, &edit.fallback) {
        (Site::Landmark(Landmark::HeadStart | Landmark::HeadEnd), None) => edit.steps.iter().all(inject),
        // The `title` and the `meta` of a configuration; not one that says the encoding, a policy or the like.
        (Site::Elements { .. }, Some((Landmark::HeadEnd, injection))) => {
            is_complete(injection) && !opens_with(injection, "<meta http-equiv")
        }
        _ => false,
    }
}

fn opens_with(injection: &Injection, start: &str) -> bool {
    matches!(injection.pieces.first(), Some(Piece::Markup(markup)) if markup.starts_with(start))
}

/// Whether it makes the same elements where a page breaks off inside a comment, a title, a script or a style: what ends one
/// of these is in it only as the end tag of its own.
fn is_complete(injection: &Injection) -> bool {
    let Some(Piece::Markup(first)) = injection.pieces.first() else { return false };
    let name: String = first.chars().skip(1).take_while(char::is_ascii_alphanumeric).collect();
    let own = format!("/{name}>");
    injection.pieces.iter().all(|piece| match piece {
        Piece::Markup(markup) => {
            let ends = markup.split('<').skip(1).filter(|tag| tag.starts_with('/'));
            !markup.contains("--") && ends.clone().all(|tag| tag.starts_with(&own))
        }
        // Escaped.
        Piece::Text(_) | Piece::Json(_) => true,
    })
}
