//! What the list says of an exchange.

use engraft::json::script::is_json;
use serde::Serialize;
use serde_json::Value;

use crate::content_type::{essence, is_html};
use crate::serve::live;
use crate::serve::log;
use crate::serve::recent::Exchange;

#[derive(Debug, Serialize)]
struct Row<'e, L: Serialize> {
    /// What the log says.
    #[serde(flatten)]
    line: L,
    kind: Kind,
    /// The page is not what the origin sent.
    edited: bool,
    /// Somebody chose what they saw.
    chosen: bool,
    /// The number of the view that it was in.
    view: Option<&'e str>,
}

/// What people look for: pages, then what pages fetch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Page,
    Data,
    Other,
}

/// A row, without what nobody is to see.
pub(super) fn row(exchange: &Exchange) -> Value {
    let row = Row {
        line: log::summary(exchange),
        kind: kind(exchange),
        edited: exchange.after.is_some() && exchange.report.patches.iter().any(|patch| patch.is_applied()),
        chosen: exchange.report.forced || exchange.view.is_some(),
        view: exchange.view.as_deref(),
    };
    let mut row = serde_json::to_value(row).unwrap_or_default();
    match (&exchange.report.hidden, row.as_object_mut()) {
        (Some(hidden), _) => hidden.scrub_value(&mut row),
        // Every exchange that began knows what is to be hidden.
        (None, Some(members)) => members.retain(|name, _| name != "path"),
        (None, None) => {}
    }
    row
}

fn kind(exchange: &Exchange) -> Kind {
    match essence(&exchange.headers) {
        essence if is_html(&essence) => Kind::Page,
        essence if is_json(&essence) => Kind::Data,
        _ if live::navigates(&exchange.request) => Kind::Page,
        _ => Kind::Other,
    }
}
