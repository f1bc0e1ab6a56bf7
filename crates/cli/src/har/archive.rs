//! HAR 1.2 (<http://www.softwareishard.com/blog/har-12-spec/>), read as a stream: one exchange at a time is in memory.
//!
//! Nothing in it is believed: it is what some server sent and some browser wrote down.

use std::fmt;
use std::io::Read;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::content_type::essence;

/// One exchange.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entry {
    #[serde(default, deserialize_with = "or_default")]
    pub(super) started_date_time: String,
    pub(super) request: Request,
    pub(super) response: Response,
}

#[derive(Debug, Deserialize)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) url: String,
    #[serde(default, deserialize_with = "or_default")]
    headers: Vec<Pair>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Response {
    /// Zero where none came.
    pub(super) status: i64,
    #[serde(default, deserialize_with = "or_default")]
    headers: Vec<Pair>,
    #[serde(default, deserialize_with = "or_default")]
    content: Content,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Content {
    #[serde(deserialize_with = "or_default")]
    mime_type: String,
    /// After its content coding was undone.
    text: Option<String>,
    encoding: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Pair {
    name: String,
    #[serde(default, deserialize_with = "or_default")]
    value: String,
}

/// What a recorder does not know it leaves out, or writes null for.
fn or_default<'de, T: Default + Deserialize<'de>, D: Deserializer<'de>>(value: D) -> Result<T, D::Error> {
    Option::deserialize(value).map(Option::unwrap_or_default)
}

/// A body that is not what it is said to be.
#[derive(Debug, Clone, Copy)]
pub(super) struct NotBase64;

impl Request {
    pub(super) fn headers(&self) -> HeaderMap {
        map(&self.headers)
    }
}

impl Response {
    /// The head as the origin would have sent it with this body: without a coding, which was undone.
    pub(super) fn headers(&self) -> HeaderMap {
        let mut headers = map(&self.headers);
        for name in [CONTENT_ENCODING, CONTENT_LENGTH, TRANSFER_ENCODING] {
            headers.remove(name);
        }
        let content_type = HeaderValue::from_str(&self.content.mime_type);
        if !headers.contains_key(CONTENT_TYPE)
            && let Ok(content_type) = content_type
        {
            headers.insert(CONTENT_TYPE, content_type);
        }
        // Text is JSON's, so it is UTF-8 here, whatever it was.
        if self.content.encoding.is_none()
            && let Ok(content_type) = HeaderValue::from_str(&format!("{}; charset=utf-8", essence(&headers)))
        {
            headers.insert(CONTENT_TYPE, content_type);
        }
        headers
    }

    /// The body; `None` where it was not recorded, or there is none.
    pub(super) fn into_body(self) -> Option<Result<Vec<u8>, NotBase64>> {
        let Content { text, encoding, .. } = self.content;
        let text = text.filter(|text| !text.is_empty())?;
        Some(match encoding.as_deref() {
            Some("base64") => BASE64.decode(text.trim()).map_err(|_| NotBase64),
            Some(_) => Err(NotBase64),
            None => Ok(text.into_bytes()),
        })
    }
}

/// Without pseudo-headers, and whatever else is no header. Some recorders put lines of one name into one value.
fn map(pairs: &[Pair]) -> HeaderMap {
    let lines = pairs.iter().flat_map(|Pair { name, value }| value.split('\n').map(move |line| (name, line)));
    let headers = lines.filter_map(|(name, line)| {
        let name = HeaderName::try_from(name).ok()?;
        Some((name, HeaderValue::from_bytes(line.as_bytes()).ok()?))
    });
    crate::exchange::visit::map(headers)
}

/// Hands each exchange over as it is read.
///
/// # Errors
/// It is no JSON, or no HAR, with line and column. What was read before that has been handed over.
pub(super) fn read(from: impl Read, each: &mut dyn FnMut(Entry)) -> Result<(), serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_reader(from);
    At { key: "log", inside: At { key: "entries", inside: Entries(each) } }.deserialize(&mut deserializer)?;
    deserializer.end()
}

