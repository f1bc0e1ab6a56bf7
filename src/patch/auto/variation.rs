//! From a variation to patches.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::interplay::Effect;
use super::mutation::{Change, Mutation};
use super::{MAX_CHANGES, MAX_TEXT_BYTES};
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

/// How many patches it may become.
pub(super) fn size(variation: &Value) -> usize {
    let mutations = variation.get("domMutations").and_then(Value::as_array).map_or(1, Vec::len);
    mutations.min(MAX_CHANGES).saturating_add(2)
}

/// A patch that is reported, and not tried.
pub(super) fn refused(label: String, reason: Skip) -> Patch {
    let site = Site::Landmark(Landmark::BodyEnd);
    let edit = ElementEdit { part: None, site, refusal: Some(reason), steps: Vec::new(), fallback: None };
    Patch::constant(label, "", edit)
}

/// An element with a text, at the end of the head.
fn in_head(label: String, element: &str, text: &str) -> Patch {
    if text.len() > MAX_TEXT_BYTES {
        return refused(label, Skip::TextTooLong);
    }
    if breaks_out(element, text).is_some() {
        return refused(label, Skip::EndsElement);
    }
    let mut injection = Injection::markup(format!("<{element}>{text}</{element}>"));
    injection.needs_utf8 = !text.is_ascii();
    let site = Site::Landmark(Landmark::HeadEnd);
    let steps = vec![Step::Inject(injection)];
    Patch::constant(label, element, ElementEdit { part: None, site, refusal: None, steps, fallback: None })
}

/// A mutation that can be done as far as it tells itself: its number, and what names its elements.
struct Found<'a> {
    number: usize,
    mutation: Result<(Arc<Selector>, Mutation<'a>), Skip>,
}

/// All that do something, in order.
fn find(list: &[Value]) -> Vec<Found<'_>> {
    let mut selectors: BTreeMap<&str, Option<Arc<Selector>>> = BTreeMap::new();
    let mut found = Vec::new();
    for (number, value) in list.iter().enumerate() {
        let mutation = match Mutation::read(value) {
            Ok(None) => continue,
            Ok(Some(mutation)) if mutation.len() > MAX_TEXT_BYTES => Err(Skip::TextTooLong),
            Ok(Some(mutation)) => {
                let text = mutation.selector;
                let selector = selectors.entry(text).or_insert_with(|| text.parse().ok().map(Arc::new));
                selector.clone().map(|selector| (selector, mutation)).ok_or(Skip::Selector)
            }
            Err(reason) => Err(reason),
        };
        found.push(Found { number, mutation });
    }
    found
}

fn of_mutations(list: &[Value], label: &str) -> Vec<Patch> {
    let found = find(list);
    let able = found.iter().filter_map(|found| found.mutation.as_ref().ok());
    let effects: Vec<Effect<'_>> = able.map(|(selector, mutation)| Effect::new(mutation, selector)).collect();
    let mut dependent = (0..effects.len()).map(|index| Effect::is_dependent(&effects, index));
    let patch = |Found { number, mutation }: &Found<'_>| {
        let edit = mutation.as_ref().map_err(|reason| *reason).and_then(|(selector, mutation)| {
            // One for each that is able, in the same order.
            if dependent.next().unwrap_or_default() {
                return Err(Skip::Dependent);
            }
            let site = Site::Elements { selector: Arc::clone(selector), all: true, skip_first: 0 };
            let steps = steps(&mutation.change)?;
            Ok(ElementEdit { part: None, site, refusal: None, steps, fallback: None })
        });
        let label = format!("{label}.{number}");
        match edit {
            Ok(edit) => Patch::constant(label, mutation.as_ref().map_or("", |(_, it)| it.selector), edit),
            Err(reason) => refused(label, reason),
        }
    };
    found.iter().map(patch).collect()
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
    let is_inert = elements(text).any(|(name, attributes)| {
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
