//! What must hold for any input, as functions of bytes: one module for each of the parts that read what others wrote.
//!
//! `tests/seeds.rs` runs them on `seeds/`, which `make test` does; `targets/` has libFuzzer look for inputs that break them,
//! which `make fuzz-smoke` does for a short time. An input that broke one becomes a seed, and so stays a test.

use std::fmt;

pub mod coding;
pub mod configuration;
pub mod cuts;
pub mod exchange;
pub mod json;
pub mod locate;
pub mod payload;
pub mod splice;
pub mod template;

/// A check of one input: what does not hold, if anything.
pub type Check = fn(&[u8]) -> Result<(), String>;

/// The checks, by the names of their seeds' directories.
pub const CHECKS: [(&str, Check); 7] = [
    ("locate", locate::check),
    ("splice", splice::check),
    ("json", json::check),
    ("coding", coding::check),
    ("template", template::check),
    ("configuration", configuration::check),
    ("payload", payload::check),
];

/// That two things are one, where `what` says which.
pub(crate) fn same<T: PartialEq + fmt::Debug>(
    what: impl fmt::Display,
    found: &T,
    expected: &T,
) -> Result<(), String> {
    if found == expected {
        Ok(())
    } else {
        Err(format!("{what}:\n   found {found:?}\nexpected {expected:?}"))
    }
}

/// Bytes as a person reads them.
pub(crate) fn shown(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}