/// A map of which one value counts.
struct At<S> {
    key: &'static str,
    inside: S,
}

impl<'de, S: DeserializeSeed<'de, Value = ()>> DeserializeSeed<'de> for At<S> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, S: DeserializeSeed<'de, Value = ()>> Visitor<'de> for At<S> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a HAR, which has an object with \"{}\" here", self.key)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { key, inside } = self;
        let mut inside = Some(inside);
        while let Some(name) = map.next_key::<String>()? {
            match inside.take_if(|_| name == key) {
                Some(inside) => map.next_value_seed(inside)?,
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        match inside {
            None => Ok(()),
            Some(_) => Err(A::Error::custom(format!("this is no HAR: there is no \"{key}\" in it"))),
        }
    }
}

struct Entries<'e>(&'e mut dyn FnMut(Entry));

impl<'de> DeserializeSeed<'de> for Entries<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Entries<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of exchanges")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(entry) = list.next_element()? {
            (self.0)(entry);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn urls(har: &str) -> Result<Vec<String>, String> {
        let mut urls = Vec::new();
        read(har.as_bytes(), &mut |entry| urls.push(entry.request.url)).map_err(|why| why.to_string())?;
        Ok(urls)
    }

    #[test]
    fn exchanges_are_found_among_what_else_is_recorded() {
        let har = r#"{"log":{"version":"1.2","pages":[{"id":"p"}],"entries":[
            {"request":{"method":"GET","url":"https://a.example/","x":1},"response":{"status":0}},
            {"request":{"method":"GET","url":"https://b.example/"},"response":{"status":200}}],"comment":""}}"#;
        assert_eq!(urls(har), Ok(vec!["https://a.example/".to_owned(), "https://b.example/".to_owned()]));
    }

    #[test]
    fn what_is_no_har_is_told_with_its_place() {
        for (har, told) in [
            ("{}", "there is no \"log\""),
            (r#"{"log":{}}"#, "there is no \"entries\""),
            ("[]", "expected a HAR"),
            ("<html>", "line 1 column 1"),
            (r#"{"log":{"entries":[{"request":{}}]}}"#, "missing field `method`"),
        ] {
            let why = urls(har).unwrap_err();
            assert!(why.contains(told), "{har}: {why}");
        }
    }

    #[test]
    fn cookies_that_were_put_on_one_line_are_several() {
        let har = r#"{"status":200,"headers":[{"name":"Set-Cookie","value":"a=1; Path=/\nb=2"}]}"#;
        let response: Response = serde_json::from_str(har).unwrap();
        let headers = response.headers();
        assert_eq!(headers.get_all("set-cookie").iter().collect::<Vec<_>>(), ["a=1; Path=/", "b=2"]);
    }

    #[test]
    fn what_a_recorder_has_not_may_be_null() {
        let har = r#"{"log":{"entries":[{"startedDateTime":null,"request":{"method":"GET","url":"https://a.example/","headers":null},
            "response":{"status":200,"headers":[{"name":"a","value":null}],"content":{"mimeType":null,"text":null,"encoding":null}}},
            {"request":{"method":"GET","url":"https://b.example/"},"response":{"status":200,"content":null}}]}}"#;
        assert_eq!(urls(har), Ok(vec!["https://a.example/".to_owned(), "https://b.example/".to_owned()]));
    }

    #[test]
    fn a_body_that_was_text_is_utf_8() {
        let har = r#"{"status":200,"headers":[{"name":":status","value":"200"},{"name":"Content-Type","value":"text/html; charset=latin1"},
            {"name":"Content-Encoding","value":"br"},{"name":"X","value":"a\rb"}],"content":{"text":"é"}}"#;
        let response: Response = serde_json::from_str(har).unwrap();
        let headers = response.headers();
        assert_eq!(headers.len(), 1, "{headers:?}");
        assert_eq!(headers.get(CONTENT_TYPE).unwrap(), "text/html; charset=utf-8");
        assert_eq!(response.into_body().unwrap().unwrap(), "é".as_bytes());
    }
}
