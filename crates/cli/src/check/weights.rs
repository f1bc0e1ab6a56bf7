//! How much weight remarks have, by what the command line says.

use std::collections::BTreeSet;

use engraft::config::problem::{Code, Level};

/// What is to be an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Denied {
    Warnings,
    Code(Code),
}

/// See the [module](self).
#[derive(Debug, Default)]
pub(super) struct Weights {
    allowed: BTreeSet<Code>,
    denied: BTreeSet<Code>,
    denies_warnings: bool,
}

impl Weights {
    pub(super) fn new(allowed: &[Code], denied: &[Denied]) -> Self {
        let code = |denied: &Denied| match denied {
            Denied::Warnings => None,
            Denied::Code(code) => Some(*code),
        };
        Self {
            allowed: allowed.iter().copied().collect(),
            denied: denied.iter().filter_map(code).collect(),
            denies_warnings: denied.contains(&Denied::Warnings),
        }
    }

    /// The weight of a remark; none where it is to be left out. What is denied by its code is, whatever is allowed; what is
    /// allowed by its code is not among the warnings that are denied.
    pub(super) fn weigh(&self, code: Option<Code>, level: Level) -> Option<Level> {
        let Some(code) = code else { return Some(level) };
        if level == Level::Error || self.denied.contains(&code) {
            return Some(Level::Error);
        }
        if self.allowed.contains(&code) {
            return None;
        }
        Some(if self.denies_warnings && level == Level::Warning { Level::Error } else { level })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_that_is_named_counts_for_more_than_all_warnings() {
        let (query, raw) = (Code::OpenQueryKey, Code::RawValue);
        let weigh = |allowed: &[Code], denied: &[Denied], code: Code| {
            Weights::new(allowed, denied).weigh(Some(code), code.level())
        };
        assert_eq!(weigh(&[], &[], query), Some(Level::Warning));
        assert_eq!(weigh(&[query], &[], query), None);
        assert_eq!(weigh(&[], &[Denied::Warnings], query), Some(Level::Error));
        assert_eq!(weigh(&[query], &[Denied::Warnings], query), None);
        assert_eq!(weigh(&[query], &[Denied::Code(query)], query), Some(Level::Error));
        assert_eq!(weigh(&[], &[Denied::Warnings], raw), Some(Level::Note));
        assert_eq!(weigh(&[], &[Denied::Code(raw)], raw), Some(Level::Error));
    }
}
