//! From a visitor's id to a number that is the same everywhere, as GrowthBook's SDKs have it ("Build your own SDK", `hash`).
//!
//! The number decides who sees what, so it must be the same in every SDK, to the last bit: FNV-1a over the UTF-16 code units of
//! the text, as JavaScript has them, and a division of doubles.

/// Which of GrowthBook's hashes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "an SDK that does not know a version leaves the visitor out")]
pub enum Version {
    /// Of the first SDKs: a thousand steps. The seed comes behind the value, so experiments of one seed are not independent.
    #[default]
    V1,
    /// Ten thousand steps, hashed twice.
    V2,
}

impl Version {
    /// The version with this number; `None` for one that is not known.
    #[must_use]
    pub const fn from_number(number: u64) -> Option<Self> {
        match number {
            1 => Some(Self::V1),
            2 => Some(Self::V2),
            _ => None,
        }
    }
}

/// A number from 0 up to, and without, 1.
///
/// ```
/// use engraft::decide::hash::{Version, hash};
///
/// assert_eq!(hash("b", "a", Version::V1), 0.946);
/// ```
#[must_use]
pub fn hash(seed: &str, value: &str, version: Version) -> f64 {
    match version {
        Version::V1 => f64::from(fnv1a([value, seed]) % 1000) / 1000.0,
        Version::V2 => {
            let once = fnv1a([seed, value]).to_string();
            f64::from(fnv1a([once.as_str()]) % 10_000) / 10_000.0
        }
    }
}

/// FNV-1a with 32 bits, over code units instead of bytes.
fn fnv1a<'t>(pieces: impl IntoIterator<Item = &'t str>) -> u32 {
    const OFFSET: u32 = 0x811C_9DC5;
    const PRIME: u32 = 0x0100_0193;
    let units = pieces.into_iter().flat_map(str::encode_utf16);
    units.fold(OFFSET, |hash, unit| (hash ^ u32::from(unit)).wrapping_mul(PRIME))
}
