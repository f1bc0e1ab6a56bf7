//! Operations that the elements they are done to can't take, and elements as long as the page that are held back.
//!
//! What an element can take is asked of the [editor](crate::html::editor) itself, on a page with nothing but such an element.

use super::{Lint, Part};
use crate::config::model::{self, Delivery, Removal};
use crate::config::node::Path;
use crate::config::problem::Code;
use crate::html::charset::Charset;
use crate::html::editor::Editor;
use crate::html::locate::Bounds;
use crate::html::operation::{ElementPatch, Site};
use crate::html::outcome::{Outcome, Skip};
use crate::html::selector::Selector;
use crate::patch::Action;
use crate::request::attributes::Values;

/// Elements that hold all of a page that is seen, or nearly.
const PAGES: &[&str] = &["html", "body", "main"];

/// Ids by which frameworks know the element that they render a page into.
const ROOTS: &[&str] = &["__next", "__nuxt", "___gatsby", "svelte", "root", "app"];

/// An id that no page has.
const NO_ID: &str = "engraft-no-such-id";

impl Lint<'_> {
    pub(super) fn elements(&mut self, part: &Part<'_>) {
        for (path, written, patch) in part.patches() {
            let Action::Elements(edits) = &patch.action else { continue };
            for edit in edits.iter().filter(|edit| edit.part.is_none()) {
                let Site::Elements { selector, .. } = &edit.site else { continue };
                let rendered = edit.render(&Values::default(), Charset::UTF_8);
                if let Some((names, reason)) = refused_by_all(selector, &rendered) {
                    let message = format!(
                        "no <{}> can take what the patch does ({}): {}",
                        names.join(">, <"),
                        reason.name(),
                        advice(reason)
                    );
                    self.add(Code::ImpossibleOperation, path.clone().key("select"), message);
                } else if rendered.holds() && part.written.delivery != Delivery::Whole {
                    self.held(selector, written, &path);
                }
            }
        }
    }

    fn held(&mut self, selector: &Selector, written: &model::Patch, path: &Path) {
        let of_page = || selector.subjects()?.into_iter().find(|name| PAGES.contains(&name.as_str()));
        let is_named = |id: &str| selector.may_name("div", |name| (name == "id").then_some(id));
        let root = || ROOTS.iter().find(|id| is_named(id)).filter(|_| !is_named(NO_ID));
        let element = of_page().map(|name| format!("<{name}>")).or_else(|| root().map(|id| format!("#{id}")));
        let Some(element) = element else { return };
        let held = self.config.limits.max_held_bytes;
        let (field, instead) = holding(written);
        let path = field.map_or_else(|| path.clone(), |field| path.clone().key(field));
        let what = field.map_or_else(|| "a change at both ends".to_owned(), |field| format!("`{field}`"));
        let message = format!(
            "{what} waits for the end of {element}, which is as far away as the page is long: nothing of it leaves before, and one of more \
             than {held} bytes (`limits.max_held_bytes`) stays as it is; {instead}"
        );
        self.add(Code::HeldRegion, path, message);
    }
}

/// The operation for which an element is held, and what to write instead.
fn holding(written: &model::Patch) -> (Option<&'static str>, &'static str) {
    const SMALLER: &str = "select the smallest element that does, or use `prepend` or `append`";
    let contents = [("text", written.text.is_some()), ("html", written.html.is_some())];
    let others = [
        ("replace", written.replace.is_some()),
        ("remove", written.remove == Removal::Element),
        ("unwrap", written.unwrap),
        ("rename", written.rename.is_some()),
    ];
    let found =
        |fields: &[(&'static str, bool)]| fields.iter().find(|(_, there)| *there).map(|(name, _)| *name);
    match (found(&contents), found(&others)) {
        (Some(field), _) => (Some(field), SMALLER),
        (None, Some(field)) => (Some(field), "select the smallest element that does"),
        (None, None) => (None, "write two patches, of which each works at one end"),
    }
}

/// The elements that it may name, where it says which, and why none of them takes the patch.
fn refused_by_all(selector: &Selector, patch: &ElementPatch) -> Option<(Vec<String>, Skip)> {
    let names: Vec<String> = selector.subjects()?.into_iter().collect();
    let reasons: Option<Vec<Skip>> = names.iter().map(|name| refusal(name, patch)).collect();
    let first = reasons?.first().copied()?;
    Some((names, first))
}

/// Why an element of this name doesn't take the patch, whatever is in it and around it.
fn refusal(name: &str, patch: &ElementPatch) -> Option<Skip> {
    let page = format!("<!DOCTYPE html><html><head></head><body><{name}></{name}></body></html>");
    let selector = name.parse().ok()?;
    let site = Site::Elements { selector: std::sync::Arc::new(selector), all: false, skip_first: 0 };
    let alone = ElementPatch { site, fallback: None, policies: None, ..patch.clone() }.probe();
    let bounds = Bounds { max_tag_bytes: page.len(), max_elements: 16, max_undecided_bytes: 1024 };
    let mut editor = Editor::new(vec![alone], Charset::UTF_8, bounds, page.len());
    let mut out = Vec::new();
    editor.write(page.as_bytes(), &mut out);
    editor.end(&mut out);
    let outcomes = editor.outcomes();
    let Outcome { applied: 0, skipped, .. } = outcomes.first()? else { return None };
    let reason = *skipped.keys().next()?;
    // Other reasons are those of a page.
    matches!(reason, Skip::VoidElement | Skip::RawText | Skip::Frame | Skip::UnsafeAttribute)
        .then_some(reason)
}

const fn advice(reason: Skip) -> &'static str {
    match reason {
        Skip::VoidElement => "it has no content; use `attributes`, `before`, `after` or `replace`",
        Skip::Frame => "it is the frame of the page; use `prepend`, `append`, `attributes` or `class`",
        Skip::UnsafeAttribute => {
            "a value there decides what is loaded; write one patch for each value, with `when`"
        }
        _ => "its content is not markup; use `replace` with the whole element",
    }
}
