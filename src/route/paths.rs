//! What is sorted by path: exact ones, and what a path must start with.

use std::collections::BTreeMap;
use std::iter;

/// Positions in somebody's list, ascending.
type Positions = Vec<usize>;

/// Positions by path, while they are being collected; each path's in ascending order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Draft {
    exact: BTreeMap<Box<str>, Positions>,
    prefixes: BTreeMap<Box<str>, Positions>,
}

impl Draft {
    /// For this path only.
    pub(crate) fn add_exact(&mut self, path: &str, position: usize) {
        self.exact.entry(Box::from(path)).or_default().push(position);
    }

    /// For all paths that start so.
    pub(crate) fn add_prefix(&mut self, prefix: &str, position: usize) {
        self.prefixes.entry(Box::from(prefix)).or_default().push(position);
    }
}

/// Positions by path.
#[derive(Debug, Clone)]
pub(crate) struct Paths {
    exact: BTreeMap<Box<str>, Positions>,
    /// In the order of the prefixes, so each stands after those that it starts with itself.
    prefixes: Vec<Prefix>,
}

#[derive(Debug, Clone)]
struct Prefix {
    text: Box<str>,
    /// Where the longest other prefix stands that this one starts with.
    parent: Option<usize>,
    positions: Positions,
}

impl From<Draft> for Paths {
    fn from(draft: Draft) -> Self {
        let mut prefixes: Vec<Prefix> = Vec::with_capacity(draft.prefixes.len());
        for (text, positions) in draft.prefixes {
            let mut parent = prefixes.len().checked_sub(1);
            while let Some(prefix) = parent.and_then(|parent| prefixes.get(parent)) {
                if text.starts_with(&*prefix.text) {
                    break;
                }
                parent = prefix.parent;
            }
            prefixes.push(Prefix { text, parent, positions });
        }
        Self { exact: draft.exact, prefixes }
    }
}

impl Paths {
    /// The lists of what this path may be meant by.
    pub(crate) fn lists<'p>(&'p self, path: &str) -> impl Iterator<Item = &'p [usize]> + use<'p> {
        let exact = self.exact.get(path);
        exact.into_iter().chain(self.prefixes_of(path).map(|prefix| &prefix.positions)).map(Vec::as_slice)
    }

    /// Every prefix that the path starts with, the longest first.
    ///
    /// Between such a prefix and the path, in their order, stands only what starts with that prefix too. So all of
    /// them are above the last one that is not after the path: one search, then one step for each prefix above it,
    /// which all differ in length. How much of the path that last one shares tells for all whether they are prefixes.
    fn prefixes_of<'p>(&'p self, path: &str) -> impl Iterator<Item = &'p Prefix> + use<'p> {
        let after = self.prefixes.partition_point(|prefix| *prefix.text <= *path);
        let nearest = after.checked_sub(1).and_then(|last| self.prefixes.get(last));
        let shared = nearest.map_or(0, |prefix| {
            prefix.text.bytes().zip(path.bytes()).take_while(|(ours, theirs)| ours == theirs).count()
        });
        let above = |prefix: &&'p Prefix| prefix.parent.and_then(|parent| self.prefixes.get(parent));
        iter::successors(nearest, above).filter(move |prefix| prefix.text.len() <= shared)
    }
}
