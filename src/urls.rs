//! `urls`: other hosts, prefixes and image services in every URL of a page and of its headers.
//!
//! Answers for the URLs that HTML, CSS and HTTP give a meaning as such. Scripts, JSON and text are not looked into: what is
//! a URL there only the page's own code knows.
//!
//! The attack that this prevents: a page, or a path that a visitor chose, turning a rewritten URL into one of another
//! scheme or host. What is written for a URL starts with a constant of the configuration that reaches to the slash behind
//! the host, with the scheme and host that the page had, or with a path that browsers can't take for a host.

use std::rc::Rc;
use std::sync::Arc;

use crate::html::charset::Charset;
use crate::html::operation::Operation;
use crate::patch::element::PageSteps;
use crate::request::attributes::Values;

pub(crate) mod css;
mod header;
mod page;
pub(crate) mod reference;
mod refresh;
pub(crate) mod rules;
mod srcset;
pub(crate) mod tags;

pub use header::rewrite_headers;
pub use page::Page;
pub use rules::UrlRules;

/// Rules as the steps of a patch: on the tags of all elements, and on the text of `style`.
#[derive(Debug)]
pub(crate) struct UrlSteps(pub(crate) Arc<UrlRules>);

impl PageSteps for UrlSteps {
    fn operations(&self, values: &Values, charset: Charset) -> Vec<Operation> {
        let page = Rc::new(Page::of(values));
        let tags = tags::TagUrls { rules: Arc::clone(&self.0), page: Rc::clone(&page) };
        let styles = css::StyleUrls { rules: Arc::clone(&self.0), page, charset };
        vec![Operation::RewriteTag(Rc::new(tags)), Operation::EditText(Rc::new(styles))]
    }

    fn attributes(&self) -> &'static [&'static str] {
        Page::ATTRIBUTES
    }
}

#[cfg(test)]
mod tests;
