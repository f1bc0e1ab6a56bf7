//! A page: the bytes of a response, edited by each of `configurations/`.
//!
//! What leaves, and what is told of each patch, does not depend on how the page was cut. Where no patch was applied, the page
//! leaves as it came.

use std::sync::{Arc, LazyLock};

use engraft::engine::Engine;
use engraft::exchange::report::PatchReport;

use crate::cuts;
use crate::exchange::{Left, load, through};
use crate::{same, shown};

const CONFIGURATIONS: [(&str, &str); 5] = [
    ("elements", include_str!("../configurations/elements.yaml")),
    ("few", include_str!("../configurations/few.yaml")),
    ("texts", include_str!("../configurations/texts.yaml")),
    ("pages", include_str!("../configurations/pages.yaml")),
    ("whole", include_str!("../configurations/whole.yaml")),
];

type Engines = Result<Vec<(&'static str, Arc<Engine>)>, String>;

static ENGINES: LazyLock<Engines> = LazyLock::new(|| {
    let engines = CONFIGURATIONS.iter().map(|(name, text)| {
        load(text).map(|engine| (*name, engine)).map_err(|problems| format!("{name}.yaml:\n{problems}"))
    });
    engines.collect()
});

/// Checks a page.
///
/// # Errors
/// What does not hold.
pub fn check(page: &[u8]) -> Result<(), String> {
    for (name, engine) in ENGINES.as_ref().map_err(Clone::clone)? {
        // The one says nothing of the charset: the page is asked.
        let headers = if *name == "few" { "text/html" } else { "text/html; charset=utf-8" };
        chunk_blind(name, engine, &[("content-type", headers)], page)?;
    }
    Ok(())
}

/// That the body comes out the same however it is cut, and as it came where nothing is done to it.
///
/// # Errors
/// What does not hold.
pub fn chunk_blind(
    name: &str,
    engine: &Arc<Engine>,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Result<(), String> {
    let whole = through(engine, headers, &[body]).map_err(|why| format!("{name}: {why}"))?;
    if let Some(whole) = &whole
        && !whole.report.patches.iter().any(PatchReport::is_applied)
    {
        same(format!("{name}: nothing is done"), &shown(&whole.body), &shown(body))?;
    }
    for pieces in cuts::ways(body) {
        let cut = through(engine, headers, &pieces).map_err(|why| format!("{name}, cut: {why}"))?;
        if cut != whole {
            let left =
                |left: &Option<Left>| left.as_ref().map(|left| (shown(&left.body), left.report.clone()));
            let lengths: Vec<usize> = pieces.iter().map(|piece| piece.len()).collect();
            same(format!("{name}: cut into {lengths:?}"), &left(&cut), &left(&whole))?;
        }
    }
    Ok(())
}
