//! An exchange as commands that run it again, and as a scenario for `engraft test`.
//!
//! They are made of the trace, and of a page that went through what it went through: what is hidden there is hidden here.

use std::fmt::Write as _;

use engraft::explain::trace::{Header, Request, Trace};
use serde::Serialize;
use serde_json::Value;

use super::scenario::scenario;
use crate::args::Url;
use crate::quote::shell;
use crate::serve::recent::Exchange;
use crate::serve::state::State;
use crate::serve::views;

#[derive(Debug, Serialize)]
pub(super) struct Copies {
    render: String,
    curl: String,
    test: String,
}

impl Copies {
    /// `host` is the listener. `None` where nothing is known of the exchange.
    pub(super) fn of(state: &State, exchange: &Exchange, host: &str) -> Option<Self> {
        let trace = exchange.report.trace.as_deref()?;
        Some(Self {
            render: render(state, exchange, trace, host),
            curl: curl(exchange, trace, host),
            test: scenario(state, exchange, trace),
        })
    }
}

/// A command, a line for each argument.
struct Lines(String);

impl Lines {
    fn new(start: &str) -> Self {
        Self(start.to_owned())
    }

    fn arg(&mut self, name: &str, value: &str) {
        let _ = write!(self.0, " \\\n  {name} {}", shell(value));
    }

    fn headers(&mut self, name: &str, headers: &[Header]) {
        for header in headers {
            self.arg(name, &format!("{}: {}", header.name, header.value));
        }
    }
}

fn render(state: &State, exchange: &Exchange, trace: &Trace, host: &str) -> String {
    let Request { method, url, headers, facts, attributes, choices, .. } = &trace.request;
    // Only `explain` sees what somebody chooses; it takes what `render` takes.
    let command = if choices.is_empty() && attributes.is_empty() { "render" } else { "explain" };
    let mut line = if exchange.before.is_some() {
        let page = format!("http://{host}/__engraft/api/exchanges/{}/before", exchange.id);
        Lines::new(&format!("curl -sS {} |\nengraft {command}", shell(&page)))
    } else {
        Lines::new(&format!("engraft {command}"))
    };
    line.arg("--config", &state.config.display().to_string());
    if let Some(payload) = &state.payload {
        line.arg("--payload", &payload.display().to_string());
    }
    line.arg("--url", url);
    if method != "GET" {
        line.arg("--method", method);
    }
    line.headers("-H", headers);
    facts.iter().for_each(|(name, value)| line.arg("--fact", &format!("{name}={value}")));
    line.arg("--now", &now(trace));
    choices.iter().for_each(|(name, value)| line.arg("--force", &format!("{name}:{value}")));
    for (name, value) in attributes {
        let value = plain(value).map(|value| format!("={value}")).unwrap_or_default();
        line.arg("--attribute", &format!("{name}{value}"));
    }
    if let Some((status, _)) = &exchange.from_origin {
        if status.as_u16() != 200 {
            line.arg("--status", status.as_str());
        }
        line.headers("--response-header", &came(trace));
    }
    if exchange.before.is_some() {
        line.arg("--body", "-");
    }
    line.0
}

fn curl(exchange: &Exchange, trace: &Trace, host: &str) -> String {
    let Request { method, url, headers, .. } = &trace.request;
    // Without --globoff brackets and braces are curl's own.
    let mut line = Lines::new("curl --include --globoff");
    let path = url.parse::<Url>().map_or_else(|_| "/".to_owned(), |url| url.path);
    let path = exchange.view.as_ref().map_or_else(|| path.clone(), |id| views::put(&path, id));
    line.arg("--url", &format!("http://{host}{path}"));
    match method.as_str() {
        "GET" => {}
        "HEAD" => line.0.push_str(" \\\n  --head"),
        method => line.arg("--request", method),
    }
    for header in headers {
        // What has no value would be taken away.
        let separator = if header.value.is_empty() { ";" } else { ": " };
        line.arg("--header", &format!("{}{separator}{}", header.name, header.value));
    }
    line.0
}

/// The headers of the origin's answer, but for those of its coding: the page is copied without.
pub(super) fn came(trace: &Trace) -> Vec<Header> {
    let is_of_coding =
        |name: &str| matches!(name, "content-encoding" | "content-length" | "transfer-encoding");
    let headers = trace.response.iter().flat_map(|response| &response.headers);
    headers.filter(|header| !is_of_coding(&header.name)).cloned().collect()
}

/// When it was, in RFC 3339.
pub(super) fn now(trace: &Trace) -> String {
    let millis = i64::try_from(trace.request.now_ms).unwrap_or(i64::MAX);
    jiff::Timestamp::from_millisecond(millis).unwrap_or_default().to_string()
}

/// A value as a header would say it; nothing where there is none.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Array(items) => Some(items.iter().filter_map(plain).collect::<Vec<_>>().join(",")),
        value => Some(value.to_string()),
    }
}
