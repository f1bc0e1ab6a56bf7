//! How many edits were right, how many were skipped and why, and what is wrong.

use std::collections::BTreeMap;
use std::fmt;

use crate::judge::Verdict;

/// See the [module](self).
#[derive(Debug, Default)]
pub(crate) struct Summary {
    right: u64,
    untouched: u64,
    skipped: BTreeMap<String, u64>,
    refused: u64,
    untold: u64,
    pub(crate) wrong: u64,
    by_kind: BTreeMap<String, u64>,
}

impl Summary {
    /// Counts one; `operation` is what was tried.
    pub(crate) fn count(&mut self, verdict: &Verdict, operation: &str) {
        match verdict {
            Verdict::Right => self.right += 1,
            Verdict::Untouched => self.untouched += 1,
            Verdict::Skipped(reason) => *self.skipped.entry(reason.clone()).or_default() += 1,
            Verdict::Refused(_) => self.refused += 1,
            Verdict::Untold => self.untold += 1,
            Verdict::Wrong(how) => {
                self.wrong += 1;
                *self.by_kind.entry(format!("{operation}: {how}")).or_default() += 1;
            }
        }
    }

    /// Whether there are more cases than one in a hundred in which the judge can't tell; a handful says nothing.
    pub(crate) fn tells_too_little(&self) -> bool {
        let told = self.right + self.untouched + self.skipped.values().sum::<u64>();
        self.untold > 10 && self.untold * 100 > told
    }

    /// Adds another one.
    pub(crate) fn add(&mut self, other: Self) {
        self.right += other.right;
        self.untouched += other.untouched;
        self.refused += other.refused;
        self.untold += other.untold;
        self.wrong += other.wrong;
        let maps = [(&mut self.skipped, other.skipped), (&mut self.by_kind, other.by_kind)];
        for (mine, theirs) in maps {
            for (key, n) in theirs {
                *mine.entry(key).or_default() += n;
            }
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sum = |counts: &BTreeMap<String, u64>| counts.values().sum::<u64>();
        let list = |counts: &BTreeMap<String, u64>| {
            let mut counts: Vec<_> = counts.iter().collect();
            counts.sort_by(|(_, a), (_, b)| b.cmp(a));
            let counts: Vec<String> = counts.iter().map(|(key, n)| format!("{key} {n}")).collect();
            counts.join(", ")
        };
        write!(f, "right {} (and {} where nothing matches)", self.right, self.untouched)?;
        write!(f, ", skipped by reason {} ({})", sum(&self.skipped), list(&self.skipped))?;
        if self.refused > 0 {
            write!(f, ", refused when loaded {}", self.refused)?;
        }
        write!(f, ", not told apart {}, wrong {}", self.untold, self.wrong)?;
        for (kind, n) in &self.by_kind {
            write!(f, "\n  wrong {n:6}  {kind}")?;
        }
        Ok(())
    }
}
