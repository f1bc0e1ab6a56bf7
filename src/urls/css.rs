//! URLs in style sheets: `url()`, `@import "…"`, strings in `image-set()`. Not those of `@namespace`, which are names.
//!
//! A sheet in an element streams; only a URL is held back, up to [`MAX_TEXT_BYTES`](crate::css::lexer::MAX_TEXT_BYTES).

use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use super::page::Page;
use super::rules::UrlRules;
use crate::css::blocks::Blocks;
use crate::css::escape;
use crate::css::lexer::{Lexer, Token};
use crate::html::charset::Charset;
use crate::html::outcome::Skip;
use crate::html::text_editor::{TextEdit, TextEditor, TextEditorFactory, TextOutcome};

/// Finds the URLs of a sheet.
#[derive(Debug)]
struct Finder {
    lexer: Lexer,
    rule: Rule,
    /// Whether each is an `image-set()`.
    blocks: Blocks<bool>,
    in_url: bool,
}

/// The at-rule that a place belongs to, where that matters for strings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    Any,
    /// Right after `@import`.
    Import,
    /// Up to its semicolon.
    Namespace,
}

impl Finder {
    fn new(charset: Charset) -> Self {
        Self { lexer: Lexer::new(charset), rule: Rule::Any, blocks: Blocks::default(), in_url: false }
    }

    /// Takes a byte; gives the text of a URL that ended with it, as it is written, and where it starts.
    fn step(&mut self, byte: u8, at: u64) -> Option<(Vec<u8>, u64)> {
        let tokens = self.lexer.step(byte, at);
        tokens.into_iter().flatten().fold(None, |found, token| self.token(token).or(found))
    }

    fn end(&mut self) -> Option<(Vec<u8>, u64)> {
        let token = self.lexer.end()?;
        self.token(token)
    }

    fn token(&mut self, token: Token) -> Option<(Vec<u8>, u64)> {
        let rule = self.rule;
        if rule == Rule::Import {
            self.rule = Rule::Any;
        }
        match token {
            Token::At => {
                self.rule = match self.lexer.name() {
                    b"import" => Rule::Import,
                    b"namespace" => Rule::Namespace,
                    _ => Rule::Any,
                };
            }
            Token::Function => {
                let is_image_set = matches!(self.lexer.name(), b"image-set" | b"-webkit-image-set");
                self.blocks.open(b'(', is_image_set);
            }
            Token::Open(bracket) => {
                if bracket == b'{' {
                    self.rule = Rule::Any;
                }
                self.blocks.open(bracket, false);
            }
            Token::Close(bracket) => {
                self.blocks.close(bracket);
            }
            Token::Semicolon => self.rule = Rule::Any,
            Token::Url => {
                self.in_url = true;
                if rule != Rule::Namespace {
                    self.lexer.keep_text();
                }
            }
            Token::String => {
                let in_image_set = self.blocks.innermost().is_some_and(|is_image_set| *is_image_set);
                if rule == Rule::Import || (in_image_set && !self.in_url) {
                    self.lexer.keep_text();
                }
            }
            Token::TextEnd => {
                self.in_url = false;
                return self.lexer.take_text();
            }
            Token::BadText => {
                self.in_url = false;
                self.lexer.take_text();
            }
            Token::Ident | Token::Other => {}
        }
        None
    }
}

/// The smallest change of a URL's text that makes it `new`: what changes of it, and what stands there instead.
fn change(text: &str, rewrite: impl Fn(&str) -> Option<String>) -> Option<(Range<usize>, String)> {
    let old = escape::unescape(text);
    let new = rewrite(&old)?;
    let mut range = 0..text.len();
    let mut changed = new.as_str();
    // Where nothing is escaped, what stays the same keeps its bytes.
    if !text.contains('\\') {
        let same = |a: &mut dyn Iterator<Item = char>, b: &mut dyn Iterator<Item = char>| -> usize {
            a.zip(b).take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum()
        };
        let start = same(&mut text.chars(), &mut new.chars());
        let tail = (text.get(start..)?, new.get(start..)?);
        let end = same(&mut tail.0.chars().rev(), &mut tail.1.chars().rev());
        range = start..text.len().saturating_sub(end);
        changed = new.get(start..new.len().saturating_sub(end))?;
    }
    let mut with = String::new();
    escape::write(changed, &mut with);
    Some((range, with))
}

