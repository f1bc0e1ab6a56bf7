use std::fmt;

use super::WireError;

/// Header lines as they came: order, repetition, case of names and bytes of values kept. (HTTP/2 lowercases names by definition,
/// and the order *between different names* there is the h2 crate's, not the wire's; the order of one name's values is the wire's.)
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, Vec<u8>)>);

impl Headers {
    /// No headers.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends a line; nothing is replaced.
    pub fn push(&mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) {
        self.0.push((name.into(), value.into()));
    }

    /// Removes every line of that name.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
    }

    /// The first value as text; `None` when there is no such header, or its bytes are not UTF-8 (see [`Self::bytes`]).
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.bytes(name).and_then(|value| std::str::from_utf8(value).ok())
    }

    /// The first value as bytes.
    #[must_use]
    pub fn bytes(&self, name: &str) -> Option<&[u8]> {
        self.values(name).next()
    }

    /// Every value of a name, in order, as text (bytes that are not UTF-8 replaced).
    #[must_use]
    pub fn all(&self, name: &str) -> Vec<String> {
        self.values(name).map(|value| String::from_utf8_lossy(value).into_owned()).collect()
    }

    /// Whether there is a line of that name.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.values(name).next().is_some()
    }

    /// The lines in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_slice()))
    }

    /// How many lines there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn values(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.0.iter().filter(move |(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_slice())
    }

    pub(super) fn parse<'a>(lines: impl Iterator<Item = &'a [u8]>) -> Result<Self, WireError> {
        let mut headers = Self::new();
        for line in lines {
            let colon = line.iter().position(|b| *b == b':').filter(|at| *at > 0);
            let (name, value) = colon
                .and_then(|at| Some((line.get(..at)?, line.get(at + 1..)?)))
                .ok_or_else(|| WireError::new("`name: value`", line))?;
            let name = std::str::from_utf8(name).map_err(|_| WireError::new("an ASCII header name", line))?;
            headers.push(name, value.trim_ascii());
        }
        Ok(headers)
    }

    /// Appends the lines in HTTP/1.1's form, each with its CRLF.
    pub(crate) fn write_to(&self, out: &mut Vec<u8>) {
        for (name, value) in &self.0 {
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b": ");
            out.extend_from_slice(value);
            out.extend_from_slice(b"\r\n");
        }
    }
}

impl<N: Into<String>, V: Into<Vec<u8>>> FromIterator<(N, V)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(lines: I) -> Self {
        Self(lines.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

impl From<&http::HeaderMap> for Headers {
    fn from(map: &http::HeaderMap) -> Self {
        map.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect()
    }
}

impl TryFrom<&Headers> for http::HeaderMap {
    type Error = http::Error;

    fn try_from(headers: &Headers) -> Result<Self, http::Error> {
        let mut map = Self::new();
        for (name, value) in headers.iter() {
            map.append(http::HeaderName::from_bytes(name.as_bytes())?, http::HeaderValue::from_bytes(value)?);
        }
        Ok(map)
    }
}

/// One `name: value` a line.
impl fmt::Display for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in self.iter() {
            writeln!(f, "{name}: {}", String::from_utf8_lossy(value))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.iter().map(|(name, value)| (name, String::from_utf8_lossy(value)));
        f.debug_list().entries(text).finish()
    }
}
