//! Chance that can be had again: SplitMix64 (Steele, Lea and Flood, 2014).

/// See the [module](self).
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    /// One for each client, from the run's seed.
    pub(crate) const fn new(seed: u64, client: u64) -> Self {
        Self(seed ^ client.wrapping_mul(0xa076_1d64_78bd_642f))
    }

    pub(crate) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() >> 33).unwrap_or_default() % end.max(1)
    }

    pub(crate) fn one_in(&mut self, many: usize) -> bool {
        self.below(many) == 0
    }

    /// The first, or one of the others.
    pub(crate) fn of<T: Copy, const N: usize>(&mut self, first: T, others: [T; N]) -> T {
        others.get(self.below(N + 1)).copied().unwrap_or(first)
    }
}
