//! What selectors say of an open element: one bit for each compound selector of the page's patches.

/// A set of small numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Bits {
    low: u64,
    high: Vec<u64>,
}

impl Bits {
    const fn split(index: usize) -> (usize, u64) {
        (index / 64, 1 << (index % 64))
    }

    pub(crate) fn contains(&self, index: usize) -> bool {
        let (word, bit) = Self::split(index);
        let word = match word.checked_sub(1) {
            None => self.low,
            Some(word) => self.high.get(word).copied().unwrap_or_default(),
        };
        word & bit != 0
    }

    pub(crate) fn insert(&mut self, index: usize) {
        let (word, bit) = Self::split(index);
        match word.checked_sub(1) {
            None => self.low |= bit,
            Some(word) => {
                if self.high.len() <= word {
                    self.high.resize(word.saturating_add(1), 0);
                }
                if let Some(word) = self.high.get_mut(word) {
                    *word |= bit;
                }
            }
        }
    }

    pub(crate) fn extend(&mut self, other: &Self) {
        self.low |= other.low;
        if self.high.len() < other.high.len() {
            self.high.resize(other.high.len(), 0);
        }
        for (word, more) in self.high.iter_mut().zip(&other.high) {
            *word |= more;
        }
    }

    /// Its numbers, ascending.
    pub(crate) fn iter(&self) -> impl Iterator<Item = usize> {
        std::iter::once(self.low).chain(self.high.iter().copied()).enumerate().flat_map(|(at, mut word)| {
            std::iter::from_fn(move || {
                let bit = usize::try_from(word.trailing_zeros()).ok().filter(|_| word != 0)?;
                word &= word.wrapping_sub(1);
                Some(at.saturating_mul(64).saturating_add(bit))
            })
        })
    }
}

/// See the [module](self).
#[derive(Debug, Clone, Default)]
pub(crate) struct Marks {
    /// What it matches by itself, whatever it stands in.
    pub(super) local: Bits,
    /// What it matches.
    pub(super) matched: Bits,
    /// What it or one of its ancestors matches.
    pub(super) above: Bits,
    /// How many children it has.
    pub(super) children: u32,
    /// What its last child matches.
    pub(super) last_child: Bits,
    /// What any of its children matches.
    pub(super) any_child: Bits,
    /// How many children it has of each type; kept only where a selector asks.
    pub(super) types: Vec<(Box<[u8]>, u32)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_number_can_be_in_a_set() {
        let mut bits = Bits::default();
        for index in [0, 63, 64, 130, 700] {
            assert!(!bits.contains(index));
            bits.insert(index);
            assert!(bits.contains(index));
        }
        let mut other = Bits::default();
        other.insert(1);
        other.extend(&bits);
        assert_eq!(other.iter().collect::<Vec<_>>(), [0, 1, 63, 64, 130, 700]);
    }
}
