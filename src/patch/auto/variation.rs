//! From a variation to patches.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::MAX_CHANGES;
use super::interplay::Effect;
use super::mutation::{Change, Mutation};
use crate::csp::markup::{elements, runs};
use crate::decide::condition::coercion;
use crate::html::operation::{Dynamic, Landmark, Site};
use crate::html::outcome::Skip;
use crate::html::selector::Selector;
use crate::patch::Patch;
use crate::patch::element::{ElementEdit, Markup, Slot, Step};
use crate::patch::injection::{Injection, breaks_out};
use crate::template::{Escaped, Template, context};

/// The patches of a variation, in the order in which the SDK makes its changes (`_applyDOMChanges`): style, script, mutations.
/// Each has a name of its own behind `label`.
pub(super) fn compile(variation: &Value, label: &str) -> Vec<Patch> {
    let mutations = variation.get("domMutations").filter(|value| coercion::truthy(value));
    let list = mutations.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    // Two for the style and the script.
    if list.len() > MAX_CHANGES.saturating_sub(2) {
        return vec![refused(format!("{label}.mutations"), Skip::TooManyChanges)];
    }
    let mut patches = Vec::new();
    for (member, element) in [("css", "style"), ("js", "script")] {
        let text = variation.get(member).filter(|value| coercion::truthy(value));
        if let Some(text) = text.map(coercion::text) {
            patches.push(in_head(format!("{label}.{member}"), element, &text));
        }
    }
    if mutations.is_some_and(|value| !value.is_array()) {
        patches.push(refused(format!("{label}.mutations"), Skip::Unsupported));
    }
    patches.extend(of_mutations(list, label));
    patches
}

/// A patch that is reported, and not tried.
pub(super) fn refused(label: String, reason: Skip) -> Patch {
    let site = Site::Landmark(Landmark::BodyEnd);
    let edit = ElementEdit { part: None, site, refusal: Some(reason), steps: Vec::new(), fallback: None };
    Patch::constant(label, edit)
}

/// An element with a text, at the end of the head.
fn in_head(label: String, element: &str, text: &str) -> Patch {
    if breaks_out(element, text).is_some() {
        return refused(label, Skip::EndsElement);
    }
    let mut injection = Injection::markup(format!("<{element}>{text}</{element}>"));
    injection.needs_utf8 = !text.is_ascii();
    let site = Site::Landmark(Landmark::HeadEnd);
    let steps = vec![Step::Inject(injection)];
    Patch::constant(label, ElementEdit { part: None, site, refusal: None, steps, fallback: None })
}

fn of_mutations(list: &[Value], label: &str) -> Vec<Patch> {
    let mut selectors = BTreeMap::new();
    let mut selector = |text: &str| -> Result<Arc<Selector>, Skip> {
        let parsed = selectors.entry(text.to_owned()).or_insert_with(|| text.parse().ok().map(Arc::new));
        parsed.clone().ok_or(Skip::Selector)
    };
    let read = |(number, value)| {
        let mutation = Mutation::read(value).transpose()?;
        let found = mutation.and_then(|mutation| Ok((selector(mutation.selector)?, mutation)));
        Some((number, found))
    };
    let read: Vec<(usize, Result<(Arc<Selector>, Mutation<'_>), Skip>)> =
        list.iter().enumerate().filter_map(read).collect();
    let effects = read.iter().filter_map(|(_, found)| found.as_ref().ok());
    let effects: Vec<Effect<'_>> =
        effects.map(|(selector, mutation)| Effect::new(mutation, selector)).collect();

    let mut effect = 0_usize;
    let patch = |(number, found): &(usize, Result<(Arc<Selector>, Mutation<'_>), Skip>)| {
        let label = format!("{label}.{number}");
        let (selector, mutation) = match found {
            Ok(found) => found,
            Err(reason) => return refused(label, *reason),
        };
        let is_dependent = Effect::is_dependent(&effects, effect);
        effect = effect.saturating_add(1);
        if is_dependent {
            return refused(label, Skip::Dependent);
        }
        match steps(&mutation.change) {
            Ok(steps) => {
                let site = Site::Elements { selector: Arc::clone(selector), all: true, skip_first: 0 };
                let edit = ElementEdit { part: None, site, refusal: None, steps, fallback: None };
                Patch::constant(label, edit)
            }
            Err(reason) => refused(label, reason),
        }
    };
    read.iter().map(patch).collect()
}

fn steps(change: &Change<'_>) -> Result<Vec<Step>, Skip> {
    Ok(match change {
        Change::SetHtml(text) => vec![Step::Insert(Slot::Content, markup(text)?)],
        Change::AppendHtml(text) => vec![Step::Insert(Slot::Append, markup(text)?)],
        Change::AddClasses(classes) => {
            classes.iter().map(|class| Step::AddClass((*class).to_owned())).collect()
        }
        Change::RemoveClass(class) => vec![Step::RemoveClass((*class).to_owned())],
        Change::SetAttribute(name, value) => {
            let value = Escaped::text(&Template::literal(value));
            vec![Step::SetAttribute(name.clone(), value, Dynamic::No)]
        }
        Change::AppendAttribute(name, text) => {
            vec![Step::AppendAttribute(name.clone(), text.clone().into_owned())]
        }
        Change::RemoveAttribute(name) => vec![Step::RemoveAttribute(name.clone())],
    })
}

/// Markup that is inserted as it is. dom-mutator sets `innerHTML`, by which scripts do not run and shadow roots are not made, and
/// which in a script or a style changes what has run already.
fn markup(text: &str) -> Result<Markup, Skip> {
    let (template, found) = context::markup(&Template::literal(text)).map_err(|_| Skip::OpenMarkup)?;
    let is_inert = elements(text).iter().any(|(name, attributes)| {
        let value =
            |wanted: &str| attributes.iter().find(|(name, _)| name == wanted).map(|(_, it)| it.as_str());
        match name.as_str() {
            "script" => runs(value("type").unwrap_or_default()),
            "template" => value("shadowrootmode").is_some(),
            _ => false,
        }
    });
    if is_inert {
        return Err(Skip::InertMarkup);
    }
    Ok(Markup {
        template,
        is_text: false,
        needs_utf8: found.beyond_ascii_in_raw_text,
        has_raw_text: found.has_raw_text,
        only_in_markup: true,
    })
}
