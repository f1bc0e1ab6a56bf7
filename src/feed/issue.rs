//! The record of a payload that is published: small, so that whoever has the payload already copies nothing else.

use std::fmt;

/// The longest validator that is kept.
const MAX_TAG_BYTES: usize = 256;

/// See the [module](self).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Issue {
    /// Of its bytes.
    pub(super) digest: u128,
    /// How many.
    pub(super) bytes: usize,
    /// From when on it counts, in milliseconds since 1970.
    pub(super) since: u64,
    /// What `ETag` said.
    pub(super) tag: Option<String>,
}

/// Whether a validator can be kept and sent back.
pub(super) fn is_tag(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_TAG_BYTES && text.bytes().all(|byte| byte.is_ascii_graphic())
}

impl Issue {
    /// Reads what [`to_string`](ToString::to_string) wrote.
    pub(super) fn parse(value: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(value).ok()?;
        let mut words = text.split(' ');
        let ("digest", digest) = (words.next()?, words.next()?) else { return None };
        let ("bytes", bytes) = (words.next()?, words.next()?) else { return None };
        let ("since", since) = (words.next()?, words.next()?) else { return None };
        let tag = match (words.next(), words.next()) {
            (None, _) => None,
            (Some("tag"), Some(tag)) if is_tag(tag) => Some(tag.to_owned()),
            _ => return None,
        };
        Some(Self {
            digest: u128::from_str_radix(digest, 16).ok()?,
            bytes: bytes.parse().ok()?,
            since: since.parse().ok()?,
            tag,
        })
    }
}

impl fmt::Display for Issue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "digest {:032x} bytes {} since {}", self.digest, self.bytes, self.since)?;
        self.tag.iter().try_for_each(|tag| write!(f, " tag {tag}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_read_as_it_was_written() {
        for tag in [None, Some("\"a\""), Some("W/\"ä\""), Some("\"a b\"")] {
            let tag = tag.filter(|tag| is_tag(tag)).map(str::to_owned);
            let issue = Issue { digest: u128::MAX >> 5, bytes: 0, since: u64::MAX, tag };
            assert_eq!(Issue::parse(issue.to_string().as_bytes()), Some(issue));
        }
        for text in [
            "",
            "digest",
            "digest x bytes 1 since 1",
            "digest 1 bytes -1 since 1",
            "digest 1 bytes 1 since 1 tag",
        ] {
            assert_eq!(Issue::parse(text.as_bytes()), None, "{text}");
        }
    }
}
