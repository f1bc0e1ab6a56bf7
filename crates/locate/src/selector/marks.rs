//! What selectors say of an open element: one bit for each compound selector of the page's patches.

use crate::name::Name;

/// A set of small numbers. Nothing is allocated for those below 64, which are all that most pages need.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Bits {
    low: u64,
    high: Option<Box<[u64]>>,
}

impl Bits {
    const fn split(index: usize) -> (usize, u64) {
        (index / 64, 1 << (index % 64))
    }

    /// The words above the lowest, at least so many.
    fn grown(&mut self, words: usize) -> &mut [u64] {
        if self.high.as_deref().map_or(0, <[u64]>::len) < words {
            let mut high = self.high.take().unwrap_or_default().into_vec();
            high.resize(words, 0);
            self.high = Some(high.into_boxed_slice());
        }
        self.high.as_deref_mut().unwrap_or_default()
    }

    pub(crate) fn contains(&self, index: usize) -> bool {
        let (word, bit) = Self::split(index);
        let word = match word.checked_sub(1) {
            None => self.low,
            Some(word) => self.high.as_deref().and_then(|high| high.get(word)).copied().unwrap_or_default(),
        };
        word & bit != 0
    }

    pub(crate) fn insert(&mut self, index: usize) {
        let (word, bit) = Self::split(index);
        match word.checked_sub(1) {
            None => self.low |= bit,
            Some(at) => {
                if let Some(word) = self.grown(word).get_mut(at) {
                    *word |= bit;
                }
            }
        }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.low == 0 && self.high.is_none()
    }

    /// As `other`.
    #[inline]
    pub(crate) fn assign(&mut self, other: &Self) {
        self.low = other.low;
        if self.high.is_some() || other.high.is_some() {
            self.high.clone_from(&other.high);
        }
    }

    pub(crate) fn extend(&mut self, other: &Self) {
        self.low |= other.low;
        if let Some(high) = &other.high {
            for (word, more) in self.grown(high.len()).iter_mut().zip(high) {
                *word |= more;
            }
        }
    }

    /// Its numbers, ascending.
    pub(crate) fn iter(&self) -> impl Iterator<Item = usize> {
        std::iter::once(self.low).chain(self.high.iter().flatten().copied()).enumerate().flat_map(
            |(at, mut word)| {
                std::iter::from_fn(move || {
                    let bit = usize::try_from(word.trailing_zeros()).ok().filter(|_| word != 0)?;
                    word &= word.wrapping_sub(1);
                    Some(at.saturating_mul(64).saturating_add(bit))
                })
            },
        )
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
    /// Kept only where a selector asks.
    pub(super) children: Option<Box<Children>>,
}

impl Marks {
    pub(crate) const fn local(&self) -> &Bits {
        &self.local
    }
}

impl From<Bits> for Marks {
    /// Of an element that matches this by itself, and stands nowhere yet.
    fn from(local: Bits) -> Self {
        Self { local, ..Self::default() }
    }
}

/// The children that an element has so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Children {
    pub(super) count: u32,
    /// What the last one matches.
    pub(super) last: Bits,
    /// What any of them matches.
    pub(super) any: Bits,
    /// How many of each type.
    pub(super) types: Vec<(Name, u32)>,
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
