//! Ranges of hashes, and which variation has which (`docs/lib/build-your-own.mdx`, "getBucketRanges" and
//! "chooseVariation").

/// Hashes from `start` on, up to and without `end`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    /// The first hash in it.
    pub start: f64,
    /// The first hash behind it.
    pub end: f64,
}

impl Range {
    /// Whether a hash is in it. Nothing is in a range that ends before it starts, or one with a NaN.
    #[must_use]
    pub fn contains(self, hash: f64) -> bool {
        self.start <= hash && hash < self.end
    }
}

/// How far a sum of weights may be from 1.
const SUMS: std::ops::RangeInclusive<f64> = 0.99..=1.01;

/// As many equal weights.
#[must_use]
pub fn equal_weights(variations: usize) -> Vec<f64> {
    // Not more than memory holds, so the number is exact.
    #[expect(clippy::cast_precision_loss, reason = "nobody has 2^53 variations")]
    let weight = 1.0 / variations as f64;
    vec![weight; variations]
}

/// The range of each variation: one behind the other by weight, and of each the first part by coverage, so that raising
/// the coverage moves nobody from one variation to another.
///
/// Coverage is limited to 0 and 1. Weights that are missing, of another number than the variations, or don't add up to
/// 1 (give or take a hundredth) are replaced by equal ones.
///
/// ```
/// use engraft::decide::bucket::{Range, ranges};
///
/// let halves = [Range { start: 0.0, end: 0.25 }, Range { start: 0.5, end: 0.75 }];
/// assert_eq!(ranges(2, 0.5, None), halves);
/// assert_eq!(ranges(2, 0.5, Some(&[0.9, 0.9])), halves);
/// ```
#[must_use]
pub fn ranges(variations: usize, coverage: f64, weights: Option<&[f64]>) -> Vec<Range> {
    // A NaN stays one, and is in no range.
    let coverage = coverage.clamp(0.0, 1.0);
    let fits = |weights: &&[f64]| {
        weights.len() == variations && SUMS.contains(&weights.iter().fold(0.0, |sum, weight| sum + weight))
    };
    let equal;
    let weights = match weights.filter(fits) {
        Some(weights) => weights,
        None => {
            equal = equal_weights(variations);
            &equal
        }
    };
    let mut cumulative = 0.0;
    let range = |weight: &f64| {
        let start = cumulative;
        cumulative += weight;
        Range { start, end: start + coverage * weight }
    };
    weights.iter().map(range).collect()
}

/// The first range that a hash is in.
#[must_use]
pub fn choose(hash: f64, ranges: &[Range]) -> Option<usize> {
    ranges.iter().position(|range| range.contains(hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coverage_moves_nobody_to_another_variation() {
        let weights = [0.2, 0.3, 0.5];
        let [half, full] = [0.5, 1.0].map(|coverage| ranges(3, coverage, Some(&weights)));
        for thousandth in 0..1_000 {
            let hash = f64::from(thousandth) / 1_000.0;
            let narrow = choose(hash, &half);
            assert!(narrow.is_none() || narrow == choose(hash, &full), "{hash}");
        }
    }

    /// JSON is read to the last bit, or sums of weights would end elsewhere than in JavaScript.
    #[test]
    fn ranges_end_where_javascript_ends_them() {
        for thousandth in 0..1_000 {
            let end = f64::from(thousandth) / 1_000.0 + 0.0021 + 0.3;
            let read: f64 = serde_json::from_str(&end.to_string()).unwrap();
            assert_eq!(read.to_bits(), end.to_bits(), "{end}");
        }
    }

    #[test]
    fn nobody_is_in_what_makes_no_sense() {
        assert!(ranges(0, 1.0, None).is_empty());
        assert_eq!(choose(0.5, &ranges(2, f64::NAN, None)), None);
        for range in [(0.5, 0.5), (0.9, 0.1), (f64::NAN, 1.0), (0.0, f64::NAN)] {
            assert!(!Range { start: range.0, end: range.1 }.contains(0.5), "{range:?}");
        }
        assert!(Range { start: -1.0, end: 2.0 }.contains(0.5));
    }
}
