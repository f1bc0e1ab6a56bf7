//! Versions as `$veq`, `$vlt` and their kin compare them.
//!
//! GrowthBook's rule (`paddedVersionString` of its JavaScript SDK) is close to SemVer 2.0, not equal to it:
//! `v1.2.3`, `1-2-3` and text that is no version at all have a place in the order too, which is why the
//! `semver` crate doesn't serve.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::Value;

use super::coercion;

/// Digits are padded to this width, so that 9 sorts before 10.
const NUMBER_WIDTH: usize = 5;

/// A version in a form whose text order is the order of versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Version(String);

impl Version {
    /// Whatever isn't text or a number, and empty text, is version `0`.
    pub(super) fn of(value: &Value) -> Self {
        let text = match value {
            Value::String(text) if !text.is_empty() => Cow::Borrowed(text.as_str()),
            Value::Number(_) => coercion::text(value),
            _ => Cow::Borrowed("0"),
        };
        Self::parse(&text)
    }

    fn parse(text: &str) -> Self {
        let text = without_build(text.strip_prefix('v').unwrap_or(text));
        let mut sortable = String::with_capacity(text.len().saturating_add(4 * NUMBER_WIDTH));
        let mut parts = 0_usize;
        for part in text.split(['-', '.']) {
            if parts > 0 {
                sortable.push('-');
            }
            if !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()) {
                sortable.extend(std::iter::repeat_n(' ', NUMBER_WIDTH.saturating_sub(part.len())));
            }
            sortable.push_str(part);
            parts = parts.saturating_add(1);
        }
        // A release sorts after its pre-releases: `~` is the last of the printable ASCII characters.
        if parts == 3 {
            sortable.push_str("-~");
        }
        Self(sortable)
    }
}

/// The SDK removes `\+.*$`, whose dot stops at a line terminator: build information is in the last line only.
fn without_build(text: &str) -> &str {
    let last_line = text.rfind(['\n', '\r', '\u{2028}', '\u{2029}']).unwrap_or(0);
    let plus = text.get(last_line..).and_then(|line| line.find('+'));
    plus.and_then(|plus| text.get(..last_line.saturating_add(plus))).unwrap_or(text)
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.encode_utf16().cmp(other.0.encode_utf16())
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
