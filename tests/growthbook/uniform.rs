//! A sample ratio that is off makes every result of an experiment worthless. So a million ids are assigned, and the counts compared
//! with the weights by Pearson's chi-squared test. The ids are always the same, so it passes or fails for good: the bound is the value
//! that uniform assignment exceeds in one of a thousand such tests.

use engraft::decide::bucket::{Range, choose, ranges};
use engraft::decide::hash::{Version, hash};
use engraft::decide::namespace::Namespace;

const IDS: u32 = 1_000_000;
/// Of the distribution with so many degrees of freedom, less one, the value with 0.1 % above it.
const BOUNDS: [f64; 9] = [10.828, 13.816, 16.266, 18.467, 20.515, 22.458, 24.322, 26.124, 27.877];

fn id(number: u32) -> String {
    // Like the ids that are minted: no order in them that a hash could follow.
    let mixed = u64::from(number).wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    format!("{:08x}-{:04x}-4{:03x}-8000-{mixed:012x}", mixed >> 32, mixed & 0xFFFF, mixed >> 52)
}

/// The statistic of what numbers that are assigned by `weights` come to, where `expected` was meant.
fn chi_squared(numbers: &[f64], weights: &[f64], expected: &[f64]) -> f64 {
    let ranges: Vec<Range> = ranges(weights.len(), 1.0, Some(weights));
    let mut counts = vec![0_u32; weights.len()];
    for number in numbers {
        if let Some(count) = choose(*number, &ranges).and_then(|index| counts.get_mut(index)) {
            *count += 1;
        }
    }
    let total: u32 = counts.iter().sum();
    let of = |(count, weight): (&u32, &f64)| {
        let expected = f64::from(total) * weight;
        (f64::from(*count) - expected).powi(2) / expected
    };
    counts.iter().zip(expected).map(of).sum()
}

#[test]
fn assignment_is_uniform() {
    let half = Namespace { name: "checkout".to_owned(), range: Range { start: 0.25, end: 0.75 } };
    let ids: Vec<String> = (0..IDS).map(id).collect();
    let is_in: Vec<bool> = ids.iter().map(|id| half.has(id)).collect();
    let let_in = is_in.iter().filter(|is_in| **is_in).count();
    assert!((499_000..501_000).contains(&let_in), "half of a namespace has {let_in}");
    for version in [Version::V1, Version::V2] {
        let all: Vec<f64> = ids.iter().map(|id| hash("hero", id, version)).collect();
        let some: Vec<f64> =
            all.iter().zip(&is_in).filter_map(|(number, is_in)| is_in.then_some(*number)).collect();
        for weights in [&[0.5, 0.5][..], &[0.1, 0.9], &[0.2, 0.3, 0.5], &[0.1; 10]] {
            let bound = BOUNDS[weights.len() - 2];
            for (who, numbers) in [("everybody", &all), ("half of a namespace", &some)] {
                let found = chi_squared(numbers, weights, weights);
                assert!(found < bound, "{weights:?}, {version:?}, {who}: {found} is not below {bound}");
            }
        }
    }
    // What a check of sample ratios is there for: 50.5 to 49.5.
    let all: Vec<f64> = ids.iter().map(|id| hash("hero", id, Version::V2)).collect();
    let skewed = chi_squared(&all, &[0.505, 0.495], &[0.5, 0.5]);
    assert!(skewed > BOUNDS[0], "{skewed} passes for even");
}
