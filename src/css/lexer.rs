//! Bytes in, tokens out.

use super::escape::{Escape, Step, is_line_end, is_space};
use crate::html::charset::Charset;

/// The longest text of a string or URL that is kept. A longer one is no URL that anybody rewrites.
pub(crate) const MAX_TEXT_BYTES: usize = 8192;

/// The longest name that is told apart.
const MAX_NAME_BYTES: usize = 32;

/// What has been read. Whitespace and comments are nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token {
    /// A word; [`Lexer::name`] has it.
    Ident,
    /// `@` and a word.
    At,
    /// A word and a parenthesis.
    Function,
    /// `url(`: a text follows, which may be a string.
    Url,
    /// A string starts.
    String,
    /// The text that [`Url`](Self::Url) or [`String`](Self::String) announced has ended well.
    TextEnd,
    /// It has not.
    BadText,
    /// `(`, `[` or `{`; also that of a `url(` with a string in it.
    Open(u8),
    /// `)`, `]` or `}`.
    Close(u8),
    /// `;`
    Semicolon,
    /// Anything else.
    Other,
}

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Lexer {
    state: State,
    name: Vec<u8>,
    /// The text that is being kept, and where it starts.
    kept: Option<(Vec<u8>, u64)>,
    wants_text: bool,
    has_lead: fn(u8) -> bool,
    after_lead: bool,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Plain,
    At,
    Slash,
    Comment {
        star: bool,
    },
    Name(Word),
    NameEscape(Word, Escape),
    String(u8),
    StringEscape(u8, Escape),
    /// After an escaped carriage return, which takes a line feed with it.
    StringReturn(u8),
    UrlStart,
    UrlText,
    UrlEscape(Escape),
    UrlEnd,
    UrlBad,
    UrlBadEscape,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    Ident,
    At,
    /// A number with its unit, or a hash.
    Other,
}

type Tokens = [Option<Token>; 2];

const NONE: Tokens = [None, None];

const fn one(token: Token) -> Tokens {
    [Some(token), None]
}

impl Lexer {
    /// For a sheet in `charset`.
    pub(crate) fn new(charset: Charset) -> Self {
        Self {
            state: State::Plain,
            name: Vec::new(),
            kept: None,
            wants_text: false,
            has_lead: lead_bytes(charset),
            after_lead: false,
        }
    }

    /// The word that was read last, in lower case; empty if it is too long to be known.
    pub(crate) fn name(&self) -> &[u8] {
        if self.name.len() > MAX_NAME_BYTES { &[] } else { &self.name }
    }

    /// Keeps the text that was just announced.
    pub(crate) const fn keep_text(&mut self) {
        self.wants_text = true;
    }

    /// The text that has just ended, if it was kept, and where it stands.
    pub(crate) const fn take_text(&mut self) -> Option<(Vec<u8>, u64)> {
        self.wants_text = false;
        self.kept.take()
    }

    /// Where the text starts that is being kept.
    pub(crate) fn kept_from(&self) -> Option<u64> {
        self.kept.as_ref().map(|(_, start)| *start)
    }

    /// Takes the byte at offset `at`.
    pub(crate) fn step(&mut self, byte: u8, at: u64) -> Tokens {
        // The second byte of a character may look like a quote's backslash.
        let is_trail = std::mem::take(&mut self.after_lead) && byte >= 0x40;
        self.after_lead = !is_trail && (self.has_lead)(byte);
        let seen = if is_trail { 0x80 } else { byte };
        let tokens = self.advance(seen);
        self.keep(byte, at, tokens);
        tokens
    }

    /// The sheet has ended, and with it what was not closed.
    pub(crate) const fn end(&mut self) -> Option<Token> {
        let state = std::mem::replace(&mut self.state, State::Plain);
        match state {
            State::String(_) | State::UrlText | State::UrlEnd => Some(Token::TextEnd),
            // An escape that is cut off is better not touched.
            State::StringEscape(..) | State::StringReturn(_) | State::UrlEscape(_) => Some(Token::BadText),
            _ => None,
        }
    }

