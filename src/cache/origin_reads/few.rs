//! What a declared header or cookie may say.

use std::fmt;

/// A few values, and one for all others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Few {
    values: Vec<String>,
    otherwise: Option<String>,
}

impl Few {
    pub(super) const fn new(values: Vec<String>, otherwise: Option<String>) -> Self {
        Self { values, otherwise }
    }

    /// The one that a text becomes, or the lack of one.
    pub(super) fn settle<'f>(&'f self, text: Option<&[u8]>) -> Option<&'f str> {
        let known = self.values.iter().find(|value| text == Some(value.as_bytes()));
        known.or(self.otherwise.as_ref()).map(String::as_str)
    }

    /// Whether an attribute that knows `values` only, and has `otherwise` for all others, is the same before and after.
    #[must_use]
    pub fn keeps(&self, values: Option<&[String]>, otherwise: Option<&str>) -> bool {
        let Some(values) = values else { return false };
        let is_other = |text: &str| !values.iter().any(|value| value == text) || Some(text) == otherwise;
        values.iter().all(|value| self.values.contains(value))
            && self.otherwise.as_deref().is_none_or(is_other)
    }
}

/// `US, CA or other`.
impl fmt::Display for Few {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let last = self.otherwise.as_deref().unwrap_or("none");
        let values: Vec<&str> =
            self.values.iter().map(String::as_str).filter(|value| *value != last).collect();
        if values.is_empty() { f.write_str(last) } else { write!(f, "{} or {last}", values.join(", ")) }
    }
}
