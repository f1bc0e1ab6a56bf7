//! What patches of whole pages change in the head of the response.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue, header};

use crate::headers::HeaderEdit;
use crate::request::attributes::Values;
use crate::urls::{Page, UrlRules, rewrite_headers};

/// See the [module](self).
#[derive(Debug, Default)]
pub struct Head {
    pub(super) urls: Option<Arc<UrlRules>>,
    /// `Link` headers that announce what is put into the page.
    pub(super) links: Vec<HeaderValue>,
}

impl Head {
    /// The edits for a response with these headers, as the patches before this one left them. A redirect, too, has URLs; what
    /// only a page has a use for is added where the response `is_page`.
    #[must_use]
    pub fn edits(&self, values: &Values, headers: &HeaderMap, is_page: bool) -> Vec<HeaderEdit> {
        let urls = self.urls.iter().flat_map(|rules| rewrite_headers(rules, &Page::of(values), headers));
        let links =
            self.links.iter().filter(|_| is_page).map(|link| HeaderEdit::Add(header::LINK, link.clone()));
        urls.chain(links).collect()
    }

    /// Whether it changes nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.urls.as_ref().is_none_or(|rules| !rules.headers) && self.links.is_empty()
    }

    /// Whether it changes responses that are not pages.
    #[must_use]
    pub fn reaches_beyond_pages(&self) -> bool {
        self.urls.as_ref().is_some_and(|rules| rules.headers)
    }
}
