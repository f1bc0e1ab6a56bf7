//! Places in scripts and in JSON (ECMA-262 § 12, RFC 8259): a value may be a literal of its own, or the inside of a string.

use super::machine::Refusal;
use crate::template::escape::Kind;

/// A script that is being read.
#[derive(Debug)]
pub(super) struct Script {
    state: State,
    /// Template literals that are open, each with the braces that are open in its substitution.
    templates: Vec<u32>,
    /// The word or number that was read last, whether it can go on, and whether it is the name of a member.
    word: String,
    word_goes_on: bool,
    member: bool,
    /// The last character that is no space, in code.
    last: Option<char>,
    /// What came last is an operand, so that `/` divides; `None` where that can't be told.
    operand: Option<bool>,
    /// Behind one of [`LOADERS`].
    loads: bool,
    /// What comes behind can't be told apart any more.
    unclear: Option<Refusal>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Code,
    Slash,
    LineComment,
    Comment {
        star: bool,
    },
    Text {
        quote: char,
        escape: bool,
    },
    /// In a template literal, outside of its substitutions.
    Template {
        escape: bool,
        dollar: bool,
    },
    Regex {
        escape: bool,
        class: bool,
    },
}

/// Template literals in template literals in …
const MAX_TEMPLATES: usize = 32;

/// Words behind which an operand comes, so that `/` begins a regular expression.
const OPERATORS: &[&str] = &[
    "await",
    "case",
    "delete",
    "do",
    "else",
    "in",
    "instanceof",
    "new",
    "of",
    "return",
    "throw",
    "typeof",
    "void",
    "yield",
];

/// Words behind which a string is a script, or where to load one from.
const LOADERS: &[&str] = &["import", "from", "importScripts", "eval", "Function", "Worker", "SharedWorker"];

const DATA: &str = "put the value in a `data-` attribute, or in a string of its own, and use it from there";

const DIVISION: Refusal = Refusal {
    what: ", behind a `/` of which can't be told whether it divides or begins a regular expression",
    advice: "put the value in front of it: `var value = {{ … }};`",
};

impl Default for Script {
    fn default() -> Self {
        Self {
            state: State::Code,
            templates: Vec::new(),
            word: String::new(),
            word_goes_on: false,
            member: false,
            last: None,
            // A statement may begin with a regular expression.
            operand: Some(false),
            loads: false,
            unclear: None,
        }
    }
}

impl Script {
    pub(super) fn read(&mut self, c: char) {
        let is_line_end = matches!(c, '\n' | '\r' | '\u{2028}' | '\u{2029}');
        self.state = match self.state {
            State::Slash => match c {
                '/' => State::LineComment,
                '*' => State::Comment { star: false },
                _ => {
                    let regex = State::Regex { escape: c == '\\', class: c == '[' };
                    match self.operand {
                        Some(false) => regex,
                        Some(true) => {
                            self.operand = Some(false);
                            self.last = Some('/');
                            self.code(c)
                        }
                        None => {
                            self.unclear = Some(DIVISION);
                            State::Code
                        }
                    }
                }
            },
            State::Code => self.code(c),
            State::LineComment if is_line_end => State::Code,
            State::LineComment => State::LineComment,
            State::Comment { star: true } if c == '/' => State::Code,
            State::Comment { .. } => State::Comment { star: c == '*' },
            State::Text { quote, escape: true } => State::Text { quote, escape: false },
            State::Text { quote, .. } if c == '\\' => State::Text { quote, escape: true },
            State::Text { quote, .. } if c == quote || matches!(c, '\n' | '\r') => self.operand_ends(),
            State::Text { quote, .. } => State::Text { quote, escape: false },
            State::Template { escape: true, .. } => State::Template { escape: false, dollar: false },
            State::Template { dollar: true, .. } if c == '{' => {
                self.templates.push(0);
                self.operand = Some(false);
                State::Code
            }
            State::Template { .. } if c == '`' => self.operand_ends(),
            State::Template { .. } => State::Template { escape: c == '\\', dollar: c == '$' },
            State::Regex { escape: true, class } => State::Regex { escape: false, class },
            State::Regex { class: false, .. } if c == '/' => self.operand_ends(),
            State::Regex { .. } if is_line_end => State::Code,
            State::Regex { class, .. } => {
                State::Regex { escape: c == '\\', class: (class || c == '[') && c != ']' }
            }
        };
    }

