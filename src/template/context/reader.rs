//! The states of the HTML tokenizer (WHATWG HTML § 13.2.5) that tell places apart, no more.

use super::attribute::{Meta, class};
use super::css::Css;
use super::machine::{Machine, Refusal, Slot};
use super::reference::Decoder;
use super::script::{Json, Script};
use super::{ContextError, Draft, Escaped, Found, RAW};
use crate::html::javascript::is_javascript;
use crate::html::operation::{RAW_TEXT, RCDATA};
use crate::template::escape::Kind;
use crate::template::expression::Expression;

#[derive(Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Data,
    TagOpen,
    TagName,
    BeforeAttribute,
    AttributeName,
    AfterAttributeName,
    BeforeValue,
    Quoted(char),
    /// A value without quotes, where it starts in what has been read since the last value. It gets quotes as soon as a
    /// value of a request stands in it, which could be empty or have anything in it.
    Unquoted {
        start: usize,
        quoted: bool,
    },
    /// From `<!` or `<?` on; a comment once `--` follows.
    Declaration(String),
    Comment(String),
    /// In the content of an element that is not markup; what has been read since the last `<`.
    RawText(String),
}

/// See the [module](self).
#[derive(Debug, Default)]
pub(super) struct Reader {
    draft: Draft,
    state: State,
    tag: String,
    attribute: String,
    /// The last character was a `/` in a tag.
    slash: bool,
    decoder: Decoder,
    /// What the value of the attribute says, and whether a value of the request stands in it.
    decoded: String,
    is_dynamic: bool,
    machine: Option<Machine>,
    /// Of the tag: what says how its content or its other attributes are read.
    script_type: Option<String>,
    meta: Meta,
    content_slot: Option<Slot>,
    /// The element whose content is not markup, once its start tag is over.
    raw: Option<String>,
    /// Open elements of SVG and MathML.
    foreign: u32,
    /// Script or style in there with markup in it, which only a parser could tell apart.
    is_unclear: bool,
    found: Found,
    script_comment: bool,
}

impl Reader {
    pub(super) fn read(&mut self, c: char) {
        let slash = std::mem::replace(&mut self.slash, false);
        let mut emit = true;
        self.state = match std::mem::take(&mut self.state) {
            State::Data if c == '<' => {
                self.tag.clear();
                self.decoder.forget();
                State::TagOpen
            }
            State::Data => {
                self.follow_reference(c);
                State::Data
            }
            State::TagOpen if c == '/' && self.tag.is_empty() => {
                self.tag.push('/');
                State::TagOpen
            }
            State::TagOpen if c.is_ascii_alphabetic() => {
                self.tag.push(c.to_ascii_lowercase());
                State::TagName
            }
            State::TagOpen if c == '>' && self.tag == "/" => State::Data,
            State::TagOpen if matches!(c, '!' | '?') || !self.tag.is_empty() => {
                State::Declaration(c.to_string())
            }
            State::TagOpen if c == '<' && self.tag.is_empty() => State::TagOpen,
            State::TagOpen => {
                self.follow_reference(c);
                State::Data
            }
            State::TagName if c.is_ascii_whitespace() || c == '/' => self.before_attribute(c),
            State::TagName if c == '>' => self.tag_ends(false),
            State::TagName => {
                self.tag.push(c.to_ascii_lowercase());
                State::TagName
            }
            State::BeforeAttribute | State::AfterAttributeName if c == '>' => self.tag_ends(slash),
            State::BeforeAttribute if c.is_ascii_whitespace() || c == '/' => self.before_attribute(c),
            State::AfterAttributeName if c.is_ascii_whitespace() => State::AfterAttributeName,
            State::AfterAttributeName if c == '=' => State::BeforeValue,
            State::AfterAttributeName if c == '/' => self.before_attribute(c),
            State::BeforeAttribute | State::AfterAttributeName => {
                self.attribute.clear();
                self.attribute.push(c.to_ascii_lowercase());
                State::AttributeName
            }
            State::AttributeName if c == '=' => State::BeforeValue,
            State::AttributeName if c.is_ascii_whitespace() => State::AfterAttributeName,
            State::AttributeName if c == '/' => self.before_attribute(c),
            State::AttributeName if c == '>' => self.tag_ends(false),
            State::AttributeName => {
                self.attribute.push(c.to_ascii_lowercase());
                State::AttributeName
            }
            State::BeforeValue if c.is_ascii_whitespace() => State::BeforeValue,
            State::BeforeValue if c == '>' => self.tag_ends(false),
            State::BeforeValue => {
                self.value_begins();
                if matches!(c, '"' | '\'') {
                    State::Quoted(c)
                } else {
                    self.follow_value(c);
                    State::Unquoted { start: self.draft.literal.len(), quoted: false }
                }
            }
            State::Quoted(quote) if c == quote => {
                self.value_ends();
                self.before_attribute(' ')
            }
            State::Quoted(quote) => {
                self.follow_value(c);
                State::Quoted(quote)
            }
            State::Unquoted { quoted, .. } if c.is_ascii_whitespace() || c == '>' => {
                if quoted {
                    self.draft.literal.push('"');
                }
                self.value_ends();
                if c == '>' { self.tag_ends(false) } else { self.before_attribute(c) }
            }
            State::Unquoted { start, quoted } => {
                self.follow_value(c);
                if quoted && c == '"' {
                    self.draft.literal.push_str("&quot;");
                    emit = false;
                }
                State::Unquoted { start, quoted }
            }
            State::Declaration(mut text) => {
                text.push(c);
                self.is_unclear |= self.foreign > 0 && text.eq_ignore_ascii_case("![CDATA[");
                match text.as_str() {
                    "!--" => State::Comment(String::new()),
                    _ if c == '>' => State::Data,
                    _ => State::Declaration(text),
                }
            }
            State::Comment(mut text) => {
                text.push(c);
                let closed = text.ends_with("-->") || text.ends_with("--!>") || text == ">" || text == "->";
                if closed { State::Data } else { State::Comment(text) }
            }
            State::RawText(text) => self.raw_text(text, c),
        };
        if emit {
            self.draft.literal.push(c);
        }
    }