/// Rewrites the URLs in a `style` attribute; `None` where none changes.
pub(crate) fn rewrite_declarations(style: &str, rewrite: impl Fn(&str) -> Option<String>) -> Option<String> {
    if !style.contains(['(', '\\', '@']) {
        return None;
    }
    // The value is decoded: its bytes are UTF-8 whatever the page is in.
    let mut finder = Finder::new(Charset::Undeclared);
    let mut out = String::new();
    let mut kept = 0;
    let steps = style.bytes().zip(0..).map(Some).chain([None]);
    for step in steps {
        let found = match step {
            Some((byte, at)) => finder.step(byte, at),
            None => finder.end(),
        };
        let Some((text, at)) = found else { continue };
        let Some((range, with)) = std::str::from_utf8(&text).ok().and_then(|text| change(text, &rewrite))
        else {
            continue;
        };
        let start = usize::try_from(at).unwrap_or(usize::MAX);
        out.push_str(style.get(kept..start.saturating_add(range.start))?);
        out.push_str(&with);
        kept = start.saturating_add(range.end);
    }
    if kept == 0 {
        return None;
    }
    out.push_str(style.get(kept..)?);
    Some(out)
}

/// Rewrites the URLs in `style` elements.
#[derive(Debug)]
pub(crate) struct StyleUrls {
    pub(crate) rules: Arc<UrlRules>,
    pub(crate) page: Rc<Page>,
    pub(crate) charset: Charset,
}

impl TextEditorFactory for StyleUrls {
    fn editor(
        &self,
        name: &str,
        attribute: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Option<Box<dyn TextEditor>>, Skip> {
        if !is_style_sheet(name, attribute) || !self.rules.covers("style") {
            return Ok(None);
        }
        Ok(Some(Box::new(SheetUrls {
            finder: Finder::new(self.charset),
            rules: Arc::clone(&self.rules),
            page: Rc::clone(&self.page),
            is_utf8: self.charset.is_utf8(),
            is_changed: false,
        })))
    }
}

/// Whether this is a `style` element that browsers read as CSS (WHATWG HTML § 4.2.6).
pub(crate) fn is_style_sheet(name: &str, attribute: &dyn Fn(&str) -> Option<String>) -> bool {
    let is_css = |kind: String| kind.is_empty() || kind.eq_ignore_ascii_case("text/css");
    name == "style" && attribute("type").is_none_or(is_css)
}

#[derive(Debug)]
struct SheetUrls {
    finder: Finder,
    rules: Arc<UrlRules>,
    page: Rc<Page>,
    is_utf8: bool,
    is_changed: bool,
}

impl SheetUrls {
    fn found(&mut self, text: &[u8], at: u64, edits: &mut Vec<TextEdit>) {
        // In an encoding that is not known for certain, only ASCII is.
        let text = std::str::from_utf8(text).ok().filter(|text| self.is_utf8 || text.is_ascii());
        let Some((range, with)) =
            text.and_then(|text| change(text, |url| self.rules.rewrite(url, false, &self.page)))
        else {
            return;
        };
        let offset = |index: usize| at.saturating_add(u64::try_from(index).unwrap_or(u64::MAX));
        edits.push(TextEdit { range: offset(range.start)..offset(range.end), with: with.into_bytes() });
        self.is_changed = true;
    }
}

impl TextEditor for SheetUrls {
    fn write(&mut self, text: &[u8], at: u64, edits: &mut Vec<TextEdit>) {
        for (byte, at) in text.iter().zip(at..) {
            if let Some((url, start)) = self.finder.step(*byte, at) {
                self.found(&url, start, edits);
            }
        }
    }

    fn end_node(&mut self, _: &mut Vec<TextEdit>) {}

    fn end(&mut self, edits: &mut Vec<TextEdit>) -> TextOutcome {
        if let Some((url, start)) = self.finder.end() {
            self.found(&url, start, edits);
        }
        if self.is_changed { TextOutcome::Applied } else { TextOutcome::Missed }
    }

    fn open_from(&self) -> Option<u64> {
        self.finder.lexer.kept_from()
    }
}
