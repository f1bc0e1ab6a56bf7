//! Whether an edit may be made before another one sees the page.
//!
//! One filter that does both matches both on the page as the origin sent it. In two stages the later edit meets a page that the
//! earlier one has changed. The rules here are those under which nobody can tell: the later edit finds the same elements, for
//! the same reasons leaves the same ones out, and writes the same bytes at the same places. Each rule says why. What has no
//! rule does not commute.
//!
//! Bounds are the exception: an element, a tag or a page that is just short enough may be too long when something has been
//! added to it ([`Limits`](crate::config::model::Limits)).
//!
//! # What two edits have in common though they touch different things
//!
//! **The search.** Where tags are nested so badly that the tree moves elements, selectors that ask for a parent or a place among
//! siblings end the search of the page, for all patches. So edits in different stages must give up at the same places.
//!
//! **Doubt.** An element that is matched because of where it stands may be held in doubt until it is known where that is, with
//! everything that is to be done to it. So of two edits that may meet at an element both must be matched in this way, or none.
//!
//! **The end of the head.** Who inserts there has elements that come late into the head left alone.

use std::collections::BTreeSet;

use super::footprint::{Content, Footprint};
use crate::html::operation::{Landmark, RAW_TEXT, RCDATA};
use crate::html::selector::GivesUp;

/// Elements that stand in a head or contain it (WHATWG HTML § 13.2.6.4.4). All others end it.
const HEAD: &[&str] = &[
    "html", "head", "title", "meta", "link", "base", "basefont", "bgsound", "style", "script", "noscript",
    "noframes", "template",
];

/// Formatting elements (§ 13.2.4.3): the parser opens them again, as often as their attributes differ.
const FORMATTING: &[&str] =
    &["a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"];

/// Attributes by which parsers, policies and encodings go (§ 13.2.6; `color`, `face` and `size` of `font` in SVG).
const READ: &[&str] = &[
    "charset",
    "color",
    "content",
    "definitionurl",
    "encoding",
    "face",
    "http-equiv",
    "nonce",
    "shadowrootmode",
    "size",
    "type",
];

/// Elements that are there without tags, for which engraft writes tags where an edit needs them.
const IMPLIED: &[&str] = &["html", "head", "body", "tbody", "colgroup", "tr"];

/// Elements of HTML, never of SVG or MathML (§ 13.2.6.5), at whose start the page has said that it is none of frames: text in it
/// decides no more whether a `frameset` may follow (§ 13.2.6.4.7, "frameset-ok").
const SETTLING: &[&str] = &["dd", "dt", "li", "listing", "pre", "table"];

/// Whether `earlier` may be made before `later` sees the page, and if not, why.
pub(super) fn commute(earlier: &Footprint<'_>, later: &Footprint<'_>) -> Result<(), &'static str> {
    if earlier.is_whole {
        return Err("it works on the whole page or on JSON in it");
    }
    if later.is_whole {
        return Err("which works on the whole page or on JSON in it");
    }
    if earlier.gives_up != later.gives_up {
        return Err("the search ends for only one of them where tags are not nested well");
    }
    if earlier.is_of_head {
        return beside_the_head(later);
    }
    if !earlier.landmarks.is_empty() {
        return Err("it inserts where the other one may look");
    }
    if !are_doubted_together(earlier, later) {
        return Err("only one of them selects by what an element stands in");
    }
    if !earlier.attributes.is_empty() {
        attributes(earlier, later)?;
    }
    content(earlier, later)
}

