//! Pages with policies: what is injected works, and nothing else is allowed.

use std::sync::Arc;

use serde_json::json;

use crate::browser::{Asked, Seen};
use crate::site::{self, Page};
use crate::table::{self, Case, Policies};
use crate::{Lab, Test};

/// What the attacks on styles would change.
const ATTACKED: &str = "(({ color, margin, padding, backgroundColor }) => [color, margin, padding, backgroundColor].join())(getComputedStyle(document.getElementById('attacked')))";

/// What they make of it.
const HARMED: &str = "rgb(9, 9, 9),9px,9px,rgb(9, 9, 9)";

pub(crate) fn tests() -> Result<Vec<Test>, String> {
    let Policies { attacks, csp, trusted_types, sri } = table::read("policies.yaml")?;
    let attacks: Arc<str> = attacks.into();
    let mut tests: Vec<Test> = Vec::new();
    for (group, cases) in [("csp", csp), ("trusted_types", trusted_types), ("sri", sri)] {
        for case in cases {
            let attacks = Arc::clone(&attacks);
            let name = format!("{group}::{}", case.name);
            tests.push((name, Box::new(move |lab| judge(lab, &case, &attacks))));
        }
    }
    tests.push((
        "itself::attacks_run_without_a_policy".to_owned(),
        Box::new(move |lab| attack(lab, &attacks)),
    ));
    Ok(tests)
}

fn page(case: &Case, attacks: &str) -> Result<Page, String> {
    let body = format!(
        "<!doctype html><html><head><title>t</title>{}</head><body><p id=styled>s</p>{attacks}</body></html>",
        case.head
    );
    Ok(Page { headers: site::headers(&case.headers)?, body, ..Page::default() })
}

/// Opens a page; gives what its probe reads, and the styles of what the attacks go for.
fn open(lab: &Lab, case: &Case, page: &Page, awaits: &[String]) -> Result<(Seen, String, String), String> {
    let url = lab.site.serve(page);
    let reads = format!("[{}, {ATTACKED}]", case.reads);
    let seen = lab.browser.open(&Asked { url: &url, slots: None, reads: &reads, awaits })?;
    let slot = seen.slots.first().and_then(Option::as_ref).ok_or("there is no document")?;
    let (probe, attacked): (String, String) =
        serde_json::from_str(&slot.read).map_err(|_| format!("the page shows {}", slot.read))?;
    Ok((seen, probe, attacked))
}

fn judge(lab: &Lab, case: &Case, attacks: &str) -> Result<(), String> {
    let source = page(case, attacks)?;
    let (before, _, harmed) = open(lab, case, &source, &[])?;
    let edited = lab.site.edit(&json!({}), &case.patches, &source)?;
    let all: Vec<String> = before.marks.iter().chain(&case.ran).cloned().collect();
    let (after, probe, attacked) = open(lab, case, &edited.page, &all)?;

    let mut problems = Vec::new();
    let mut differ = |what: &str, got: Vec<String>, expected: Vec<String>| {
        if got != expected {
            problems.push(format!("{what}: {got:#?}\nnot: {expected:#?}"));
        }
    };
    differ("what ran", sorted(&after.marks), sorted(&all));
    differ("violations", sorted(&after.violations), sorted(&before.violations));
    differ("errors", sorted(&after.errors), sorted(&before.errors));
    let fetches = before.requests.iter().chain(&case.fetches);
    let relative = |url: &String| url.replace(&format!("http://{}", lab.site.authority()), "");
    // The page itself has another address each time.
    let asked = |urls: Vec<String>| -> Vec<String> {
        let mut urls: Vec<String> = urls.into_iter().filter(|url| !url.starts_with("/p/")).collect();
        urls.sort();
        urls
    };
    differ(
        "asked for",
        asked(after.requests.iter().map(relative).collect()),
        asked(fetches.map(relative).collect()),
    );
    differ("styles of what is attacked", vec![attacked], vec![harmed]);
    if !case.shows.is_empty() {
        differ("shown", vec![probe], vec![case.shows.clone()]);
    }
    differ("outcome", vec![edited.outcome.clone()], vec![case.outcome.clone().unwrap_or(edited.outcome)]);
    if problems.is_empty() {
        return Ok(());
    }
    let policies =
        edited.page.headers.iter().filter(|(name, _)| name.as_str().starts_with("content-security"));
    let policies =
        policies.map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())));
    problems.extend(policies);
    problems.push(edited.page.body);
    Err(problems.join("\n"))
}

fn sorted(lines: &[String]) -> Vec<String> {
    let mut lines = lines.to_vec();
    lines.sort();
    lines
}

/// Without a policy, every attack does what it is there for.
fn attack(lab: &Lab, attacks: &str) -> Result<(), String> {
    let case = Case {
        name: String::new(),
        headers: Vec::new(),
        head: String::new(),
        patches: json!([]),
        ran: Vec::new(),
        reads: "''".to_owned(),
        shows: String::new(),
        fetches: Vec::new(),
        outcome: None,
    };
    let expected: Vec<String> = attacks
        .split("attack:")
        .skip(1)
        .map(|rest| rest.split(['\'', '"']).next().unwrap_or_default())
        .map(|name| format!("attack:{name}"))
        .collect();
    let (seen, _, attacked) = open(lab, &case, &page(&case, attacks)?, &expected)?;
    if sorted(&seen.marks) != sorted(&expected) {
        return Err(format!("ran: {:?}, not {expected:?}", seen.marks));
    }
    match attacked == HARMED {
        true => Ok(()),
        false => Err(format!("the styles are {attacked}, not {HARMED}")),
    }
}
