//! The operators by name.

use super::predicate::Comparison;
use super::vocabulary::{Kind, nearest};

/// What stands under an attribute.
#[derive(Debug, Clone, Copy)]
pub(super) enum Operator {
    Eq,
    Ne,
    Order(Comparison),
    Version(Comparison),
    VersionNot,
    Exists,
    Type,
    In { folded: bool, negated: bool },
    InGroup { negated: bool },
    All { folded: bool },
    Size,
    ElemMatch,
    Regex { folded: bool, negated: bool },
    Not,
}

impl Operator {
    const NAMES: [(&'static str, Self); 29] = [
        ("$eq", Self::Eq),
        ("$ne", Self::Ne),
        ("$lt", Self::Order(Comparison::Less)),
        ("$lte", Self::Order(Comparison::LessOrEqual)),
        ("$gt", Self::Order(Comparison::Greater)),
        ("$gte", Self::Order(Comparison::GreaterOrEqual)),
        ("$veq", Self::Version(Comparison::Equal)),
        ("$vne", Self::VersionNot),
        ("$vlt", Self::Version(Comparison::Less)),
        ("$vlte", Self::Version(Comparison::LessOrEqual)),
        ("$vgt", Self::Version(Comparison::Greater)),
        ("$vgte", Self::Version(Comparison::GreaterOrEqual)),
        ("$exists", Self::Exists),
        ("$type", Self::Type),
        ("$in", Self::In { folded: false, negated: false }),
        ("$nin", Self::In { folded: false, negated: true }),
        ("$ini", Self::In { folded: true, negated: false }),
        ("$nini", Self::In { folded: true, negated: true }),
        ("$inGroup", Self::InGroup { negated: false }),
        ("$notInGroup", Self::InGroup { negated: true }),
        ("$all", Self::All { folded: false }),
        ("$alli", Self::All { folded: true }),
        ("$size", Self::Size),
        ("$elemMatch", Self::ElemMatch),
        ("$regex", Self::Regex { folded: false, negated: false }),
        ("$regexi", Self::Regex { folded: true, negated: false }),
        ("$notRegex", Self::Regex { folded: false, negated: true }),
        ("$notRegexi", Self::Regex { folded: true, negated: true }),
        ("$not", Self::Not),
    ];

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, operator)| *operator)
    }

    /// The operator that someone who wrote `name` probably meant; a forgotten `$` counts as nothing.
    pub(super) fn nearest(name: &str) -> Option<&'static str> {
        let dollar = format!("${}", name.trim_start_matches('$'));
        nearest(&dollar, Self::NAMES.iter().map(|(name, _)| *name))
    }

    /// Whether the operator can hold for values of a kind. Those for lists are false for anything else, and
    /// those for scalars compare a list's identity or its joined text, which nobody means.
    pub(super) const fn suits(self, kind: Kind) -> bool {
        let list = matches!(kind, Kind::List);
        match self {
            Self::All { .. } | Self::Size | Self::ElemMatch => list,
            Self::Eq
            | Self::Ne
            | Self::Order(_)
            | Self::Version(_)
            | Self::VersionNot
            | Self::Regex { .. } => !list,
            Self::Exists | Self::Type | Self::In { .. } | Self::InGroup { .. } | Self::Not => true,
        }
    }
}

/// What stands beside attributes and joins conditions.
#[derive(Debug, Clone, Copy)]
pub(super) enum Connective {
    And,
    Or,
    Nor,
    Not,
}

impl Connective {
    const NAMES: [(&'static str, Self); 4] =
        [("$and", Self::And), ("$or", Self::Or), ("$nor", Self::Nor), ("$not", Self::Not)];

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, connective)| *connective)
    }

    pub(super) fn nearest(name: &str) -> Option<&'static str> {
        nearest(name, Self::NAMES.iter().map(|(name, _)| *name))
    }
}
