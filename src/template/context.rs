//! Where in markup a value stands, found when the configuration loads by reading the literal parts of a template as a
//! browser's tokenizer would (WHATWG HTML § 13.2.5).
//!
//! Values are taken in text and in quoted attribute values that are plain text for the browser. Everything else is
//! refused with the place named: what is a URL, a style, a script or a document needs more than escaping. So is markup
//! that ends inside a tag, a comment or a script: it would swallow the page behind it.

use std::fmt;

use super::{Part, Template};
use crate::html::operation::{RAW_TEXT, RCDATA};

/// What there is to know of markup that can be inserted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Found {
    /// A character beyond ASCII stands in a script or another place where character references are not read.
    pub beyond_ascii_in_raw_text: bool,
}

/// Checks a template that is inserted as markup.
///
/// # Errors
/// The first value that stands where it can't be made safe, or an end inside a tag, a comment or a script.
pub fn check_markup(template: &Template) -> Result<Found, ContextError> {
    let mut reader = Reader::default();
    for part in template.parts() {
        match part {
            Part::Literal(text) => text.chars().for_each(|character| reader.read(character)),
            Part::Value(expression) => reader.take_value(&expression.attribute)?,
        }
    }
    reader.end()?;
    Ok(reader.found)
}

/// Checks the name of an attribute whose whole value has a value of the request in it.
///
/// # Errors
/// When no escaping of the value makes the attribute safe.
pub fn check_attribute(name: &str, value: &str) -> Result<(), ContextError> {
    match hazard(name) {
        None => Ok(()),
        Some(hazard) => Err(ContextError::Hazard { value: value.into(), attribute: name.into(), hazard }),
    }
}

/// What an attribute's value is besides text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Hazard {
    /// A URL or a list of them.
    Url,
    /// Script.
    Script,
    /// CSS.
    Style,
    /// A document.
    Document,
    /// It changes what another attribute or element means.
    Meaning,
}

/// Attributes with URLs (WHATWG HTML, index of attributes; SVG 2), and those of scripts and styles.
const URL_ATTRIBUTES: &[&str] = &[
    "action",
    "archive",
    "background",
    "cite",
    "classid",
    "codebase",
    "data",
    "dynsrc",
    "formaction",
    "href",
    "icon",
    "imagesrcset",
    "itemid",
    "itemtype",
    "longdesc",
    "lowsrc",
    "manifest",
    "ping",
    "poster",
    "profile",
    "src",
    "srcset",
    "usemap",
    "xlink:href",
    "xml:base",
    "xmlns",
];
/// SVG animation writes these into other attributes; the rest say how something else is read.
const MEANING_ATTRIBUTES: &[&str] = &[
    "attributename",
    "by",
    "charset",
    "from",
    "http-equiv",
    "integrity",
    "nonce",
    "rel",
    "sandbox",
    "to",
    "type",
    "values",
];

/// Attributes that frameworks in the page run as code or send as requests: Vue, Alpine, Angular, htmx, Livewire, Knockout and
/// Google's jsaction. Names with `@`, `(`, `[`, `*` or `#` are theirs too.
const CODE_PREFIXES: &[&str] = &["@", ":", "v-", "x-", "ng-", "hx-", "wire:", "bind", "jsaction", "_"];

/// What is dangerous about an attribute, by its name in lower case. Like Go's html/template, names of custom attributes
/// that speak of URLs are taken at their word.
#[must_use]
pub fn hazard(name: &str) -> Option<Hazard> {
    let bare = name.strip_prefix("data-").unwrap_or(name);
    if bare.starts_with("on") || CODE_PREFIXES.iter().any(|prefix| bare.starts_with(prefix)) {
        return Some(Hazard::Script);
    }
    if !bare.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':')) {
        return Some(Hazard::Script);
    }
    if bare == "style" {
        return Some(Hazard::Style);
    }
    if bare == "srcdoc" {
        return Some(Hazard::Document);
    }
    if MEANING_ATTRIBUTES.contains(&name) {
        return Some(Hazard::Meaning);
    }
    let custom = name != bare || name.contains([':', '-']);
    let speaks_of_urls = custom && ["src", "uri", "url", "href"].iter().any(|part| bare.contains(part));
    (speaks_of_urls || URL_ATTRIBUTES.contains(&bare)).then_some(Hazard::Url)
}

/// A place where a value can't stand, or markup that can't be inserted.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ContextError {
    /// The attribute is more than text.
    Hazard {
        /// The name of the value.
        value: String,
        /// The name of the attribute.
        attribute: String,
        /// What it is.
        hazard: Hazard,
    },
    /// The value stands in a place that can't be escaped.
    Place {
        /// The name of the value.
        value: String,
        /// The place, in words.
        place: String,
        /// What to do.
        advice: &'static str,
    },
    /// A script has `<!--` in it, after which a browser looks for its end in another way (script data escaped state).
    ScriptComment,
    /// The markup ends too early.
    Unfinished {
        /// Where, in words.
        place: String,
    },
}