    fn keep(&mut self, byte: u8, at: u64, tokens: Tokens) {
        if !self.wants_text {
            return;
        }
        let is_text = match self.state {
            State::String(_) | State::StringEscape(..) | State::StringReturn(_) => {
                !matches!(tokens, [Some(Token::String), _] | [_, Some(Token::String)])
            }
            State::UrlText | State::UrlEscape(_) => true,
            _ => false,
        };
        if !is_text {
            return;
        }
        let (text, _) = self.kept.get_or_insert_with(|| (Vec::new(), at));
        text.push(byte);
        let is_data = text.len() == 5 && text.eq_ignore_ascii_case(b"data:");
        if is_data || text.len() > MAX_TEXT_BYTES {
            self.wants_text = false;
            self.kept = None;
        }
    }

    fn advance(&mut self, byte: u8) -> Tokens {
        match self.state {
            State::Plain => self.plain(byte),
            State::At if is_name_start(byte) => self.word(Word::At, byte),
            State::At if byte == b'\\' => self.escaped_word(Word::At),
            State::At => self.after(Token::Other, byte),
            State::Slash if byte == b'*' => self.go(State::Comment { star: false }),
            State::Slash => self.after(Token::Other, byte),
            State::Comment { star: true } if byte == b'/' => self.go(State::Plain),
            State::Comment { .. } => self.go(State::Comment { star: byte == b'*' }),
            State::Name(word) if is_name(byte) => {
                self.push_name(byte);
                self.go(State::Name(word))
            }
            State::Name(word) if byte == b'\\' => self.go(State::NameEscape(word, Escape::default())),
            State::Name(word) => self.end_word(word, byte),
            State::NameEscape(word, mut escape) => match escape.step(byte) {
                Step::More => self.go(State::NameEscape(word, escape)),
                Step::Done(value) => {
                    self.push_escaped(value);
                    self.go(State::Name(word))
                }
                Step::DoneBefore(value) => {
                    self.push_escaped(value);
                    self.state = State::Name(word);
                    self.advance(byte)
                }
                // No escape: the word ended before the backslash.
                Step::LineEnd => self.end_word(word, byte),
            },
            State::String(quote) if byte == quote => {
                self.state = State::Plain;
                one(Token::TextEnd)
            }
            State::String(quote) if byte == b'\\' => self.go(State::StringEscape(quote, Escape::default())),
            State::String(_) if is_line_end(byte) => {
                self.state = State::Plain;
                one(Token::BadText)
            }
            State::String(_) => NONE,
            State::StringEscape(quote, mut escape) => match escape.step(byte) {
                Step::More => self.go(State::StringEscape(quote, escape)),
                Step::Done(_) | Step::LineEnd if byte == b'\r' => self.go(State::StringReturn(quote)),
                Step::Done(_) | Step::LineEnd => self.go(State::String(quote)),
                Step::DoneBefore(_) => {
                    self.state = State::String(quote);
                    self.advance(byte)
                }
            },
            State::StringReturn(quote) => {
                self.state = State::String(quote);
                if byte == b'\n' { NONE } else { self.advance(byte) }
            }
            State::UrlStart if is_space(byte) => NONE,
            State::UrlStart if matches!(byte, b'"' | b'\'') => {
                self.state = State::String(byte);
                [Some(Token::Open(b'(')), Some(Token::String)]
            }
            State::UrlStart | State::UrlText => self.url(byte),
            State::UrlEscape(mut escape) => match escape.step(byte) {
                Step::More => self.go(State::UrlEscape(escape)),
                Step::Done(_) => self.go(State::UrlText),
                Step::DoneBefore(_) => self.url(byte),
                Step::LineEnd => self.go(State::UrlBad),
            },
            State::UrlEnd if is_space(byte) => NONE,
            State::UrlEnd => self.url_end(byte),
            State::UrlBad if byte == b')' => {
                self.state = State::Plain;
                one(Token::BadText)
            }
            State::UrlBad => self.go(if byte == b'\\' { State::UrlBadEscape } else { State::UrlBad }),
            State::UrlBadEscape => self.go(State::UrlBad),
        }
    }

