//! Every place × every hostile value.

use std::sync::Arc;

use http::{HeaderName, HeaderValue};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::{Map, Value, json};

use crate::browser::{Asked, Seen, Slot};
use crate::site::{self, Page};
use crate::table::{self, Escaping, Place};
use crate::{Lab, Test};

/// No link and nothing that is loaded may have one of these.
const SCHEMES: [&str; 4] = ["javascript:", "data:", "vbscript:", "blob:"];

/// What stands for the value in templates, and for the element.
const VALUE: &str = "{{ x";
const SLOT: &str = "SLOT";

pub(crate) fn tests() -> Result<Vec<Test>, String> {
    let Escaping { values, places } = table::read("escaping.yaml")?;
    let values: Arc<[String]> = values.into();
    let mut tests: Vec<Test> = Vec::new();
    for place in places {
        if place.markup.is_some() {
            let (place, values) = (place.clone(), Arc::clone(&values));
            let name = format!("itself::unescaped_{}", place.name);
            tests.push((name, Box::new(move |lab| without_escaping(lab, &place, &values))));
        }
        let values = Arc::clone(&values);
        let name = format!("escaping::{}", place.name);
        tests.push((name, Box::new(move |lab| escaped(lab, &place, &values))));
    }
    tests.push(("itself::scripts_are_seen".to_owned(), Box::new(scripts_are_seen)));
    Ok(tests)
}

/// A page with `slots` in it.
fn page(head: &str, slots: &[(String, String)]) -> Result<Page, String> {
    let slots: String =
        slots.iter().map(|(id, inside)| format!("<div id={id} data-slot>{inside}</div>\n")).collect();
    let body = format!(
        "<!doctype html><html><head><script>own('page')</script>{head}</head><body>{slots}<p id=end>end</p></body></html>"
    );
    Ok(Page { headers: site::headers(&[])?, body, ..Page::default() })
}

fn escaped(lab: &Lab, place: &Place, values: &[String]) -> Result<(), String> {
    if !place.alone {
        return together(lab, place, values).map(drop);
    }
    let (first, rest) = values.split_first().ok_or("there are no values")?;
    let expected = together(lab, place, std::slice::from_ref(first))?;
    for value in rest {
        let shape = together(lab, place, std::slice::from_ref(value))?;
        if shape != expected {
            return Err(format!("{value:?}: the page is {shape:?}, not {expected:?}"));
        }
    }
    Ok(())
}

/// All values on one page, each in an element of its own. Gives the shape of the first.
fn together(lab: &Lab, place: &Place, values: &[String]) -> Result<Vec<String>, String> {
    let ids: Vec<String> = (0..values.len()).map(|number| format!("s{number}")).collect();
    let slots: Vec<(String, String)> = ids.iter().map(|id| (id.clone(), place.source.clone())).collect();
    let mut source = page(&place.head, &slots)?;
    let (mut attributes, mut patches) = (Map::new(), Vec::new());
    for (number, (id, value)) in ids.iter().zip(values).enumerate() {
        let patch = match (&place.markup, &place.patch) {
            (Some(markup), None) => json!({ "select": "#SLOT", "html": markup }),
            (None, Some(patch)) => patch.clone(),
            _ => return Err("a place has either markup or a patch".to_owned()),
        };
        patches.push(filled(&patch, id, &format!("{{{{ v{number}")));
        // From where a value comes is all the same to the page; both ways are gone.
        let name = format!("v{number}");
        match header_value(value).filter(|_| number % 2 == 1) {
            Some(line) => {
                let header = format!("x-{name}");
                let line_name = HeaderName::try_from(header.as_str()).map_err(|error| error.to_string())?;
                source.request_headers.append(line_name, line);
                attributes.insert(name, json!({ "header": header }));
            }
            None => {
                let encoded = utf8_percent_encode(value, NON_ALPHANUMERIC);
                source.query.push_str(&format!("{name}={encoded}&"));
                attributes.insert(name.clone(), json!({ "query": name }));
            }
        }
    }
    let edited = lab.site.edit(&attributes.into(), &patches.into(), &source)?;
    look(lab, place, values, &ids, &edited.page)
}

/// A value that comes through a header as it is.
fn header_value(value: &str) -> Option<HeaderValue> {
    let plain = value.bytes().all(|byte| (b' '..=b'~').contains(&byte)) && value.trim() == value;
    HeaderValue::from_str(value).ok().filter(|_| plain)
}

fn filled(patch: &Value, slot: &str, value: &str) -> Value {
    match patch {
        Value::String(text) => text.replace(SLOT, slot).replace(VALUE, value).into(),
        Value::Array(items) => items.iter().map(|item| filled(item, slot, value)).collect(),
        Value::Object(fields) => {
            let field = |(name, field): (&String, &Value)| (name.clone(), filled(field, slot, value));
            Value::Object(fields.iter().map(field).collect())
        }
        other => other.clone(),
    }
}

