//! What traces do not show: the values of the cookies and headers that the configuration names, wherever they turn up.

use std::ops::Range;

use http::{HeaderMap, HeaderName, HeaderValue, header};
use serde_json::Value;

use super::trace::{HIDDEN, Header, Trace};
use crate::config::model::Secrets;
use crate::exchange::DEBUG_HEADER;
use crate::template::escape::{component, json_string, markup};

/// Headers whose values are credentials, whatever the configuration says.
const ALWAYS: [&str; 2] = ["authorization", "proxy-authorization"];

/// A value that is shorter is not looked for elsewhere: every page has it somewhere.
const MIN_BYTES: usize = 4;

/// See the [module](self).
///
/// It comes with the [report](crate::exchange::report::Report) of an exchange that explains itself, for hosts that show more of the
/// exchange than its trace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hidden {
    secrets: Secrets,
    values: Vec<String>,
}

impl Hidden {
    /// What is to be hidden of an exchange with that request; `own` are secrets of the configuration's own.
    #[cold]
    pub(crate) fn of<'a>(
        secrets: &Secrets,
        own: impl IntoIterator<Item = &'a str>,
        request: &HeaderMap,
    ) -> Self {
        let mut hidden = Self { secrets: secrets.clone(), values: Vec::new() };
        own.into_iter().for_each(|secret| hidden.learn_value(secret));
        hidden.learn(request);
        hidden
    }

    /// Values of these headers are not to turn up elsewhere. Returns whether there are any.
    #[cold]
    pub(crate) fn learn(&mut self, headers: &HeaderMap) -> bool {
        let mut found = Vec::new();
        for (name, value) in headers {
            let value = String::from_utf8_lossy(value.as_bytes());
            if ALWAYS.contains(&name.as_str()) {
                // A scheme (`Bearer`) is no secret, and what follows it may stand alone elsewhere.
                found.extend(value.split_whitespace().next_back().map(str::to_owned));
                continue;
            }
            found.extend(self.pieces(name, &value).filter_map(|(_, secret)| secret.map(str::to_owned)));
            if self.is_secret(name) {
                found.push(value.into_owned());
            }
        }
        found.iter().for_each(|value| self.learn_value(value));
        !found.is_empty()
    }

    /// A value is not to turn up anywhere, nor as the places where values go write it.
    #[cold]
    pub(crate) fn learn_value(&mut self, value: &str) {
        if value.len() < MIN_BYTES {
            return;
        }
        let escapers: [fn(&str, &mut String); 3] = [markup, json_string, component];
        let escaped = escapers.map(|escape| {
            let mut escaped = String::new();
            escape(value, &mut escaped);
            escaped
        });
        for form in escaped.into_iter().chain([value.to_owned(), value.to_uppercase(), value.to_lowercase()])
        {
            // A value that has another one in it goes first. Put in its place, as each type's sort is 7 KB of the module.
            let at = self.values.partition_point(|it| (form.len(), it) < (it.len(), &form));
            if self.values.get(at) != Some(&form) {
                self.values.insert(at, form);
            }
        }
    }

    /// Whether a header of that name is shown at all.
    pub(crate) fn is_secret(&self, name: &HeaderName) -> bool {
        let named = |secret: &String| secret.eq_ignore_ascii_case(name.as_str());
        ALWAYS.contains(&name.as_str()) || self.secrets.headers.iter().any(named)
    }

    /// Whether a cookie of that name is shown. None is where their header is not.
    pub(crate) fn is_secret_cookie(&self, name: &str) -> bool {
        self.secrets.cookies.iter().any(|secret| secret == name) || self.is_secret(&header::COOKIE)
    }

    /// A header's value as it may be shown.
    #[cold]
    #[must_use]
    pub fn header(&self, name: &HeaderName, value: &HeaderValue) -> String {
        // Where no secret is asked for, what is shown for one is a word like any other: it is not looked for elsewhere.
        if self.is_secret(name) || *name == DEBUG_HEADER {
            return HIDDEN.to_owned();
        }
        // Piece by piece: one value may begin like another one, of which the end would stay.
        let mut shown = String::new();
        for (piece, secret) in self.pieces(name, &String::from_utf8_lossy(value.as_bytes())) {
            match piece.split_once('=').filter(|_| secret.is_some()) {
                Some((name, _)) => shown.extend([name, "=", HIDDEN]),
                None => shown += piece.strip_suffix(';').unwrap_or(piece),
            }
            shown += if piece.ends_with(';') { ";" } else { "" };
        }
        shown
    }

    /// Headers as they may be shown, sorted by name.
    #[cold]
    #[must_use]
    pub fn headers(&self, headers: &HeaderMap) -> Vec<Header> {
        let mut shown: Vec<Header> = Vec::with_capacity(headers.len());
        for (name, value) in headers {
            let at = shown.partition_point(|it| it.name.as_str() <= name.as_str());
            shown.insert(at, Header { name: name.to_string(), value: self.header(name, value) });
        }
        shown
    }

    /// A header's value up to each semicolon, and the value of the secret cookie that stands there, without its quotes.
    fn pieces<'v>(
        &self,
        name: &HeaderName,
        value: &'v str,
    ) -> impl Iterator<Item = (&'v str, Option<&'v str>)> {
        let pairs = match *name {
            header::COOKIE => usize::MAX,
            header::SET_COOKIE => 1,
            _ => 0,
        };
        let name = name.clone();
        value.split_inclusive(';').enumerate().map(move |(number, piece)| {
            let pair = piece.strip_suffix(';').unwrap_or(piece).split_once('=').filter(|_| number < pairs);
            let is_secret = |cookie: &str| self.is_secret_cookie(cookie.trim()) || self.is_secret(&name);
            let value = pair.filter(|(cookie, _)| is_secret(cookie)).map(|(_, value)| value.trim());
            let bare = |value: &'v str| value.strip_prefix('"')?.strip_suffix('"');
            (piece, value.filter(|value| !value.is_empty()).map(|value| bare(value).unwrap_or(value)))
        })
    }

    /// Takes the secrets out of every text of a trace.
    pub(crate) fn hide(&self, trace: &mut Trace) {
        if !self.values.is_empty() {
            trace.each_text(&mut |text| self.scrub(text));
        }
    }

    /// Where hidden values stand in a body, in order and apart from each other.
    #[must_use]
    pub fn spans(&self, body: &[u8]) -> Vec<Range<usize>> {
        let mut found: Vec<Range<usize>> = Vec::new();
        let mut at = 0_usize;
        for chunk in body.utf8_chunks() {
            let places = self.values.iter().flat_map(|value| chunk.valid().match_indices(value.as_str()));
            found.extend(places.map(|(start, value)| {
                let start = at.saturating_add(start);
                start..start.saturating_add(value.len())
            }));
            at = at.saturating_add(chunk.valid().len()).saturating_add(chunk.invalid().len());
        }
        found.sort_by_key(|span| (span.start, span.end));
        let mut spans: Vec<Range<usize>> = Vec::new();
        for span in found {
            match spans.last_mut().filter(|last| span.start < last.end) {
                Some(last) => last.end = last.end.max(span.end),
                None => spans.push(span),
            }
        }
        spans
    }

    /// Takes them out of every text of a value.
    pub fn scrub_value(&self, value: &mut Value) {
        each_text_of(value, &mut |text| self.scrub(text));
    }

    fn scrub(&self, text: &mut String) {
        for secret in &self.values {
            if text.contains(secret.as_str()) {
                *text = text.replace(secret.as_str(), HIDDEN);
            }
        }
    }
}

