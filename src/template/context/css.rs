//! Places in CSS (CSS Syntax § 4): a value may be a word or a number in a declaration, the inside of a string there, or a URL.
//! What would be a selector, a property or an at-rule is refused: it decides what everything behind it means.

use super::machine::{Event, Refusal, Slot};
use super::url::Url;
use crate::template::escape::Kind;
use crate::template::expression::Expression;

/// CSS that is being read.
#[derive(Debug)]
pub(super) struct Css {
    state: State,
    /// Braces that are open.
    depth: u32,
    /// It is the inside of a rule, without braces of its own.
    is_inside: bool,
    /// Between `:` and the end of a declaration.
    in_value: bool,
    /// The word that was read last, in lower case; a function if `(` follows.
    word: String,
    /// Functions that are open, and whether strings in them are URLs.
    functions: Vec<bool>,
    /// A value of the declaration that is being read, and whether nothing but a word stands behind it.
    last: Option<(Slot, bool)>,
    /// An escape outside of strings: what words are can't be told any more.
    is_unclear: bool,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Code,
    Slash,
    Comment {
        star: bool,
    },
    Text {
        quote: char,
        escape: bool,
        url: Option<Url>,
    },
    /// Behind `url(`, without quotes.
    Url(Url),
    UrlStart,
}

/// Functions that take strings for URLs.
const URL_FUNCTIONS: &[&str] = &["image", "image-set", "-webkit-image-set", "src", "cross-fade"];

/// More open parentheses than CSS has a use for.
const MAX_FUNCTIONS: usize = 64;

const PROPERTY: Refusal = Refusal {
    what: ", outside of the value of a declaration",
    advice: "write selectors, properties and at-rules in full: `color: {{ … }}`",
};
const FUNCTION: Refusal =
    Refusal { what: ", in the name of a function", advice: "write the name of the function in full" };
const SELECTOR: Refusal = Refusal {
    what: ", in a selector",
    advice: "write selectors in full; a value may stand in a declaration",
};
const UNCLEAR: Refusal =
    Refusal { what: ", in CSS whose words have `\\` in them", advice: "write them without escapes" };

impl Css {
    fn new(is_inside: bool, in_value: bool) -> Self {
        Self {
            state: State::Code,
            depth: 0,
            is_inside,
            in_value,
            word: String::new(),
            functions: Vec::new(),
            last: None,
            is_unclear: false,
        }
    }

    /// A style sheet.
    pub(super) fn sheet() -> Self {
        Self::new(false, false)
    }

    /// The inside of a rule.
    pub(super) fn declarations() -> Self {
        Self::new(true, false)
    }

    /// The value of a declaration.
    pub(super) fn value() -> Self {
        Self::new(true, true)
    }

    pub(super) fn read(&mut self, c: char) -> Option<Event> {
        let mut event = None;
        self.state = match std::mem::take(&mut self.state) {
            State::Slash if c == '*' => State::Comment { star: false },
            State::Code | State::Slash => return self.code(c),
            State::Comment { star: true } if c == '/' => State::Code,
            State::Comment { .. } => State::Comment { star: c == '*' },
            State::Text { quote, escape: true, url } => State::Text { quote, escape: false, url },
            State::Text { quote, escape: false, url } if c == '\\' => {
                State::Text { quote, escape: true, url }
            }
            State::Text { quote, .. } if c == quote || c == '\n' => State::Code,
            State::Text { quote, escape, mut url } => {
                event = url.as_mut().and_then(|url| url.read(c));
                State::Text { quote, escape, url }
            }
            State::UrlStart if c.is_ascii_whitespace() => State::UrlStart,
            State::UrlStart if matches!(c, '"' | '\'') => {
                self.functions.push(true);
                State::Text { quote: c, escape: false, url: Some(Url::default()) }
            }
            State::UrlStart | State::Url(_) if c == ')' => State::Code,
            State::UrlStart => {
                let mut url = Url::default();
                event = url.read(c);
                State::Url(url)
            }
            State::Url(mut url) => {
                self.is_unclear |= c == '\\';
                event = url.read(c);
                State::Url(url)
            }
        };
        event
    }

    fn code(&mut self, c: char) -> Option<Event> {
        let is_word = c.is_ascii_alphanumeric() || matches!(c, '-' | '_') || !c.is_ascii();
        if is_word {
            self.word.push(c.to_ascii_lowercase());
            self.state = State::Code;
            return None;
        }
        let word = std::mem::take(&mut self.word);
        let last = self.last;
        if let Some((_, touches)) = &mut self.last {
            *touches = false;
        }
        let mut event = None;
        match c {
            '/' => {
                self.state = State::Slash;
                return None;
            }
            '"' | '\'' => {
                let url = self.functions.last().is_some_and(|is_url| *is_url).then(Url::default);
                self.state = State::Text { quote: c, escape: false, url };
                return None;
            }
            '(' => {
                event = last.filter(|(_, touches)| *touches).map(|(slot, _)| Event::Refuse(slot, FUNCTION));
                if word == "url" || word == "url-prefix" {
                    self.state = State::UrlStart;
                    return event;
                }
                self.functions.push(URL_FUNCTIONS.contains(&word.as_str()));
                self.is_unclear |= self.functions.len() > MAX_FUNCTIONS;
            }
            ')' => {
                self.functions.pop();
            }
            '{' => {
                event = last.map(|(slot, _)| Event::Refuse(slot, SELECTOR));
                self.depth = self.depth.saturating_add(1);
                self.declaration_ends();
            }
            '}' => {
                self.depth = self.depth.saturating_sub(1);
                self.declaration_ends();
            }
            ';' => self.declaration_ends(),
            ':' if self.is_inside || self.depth > 0 => self.in_value = true,
            '\\' => self.is_unclear = true,
            _ => {}
        }
        self.state = State::Code;
        event
    }

    fn declaration_ends(&mut self) {
        self.in_value = false;
        self.last = None;
        self.functions.clear();
    }

    pub(super) fn value_here(&mut self, expression: &Expression, slot: Slot) -> Result<Kind, Refusal> {
        if self.is_unclear {
            return Err(UNCLEAR);
        }
        if !self.in_value {
            return Err(PROPERTY);
        }
        match &mut self.state {
            State::Slash | State::Comment { .. } => {
                Err(Refusal { what: ", in a comment", advice: "move it out of the comment" })
            }
            State::Text { escape: true, .. } => {
                Err(Refusal { what: ", behind a `\\`", advice: "take the `\\` away, or double it" })
            }
            State::Text { url: Some(url), .. } | State::Url(url) => {
                self.last = Some((slot, false));
                url.value(expression, slot).map(Kind::CssUrl)
            }
            State::Text { .. } => {
                self.last = Some((slot, false));
                Ok(Kind::CssString)
            }
            State::UrlStart => {
                self.last = Some((slot, false));
                let mut url = Url::default();
                let part = url.value(expression, slot)?;
                self.state = State::Url(url);
                Ok(Kind::CssUrl(part))
            }
            State::Code => {
                self.last = Some((slot, true));
                Ok(Kind::CssValue)
            }
        }
    }
}