    fn before_attribute(&mut self, c: char) -> State {
        self.slash = c == '/';
        State::BeforeAttribute
    }

    /// In text, references matter only where a value follows.
    fn follow_reference(&mut self, c: char) {
        let mut unused = String::new();
        self.decoder.read(c, &mut unused);
    }

    fn value_begins(&mut self) {
        self.decoder.forget();
        self.decoded.clear();
        self.is_dynamic = false;
        self.machine = Some(match (self.tag.as_str(), self.attribute.as_str()) {
            // Whether it is text is known when the tag ends.
            ("meta", "content") => Machine::Text,
            (tag, attribute) => Machine::attribute(class(Some(tag), attribute)),
        });
    }

    fn follow_value(&mut self, c: char) {
        let mut decoded = String::new();
        self.decoder.read(c, &mut decoded);
        self.feed(&decoded);
    }

    fn feed(&mut self, decoded: &str) {
        self.decoded.push_str(decoded);
        let place = self.place();
        for c in decoded.chars() {
            let event = self.machine.as_mut().and_then(|machine| machine.read(c));
            self.draft.take(event, &place);
        }
    }

    fn value_ends(&mut self) {
        let mut decoded = String::new();
        self.decoder.end(&mut decoded);
        self.feed(&decoded);
        self.machine = None;
        if self.is_dynamic {
            return;
        }
        match self.tag.as_str() {
            "meta" => self.meta.read(&self.attribute, &self.decoded),
            "script" if self.attribute == "type" => {
                self.script_type.get_or_insert_with(|| self.decoded.trim().to_ascii_lowercase());
            }
            _ => {}
        }
    }

    fn tag_ends(&mut self, self_closing: bool) -> State {
        self.decoder.forget();
        let meta = std::mem::take(&mut self.meta);
        if let Some(slot) = self.content_slot.take()
            && !meta.is_text()
        {
            let refusal = Refusal {
                what: "",
                advice: "a value may stand in the content of a description or of a property such as `og:title`, whose \
                         name is in the tag; otherwise write one patch for each value, with `when`",
            };
            self.draft.refuse(slot, "in the attribute \"content\" of <meta>", refusal);
        }
        let script_type = self.script_type.take();
        match self.tag.as_str() {
            "svg" | "math" if !self_closing => self.foreign = self.foreign.saturating_add(1),
            "/svg" | "/math" => self.foreign = self.foreign.saturating_sub(1),
            _ => {}
        }
        // In SVG and MathML there is no raw text, but scripts and styles run and apply there too.
        let raw = if self.foreign > 0 {
            ["script", "style"].iter().find(|name| **name == self.tag && !self_closing)
        } else {
            RAW_TEXT.iter().chain(RCDATA).find(|name| **name == self.tag)
        };
        self.raw = raw.map(|name| (*name).to_owned());
        let Some(name) = &self.raw else { return State::Data };
        self.found.has_raw_text |= self.foreign == 0;
        self.machine = Some(match name.as_str() {
            "style" => Machine::Css(Css::sheet()),
            "script" => script(script_type.as_deref().unwrap_or_default()),
            name if RCDATA.contains(&name) => Machine::Text,
            _ => Machine::Nothing(Refusal {
                what: "",
                advice: "put it in a `data-` attribute and read it from there",
            }),
        });
        State::RawText(String::new())
    }

