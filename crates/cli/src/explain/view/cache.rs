//! The branch of caches: who may keep the response, and why nobody else.

use engraft::cache::inputs::Inputs;
use engraft::explain::trace::{Cache, Trace};

use super::{Node, Tone};

pub(super) fn cache(trace: &Trace, inputs: Option<&Inputs>) -> Option<Node> {
    let cache = trace.cache.as_ref()?;
    let (tone, who) = keepers(cache);
    let node = Node::new(Tone::Plain, "cache: ").with(tone, who);
    let labelled =
        |label: &str, text: &str| Node::new(Tone::Faint, &format!("{label} ")).with(Tone::Plain, text);
    let mut below = vec![labelled("cache-control", cache.cache_control.as_deref().unwrap_or("none"))];
    below.extend(why(trace).map(|why| Node::new(Tone::Plain, why)));
    below.extend(cache.found.as_ref().map(|found| labelled("in the cache behind", found)));
    below.extend(cache.not_storable.as_ref().map(|why| labelled("not stored behind, for", why)));
    if !cache.depends_on.is_empty() {
        below.push(labelled("depends on", &cache.depends_on.join(", ")));
    }
    if let Some(inputs) = inputs.filter(|inputs| inputs.stored) {
        below.push(labelled("stored behind, by", &inputs.key.join("; ")));
        below.extend(inputs.stages.iter().map(|staged| Node::new(Tone::Faint, &staged.to_string())));
    }
    if let Some(inputs) = inputs {
        let of_visitors = inputs.reads.iter().filter(|reading| reading.of_visitor);
        below.extend(of_visitors.map(|reading| Node::new(Tone::Faint, &reading.to_string())));
    }
    Some(node.and(below))
}

fn keepers(cache: &Cache) -> (Tone, &'static str) {
    let said = cache.cache_control.as_deref().unwrap_or_default();
    let says = |word: &str| said.split(',').any(|it| it.trim().eq_ignore_ascii_case(word));
    match cache.shared {
        true if said.is_empty() => {
            (Tone::Plain, "nothing is said, so whoever keeps such responses may keep it")
        }
        true if says("no-store") || says("private") => {
            (Tone::Good, "shared caches in front may keep it, by headers of their own")
        }
        true if says("no-cache") => {
            (Tone::Good, "browsers and shared caches may keep it, and have to ask each time")
        }
        true => (Tone::Good, "browsers and shared caches may keep it"),
        false if says("no-store") => (Tone::Bad, "nobody may keep it"),
        false if says("no-cache") => {
            (Tone::Plain, "only the visitor's browser may keep it, and has to ask each time")
        }
        false => (Tone::Plain, "only the visitor's browser may keep it"),
    }
}

/// Who wrote the last word on it, where that is worth a sentence.
fn why(trace: &Trace) -> Option<&'static str> {
    let mut changes = trace.response.iter().flat_map(|response| &response.changes);
    let change = changes.find(|change| change.name == "cache-control")?;
    let depends = trace.cache.as_ref().is_some_and(|cache| !cache.depends_on.is_empty());
    Some(match change.by.last()?.as_str() {
        "debug" => "as it was asked for with the debug header",
        "forced" => "as somebody chose what they see",
        "cache_policy" if depends => "as its route says, or since others may get another one",
        "cache_policy" => "as its route says",
        _ => return None,
    })
}
