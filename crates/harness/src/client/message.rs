use std::borrow::Cow;
use std::time::Duration;

use crate::wire::{Headers, Protocol};

/// A request. HTTP/1.1 sends the headers byte for byte; HTTP/2 turns `host` into `:authority` and lowercases names, as it must.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Request {
    /// The method.
    pub method: String,
    /// The request target.
    pub target: String,
    /// All headers; none is added when it is sent.
    pub headers: Headers,
    /// The body.
    pub body: Vec<u8>,
}

impl Request {
    /// A request without any header.
    #[must_use]
    pub fn bare(method: &str, target: &str) -> Self {
        Self {
            method: method.to_owned(),
            target: target.to_owned(),
            headers: Headers::new(),
            body: Vec::new(),
        }
    }

    /// A request with `host: shop.example` and nothing else.
    #[must_use]
    pub fn new(method: &str, target: &str) -> Self {
        Self::bare(method, target).header("host", "shop.example")
    }

    /// A GET with `host: shop.example` and nothing else.
    #[must_use]
    pub fn get(target: &str) -> Self {
        Self::new("GET", target)
    }

    /// Replaces the host.
    #[must_use]
    pub fn host(mut self, host: &str) -> Self {
        self.headers.remove("host");
        self.header("host", host)
    }

    /// Adds a header line.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push(name, value);
        self
    }

    /// Sets the body and adds its `content-length`.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        let length = self.body.len().to_string();
        self.header("content-length", length)
    }
}

/// A response, or as much of it as came.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Received {
    /// What it came over.
    pub protocol: Protocol,
    /// The status code.
    pub status: u16,
    /// The header lines.
    pub headers: Headers,
    /// The body, without chunked framing and otherwise as it came.
    pub body: Vec<u8>,
    /// What followed the body.
    pub trailers: Headers,
    /// Whether the message came to the end that its framing promised.
    pub complete: bool,
    /// Why it did not.
    pub broken: Option<String>,
    /// How many reads (HTTP/1.1) or DATA frames (HTTP/2) brought bytes of the body.
    pub reads: usize,
    /// From the request's last byte to the response's head.
    pub head_after: Duration,
    /// From the request's last byte to the body's first; that of the end where there is no body.
    pub first_byte_after: Duration,
    /// From the request's last byte to the end.
    pub total: Duration,
}

impl Received {
    /// The body as text, bytes that are not UTF-8 replaced.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }

    /// The first value of a header; see [`Headers::get`].
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)
    }

    pub(super) fn with_head(protocol: Protocol, status: u16, headers: Headers, head_after: Duration) -> Self {
        Self {
            protocol,
            status,
            headers,
            body: Vec::new(),
            trailers: Headers::new(),
            complete: false,
            broken: None,
            reads: 0,
            head_after,
            first_byte_after: Duration::ZERO,
            total: Duration::ZERO,
        }
    }

    /// Notes that the body grew.
    pub(super) const fn grew(&mut self, after: Duration) {
        if self.reads == 0 {
            self.first_byte_after = after;
        }
        self.reads += 1;
    }

    /// Notes the end and how it came.
    pub(super) fn ended(&mut self, after: Duration, broken: Option<String>) {
        self.complete = broken.is_none();
        self.broken = broken;
        self.total = after;
        if self.reads == 0 {
            self.first_byte_after = after;
        }
    }
}
