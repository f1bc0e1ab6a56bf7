//! Generated documents and patches.

use std::fmt::Write as _;

use crate::generate;
use crate::judge::{Judge, Verdict};
use crate::random::Random;
use crate::shrink::shrink;
use crate::summary::Summary;
use engraft_oracle::dom::Dom;
use engraft_oracle::operation::Patch;

/// How many cases are run if nobody says.
const CASES: u64 = 28_000;

/// So many patches are tried on a document.
const PATCHES: u64 = 4;

/// One case in so many is also run in pieces.
const CUT: usize = 8;

/// So many smaller documents are tried to find the smallest that goes wrong.
const TRIES: usize = 600;

/// What the judge does not see.
const CUTS: &str = "the output depends on how the source was cut";
const PROBED: &str = "a probe changes the page, or tells something else than the patch";

/// What to run.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    cases: u64,
    pub(crate) only: Option<u64>,
    shown: usize,
}

impl Plan {
    pub(crate) fn from_environment() -> Result<Self, String> {
        let number = |name: &str| match std::env::var(name) {
            Ok(text) => {
                text.parse::<u64>().map(Some).map_err(|_| format!("{name} is {text:?}, not a number"))
            }
            Err(_) => Ok(None),
        };
        let shown = number("ENGRAFT_TREE_SHOW")?.unwrap_or(3);
        Ok(Self {
            seed: number("ENGRAFT_TREE_SEED")?.unwrap_or(1),
            cases: number("ENGRAFT_TREE_CASES")?.unwrap_or(CASES),
            only: number("ENGRAFT_TREE_ONLY")?,
            shown: usize::try_from(shown).unwrap_or(usize::MAX),
        })
    }
}

/// Runs every `shares`th document, from the one with the number `share` on. Also gives what went wrong, in words.
pub(crate) fn run(plan: &Plan, share: u64, shares: u64) -> Result<(Summary, String), String> {
    let (judge, mut summary, mut failures) = (Judge::default(), Summary::default(), String::new());
    let mut shown = 0;
    let documents = plan.cases.div_ceil(PATCHES);
    for number in (share..documents).step_by(usize::try_from(shares).unwrap_or(1)) {
        if plan.only.is_some_and(|only| only / PATCHES != number) {
            continue;
        }
        let mut random = Random::of(plan.seed, number);
        let tokens = generate::document(&mut random);
        let document = tokens.concat();
        if is_beyond_the_judge(&document) {
            continue;
        }
        let dom = Dom::parse(document.as_bytes());
        for case in number * PATCHES..(number + 1) * PATCHES {
            let patch = generate::patch(&mut random, &dom)?;
            let cut = random.below(CUT) == 0;
            let seed = random.next();
            if plan.only.is_some_and(|only| only != case) || case >= plan.cases {
                continue;
            }
            let judgement = judge.judge(document.as_bytes(), &dom, &patch)?;
            let mut wrong = match judgement.verdict {
                Verdict::Wrong(how) => Some(how),
                _ => None,
            };
            if wrong.is_none() && cut && !judge.is_blind_to_cuts(document.as_bytes(), &patch, seed)? {
                wrong = Some(CUTS);
            }
            if wrong.is_none() && !judge.is_probed(document.as_bytes(), &patch, seed)? {
                wrong = Some(PROBED);
            }
            let verdict = wrong.map_or_else(|| judgement.verdict.clone(), Verdict::Wrong);
            summary.count(&verdict, patch.operations[0].name());
            let Some(how) = wrong else { continue };
            if shown < plan.shown {
                shown += 1;
                let _ = writeln!(
                    failures,
                    "case {case} (ENGRAFT_TREE_SEED={} ENGRAFT_TREE_ONLY={case})",
                    plan.seed
                );
                let fails = |document: &str, patch: &Patch| goes_wrong(&judge, document, patch, how, seed);
                let alone = patch
                    .operations
                    .iter()
                    .map(|operation| Patch { operations: vec![operation.clone()], ..patch.clone() });
                let patch = alone.into_iter().find(|alone| fails(&document, alone)).unwrap_or(patch);
                let smallest = shrink(tokens.clone(), TRIES, |document| fails(document, &patch));
                failures.push_str(&explain(&judge, &smallest, &patch, how)?);
            }
        }
    }
    if summary.tells_too_little() {
        failures.push_str("too many cases in which the judge can't tell which elements were left out\n");
    }
    if summary.wrong > 0 {
        let _ = writeln!(failures, "{} are wrong in this share", summary.wrong);
    }
    Ok((summary, failures))
}

