//! Real pages with ordinary selectors: right, and hardly anything skipped.
//!
//! The pages are not part of this repository; where they are absent, the tests say so and pass.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;

use libtest_mimic::Trial;

use crate::judge::{Judge, Verdict};
use crate::summary::Summary;
use engraft_oracle::dom::Dom;
use engraft_oracle::operation::{Operation, Patch};

const PAGES: [&str; 3] = ["cloudflare.com.html", "ecma402-spec.html", "html-parsing-spec.html"];

const SELECTORS: &[&str] = &[
    "p",
    "li",
    "h1",
    "h2",
    "a",
    "div",
    "dt",
    "dd",
    "td",
    "tr",
    "span",
    "code",
    "ul",
    "table",
    "title",
    "body",
    "section > p",
    "ul > li",
    "nav a",
    "dl > dd",
    "table td",
    "p:nth-child(2)",
    "li:first-child",
    "p:not([class])",
];

/// Tried without elements that can't have content.
const ANY: &[&str] = &["[id]", "[class]", "a[href]", "img", "meta", "link", "h2, h3"];

/// Of a hundred elements that match, so many may be skipped.
const MAX_SKIPPED_PERCENT: usize = 1;

/// A test for each page.
pub(crate) fn trials() -> Vec<Trial> {
    let trial = |page: &'static str| {
        let name = page.split('.').next().unwrap_or(page).replace('-', "_");
        Trial::test(format!("pages::{name}"), move || run(page).map_err(Into::into))
    };
    PAGES.into_iter().map(trial).collect()
}

fn run(name: &str) -> Result<(), String> {
    // Not by `eprintln!`: what a passing test prints is not shown.
    let mut report = std::io::stderr();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/pages").join(name);
    let Ok(page) = std::fs::read(path) else {
        let _ = writeln!(report, "SKIPPED: ../shared/pages/{name} is absent");
        return Ok(());
    };
    let (judge, dom, mut summary) = (Judge::default(), Dom::parse(&page), Summary::default());
    let (mut matched, mut left_out, mut failures) = (0, 0, Vec::new());
    let mut skips: BTreeMap<String, usize> = BTreeMap::new();
    for patch in patches() {
        let judgement = judge.judge(&page, &dom, &patch)?;
        let what = format!("{} {}", patch.select, patch.operations[0].name());
        summary.count(&judgement.verdict, &what);
        matched += judgement.matched;
        left_out += judgement.left_out;
        if judgement.left_out > 0 {
            *skips.entry(format!("{what} ({})", judgement.outcome)).or_default() += judgement.left_out;
        }
        if let Verdict::Wrong(how) = judgement.verdict {
            let actual = Dom::parse(&judgement.output).dump();
            let expected = judgement.expected.map(|dom| dom.dump()).unwrap_or_default();
            failures.push(format!(
                "{how}: {}\n{}\n{}",
                patch.to_json(),
                judgement.outcome,
                first_difference(&expected, &actual)
            ));
        }
    }
    let _ = writeln!(report, "{name}: {left_out} of {matched} elements skipped; {summary}");
    if left_out * 100 > matched * MAX_SKIPPED_PERCENT {
        let mut skips: Vec<_> = skips.into_iter().collect();
        skips.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
        let skips: Vec<String> = skips.iter().take(20).map(|(what, n)| format!("  {n} of {what}")).collect();
        failures.push(format!("{left_out} of {matched} elements were skipped:\n{}", skips.join("\n")));
    }
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\n")) }
}

fn patches() -> Vec<Patch> {
    let of_content = [
        Operation::Text("A & B".to_owned()),
        Operation::Html("<b>new</b>".to_owned()),
        Operation::Append("<b>!</b>".to_owned()),
        Operation::Prepend("<b>!</b>".to_owned()),
    ];
    let of_any = [
        Operation::After("<!--n-->".to_owned()),
        Operation::Before("<!--n-->".to_owned()),
        Operation::Remove,
        Operation::AddClass("new".to_owned()),
        Operation::SetAttribute("title".to_owned(), "A & \"B\"".to_owned()),
    ];
    let mut patches = Vec::new();
    let mut add = |select: &str, operation: &Operation| {
        // The tree always has these two.
        if select == "body"
            && matches!(operation, Operation::Remove | Operation::Before(_) | Operation::After(_))
        {
            return;
        }
        patches.push(Patch { select: select.to_owned(), all: true, operations: vec![operation.clone()] });
    };
    for select in SELECTORS {
        // Neither markup nor elements can stand in a title; text can, and between rows nothing can.
        let only_text = *select == "title";
        let only_rows = matches!(*select, "tr" | "table" | "ul");
        for operation in of_content.iter().filter(|it| !only_text || matches!(it, Operation::Text(_))) {
            if !only_rows {
                add(select, operation);
            }
        }
        of_any.iter().for_each(|operation| add(select, operation));
    }
    for select in ANY {
        of_any.iter().for_each(|operation| add(select, operation));
    }
    patches
}

fn first_difference(expected: &str, actual: &str) -> String {
    let (expected, actual): (Vec<&str>, Vec<&str>) = (expected.lines().collect(), actual.lines().collect());
    let at = expected.iter().zip(&actual).take_while(|(a, b)| a == b).count();
    let around = |lines: &[&str]| {
        let part = lines.get(at.saturating_sub(3)..(at + 3).min(lines.len())).unwrap_or_default();
        part.iter().map(|line| line.chars().take(200).collect::<String>()).collect::<Vec<_>>().join("\n")
    };
    format!("right:\n{}\nbut is:\n{}", around(&expected), around(&actual))
}
