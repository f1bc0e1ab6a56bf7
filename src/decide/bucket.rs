//! Which variation a number falls into ("Build your own SDK", `getBucketRanges`, `chooseVariation`).

/// How far the sum of weights may be from 1.
const TOLERANCE: f64 = 0.01;

/// The numbers from `start` up to, and without, `end`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "that is all of a range")]
pub struct Range {
    /// The first one.
    pub start: f64,
    /// The first one that is not in it.
    pub end: f64,
}

impl Range {
    /// Whether a number is in it.
    #[must_use]
    pub fn has(&self, number: f64) -> bool {
        number >= self.start && number < self.end
    }
}

/// The same weight for each of so many variations.
#[must_use]
pub fn equal_weights(variations: usize) -> Vec<f64> {
    // More than 2³² variations are more than memory holds.
    let weight = 1.0 / f64::from(u32::try_from(variations).unwrap_or(u32::MAX));
    vec![weight; variations]
}

/// The range of each variation. `coverage` is how much of each counts, cut to 0 to 1. Weights that are too many, too few, or do not
/// sum up to 1 within a hundredth, are replaced by equal ones.
#[must_use]
pub fn ranges(variations: usize, coverage: f64, weights: Option<&[f64]>) -> Vec<Range> {
    let coverage = coverage.clamp(0.0, 1.0);
    let is_sound = |weights: &&[f64]| {
        let sum: f64 = weights.iter().sum();
        weights.len() == variations && (1.0 - TOLERANCE..=1.0 + TOLERANCE).contains(&sum)
    };
    let equal;
    let weights = match weights.filter(is_sound) {
        Some(weights) => weights,
        None => {
            equal = equal_weights(variations);
            &equal
        }
    };
    let mut start = 0.0;
    weights
        .iter()
        .map(|weight| {
            let range = Range { start, end: start + coverage * weight };
            start += weight;
            range
        })
        .collect()
}

/// The variation whose range a number is in, the first of several.
#[must_use]
pub fn choose(number: f64, ranges: &[Range]) -> Option<usize> {
    ranges.iter().position(|range| range.has(number))
}
