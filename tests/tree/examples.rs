//! Documents written by hand, one for each rule of the standard that makes the tree differ from what the source looks like.
//!
//! A file of `tests/data/tree`:
//!
//! ```yaml
//! page: |
//!   <p>one<div>two</div>
//! applied:                       # right, and not skipped: every element that matches
//! - { select: p, all: true, append: "<b>!</b>" }
//! ```
//!
//! Besides, every operation is tried on every type, class and id of the document, and is right or skipped with a reason.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use engraft::config::source;
use libtest_mimic::Trial;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::generated::explain;
use crate::judge::{Judge, Verdict};
use crate::shrink::{shrink, tokens};
use engraft_oracle::dom::Dom;
use engraft_oracle::operation::{Operation, Patch};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Example {
    page: String,
    #[serde(default)]
    applied: Vec<Map<String, Value>>,
}

/// A test for each file.
pub(crate) fn trials() -> Result<Vec<Trial>, String> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/tree");
    let entries = fs::read_dir(&dir).map_err(|error| format!("{}: {error}", dir.display()))?;
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    let trial = |path: PathBuf| {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Trial::test(format!("examples::{name}"), move || run(&path).map_err(Into::into))
    };
    Ok(paths.into_iter().map(trial).collect())
}

fn run(path: &Path) -> Result<(), String> {
    let bytes = fs::read(path).map_err(|error| error.to_string())?;
    let document = source::read(&bytes).map_err(|problems| problems.to_string())?;
    let example: Example = document.decode().map_err(|problems| problems.to_string())?;
    // The last line break is YAML's.
    let page = example.page.strip_suffix('\n').unwrap_or(&example.page);
    let (judge, dom) = (Judge::default(), Dom::parse(page.as_bytes()));
    let mut failures = Vec::new();
    for patch in &example.applied {
        let patch = read(patch)?;
        let judgement = judge.judge(page.as_bytes(), &dom, &patch)?;
        if judgement.verdict != Verdict::Right {
            failures.push(explain(&judge, page, &patch, &format!("{:?}, not right", judgement.verdict))?);
        }
    }
    for patch in patches(&dom) {
        let judgement = judge.judge(page.as_bytes(), &dom, &patch)?;
        if let Verdict::Wrong(how) = judgement.verdict
            && failures.len() < 5
        {
            let fails = |page: &str| {
                let judgement = judge.judge(page.as_bytes(), &Dom::parse(page.as_bytes()), &patch);
                judgement.is_ok_and(|it| it.verdict == Verdict::Wrong(how))
            };
            failures.push(explain(&judge, &shrink(tokens(page), 300, fails), &patch, how)?);
        }
    }
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\n")) }
}

fn read(fields: &Map<String, Value>) -> Result<Patch, String> {
    let mut patch = Patch { select: String::new(), all: false, operations: Vec::new() };
    for (key, value) in fields {
        let text = || value.as_str().map(str::to_owned).ok_or_else(|| format!("{key}: not a text"));
        match key.as_str() {
            "select" => patch.select = text()?,
            "all" => patch.all = value == true,
            "attributes" | "class" => {
                let mut entries = value.as_object().into_iter().flatten();
                let (verb, what) = entries.next().ok_or("nothing to set, to add or to remove")?;
                let name = || what[0].as_str().unwrap_or_default().to_owned();
                patch.operations.push(match (key.as_str(), verb.as_str()) {
                    ("class", "add") => Operation::AddClass(name()),
                    ("class", _) => Operation::RemoveClass(name()),
                    (_, "remove") => Operation::RemoveAttribute(name()),
                    _ => {
                        let (name, value) =
                            what.as_object().and_then(|set| set.iter().next()).ok_or("nothing to set")?;
                        Operation::SetAttribute(name.clone(), value.as_str().unwrap_or_default().to_owned())
                    }
                });
            }
            "rename" => patch.operations.push(Operation::Rename(text()?)),
            "text" => patch.operations.push(Operation::Text(text()?)),
            "html" => patch.operations.push(Operation::Html(text()?)),
            "prepend" => patch.operations.push(Operation::Prepend(text()?)),
            "append" => patch.operations.push(Operation::Append(text()?)),
            "before" => patch.operations.push(Operation::Before(text()?)),
            "after" => patch.operations.push(Operation::After(text()?)),
            "replace" => patch.operations.push(Operation::Replace(text()?)),
            "remove" => patch.operations.push(Operation::Remove),
            "unwrap" => patch.operations.push(Operation::Unwrap),
            _ => return Err(format!("{key} is not known here")),
        }
    }
    Ok(patch)
}

/// Every operation on every type, class and id of the document.
fn patches(dom: &Dom) -> Vec<Patch> {
    let mut selectors = BTreeSet::new();
    for id in dom.elements() {
        let Some(element) = dom.element(id) else { continue };
        if !element.in_html() || element.name.local.chars().all(|char| char.is_ascii_alphanumeric()) {
            selectors.insert(element.name.local.to_string());
        }
        let classes = element.attribute("class").unwrap_or_default().split_ascii_whitespace();
        selectors.extend(classes.map(|class| format!(".{class}")));
        selectors.extend(element.attribute("id").map(|id| format!("#{id}")));
    }
    let mut patches = Vec::new();
    for select in selectors {
        for operation in operations() {
            for all in [true, false] {
                patches.push(Patch { select: select.clone(), all, operations: vec![operation.clone()] });
            }
        }
    }
    patches
}

/// One of each kind, with content that fits nearly everywhere and content that does not.
fn operations() -> Vec<Operation> {
    let fits = || "<b class=\"n\">new</b>".to_owned();
    let breaks = || "<p>new</p>".to_owned();
    vec![
        Operation::Remove,
        Operation::Unwrap,
        Operation::Text("A & <b>".to_owned()),
        Operation::Html(fits()),
        Operation::Html(breaks()),
        Operation::Prepend(fits()),
        Operation::Append(fits()),
        Operation::Append(breaks()),
        Operation::Before(fits()),
        Operation::Before(breaks()),
        Operation::After(fits()),
        Operation::After("text".to_owned()),
        Operation::Replace(fits()),
        Operation::Replace(breaks()),
        Operation::Rename("div".to_owned()),
        Operation::Rename("span".to_owned()),
        Operation::SetAttribute("data-new".to_owned(), "1".to_owned()),
        Operation::SetAttribute("title".to_owned(), "\"a' & b".to_owned()),
        Operation::RemoveAttribute("id".to_owned()),
        Operation::AddClass("new".to_owned()),
        Operation::RemoveClass("a".to_owned()),
    ]
}
