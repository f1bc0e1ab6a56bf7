//! A configuration in whatever form, or something that is none.
//!
//! Reading it does not panic, and ends. What can be used is used: on a page of many kinds of markup, however that is cut.

use std::sync::Arc;

use engraft::config::source;
use engraft::engine::Engine;

use crate::locate::chunk_blind;
use crate::same;

/// Something for each kind of patch.
const PAGE: &[u8] = include_bytes!("../configurations/page.html");
const DATA: &[u8] = br#"{ "a": { "b": [1, 2.0, { "c": "d" }] }, "l": [], "m": { "n": null }, "title": "x" }"#;

/// Checks a configuration.
///
/// # Errors
/// What does not hold.
pub fn check(bytes: &[u8]) -> Result<(), String> {
    // A tree of values comes from more than the configuration takes.
    let document = source::read(bytes);
    let loaded = match Engine::load(bytes) {
        Ok(loaded) => loaded,
        Err(problems) => {
            let text = problems.to_string();
            return if text.is_empty() { Err("refused without a word".to_owned()) } else { Ok(()) };
        }
    };
    if document.is_err() {
        return Err("loaded, though it can't be read".to_owned());
    }
    let again = Engine::load(bytes).map_err(|problems| format!("once it loads, once not: {problems}"))?;
    same("the digest", &again.engine.digest(), &loaded.engine.digest())?;
    let engine = Arc::new(loaded.engine);
    chunk_blind("page", &engine, &[("content-type", "text/html; charset=utf-8")], PAGE)?;
    chunk_blind("data", &engine, &[("content-type", "application/json")], DATA)
}
