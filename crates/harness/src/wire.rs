//! What both ends of the harness share about HTTP: ordered headers, and HTTP/1.1's message syntax as far as it is needed to
//! read what Envoy sends. It refuses what Envoy would never send (obs-fold, bare LF) instead of guessing.

mod body;
mod headers;

use std::fmt;

pub(crate) use body::BodyReader;
pub use headers::Headers;

/// What a connection speaks. HTTP/2 is always cleartext with prior knowledge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Protocol {
    /// HTTP/1.1.
    Http1,
    /// HTTP/2.
    Http2,
}

impl Protocol {
    /// Both, for tests that hold on either.
    pub const ALL: [Self; 2] = [Self::Http1, Self::Http2];
}

/// A message that is not HTTP/1.1 as the harness reads it.
#[derive(Debug)]
pub struct WireError {
    /// What stood where something else was expected.
    pub got: String,
    /// What was expected.
    pub expected: &'static str,
}

impl WireError {
    pub(crate) fn new(expected: &'static str, got: &[u8]) -> Self {
        Self { got: String::from_utf8_lossy(got).into_owned(), expected }
    }
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not HTTP/1.1: expected {}, got {:?}", self.expected, self.got)
    }
}

impl std::error::Error for WireError {}

/// The first line and the headers of a message, cut off the front of a buffer once they are whole.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) first_line: String,
    pub(crate) headers: Headers,
}

impl Head {
    /// Takes a head from the front of `buffer`, or leaves it alone when the blank line has not come yet.
    pub(crate) fn take(buffer: &mut Vec<u8>) -> Result<Option<Self>, WireError> {
        let Some(end) = find(buffer, b"\r\n\r\n") else { return Ok(None) };
        let bytes: Vec<u8> = buffer.drain(..end + 4).collect();
        let mut lines = lines(&bytes);
        let first = lines.next().unwrap_or_default();
        let first_line = String::from_utf8(first.to_vec()).map_err(|_| WireError::new("ASCII", first))?;
        Ok(Some(Self { first_line, headers: Headers::parse(lines)? }))
    }
}

/// The lines of `bytes` up to the first blank one, without their CRLF.
pub(crate) fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let end = find(rest, b"\r\n")?;
        let (line, tail) = rest.split_at_checked(end)?;
        rest = tail.get(2..)?;
        Some(line)
    })
    .take_while(|line| !line.is_empty())
}

/// Where `needle` first starts in `haystack`.
#[must_use]
pub fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}
