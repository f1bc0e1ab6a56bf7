//! `font-display` in the `@font-face` rules of inline style sheets (CSS Fonts 4 § 4.9).
//!
//! Nothing is held back: what is missing is put in front of the brace that ends the rule.

use std::rc::Rc;

use crate::css::blocks::Blocks;
use crate::css::lexer::{Lexer, Token};
use crate::html::charset::Charset;
use crate::html::operation::Operation;
use crate::html::outcome::Skip;
use crate::html::text_editor::{TextEdit, TextEditor, TextEditorFactory, TextOutcome};
use crate::patch::element::PageSteps;
use crate::request::attributes::Values;
use crate::urls::css::is_style_sheet;

/// Adds `font-display` with this value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FontDisplay(pub(crate) &'static str);

impl PageSteps for FontDisplay {
    fn operations(&self, _: &Values, charset: Charset) -> Vec<Operation> {
        vec![Operation::EditText(Rc::new(Sheets { value: self.0, charset }))]
    }
}

#[derive(Debug)]
struct Sheets {
    value: &'static str,
    charset: Charset,
}

impl TextEditorFactory for Sheets {
    fn editor(
        &self,
        name: &str,
        attribute: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Option<Box<dyn TextEditor>>, Skip> {
        let sheet = || Sheet {
            value: self.value,
            lexer: Lexer::new(self.charset),
            blocks: Blocks::default(),
            follows_font_face: false,
            is_changed: false,
        };
        Ok(is_style_sheet(name, attribute).then(|| Box::new(sheet()) as Box<dyn TextEditor>))
    }
}

#[derive(Debug)]
struct Sheet {
    value: &'static str,
    lexer: Lexer,
    /// `Some` for the block of a `@font-face`.
    blocks: Blocks<Option<FontFace>>,
    follows_font_face: bool,
    is_changed: bool,
}

#[derive(Debug)]
struct FontFace {
    has_display: bool,
    needs_semicolon: bool,
}

impl Sheet {
    /// Takes a token; gives the rule that ends with it.
    fn token(&mut self, token: Token) -> Option<FontFace> {
        let starts_block = std::mem::take(&mut self.follows_font_face) && token == Token::Open(b'{');
        let name_is = |name: &[u8]| self.lexer.name() == name;
        if let Some(Some(face)) = self.blocks.innermost() {
            face.has_display |= token == Token::Ident && name_is(b"font-display");
            // The brace that ends the rule is no part of what it follows.
            if token != Token::Close(b'}') {
                face.needs_semicolon = token != Token::Semicolon;
            }
        }
        match token {
            Token::At => self.follows_font_face = name_is(b"font-face"),
            Token::Open(bracket) => {
                let face = FontFace { has_display: false, needs_semicolon: false };
                self.blocks.open(bracket, starts_block.then_some(face));
            }
            Token::Function => self.blocks.open(b'(', None),
            Token::Close(bracket) => return self.blocks.close(bracket).flatten(),
            _ => {}
        }
        None
    }
}

impl TextEditor for Sheet {
    fn write(&mut self, text: &[u8], at: u64, edits: &mut Vec<TextEdit>) {
        for (byte, at) in text.iter().zip(at..) {
            for token in self.lexer.step(*byte, at).into_iter().flatten() {
                let Some(face) = self.token(token).filter(|face| !face.has_display) else { continue };
                let semicolon = if face.needs_semicolon { ";" } else { "" };
                let with = format!("{semicolon}font-display:{}", self.value).into_bytes();
                edits.push(TextEdit { range: at..at, with });
                self.is_changed = true;
            }
        }
    }

    fn end_node(&mut self, _: &mut Vec<TextEdit>) {}

    fn end(&mut self, _: &mut Vec<TextEdit>) -> TextOutcome {
        if self.is_changed { TextOutcome::Applied } else { TextOutcome::Missed }
    }

    fn open_from(&self) -> Option<u64> {
        None
    }
}
