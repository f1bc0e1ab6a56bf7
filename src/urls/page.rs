//! The page that a URL stands on: what relative URLs are relative to (WHATWG HTML § 2.4.3, document base URLs).
//!
//! A `base` counts from where it stands on; browsers let it count for links before it as well, which a stream can't know.
//! The page's own host is only compared with: it is never written, for the visitor may have made it up.

use std::cell::{Cell, RefCell};

use crate::request::attributes::Values;

use super::reference::{Reference, Site, normalise, resolve};

/// Whose URLs are rewritten. One is made for each page.
#[derive(Debug)]
pub struct Page {
    host: Option<String>,
    base: RefCell<Base>,
    has_base: Cell<bool>,
}

#[derive(Debug)]
enum Base {
    /// The site that the page is on, and the path if it is known.
    Own(Option<String>),
    /// Another one; its host has been rewritten or not.
    Site { site: Site, path: String, rewritten: bool },
    /// Not a URL that can be followed.
    Unknown,
}

/// Where a URL leads.
#[derive(Debug)]
pub(crate) struct Located<'a> {
    pub(crate) place: Place,
    /// Without dot segments; otherwise as written.
    pub(crate) path: String,
    /// As written, with its question mark.
    pub(crate) query: &'a str,
    /// As written, with its number sign.
    pub(crate) fragment: &'a str,
}

#[derive(Debug)]
pub(crate) enum Place {
    /// The site that the page is on.
    Own,
    /// A site by its name.
    Site {
        site: Site,
        /// It is relative to a `base` that is rewritten itself.
        follows_base: bool,
    },
}

impl Located<'_> {
    /// The site, where it is known by a name.
    pub(crate) const fn site(&self) -> Option<&Site> {
        match &self.place {
            Place::Own => None,
            Place::Site { site, .. } => Some(site),
        }
    }

    pub(crate) fn whole_path(&self) -> String {
        [self.path.as_str(), self.query, self.fragment].concat()
    }
}

impl Page {
    /// What of the request it is made from. Neither differs between visitors of one URL.
    pub(crate) const ATTRIBUTES: &'static [&'static str] = &["request.host", "request.path"];

    /// The page that a request is for.
    #[must_use]
    pub fn of(values: &Values) -> Self {
        Self::new(values.text("request.host"), values.text("request.path"))
    }

    /// A page by its host, without port, and its path.
    #[must_use]
    pub fn new(host: Option<String>, path: Option<String>) -> Self {
        Self {
            host: host.filter(|host| !host.is_empty()),
            base: RefCell::new(Base::Own(path.filter(|path| path.starts_with('/')))),
            has_base: Cell::new(false),
        }
    }

    /// Takes the `href` of a `base`; the first one counts. `rewrite` says what becomes of it.
    pub(crate) fn take_base(
        &self,
        href: &str,
        rewrite: impl FnOnce(&str) -> Option<String>,
    ) -> Option<String> {
        if self.has_base.replace(true) {
            return None;
        }
        let base = match Reference::parse(href) {
            // These are passed over (§ 4.2.3).
            None if is_scheme(href, "data") || is_scheme(href, "javascript") => return None,
            None => Base::Unknown,
            Some(reference) => match self.locate(&reference) {
                None => Base::Unknown,
                Some(Located { place: Place::Own, path, .. }) => Base::Own(Some(path)),
                Some(Located { place: Place::Site { site, .. }, path, .. }) => {
                    let new = rewrite(href);
                    let is_own = new.is_none() && self.is_own(&site);
                    *self.base.borrow_mut() = if is_own {
                        Base::Own(Some(path))
                    } else {
                        Base::Site { site, path, rewritten: new.is_some() }
                    };
                    return new;
                }
            },
        };
        *self.base.borrow_mut() = base;
        None
    }

    pub(crate) fn locate<'r>(&self, reference: &'r Reference<'_>) -> Option<Located<'r>> {
        let (place, path) = match &reference.site {
            Some(site) => {
                let place = Place::Site { site: site.clone(), follows_base: false };
                (place, normalise(reference.path()))
            }
            None => match &*self.base.borrow() {
                Base::Unknown => return None,
                Base::Own(base) => (Place::Own, seen_from(base.as_deref(), reference.path())?),
                Base::Site { site, path, rewritten } => {
                    let place = Place::Site { site: site.clone(), follows_base: *rewritten };
                    (place, seen_from(Some(path), reference.path())?)
                }
            },
        };
        Some(Located { place, path, query: reference.query(), fragment: reference.fragment() })
    }

    /// Whether relative URLs lead to the site that the page is on.
    pub(crate) fn is_based_on_own_site(&self) -> bool {
        matches!(&*self.base.borrow(), Base::Own(_))
    }

    /// Whether `site` is the one that the page is on, as far as that is known.
    pub(crate) fn is_own(&self, site: &Site) -> bool {
        site.port.is_none() && self.host.as_deref() == Some(site.host.as_str())
    }
}

fn seen_from(base: Option<&str>, path: &str) -> Option<String> {
    if path.starts_with(['/', '\\']) {
        return Some(normalise(path));
    }
    base.map(|base| resolve(base, path))
}

fn is_scheme(value: &str, scheme: &str) -> bool {
    let value: String = value.chars().filter(|c| *c > ' ').take(scheme.len().saturating_add(1)).collect();
    value.strip_suffix(':').is_some_and(|name| name.eq_ignore_ascii_case(scheme))
}