/// Changes every text of a value, but for the names of its members.
pub(super) fn each_text_of(value: &mut Value, change: &mut dyn FnMut(&mut String)) {
    match value {
        Value::String(text) => change(text),
        Value::Array(items) => items.iter_mut().for_each(|item| each_text_of(item, change)),
        Value::Object(members) => members.values_mut().for_each(|member| each_text_of(member, change)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn hidden() -> Hidden {
        let secrets = Secrets { cookies: vec!["session".into()], headers: vec!["X-Api-Key".into()] };
        let mut request = HeaderMap::new();
        request.insert(DEBUG_HEADER, HeaderValue::from_static("true"));
        request.insert(header::COOKIE, HeaderValue::from_static("a=1; session=s3cr3t; b=session"));
        request.insert("x-api-key", HeaderValue::from_static("keykey"));
        request.insert(header::AUTHORIZATION, HeaderValue::from_static("Bearer tokentoken"));
        Hidden::of(&secrets, ["force-secret"], &request)
    }

    #[test]
    fn cookies_and_headers_are_hidden_by_name() {
        let hidden = hidden();
        let shown = |name: &'static str, value: &'static str| {
            hidden.header(&HeaderName::from_static(name), &HeaderValue::from_static(value))
        };
        assert_eq!(shown("cookie", "a=1; session=other; b=2"), "a=1; session=‹hidden›; b=2");
        assert_eq!(
            shown("cookie", "session=abcd; session=abcdefgh; mysession=abcd; session =\"q\"; session="),
            "session=‹hidden›; session=‹hidden›; mysession=abcd; session =‹hidden›; session=",
            "a value that begins like another one leaves nothing behind"
        );
        assert_eq!(shown("set-cookie", "session=new; Path=/"), "session=‹hidden›; Path=/");
        assert_eq!(shown("set-cookie", "a=1; session=x"), "a=1; session=x", "that is no cookie's name");
        assert_eq!(shown("x-api-key", "other"), "‹hidden›");
        assert_eq!(shown("proxy-authorization", "Basic x"), "‹hidden›");
        assert_eq!(shown("x-else", "s"), "s");
        assert_eq!(shown("x-engraft-debug", "true"), "‹hidden›");
    }

    #[test]
    fn their_values_turn_up_nowhere_else() {
        let golden = include_str!("../../tests/data/trace.json");
        let mut full: Value = serde_json::from_str(golden).unwrap();
        full["engine"] = json!({ "version": "", "configuration": "", "payload": "" });
        full["request"]["attributes"] = json!({ "a": { "b": [""] } });
        full["request"]["choices"] = json!({ "hero": "" });
        full["response"]["redirected_by"] = "".into();
        full["cache"]["not_storable"] = "".into();
        full["cache"]["found"] = "".into();
        full["patches"][0]["outcomes"][0]["part"] = "".into();
        full["patches"][0]["outcomes"][0]["search_ended"] = "".into();
        full["response"]["changes"][0]["before"] = json!([""]);
        full["exposures"] = json!([{ "experiment": "", "variation": "" }]);
        full["left_out"] = json!([""]);
        let texts = |value: &mut Value, change: &mut dyn FnMut(&mut String)| each_text_of(value, change);
        texts(&mut full, &mut |text| "<s3cr3t>".clone_into(text));
        let mut trace: Trace = serde_json::from_value(full.clone()).unwrap();
        hidden().hide(&mut trace);
        texts(&mut full, &mut |text| "<‹hidden›>".clone_into(text));
        assert_eq!(serde_json::to_value(&trace).unwrap(), full);
    }

    #[test]
    fn they_are_known_as_templates_write_them() {
        let mut hidden = hidden();
        hidden.learn_value("a&b \"Ç/c");
        for written in [
            "a&amp;b &quot;Ç/c",
            r#"a\u0026b \"\u00c7\/c"#,
            "a%26b%20%22%C3%87%2Fc",
            "A&B \"Ç/C",
            "a&b \"ç/c",
            "force-secret",
            "tokentoken",
            "keykey",
        ] {
            let mut text = format!("<{written}>");
            hidden.scrub(&mut text);
            assert_eq!(text, "<‹hidden›>", "{written}");
        }
        let quoted = HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_static("session=\"quoted\""))]);
        hidden.learn(&quoted);
        let mut text = "<quoted>".to_owned();
        hidden.scrub(&mut text);
        assert_eq!(text, "<‹hidden›>", "as attributes read it");
        let mut text = "flag new-nav: true".to_owned();
        hidden.scrub(&mut text);
        assert_eq!(text, "flag new-nav: true", "what asked for debug headers is no secret");
    }

    #[test]
    fn where_the_header_of_cookies_is_hidden_each_of_them_is() {
        let secrets = Secrets { cookies: vec![], headers: vec!["cookie".into(), "set-cookie".into()] };
        let request = HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_static("a=first; b=second"))]);
        let mut hidden = Hidden::of(&secrets, [], &request);
        let set = HeaderValue::from_static("c=third; Path=/");
        assert!(hidden.learn(&HeaderMap::from_iter([(header::SET_COOKIE, set)])));
        let mut text = "first second third".to_owned();
        hidden.scrub(&mut text);
        assert_eq!(text, "‹hidden› ‹hidden› ‹hidden›");
        assert!(hidden.is_secret_cookie("b"), "attributes of it are hidden, too");
    }

    #[test]
    fn their_places_in_a_body_are_told_once() {
        let body = b"<p>s3cr3t</p>keykeykey \xff tokentoken";
        let shown: Vec<&[u8]> = hidden().spans(body).into_iter().map(|span| &body[span]).collect();
        assert_eq!(shown, [&b"s3cr3t"[..], b"keykey", b"tokentoken"]);
        assert!(hidden().spans(b"nothing").is_empty());
    }
}
