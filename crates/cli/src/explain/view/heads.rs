//! The branches of heads: what was asked, what the origin was asked, and what came back, with who changed what.

use engraft::explain::trace::{Header, HeaderChange, Request, Response, Trace};

use super::{Node, Tone};
use crate::time;

pub(super) fn request(request: &Request) -> Option<Node> {
    let headers = request.headers.iter().map(line);
    let known = request.facts.iter().map(|(name, value)| fact(name, value));
    let peer = request.peer.iter().map(|peer| fact("peer", peer));
    let when = format!("at {}", time::shown(request.now_ms));
    let node = Node::new(Tone::Plain, "request").and(headers).and(peer).and(known);
    let chosen = request.choices.iter().map(|(name, value)| fact("chosen", &format!("{name}:{value}")));
    Some(node.and(chosen).and([Node::new(Tone::Faint, &when)]))
}

pub(super) fn origin(trace: &Trace) -> Option<Node> {
    let Some(origin) = &trace.origin else {
        let is_local = trace.response.as_ref().is_some_and(|response| response.redirected_by.is_some());
        return is_local.then(|| Node::new(Tone::Plain, "origin: not asked"));
    };
    let node = Node::new(Tone::Plain, "origin: asked for ");
    let node = match origin.url == trace.request.url {
        true => node.with(Tone::Plain, "the same"),
        false => node.with(Tone::Plain, &origin.url),
    };
    Some(node.and(origin.changes.iter().flat_map(change)))
}

pub(super) fn response(trace: &Trace) -> Option<Node> {
    let response = trace.response.as_ref()?;
    let Response { status, headers, changes, redirected_by, came_status } = response;
    let node = Node::new(Tone::Plain, "response: ").with(Tone::Plain, &status.to_string());
    let node = match (redirected_by, came_status) {
        (Some(patch), _) => node.with(Tone::Plain, &format!(", by patch {patch}")),
        (None, Some(came)) => node.with(Tone::Plain, &format!(", for the {came} that came")),
        (None, None) => node,
    };
    let stays = headers.iter().filter(|header| !changes.iter().any(|change| change.name == header.name));
    Some(node.and(stays.map(line)).and(changes.iter().flat_map(change)))
}

fn line(header: &Header) -> Node {
    Node::new(Tone::Faint, &format!("{}: ", header.name)).with(Tone::Plain, &header.value)
}

fn fact(name: &str, value: &str) -> Node {
    Node::new(Tone::Faint, &format!("{name} ")).with(Tone::Plain, value)
}

/// The values that went and those that came in their place; what is in both is left out where there are several.
fn change(change: &HeaderChange) -> Vec<Node> {
    let (before, after) = (&change.before, &change.after);
    let by = format!("  {}", change.by.join(", "));
    let line = |sign: (Tone, &str), value: &str| {
        let node = Node::new(sign.0, sign.1).with(Tone::Faint, &format!("{}: ", change.name));
        node.with(Tone::Plain, value)
    };
    let mut nodes: Vec<Node> = Vec::new();
    nodes.extend(before.iter().filter(|it| !after.contains(it)).map(|it| line((Tone::Bad, "- "), it)));
    nodes.extend(after.iter().filter(|it| !before.contains(it)).map(|it| line((Tone::Good, "+ "), it)));
    if nodes.is_empty() {
        nodes.push(line((Tone::Plain, "± "), &after.join(", ")));
    }
    // Who did it stands by the last line.
    let last = nodes.pop().map(|node| node.with(Tone::Faint, &by));
    nodes.extend(last);
    nodes
}
