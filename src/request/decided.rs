//! Names that stand for what is decided about a visitor, beside the attributes that are read: `variants.hero`, `flags.new-nav`, `id`.

use crate::decide::condition::Kind;

/// How the names of experiments begin.
pub const VARIANTS: &str = "variants.";
/// How the names of flags begin.
pub const FLAGS: &str = "flags.";
/// The visitor's id.
pub const ID: &str = "id";
/// What the payload's own experiments make of a page.
pub const AUTO: &str = "variants.*";

/// What is decided under a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "whoever decides must handle each")]
pub enum Decided<'n> {
    /// The visitor's id.
    Id,
    /// Which variation of the experiment of this key.
    Variant(&'n str),
    /// The value of the flag of this key, or, behind a dot, a member of it.
    Flag(&'n str),
    /// What the payload's own experiments make of a page.
    Auto,
}

impl<'n> Decided<'n> {
    /// What is decided under `name`; `None` for an attribute that is read.
    ///
    /// ```
    /// use engraft::request::decided::Decided;
    ///
    /// assert_eq!(Decided::of("variants.hero"), Some(Decided::Variant("hero")));
    /// assert_eq!(Decided::of("country"), None);
    /// ```
    #[must_use]
    pub fn of(name: &'n str) -> Option<Self> {
        match name {
            ID => return Some(Self::Id),
            AUTO => return Some(Self::Auto),
            _ => {}
        }
        let variant = name.strip_prefix(VARIANTS).map(Self::Variant);
        variant.or_else(|| name.strip_prefix(FLAGS).map(Self::Flag))
    }
}

/// What is known of a decision before it is made.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "whoever names a decision must say all of it")]
pub struct Declared {
    /// Of what kind its values are.
    pub kind: Kind,
    /// Whether two visitors who ask for the same URL may differ in it.
    pub of_visitor: bool,
    /// All values that there are.
    pub values: Option<Vec<String>>,
    /// The value where nothing is decided.
    pub otherwise: Option<String>,
}

/// The name of an experiment's variation.
#[must_use]
pub fn variant(experiment: &str) -> String {
    format!("{VARIANTS}{experiment}")
}

/// The name of a flag's value.
#[must_use]
pub fn flag(key: &str) -> String {
    format!("{FLAGS}{key}")
}
