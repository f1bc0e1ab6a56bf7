//! Tags: names by which caches in front find a response again, to purge it.
//!
//! The attacks: a value that makes two tags of one, and so lets whoever writes the URL have others' pages purged, or that fills the
//! header until the tags behind it are cut off. Values are percent-encoded, `%` among them, so that two values never make the same
//! tag; what does not fit into a dialect's limits is dropped and counted. A tag of constants that does not fit is refused when the
//! configuration loads.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::config::model::CdnDialect;
use crate::decide::condition::Attributes as _;
use crate::headers::HeaderEdit;
use crate::request::attributes::Values;
use crate::template::Template;

/// How long one line of a header becomes where tags may stand in several: what many servers take for one line.
const MAX_LINE_BYTES: usize = 8000;

/// The header of a dialect, and what fits into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Limits {
    pub(super) name: HeaderName,
    separator: char,
    pub(super) max_tag_bytes: usize,
    pub(super) max_bytes: usize,
    pub(super) max_tags: usize,
    /// Whether a second line of the header is read.
    has_lines: bool,
    /// Only the characters of tokens (RFC 9110 § 5.6.2) without `*`.
    is_token: bool,
}

impl Limits {
    /// `None` where a dialect has no tags.
    pub(super) fn of(dialect: CdnDialect) -> Option<Self> {
        let cache_tag = Self {
            name: HeaderName::from_static("cache-tag"),
            separator: ',',
            max_tag_bytes: 1024,
            max_bytes: 16 * 1024,
            max_tags: 1000,
            has_lines: true,
            is_token: false,
        };
        Some(match dialect {
            CdnDialect::Rfc9213 | CdnDialect::Cloudflare => cache_tag,
            CdnDialect::SurrogateControl | CdnDialect::Fastly => Self {
                name: HeaderName::from_static("surrogate-key"),
                separator: ' ',
                has_lines: false,
                ..cache_tag
            },
            CdnDialect::Akamai => Self {
                name: HeaderName::from_static("edge-cache-tag"),
                max_tag_bytes: 128,
                max_bytes: 8 * 1024,
                max_tags: 128,
                has_lines: false,
                is_token: true,
                ..cache_tag
            },
            CdnDialect::Netlify => {
                Self { name: HeaderName::from_static("netlify-cache-tag"), has_lines: false, ..cache_tag }
            }
            CdnDialect::Vercel => Self {
                name: HeaderName::from_static("vercel-cache-tag"),
                max_tag_bytes: 256,
                max_tags: 128,
                has_lines: false,
                ..cache_tag
            },
            CdnDialect::Varnish => {
                Self { name: HeaderName::from_static("xkey"), separator: ' ', ..cache_tag }
            }
            CdnDialect::Cloudfront | CdnDialect::Envoy => return None,
        })
    }

    fn takes(&self, byte: u8) -> bool {
        if self.is_token {
            byte.is_ascii_alphanumeric() || b"!#$%&'+-.^_`|~".contains(&byte)
        } else {
            byte.is_ascii_graphic() && !matches!(byte, b',' | b'"' | b'\\')
        }
    }

    /// A character of a text of the configuration that can't stand in a tag.
    pub(super) fn misfit(&self, text: &str) -> Option<char> {
        text.chars().find(|c| u8::try_from(*c).map_or(true, |byte| !self.takes(byte)))
    }

    fn encode(&self, value: &str, out: &mut String) {
        for byte in value.bytes() {
            if self.takes(byte) && byte != b'%' {
                out.push(byte.into());
            } else {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }

    /// The tags of a response: those that the origin gave and ours, within the limits. Also how many did not fit.
    pub(super) fn edits(
        &self,
        tags: &[Template],
        values: &Values,
        origin: &HeaderMap,
    ) -> (Vec<HeaderEdit>, usize) {
        let there: Vec<&HeaderValue> = origin.get_all(&self.name).into_iter().collect();
        let mut bytes: usize = there.iter().map(|value| value.len().saturating_add(1)).sum();
        let is_separator = |byte: &u8| *byte == b',' || (self.separator == ' ' && *byte == b' ');
        let items =
            there.iter().flat_map(|value| value.as_bytes().split(is_separator)).map(<[u8]>::trim_ascii);
        let mut seen: BTreeSet<Vec<u8>> =
            items.filter(|item| !item.is_empty()).take(self.max_tags).map(<[u8]>::to_vec).collect();
        let mut lines: Vec<String> = Vec::new();
        let mut dropped: usize = 0;
        for tag in tags {
            let tag = tag.render(
                |name| values.attribute(name).cloned(),
                |text, out| out.push_str(text),
                |value, out| self.encode(value, out),
            );
            if tag.is_empty() || seen.contains(tag.as_bytes()) {
                continue;
            }
            let all = bytes.saturating_add(tag.len()).saturating_add(1);
            if tag.len() > self.max_tag_bytes || all > self.max_bytes || seen.len() >= self.max_tags {
                dropped = dropped.saturating_add(1);
                continue;
            }
            bytes = all;
            seen.insert(tag.clone().into_bytes());
            match lines.last_mut() {
                Some(line) if !self.has_lines || line.len().saturating_add(tag.len()) < MAX_LINE_BYTES => {
                    line.push(self.separator);
                    line.push_str(&tag);
                }
                _ => lines.push(tag),
            }
        }
        (self.written(&there, lines), dropped)
    }

    fn written(&self, there: &[&HeaderValue], lines: Vec<String>) -> Vec<HeaderEdit> {
        if self.has_lines || there.is_empty() {
            let values = lines.into_iter().filter_map(|line| HeaderValue::try_from(line).ok());
            return values.map(|value| HeaderEdit::Add(self.name.clone(), value)).collect();
        }
        // A second line would not be read.
        let ours = lines.iter().map(String::as_bytes);
        let all: Vec<&[u8]> = there.iter().map(|value| value.as_bytes()).chain(ours).collect();
        let separator = [u8::try_from(self.separator).unwrap_or(b',')];
        let joined = HeaderValue::from_bytes(&all.join(&separator[..])).ok().filter(|_| !lines.is_empty());
        joined.map(|value| HeaderEdit::Set(self.name.clone(), value)).into_iter().collect()
    }
}
