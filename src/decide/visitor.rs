//! Who is decided for, and how.

use std::collections::BTreeMap;
use std::fmt;

use super::condition::Attributes;
use super::url_targeting::PageUrl;

/// One visitor on one page.
#[derive(Clone)]
#[non_exhaustive]
pub struct Visitor<'a> {
    /// What is known of them.
    pub attributes: &'a dyn Attributes,
    /// The page's URL.
    pub url: PageUrl<'a>,
    /// Variations by experiment that they see whatever their hash says. A number that is none of a variation takes them out
    /// of the experiment.
    pub forced_variations: Option<&'a BTreeMap<String, i64>>,
    /// Whether they see only variations that somebody forced.
    pub qa_mode: bool,
    /// Whether the page's query may choose variations, as it may in the SDKs. Anybody can write a link with one.
    pub query_override: bool,
    /// Whether there are experiments at all.
    pub enabled: bool,
}

impl<'a> Visitor<'a> {
    /// A visitor of the page at `url`, for whom nothing is forced.
    #[must_use]
    pub const fn new(attributes: &'a dyn Attributes, url: &'a str) -> Self {
        Self {
            attributes,
            url: PageUrl::new(url),
            forced_variations: None,
            qa_mode: false,
            query_override: false,
            enabled: true,
        }
    }
}

impl fmt::Debug for Visitor<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Visitor").field("url", &self.url).finish_non_exhaustive()
    }
}
