//! A folder served as a static web server would: content types, validators, conditional requests, ranges, `index.html`.

use std::fs::{File, Metadata};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};
use percent_encoding::percent_decode_str;

use super::source::Source;
use crate::time;

/// The page of a folder.
const INDEX: &str = "index.html";

/// See the [module](self).
#[derive(Debug, Clone)]
pub(crate) struct Site {
    root: PathBuf,
}

impl Site {
    /// Serves what is below `root`, and nothing outside of it even by symbolic links.
    ///
    /// # Errors
    /// Where there is no such folder.
    pub(crate) fn new(root: &Path) -> io::Result<Self> {
        let root = root.canonicalize()?;
        if root.is_dir() { Ok(Self { root }) } else { Err(io::ErrorKind::NotADirectory.into()) }
    }

    /// The answer to a request for `target`, a path with or without a query.
    pub(crate) fn answer(&self, method: &Method, target: &str, asked: &HeaderMap) -> Response<Source> {
        if !matches!(*method, Method::GET | Method::HEAD) {
            let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "a folder has only GET and HEAD\n");
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
            return response;
        }
        let (path, query) =
            target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
        let mut response = match self.locate(path) {
            Some(found) if found.is_dir() && !path.ends_with('/') => moved(path, query),
            Some(found) if found.is_dir() => {
                // The page itself may be a link that leads out.
                let index = self.below(&found.join(INDEX));
                index.and_then(|index| file(&index, method, asked)).unwrap_or_else(|| self.not_found())
            }
            Some(found) if !path.ends_with('/') => {
                file(&found, method, asked).unwrap_or_else(|| self.not_found())
            }
            _ => self.not_found(),
        };
        if method == Method::HEAD {
            *response.body_mut() = Source::EMPTY;
        }
        response
    }

    /// What a path of a URL stands for. Names that begin with a dot are not for visitors, but for `.well-known` (RFC 8615).
    fn locate(&self, path: &str) -> Option<PathBuf> {
        let decoded = percent_decode_str(path).decode_utf8().ok()?;
        let mut found = self.root.clone();
        for name in decoded.split('/').filter(|name| !name.is_empty()) {
            let is_hidden = name.starts_with('.') && name != ".well-known";
            if is_hidden || name.contains(['\\', '\0', ':']) {
                return None;
            }
            found.push(name);
        }
        self.below(&found)
    }

    fn below(&self, path: &Path) -> Option<PathBuf> {
        let path = path.canonicalize().ok()?;
        path.starts_with(&self.root).then_some(path)
    }

    /// The folder's own page for that, if it has one.
    fn not_found(&self) -> Response<Source> {
        let own = || {
            let (mut file, _) = open(&self.below(&self.root.join("404.html"))?)?;
            let mut page = Vec::new();
            file.read_to_end(&mut page).ok().map(|_| page)
        };
        let Some(page) = own() else { return text(StatusCode::NOT_FOUND, "there is no such file\n") };
        let length = page.len();
        let mut response = Response::new(Source::from(Bytes::from(page)));
        *response.status_mut() = StatusCode::NOT_FOUND;
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        response.headers_mut().insert(header::CONTENT_LENGTH, length.into());
        response
    }
}

fn text(status: StatusCode, text: &'static str) -> Response<Source> {
    let mut response = Response::new(Source::from(Bytes::from_static(text.as_bytes())));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(header::CONTENT_LENGTH, text.len().into());
    response
}

