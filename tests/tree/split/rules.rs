//! Each rule is needed: two patches that it keeps together, and a page that would be another one.

use engraft::patch::split::Place;
use serde_json::Value;

use super::{Route, Visitor};

/// What the rule says, a patch of each visitor, one that is the same for everybody, and a page.
const RULES: &[(&str, &str, &str, &str)] = &[
    (
        "the search ends for only one of them where tags are not nested well",
        r#"{"select": "p", "attributes": {"set": {"title": "{{ v }}"}}}"#,
        r#"{"script": {"src": "/n.js"}}"#,
        "<strong><div></strong><p>",
    ),
    (
        "only one of them selects by what an element stands in",
        r#"{"select": "div span", "append": "{{ v }}"}"#,
        r#"{"select": "span", "attributes": {"set": {"lang": "n"}}}"#,
        "<b><div><span>x</span></b></div>",
    ),
    (
        "both change the head",
        r#"{"link": {"rel": "next", "href": "/n"}, "when": {"v": {"$exists": true}}}"#,
        r#"{"link": {"rel": "canonical", "href": "/n"}}"#,
        "<p>",
    ),
    (
        "it inserts where the other one may look",
        r#"{"select": "body > p", "attributes": {"set": {"title": "{{ v }}"}}}"#,
        r#"{"script": {"inline": "a('</title><p>')"}}"#,
        "<title>x",
    ),
    (
        "which may select what is in the head",
        r#"{"select": "link", "attributes": {"set": {"title": "{{ v }}"}}}"#,
        r#"{"link": {"rel": "canonical", "href": "/n"}}"#,
        "<p>",
    ),
    (
        "it changes an attribute by which pages are read",
        r#"{"select": "annotation-xml div", "attributes": {"set": {"title": "{{ v }}"}}}"#,
        r#"{"select": "annotation-xml", "attributes": {"set": {"encoding": "text/html"}}}"#,
        "<math><annotation-xml><div>x</div></annotation-xml></math>",
    ),
    (
        "it changes attributes of formatting elements",
        r#"{"select": "b b b b span", "attributes": {"set": {"title": "{{ v }}"}}}"#,
        r#"{"select": "b[lang]", "all": true, "attributes": {"remove": ["lang"]}}"#,
        "<p><b lang=x><b><b><b></p><span>x</span>",
    ),
    (
        "which selects by an attribute that it changes",
        r#"{"select": "p:not([lang])", "append": "{{ v }}"}"#,
        r#"{"select": "p", "attributes": {"set": {"lang": "n"}}}"#,
        "<p>x</p><p>y</p>",
    ),
    (
        "both may change the same start tag",
        r#"{"select": "p", "attributes": {"set": {"title": "{{ v }}"}}}"#,
        r#"{"select": "p", "attributes": {"set": {"lang": "n"}}}"#,
        "<p>",
    ),
    (
        "both change what is in the page",
        r#"{"select": "p", "append": "{{ v }}"}"#,
        r#"{"select": "p", "append": "n"}"#,
        "<p>x</p>",
    ),
    (
        "it may take away or move what the other one selects",
        r#"{"select": "div", "attributes": {"set": {"title": "{{ v }}"}}}"#,
        r#"{"select": "section", "text": "n"}"#,
        "<section><div></div></section><div></div>",
    ),
    (
        "it may take away or move what the other one selects",
        r#"{"select": "b p", "attributes": {"set": {"title": "{{ v }}"}}}"#,
        r#"{"select": "div", "find": "x", "replace_with": ""}"#,
        "<div><p><b></p>x<p>y</p></div>",
    ),
    (
        "it inserts where a page of frames might still begin",
        r#"{"select": "div", "attributes": {"set": {"title": "{{ v }}"}}}"#,
        r#"{"select": "p", "append": "1"}"#,
        "<p></p><frameset></frameset><div></div>",
    ),
    (
        "which selects by the place among siblings",
        r#"{"select": "span:first-child", "attributes": {"set": {"title": "{{ v }}"}}}"#,
        r#"{"select": "li + li", "prepend": "<i>n</i>"}"#,
        "<ul><li>1<li><span>x</span></ul>",
    ),
    (
        "which may select what it inserts",
        r#"{"select": "tbody", "attributes": {"set": {"title": "{{ v }}"}}}"#,
        r#"{"select": "table tr", "before": "<tr><td>n</td></tr>"}"#,
        "<table><tr><td>x</td></tr></table>",
    ),
    (
        "which may select what it inserts",
        r#"{"select": "span", "attributes": {"set": {"title": "{{ v }}"}}}"#,
        r#"{"select": "dt", "append": "<span>n</span>"}"#,
        "<dt>",
    ),
];

/// What goes wrong without a rule, and what is kept together for another reason than was thought.
pub(super) fn run() -> Result<(), String> {
    let mut failures = Vec::new();
    for (rule, personal, shared, page) in RULES {
        let parsed = [personal, shared].map(|patch| serde_json::from_str::<Value>(patch));
        let patches = parsed.into_iter().collect::<Result<Vec<_>, _>>().map_err(|error| error.to_string())?;
        let route = Route::new(patches)?.ok_or_else(|| format!("{personal} or {shared} is refused"))?;
        match &route.places[1] {
            Place::Client(why) if why.to_string().ends_with(&format!(": {rule}")) => {}
            place => failures.push(format!("{rule}: {shared} beside {personal} is {place:?}")),
        }
        let made = route.run(&Visitor { cookie: true, asks: false }, page.as_bytes())?;
        if made.naive_differs != Some(true) {
            failures.push(format!("{rule}: {page} is the same, {:?}", String::from_utf8_lossy(&made.one)));
        }
    }
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\n")) }
}