impl fmt::Display for ContextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hazard { value, attribute, hazard } => {
                let what = match hazard {
                    Hazard::Url => "a URL",
                    Hazard::Script => "script",
                    Hazard::Style => "CSS",
                    Hazard::Document => "a document",
                    Hazard::Meaning => "more than text",
                };
                write!(
                    f,
                    "\"{value}\" stands in the attribute \"{attribute}\", which is {what}; write one patch for each value, \
                     with `when`, and the attribute's value in full"
                )
            }
            Self::Place { value, place, advice } => write!(f, "\"{value}\" stands {place}; {advice}"),
            Self::ScriptComment => f.write_str(
                "`<!--` inside <script> changes where a browser sees the script end; write it as `<\\!--`, or leave it out",
            ),
            Self::Unfinished { place } => {
                write!(f, "the markup ends {place} and would swallow what follows it; close it")
            }
        }
    }
}

impl std::error::Error for ContextError {}

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
    Unquoted,
    /// From `<!` or `<?` on; a comment once `--` follows.
    Declaration(String),
    Comment(String),
    /// In the content of an element that is not markup; what has been read since the last `<`.
    RawText(String),
}

/// The states of the tokenizer that tell places apart, no more.
#[derive(Debug, Default)]
struct Reader {
    state: State,
    tag: String,
    attribute: String,
    /// The element whose content is not markup, once its start tag is over.
    raw: Option<String>,
    found: Found,
    script_comment: bool,
}

