//! The grammar of RFC 8259, one piece of text after the other. It keeps no text and does not recurse: a bit for each
//! open array or object is all that it remembers.

use super::text::{Bytes, is_lead, takes_backslash};

/// A place in the text that means something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "whoever reads must handle each")]
pub enum Token {
    /// The first byte of a value.
    Value(Shape),
    /// A value is complete. Of a number the byte behind it tells, which is not consumed; of everything else its last byte.
    ValueEnd,
    /// The quote that opens a key. What follows up to [`KeyEnd`](Self::KeyEnd) is the key.
    Key,
    /// The quote that closes a key.
    KeyEnd,
    /// A comma between two members or elements.
    Comma,
}

/// The sort of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the grammar is closed")]
pub enum Shape {
    /// `{`
    Object,
    /// `[`
    Array,
    /// A string, a number or a literal.
    Scalar,
}

/// Why a text can't be followed any further.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "whoever reads must handle each")]
pub enum Fault {
    /// It is not JSON.
    Syntax,
    /// It nests deeper than is followed.
    TooDeep,
    /// Which characters its bytes are can't be known.
    Charset,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Bytes of a byte order mark that have come.
    Mark(u8),
    Value,
    /// A value, or the end of an empty array.
    FirstElement,
    Key,
    /// A key, or the end of an empty object.
    FirstKey,
    Colon,
    AfterValue,
    String,
    Escape,
    Hex(u8),
    Literal(&'static [u8]),
    Number(Number),
    Done,
    Failed(Fault),
}

/// What has come of a number (RFC 8259 § 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Number {
    Minus,
    Zero,
    Whole,
    Point,
    Fraction,
    Exponent,
    Sign,
    Power,
}

/// What is known of the bytes since the last one below 0x80, in a text that may be UTF-8.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Utf8 {
    missing: u8,
    broken: bool,
}

/// See the [module](self).
#[derive(Debug)]
pub struct Lexer {
    state: State,
    in_key: bool,
    /// For each open array or object, whether it is an object.
    open: Vec<bool>,
    max_depth: usize,
    bytes: Bytes,
    lead: Option<u8>,
    utf8: Utf8,
    takes_nul: bool,
}

impl Lexer {
    pub(super) const fn new(bytes: Bytes, in_script: bool, max_depth: usize) -> Self {
        Self {
            // Fetch and RFC 8259 § 8.1 let a body have a mark; the text of an element is not decoded by itself.
            state: if in_script { State::Value } else { State::Mark(0) },
            in_key: false,
            open: Vec::new(),
            max_depth,
            bytes,
            lead: None,
            utf8: Utf8 { missing: 0, broken: false },
            takes_nul: in_script,
        }
    }

