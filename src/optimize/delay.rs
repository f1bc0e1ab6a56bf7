//! Scripts that wait for the first interaction, or for the loaded page to be idle.
//!
//! A delayed script keeps its `src` and everything else but its `type`: `text/plain` is data, which browsers neither fetch
//! nor run (WHATWG HTML § 4.12.1.1). The loader gives the type back and puts the very element in again, so that its nonce, its
//! `integrity` and its `crossorigin` still hold, `strict-dynamic` trusts it, and Trusted Types have nothing to check: no URL
//! and no text is assigned.

use std::rc::Rc;

use super::scripts::kind;
use crate::html::charset::Charset;
use crate::html::operation::Operation;
use crate::html::outcome::Skip;
use crate::html::tag_rewrite::{AttributeChange, TagRewrite, TagView};
use crate::patch::element::PageSteps;
use crate::request::attributes::Values;

/// The text of the script in front of each delayed one. It is always the same, so a policy can allow it by its hash.
pub const LOADER: &str = include_str!("delay.js");

/// Turns scripts into data.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Delay;

impl PageSteps for Delay {
    fn operations(&self, _: &Values, _: Charset) -> Vec<Operation> {
        vec![Operation::RewriteTag(Rc::new(*self))]
    }
}

impl TagRewrite for Delay {
    fn attributes(&self) -> Vec<&str> {
        vec!["type"]
    }

    fn rewrite(&self, tag: &TagView<'_>) -> Result<Vec<AttributeChange>, Skip> {
        if !tag.html || kind(tag).is_none() {
            return Ok(Vec::new());
        }
        let was = tag.get("type").unwrap_or_default().to_owned();
        Ok(vec![
            AttributeChange::Set("data-engraft-type".into(), was),
            AttributeChange::Set("type".into(), "text/plain".into()),
        ])
    }
}
