//! The tokenizer (WHATWG HTML § 13.2.5), as far as places need it: where tags, text and comments begin and end.
//!
//! It is told by the tree what kind of text follows a start tag, and it never copies: a token is a length. A tag or a
//! doctype comes whole or not yet, everything else comes in pieces, so only tags have to be kept until they are complete.

use memchr::{memchr, memchr2, memmem};

use crate::attribute::{Run, is_space};
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
    /// Between attributes.
    Attributes(usize),
    /// In a value with these quotes.
    Quoted(usize, u8),
    /// In a value without quotes.
    Unquoted(usize),
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
    scanned: Option<TagScan>,
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

    /// How many bytes of text `input` starts with, where it is markup that comes.
    pub(crate) fn text_len(&self, input: &[u8]) -> usize {
        if self.is_in_data() { memchr(b'<', input).unwrap_or(input.len()) } else { 0 }
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
        if input.first() != Some(&b'<') {
            return Token::Text { len: memchr(b'<', input).unwrap_or(input.len()) };
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
    #[inline(never)]
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

    #[inline(never)]
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

    #[inline(never)]
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
    #[inline(never)]
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

    #[inline(never)]
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
        let name = input.get(name_at..).unwrap_or_default();
        let name_end = name_at.saturating_add(Run::TagName.len(name));
        let mut token = |len, self_closing| {
            self.kind = TextKind::Data;
            let name = Name::new(input.get(name_at..name_end).unwrap_or_default());
            if name_at == 2 {
                Token::End { len, name }
            } else {
                Token::Start { len, name, name_end, self_closing }
            }
        };
        if input.get(name_end) == Some(&b'>') {
            return token(name_end.saturating_add(1), false);
        }
        let mut scan = self.scanned.take().unwrap_or(TagScan::Attributes(name_end));
        loop {
            let next = match scan {
                TagScan::Attributes(at) => match attribute_start(input, at) {
                    Some(AttributeStart::None { len, self_closing }) => return token(len, self_closing),
                    Some(AttributeStart::Some(next)) => Some(next),
                    None => None,
                },
                TagScan::Quoted(at, quote) => memchr(quote, input.get(at..).unwrap_or_default())
                    .map(|len| TagScan::Attributes(at.saturating_add(len).saturating_add(1))),
                TagScan::Unquoted(at) => {
                    let len = Run::Unquoted.len(input.get(at..).unwrap_or_default());
                    Some(at.saturating_add(len)).filter(|end| *end < input.len()).map(TagScan::Attributes)
                }
            };
            match next {
                Some(next) => scan = next,
                None => {
                    // A name that is cut goes on where it is.
                    self.scanned = (name_end < input.len()).then_some(match scan {
                        TagScan::Attributes(at) => TagScan::Attributes(at),
                        TagScan::Quoted(_, quote) => TagScan::Quoted(input.len(), quote),
                        TagScan::Unquoted(_) => TagScan::Unquoted(input.len()),
                    });
                    return Token::More;
                }
            }
        }
    }
}

/// What comes next in a tag.
enum AttributeStart {
    /// No attribute: the tag ends, and is so long.
    None { len: usize, self_closing: bool },
    /// An attribute, after whose name, or at whose value, the search goes on.
    Some(TagScan),
}

/// Reads on from between two attributes of a tag; `None` when the input is too short to tell.
fn attribute_start(input: &[u8], start: usize) -> Option<AttributeStart> {
    let mut at = start;
    let mut before = 0;
    loop {
        let byte = *input.get(at)?;
        match byte {
            b'>' => {
                return Some(AttributeStart::None {
                    len: at.saturating_add(1),
                    self_closing: before == b'/',
                });
            }
            b'/' => {}
            byte if is_space(byte) => {}
            _ => break,
        }
        before = byte;
        at = at.saturating_add(1);
    }
    // An `=` that comes first belongs to the name.
    at = at.saturating_add(1);
    at = at.saturating_add(Run::AttributeName.len(input.get(at..)?));
    let (sign, byte) = after_space(input, at)?;
    if byte != b'=' {
        return Some(AttributeStart::Some(TagScan::Attributes(at)));
    }
    let (value, byte) = after_space(input, sign.saturating_add(1))?;
    Some(AttributeStart::Some(match byte {
        b'"' | b'\'' => TagScan::Quoted(value.saturating_add(1), byte),
        b'>' => TagScan::Attributes(value),
        _ => TagScan::Unquoted(value),
    }))
}

/// The first character from here on that is not white space.
fn after_space(input: &[u8], mut at: usize) -> Option<(usize, u8)> {
    loop {
        match input.get(at)? {
            byte if is_space(*byte) => at = at.saturating_add(1),
            byte => return Some((at, *byte)),
        }
    }
}

#[cfg(test)]
mod tests;
