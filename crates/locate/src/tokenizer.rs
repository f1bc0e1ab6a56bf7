//! The tokenizer (WHATWG HTML § 13.2.5), as far as places need it: where tags, text and comments begin and end.
//!
//! It is told by the tree what kind of text follows a start tag, and it never copies: a token is a length. A tag or a
//! doctype comes whole or not yet, everything else comes in pieces, so only tags have to be kept until they are complete.

use memchr::{memchr, memchr2, memmem};

use crate::attribute::is_space;
use crate::name::{Name, Tag};

/// How the text that follows is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextKind {
    /// Markup.
    Data,
    /// Text with character references, up to its end tag.
    Rcdata,
    /// Text up to its end tag.
    RawText,
    /// Text with the escapes of scripts, up to its end tag.
    Script,
    /// Text up to the end of the page.
    PlainText,
}

/// One token, or a piece of one. Lengths are in bytes from where the tokenizer stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    /// Characters, of a CDATA section too.
    Text { len: usize },
    /// A piece of a comment or of what counts as one, or something that leaves no trace.
    Nothing { len: usize, comment: bool },
    /// A start tag, whole.
    Start { len: usize, name: Name, name_end: usize, self_closing: bool },
    /// An end tag, whole.
    End { len: usize, name: Name },
    /// A doctype, whole.
    Doctype { len: usize },
    /// What is there is not enough to tell.
    More,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Text,
    Comment(Comment),
    BogusComment,
    Cdata,
}

/// WHATWG HTML § 13.2.5.43 to 13.2.5.52.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comment {
    Start,
    StartDash,
    Body,
    Dash,
    DashDash,
    DashDashBang,
}

/// WHATWG HTML § 13.2.5.18 to 13.2.5.31.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Script {
    Plain,
    Escaped,
    DoubleEscaped,
}

/// Where in a tag the search for its end stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TagScan {
    Name,
    BeforeAttribute,
    AttributeName,
    AfterName,
    BeforeValue,
    Quoted(u8),
    Unquoted,
    Solidus,
}

/// See the [module](self).
#[derive(Debug, Clone)]
pub(crate) struct Tokenizer {
    state: State,
    kind: TextKind,
    /// The element whose end tag ends the text.
    last_start: Name,
    script: Script,
    /// Dashes before the current character in an escaped script, at most two.
    dashes: u8,
    /// How far an unfinished tag has been scanned, so that it is scanned once however it arrives.
    scanned: Option<(usize, TagScan)>,
}

impl Default for Tokenizer {
    fn default() -> Self {
        Self {
            state: State::Text,
            kind: TextKind::Data,
            last_start: Name::from(Tag::Other),
            script: Script::Plain,
            dashes: 0,
            scanned: None,
        }
    }
}

impl Tokenizer {
    /// Says how the text after the start tag `name` is read.
    pub(crate) fn expect(&mut self, kind: TextKind, name: Name) {
        self.kind = kind;
        self.last_start = name;
        self.script = Script::Plain;
        self.dashes = 0;
    }

    /// Whether it stands between tokens of markup.
    pub(crate) fn is_in_data(&self) -> bool {
        self.state == State::Text && self.kind == TextKind::Data
    }

    /// The next token at the start of `input`. `in_foreign` says whether the current node is SVG or MathML, where CDATA
    /// sections are; `at_end` that nothing follows `input`.
    pub(crate) fn next(&mut self, input: &[u8], in_foreign: bool, at_end: bool) -> Token {
        if input.is_empty() {
            return Token::More;
        }
        match self.state {
            State::Text => match self.kind {
                TextKind::Data => self.data(input, in_foreign, at_end),
                TextKind::PlainText => Token::Text { len: input.len() },
                TextKind::Script => self.script(input, at_end),
                TextKind::Rcdata | TextKind::RawText => self.raw(input, at_end),
            },
            State::Comment(at) => self.comment(input, at),
            State::BogusComment => {
                let len = match memchr(b'>', input) {
                    Some(end) => {
                        self.state = State::Text;
                        end.saturating_add(1)
                    }
                    None => input.len(),
                };
                Token::Nothing { len, comment: true }
            }
            State::Cdata => self.cdata(input, at_end),
        }
    }

    fn data(&mut self, input: &[u8], in_foreign: bool, at_end: bool) -> Token {
        match memchr(b'<', input) {
            None => return Token::Text { len: input.len() },
            Some(0) => {}
            Some(len) => return Token::Text { len },
        }
        let byte = |at: usize| input.get(at).copied();
        match byte(1) {
            Some(letter) if letter.is_ascii_alphabetic() => self.tag(input, 1),
            Some(b'/') => match byte(2) {
                Some(letter) if letter.is_ascii_alphabetic() => self.tag(input, 2),
                Some(b'>') => Token::Nothing { len: 3, comment: false },
                Some(_) => self.bogus(2),
                None if at_end => Token::Text { len: 2 },
                None => Token::More,
            },
            Some(b'!') => self.declaration(input, in_foreign, at_end),
            Some(b'?') => self.bogus(1),
            Some(_) => Token::Text { len: 1 },
            None if at_end => Token::Text { len: 1 },
            None => Token::More,
        }
    }