impl Reader {
    fn read(&mut self, c: char) {
        self.state = match std::mem::take(&mut self.state) {
            State::Data if c == '<' => {
                self.tag.clear();
                State::TagOpen
            }
            State::Data => State::Data,
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
            State::TagOpen => State::Data,
            State::TagName if c.is_ascii_whitespace() || c == '/' => State::BeforeAttribute,
            State::TagName if c == '>' => self.tag_ends(),
            State::TagName => {
                self.tag.push(c.to_ascii_lowercase());
                State::TagName
            }
            State::BeforeAttribute | State::AfterAttributeName if c == '>' => self.tag_ends(),
            State::BeforeAttribute if c.is_ascii_whitespace() || c == '/' => State::BeforeAttribute,
            State::AfterAttributeName if c.is_ascii_whitespace() => State::AfterAttributeName,
            State::AfterAttributeName if c == '=' => State::BeforeValue,
            State::AfterAttributeName if c == '/' => State::BeforeAttribute,
            State::BeforeAttribute | State::AfterAttributeName => {
                self.attribute.clear();
                self.attribute.push(c.to_ascii_lowercase());
                State::AttributeName
            }
            State::AttributeName if c == '=' => State::BeforeValue,
            State::AttributeName if c.is_ascii_whitespace() => State::AfterAttributeName,
            State::AttributeName if c == '/' => State::BeforeAttribute,
            State::AttributeName if c == '>' => self.tag_ends(),
            State::AttributeName => {
                self.attribute.push(c.to_ascii_lowercase());
                State::AttributeName
            }
            State::BeforeValue if c.is_ascii_whitespace() => State::BeforeValue,
            State::BeforeValue if matches!(c, '"' | '\'') => State::Quoted(c),
            State::BeforeValue | State::Unquoted if c == '>' => self.tag_ends(),
            State::Unquoted if c.is_ascii_whitespace() => State::BeforeAttribute,
            State::BeforeValue | State::Unquoted => State::Unquoted,
            State::Quoted(quote) if c == quote => State::BeforeAttribute,
            State::Quoted(quote) => State::Quoted(quote),
            State::Declaration(mut text) => {
                text.push(c);
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
            State::RawText(mut text) => {
                self.found.beyond_ascii_in_raw_text |=
                    !c.is_ascii() && !self.raw.as_deref().is_some_and(|name| RCDATA.contains(&name));
                if c == '<' {
                    text.clear();
                }
                text.push(c.to_ascii_lowercase());
                self.script_comment |= text == "<!--" && self.raw.as_deref() == Some("script");
                let end = self.raw.as_ref().map(|name| format!("</{name}"));
                match end {
                    Some(mut end) if text.strip_prefix(&end).is_some_and(ends_name) => {
                        self.raw = None;
                        self.tag = end.split_off(1);
                        if c == '>' { State::Data } else { State::BeforeAttribute }
                    }
                    _ => State::RawText(text),
                }
            }
        };
    }

    fn tag_ends(&mut self) -> State {
        let raw = RAW_TEXT.iter().chain(RCDATA).find(|name| **name == self.tag);
        self.raw = raw.map(|name| (*name).to_owned());
        if self.raw.is_some() { State::RawText(String::new()) } else { State::Data }
    }

    fn take_value(&self, value: &str) -> Result<(), ContextError> {
        match &self.state {
            State::Data => Ok(()),
            State::Quoted(_) => {
                if self.tag == "meta" && self.attribute == "content" {
                    return Err(self.refuse(value, "write one patch for each value, with `when`"));
                }
                check_attribute(&self.attribute, value)
            }
            State::BeforeValue | State::Unquoted => {
                Err(self.refuse(value, "put the attribute's value in quotes"))
            }
            State::TagOpen | State::TagName => Err(self.refuse(value, "write the tag name in full")),
            State::BeforeAttribute | State::AttributeName | State::AfterAttributeName => {
                Err(self.refuse(value, "values stand in the values of attributes: `name=\"{{ … }}\"`"))
            }
            State::Declaration(_) | State::Comment(_) => {
                Err(self.refuse(value, "move it out of the comment"))
            }
            State::RawText(_) => {
                Err(self.refuse(value, "put it in a `data-` attribute and read it from there"))
            }
        }
    }

    fn refuse(&self, value: &str, advice: &'static str) -> ContextError {
        ContextError::Place { value: value.into(), place: self.place(), advice }
    }

    fn end(&self) -> Result<(), ContextError> {
        if self.script_comment {
            return Err(ContextError::ScriptComment);
        }
        match self.state {
            State::Data => Ok(()),
            _ => Err(ContextError::Unfinished { place: self.place() }),
        }
    }

    fn place(&self) -> String {
        match &self.state {
            State::Data => "in text".into(),
            State::TagOpen | State::TagName => "in a tag name".into(),
            State::BeforeAttribute | State::AttributeName | State::AfterAttributeName => {
                format!("in the tag <{}>", self.tag)
            }
            State::BeforeValue | State::Unquoted => {
                format!("in the attribute \"{}\" without quotes", self.attribute)
            }
            State::Quoted(_) => format!("in the attribute \"{}\" of <{}>", self.attribute, self.tag),
            State::Declaration(_) | State::Comment(_) => "in a comment".into(),
            State::RawText(_) => format!("inside <{}>", self.raw.as_deref().unwrap_or_default()),
        }
    }
}

/// Whether what follows `</name` ends the name.
fn ends_name(rest: &str) -> bool {
    rest.starts_with(|c: char| c.is_ascii_whitespace() || matches!(c, '/' | '>'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(source: &str) -> Result<(), String> {
        check_markup(&Template::parse(source, ["x"]).unwrap()).map(|_| ()).map_err(|error| error.to_string())
    }

    #[test]
    fn values_are_taken_in_text_and_in_quoted_plain_attributes() {
        for source in [
            "{{ x }}",
            "<p>{{ x }}</p>",
            "<p title=\"a {{ x }} b\">y</p>",
            "<p title = 'a {{ x }}' class=z>{{ x }}",
            "<!-- c --><p>{{ x }}</p>",
            "<!doctype html><p>{{ x }}",
            "<img alt='{{ x }}'/>",
            "<script>var a = '<p>';</script>{{ x }}",
            "<title>t</title>{{ x }}",
            "a < b {{ x }}",
            "<p data-name=\"{{ x }}\">",
            "<br/>{{ x }}",
            "<!---->{{ x }}<!-->{{ x }}",
        ] {
            assert_eq!(check(source), Ok(()), "{source}");
        }
    }

    #[test]
    fn every_other_place_is_refused_by_name() {
        for (source, message) in [
            ("<p title={{ x }}>", "in the attribute \"title\" without quotes"),
            ("<p title=a{{ x }}>", "without quotes"),
            ("<a href=\"{{ x }}\">", "a URL"),
            ("<a HREF='/p/{{ x }}'>", "a URL"),
            ("<img data-src='{{ x }}'>", "a URL"),
            ("<p onclick=\"f('{{ x }}')\">", "script"),
            ("<p style=\"color:{{ x }}\">", "CSS"),
            ("<iframe srcdoc='{{ x }}'></iframe>", "a document"),
            ("<input type='{{ x }}'>", "more than text"),
            ("<p @click='{{ x }}'>", "script"),
            ("<p v-html='{{ x }}'>", "script"),
            ("<p data-ng-init='{{ x }}'>", "script"),
            ("<p hx-get='{{ x }}'>", "script"),
            ("<p [title]='{{ x }}'>", "script"),
            ("<meta name=a content='{{ x }}'>", "\"content\" of <meta>"),
            ("<script>var a = {{ x }};</script>", "inside <script>"),
            ("<script>\"</scriptx>{{ x }}</script>", "inside <script>"),
            ("</><script>{{ x }}</script>", "inside <script>"),
            ("<p data-bind='{{ x }}'>", "script"),
            ("<script><!--<script></script>{{ x }}--></script>", "`<!--` inside <script>"),
            ("<style>{{ x }}</style>", "inside <style>"),
            ("<title>{{ x }}</title>", "inside <title>"),
            ("<!-- {{ x }} -->", "in a comment"),
            ("<!--> <!-- > {{ x }} -->", "in a comment"),
            ("<{{ x }}>", "in a tag name"),
            ("<p {{ x }}>", "in the tag <p>"),
            ("<p title='a'{{ x }}>", "in the tag <p>"),
        ] {
            let error = check(source).unwrap_err();
            assert!(error.contains(message), "{source}: {error}");
        }
    }

    #[test]
    fn markup_that_would_swallow_the_page_is_refused() {
        for source in
            ["<p", "<p title=\"a", "<!-- a", "<script>a", "<textarea>", "<p title=\"{{ x }}>y", "a <", "</p"]
        {
            assert!(check(source).unwrap_err().contains("swallow"), "{source}");
        }
    }
}
