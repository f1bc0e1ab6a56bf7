//! A trace as a tree for people: one branch for each step of the exchange, in the order in which they are taken.

mod body;
mod cache;
mod choice;
mod heads;

use engraft::cache::inputs::Inputs;
use engraft::explain::trace::Trace;

use super::tree::{Node, Tone};

/// A trace, and what is known besides.
#[derive(Debug)]
pub(super) struct Shown<'t> {
    pub(super) trace: &'t Trace,
    pub(super) origin: Origin<'t>,
    /// What the responses of its route are made from, where the configuration is at hand.
    pub(super) inputs: Option<Inputs>,
}

/// Where a trace comes from.
#[derive(Debug)]
pub(super) enum Origin<'t> {
    /// The exchange was run here, on this page, where places in it can be told.
    Run { page: Option<&'t [u8]> },
    /// A header. `configuration` is the file that was given, and whether it is the one that the exchange was run by.
    Header { configuration: Option<(String, bool)> },
}

impl Shown<'_> {
    pub(super) fn tree(&self) -> Node {
        let Trace { request, .. } = self.trace;
        let url = format!("{} {}", request.method, request.url);
        Node::new(Tone::Name, &url).and(self.branches().into_iter().flatten())
    }

    fn branches(&self) -> [Option<Node>; 12] {
        let trace = self.trace;
        let page = match &self.origin {
            Origin::Run { page } => *page,
            Origin::Header { .. } => None,
        };
        [
            self.configuration(),
            heads::request(&trace.request),
            choice::routes(trace),
            choice::attributes(trace),
            choice::decisions(trace),
            choice::patches(trace),
            heads::origin(trace),
            heads::response(trace),
            cache::cache(trace, self.inputs.as_ref()),
            body::body(trace, page),
            body::exposures(trace),
            self.end(),
        ]
    }

    /// By what the exchange was run, where that is not what is at hand.
    fn configuration(&self) -> Option<Node> {
        let Origin::Header { configuration } = &self.origin else { return None };
        let engine = &self.trace.engine;
        let node = Node::new(Tone::Plain, "configuration: ");
        let node = match configuration {
            Some((name, true)) => node.with(Tone::Good, &format!("{name}, the same")),
            Some((name, false)) => node.with(Tone::Bad, &format!("not {name}, but another one")),
            None => node.with(Tone::Plain, &engine.configuration),
        };
        let node = node.with(Tone::Faint, &format!(", engraft {}", engine.version));
        let payload = engine.payload.as_ref();
        Some(node.and(payload.map(|payload| Node::new(Tone::Faint, &format!("payload {payload}")))))
    }

    /// What took how long, or what a header does not tell.
    fn end(&self) -> Option<Node> {
        let Trace { micros, left_out, .. } = self.trace;
        match &self.origin {
            Origin::Run { .. } => {
                let total: u64 = micros.values().sum();
                let steps: Vec<String> = ["request", "response", "body"]
                    .into_iter()
                    .filter_map(|step| Some(format!("{step} {}", micros.get(step)?)))
                    .collect();
                let node = Node::new(Tone::Plain, &format!("time: {total} µs in the core"));
                Some(node.with(Tone::Faint, &format!(" ({})", steps.join(", "))))
            }
            Origin::Header { .. } => {
                let of_body = "what became of the body, as it left before the body did";
                let room = left_out.iter().map(|what| format!("{what}, for which there was no room"));
                let missing = room.map(|what| Node::new(Tone::Plain, &what));
                let node = Node::new(Tone::Plain, "not in this trace");
                Some(node.and([Node::new(Tone::Plain, of_body)]).and(missing))
            }
        }
    }
}

/// `1 element`, `2 elements`.
fn count(n: usize, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}

/// The mark of what is so, or is not.
fn mark(holds: bool) -> Node {
    if holds { Node::new(Tone::Good, "✓ ") } else { Node::new(Tone::Bad, "✗ ") }
}
