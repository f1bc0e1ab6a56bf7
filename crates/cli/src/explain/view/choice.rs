//! The branches of what was chosen: the route, what is known and decided of the visitor, the patches.

use engraft::explain::trace::{Outcome, Patch, Trace};

use super::{Node, Tone, count, mark};

pub(super) fn routes(trace: &Trace) -> Option<Node> {
    let node = match &trace.route {
        Some(route) => Node::new(Tone::Plain, "route ").with(Tone::Name, route),
        None => Node::new(Tone::Plain, "route: none; the response passes as it came"),
    };
    let considered = trace.routes.iter().map(|verdict| {
        let node = mark(verdict.fails.is_none()).with(Tone::Plain, &verdict.name);
        match &verdict.fails {
            Some(what) => node.with(Tone::Faint, &format!(": not its {what}")),
            None => node,
        }
    });
    Some(node.and(considered))
}

pub(super) fn attributes(trace: &Trace) -> Option<Node> {
    let attributes = trace.attributes.iter().map(|attribute| {
        let value = match &attribute.value {
            serde_json::Value::Null => "no value".to_owned(),
            value => format!("= {value}"),
        };
        let from = if attribute.overridden { "given here" } else { attribute.from.as_str() };
        Node::new(Tone::Name, &attribute.name)
            .with(Tone::Plain, &format!(" {value}"))
            .with(Tone::Faint, &format!(", {from}"))
    });
    branch("attributes", attributes)
}

pub(super) fn decisions(trace: &Trace) -> Option<Node> {
    let decisions = trace.decisions.iter().map(|decision| {
        Node::new(Tone::Name, &decision.name)
            .with(Tone::Plain, &format!(" = {}", decision.value))
            .with(Tone::Faint, &format!(" ({})", decision.because))
    });
    branch("decisions", decisions)
}

pub(super) fn patches(trace: &Trace) -> Option<Node> {
    branch("patches", trace.patches.iter().map(patch))
}

fn patch(patch: &Patch) -> Node {
    let place = if patch.site.is_empty() { patch.kind.as_str() } else { patch.site.as_str() };
    let node = mark(patch.eligible).with(Tone::Name, &patch.name).with(Tone::Faint, &format!(" ({place})"));
    let node = match patch.outcomes.as_slice() {
        _ if !patch.eligible => node,
        [] => node.with(Tone::Plain, ": to be applied"),
        outcomes => {
            let shown: Vec<String> = outcomes.iter().map(|outcome| became(patch, outcome)).collect();
            let done = outcomes.iter().all(|outcome| outcome.applied > 0 || outcome.state == "stored");
            node.with(if done { Tone::Plain } else { Tone::Bad }, &format!(": {}", shown.join("; ")))
        }
    };
    let guards = patch
        .guards
        .iter()
        .map(|guard| mark(guard.holds).with(Tone::Plain, &guard.written))
        .collect::<Vec<_>>();
    node.and(guards)
}

/// What became of a patch, in words where there are better ones than those of logs.
fn became(patch: &Patch, outcome: &Outcome) -> String {
    let part = outcome.part.as_ref().map(|part| format!("{part} ")).unwrap_or_default();
    let applied = usize::try_from(outcome.applied).unwrap_or(usize::MAX);
    let mut shown = match patch.kind.as_str() {
        _ if applied == 0 => outcome.state.clone(),
        "elements" => format!("applied to {}", count(applied, "element")),
        _ => "applied".to_owned(),
    };
    // Where nothing was applied, the state says the first reason.
    if applied > 0 || outcome.skipped.len() > 1 {
        for (reason, n) in &outcome.skipped {
            shown.push_str(&format!(", {n} skipped: {reason}"));
        }
        if let Some(reason) = &outcome.search_ended {
            shown.push_str(&format!(", search ended: {reason}"));
        }
    }
    format!("{part}{shown}")
}

/// A branch, where there is something on it.
pub(super) fn branch(name: &str, below: impl Iterator<Item = Node>) -> Option<Node> {
    let node = Node::new(Tone::Plain, name).and(below);
    (!node.is_leaf()).then_some(node)
}