    fn raw_text(&mut self, mut text: String, c: char) -> State {
        let is_rcdata = self.raw.as_deref().is_some_and(|name| RCDATA.contains(&name));
        self.found.beyond_ascii_in_raw_text |= !c.is_ascii() && !is_rcdata;
        if is_rcdata {
            self.follow_reference(c);
        }
        if c == '<' {
            text.clear();
        }
        text.push(c.to_ascii_lowercase());
        self.script_comment |= text == "<!--" && self.raw.as_deref() == Some("script");
        let end = self.raw.as_ref().map(|name| format!("</{name}"));
        match end {
            Some(mut end) if text.strip_prefix(&end).is_some_and(ends_name) => {
                self.raw = None;
                self.machine = None;
                self.decoder.forget();
                self.tag = end.split_off(1);
                if c == '>' { State::Data } else { self.before_attribute(c) }
            }
            end => {
                let is_end = end.is_some_and(|end| end.starts_with(&text));
                self.is_unclear |= self.foreign > 0 && !is_end && (text.starts_with('<') || c == '&');
                let place = self.place_in_raw();
                let event = self.machine.as_mut().and_then(|machine| machine.read(c));
                self.draft.take(event, &place);
                State::RawText(text)
            }
        }
    }

    /// A value stands here.
    pub(super) fn value(&mut self, expression: &Expression) -> Result<(), ContextError> {
        let place = self.place();
        let refuse = |what, advice| Err(ContextError::place(expression, &place, Refusal { what, advice }));
        if self.is_unclear {
            return refuse(
                ", behind script, style or CDATA in SVG or MathML that has markup in it",
                "write `<` and `&` there as a string has them, or take that element out",
            );
        }
        if expression.is_raw() {
            return self.raw_value(expression);
        }
        if self.reference_is_open() {
            return refuse(
                ", behind a character reference that is not complete",
                "end the reference with `;`, or write `&amp;` for a `&`",
            );
        }
        let slot = match std::mem::take(&mut self.state) {
            State::Data => {
                self.state = State::Data;
                self.draft.value(expression, Kind::Text, true);
                return Ok(());
            }
            State::BeforeValue => {
                self.value_begins();
                self.draft.literal.push('"');
                self.state = State::Unquoted { start: 0, quoted: true };
                self.draft.next_slot()
            }
            State::Unquoted { start, quoted } => {
                if !quoted {
                    let tail = self.draft.literal.split_off(start).replace('"', "&quot;");
                    self.draft.literal.push('"');
                    self.draft.literal.push_str(&tail);
                }
                self.state = State::Unquoted { start: 0, quoted: true };
                self.draft.next_slot()
            }
            State::Quoted(quote) => {
                self.state = State::Quoted(quote);
                self.draft.next_slot()
            }
            State::RawText(text) => {
                let end = self.raw.as_ref().map(|name| format!("</{name}")).unwrap_or_default();
                if !text.is_empty() && (end.starts_with(&text) || "<!--".starts_with(&text)) {
                    return refuse(
                        ", behind a `<` that could become a tag with it",
                        "write the `<` as the script or style has it in strings: `\\x3c` or `\\3c `",
                    );
                }
                self.state = State::RawText(String::new());
                self.draft.next_slot()
            }
            State::TagOpen | State::TagName => return refuse("", "write the tag name in full"),
            State::BeforeAttribute | State::AttributeName | State::AfterAttributeName => {
                return refuse("", "values stand in the values of attributes: `name=\"{{ … }}\"`");
            }
            State::Declaration(_) | State::Comment(_) => return refuse("", "move it out of the comment"),
        };
        if self.tag == "meta" && self.attribute == "content" && self.raw.is_none() {
            self.content_slot = Some(slot);
        }
        self.is_dynamic = true;
        let Some(machine) = &mut self.machine else { return refuse("", "move it out of the tag") };
        let kind = machine
            .value(expression, slot)
            .map_err(|refusal| ContextError::place(expression, &place, refusal))?;
        let in_markup = self.raw.as_deref().is_none_or(|name| RCDATA.contains(&name));
        self.draft.value(expression, kind, in_markup);
        Ok(())
    }

