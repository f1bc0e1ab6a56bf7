//! External scripts, by their URLs (WHATWG HTML § 4.12.1).

use std::rc::Rc;
use std::sync::Arc;

use crate::html::charset::Charset;
use crate::html::javascript::is_javascript;
use crate::html::operation::Operation;
use crate::html::outcome::Skip;
use crate::html::tag_rewrite::{AttributeChange, TagRewrite, TagView};
use crate::patch::element::PageSteps;
use crate::request::attributes::Values;
use crate::urls::Page;
use crate::urls::reference::{Reference, Site};
use crate::urls::rules::Prefix;

/// Which scripts.
#[derive(Debug)]
pub(crate) enum ScriptMatcher {
    /// Those of a host, whatever the scheme.
    Host(Site),
    /// Those whose URL starts so.
    Prefix(Prefix),
}

/// Sets `async` or `defer` on scripts.
#[derive(Debug)]
pub(crate) struct ScriptLoading {
    pub(crate) attribute: &'static str,
    pub(crate) matchers: Arc<[ScriptMatcher]>,
}

/// A `base` says what relative URLs are.
pub(crate) const SELECTOR: &str = "base[href], script[src]";

impl ScriptMatcher {
    fn matches(&self, src: &str, page: &Page) -> bool {
        let Some(reference) = Reference::parse(src) else { return false };
        let Some(located) = page.locate(&reference) else { return false };
        match self {
            Self::Host(site) => located.site().is_some_and(|it| site.covers(it)),
            Self::Prefix(prefix) => prefix.strip(&located, page).is_some(),
        }
    }

    /// Selectors of the tags that it matches: only as they are usually written, for a selector can't resolve a URL.
    pub(crate) fn selectors(&self) -> Vec<String> {
        let (site, path) = match self {
            Self::Host(site) => (Some(site), None),
            Self::Prefix(prefix) => (prefix.site.as_ref(), Some(prefix.path.as_str())),
        };
        let Some(site) = site else {
            return path.map(|path| format!("script[src^=\"{path}\"]")).into_iter().collect();
        };
        let port = site.port.map(|port| format!(":{port}")).unwrap_or_default();
        let host = format!("{}{port}", site.host);
        let schemes: &[&str] = match site.scheme.map(crate::urls::reference::Scheme::name) {
            Some("https") => &["https://", "//"],
            Some(_) => &["http://", "//"],
            None => &["https://", "http://", "//"],
        };
        let of_scheme = |scheme: &&str| match path {
            Some(path) => vec![format!("script[src^=\"{scheme}{host}{path}\"]")],
            // The host ends where the text does, or at one of these.
            None => vec![
                format!("script[src^=\"{scheme}{host}/\" i]"),
                format!("script[src^=\"{scheme}{host}?\" i]"),
                format!("script[src=\"{scheme}{host}\" i]"),
            ],
        };
        schemes.iter().flat_map(of_scheme).collect()
    }
}

impl PageSteps for ScriptLoading {
    fn operations(&self, values: &Values, _: Charset) -> Vec<Operation> {
        let page = Page::of(values);
        let rewrite = OnPage { attribute: self.attribute, matchers: Arc::clone(&self.matchers), page };
        vec![Operation::RewriteTag(Rc::new(rewrite))]
    }

    fn attributes(&self) -> &'static [&'static str] {
        Page::ATTRIBUTES
    }
}

#[derive(Debug)]
struct OnPage {
    attribute: &'static str,
    matchers: Arc<[ScriptMatcher]>,
    page: Page,
}

impl TagRewrite for OnPage {
    fn attributes(&self) -> Vec<&str> {
        vec!["src", "type", "async", "defer", "href"]
    }

    fn rewrite(&self, tag: &TagView<'_>) -> Result<Vec<AttributeChange>, Skip> {
        if tag.html && tag.name == "base" {
            if let Some(href) = tag.get("href") {
                self.page.take_base(href, |_| None);
            }
            return Ok(Vec::new());
        }
        let waits = tag.get("async").is_none() && tag.get("defer").is_none();
        let is_wanted = |src: &str| self.matchers.iter().any(|matcher| matcher.matches(src, &self.page));
        let is_ours = tag.html && tag.name == "script" && waits && kind(tag) == Some(Kind::Classic);
        Ok(if is_ours && tag.get("src").is_some_and(is_wanted) {
            vec![AttributeChange::Set(self.attribute.into(), String::new())]
        } else {
            Vec::new()
        })
    }
}

/// What browsers run a script as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Classic,
    Module,
}

/// What the script is run as; `None` where it is data.
pub(crate) fn kind(tag: &TagView<'_>) -> Option<Kind> {
    let kind = tag.get("type").unwrap_or_default();
    let kind = if kind.is_empty() {
        "text/javascript"
    } else {
        kind.trim_matches(|c: char| c.is_ascii_whitespace())
    };
    if kind.eq_ignore_ascii_case("module") {
        return Some(Kind::Module);
    }
    is_javascript(kind).then_some(Kind::Classic)
}
