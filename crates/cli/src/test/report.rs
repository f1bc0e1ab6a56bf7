//! The outcome of a round, as people and programs read it.

pub(super) mod human;
pub(super) mod json;
pub(super) mod junit;
pub(super) mod tap;

use super::outcome::{Complaint, Mismatch};

/// Something that does not hold, as text: `expect.status (line 9): …`, and lines of a difference.
fn told(complaint: &Complaint) -> String {
    let place = place(complaint);
    match &complaint.what {
        Mismatch::Says(message) => format!("{place}: {message}"),
        Mismatch::Differs { expected, found } => {
            format!("{place}\n{}", crate::diff::plain(expected, found))
        }
    }
}

/// Which expectation, without the number of its scenario, and where it is written.
fn place(complaint: &Complaint) -> String {
    let path = complaint.path.to_string();
    let path = path
        .strip_prefix("scenarios[")
        .and_then(|rest| rest.split_once(']'))
        .map_or(&*path, |(_, rest)| rest);
    let path = path.trim_start_matches('.');
    let path = if path.is_empty() { "the exchange" } else { path };
    match complaint.at {
        Some(at) => format!("{path} (line {})", at.line),
        None => path.to_owned(),
    }
}
