//! JSON Pointer (RFC 6901): the name of a place in a JSON document.

use std::fmt;
use std::str::FromStr;

/// A parsed pointer: its reference tokens, unescaped. None of them is the whole document.
///
/// ```
/// # use engraft::json::Pointer;
/// let pointer: Pointer = "/a~1b/0".parse().unwrap();
/// assert_eq!(pointer.tokens(), ["a/b", "0"]);
/// assert_eq!(pointer.to_string(), "/a~1b/0");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pointer {
    tokens: Vec<String>,
}

impl Pointer {
    /// Its reference tokens.
    #[must_use]
    pub fn tokens(&self) -> &[String] {
        &self.tokens
    }

    pub(super) fn into_tokens(self) -> Vec<String> {
        self.tokens
    }

    /// Whether it names the whole document.
    #[must_use]
    pub const fn is_root(&self) -> bool {
        self.tokens.is_empty()
    }
}

impl FromStr for Pointer {
    type Err = PointerError;

    fn from_str(source: &str) -> Result<Self, PointerError> {
        let Some(rest) = source.strip_prefix('/') else {
            return if source.is_empty() { Ok(Self::default()) } else { Err(PointerError::NoSlash) };
        };
        let tokens: Result<Vec<String>, PointerError> = rest.split('/').map(unescape).collect();
        Ok(Self { tokens: tokens? })
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.tokens.iter().try_for_each(|token| write!(f, "/{}", token.replace('~', "~0").replace('/', "~1")))
    }
}

/// A text that is not a JSON Pointer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PointerError {
    /// It does not start with `/`.
    NoSlash,
    /// A `~` is not part of `~0` or `~1`.
    Tilde,
}

impl fmt::Display for PointerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoSlash => "starts with `/`, or is empty for the whole document",
            Self::Tilde => "writes `~` as `~0`, and a `/` inside of a name as `~1`",
        })
    }
}

impl std::error::Error for PointerError {}

fn unescape(token: &str) -> Result<String, PointerError> {
    let mut pieces = token.split('~');
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (character, rest) = match (piece.strip_prefix('0'), piece.strip_prefix('1')) {
            (Some(rest), _) => ('~', rest),
            (_, Some(rest)) => ('/', rest),
            _ => return Err(PointerError::Tilde),
        };
        out.push(character);
        out.push_str(rest);
    }
    Ok(out)
}

/// The array element that a token names (RFC 6901 § 4): digits without a leading zero.
pub(super) fn array_index(token: &str) -> Option<u64> {
    let canonical = token == "0" || !token.starts_with(['0', '+']);
    canonical.then(|| token.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_rfc() {
        let cases: [(&str, &[&str]); 12] = [
            ("", &[]),
            ("/foo", &["foo"]),
            ("/foo/0", &["foo", "0"]),
            ("/", &[""]),
            ("/a~1b", &["a/b"]),
            ("/c%d", &["c%d"]),
            ("/e^f", &["e^f"]),
            ("/k\"l", &["k\"l"]),
            ("/ ", &[" "]),
            ("/m~0n", &["m~n"]),
            ("/~01", &["~1"]),
            ("/a//b/", &["a", "", "b", ""]),
        ];
        for (source, tokens) in cases {
            let pointer: Pointer = source.parse().unwrap();
            assert_eq!(pointer.tokens(), tokens, "{source}");
            assert_eq!(pointer.to_string(), source);
        }
        assert_eq!("foo".parse::<Pointer>(), Err(PointerError::NoSlash));
        for source in ["/~", "/a~2", "/~/0"] {
            assert_eq!(source.parse::<Pointer>(), Err(PointerError::Tilde), "{source}");
        }
    }

    #[test]
    fn indexes_are_written_in_one_way() {
        for (token, index) in [("0", Some(0)), ("10", Some(10)), ("18446744073709551615", Some(u64::MAX))] {
            assert_eq!(array_index(token), index, "{token}");
        }
        for token in ["", "-", "00", "01", "+1", "-1", "1.0", "1e0", " 1", "18446744073709551616"] {
            assert_eq!(array_index(token), None, "{token}");
        }
    }
}
