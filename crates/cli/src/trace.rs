//! Traces as people have them: the JSON of `engraft explain --json`, the value of a header, or the response head that it is in.

use std::fmt;

use engraft::exchange::TRACE_HEADER;
use engraft::explain::compact::{self, CompactError};
use engraft::explain::trace::{Trace, VERSION};

/// Why a text is no trace.
#[derive(Debug)]
pub(crate) enum TraceError {
    /// It is JSON, and not that of a trace.
    Json(serde_json::Error),
    /// Of another version.
    Version(u32),
    /// It begins as no form of a trace does.
    Absent,
    /// The header can't be read.
    Header(CompactError),
    /// It is a trace; what can't be done without was left out of it.
    LeftOut(&'static str),
}

/// Reads a trace in any of its forms.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn read(text: &str) -> Result<Trace, TraceError> {
    let text = text.trim();
    if text.starts_with('{') {
        let trace: Trace = serde_json::from_str(text).map_err(TraceError::Json)?;
        return if trace.trace == VERSION { Ok(trace) } else { Err(TraceError::Version(trace.trace)) };
    }
    let value = in_head(text).or_else(|| alone(text)).ok_or(TraceError::Absent)?;
    compact::decode(&value).map_err(TraceError::Header)
}

/// The value in a block of header lines, also as `curl -v` shows them, and where a terminal broke it into several.
fn in_head(text: &str) -> Option<String> {
    let mut lines = text.lines().map(|line| line.trim().trim_start_matches(['<', '>']).trim_start());
    let value_of = |line: &str| {
        let (name, value) = line.split_once(':')?;
        name.trim().eq_ignore_ascii_case(TRACE_HEADER.as_str()).then(|| value.trim().to_owned())
    };
    let first = lines.by_ref().find_map(value_of)?;
    let rest = lines.take_while(|line| !line.is_empty() && line.bytes().all(is_of_value));
    Some(rest.fold(first, |value, line| value + line))
}

/// A value with no name before it.
fn alone(text: &str) -> Option<String> {
    let value: String = text.split_whitespace().collect();
    let is_value =
        value.split_once('.').is_some_and(|(version, _)| version.bytes().all(|it| it.is_ascii_digit()));
    (is_value && value.bytes().all(is_of_value)).then_some(value)
}

const fn is_of_value(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')
}

impl fmt::Display for TraceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(error) => write!(f, "not the JSON of a trace: {error}"),
            Self::Version(version) => {
                write!(
                    f,
                    "a trace of version {version}, and this engraft reads {VERSION}; use the engraft that wrote it"
                )
            }
            Self::Absent => write!(
                f,
                "no trace; give the JSON of `engraft explain --json`, the value of an {TRACE_HEADER} header, or the response head with it"
            ),
            Self::Header(error) => error.fmt(f),
            Self::LeftOut(what) => {
                write!(f, "the request can't be run again: {what}")
            }
        }
    }
}

impl std::error::Error for TraceError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Json(error) => Some(error),
            Self::Header(error) => Some(error),
            Self::Version(_) | Self::Absent | Self::LeftOut(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace() -> Trace {
        Trace { trace: VERSION, route: Some("product".into()), ..Trace::default() }
    }

    #[test]
    fn a_trace_is_found_in_what_people_paste() {
        let value = compact::encode(trace()).unwrap();
        let (start, end) = value.split_at(20);
        let json = serde_json::to_string(&trace()).unwrap();
        for text in [
            value.clone(),
            format!("  {value}\n"),
            format!("{start}\n{end}\n"),
            format!("x-engraft-trace: {value}"),
            format!("X-Engraft-Trace:{value}\r\n"),
            format!("HTTP/1.1 200 OK\r\ndate: now\r\nx-engraft-trace: {value}\r\nvary: a:b\r\n\r\n<p>"),
            format!("* Connected\n> GET / HTTP/2\n< HTTP/2 200\n< x-engraft-trace: {value}\n< age: 1\n"),
            format!("x-engraft-trace: {start}\n  {end}\nvary: a"),
            json,
        ] {
            assert_eq!(read(&text).unwrap(), trace(), "{text}");
        }
    }

    #[test]
    fn what_is_no_trace_says_what_to_give() {
        let error = |text: &str| read(text).unwrap_err().to_string();
        assert!(error("").starts_with("no trace; give the JSON"));
        assert!(error("HTTP/1.1 200 OK\nage: 1").starts_with("no trace; give the JSON"));
        assert!(error("{\"trace\": 2}").starts_with("a trace of version 2, and this engraft reads 1"));
        assert!(error("{\"trace\": ").starts_with("not the JSON of a trace: EOF"));
        assert!(error("x-engraft-trace: 1.abc").starts_with("this is not the whole value"));
        assert!(error("2.abc").contains("has the version \"2\""));
    }
}
