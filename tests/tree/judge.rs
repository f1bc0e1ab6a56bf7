//! One patch on one document, through the core, and whether what came out is right.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use engraft::engine::Engine;
use engraft::exchange::report::{BodyState, PatchReport, Report};
use engraft::exchange::{self, Body, Next};
use engraft::html::charset::Charset;
use engraft::html::editor::Editor;
use engraft::html::locate::Bounds;
use engraft::html::outcome::Skip;
use engraft::patch::Action;
use engraft::request::RequestHead;
use engraft::request::attributes::Values;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::json;

use crate::random::Random;
use engraft_oracle::dom::{Dom, Id};
use engraft_oracle::operation::Patch;

/// Of so many elements every choice is tried.
const MAX_TRIED: usize = 11;

/// Of so many elements each is tried alone.
const MAX_TRIED_ALONE: usize = 100;

/// Of more elements, so many may have been left out.
const MAX_LEFT_OUT: usize = 60;

/// What is thought of an output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The tree is the one that the operation makes of the source's.
    Right,
    /// Nothing matches, and the output is the source.
    Untouched,
    /// Some elements were left out, for this reason; the rest is right.
    Skipped(String),
    /// Some elements were left out, and which is more than can be tried.
    Untold,
    /// None of these.
    Wrong(&'static str),
    /// The configuration is not taken.
    Refused(String),
}

/// An output, and what is thought of it.
pub(crate) struct Judgement {
    pub(crate) verdict: Verdict,
    pub(crate) output: Vec<u8>,
    /// What the report says of the patch.
    pub(crate) outcome: String,
    /// Elements that match.
    pub(crate) matched: usize,
    /// Elements that were left out, those in elements that are gone anyway not counted.
    pub(crate) left_out: usize,
    /// The tree that the output should have.
    pub(crate) expected: Option<Dom>,
}

/// What the report tells about one patch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Told {
    applied: usize,
    skipped: BTreeMap<String, usize>,
    search_ended: Option<String>,
}

impl Told {
    fn of(report: Option<&PatchReport>) -> Self {
        let Some(outcome) = report.and_then(|report| report.outcome.as_ref()) else { return Self::default() };
        let count = |n: u32| usize::try_from(n).unwrap_or(usize::MAX);
        Self {
            applied: count(outcome.applied),
            skipped: outcome.skipped.iter().map(|(reason, n)| (reason.to_string(), count(*n))).collect(),
            search_ended: outcome.search_ended.map(|reason| reason.to_string()),
        }
    }

    /// So many applied, so many skipped.
    pub(crate) fn new(applied: usize, skipped: usize) -> Self {
        let skipped = (skipped > 0).then(|| ("unclosed".to_owned(), skipped));
        Self { applied, skipped: skipped.into_iter().collect(), search_ended: None }
    }

    fn reason(&self) -> Option<String> {
        let skipped = self.skipped.keys().find(|reason| *reason != COVERED);
        skipped.or_else(|| self.skipped.keys().next()).cloned().or_else(|| self.search_ended.clone())
    }
}

/// The reason that is no loss: the element is gone with what it lies in.
const COVERED: &str = "covered";

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "applied {}, skipped {:?}", self.applied, self.skipped)?;
        if let Some(reason) = &self.search_ended {
            write!(f, ", search ended: {reason}")?;
        }
        Ok(())
    }
}

/// Runs patches, each compiled once.
#[derive(Default)]
pub(crate) struct Judge {
    engines: Mutex<HashMap<String, Result<Arc<Engine>, String>>>,
}

impl Judge {
    fn engine(&self, patch: &Patch) -> Result<Arc<Engine>, String> {
        let patch = patch.to_json();
        let key = patch.to_string();
        let mut engines = self.engines.lock().unwrap_or_else(PoisonError::into_inner);
        let engine = engines.entry(key).or_insert_with(|| {
            let config = json!({
                "version": 1,
                "limits": { "max_held_bytes": 1_048_576, "max_elements": 100_000 },
                "routes": [{ "name": "a", "patches": [patch] }],
            });
            let loaded = Engine::load(config.to_string().as_bytes());
            loaded.map(|loaded| Arc::new(loaded.engine)).map_err(|problems| problems.to_string())
        });
        engine.clone()
    }

    /// Runs `patch` on `source`, whose tree is `dom`.
    pub(crate) fn judge(&self, source: &[u8], dom: &Dom, patch: &Patch) -> Result<Judgement, String> {
        let engine = match self.engine(patch) {
            Ok(engine) => engine,
            Err(problems) => {
                return Ok(Judgement {
                    verdict: Verdict::Refused(problems),
                    output: Vec::new(),
                    outcome: String::new(),
                    matched: 0,
                    left_out: 0,
                    expected: None,
                });
            }
        };
        let matches = patch.matches(dom)?;
        let (output, told) = run(&engine, source, std::iter::empty())?;
        let expected = patch.apply(dom, &matches);
        let verdict = verdict(source, dom, patch, &matches, &expected, &output, &told);
        let covered = told.skipped.get(COVERED).copied().unwrap_or_default();
        let left_out = match verdict {
            Verdict::Right | Verdict::Untouched => 0,
            _ => matches.len().saturating_sub(told.applied.saturating_add(covered)),
        };
        Ok(Judgement {
            verdict,
            output,
            outcome: told.to_string(),
            matched: matches.len(),
            left_out,
            expected: Some(expected),
        })
    }

