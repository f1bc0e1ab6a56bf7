//! Source lists: what a directive allows (CSP Level 3 § 2.3.1, 6.7.2, 6.7.3).

use super::Kind;
use super::hash::Hash;
use super::url::{Page, Url};

/// One expression of a source list. What the grammar does not know matches nothing.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Source<'p> {
    None,
    SelfOrigin,
    UnsafeInline,
    UnsafeHashes,
    StrictDynamic,
    ReportSample,
    Nonce(&'p str),
    Hash(HashSource<'p>),
    /// A host, a scheme, `*`, or a keyword that says nothing about what we insert.
    Other(&'p str),
}

/// `'sha256-…'`, with the digest as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct HashSource<'p> {
    algorithm: &'p str,
    digest: &'p str,
}

impl<'p> Source<'p> {
    pub(super) fn parse(token: &'p str) -> Self {
        let Some(inside) = token.strip_prefix('\'').and_then(|token| token.strip_suffix('\'')) else {
            return Self::Other(token);
        };
        let keywords = [
            ("none", Self::None),
            ("self", Self::SelfOrigin),
            ("unsafe-inline", Self::UnsafeInline),
            ("unsafe-hashes", Self::UnsafeHashes),
            ("strict-dynamic", Self::StrictDynamic),
            ("report-sample", Self::ReportSample),
        ];
        for (word, keyword) in keywords {
            if inside.eq_ignore_ascii_case(word) {
                return keyword;
            }
        }
        match inside.split_once('-') {
            Some((name, value)) if name.eq_ignore_ascii_case("nonce") && is_base64_value(value) => {
                Self::Nonce(value)
            }
            Some((algorithm, digest)) if is_algorithm(algorithm) && is_base64_value(digest) => {
                Self::Hash(HashSource { algorithm, digest })
            }
            _ => Self::Other(token),
        }
    }
}

impl HashSource<'_> {
    /// Whether it names this digest, in either alphabet of base64 (§ 6.7.3.3).
    pub(super) fn is(self, hash: &Hash) -> bool {
        let standard = |byte: u8| match byte {
            b'-' => b'+',
            b'_' => b'/',
            other => other,
        };
        self.algorithm.eq_ignore_ascii_case(hash.algorithm())
            && self.digest.bytes().map(standard).eq(hash.digest().bytes().map(standard))
    }
}

fn is_algorithm(name: &str) -> bool {
    ["sha256", "sha384", "sha512"].iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// `base64-value`: letters of either alphabet, then at most two `=`.
pub(super) fn is_base64_value(text: &str) -> bool {
    let letters = text.trim_end_matches('=');
    !letters.is_empty()
        && text.len().saturating_sub(letters.len()) <= 2
        && letters
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_'))
}

/// A source list, in order.
#[derive(Debug, Clone, Copy)]
pub(super) struct SourceList<'p>(pub(super) &'p [String]);

