//! Whether memory grows: the slope by Theil and Sen, which single jumps do not move, and its confidence interval.

/// One sample a second, in KiB.
#[derive(Debug, Default, Clone)]
pub(crate) struct Memory {
    pub(crate) samples: Vec<(f64, f64)>,
}

/// In KiB a minute.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Slope {
    pub(crate) median: f64,
    /// Of the 95 % confidence interval (Sen 1968, by the variance of Kendall's S). Samples of memory follow from one another, so the true
    /// one is wider.
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl Memory {
    /// The resident memory after so many seconds.
    pub(crate) fn add(&mut self, seconds: f64, kib: u64) {
        #[expect(clippy::cast_precision_loss, reason = "far less memory than a float counts exactly")]
        self.samples.push((seconds, kib as f64));
    }

    /// Of the samples from `from` seconds on; `None` of fewer than ten.
    pub(crate) fn slope(&self, from: f64) -> Option<Slope> {
        let samples: Vec<_> = self.samples.iter().copied().filter(|(at, _)| *at >= from).collect();
        if samples.len() < 10 {
            return None;
        }
        let mut slopes = Vec::new();
        for (index, (at, kib)) in samples.iter().enumerate() {
            for (later, more) in samples.iter().skip(index + 1) {
                if later > at {
                    slopes.push((more - kib) / (later - at) * 60.0);
                }
            }
        }
        slopes.sort_by(f64::total_cmp);
        #[expect(clippy::cast_precision_loss, reason = "thousands of samples")]
        let (n, pairs) = (samples.len() as f64, slopes.len() as f64);
        let spread = 1.96 * (n * (n - 1.0) * (2.0 * n + 5.0) / 18.0).sqrt();
        let at = |rank: f64| {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "clamped to the slopes there are"
            )]
            let index = rank.clamp(0.0, pairs - 1.0) as usize;
            slopes.get(index).copied().unwrap_or_default()
        };
        Some(Slope {
            median: at(pairs / 2.0),
            low: at((pairs - spread) / 2.0),
            high: at((pairs + spread) / 2.0),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory(kib: impl Fn(u32) -> u64) -> Memory {
        let mut memory = Memory::default();
        (0..600).for_each(|second| memory.add(f64::from(second), kib(second)));
        memory
    }

    #[test]
    fn a_leak_is_told_from_noise_and_from_jumps() {
        let noise = |second: u32| u64::from(second.wrapping_mul(2_654_435_761) >> 24);
        let flat = memory(|second| 100_000 + noise(second)).slope(120.0).unwrap();
        assert!(flat.low <= 0.0 && flat.high >= 0.0 && flat.median.abs() < 10.0, "{flat:?}");
        let leaking = memory(|second| 100_000 + noise(second) + u64::from(second) * 5).slope(120.0).unwrap();
        assert!(leaking.low > 250.0 && leaking.high < 350.0, "{leaking:?}");
        let jump = memory(|second| 100_000 + noise(second) + if second > 590 { 50_000 } else { 0 })
            .slope(120.0)
            .unwrap();
        assert!(jump.median < 20.0, "{jump:?}");
        let warming = memory(|second| if second < 100 { u64::from(second) * 1000 } else { 100_000 })
            .slope(120.0)
            .unwrap();
        assert_eq!((warming.low, warming.high), (0.0, 0.0));
        assert_eq!(Memory::default().slope(0.0), None);
    }
}