    /// Whether the output and the report are the same when the source comes in pieces.
    pub(crate) fn is_blind_to_cuts(&self, source: &[u8], patch: &Patch, seed: u64) -> Result<bool, String> {
        let Ok(engine) = self.engine(patch) else { return Ok(true) };
        let whole = run(&engine, source, std::iter::empty())?;
        let mut random = Random::new(seed);
        let longest = [1, 3, 17, 200][random.below(4)];
        let cuts = std::iter::repeat_with(|| random.below(longest) + 1);
        Ok(run(&engine, source, cuts)? == whole)
    }
}

impl Judge {
    /// Whether a probe of the patch leaves the source as it is, and tells of it what the patch tells.
    pub(crate) fn is_probed(&self, source: &[u8], patch: &Patch, seed: u64) -> Result<bool, String> {
        let Ok(engine) = self.engine(patch) else { return Ok(true) };
        let Some(Action::Elements(edits)) =
            engine.routes().first().and_then(|route| route.patches.first()).map(|patch| &patch.action)
        else {
            return Err("a patch that is not on elements".to_owned());
        };
        let mut random = Random::new(seed);
        let longest = [1, 17, 200, source.len().max(1)][random.below(4)];
        let mut cuts = std::iter::repeat_with(|| random.below(longest) + 1);
        let bounds = Bounds { max_tag_bytes: 1 << 17, max_elements: 100_000, max_undecided_bytes: 1 << 20 };
        let utf8 = Charset::from_label(b"utf-8").ok_or("no UTF-8")?;
        let pass = |patch, sizes: &mut dyn Iterator<Item = usize>| {
            let mut editor = Editor::new(vec![patch], utf8, bounds, 1 << 20);
            let (mut out, mut rest) = (Vec::new(), source);
            while !rest.is_empty() {
                let (chunk, after) = rest.split_at(sizes.next().unwrap_or(rest.len()).min(rest.len()));
                rest = after;
                let kept = editor.write(chunk, &mut out);
                out.extend_from_slice(&chunk[chunk.len() - kept..]);
            }
            editor.end(&mut out);
            (out, editor.outcomes())
        };
        for edit in edits {
            let rendered = || edit.render(&Values::default(), utf8);
            let (_, mut real) = pass(rendered(), &mut std::iter::empty());
            let (out, probed) = pass(rendered().probe(), &mut cuts);
            for outcome in &mut real {
                // What a patch takes away from itself the probe can't know.
                outcome.applied += outcome.skipped.remove(&Skip::Covered).unwrap_or_default();
            }
            if out != source || probed != real {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// The source through the exchange, in pieces of these sizes, the rest whole.
fn run(
    engine: &Arc<Engine>,
    source: &[u8],
    sizes: impl Iterator<Item = usize>,
) -> Result<(Vec<u8>, Told), String> {
    let request = RequestHead { method: "GET".into(), path: "/".into(), ..RequestHead::default() };
    let (out, report) = pass(engine, &request, source, sizes)?;
    if report.body == BodyState::NotWanted || matches!(report.body, BodyState::Untouched(_)) {
        return Err(format!("the page is not edited: {}", report.summary()));
    }
    Ok((out, Told::of(report.patches.first())))
}

/// What a visitor who asks for this gets of the source, and the report on it.
pub(crate) fn pass(
    engine: &Arc<Engine>,
    request: &RequestHead,
    source: &[u8],
    mut sizes: impl Iterator<Item = usize>,
) -> Result<(Vec<u8>, Report), String> {
    let Next::Forward(forwarded) = exchange::begin(engine, request, &Default::default()).next else {
        return Err("answered without the origin".to_owned());
    };
    let headers: HeaderMap =
        [(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"))].into_iter().collect();
    let mut edits = match forwarded.answer(StatusCode::OK, &headers).body {
        Body::Edited(edits) => edits,
        Body::Passes(report) | Body::NotModified(_, report) => return Ok((source.to_vec(), report)),
    };
    let (mut out, mut rest) = (Vec::with_capacity(source.len()), source);
    while !rest.is_empty() {
        let size = sizes.next().unwrap_or(rest.len()).min(rest.len());
        let (chunk, after) = rest.split_at(size);
        rest = after;
        let kept = edits.write(chunk, &mut out);
        let from = chunk.len().checked_sub(kept).ok_or("more bytes are to follow than there are")?;
        out.extend_from_slice(chunk.get(from..).unwrap_or_default());
    }
    let report = edits.end(&mut out);
    Ok((out, report))
}

/// What is thought of an output, the report on it being `told`.
pub(crate) fn verdict(
    source: &[u8],
    dom: &Dom,
    patch: &Patch,
    matches: &[Id],
    expected: &Dom,
    output: &[u8],
    told: &Told,
) -> Verdict {
    if told.skipped.contains_key("internal") || told.search_ended.as_deref() == Some("internal") {
        return Verdict::Wrong("it reports a bug of its own");
    }
    if matches.is_empty() {
        return match output == source {
            true if told.applied == 0 => Verdict::Untouched,
            true => Verdict::Wrong("nothing matches, and it says that it applied something"),
            false => Verdict::Wrong("nothing matches, and something was changed"),
        };
    }
    let actual = Dom::parse(output);
    if expected.differs_from(&actual).is_none() {
        // Where the operation changes nothing, passing by is as right, if it is said.
        return match told.reason() {
            Some(reason) if told.applied == 0 => Verdict::Skipped(reason),
            _ => Verdict::Right,
        };
    }
    let Some(reason) = told.reason() else {
        return Verdict::Wrong(match output == source {
            true if told.applied == 0 => "it was missed",
            true => "nothing was changed, and it says that it applied something",
            false => "the tree is another one",
        });
    };
    if told.applied == 0 {
        return match output == source {
            true => Verdict::Skipped(reason),
            false => Verdict::Wrong("it says that it skipped all, and something was changed"),
        };
    }
    match explained(dom, patch, matches, told.applied, &actual) {
        true => Verdict::Skipped(reason),
        false if matches.len() > MAX_TRIED && matches.len() <= MAX_TRIED_ALONE => Verdict::Untold,
        false => Verdict::Wrong("some were skipped, and for the others the tree is another one"),
    }
}

/// Whether some choice among `matches` gives the tree `actual`. Where there are too many to try all, it has to be a likely one.
pub(crate) fn explained(dom: &Dom, patch: &Patch, matches: &[Id], applied: usize, actual: &Dom) -> bool {
    // How far the tree of a choice agrees.
    let differs = |chosen: &[Id]| patch.apply(dom, chosen).differs_from(actual);
    // A search that ended leaves out the rest.
    if differs(matches.get(..applied).unwrap_or(matches)).is_none() {
        return true;
    }
    if matches.len() <= MAX_TRIED {
        let mut choices: Vec<u32> = (1..1_u32 << matches.len()).collect();
        let size = |choice: &u32| usize::try_from(choice.count_ones()).unwrap_or_default();
        choices.sort_by_key(|choice| size(choice).abs_diff(applied));
        let chosen = |choice: &u32| -> Vec<Id> {
            let numbered = (0_u32..).zip(matches);
            numbered.filter(|(bit, _)| (choice >> bit) & 1 == 1).map(|(_, id)| *id).collect()
        };
        return choices.iter().any(|choice| differs(&chosen(choice)).is_none());
    }
    // What is done at an element's start and what is done at its end stand in the tree in different orders.
    let in_order = |chosen: &[Id]| {
        let chosen: BTreeSet<Id> = chosen.iter().copied().collect();
        let chosen: Vec<Id> = matches.iter().copied().filter(|id| chosen.contains(id)).collect();
        differs(&chosen)
    };
    by_bisection(matches.to_vec(), in_order)
        || by_bisection(dom.by_end(matches), in_order)
        || (matches.len() <= MAX_TRIED_ALONE && by_improvement(matches.to_vec(), differs))
}

/// Leaves out one element after the other, always the one without which the trees agree for longest.
fn by_improvement(mut chosen: Vec<Id>, differs: impl Fn(&[Id]) -> Option<usize>) -> bool {
    let Some(mut agree) = differs(&chosen) else { return true };
    loop {
        let without = |at: usize| {
            let mut fewer = chosen.clone();
            fewer.remove(at);
            (differs(&fewer).unwrap_or(usize::MAX), fewer)
        };
        match (0..chosen.len()).map(without).max_by_key(|(further, _)| *further) {
            Some((usize::MAX, _)) => return true,
            Some((further, fewer)) if further > agree => (agree, chosen) = (further, fewer),
            _ => return false,
        }
    }
}

/// Leaves out one element after the other, where that makes the trees agree for longer.
fn by_bisection(mut chosen: Vec<Id>, differs: impl Fn(&[Id]) -> Option<usize>) -> bool {
    for _ in 0..MAX_LEFT_OUT {
        let Some(agree) = differs(&chosen) else { return true };
        // The first elements of the choice alone get as far as all only with the one that should not be among them.
        let (mut low, mut high) = (0, chosen.len());
        while low < high {
            let middle = low.midpoint(high);
            let reaches = differs(&chosen[..middle]).is_none_or(|alone| alone >= agree);
            if reaches { high = middle } else { low = middle + 1 }
        }
        let without = |at: usize| {
            let mut fewer = chosen.clone();
            fewer.remove(at);
            fewer
        };
        let suspects = [low, low.saturating_sub(1)].into_iter().filter(|at| *at < chosen.len());
        let better = suspects.map(without).find(|fewer| differs(fewer).is_none_or(|further| further > agree));
        let Some(better) = better else { return false };
        chosen = better;
    }
    false
}
