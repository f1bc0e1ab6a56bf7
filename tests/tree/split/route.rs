//! Routes, made up: patches that are the same for everybody, and patches that are not.

use engraft_oracle::dom::Dom;
use serde_json::{Value, json};

use crate::generate;
use crate::random::Random;

/// What two stages are tried with.
const THEMES: &[(usize, Theme)] =
    &[(3, Theme::Head), (3, Theme::Attributes), (3, Theme::Words), (3, Theme::Added), (2, Theme::Any)];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Theme {
    /// Elements for the head beside patches of anything.
    Head,
    /// Attributes beside content.
    Attributes,
    /// Words beside attributes.
    Words,
    /// Additional content beside attributes.
    Added,
    Any,
}

/// Into the head or the body.
const INJECTIONS: &[(usize, &str)] = &[
    (3, r#"{"title": "New & Old"}"#),
    (3, r#"{"meta": {"name": "description", "content": "new"}}"#),
    (1, r#"{"meta": {"property": "og:title", "content": "new"}}"#),
    (1, r#"{"meta": {"http_equiv": "x-ua-compatible", "content": "IE=edge"}}"#),
    (1, r#"{"meta": {"charset": "utf-8"}}"#),
    (3, r#"{"link": {"rel": "canonical", "href": "/n"}}"#),
    (3, r#"{"link": {"rel": "alternate", "href": "/n", "at": "head_start"}}"#),
    (2, r#"{"script": {"src": "/n.js"}}"#),
    (2, r#"{"script": {"data": {"a": "b"}}}"#),
    (1, r#"{"script": {"inline": "if (a<b) c('</p><p class=a>')", "at": "head_start"}}"#),
    (1, r#"{"style": {"inline": "p > a {}"}}"#),
    (1, r#"{"link": {"rel": "canonical", "href": "/n"}, "title": "New"}"#),
    (2, r#"{"link": {"rel": "canonical", "href": "/n", "at": "body_start"}}"#),
    (2, r#"{"script": {"src": "/n.js", "at": "body_end"}}"#),
    (2, r#"{"link": {"rel": "canonical", "href": "/n", "at": "body_end"}}"#),
];

const FINDS: &[(usize, (&str, &str))] = &[
    (4, ("text", "1 word")),
    (2, ("more words", "\u{e9}t\u{e9}")),
    (2, ("t", "2t")),
    (2, ("x", "3 y ")),
    (1, ("text", "word")),
    (1, ("text", "")),
    (1, (" ", "z")),
    (1, ("words", " ")),
];

/// Where words are looked for.
const AROUND: &[&str] =
    &["body", "p", "div", "title", "main", "section", "li", "h1", ".a", "html", "table", "span"];

/// A selector that names elements that many pages have.
const ITEMS: &[&str] = &[
    "li",
    "ul > li",
    "ul li",
    "dd",
    "dl dt",
    "td",
    "table td",
    "table > tbody > tr > td",
    "pre",
    "li a",
    "li.a",
    "dt",
];

/// The patches of a route, each with a name; not all of them do something on the page.
pub(super) fn route(random: &mut Random, dom: &Dom) -> Result<Vec<Value>, String> {
    let theme = *random.weighted(THEMES);
    let mut patches = Vec::new();
    for number in 0..2 + random.below(3) {
        // One of the first two of each kind, so that there is a pair.
        let common = if number < 2 { number == 0 } else { random.percent(50) };
        let mut patch = if common { shared(random, theme, dom)? } else { beside(random, theme, dom)? };
        if !common {
            personal(random, &mut patch);
        } else if random.percent(10) {
            // The same for everybody who asks for this URL.
            patch["when"] = json!({ "q": "1" });
        }
        patches.push(patch);
    }
    // The order of a configuration is nobody's but its author's.
    for at in (1..patches.len()).rev() {
        patches.swap(at, random.below(at + 1));
    }
    for (number, patch) in patches.iter_mut().enumerate() {
        patch["name"] = json!(format!("p{number}"));
    }
    Ok(patches)
}

/// A patch that is the same for everybody.
fn shared(random: &mut Random, theme: Theme, dom: &Dom) -> Result<Value, String> {
    match theme {
        Theme::Head => injection(random),
        Theme::Attributes => generated(random, dom, changes_attributes),
        Theme::Words => Ok(find(random)),
        Theme::Added => {
            let mut patch =
                generated(random, dom, |patch| keys(patch, &["append", "prepend", "before", "after"]))?;
            if random.percent(70) {
                patch["select"] = json!(random.pick(ITEMS));
            }
            Ok(patch)
        }
        Theme::Any => anything(random, dom),
    }
}

/// What stands beside it.
fn beside(random: &mut Random, theme: Theme, dom: &Dom) -> Result<Value, String> {
    match theme {
        Theme::Attributes if random.percent(70) => generated(random, dom, |patch| !changes_attributes(patch)),
        Theme::Words | Theme::Added if random.percent(85) => generated(random, dom, changes_attributes),
        _ => anything(random, dom),
    }
}

fn anything(random: &mut Random, dom: &Dom) -> Result<Value, String> {
    match random.below(10) {
        0 => injection(random),
        1 => Ok(find(random)),
        _ => Ok(generate::patch(random, dom)?.to_json()),
    }
}

fn injection(random: &mut Random) -> Result<Value, String> {
    let patch = *random.weighted(INJECTIONS);
    serde_json::from_str(patch).map_err(|error| format!("{patch}: {error}"))
}

fn find(random: &mut Random) -> Value {
    let (find, with) = *random.weighted(FINDS);
    json!({ "select": random.pick(AROUND), "all": random.percent(50), "find": find, "replace_with": with })
}

/// Makes a patch depend on who asks.
fn personal(random: &mut Random, patch: &mut Value) {
    let text = ["text", "append", "prepend", "before", "after", "replace_with", "title"];
    let text = text.into_iter().find(|key| patch.get(key).is_some());
    match text.and_then(|key| patch.get_mut(key)).filter(|_| random.percent(50)) {
        Some(Value::String(text)) => text.push_str(" {{ v }}"),
        _ => patch["when"] = json!({ "v": { "$exists": true } }),
    }
}

fn generated(random: &mut Random, dom: &Dom, wanted: fn(&Value) -> bool) -> Result<Value, String> {
    let mut patch = generate::patch(random, dom)?.to_json();
    for _ in 0..60 {
        if wanted(&patch) {
            break;
        }
        patch = generate::patch(random, dom)?.to_json();
    }
    Ok(patch)
}

/// Whether it changes attributes and nothing else.
pub(super) fn changes_attributes(patch: &Value) -> bool {
    keys(patch, &["attributes", "class"])
}

/// Whether all that it does is among these.
pub(super) fn keys(patch: &Value, keys: &[&str]) -> bool {
    let all = patch.as_object().map(|patch| patch.keys().map(String::as_str)).into_iter().flatten();
    let mut done = all.filter(|key| !["select", "all", "when", "name"].contains(key)).peekable();
    done.peek().is_some() && done.all(|key| keys.contains(&key))
}