    fn plain(&mut self, byte: u8) -> Tokens {
        match byte {
            b'@' => self.go(State::At),
            b'/' => self.go(State::Slash),
            b'"' | b'\'' => {
                self.state = State::String(byte);
                one(Token::String)
            }
            b'(' | b'[' | b'{' => one(Token::Open(byte)),
            b')' | b']' | b'}' => one(Token::Close(byte)),
            b';' => one(Token::Semicolon),
            b'\\' => self.escaped_word(Word::Ident),
            b'#' | b'0'..=b'9' => self.word(Word::Other, byte),
            _ if is_name_start(byte) => self.word(Word::Ident, byte),
            _ if is_space(byte) => NONE,
            _ => one(Token::Other),
        }
    }

    fn url(&mut self, byte: u8) -> Tokens {
        match byte {
            b')' => self.url_end(byte),
            b'\\' => self.go(State::UrlEscape(Escape::default())),
            _ if is_space(byte) => self.go(State::UrlEnd),
            b'"' | b'\'' | b'(' | 0..=0x1f | 0x7f => self.go(State::UrlBad),
            _ => self.go(State::UrlText),
        }
    }

    fn url_end(&mut self, byte: u8) -> Tokens {
        match byte {
            b')' => {
                self.state = State::Plain;
                one(Token::TextEnd)
            }
            b'\\' => self.go(State::UrlBadEscape),
            _ => self.go(State::UrlBad),
        }
    }

    fn word(&mut self, word: Word, byte: u8) -> Tokens {
        self.name.clear();
        self.push_name(byte);
        self.go(State::Name(word))
    }

    fn escaped_word(&mut self, word: Word) -> Tokens {
        self.name.clear();
        self.go(State::NameEscape(word, Escape::default()))
    }

    fn end_word(&mut self, word: Word, byte: u8) -> Tokens {
        match word {
            Word::Ident if byte == b'(' && self.name() == b"url" => {
                self.state = State::UrlStart;
                one(Token::Url)
            }
            Word::Ident if byte == b'(' => {
                self.state = State::Plain;
                one(Token::Function)
            }
            Word::Ident => self.after(Token::Ident, byte),
            Word::At => self.after(Token::At, byte),
            Word::Other => self.after(Token::Other, byte),
        }
    }

    /// A token that ended before `byte`, which may be one of its own.
    fn after(&mut self, token: Token, byte: u8) -> Tokens {
        self.state = State::Plain;
        [Some(token), self.plain(byte).into_iter().next().flatten()]
    }

    const fn go(&mut self, state: State) -> Tokens {
        self.state = state;
        NONE
    }

    fn push_name(&mut self, byte: u8) {
        if self.name.len() <= MAX_NAME_BYTES {
            self.name.push(byte.to_ascii_lowercase());
        }
    }

    fn push_escaped(&mut self, value: u32) {
        // What is not ASCII is in no name that anybody looks for.
        self.push_name(u8::try_from(value).ok().filter(u8::is_ascii).unwrap_or(0x80));
    }
}

const fn is_name_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'-' | 0x80..)
}

const fn is_name(byte: u8) -> bool {
    is_name_start(byte) || byte.is_ascii_digit()
}

/// The bytes after which another one belongs to the same character and may look like ASCII (Encoding Standard § 10 to 13).
fn lead_bytes(charset: Charset) -> fn(u8) -> bool {
    match charset {
        Charset::Declared(encoding) => {
            let encoding: &encoding_rs::Encoding = encoding;
            match encoding.name() {
                "Shift_JIS" => |byte| matches!(byte, 0x81..=0x9f | 0xe0..=0xfc),
                "GBK" | "gb18030" | "Big5" | "EUC-KR" => |byte| matches!(byte, 0x81..=0xfe),
                _ => |_| false,
            }
        }
        Charset::Undeclared => |_| false,
    }
}
