//! Which URL becomes which.
//!
//! One rule counts for a URL: the one for images, then the longest prefix, then the host. What a rule writes is not looked
//! at again. Scheme and host of the result are those of the configuration or those that the page had; no part of a path,
//! and nothing of the request, can become either.

use std::collections::{BTreeMap, BTreeSet};

use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};

use super::page::{Located, Page, Place};
use super::reference::{Reference, Scheme, Site};

/// Compiled rules.
#[derive(Debug, Default)]
pub struct UrlRules {
    pub(crate) hosts: BTreeMap<(String, Option<u16>), Origin>,
    /// Longest first.
    pub(crate) prefixes: Vec<PrefixRule>,
    pub(crate) images: Option<ImageRule>,
    /// Names of elements; empty for all.
    pub(crate) only: BTreeSet<String>,
    /// Whether headers are rewritten as well.
    pub(crate) headers: bool,
}

/// What a host becomes.
#[derive(Debug)]
pub(crate) struct Origin {
    pub(crate) scheme: Option<Scheme>,
    /// `host` or `host:port`.
    pub(crate) authority: String,
}

/// A prefix of URLs.
#[derive(Debug)]
pub(crate) struct Prefix {
    /// `None` for the site that the page is on.
    pub(crate) site: Option<Site>,
    /// Starts with a slash; percent-encoded.
    pub(crate) path: String,
}

/// A prefix and what it becomes.
#[derive(Debug)]
pub(crate) struct PrefixRule {
    pub(crate) from: Prefix,
    /// A path, or a URL with at least a slash behind its host.
    pub(crate) to: String,
}

/// What image URLs become.
#[derive(Debug)]
pub(crate) struct ImageRule {
    pub(crate) from: Vec<Prefix>,
    /// In lower case, without dots; empty for all.
    pub(crate) extensions: BTreeSet<String>,
    pub(crate) to: Vec<Piece>,
    /// The part of `to` before its first placeholder: what starts with it has been rewritten already.
    pub(crate) written: Prefix,
    /// What the site that the page is on is called.
    pub(crate) site: Option<Site>,
    /// `name=value&…`, encoded.
    pub(crate) parameters: String,
}

/// A part of the pattern for images.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    Literal(String),
    /// The path without its first slash.
    Path,
    /// Host, and port where it has one.
    Host,
    /// The whole URL, encoded as a component.
    Url,
}

/// What a path is encoded with (WHATWG URL § 1.3, path percent-encode set).
pub(crate) const PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'}');

/// What is not encoded in a component (ECMA-262, encodeURIComponent, without what has a meaning in CSS).
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

impl UrlRules {
    /// Whether URLs in this element are rewritten.
    pub(crate) fn covers(&self, element: &str) -> bool {
        self.only.is_empty() || self.only.contains(element)
    }

    /// What the URL `value` becomes on `page`; `None` where it stays.
    pub(crate) fn rewrite(&self, value: &str, is_image: bool, page: &Page) -> Option<String> {
        let reference = Reference::parse(value)?;
        if reference.is_same_document() {
            return None;
        }
        let located = page.locate(&reference)?;
        let image = self.images.as_ref().filter(|_| is_image).and_then(|rule| rule.apply(&located, page));
        let prefix = || self.prefixes.iter().find_map(|rule| Some((rule, rule.from.strip(&located, page)?)));
        let new = match (image, prefix()) {
            (Some(image), _) => Some(image),
            // Where the longest one can't be applied, a shorter one was not meant either.
            (None, Some((rule, rest))) => rule.apply(rest, &reference, page),
            (None, None) => self.rewrite_host(&reference, &located),
        };
        new.filter(|new| new != value)
    }

    /// What the `href` of a `base` becomes: its host only, so that what is relative to it follows as a whole.
    pub(crate) fn rewrite_base(&self, value: &str) -> Option<String> {
        let reference = Reference::parse(value)?;
        let site = reference.site.as_ref()?;
        let origin = self.host(site)?;
        Some(origin.before(site.scheme, reference.after_origin())).filter(|new| new != value)
    }

    fn host(&self, site: &Site) -> Option<&Origin> {
        self.hosts.get(&(site.host.clone(), site.port))
    }

    fn rewrite_host(&self, reference: &Reference<'_>, located: &Located<'_>) -> Option<String> {
        let Place::Site { site, follows_base: false } = &located.place else { return None };
        let origin = self.host(site)?;
        match reference.site {
            Some(_) => Some(origin.before(site.scheme, reference.after_origin())),
            None => Some(origin.before(site.scheme, &located.whole_path())),
        }
    }
}