/// html5ever 0.40 does not count SVG's and MathML's elements among the special ones, as the standard does: an item of a list
/// in them closes one around them. And an end tag of the body in them means nothing, which the judge does not see.
fn is_beyond_the_judge(document: &str) -> bool {
    let lower = document.to_ascii_lowercase();
    let in_a_tag = |at: usize| lower.get(..at).is_some_and(|before| before.rfind('<') > before.rfind('>'));
    if ["</body>", "</html>"].iter().any(|tag| lower.match_indices(tag).any(|(at, _)| in_a_tag(at))) {
        return true;
    }
    // The tag of a body that is there already: its attributes go to the first one, whose place is long out.
    let head = ["html", "head", "title", "meta", "link", "script", "style", "base", "template", "noscript"];
    let before = |at: usize| lower.get(..at).unwrap_or_default();
    let is_late = |at: usize| {
        before(at).match_indices('<').any(|(at, _)| {
            let rest = lower.get(at + 1..).unwrap_or_default();
            let name = rest.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
            !name.is_empty() && !head.contains(&name)
        })
    };
    if ["<body ", "<html "].iter().any(|tag| lower.match_indices(tag).any(|(at, _)| is_late(at))) {
        return true;
    }
    let point = ["<foreignobject", "<desc", "<annotation-xml", "<mi", "<mo", "<mn", "<ms", "<mtext"];
    let in_svg = lower.find("<svg").and_then(|at| Some(at + lower.get(at..)?.find("<title")?));
    let inside = point.iter().filter_map(|tag| lower.find(tag)).chain(in_svg).min();
    let after = inside.and_then(|at| lower.get(at..)).unwrap_or_default();
    let names = ["<li>", "<li ", "<dd", "<dt", "</body", "</html", "</m"];
    names.iter().any(|tag| after.contains(tag)) || after.contains("<annotation-xml")
}

/// Whether a document goes wrong in this way.
fn goes_wrong(judge: &Judge, document: &str, patch: &Patch, how: &str, seed: u64) -> bool {
    if how == CUTS {
        return matches!(judge.is_blind_to_cuts(document.as_bytes(), patch, seed), Ok(false));
    }
    if how == PROBED {
        return matches!(judge.is_probed(document.as_bytes(), patch, seed), Ok(false));
    }
    let judgement = judge.judge(document.as_bytes(), &Dom::parse(document.as_bytes()), patch);
    judgement.is_ok_and(|judgement| matches!(judgement.verdict, Verdict::Wrong(it) if it == how))
}

/// What happens to a document, to be read by a person.
pub(crate) fn explain(judge: &Judge, document: &str, patch: &Patch, how: &str) -> Result<String, String> {
    let dom = Dom::parse(document.as_bytes());
    let judgement = judge.judge(document.as_bytes(), &dom, patch)?;
    let output = String::from_utf8_lossy(&judgement.output);
    let mut out = String::new();
    let _ = writeln!(out, "{how}; {} match; {}", judgement.matched, judgement.outcome);
    let _ = writeln!(out, "  patch     {}", patch.to_json());
    let _ = writeln!(out, "  document  {document:?}");
    let _ = writeln!(out, "  output    {output:?}");
    let _ = writeln!(out, "the source's tree:\n{}", dom.dump());
    if let Some(expected) = judgement.expected {
        let _ = writeln!(out, "the tree that is right:\n{}", expected.dump());
    }
    let _ = writeln!(out, "the output's tree:\n{}", Dom::parse(&judgement.output).dump());
    Ok(out)
}