    const fn bogus(&mut self, len: usize) -> Token {
        self.state = State::BogusComment;
        Token::Nothing { len, comment: true }
    }

    /// `<!`: a comment, a doctype, a CDATA section, or what counts as a comment.
    fn declaration(&mut self, input: &[u8], in_foreign: bool, at_end: bool) -> Token {
        let rest = input.get(2..).unwrap_or_default();
        let begins = |keyword: &[u8]| {
            let len = rest.len().min(keyword.len());
            let same = rest.iter().zip(keyword).all(|(a, b)| a.eq_ignore_ascii_case(b));
            (same && (len == keyword.len() || !at_end)).then_some(len == keyword.len())
        };
        match (begins(b"--"), begins(b"doctype"), begins(b"[CDATA[")) {
            (Some(true), ..) => {
                self.state = State::Comment(Comment::Start);
                Token::Nothing { len: 4, comment: true }
            }
            (_, Some(true), _) => match memchr(b'>', input) {
                Some(end) => Token::Doctype { len: end.saturating_add(1) },
                None if at_end => Token::Doctype { len: input.len() },
                None => Token::More,
            },
            (.., Some(true)) if in_foreign && rest.starts_with(b"[CDATA[") => {
                self.state = State::Cdata;
                Token::Nothing { len: 9, comment: false }
            }
            (Some(false), ..) | (_, Some(false), _) | (.., Some(false)) => Token::More,
            _ => self.bogus(2),
        }
    }

    fn comment(&mut self, input: &[u8], mut at: Comment) -> Token {
        let mut len = 0_usize;
        while let Some(byte) = input.get(len) {
            if at == Comment::Body {
                match memchr(b'-', input.get(len..).unwrap_or_default()) {
                    Some(found) => len = len.saturating_add(found).saturating_add(1),
                    None => {
                        len = input.len();
                        break;
                    }
                }
                at = Comment::Dash;
                continue;
            }
            len = len.saturating_add(1);
            at = match (at, byte) {
                (Comment::Start | Comment::StartDash | Comment::DashDash | Comment::DashDashBang, b'>') => {
                    self.state = State::Text;
                    return Token::Nothing { len, comment: true };
                }
                (Comment::Start, b'-') => Comment::StartDash,
                (Comment::StartDash | Comment::Dash | Comment::DashDash, b'-') => Comment::DashDash,
                (Comment::DashDash, b'!') => Comment::DashDashBang,
                (Comment::DashDashBang, b'-') => Comment::Dash,
                _ => Comment::Body,
            };
        }
        self.state = State::Comment(at);
        Token::Nothing { len, comment: true }
    }

    fn cdata(&mut self, input: &[u8], at_end: bool) -> Token {
        match memmem::find(input, b"]]>") {
            Some(0) => {
                self.state = State::Text;
                Token::Nothing { len: 3, comment: false }
            }
            Some(len) => Token::Text { len },
            None if at_end => Token::Text { len: input.len() },
            None => {
                let brackets = input.iter().rev().take(2).take_while(|byte| **byte == b']').count();
                match input.len().saturating_sub(brackets) {
                    0 => Token::More,
                    len => Token::Text { len },
                }
            }
        }
    }

    /// Text that only its own end tag ends.
    fn raw(&mut self, input: &[u8], at_end: bool) -> Token {
        match memchr(b'<', input) {
            None => Token::Text { len: input.len() },
            Some(0) => match self.own_end(input, at_end) {
                Some(true) => self.tag(input, 2),
                Some(false) => Token::Text { len: 1 },
                None => Token::More,
            },
            Some(len) => Token::Text { len },
        }
    }

    /// Whether `input`, which starts with `<`, starts the appropriate end tag; `None` when it is too short to tell.
    fn own_end(&self, input: &[u8], at_end: bool) -> Option<bool> {
        Self::keyword(input, b"</", self.last_start.bytes(), at_end)
    }

    /// Whether `input` starts with `lead`, `name` in any case, and what ends a tag name.
    fn keyword(input: &[u8], lead: &[u8], name: &[u8], at_end: bool) -> Option<bool> {
        let expected = lead.iter().chain(name);
        if !input.iter().zip(expected).all(|(a, b)| a.eq_ignore_ascii_case(b)) {
            return Some(false);
        }
        match input.get(lead.len().saturating_add(name.len())) {
            Some(after) => Some(is_space(*after) || matches!(after, b'/' | b'>')),
            None if at_end => Some(false),
            None => None,
        }
    }