/// A folder has a slash at the end, as what its page links to is below it. More slashes in front would be another host.
fn moved(path: &str, query: Option<&str>) -> Response<Source> {
    let mut response = Response::new(Source::EMPTY);
    *response.status_mut() = StatusCode::MOVED_PERMANENTLY;
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    let location = format!("/{}/{query}", path.trim_start_matches('/'));
    if let Ok(location) = HeaderValue::try_from(location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response.headers_mut().insert(header::CONTENT_LENGTH, 0.into());
    response
}

/// Opens what is a file, and nothing else: a named pipe would have whoever opens it wait for another program.
fn open(path: &Path) -> Option<(File, Metadata)> {
    std::fs::metadata(path).ok().filter(Metadata::is_file)?;
    let file = File::open(path).ok()?;
    let metadata = file.metadata().ok()?;
    Some((file, metadata))
}

/// A file, a part of it, or the 304 that says the client has it; `None` where it can't be read.
fn file(path: &Path, method: &Method, asked: &HeaderMap) -> Option<Response<Source>> {
    let (mut file, metadata) = open(path)?;
    // Files that were unpacked may be of any time.
    let modified = time::in_header(metadata.modified().unwrap_or(UNIX_EPOCH));
    let length = metadata.len();
    let etag = etag(length, modified);
    let mut response = Response::new(Source::EMPTY);
    let headers = response.headers_mut();
    for (name, value) in [
        (header::ETAG, etag.clone()),
        (header::LAST_MODIFIED, httpdate::fmt_http_date(modified)),
        // A file may change at any time, and whoever changes it looks at it next.
        (header::CACHE_CONTROL, "no-cache".to_owned()),
    ] {
        headers.insert(name, HeaderValue::try_from(value).ok()?);
    }
    if is_fresh(asked, &etag, modified) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return Some(response);
    }
    headers.insert(header::CONTENT_TYPE, content_type(path));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    // Only GET asks for parts (RFC 9110 § 14.2).
    let asked_for = if method == Method::GET { range(asked, length, &etag, modified) } else { Range::Whole };
    match asked_for {
        Range::Whole => {
            headers.insert(header::CONTENT_LENGTH, length.into());
            *response.body_mut() = Source::File { file, left: length };
        }
        Range::Part { first, last } => {
            let left = last.saturating_sub(first).saturating_add(1);
            file.seek(SeekFrom::Start(first)).ok()?;
            headers.insert(header::CONTENT_LENGTH, left.into());
            let content_range = format!("bytes {first}-{last}/{length}");
            headers.insert(header::CONTENT_RANGE, HeaderValue::try_from(content_range).ok()?);
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            *response.body_mut() = Source::File { file, left };
        }
        Range::Nowhere => {
            headers.remove(header::CONTENT_TYPE);
            headers.insert(header::CONTENT_LENGTH, 0.into());
            headers.insert(header::CONTENT_RANGE, HeaderValue::try_from(format!("bytes */{length}")).ok()?);
            *response.status_mut() = StatusCode::RANGE_NOT_SATISFIABLE;
        }
    }
    Some(response)
}

/// Time and size, as common servers do it.
fn etag(length: u64, modified: SystemTime) -> String {
    let nanos = modified.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    format!("\"{nanos:x}-{length:x}\"")
}

/// RFC 9110 § 13.2.2: `If-Modified-Since` counts only where there is no `If-None-Match`.
fn is_fresh(asked: &HeaderMap, etag: &str, modified: SystemTime) -> bool {
    if asked.contains_key(header::IF_NONE_MATCH) {
        let is_same = |tag: &[u8]| tag == b"*" || tag.strip_prefix(b"W/").unwrap_or(tag) == etag.as_bytes();
        return engraft::headers::list(asked, &header::IF_NONE_MATCH).any(is_same);
    }
    date(asked, &header::IF_MODIFIED_SINCE).is_some_and(|since| seconds(modified) <= seconds(since))
}

fn date(asked: &HeaderMap, name: &HeaderName) -> Option<SystemTime> {
    httpdate::parse_http_date(asked.get(name)?.to_str().ok()?).ok()
}

/// Dates in headers have whole seconds.
fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// What is asked for of a file.
#[derive(Debug, PartialEq, Eq)]
enum Range {
    Whole,
    Part {
        first: u64,
        last: u64,
    },
    /// Behind its end.
    Nowhere,
}

