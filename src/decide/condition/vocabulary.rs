//! The attributes that a condition of our configuration may name.

use std::collections::BTreeMap;

use strsim::osa_distance;

/// What the values of an attribute are. They must really be that: a [`Kind::Text`] attribute gives the text
/// `7`, never the number, because operands are read as the declared kind and `$eq` and `$in` compare types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// Text, as headers, cookies and parameters hold it.
    Text,
    /// A number.
    Number,
    /// True or false.
    Bool,
    /// A list of text.
    List,
    /// Whatever there is: operands are compared as they are written.
    Any,
}

impl Kind {
    /// The kind, as a configuration error calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "a number",
            Self::Bool => "true or false",
            Self::List => "a list",
            Self::Any => "anything",
        }
    }
}

/// The names and kinds of the attributes that exist, dots included (`request.host`).
#[derive(Debug, Clone, Default)]
pub struct Vocabulary {
    kinds: BTreeMap<Box<str>, Kind>,
    prefixes: &'static [&'static str],
}

impl Vocabulary {
    /// The kind of an attribute, if there is such an attribute. What is [any kind](Kind::Any) of value may have members.
    #[must_use]
    pub fn kind(&self, path: &str) -> Option<Kind> {
        if let Some(kind) = self.kinds.get(path) {
            return Some(*kind);
        }
        let holders = path.match_indices('.').filter_map(|(at, _)| self.kinds.get(path.get(..at)?));
        let has_members = holders.into_iter().any(|kind| *kind == Kind::Any);
        let is_open = self.prefixes.iter().any(|prefix| path.starts_with(prefix));
        (has_members || is_open).then_some(Kind::Any)
    }

    /// With every name that begins like these, whatever its kind.
    #[must_use]
    pub fn with_prefixes(self, prefixes: &'static [&'static str]) -> Self {
        Self { prefixes, ..self }
    }

    /// The attribute that someone who wrote `path` probably meant.
    #[must_use]
    pub fn nearest(&self, path: &str) -> Option<&str> {
        nearest(path, self.kinds.keys().map(AsRef::as_ref))
    }
}

impl<N: Into<Box<str>>> FromIterator<(N, Kind)> for Vocabulary {
    fn from_iter<I: IntoIterator<Item = (N, Kind)>>(attributes: I) -> Self {
        Self {
            kinds: attributes.into_iter().map(|(name, kind)| (name.into(), kind)).collect(),
            prefixes: &[],
        }
    }
}

/// The longest name worth comparing: the distance takes time proportional to both lengths.
const MAX_COMPARED_BYTES: usize = 64;

/// The name closest to `written`, if a third of it or less is wrong.
pub(super) fn nearest<'n>(written: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    if written.len() > MAX_COMPARED_BYTES {
        return None;
    }
    let tolerated = (written.chars().count() / 3).max(1);
    names
        .filter(|name| name.len() <= MAX_COMPARED_BYTES)
        .map(|name| (osa_distance(written, name), name))
        .filter(|(distance, _)| *distance <= tolerated)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}