    fn script(&mut self, input: &[u8], at_end: bool) -> Token {
        let mut len = 0_usize;
        loop {
            let rest = input.get(len..).unwrap_or_default();
            let found = match self.script {
                Script::Plain => memchr(b'<', rest),
                // After two dashes a `>` matters, and every other character ends the run.
                _ if self.dashes > 0 => (!rest.is_empty()).then_some(0),
                _ => memchr2(b'<', b'-', rest),
            };
            let Some(found) = found else { return Token::Text { len: input.len() } };
            len = len.saturating_add(found);
            let rest = input.get(len..).unwrap_or_default();
            let more = || if len == 0 { Token::More } else { Token::Text { len } };
            match rest.first() {
                Some(b'-') if self.script != Script::Plain => {
                    self.dashes = self.dashes.saturating_add(1).min(2);
                    len = len.saturating_add(1);
                }
                Some(b'>') if self.dashes == 2 => {
                    self.script = Script::Plain;
                    self.dashes = 0;
                    len = len.saturating_add(1);
                }
                Some(b'<') => {
                    // An end tag counts in every state but the doubly escaped one.
                    if self.script != Script::DoubleEscaped {
                        match self.own_end(rest, at_end) {
                            Some(true) if len == 0 => {
                                self.dashes = 0;
                                return self.tag(input, 2);
                            }
                            Some(true) => return Token::Text { len },
                            Some(false) => {}
                            None => return more(),
                        }
                    }
                    let (lead, name): (&[u8], &[u8]) = match self.script {
                        Script::Plain => (b"<", b"!--"),
                        Script::Escaped => (b"<", b"script"),
                        Script::DoubleEscaped => (b"</", b"script"),
                    };
                    let keyword = if self.script == Script::Plain {
                        let known = b"<!--";
                        let same = rest.iter().zip(known).all(|(a, b)| a == b);
                        if same && rest.len() < known.len() && !at_end {
                            None
                        } else {
                            Some(same && rest.len() >= known.len())
                        }
                    } else {
                        Self::keyword(rest, lead, name, at_end)
                    };
                    match keyword {
                        None => return more(),
                        Some(false) => {
                            self.dashes = 0;
                            len = len.saturating_add(1);
                        }
                        Some(true) => {
                            (self.script, self.dashes) = match self.script {
                                Script::Plain => (Script::Escaped, 2),
                                Script::Escaped => (Script::DoubleEscaped, 0),
                                Script::DoubleEscaped => (Script::Escaped, 0),
                            };
                            len = len.saturating_add(lead.len()).saturating_add(name.len());
                            // The character after the name may be a `>` or a space: it ends no run of dashes here.
                            if self.dashes == 0 {
                                len = len.saturating_add(1);
                            }
                        }
                    }
                }
                _ => {
                    self.dashes = 0;
                    len = len.saturating_add(1);
                }
            }
            if len >= input.len() {
                return Token::Text { len: input.len() };
            }
        }
    }

    /// A tag whose name starts at `name_at`, once its `>` is there.
    fn tag(&mut self, input: &[u8], name_at: usize) -> Token {
        let (mut at, mut scan) = self.scanned.take().unwrap_or((name_at, TagScan::Name));
        loop {
            let Some(&byte) = input.get(at) else {
                self.scanned = Some((at, scan));
                return Token::More;
            };
            if let TagScan::Quoted(quote) = scan {
                match memchr(quote, input.get(at..).unwrap_or_default()) {
                    Some(end) => {
                        at = at.saturating_add(end).saturating_add(1);
                        scan = TagScan::BeforeAttribute;
                    }
                    None => at = input.len(),
                }
                continue;
            }
            at = at.saturating_add(1);
            scan = match (scan, byte) {
                (_, b'>') => return self.tag_token(input, name_at, at, scan == TagScan::Solidus),
                (TagScan::Unquoted, byte) => {
                    if is_space(byte) {
                        TagScan::BeforeAttribute
                    } else {
                        TagScan::Unquoted
                    }
                }
                (TagScan::BeforeValue, byte) if is_space(byte) => TagScan::BeforeValue,
                (TagScan::BeforeValue, b'"' | b'\'') => TagScan::Quoted(byte),
                (TagScan::BeforeValue, _) => TagScan::Unquoted,
                (_, b'/') => TagScan::Solidus,
                (TagScan::Name, byte) if !is_space(byte) => TagScan::Name,
                (TagScan::AttributeName, byte) if is_space(byte) => TagScan::AfterName,
                (TagScan::AfterName, byte) if is_space(byte) => TagScan::AfterName,
                (TagScan::AttributeName | TagScan::AfterName, b'=') => TagScan::BeforeValue,
                (_, byte) if is_space(byte) => TagScan::BeforeAttribute,
                _ => TagScan::AttributeName,
            };
        }
    }

    fn tag_token(&mut self, input: &[u8], name_at: usize, len: usize, self_closing: bool) -> Token {
        let rest = input.get(name_at..len).unwrap_or_default();
        let name_len = rest.iter().position(|byte| is_space(*byte) || matches!(byte, b'/' | b'>'));
        let name_len = name_len.unwrap_or(rest.len());
        let name = Name::new(rest.get(..name_len).unwrap_or_default());
        self.kind = TextKind::Data;
        if name_at == 2 {
            Token::End { len, name }
        } else {
            Token::Start { len, name, name_end: name_at.saturating_add(name_len), self_closing }
        }
    }
}

#[cfg(test)]
mod tests;
