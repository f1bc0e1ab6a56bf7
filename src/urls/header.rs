//! URLs in response headers: `Location` and `Content-Location` (RFC 9110 § 10.2.2, 8.7), `Link` (RFC 8288 § 3), `Refresh`
//! (WHATWG HTML § 7.4.6.7 reads it as it reads a `meta`).
//!
//! They are relative to the URL of the response, never to a `base`. A value that is not ASCII is left alone.

use std::ops::Range;

use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::page::Page;
use super::refresh;
use super::rules::UrlRules;
use super::tags::rewrite_at;
use crate::headers::HeaderEdit;

/// What the rules change in the headers of a response; `page` is made from the request, anew.
#[must_use]
pub fn rewrite_headers(rules: &UrlRules, page: &Page, headers: &HeaderMap) -> Vec<HeaderEdit> {
    if !rules.headers {
        return Vec::new();
    }
    let url = |value: &str| rules.rewrite(value, false, page);
    let image = |value: &str| rules.rewrite(value, true, page);
    let mut edits = Vec::new();
    edits.extend(rewrite(&header::LOCATION, headers, url));
    edits.extend(rewrite(&header::CONTENT_LOCATION, headers, url));
    edits.extend(rewrite(&header::REFRESH, headers, |value| rewrite_at(value, refresh::url(value), url)));
    edits.extend(rewrite(&header::LINK, headers, |value| {
        let safe = |new: Option<String>| new.filter(|new| !new.contains('>'));
        let images = rewrite_at(value, targets(value, true), |target| safe(image(target)));
        let value = images.as_deref().unwrap_or(value);
        rewrite_at(value, targets(value, false), |target| safe(url(target))).or_else(|| images.clone())
    }));
    edits.into_iter().flatten().collect()
}

/// All values of a header, if one of them changes.
fn rewrite(
    name: &HeaderName,
    headers: &HeaderMap,
    rewrite: impl Fn(&str) -> Option<String>,
) -> Option<Vec<HeaderEdit>> {
    let mut is_changed = false;
    let values: Vec<HeaderValue> = headers
        .get_all(name)
        .iter()
        .map(|value| {
            let new = value.to_str().ok().and_then(&rewrite).and_then(|new| HeaderValue::try_from(new).ok());
            is_changed |= new.is_some();
            new.unwrap_or_else(|| value.clone())
        })
        .collect();
    let edit = |(index, value)| match index {
        0 => HeaderEdit::Set(name.clone(), value),
        _ => HeaderEdit::Add(name.clone(), value),
    };
    is_changed.then(|| values.into_iter().enumerate().map(edit).collect())
}

/// Where the targets of links stand in a field value (RFC 8288 § B.2): those of images, or the others.
fn targets(value: &str, of_images: bool) -> Vec<Range<usize>> {
    let mut targets = Vec::new();
    let mut rest = value;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let Some((target, after)) = rest.strip_prefix('<').and_then(|inside| inside.split_once('>')) else {
            return targets;
        };
        let start = value.len().saturating_sub(rest.len()).saturating_add(1);
        let (mut parameters, next) = split_unquoted(after, b',');
        let mut is_image = false;
        while !parameters.is_empty() {
            let (parameter, more) = split_unquoted(parameters, b';');
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            is_image |= name.trim().eq_ignore_ascii_case("as")
                && value.trim().trim_matches('"').eq_ignore_ascii_case("image");
            parameters = more;
        }
        if is_image == of_images {
            targets.push(start..start.saturating_add(target.len()));
        }
        rest = next;
    }
}

/// What comes before and after the first `separator` outside of quoted strings.
fn split_unquoted(text: &str, separator: u8) -> (&str, &str) {
    let mut quoted = false;
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if byte == separator && !quoted => {
                let (before, after) = text.split_at(at);
                return (before, after.get(1..).unwrap_or_default());
            }
            _ => {}
        }
    }
    (text, "")
}