/// What is put into the head before it ends are complete elements of the head. The parser is then as it was: no formatting, no
/// form, nothing that says the page is none of frames. An element that can neither stand in a head nor contain one is no
/// ancestor, child or sibling of these, and matches and becomes what it did.
///
/// No tags are written for it, and what is inserted at the start or the end of the body comes behind it either way.
fn beside_the_head(later: &Footprint<'_>) -> Result<(), &'static str> {
    if later.landmarks.iter().any(|at| matches!(at, Landmark::HeadStart | Landmark::HeadEnd)) {
        return Err("both change the head");
    }
    match (later.selector, &later.subjects) {
        (None, _) => Ok(()),
        (Some(_), Some(subjects)) if !has_any(subjects, HEAD) => Ok(()),
        _ => Err("which may select what is in the head"),
    }
}

/// Attributes make no difference to the tree but for those that parsers read, and on formatting elements, which are opened again
/// as often as their attributes differ. So all elements are where they were, and a selector that does not look at what is
/// changed selects what it did.
///
/// Whatever else is done to the element, the bytes of the start tag are those of the page or those of this edit, which are gone
/// only with the tag itself. Two edits of one start tag are another matter: what is added stands in the order of its names,
/// what is added later stands in front.
fn attributes(earlier: &Footprint<'_>, later: &Footprint<'_>) -> Result<(), &'static str> {
    if earlier.attributes.iter().any(|name| READ.contains(name)) {
        return Err("it changes an attribute by which pages are read");
    }
    let Some(subjects) = &earlier.subjects else {
        return Err("it changes attributes, and its selector does not say of which elements");
    };
    // Whether a script has a source decides whether its text is edited.
    if earlier.attributes.contains("src") && subjects.contains("script") {
        return Err("it changes an attribute by which pages are read");
    }
    if has_any(subjects, FORMATTING) {
        return Err("it changes attributes of formatting elements");
    }
    if let Some(selector) = later.selector
        && selector.attributes().iter().any(|name| earlier.attributes.contains(name.as_str()))
    {
        return Err("which selects by an attribute that it changes");
    }
    if !later.attributes.is_empty() && !are_apart(earlier, later) {
        return Err("both may change the same start tag");
    }
    if later.landmarks.contains(&Landmark::HeadEnd) && has_any(subjects, HEAD) {
        return Err("both change the head");
    }
    Ok(())
}

/// Start tags are changed where they stand, whatever comes before them and after them; so what is left to show is that the
/// same ones are met.
///
/// Words that give way to words are text as before, and make no tag of what stands before them: no element is opened, ended or
/// moved by the one and not by the other.
///
/// What is inserted is complete, and stands only where the parser goes on as before it (`misplaced_markup`). But as text it may
/// say that the page is none of frames, and where tags are left out it may take tags for elements that were there without. In a
/// script or a title, where the end is depends on all of the content. The elements that are inserted are the only ones that are
/// new, and they count as children.
fn content(earlier: &Footprint<'_>, later: &Footprint<'_>) -> Result<(), &'static str> {
    if earlier.content == Content::Kept {
        return Ok(());
    }
    if later.content != Content::Kept || !later.landmarks.is_empty() {
        return Err("both change what is in the page");
    }
    let added = match &earlier.content {
        Content::Kept | Content::Words => return Ok(()),
        Content::Changed => return Err("it may take away or move what the other one selects"),
        Content::Added(names) => names,
    };
    if earlier.subjects.as_ref().is_none_or(|names| has_any(names, RAW_TEXT) || has_any(names, RCDATA)) {
        return Err("it may insert into an element whose content is not markup");
    }
    if !earlier.selector.is_some_and(|selector| selector.comes_after_any_of(SETTLING)) {
        return Err("it inserts where a page of frames might still begin");
    }
    let Some(subjects) = &later.subjects else {
        return Err("which may select what it inserts");
    };
    if later.selector.is_some_and(|selector| selector.gives_up() == GivesUp::AtAllMoves) {
        return Err("which selects by the place among siblings");
    }
    if !subjects.is_disjoint(added) || has_any(subjects, IMPLIED) {
        return Err("which may select what it inserts");
    }
    if has_any(subjects, FORMATTING) {
        return Err("which selects formatting elements");
    }
    Ok(())
}

/// Whether an element at which both meet is in doubt for both or for none.
fn are_doubted_together(earlier: &Footprint<'_>, later: &Footprint<'_>) -> bool {
    let (Some(one), Some(other)) = (earlier.selector, later.selector) else { return true };
    let same = one.asks_for_context_everywhere();
    are_apart(earlier, later) || (same.is_some() && same == other.asks_for_context_everywhere())
}

/// Whether they never meet at an element.
fn are_apart(earlier: &Footprint<'_>, later: &Footprint<'_>) -> bool {
    match (&earlier.subjects, &later.subjects) {
        (Some(one), Some(other)) => one.is_disjoint(other),
        _ => false,
    }
}

fn has_any(names: &BTreeSet<String>, list: &[&str]) -> bool {
    names.iter().any(|name| list.contains(&name.as_str()))
}
