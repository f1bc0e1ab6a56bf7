//! A folder served as a static web server would: content types, validators, conditional requests, `index.html` for folders.

use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use percent_encoding::percent_decode_str;

use crate::origin::{Origin, ReceivedRequest, Reply};
use crate::wire::Headers;

/// The folder.
#[derive(Clone, Debug)]
pub struct Site {
    root: PathBuf,
}

impl Site {
    /// Serves what is below `root`, and nothing outside it even by symbolic links.
    ///
    /// # Errors
    /// When there is no such folder.
    pub fn new(root: &Path) -> io::Result<Self> {
        Ok(Self { root: root.canonicalize()? })
    }

    /// Starts an origin that serves it.
    ///
    /// # Errors
    /// See [`Origin::start`].
    pub fn serve(self) -> io::Result<Origin> {
        let origin = Origin::start()?;
        origin.otherwise(move |request| self.answer(request));
        Ok(origin)
    }

    /// The answer to one request.
    #[must_use]
    pub fn answer(&self, request: &ReceivedRequest) -> Reply {
        if !matches!(request.method.as_str(), "GET" | "HEAD") {
            return Reply::new(405, "only GET and HEAD\n").header("allow", "GET, HEAD");
        }
        let Some(path) = self.locate(request.path()) else { return self.not_found() };
        if path.is_dir() {
            if !request.path().ends_with('/') {
                let query =
                    request.target.split_once('?').map(|(_, query)| format!("?{query}")).unwrap_or_default();
                return Reply::new(301, "").header("location", format!("{}/{query}", request.path()));
            }
            return file(&path.join("index.html"), &request.headers).unwrap_or_else(|| self.not_found());
        }
        file(&path, &request.headers).unwrap_or_else(|| self.not_found())
    }

    /// What a path of a URL stands for, if it is there and below the root.
    fn locate(&self, url_path: &str) -> Option<PathBuf> {
        let decoded = percent_decode_str(url_path).decode_utf8().ok()?;
        let path = self.root.join(decoded.trim_start_matches('/')).canonicalize().ok()?;
        path.starts_with(&self.root).then_some(path)
    }

    fn not_found(&self) -> Reply {
        let page = std::fs::read(self.root.join("404.html"));
        let page =
            page.unwrap_or_else(|_| b"<!doctype html><title>Not found</title><h1>Not found</h1>\n".to_vec());
        Reply::new(404, page).header("content-type", "text/html; charset=utf-8")
    }
}

/// A file, or the 304 that says the client has it; `None` when it can't be read.
fn file(path: &Path, asked: &Headers) -> Option<Reply> {
    let metadata = path.metadata().ok().filter(Metadata::is_file)?;
    let modified = metadata.modified().unwrap_or(UNIX_EPOCH);
    let etag = etag(&metadata, modified);
    let reply = if is_fresh(asked, &etag, modified) {
        Reply::new(304, "")
    } else {
        Reply::ok(content_type(path), std::fs::read(path).ok()?)
    };
    let reply = reply.header("etag", etag).header("last-modified", httpdate::fmt_http_date(modified));
    Some(reply.header("cache-control", "public, max-age=600"))
}

/// Time and size, as common servers do it.
fn etag(metadata: &Metadata, modified: SystemTime) -> String {
    let nanos = modified.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    format!("\"{nanos:x}-{:x}\"", metadata.len())
}

/// RFC 9110, section 13.2.2: `If-Modified-Since` counts only where there is no `If-None-Match`.
fn is_fresh(asked: &Headers, etag: &str, modified: SystemTime) -> bool {
    let tags = asked.all("if-none-match");
    if !tags.is_empty() {
        let same = |tag: &str| tag == "*" || tag.trim_start_matches("W/") == etag;
        return tags.iter().flat_map(|line| line.split(',')).any(|tag| same(tag.trim()));
    }
    let since = asked.get("if-modified-since").and_then(|date| httpdate::parse_http_date(date).ok());
    // The header has whole seconds.
    let seconds = |time: SystemTime| time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    since.is_some_and(|since| seconds(modified) <= seconds(since))
}

fn content_type(path: &Path) -> &'static str {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("json") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("avif") => "image/avif",
        Some("webp") => "image/webp",
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