impl Origin {
    fn before(&self, scheme: Option<Scheme>, rest: &str) -> String {
        let Self { scheme: ours, authority } = self;
        match ours.or(scheme) {
            Some(scheme) => format!("{}://{authority}{rest}", scheme.name()),
            None => format!("//{authority}{rest}"),
        }
    }
}

impl Prefix {
    /// What follows the prefix in a URL's path.
    pub(crate) fn strip<'p>(&self, located: &'p Located<'_>, page: &Page) -> Option<&'p str> {
        let same_site = match (&self.site, &located.place) {
            (None, Place::Own) => true,
            (None, Place::Site { site, .. }) => page.is_own(site),
            (Some(ours), Place::Own) => page.is_own(ours),
            (Some(ours), Place::Site { site, .. }) => ours.covers(site),
        };
        if same_site { strip_encoded(&located.path, &self.path) } else { None }
    }
}

impl PrefixRule {
    fn apply(&self, rest: &str, reference: &Reference<'_>, page: &Page) -> Option<String> {
        let path = format!("{}{rest}", self.to);
        let tail = [reference.query(), reference.fragment()].concat();
        if !self.to.starts_with('/') || self.to.starts_with("//") {
            return Some(format!("{path}{tail}"));
        }
        if reference.site.is_some() {
            return Some(format!("{}{path}{tail}", reference.origin()));
        }
        (page.is_based_on_own_site() && is_local(&path)).then(|| format!("{path}{tail}"))
    }
}

impl ImageRule {
    fn apply(&self, located: &Located<'_>, page: &Page) -> Option<String> {
        if self.written.strip(located, page).is_some()
            || !self.from.iter().any(|from| from.strip(located, page).is_some())
            || !self.has_extension(&located.path)
        {
            return None;
        }
        let site = match &located.place {
            Place::Own => self.site.as_ref(),
            Place::Site { site, .. } => Some(site),
        };
        let mut new = String::new();
        let mut query = located.query;
        for piece in &self.to {
            match piece {
                Piece::Literal(text) => new.push_str(text),
                Piece::Path => new.push_str(located.path.strip_prefix('/').unwrap_or(&located.path)),
                Piece::Host => new.push_str(&authority(site?)),
                Piece::Url => {
                    let site = site?;
                    let scheme = site.scheme.unwrap_or(Scheme::Https).name();
                    let url = format!("{scheme}://{}{}{query}", authority(site), located.path);
                    new.extend(utf8_percent_encode(&url, COMPONENT));
                    query = "";
                }
            }
        }
        let own_path = new.starts_with('/')
            && !matches!(self.to.first(), Some(Piece::Literal(it)) if it.starts_with("//"));
        if own_path && !(page.is_based_on_own_site() && is_local(&new)) {
            return None;
        }
        for more in [query.strip_prefix('?').unwrap_or(query), &self.parameters] {
            if !more.is_empty() {
                new.push(if new.contains('?') { '&' } else { '?' });
                new.push_str(more);
            }
        }
        new.push_str(located.fragment);
        Some(new)
    }

    fn has_extension(&self, path: &str) -> bool {
        let file = path.rsplit('/').next().unwrap_or_default();
        let extension = file.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
        self.extensions.is_empty() || extension.is_some_and(|it| self.extensions.contains(&it))
    }
}

fn authority(site: &Site) -> String {
    site.port.map_or_else(|| site.host.clone(), |port| format!("{}:{port}", site.host))
}

/// A path that browsers don't take for a host.
fn is_local(path: &str) -> bool {
    !path.starts_with("//") && !path.starts_with("/\\")
}

/// What follows `prefix`, which is percent-encoded, in `path`, which is as it was written.
fn strip_encoded<'p>(path: &'p str, prefix: &str) -> Option<&'p str> {
    let mut prefix = prefix;
    let mut characters = path.char_indices();
    loop {
        if prefix.is_empty() {
            return Some(characters.as_str());
        }
        let (at, character) = characters.next()?;
        let written = path.get(at..at.saturating_add(character.len_utf8()))?;
        for encoded in utf8_percent_encode(written, PATH) {
            prefix = prefix.strip_prefix(encoded)?;
        }
    }
}

/// A path in the form in which prefixes are compared.
pub(crate) fn encode_path(path: &str) -> String {
    utf8_percent_encode(path, PATH).to_string()
}