    fn operand_ends(&mut self) -> State {
        self.operand = Some(true);
        self.last = Some('"');
        State::Code
    }

    fn code(&mut self, c: char) -> State {
        let before = self.last;
        if !c.is_whitespace() {
            self.last = Some(c);
        }
        if c.is_alphanumeric() || matches!(c, '_' | '$' | '#' | '\\') {
            // A word of a script with an escape in it is nobody's to understand.
            if c == '\\' {
                self.unclear = Some(Refusal { what: ", behind a name with `\\` in it", advice: DATA });
            }
            if !self.word_goes_on {
                self.word.clear();
                // A property may be called as a keyword is.
                self.member = before == Some('.');
            }
            self.word.push(c);
            self.word_goes_on = true;
            let keyword = |words: &[&str]| !self.member && words.contains(&self.word.as_str());
            self.operand = Some(!keyword(OPERATORS));
            self.loads = keyword(LOADERS);
            return State::Code;
        }
        self.word_goes_on = false;
        if c.is_whitespace() {
            return State::Code;
        }
        if c != '(' {
            self.loads &= matches!(c, '"' | '\'' | '/');
        }
        match c {
            '/' => return State::Slash,
            '"' | '\'' => return State::Text { quote: c, escape: false },
            '`' => return State::Template { escape: false, dollar: false },
            // What stands before the parenthesis or the brace would have to be known.
            ')' | '}' => self.operand = None,
            ']' => self.operand = Some(true),
            // `x++ / y`, and `++/a/.b`.
            '+' | '-' if before == Some(c) => self.operand = None,
            '>' if before == Some('-') => {
                self.unclear = Some(Refusal { what: ", behind `->`, which may end a comment", advice: DATA });
            }
            _ => self.operand = Some(false),
        }
        match (c, self.templates.last_mut()) {
            ('{', Some(depth)) => *depth = depth.saturating_add(1),
            ('}', Some(0)) => {
                self.templates.pop();
                return State::Template { escape: false, dollar: false };
            }
            ('}', Some(depth)) => *depth = depth.saturating_sub(1),
            _ => {}
        }
        if self.templates.len() > MAX_TEMPLATES {
            self.unclear = Some(Refusal { what: ", in nested template literals", advice: DATA });
        }
        State::Code
    }

    pub(super) fn value(&mut self) -> Result<Kind, Refusal> {
        let refuse = |what| Err(Refusal { what, advice: DATA });
        if let Some(unclear) = self.unclear {
            return Err(unclear);
        }
        if !self.templates.is_empty() || matches!(self.state, State::Template { .. }) {
            return refuse(", in a template literal");
        }
        match self.state {
            State::Slash if self.operand.is_none() => Err(DIVISION),
            State::Slash if self.operand == Some(false) => refuse(", in a regular expression"),
            State::Regex { .. } => refuse(", in a regular expression"),
            State::LineComment | State::Comment { .. } => {
                Err(Refusal { what: ", in a comment of the script", advice: "move it out of the comment" })
            }
            _ if self.loads => refuse(", where it would be run or loaded as a script"),
            State::Text { escape: true, .. } => {
                Err(Refusal { what: ", behind a `\\`", advice: "take the `\\` away, or double it" })
            }
            State::Text { .. } => Ok(Kind::ScriptString),
            State::Code | State::Slash | State::Template { .. } => {
                self.state = State::Code;
                self.word_goes_on = false;
                self.operand = Some(true);
                self.last = Some('"');
                Ok(Kind::ScriptValue)
            }
        }
    }
}

/// JSON that is being read.
#[derive(Debug, Default)]
pub(super) struct Json {
    in_text: bool,
    escape: bool,
}

impl Json {
    pub(super) fn read(&mut self, c: char) {
        match (self.in_text, self.escape) {
            (true, true) => self.escape = false,
            (true, false) if c == '\\' => self.escape = true,
            (true, false) => self.in_text = c != '"',
            (false, _) => self.in_text = c == '"',
        }
    }

    pub(super) fn value(&self) -> Result<Kind, Refusal> {
        if self.escape {
            return Err(Refusal { what: ", behind a `\\`", advice: "take the `\\` away, or double it" });
        }
        Ok(if self.in_text { Kind::ScriptString } else { Kind::JsonValue })
    }
}
