//! An exchange as a scenario for `engraft test` (docs/testing.md): what was asked, what the origin answered, and what came of it.

use std::fmt::Write as _;

use engraft::explain::trace::{Header, Patch, Request, Trace};
use serde_json::Value;

use super::copies::{came, now};
use super::sides;
use crate::args::Url;
use crate::quote::{yaml, yaml_block};
use crate::serve::recent::Exchange;
use crate::serve::state::State;

/// The longest page that stands in a scenario.
const MAX_INLINE_BYTES: usize = 256 * 1024;

/// Headers that a scenario can do without: they are about a connection or a browser's own cache.
const NOISE: [&str; 3] = ["connection", "upgrade-insecure-requests", "cache-control"];

/// A file with one scenario.
pub(super) fn scenario(state: &State, exchange: &Exchange, trace: &Trace) -> String {
    let mut file = File::default();
    let Request { method, url, .. } = &trace.request;
    file.field(0, "config", &yaml(&state.config.display().to_string()));
    if let Some(payload) = &state.payload {
        file.field(0, "payload", &yaml(&payload.display().to_string()));
    }
    file.field(0, "scenarios", "");
    let path = url.parse::<Url>().map_or_else(|_| url.clone(), |url| url.path);
    file.field(1, "- name", &yaml(&format!("{method} {path}")));
    file.field(2, "given", "");
    given(&mut file, exchange, trace);
    file.field(2, "expect", "");
    expected(&mut file, exchange, trace);
    file.0
}

fn given(file: &mut File, exchange: &Exchange, trace: &Trace) {
    let Request { method, url, headers, facts, attributes, choices, .. } = &trace.request;
    file.field(3, "url", &yaml(url));
    if method != "GET" {
        file.field(3, "method", &yaml(method));
    }
    file.field(3, "now", &yaml(&now(trace)));
    let headers = headers.iter().filter(|header| !NOISE.contains(&header.name.as_str()));
    file.headers(3, &headers.cloned().collect::<Vec<_>>());
    file.fields("facts", facts.iter().map(|(name, value)| (name.as_str(), yaml(value))));
    let is_variant =
        |name: &str| trace.decisions.iter().any(|it| it.name.strip_prefix("variants.") == Some(name));
    let (variants, flags): (Vec<_>, Vec<_>) = choices.iter().partition(|(name, _)| is_variant(name));
    file.fields("variants", variants.iter().map(|(name, value)| (name.as_str(), yaml(value))));
    file.fields("flags", flags.iter().map(|(name, value)| (name.as_str(), json_or_text(value))));
    file.fields("attributes", attributes.iter().map(|(name, value)| (name.as_str(), flow(value))));
    if let Some((status, _)) = &exchange.from_origin {
        file.field(3, "response", "");
        file.field(4, "status", status.as_str());
        file.headers(4, &came(trace));
    }
    match sides::before(exchange) {
        Some(page) if page.len() <= MAX_INLINE_BYTES => file.field(3, "html", &yaml_block(&page, 8)),
        Some(_) => {
            file.field(
                3,
                "page",
                "page.html  # too long to stand here: save it from the panel beside this file",
            );
        }
        None => {}
    }
}

fn expected(file: &mut File, exchange: &Exchange, trace: &Trace) {
    match &trace.route {
        Some(route) => file.field(3, "route", &yaml(route)),
        None => file.field(3, "status", exchange.status.as_str()),
    }
    let decided = |prefix: &'static str| {
        let decisions = trace.decisions.iter();
        decisions.filter_map(move |it| Some((it.name.strip_prefix(prefix)?, it.value.as_str())))
    };
    file.fields("decisions", decided("variants.").map(|(name, value)| (name, yaml(value))));
    file.fields("flags", decided("flags.").map(|(name, value)| (name, json_or_text(value))));
    let patches = trace.patches.iter();
    file.fields("patches", patches.filter_map(|patch| Some((patch.name.as_str(), yaml(&outcome(patch)?)))));
}

/// What is expected of a patch; nothing where that is not known, or not one thing.
fn outcome(patch: &Patch) -> Option<String> {
    if !patch.eligible {
        return Some("not_eligible".to_owned());
    }
    match patch.outcomes.as_slice() {
        [one] => Some(one.state.clone()),
        _ => None,
    }
}

/// YAML as it is written: values come as it takes them.
#[derive(Debug, Default)]
struct File(String);

impl File {
    fn field(&mut self, depth: usize, name: &str, value: &str) {
        let space = if value.is_empty() { "" } else { " " };
        // Writing to memory does not fail.
        let _ = writeln!(self.0, "{}{name}:{space}{value}", "  ".repeat(depth));
    }

    /// A map in what is given or expected; none where nothing is in it.
    fn fields<'f>(&mut self, name: &str, fields: impl Iterator<Item = (&'f str, String)>) {
        let mut fields = fields.peekable();
        if fields.peek().is_some() {
            self.field(3, name, "");
        }
        fields.for_each(|(name, value)| self.field(4, &yaml(name), &value));
    }

    /// Headers, which are sorted by name; those that come more than once as lists.
    fn headers(&mut self, depth: usize, headers: &[Header]) {
        if !headers.is_empty() {
            self.field(depth, "headers", "");
        }
        for lines in headers.chunk_by(|one, other| one.name == other.name) {
            let values: Vec<String> = lines.iter().map(|header| yaml(&header.value)).collect();
            let value = if values.len() == 1 { values.concat() } else { format!("[{}]", values.join(", ")) };
            let name = lines.first().map(|header| yaml(&header.name)).unwrap_or_default();
            self.field(depth.saturating_add(1), &name, &value);
        }
    }
}

/// A value on one line.
fn flow(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), yaml)
}

fn json_or_text(text: &str) -> String {
    serde_json::from_str::<Value>(text).map_or_else(|_| yaml(text), |value| flow(&value))
}