    /// Whether the value would become part of a character reference. A lone `&` before it is written out instead, and so is
    /// one with letters in an attribute, where browsers take `&name` with a letter behind it for text.
    fn reference_is_open(&mut self) -> bool {
        let pending = self.decoder.pending().to_owned();
        let in_attribute = matches!(self.state, State::Quoted(_) | State::Unquoted { .. });
        if pending.is_empty() {
            return false;
        }
        if pending.starts_with("&#") || (pending.len() > 1 && !in_attribute) {
            return true;
        }
        let rest = self.draft.literal.len().saturating_sub(pending.len());
        self.draft.literal.truncate(rest);
        self.draft.literal.push_str("&amp;");
        self.draft.literal.push_str(pending.get(1..).unwrap_or_default());
        self.decoder.forget();
        if in_attribute {
            self.feed(&pending);
        }
        false
    }

    /// Every constant that a value can be must be markup that leaves the reader where it was.
    fn raw_value(&mut self, expression: &Expression) -> Result<(), ContextError> {
        if self.state != State::Data || self.foreign > 0 {
            return Err(ContextError::place(expression, &self.place(), RAW));
        }
        for constant in expression.raw.iter().flatten() {
            let mut reader = Self::default();
            constant.chars().for_each(|c| reader.read(c));
            let unclosed = reader.foreign > 0;
            let found = reader.found;
            let error = match reader.end() {
                Err(error) => Some(error.to_string()),
                Ok(_) if unclosed => Some("its <svg> or <math> is not closed".to_owned()),
                Ok(_) => None,
            };
            if let Some(reason) = error {
                let (value, constant) = (expression.name().to_owned(), constant.clone());
                return Err(ContextError::Raw { value, constant, reason });
            }
            self.found.beyond_ascii_in_raw_text |= found.beyond_ascii_in_raw_text;
            self.found.has_raw_text |= found.has_raw_text;
        }
        self.decoder.forget();
        self.draft.value(expression, Kind::Raw, false);
        Ok(())
    }

    pub(super) fn end(self) -> Result<(Escaped, Found), ContextError> {
        if self.script_comment {
            return Err(ContextError::ScriptComment);
        }
        let place = self.place();
        let is_open = self.state != State::Data;
        let escaped = self.draft.finish()?;
        if is_open { Err(ContextError::Unfinished { place }) } else { Ok((escaped, self.found)) }
    }

    fn place(&self) -> String {
        match &self.state {
            State::Data if self.machine.is_some() && self.raw.is_none() => self.place_in_attribute(),
            State::Data => "in text".into(),
            State::TagOpen | State::TagName => "in a tag name".into(),
            State::BeforeAttribute | State::AttributeName | State::AfterAttributeName => {
                format!("in the tag <{}>", self.tag)
            }
            State::BeforeValue | State::Quoted(_) | State::Unquoted { .. } => self.place_in_attribute(),
            State::Declaration(_) | State::Comment(_) => "in a comment".into(),
            State::RawText(_) => self.place_in_raw(),
        }
    }

    fn place_in_attribute(&self) -> String {
        format!("in the attribute \"{}\" of <{}>", self.attribute, self.tag)
    }

    fn place_in_raw(&self) -> String {
        format!("inside <{}>", self.raw.as_deref().unwrap_or_default())
    }
}

fn script(kind: &str) -> Machine {
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if matches!(kind, "" | "module") || is_javascript(kind) || essence == "text/javascript" {
        Machine::Script(Script::default())
    } else if essence.ends_with("/json") || essence.ends_with("+json") {
        Machine::Json(Json::default())
    } else {
        Machine::Nothing(Refusal {
            what: ", whose type is neither JavaScript nor JSON",
            advice: "put it in a `data-` attribute and read it from there",
        })
    }
}

/// Whether what follows `</name` ends the name.
fn ends_name(rest: &str) -> bool {
    rest.starts_with(|c: char| c.is_ascii_whitespace() || matches!(c, '/' | '>'))
}
