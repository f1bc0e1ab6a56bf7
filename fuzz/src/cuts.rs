//! Where an input is cut: as the network might, and the same each time.

use std::hash::{DefaultHasher, Hasher as _};

/// How often an input is cut at places that its own bytes choose.
const CHOSEN: u64 = 3;

/// The ways in which `input` is cut, besides not at all: into single bytes, and at places that its own bytes choose, so that
/// whoever changes the input changes them.
pub fn ways(input: &[u8]) -> impl Iterator<Item = Vec<&[u8]>> {
    let seed = {
        let mut hasher = DefaultHasher::new();
        hasher.write(input);
        hasher.finish()
    };
    let bytes = std::iter::once_with(|| input.chunks(1).collect());
    bytes.chain((0..CHOSEN).map(move |nth| chosen(input, seed.wrapping_add(nth))))
}

/// Pieces of which some are short and some are long.
fn chosen(input: &[u8], seed: u64) -> Vec<&[u8]> {
    let mut state = seed;
    let mut pieces = Vec::new();
    let mut rest = input;
    while !rest.is_empty() {
        // SplitMix64 (Steele, Lea, Flood 2014).
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        let longest = if z & 3 == 0 { 1500 } else { 12 };
        let size = usize::try_from((z >> 8) % longest).unwrap_or_default().saturating_add(1);
        let (piece, after) = rest.split_at(size.min(rest.len()));
        pieces.push(piece);
        rest = after;
    }
    pieces
}
