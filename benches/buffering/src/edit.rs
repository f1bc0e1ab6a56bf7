//! The edits, in the part of engraft's patch language that the benchmark needs.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::error::Error;

use lol_html::errors::RewritingError;
use lol_html::html_content::{ContentType, Element};
use lol_html::{ElementContentHandlers, HandlerResult, HtmlRewriter, Selector, Settings};
use serde::Deserialize;

/// Room for what edits add, so that the output is not moved while it grows.
const ROOM_BYTES: usize = 4096;

/// What is done to every page.
#[derive(Default)]
pub(crate) struct Edits(Vec<(Selector, Change)>);

/// As it is written: `{ select: title, text: Hello }`.
#[derive(Deserialize)]
struct Patch {
    select: String,
    #[serde(flatten)]
    change: Change,
}

/// What is done to the first element that matches.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Change {
    Text(String),
    Append(String),
    Attributes { set: BTreeMap<String, String> },
    Class { add: Vec<String> },
}

impl Edits {
    /// Reads a JSON list of patches.
    pub(crate) fn parse(configuration: &[u8]) -> Result<Self, Box<dyn Error>> {
        let patches: Vec<Patch> = serde_json::from_slice(configuration)?;
        let parsed = patches.into_iter().map(|patch| Ok((patch.select.parse()?, patch.change)));
        parsed.collect::<Result<_, Box<dyn Error>>>().map(Self)
    }

    /// The whole page, edited.
    pub(crate) fn apply(&self, page: &[u8]) -> Result<Vec<u8>, RewritingError> {
        let mut edited = Vec::with_capacity(page.len().saturating_add(ROOM_BYTES));
        let settings = self.0.iter().fold(Settings::new(), |settings, (selector, change)| {
            let mut done = false;
            let handlers = ElementContentHandlers::default().element(move |element: &mut Element<'_, '_>| {
                if std::mem::replace(&mut done, true) { Ok(()) } else { change.apply(element) }
            });
            settings.append_element_content_handler((Cow::Borrowed(selector), handlers))
        });
        let mut rewriter = HtmlRewriter::new(settings, |piece: &[u8]| edited.extend_from_slice(piece));
        rewriter.write(page)?;
        rewriter.end()?;
        Ok(edited)
    }
}

impl Change {
    fn apply(&self, element: &mut Element<'_, '_>) -> HandlerResult {
        match self {
            Self::Text(text) => element.set_inner_content(text, ContentType::Text),
            Self::Append(markup) => element.append(markup, ContentType::Html),
            Self::Attributes { set } => {
                for (name, value) in set {
                    element.set_attribute(name, value)?;
                }
            }
            Self::Class { add } => {
                let has = element.get_attribute("class");
                let classes: Vec<&str> =
                    has.iter().map(String::as_str).chain(add.iter().map(String::as_str)).collect();
                element.set_attribute("class", &classes.join(" "))?;
            }
        }
        Ok(())
    }
}