/// Opens a page and judges it.
fn look(
    lab: &Lab,
    place: &Place,
    values: &[String],
    ids: &[String],
    page: &Page,
) -> Result<Vec<String>, String> {
    let url = lab.site.serve(page);
    let slots = (!place.alone).then_some(ids);
    let seen = lab.browser.open(&Asked { url: &url, slots, reads: &place.reads, awaits: &[] })?;
    let mut problems = Vec::new();
    nothing_happened(lab, place, &seen, &mut problems);
    let expected: Vec<String> =
        ids.iter().map(|id| format!("div#{id}")).chain(["p#end".to_owned()]).collect();
    let children: Vec<&String> = seen.children.iter().filter(|child| !child.starts_with("script#")).collect();
    if children != expected.iter().collect::<Vec<_>>() {
        problems.push(format!("the body has the children {children:?}"));
    }
    let first = seen.slots.first().cloned().flatten().unwrap_or_default();
    for (value, slot) in values.iter().zip(&seen.slots) {
        match slot {
            Some(slot) => problems.extend(misread(place, value, slot, &first.shape)),
            None => problems.push(format!("{value:?}: its element is gone")),
        }
    }
    if problems.is_empty() { Ok(first.shape) } else { Err(problems.join("\n")) }
}

/// No script ran but the page's own, and nothing was asked for that should not be.
fn nothing_happened(lab: &Lab, place: &Place, seen: &Seen, problems: &mut Vec<String>) {
    for (what, happened) in [
        ("ran", &seen.attacks),
        ("opened", &seen.dialogs),
        ("failed", &seen.errors),
        ("was forbidden", &seen.violations),
    ] {
        problems.extend(happened.iter().map(|it| format!("{what}: {it}")));
    }
    if seen.marks.first().is_none_or(|mark| mark != "page") || seen.marks.iter().any(|mark| mark == "evil") {
        problems.push(format!("these scripts ran: {:?}", seen.marks));
    }
    let own = lab.site.authority();
    for request in &seen.requests {
        let host = request.split_once("://").and_then(|(_, rest)| rest.split(['/', '?', '#']).next());
        let known = host.is_some_and(|host| host == own || place.fetches.iter().any(|it| it == host));
        let any = host.is_some() && place.fetches.iter().any(|it| it == "any");
        // What stands for a URL that is not let through asks nobody.
        if !(known || any || request.starts_with("about:invalid")) {
            problems.push(format!("asked for: {request}"));
        }
    }
}

/// What is wrong with one element.
fn misread(place: &Place, value: &str, slot: &Slot, shape: &[String]) -> Option<String> {
    let right = place.shows.iter().any(|shows| match shows.as_str() {
        "value" => slot.read == value,
        "text" => slot.read == text(value),
        "decoded" => slot.read == percent_decode_str(value).decode_utf8_lossy(),
        "url" => slot.read == percent_decode_str(&url(value)).decode_utf8_lossy(),
        "text_of_pre" => slot.read == text(value.strip_prefix('\n').unwrap_or(value)),
        // Parts of a path that are dots alone, which would lead elsewhere, are written as `_`.
        "segments" => slot.read.replace('_', "") == value.replace('.', "") || slot.read.contains("_/_"),
        literal => slot.read == literal,
    });
    if !right {
        return Some(format!("{value:?}: the page shows {:?}", slot.read));
    }
    if slot.shape != shape {
        return Some(format!("{value:?}: the elements are {:?}, not {shape:?}", slot.shape));
    }
    let scheme = slot.schemes.iter().find(|scheme| SCHEMES.contains(&scheme.as_str()))?;
    Some(format!("{value:?}: something leads to {scheme}"))
}

/// Characters that no text of HTML may have are shown as replaced.
fn text(value: &str) -> String {
    value
        .chars()
        .map(|c| if c.is_ascii_control() && !"\t\n\r".contains(c) { '\u{FFFD}' } else { c })
        .collect()
}

/// What a browser makes of a URL before it reads it (URL Standard § 4.4).
fn url(value: &str) -> String {
    let trimmed = value.trim_matches(|c: char| c <= ' ');
    trimmed.replace(['\t', '\n', '\r'], "")
}

/// The place with the values as they are: some value has to be noticed, or the test proves nothing.
fn without_escaping(lab: &Lab, place: &Place, values: &[String]) -> Result<(), String> {
    let markup = place.markup.as_deref().unwrap_or_default().replace("{{ x | json }}", "{{ x }}");
    let first = values.first().ok_or("there are no values")?;
    let ids = ["s0".to_owned(), "s1".to_owned()];
    for value in values {
        let inside = |value: &str| markup.replace("{{ x }}", value);
        let slots = [(ids[0].clone(), inside(first)), (ids[1].clone(), inside(value))];
        let raw = page(&place.head, &slots)?;
        if look(lab, place, &[first.clone(), value.clone()], &ids, &raw).is_err() {
            return Ok(());
        }
    }
    Err("no value did anything".to_owned())
}

/// What the tests rely on: a script that runs is noticed, wherever it is.
fn scripts_are_seen(lab: &Lab) -> Result<(), String> {
    for attack in [
        "<script>alert(1)</script>",
        "<script>__pwned=1</script>",
        "<img src=/none onerror=alert(1)>",
        "<p onmouseover=alert(1)>",
        "<input onfocus=alert(1)>",
        "<details open ontoggle=alert(1)>a</details>",
        "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
        "<iframe src='javascript:alert(1)'></iframe>",
        "<svg onload=alert(1)></svg>",
    ] {
        let url = lab.site.serve(&page("", &[("s0".to_owned(), attack.to_owned())])?);
        let slots = ["s0".to_owned()];
        let seen = lab.browser.open(&Asked { url: &url, slots: Some(&slots), reads: "''", awaits: &[] })?;
        if seen.attacks.is_empty() && seen.dialogs.is_empty() {
            return Err(format!("{attack} ran unseen"));
        }
    }
    Ok(())
}
