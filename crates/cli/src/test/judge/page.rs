//! The page as it leaves, by the standard's tree: not by the parser that made the edits.

use std::borrow::Cow;

use encoding_rs::Encoding;
use engraft::config::node::Path;
use engraft_oracle::dom::{Dom, Id};
use engraft_oracle::markup::{inner_html, text_content};
use engraft_oracle::select::select;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use serde_json::Value;

use super::super::expect::{Element, Expect, Selected, Text};
use super::super::outcome::Mismatch;
use super::{Found, hold_json, hold_wanted, text};
use crate::exchange::rendering::Rendering;

/// Holds the page's elements, and the values of a JSON body.
pub(super) fn hold(expect: &Expect, rendering: &Rendering, found: &mut Found) {
    let at = |name: &str| Path::default().key(name);
    for (name, is_read) in [("select", !expect.select.is_empty()), ("json", !expect.json.is_empty())] {
        if let Some(coding) = rendering.headers.get(CONTENT_ENCODING).filter(|_| is_read) {
            let coding = String::from_utf8_lossy(coding.as_bytes());
            let message = format!("the body leaves in {coding} and can't be read; leave accept-encoding out");
            return found.push((at(name), Mismatch::says(message)));
        }
    }
    if !expect.json.is_empty() {
        let path = at("json");
        match serde_json::from_slice::<Value>(&rendering.body) {
            Ok(document) => {
                for (pointer, wanted) in &expect.json {
                    hold_json(pointer, wanted, &document, &path, found);
                }
            }
            Err(why) => found.push((path, Mismatch::says(format!("the body is not JSON: {why}")))),
        }
    }
    if expect.select.is_empty() {
        return;
    }
    let dom = Dom::parse(decoded(&rendering.headers, &rendering.body).as_bytes());
    for (selector, wanted) in &expect.select {
        let path = at("select").key(selector);
        match select(&dom, selector) {
            Ok(elements) => hold_elements(wanted, &dom, &elements, &path, found),
            Err(_) => found.push((path, Mismatch::says("this is not a selector"))),
        }
    }
}

/// As text, from the encoding that a byte order mark or the head says; UTF-8 where neither does.
fn decoded<'b>(headers: &HeaderMap, body: &'b [u8]) -> Cow<'b, str> {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let parameters = content_type.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
    let charset = parameters.filter(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
    let label = charset.map(|(_, value)| value.trim().trim_matches('"')).next().unwrap_or("utf-8");
    let (text, ..) = Encoding::for_label(label.as_bytes()).unwrap_or(encoding_rs::UTF_8).decode(body);
    text
}

fn hold_elements(wanted: &Selected, dom: &Dom, elements: &[Id], path: &Path, found: &mut Found) {
    let (count, first) = (elements.len(), elements.first());
    let wanted = match wanted {
        Selected::Absent if count == 0 => return,
        Selected::Absent => {
            let first = first.map(|id| tag(dom, *id)).unwrap_or_default();
            let message = match count {
                1 => format!("an element matches, {first}"),
                _ => format!("{count} elements match, the first is {first}"),
            };
            return found.push((path.clone(), Mismatch::Says(message)));
        }
        Selected::Present if count > 0 => return,
        Selected::Present => return found.push((path.clone(), Mismatch::says("no element matches"))),
        Selected::Elements(wanted) => wanted,
    };
    if let Some(expected) = wanted.count
        && expected != count
    {
        let mismatch = super::differs(expected.to_string(), count.to_string());
        found.push((path.clone().key("count"), mismatch));
    }
    if count == 0 && wanted.count.is_none() {
        return found.push((path.clone(), Mismatch::says("no element matches")));
    }
    let told = if wanted.all { count } else { 1 };
    for id in elements.iter().take(told) {
        let before = found.len();
        hold_element(wanted, dom, *id, path, found);
        // One of many that are the same is enough to know.
        if found.len() > before {
            break;
        }
    }
}

fn hold_element(wanted: &Element, dom: &Dom, id: Id, path: &Path, found: &mut Found) {
    if let Some(words) = &wanted.text {
        let words = Text { equals: words.0.equals.as_deref().map(in_line), ..words.0.clone() };
        text::hold(&words, &in_line(&text_content(dom, id)), &path.clone().key("text"), found);
    }
    if let Some(markup) = &wanted.html {
        let markup = Text {
            equals: markup.0.equals.as_deref().map(|markup| markup.trim().to_owned()),
            ..markup.0.clone()
        };
        text::hold(&markup, inner_html(dom, id).trim(), &path.clone().key("html"), found);
    }
    for (name, value) in &wanted.attributes {
        let attribute = dom.element(id).and_then(|element| element.attribute(name));
        let path = path.clone().key("attributes").key(name);
        hold_wanted(value, attribute, "there is no such attribute", &path, found);
    }
    if !wanted.json.is_empty() {
        let path = path.clone().key("json");
        match serde_json::from_str::<Value>(&text_content(dom, id)) {
            Ok(document) => {
                for (pointer, value) in &wanted.json {
                    hold_json(pointer, value, &document, &path, found);
                }
            }
            Err(why) => found.push((path, Mismatch::says(format!("its text is not JSON: {why}")))),
        }
    }
}

/// Runs of white space as one space, as a browser shows them.
fn in_line(text: &str) -> String {
    text.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}

/// A start tag, to recognise an element by.
fn tag(dom: &Dom, id: Id) -> String {
    let Some(element) = dom.element(id) else { return String::new() };
    let attributes = element.attributes.iter().map(|(name, value)| format!(" {}={value:?}", name.local));
    format!("<{}{}>", element.name.local, attributes.collect::<String>())
}
