//! Lazy loading of images and frames (WHATWG HTML § 2.4.6, lazy loading attributes).

use std::rc::Rc;

use crate::html::charset::Charset;
use crate::html::operation::Operation;
use crate::html::outcome::Skip;
use crate::html::tag_rewrite::{AttributeChange, TagRewrite, TagView};
use crate::patch::element::PageSteps;
use crate::request::attributes::Values;

/// `loading="lazy"` where the tag does not say how it loads, and does not say that it is urgent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lazy {
    /// On `img`, inside `picture` or not.
    Images,
    /// On `iframe`.
    Frames,
}

impl PageSteps for Lazy {
    fn operations(&self, _: &Values, _: Charset) -> Vec<Operation> {
        vec![Operation::RewriteTag(Rc::new(*self))]
    }
}

impl TagRewrite for Lazy {
    fn attributes(&self) -> Vec<&str> {
        vec!["loading", "decoding", "fetchpriority"]
    }

    fn rewrite(&self, tag: &TagView<'_>) -> Result<Vec<AttributeChange>, Skip> {
        let is_urgent = tag.get("fetchpriority").is_some_and(|it| it.trim().eq_ignore_ascii_case("high"));
        if !tag.html || tag.get("loading").is_some() || is_urgent {
            return Ok(Vec::new());
        }
        let mut changes = vec![AttributeChange::Set("loading".into(), "lazy".into())];
        if *self == Self::Images && tag.get("decoding").is_none() {
            changes.push(AttributeChange::Set("decoding".into(), "async".into()));
        }
        Ok(changes)
    }
}