    /// How many arrays and objects are open.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.open.len()
    }

    /// Reads up to the next token. Returns how many bytes were consumed, with the token's own, and the token; none where
    /// `input` ended first.
    ///
    /// # Errors
    /// When the text can't be followed any further. It stays so.
    pub fn next(&mut self, input: &[u8]) -> Result<(usize, Option<Token>), Fault> {
        let mut used = 0_usize;
        while let Some(rest) = input.get(used..).filter(|rest| !rest.is_empty()) {
            if self.state == State::String {
                used = used.saturating_add(self.skip_text(rest));
            }
            let Some(byte) = input.get(used) else { break };
            if let State::Number(number) = self.state {
                if !self.number(number, *byte)? {
                    self.state = self.after_value();
                    return Ok((used, Some(Token::ValueEnd)));
                }
                used = used.saturating_add(1);
                continue;
            }
            let token = self.read(*byte)?;
            used = used.saturating_add(1);
            if token.is_some() {
                return Ok((used, token));
            }
        }
        Ok((used, None))
    }

    /// The text has ended. `true` where that ends a value: a number that is the whole text.
    ///
    /// # Errors
    /// When the text is not complete.
    pub fn end(&mut self) -> Result<bool, Fault> {
        match self.state {
            State::Done => Ok(false),
            State::Number(Number::Zero | Number::Whole | Number::Fraction | Number::Power)
                if self.open.is_empty() =>
            {
                self.state = State::Done;
                Ok(true)
            }
            _ => self.fail(Fault::Syntax),
        }
    }

    fn fail<T>(&mut self, fault: Fault) -> Result<T, Fault> {
        self.state = State::Failed(fault);
        Err(fault)
    }

    fn after_value(&self) -> State {
        if self.open.is_empty() { State::Done } else { State::AfterValue }
    }

    /// How many bytes of a string mean nothing by themselves.
    fn skip_text(&self, rest: &[u8]) -> usize {
        if self.bytes != Bytes::Plain {
            return 0;
        }
        let special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
        rest.iter().position(special).unwrap_or(rest.len())
    }

    fn read(&mut self, byte: u8) -> Result<Option<Token>, Fault> {
        match self.state {
            State::String => return self.text(byte),
            State::Escape => {
                self.state = match byte {
                    b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => State::String,
                    b'u' => State::Hex(4),
                    _ => return self.fail(Fault::Syntax),
                };
                return Ok(None);
            }
            State::Hex(left) if byte.is_ascii_hexdigit() => {
                self.state = if left > 1 { State::Hex(left.saturating_sub(1)) } else { State::String };
                return Ok(None);
            }
            State::Literal([next, rest @ ..]) if *next == byte => {
                if rest.is_empty() {
                    self.state = self.after_value();
                    return Ok(Some(Token::ValueEnd));
                }
                self.state = State::Literal(rest);
                return Ok(None);
            }
            State::Failed(fault) => return Err(fault),
            State::Mark(come) => {
                let (next, state) = match come {
                    0 => (0xEF, State::Mark(1)),
                    1 => (0xBB, State::Mark(2)),
                    _ => (0xBF, State::Value),
                };
                if byte == next {
                    self.state = state;
                    return Ok(None);
                }
                if come > 0 {
                    return self.fail(Fault::Syntax);
                }
                self.state = State::Value;
            }
            _ => {}
        }
        if matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
            && !matches!(self.state, State::Hex(_) | State::Literal(_))
        {
            return Ok(None);
        }
        match (self.state, byte) {
            (State::FirstElement, b']') | (State::FirstKey, b'}') => Ok(Some(self.close())),
            (State::Value | State::FirstElement, _) => self.value(byte),
            (State::Key | State::FirstKey, b'"') => {
                self.in_key = true;
                self.open_string();
                Ok(Some(Token::Key))
            }
            (State::Colon, b':') => {
                self.state = State::Value;
                Ok(None)
            }
            (State::AfterValue, b',') => {
                self.state = if self.in_object() { State::Key } else { State::Value };
                Ok(Some(Token::Comma))
            }
            (State::AfterValue, b'}') if self.in_object() => Ok(Some(self.close())),
            (State::AfterValue, b']') if !self.in_object() => Ok(Some(self.close())),
            _ => self.fail(Fault::Syntax),
        }
    }

    fn in_object(&self) -> bool {
        self.open.last() == Some(&true)
    }

    fn close(&mut self) -> Token {
        self.open.pop();
        self.state = self.after_value();
        Token::ValueEnd
    }

    fn open_string(&mut self) {
        self.state = State::String;
        self.lead = None;
        self.utf8 = Utf8::default();
    }

    fn value(&mut self, byte: u8) -> Result<Option<Token>, Fault> {
        let shape = match byte {
            b'{' => Shape::Object,
            b'[' => Shape::Array,
            _ => Shape::Scalar,
        };
        match byte {
            b'{' | b'[' => {
                if self.open.len() >= self.max_depth {
                    return self.fail(Fault::TooDeep);
                }
                self.open.push(byte == b'{');
                self.state = if byte == b'{' { State::FirstKey } else { State::FirstElement };
            }
            b'"' => {
                self.in_key = false;
                self.open_string();
            }
            b't' => self.state = State::Literal(b"rue"),
            b'f' => self.state = State::Literal(b"alse"),
            b'n' => self.state = State::Literal(b"ull"),
            b'-' => self.state = State::Number(Number::Minus),
            b'0' => self.state = State::Number(Number::Zero),
            b'1'..=b'9' => self.state = State::Number(Number::Whole),
            _ => return self.fail(Fault::Syntax),
        }
        Ok(Some(Token::Value(shape)))
    }

    /// Whether `byte` belongs to the number.
    fn number(&mut self, number: Number, byte: u8) -> Result<bool, Fault> {
        let next = match (number, byte) {
            (Number::Minus, b'0') => Number::Zero,
            (Number::Minus, b'1'..=b'9') | (Number::Whole, b'0'..=b'9') => Number::Whole,
            (Number::Zero | Number::Whole, b'.') => Number::Point,
            (Number::Point | Number::Fraction, b'0'..=b'9') => Number::Fraction,
            (Number::Zero | Number::Whole | Number::Fraction, b'e' | b'E') => Number::Exponent,
            (Number::Exponent, b'+' | b'-') => Number::Sign,
            (Number::Exponent | Number::Sign | Number::Power, b'0'..=b'9') => Number::Power,
            // What follows must let it end: `01` is no number, and changing its `0` would make one of it.
            (
                Number::Zero | Number::Whole | Number::Fraction | Number::Power,
                b' ' | b'\t' | b'\n' | b'\r' | b',' | b']' | b'}',
            ) => return Ok(false),
            _ => return self.fail(Fault::Syntax),
        };
        self.state = State::Number(next);
        Ok(true)
    }

    fn text(&mut self, byte: u8) -> Result<Option<Token>, Fault> {
        match self.bytes {
            Bytes::Plain => {}
            Bytes::Paired(encoding) => {
                if let Some(lead) = self.lead.take()
                    && (byte >= 0x80 || (byte == b'\\' && takes_backslash(encoding, lead)))
                {
                    return Ok(None);
                }
                if is_lead(encoding, byte) {
                    self.lead = Some(byte);
                }
            }
            Bytes::Unknown => {
                if byte == b'\\' && (self.utf8.broken || self.utf8.missing > 0) {
                    return self.fail(Fault::Charset);
                }
                self.utf8 = self.utf8.and(byte);
            }
        }
        match byte {
            b'"' if self.in_key => {
                self.state = State::Colon;
                Ok(Some(Token::KeyEnd))
            }
            b'"' => {
                self.state = self.after_value();
                Ok(Some(Token::ValueEnd))
            }
            b'\\' => {
                self.state = State::Escape;
                Ok(None)
            }
            0 if self.takes_nul => Ok(None),
            0..0x20 => self.fail(Fault::Syntax),
            _ => Ok(None),
        }
    }
}

impl Utf8 {
    const fn and(self, byte: u8) -> Self {
        match byte {
            0..0x80 => Self { missing: 0, broken: false },
            0x80..=0xBF if self.missing > 0 => Self { missing: self.missing.saturating_sub(1), ..self },
            0xC2..=0xDF if self.missing == 0 => Self { missing: 1, ..self },
            0xE0..=0xEF if self.missing == 0 => Self { missing: 2, ..self },
            0xF0..=0xF4 if self.missing == 0 => Self { missing: 3, ..self },
            _ => Self { missing: 0, broken: true },
        }
    }
}

#[cfg(test)]
mod tests;
