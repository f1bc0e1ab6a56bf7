//! Hashes of scripts and styles, as policies name them.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::source::is_base64_value;

/// The hash of a text or of a file: `sha256-…`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Hash {
    algorithm: String,
    digest: String,
}

impl Hash {
    /// The hash that a browser computes of an inline script or style whose source is `text`, between its tags.
    ///
    /// A browser hashes what it has parsed (CSP Level 3 § 6.7.3.3, over the child text content), and its input stream has
    /// turned CR LF and CR into LF by then, its tokenizer NUL into U+FFFD (WHATWG HTML § 13.2.3.5, 13.2.5).
    #[must_use]
    pub fn of_inline(text: &str) -> Self {
        let parsed = text.replace("\r\n", "\n").replace('\r', "\n").replace('\0', "\u{FFFD}");
        Self::of(&parsed)
    }

    /// The SHA-256 of a text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let digest = STANDARD.encode(Sha256::digest(text.as_bytes()));
        Self { algorithm: "sha256".to_owned(), digest }
    }

    /// Reads `sha256-…`, `sha384-…` or `sha512-…`, as in integrity metadata (Subresource Integrity § 3.5), without its
    /// options.
    #[must_use]
    pub fn parse(token: &str) -> Option<Self> {
        let (algorithm, digest) = token.split_once('-')?;
        let digest = digest.split_once('?').map_or(digest, |(digest, _)| digest);
        let known =
            ["sha256", "sha384", "sha512"].iter().find(|known| algorithm.eq_ignore_ascii_case(known))?;
        is_base64_value(digest).then(|| Self { algorithm: (*known).to_owned(), digest: digest.to_owned() })
    }

    /// All hashes of an `integrity` attribute; what is not understood in it is passed over, as browsers do.
    #[must_use]
    pub fn of_integrity(metadata: &str) -> Vec<Self> {
        metadata.split_ascii_whitespace().filter_map(Self::parse).collect()
    }

    pub(super) fn algorithm(&self) -> &str {
        &self.algorithm
    }

    pub(super) fn digest(&self) -> &str {
        &self.digest
    }
}

/// As a source expression.
impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "'{}-{}'", self.algorithm, self.digest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_standard() {
        // CSP Level 3 § 8.3.
        assert_eq!(
            Hash::of_inline("doSubmit()").to_string(),
            "'sha256-jzgBGA4UWFFmpOBq0JpdsySukE1FrEN5bUpoK8Z29fY='"
        );
        assert_eq!(Hash::of("").to_string(), "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='");
    }

    #[test]
    fn what_the_parser_changes_is_changed_before() {
        assert_eq!(Hash::of_inline("a\r\nb\rc\n\0"), Hash::of("a\nb\nc\n\u{FFFD}"));
        assert_ne!(Hash::of_inline("é"), Hash::of_inline("e"));
    }

    #[test]
    fn integrity_metadata_is_read_hash_by_hash() {
        let hashes = Hash::of_integrity(" sha384-Zg==?ct=text/javascript md5-x\tSHA256-Zm8= sha512-*");
        let texts: Vec<String> = hashes.iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["'sha384-Zg=='", "'sha256-Zm8='"]);
    }
}