impl<'p> SourceList<'p> {
    pub(super) fn sources(self) -> impl Iterator<Item = Source<'p>> {
        self.0.iter().map(|token| Source::parse(token))
    }

    fn has(self, wanted: &Source<'_>) -> bool {
        self.sources().any(|source| source == *wanted)
    }

    /// Does it allow all inline behaviour for this type? (§ 6.7.3.2: a nonce or a hash turns `'unsafe-inline'` off, and
    /// for scripts so does `'strict-dynamic'`.)
    pub(super) fn allows_all_inline(self, kind: Kind) -> bool {
        let off = |source: Source<'_>| match source {
            Source::Nonce(_) | Source::Hash(_) => true,
            Source::StrictDynamic => kind == Kind::Script,
            _ => false,
        };
        self.has(&Source::UnsafeInline) && !self.sources().any(off)
    }

    pub(super) fn has_unsafe_hashes(self) -> bool {
        self.has(&Source::UnsafeHashes)
    }

    pub(super) fn reports_samples(self) -> bool {
        self.has(&Source::ReportSample)
    }

    pub(super) fn has_nonce(self, nonce: &str) -> bool {
        self.has(&Source::Nonce(nonce))
    }

    pub(super) fn nonces(self) -> impl Iterator<Item = &'p str> {
        self.sources().filter_map(|source| match source {
            Source::Nonce(nonce) => Some(nonce),
            _ => None,
        })
    }

    pub(super) fn has_hash(self, hash: &Hash) -> bool {
        self.sources().any(|source| matches!(source, Source::Hash(known) if known.is(hash)))
    }

    pub(super) fn has_hashes(self) -> bool {
        self.sources().any(|source| matches!(source, Source::Hash(_)))
    }

    pub(super) fn is_strict_dynamic(self) -> bool {
        self.has(&Source::StrictDynamic)
    }

    /// Does the URL match the list? (§ 6.7.2.6)
    pub(super) fn matches(self, url: &Url, page: &Page) -> bool {
        self.sources().any(|source| match source {
            Source::SelfOrigin => url.is_of(page),
            Source::Other(expression) => url.matches(expression, page),
            _ => false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_read_by_the_grammar() {
        for (token, expected) in [
            ("'none'", Source::None),
            ("'SELF'", Source::SelfOrigin),
            ("'unsafe-inline'", Source::UnsafeInline),
            ("'Strict-Dynamic'", Source::StrictDynamic),
            ("'nonce-aB+/-_9=='", Source::Nonce("aB+/-_9==")),
            ("'NONCE-a'", Source::Nonce("a")),
            ("'nonce-'", Source::Other("'nonce-'")),
            ("'nonce-a\"b'", Source::Other("'nonce-a\"b'")),
            ("'nonce-a==='", Source::Other("'nonce-a==='")),
            ("'nonce-a=b'", Source::Other("'nonce-a=b'")),
            ("nonce-a", Source::Other("nonce-a")),
            ("'sha256-Zg=='", Source::Hash(HashSource { algorithm: "sha256", digest: "Zg==" })),
            ("'SHA512-Zg'", Source::Hash(HashSource { algorithm: "SHA512", digest: "Zg" })),
            ("'sha1-Zg=='", Source::Other("'sha1-Zg=='")),
            ("self", Source::Other("self")),
            ("'self", Source::Other("'self")),
            ("'", Source::Other("'")),
            ("cdn.example", Source::Other("cdn.example")),
        ] {
            assert_eq!(Source::parse(token), expected, "{token}");
        }
    }

    #[test]
    fn all_inline_is_allowed_by_unsafe_inline_alone() {
        for (list, script, style) in [
            ("'unsafe-inline'", true, true),
            ("'self' 'Unsafe-Inline' https:", true, true),
            ("'unsafe-inline' 'nonce-a'", false, false),
            ("'unsafe-inline' 'sha256-Zg=='", false, false),
            ("'unsafe-inline' 'nonce-'", true, true),
            ("'unsafe-inline' 'strict-dynamic'", false, true),
            ("'unsafe-inline' 'unsafe-hashes'", true, true),
            ("'self'", false, false),
            ("*", false, false),
            ("", false, false),
        ] {
            let tokens: Vec<String> = list.split_ascii_whitespace().map(str::to_owned).collect();
            let list = SourceList(&tokens);
            assert_eq!(list.allows_all_inline(Kind::Script), script, "{tokens:?}");
            assert_eq!(list.allows_all_inline(Kind::Style), style, "{tokens:?}");
        }
    }

    #[test]
    fn hashes_are_compared_in_either_alphabet() {
        let hash = Hash::parse("sha256-+/A=").unwrap();
        for (token, expected) in [
            ("'sha256-+/A='", true),
            ("'SHA256--_A='", true),
            ("'sha384-+/A='", false),
            ("'sha256-+/B='", false),
        ] {
            assert_eq!(SourceList(&[token.to_owned()]).has_hash(&hash), expected, "{token}");
        }
    }
}
