//! `engraft decide` against GrowthBook's own JavaScript SDK, on conditions, experiments and features that nobody thought of.
//!
//! Requests are generated from a seed, which is printed; both programs answer them; each decision has to be the same.
//! Where it may not be is listed by name, with the reason, in [`differences`]. `GROWTHBOOK_SEED` and `GROWTHBOOK_CASES`
//! (of each kind) look further.

#![expect(
    clippy::indexing_slicing,
    reason = "indexing JSON gives null for what is not there, and panics fail the test"
)]

mod differences;
mod generate;
mod random;
mod sides;

use std::collections::BTreeMap;
use std::error::Error;
use std::io::Write as _;

use serde_json::Value;

use generate::Kind;
use random::Random;
use sides::Sides;

/// Of each kind.
const CASES: usize = 10_000;
const SEED: u64 = 0x6762_2026_0001;
/// How many differences a failure shows.
const SHOWN: usize = 5;

#[test]
fn decides_as_growthbooks_javascript_sdk() -> Result<(), Box<dyn Error>> {
    // Not `println!`, which the test harness swallows when a test passes.
    let mut report = std::io::stderr();
    let sides = match Sides::find() {
        Ok(sides) => sides,
        Err(missing) => {
            writeln!(report, "SKIPPED: growthbook differential: {missing}")?;
            return Ok(());
        }
    };
    let seed = number("GROWTHBOOK_SEED")?.unwrap_or(SEED);
    let cases = number("GROWTHBOOK_CASES")?.map_or(Ok(CASES), usize::try_from)?;
    let mut found = Vec::new();
    for kind in Kind::ALL {
        let requests: Vec<Value> =
            (0..cases).map(|case| kind.request(&mut Random::of(seed, kind, case))).collect();
        let (ours, theirs) = sides.answer(&requests)?;
        let mut named = BTreeMap::new();
        let before = found.len();
        for (case, request) in requests.iter().enumerate() {
            for difference in differences::between(request, &ours[case], &theirs[case]) {
                match difference.name {
                    Some(name) => *named.entry(name).or_insert(0_usize) += 1,
                    None => found.push(format!("{kind:?} {case}, seed {seed}: {difference}\n{request}")),
                }
            }
        }
        let (differ, positive) =
            (found.len() - before, theirs.iter().map(differences::positive).sum::<usize>());
        writeln!(
            report,
            "{kind:?}: {cases} cases of seed {seed}, {positive} matches or assignments, {differ} differences; by name: {named:?}"
        )?;
    }
    let shown = found.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join("\n\n");
    assert!(found.is_empty(), "{} differences:\n{shown}", found.len());
    Ok(())
}

fn number(variable: &str) -> Result<Option<u64>, Box<dyn Error>> {
    Ok(std::env::var(variable).ok().map(|text| text.parse()).transpose()?)
}
