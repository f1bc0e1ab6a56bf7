//! Lengths of time as people write them: `90s`, `5m`, `1h`, `7d`.

use std::fmt;
use std::str::FromStr;

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::{Serialize, Serializer};

/// A length of time in whole seconds, at most 2³¹ (RFC 9111 § 1.2.2 lets caches treat longer ones as infinite).
///
/// ```
/// use engraft::config::model::Duration;
///
/// assert_eq!("1h".parse::<Duration>().unwrap().seconds(), 3600);
/// assert_eq!(Duration::from_seconds(86_400).unwrap().to_string(), "1d");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Duration(u32);

const MAX_SECONDS: u64 = 1 << 31;
const UNITS: [(&str, u64); 5] = [("w", 604_800), ("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)];

impl Duration {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// That many seconds; `None` above 2³¹.
    #[must_use]
    pub fn from_seconds(seconds: u64) -> Option<Self> {
        if seconds > MAX_SECONDS {
            return None;
        }
        u32::try_from(seconds).ok().map(Self)
    }

    /// In seconds.
    #[must_use]
    pub const fn seconds(self) -> u32 {
        self.0
    }
}

/// A text that is not a length of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DurationError(String);

impl fmt::Display for DurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\" is not a duration; write a whole number and a unit: 90s, 5m, 1h, 7d, 2w", self.0)
    }
}

impl std::error::Error for DurationError {}

impl FromStr for Duration {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let trimmed = text.trim();
        let unit = UNITS.iter().find_map(|(unit, seconds)| Some((trimmed.strip_suffix(unit)?, *seconds)));
        unit.and_then(|(digits, seconds)| {
            let valid = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            valid.then(|| digits.parse::<u64>().ok()?.checked_mul(seconds)).flatten()
        })
        .and_then(Self::from_seconds)
        .ok_or_else(|| DurationError(text.to_owned()))
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = u64::from(self.0);
        let unit = UNITS.iter().find(|(_, length)| seconds != 0 && seconds.is_multiple_of(*length));
        let (unit, length) = unit.copied().unwrap_or(("s", 1));
        write!(f, "{}{unit}", seconds / length)
    }
}

impl Serialize for Duration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FromText;
        impl Visitor<'_> for FromText {
            type Value = Duration;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a duration such as 90s, 5m, 1h or 7d")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Duration, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(FromText)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Duration {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "A length of time: a whole number and a unit (s, m, h, d, w).",
            "type": "string",
            "pattern": "^[0-9]+[smhdw]$",
            "examples": ["90s", "5m", "1h", "7d"]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_whole_numbers_with_a_unit() {
        let cases = [
            ("0s", 0, "0s"),
            ("90s", 90, "90s"),
            ("60s", 60, "1m"),
            ("36h", 129_600, "36h"),
            ("7d", 604_800, "1w"),
        ];
        for (text, seconds, shown) in cases {
            let duration: Duration = text.parse().unwrap();
            assert_eq!((duration.seconds(), duration.to_string().as_str()), (seconds, shown));
        }
        for text in ["", "h", "1", "-1s", "1.5h", "1 h", "+1s", "1y", "99999999999w", "2147483649s"] {
            assert!(text.parse::<Duration>().is_err(), "{text}");
        }
    }
}
