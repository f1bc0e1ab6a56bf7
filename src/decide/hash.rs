//! The hashes that put visitors into buckets: 32-bit FNV-1a over UTF-16 code units, as GrowthBook's SDKs have it
//! (`docs/lib/build-your-own.mdx`, "hash"; `packages/sdk-js/src/util.ts`).
//!
//! The server's assignment, the browser's and ours have to be the same number, so nothing here may be improved: not the
//! bias of the first version, not the 16-bit units that an FNV over bytes would never see.

/// FNV-1a, 32 bits (draft-eastlake-fnv, § 5).
#[derive(Debug, Clone, Copy)]
struct Fnv(u32);

impl Fnv {
    const OFFSET_BASIS: u32 = 0x811c_9dc5;
    const PRIME: u32 = 0x0100_0193;

    const fn new() -> Self {
        Self(Self::OFFSET_BASIS)
    }

    fn text(self, text: &str) -> Self {
        if text.is_ascii() {
            return text.bytes().fold(self, |hash, byte| hash.unit(byte.into()));
        }
        text.encode_utf16().fold(self, Self::unit)
    }

    /// The decimal digits of a number.
    fn digits(self, number: u32) -> Self {
        let rest = if number < 10 { self } else { self.digits(number / 10) };
        let digit = u8::try_from(number % 10).unwrap_or_default();
        rest.unit((b'0' | digit).into())
    }

    const fn unit(self, unit: u16) -> Self {
        Self((self.0 ^ unit as u32).wrapping_mul(Self::PRIME))
    }
}

/// How a seed and a value become a number from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum HashVersion {
    /// A thousand buckets; assignments of experiments with the same seed are correlated. What experiments have that
    /// don't say otherwise.
    V1,
    /// Ten thousand buckets, unbiased. What filters have that don't say otherwise.
    V2,
}

impl HashVersion {
    /// The version that a payload numbers; nobody is in an experiment of a version that we don't know.
    #[must_use]
    pub fn numbered(number: f64) -> Option<Self> {
        [(1.0, Self::V1), (2.0, Self::V2)]
            .into_iter()
            .find_map(|(known, version)| (known == number).then_some(version))
    }

    /// Where between 0 and 1 a value falls.
    ///
    /// ```
    /// use engraft::decide::hash::HashVersion;
    ///
    /// assert_eq!(HashVersion::V1.hash("", "a"), 0.22);
    /// assert_eq!(HashVersion::V2.hash("seed", "a"), 0.0505);
    /// ```
    #[must_use]
    pub fn hash(self, seed: &str, value: &str) -> f64 {
        match self {
            Self::V1 => f64::from(Fnv::new().text(value).text(seed).0 % 1_000) / 1_000.0,
            Self::V2 => {
                let first = Fnv::new().text(seed).text(value);
                f64::from(Fnv::new().digits(first.0).0 % 10_000) / 10_000.0
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the FNV test vectors of the draft's appendix.
    #[test]
    fn is_fnv_1a() {
        for (text, hash) in [("", 0x811c_9dc5), ("a", 0xe40c_292c), ("foobar", 0xbf9c_f968)] {
            assert_eq!(Fnv::new().text(text).0, hash, "{text}");
        }
        for number in [0, 9, 10, 4_294_967_295] {
            assert_eq!(Fnv::new().digits(number).0, Fnv::new().text(&number.to_string()).0);
        }
    }

    #[test]
    fn counts_utf_16_code_units() {
        // One unit, and two: over UTF-8 they would be two and four bytes.
        assert_eq!(Fnv::new().text("é").0, Fnv::new().unit(0xe9).0);
        assert_eq!(Fnv::new().text("a😀").0, Fnv::new().unit(0x61).unit(0xd83d).unit(0xde00).0);
    }

    #[test]
    fn knows_two_versions() {
        assert_eq!(HashVersion::numbered(1.0), Some(HashVersion::V1));
        assert_eq!(HashVersion::numbered(2.0), Some(HashVersion::V2));
        for other in [0.0, 1.5, 3.0, 99.0, -1.0, f64::NAN] {
            assert_eq!(HashVersion::numbered(other), None);
        }
    }
}
