//! Offsets in a source are 64 bits everywhere; lengths in memory are 32 in wasm.

/// A length as an offset.
#[must_use]
pub fn as_u64(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

/// A distance inside what is in memory: it fits, or it is cut to what fits.
#[must_use]
pub fn as_usize(n: u64) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}