/// RFC 9110 § 14.2: a range that can't be read, or several, may be answered with the whole; and so is one of an older file
/// (`If-Range`).
fn range(asked: &HeaderMap, length: u64, etag: &str, modified: SystemTime) -> Range {
    let Some(range) = asked.get(header::RANGE).and_then(|range| range.to_str().ok()) else {
        return Range::Whole;
    };
    if let Some(condition) = asked.get(header::IF_RANGE) {
        let is_date = date(asked, &header::IF_RANGE).is_some_and(|date| seconds(date) == seconds(modified));
        if condition.as_bytes() != etag.as_bytes() && !is_date {
            return Range::Whole;
        }
    }
    let Some((first, last)) = range.strip_prefix("bytes=").and_then(|range| range.trim().split_once('-'))
    else {
        return Range::Whole;
    };
    let end = length.saturating_sub(1);
    let number = |text: &str| text.parse::<u64>().ok();
    match (first, last) {
        ("", suffix) => match number(suffix) {
            Some(0) => Range::Nowhere,
            Some(_) if length == 0 => Range::Nowhere,
            Some(suffix) => Range::Part { first: length.saturating_sub(suffix), last: end },
            None => Range::Whole,
        },
        (first, last) => match (number(first), number(last)) {
            (Some(first), _) if first >= length => Range::Nowhere,
            (Some(first), Some(last)) if first <= last => Range::Part { first, last: last.min(end) },
            (Some(first), None) if last.is_empty() => Range::Part { first, last: end },
            _ => Range::Whole,
        },
    }
}

/// By the file's name. Texts are taken for UTF-8, as everywhere by now.
fn content_type(path: &Path) -> HeaderValue {
    let guess = mime_guess::from_path(path).first_raw().unwrap_or("application/octet-stream");
    let is_text = guess.starts_with("text/") || guess == "application/javascript";
    let content_type = if is_text { format!("{guess}; charset=utf-8") } else { guess.to_owned() };
    HeaderValue::try_from(content_type).unwrap_or(HeaderValue::from_static("application/octet-stream"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::visit::map;

    fn of(range: &'static str, length: u64) -> Range {
        let asked = map([(header::RANGE, HeaderValue::from_static(range))]);
        super::range(&asked, length, "\"a\"", UNIX_EPOCH)
    }

    #[test]
    fn ranges_are_parts_of_a_file() {
        let part = |first, last| Range::Part { first, last };
        for (range, expected) in [
            ("bytes=0-4", part(0, 4)),
            ("bytes=5-", part(5, 9)),
            ("bytes=-3", part(7, 9)),
            ("bytes=-30", part(0, 9)),
            ("bytes=5-90", part(5, 9)),
            ("bytes=10-", Range::Nowhere),
            ("bytes=-0", Range::Nowhere),
            ("bytes=5-4", Range::Whole),
            ("bytes=0-1,3-4", Range::Whole),
            ("bytes=a-b", Range::Whole),
            ("lines=0-1", Range::Whole),
            ("bytes=99999999999999999999-", Range::Whole),
        ] {
            assert_eq!(of(range, 10), expected, "{range}");
        }
        assert_eq!((of("bytes=0-", 0), of("bytes=-1", 0)), (Range::Nowhere, Range::Nowhere));
    }

    #[test]
    fn a_range_of_an_older_file_is_the_whole() {
        let asked = |condition| {
            let lines = [(header::RANGE, "bytes=0-1"), (header::IF_RANGE, condition)];
            let asked = map(lines.map(|(name, value)| (name, HeaderValue::from_static(value))));
            range(&asked, 10, "\"a\"", UNIX_EPOCH)
        };
        assert_eq!(asked("\"a\""), Range::Part { first: 0, last: 1 });
        assert_eq!(asked("Thu, 01 Jan 1970 00:00:00 GMT"), Range::Part { first: 0, last: 1 });
        for other in ["\"b\"", "W/\"a\"", "Thu, 01 Jan 1970 00:00:01 GMT"] {
            assert_eq!(asked(other), Range::Whole, "{other}");
        }
    }
}
