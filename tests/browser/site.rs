//! The pages: written by an origin, edited by the core, served on this machine with the headers that the core decided.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use engraft::engine::Engine;
use engraft::exchange::{self, Body, Next};
use engraft::request::RequestHead;
use engraft_harness::origin::{Origin, Reply};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

/// Where the pages are, and the scripts that they name.
pub(crate) struct Site {
    origin: Origin,
    pages: AtomicUsize,
}

/// A page as the origin writes it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Page {
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
    /// Of the request.
    pub(crate) query: String,
    pub(crate) request_headers: HeaderMap,
}

/// A page as it leaves.
pub(crate) struct Edited {
    pub(crate) page: Page,
    /// What the report says of the patches.
    pub(crate) outcome: String,
}

impl Site {
    pub(crate) fn start() -> Result<Self, String> {
        let origin = Origin::start().map_err(|error| format!("no origin: {error}"))?;
        // A script that says that it ran, by the name that is its query.
        origin.on("/mark.js", |request| {
            let query = request.target.split_once('?').map(|(_, query)| query).unwrap_or_default();
            let name = percent_decode_str(query).decode_utf8_lossy();
            let name: String =
                name.chars().filter(|c| c.is_ascii_alphanumeric() || ": ".contains(*c)).collect();
            Reply::ok("text/javascript", format!("own('{name}')")).header("access-control-allow-origin", "*")
        });
        origin.reply("/sheet.css", Reply::ok("text/css", "#attacked { padding: 9px }"));
        origin.reply("/empty", Reply::html(""));
        origin.reply("/heard", Reply::html(""));
        Ok(Self { origin, pages: AtomicUsize::new(0) })
    }

    pub(crate) fn port(&self) -> u16 {
        self.origin.addr().port()
    }

    /// The host of the pages.
    pub(crate) fn authority(&self) -> String {
        self.origin.addr().to_string()
    }

    /// What pages have told under this name: `/heard?NAME&WHAT`.
    pub(crate) fn heard(&self, name: &str) -> Vec<String> {
        let start = format!("/heard?{name}&");
        let requests = self.origin.requests();
        let told = requests.iter().filter_map(|request| request.target.strip_prefix(&start));
        told.map(|what| percent_decode_str(what).decode_utf8_lossy().into_owned()).collect()
    }

    /// Serves a page, and says where.
    pub(crate) fn serve(&self, page: &Page) -> String {
        let path = format!("/p/{}", self.pages.fetch_add(1, Ordering::Relaxed));
        let mut reply = Reply::new(200, page.body.as_bytes());
        for (name, value) in &page.headers {
            reply = reply.header(name.as_str(), value.as_bytes());
        }
        self.origin.reply(&path, reply);
        format!("http://{}{path}", self.authority())
    }

    /// What `patches` make of a page.
    pub(crate) fn edit(&self, attributes: &Value, patches: &Value, page: &Page) -> Result<Edited, String> {
        let config = json!({
            "version": 1,
            "attributes": attributes,
            "routes": [{ "name": "a", "patches": patches }],
        });
        let loaded = Engine::load(config.to_string().as_bytes()).map_err(|problems| problems.to_string())?;
        let request = RequestHead {
            method: "GET".to_owned(),
            scheme: "http".to_owned(),
            authority: self.authority(),
            path: format!("/p?{}", page.query),
            headers: page.request_headers.clone(),
            has_body: false,
        };
        let begun = exchange::begin(&Arc::new(loaded.engine), &request, &Default::default());
        let Next::Forward(forwarded) = begun.next else {
            return Err("answered without the origin".to_owned());
        };
        let mut headers = page.headers.clone();
        let answered = forwarded.answer(StatusCode::OK, &headers);
        answered.headers.iter().for_each(|edit| edit.apply(&mut headers));
        let Body::Edited(mut edits) = answered.body else { return Err("the page is not edited".to_owned()) };
        let source = page.body.as_bytes();
        let mut out = Vec::with_capacity(source.len());
        let kept = edits.write(source, &mut out);
        let from = source.len().checked_sub(kept).ok_or("more bytes are to follow than there are")?;
        out.extend_from_slice(source.get(from..).unwrap_or_default());
        let report = edits.end(&mut out);
        let body = String::from_utf8(out).map_err(|error| error.to_string())?;
        Ok(Edited { page: Page { headers, body, ..Page::default() }, outcome: report.summary() })
    }
}

/// The headers of a page, with its type.
pub(crate) fn headers(lines: &[(String, String)]) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    for (name, value) in lines {
        let name = HeaderName::try_from(name).map_err(|error| error.to_string())?;
        headers.append(name, HeaderValue::try_from(value).map_err(|error| error.to_string())?);
    }
    Ok(headers)
}
