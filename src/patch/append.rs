//! Text that is added to the value of an attribute, whatever that is.

use crate::html::charset::Charset;
use crate::html::outcome::Skip;
use crate::html::tag_rewrite::{AttributeChange, TagRewrite, TagView};

/// See the [module](self).
#[derive(Debug)]
pub(super) struct AppendValue {
    /// In lower case.
    name: String,
    text: String,
    charset: Charset,
}

impl AppendValue {
    pub(super) fn new(name: &str, text: &str, charset: Charset) -> Self {
        Self { name: name.to_owned(), text: text.to_owned(), charset }
    }
}

impl TagRewrite for AppendValue {
    fn attributes(&self) -> Vec<&str> {
        vec![&self.name]
    }

    fn rewrite(&self, tag: &TagView<'_>) -> Result<Vec<AttributeChange>, Skip> {
        let value = tag.get(&self.name).unwrap_or_default();
        // It is written anew, and what it says in an encoding that is not known, nobody can tell.
        if self.charset == Charset::Undeclared && !value.is_ascii() {
            return Err(Skip::Charset);
        }
        let changed = format!("{value}{}", self.text);
        Ok(vec![AttributeChange::Set(self.name.clone().into(), changed)])
    }
}
