//! What in markup of the configuration a policy may forbid, and where a nonce goes.
//!
//! A small reader of markup whose tags are all the configuration's own: values in it are escaped, so they make none. It
//! is no parser of pages. It follows the tokenizer (WHATWG HTML § 13.2.5) closely enough for what
//! [`context::markup`](crate::template::context::markup) lets through: tags, comments and raw texts that are closed.

use std::collections::BTreeSet;

use super::{Hash, Kind, Need, Resource, Url};
use crate::html::javascript::is_javascript;
use crate::html::operation::{RAW_TEXT, RCDATA};

/// Stands for a value in the markup that is given to [`needs`]: what it is part of is not a constant.
pub const VALUE: char = '\u{FFFF}';

/// What policies may have a say in, in source order.
#[must_use]
pub fn needs(markup: &str) -> Vec<Need> {
    let mut needs = Vec::new();
    let mut foreign = false;
    for tag in Tags::of(markup.as_bytes()) {
        // Scripts and styles in SVG are parsed as markup; their text is not what stands there.
        foreign |= matches!(tag.name.as_str(), "svg" | "math");
        tag.needs(foreign, &mut needs);
    }
    needs
}

/// The needs of one attribute that is set on an element of the page.
#[must_use]
pub fn attribute_need(name: &str, value: &str) -> Option<Need> {
    let is_handler = name.strip_prefix("on").is_some_and(|event| {
        !event.is_empty() && event.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    });
    let kind = match name {
        "style" => Kind::Style,
        _ if is_handler => Kind::Script,
        _ => return None,
    };
    (!value.is_empty()).then(|| Need::Attribute { kind, hash: constant(value).map(Hash::of_inline) })
}

/// `markup` with the nonce on its scripts, styles and links. One that has a nonce of its own keeps it.
#[must_use]
pub fn with_nonce(markup: &[u8], nonce: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(markup.len().saturating_add(64));
    let mut from = 0;
    for tag in Tags::of(markup) {
        let wants = matches!(tag.name.as_str(), "script" | "style" | "link") && tag.get("nonce").is_none();
        if wants && let Some(before) = markup.get(from..tag.name_end) {
            out.extend_from_slice(before);
            out.extend_from_slice(b" nonce=\"");
            out.extend_from_slice(nonce.as_bytes());
            out.push(b'"');
            from = tag.name_end;
        }
    }
    out.extend_from_slice(markup.get(from..).unwrap_or_default());
    out
}

/// Whether a script of this type runs, or steers what runs; any other is data, which policies leave alone (WHATWG HTML
/// § 4.12.1.1).
#[must_use]
pub fn runs(script_type: &str) -> bool {
    let name = script_type.trim_ascii().to_ascii_lowercase();
    let words = ["", "module", "importmap", "speculationrules"];
    words.contains(&name.as_str()) || is_javascript(&name) || name.contains(VALUE)
}

/// What a `link` fetches (WHATWG HTML § 4.6.6), by its `rel` and `as`.
#[must_use]
pub fn resource_of_link(rel: &str, destination: &str) -> Option<Resource> {
    let is = |word: &str| rel.split_ascii_whitespace().any(|it| it.eq_ignore_ascii_case(word));
    if is("stylesheet") {
        return Some(Resource::Style);
    }
    if is("modulepreload") {
        return Some(Resource::Script);
    }
    if is("preload") {
        return match destination.trim_ascii().to_ascii_lowercase().as_str() {
            "script" => Some(Resource::Script),
            "style" => Some(Resource::Style),
            "image" => Some(Resource::Image),
            "font" => Some(Resource::Font),
            "audio" | "video" | "track" => Some(Resource::Media),
            "fetch" => Some(Resource::Connection),
            _ => None,
        };
    }
    if is("icon") || is("apple-touch-icon") || is("mask-icon") {
        return Some(Resource::Image);
    }
    if is("manifest") {
        return Some(Resource::Manifest);
    }
    (is("prefetch") || is("prerender")).then_some(Resource::Hint)
}

/// The elements of markup of a configuration, by their start tags in source order, each with its attributes: names in lower
/// case, values decoded where they can be.
pub(crate) fn elements(markup: &str) -> impl Iterator<Item = (String, Vec<(String, String)>)> {
    let decoded = |(name, value): (String, String)| {
        let value = decode(&value).unwrap_or(value);
        (name, value)
    };
    Tags::of(markup.as_bytes()).map(move |tag| (tag.name, tag.attributes.into_iter().map(decoded).collect()))
}

fn constant(text: &str) -> Option<&str> {
    (!text.contains(VALUE)).then_some(text)
}

/// A start tag.
#[derive(Debug)]
struct Tag {
    name: String,
    name_end: usize,
    /// Name in lower case, value as it is written.
    attributes: Vec<(String, String)>,
    /// The text of a script or style.
    text: String,
}

impl Tag {
    /// The value as it is written.
    fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn decoded(&self, name: &str) -> String {
        self.get(name).map(|value| decode(value).unwrap_or_else(|| VALUE.to_string())).unwrap_or_default()
    }

    fn url(&self, name: &str) -> Url {
        // Policies don't look at queries, where ampersands are common.
        let text = self.get(name).unwrap_or_default();
        let text = text.split(['?', '#']).next().unwrap_or_default();
        let known = decode(text).filter(|text| constant(text).is_some());
        known.map_or_else(|| Url::parse("\\"), |text| Url::parse(&text))
    }

    fn needs(&self, foreign: bool, needs: &mut Vec<Need>) {
        for (name, value) in &self.attributes {
            let value = decode(value).unwrap_or_else(|| VALUE.to_string());
            needs.extend(attribute_need(name, &value));
        }
        let names: Vec<&str> = self.attributes.iter().map(|(name, _)| name.as_str()).collect();
        let hides = |text: &str| {
            let text = text.to_ascii_lowercase();
            text.contains("<script") || text.contains("<style")
        };
        let nonceable = !names.contains(&"nonce")
            && !self.attributes.iter().any(|(name, value)| hides(name) || hides(value))
            && !has_duplicates(&names);
        let integrity = || Hash::of_integrity(&self.decoded("integrity"));
        // A nonce would let a value say what is run.
        let constant_url = |name: &str| self.get(name).is_some_and(|url| constant(url).is_some());
        let fetch = |resource, name: &str| Need::Fetch {
            resource,
            url: self.url(name),
            integrity: integrity(),
            nonceable: nonceable && constant_url(name),
        };
        let readable = !foreign || !self.text.contains(['&', '<']);
        let hash = || constant(&self.text).filter(|_| readable).map(Hash::of_inline);
        match self.name.as_str() {
            "script" if runs(&self.decoded("type")) => {
                let source = ["src", "href", "xlink:href"].into_iter().find(|name| self.get(name).is_some());
                needs.push(match source {
                    Some(name) => fetch(Resource::Script, name),
                    None => Need::Inline { kind: Kind::Script, hash: hash(), nonceable },
                });
            }
            "style" if matches!(self.decoded("type").to_ascii_lowercase().as_str(), "" | "text/css") => {
                needs.push(Need::Inline { kind: Kind::Style, hash: hash(), nonceable });
            }
            "link" if self.get("href").is_some() => {
                let resource = resource_of_link(&self.decoded("rel"), &self.decoded("as"));
                needs.extend(resource.map(|resource| fetch(resource, "href")));
            }
            _ => {}
        }
    }
}

fn has_duplicates(names: &[&str]) -> bool {
    let mut seen = BTreeSet::new();
    !names.iter().all(|name| seen.insert(name))
}

/// Decodes the character references that a person writes in an attribute; `None` when there is another one.
fn decode(text: &str) -> Option<String> {
    let mut out = String::new();
    let mut pieces = text.split('&');
    out.push_str(pieces.next()?);
    for piece in pieces {
        match piece.split_once(';') {
            Some((name, rest)) if reference(name).is_some() => {
                out.extend(reference(name));
                out.push_str(rest);
            }
            _ if piece.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '#') => return None,
            _ => {
                out.push('&');
                out.push_str(piece);
            }
        }
    }
    Some(out)
}

fn reference(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let code = name.strip_prefix('#')?;
            let code = match code.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => code.parse().ok()?,
            };
            // The rest is replaced by something else (WHATWG HTML § 13.2.5.80).
            char::from_u32(code).filter(|c| !c.is_control() || matches!(c, '\t' | '\n'))
        }
    }
}

/// The start tags of markup.
struct Tags<'m> {
    markup: &'m [u8],
    at: usize,
}

impl<'m> Tags<'m> {
    const fn of(markup: &'m [u8]) -> Self {
        Self { markup, at: 0 }
    }

    fn rest(&self) -> &'m [u8] {
        self.markup.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.markup.get(self.at).copied()
    }

    fn skip(&mut self, bytes: usize) {
        self.at = self.at.saturating_add(bytes).min(self.markup.len());
    }

    fn take_while(&mut self, wanted: impl Fn(u8) -> bool) -> &'m [u8] {
        let rest = self.rest();
        let taken = rest.iter().position(|byte| !wanted(*byte)).unwrap_or(rest.len());
        self.skip(taken);
        rest.get(..taken).unwrap_or_default()
    }

    /// Goes behind the next `end`, or to the end; gives what was before it.
    fn take_until(&mut self, end: &[u8]) -> &'m [u8] {
        let rest = self.rest();
        let found = rest.windows(end.len().max(1)).position(|window| window == end);
        self.skip(found.map_or(rest.len(), |at| at.saturating_add(end.len())));
        rest.get(..found.unwrap_or(rest.len())).unwrap_or_default()
    }

    fn tag(&mut self) -> Tag {
        let name = lower(self.take_while(|byte| !byte.is_ascii_whitespace() && !matches!(byte, b'/' | b'>')));
        let name_end = self.at;
        let mut attributes = Vec::new();
        loop {
            self.take_while(|byte| byte.is_ascii_whitespace() || byte == b'/');
            match self.peek() {
                None => break,
                Some(b'>') => {
                    self.skip(1);
                    break;
                }
                Some(_) => attributes.push(self.attribute()),
            }
        }
        let text = if RAW_TEXT.contains(&name.as_str()) || RCDATA.contains(&name.as_str()) {
            let text = self.raw_text(&name);
            String::from_utf8_lossy(text).into_owned()
        } else {
            String::new()
        };
        Tag { name, name_end, attributes, text }
    }

    fn attribute(&mut self) -> (String, String) {
        let start = self.at;
        // A name may start with `=` (§ 13.2.5.32).
        self.skip(1);
        self.take_while(|byte| !byte.is_ascii_whitespace() && !matches!(byte, b'/' | b'>' | b'='));
        let name = lower(self.markup.get(start..self.at).unwrap_or_default());
        let behind = self.at;
        self.take_while(|byte| byte.is_ascii_whitespace());
        if self.peek() != Some(b'=') {
            self.at = behind;
            return (name, String::new());
        }
        self.skip(1);
        self.take_while(|byte| byte.is_ascii_whitespace());
        let value = match self.peek() {
            Some(quote @ (b'"' | b'\'')) => {
                self.skip(1);
                self.take_until(&[quote])
            }
            _ => self.take_while(|byte| !byte.is_ascii_whitespace() && byte != b'>'),
        };
        (name, String::from_utf8_lossy(value).into_owned())
    }

    /// Up to the end tag, which is left to be read.
    fn raw_text(&mut self, name: &str) -> &'m [u8] {
        let rest = self.rest();
        let ends = |at: usize| {
            let tail = rest.get(at..).unwrap_or_default();
            let tail = tail.strip_prefix(b"</").unwrap_or_default();
            tail.split_at_checked(name.len()).is_some_and(|(own, behind)| {
                own.eq_ignore_ascii_case(name.as_bytes())
                    && behind.first().is_some_and(|c| c.is_ascii_whitespace() || matches!(c, b'/' | b'>'))
            })
        };
        let end = (0..rest.len()).find(|at| rest.get(*at) == Some(&b'<') && ends(*at)).unwrap_or(rest.len());
        self.skip(end);
        rest.get(..end).unwrap_or_default()
    }
}

impl Iterator for Tags<'_> {
    type Item = Tag;

    fn next(&mut self) -> Option<Tag> {
        loop {
            self.take_while(|byte| byte != b'<');
            self.peek()?;
            self.skip(1);
            match self.peek() {
                Some(letter) if letter.is_ascii_alphabetic() => return Some(self.tag()),
                Some(b'/') => {
                    self.skip(1);
                    if self.peek().is_some_and(|letter| letter.is_ascii_alphabetic()) {
                        // Attributes of an end tag may have `>` in quotes.
                        self.end_tag();
                    } else {
                        self.take_until(b">");
                    }
                }
                Some(b'!') if self.rest().starts_with(b"!--") => {
                    self.skip(3);
                    // `<!-->` and `<!--->` are whole comments.
                    let short = [&b">"[..], b"->"].into_iter().find(|end| self.rest().starts_with(end));
                    match short {
                        Some(end) => self.skip(end.len()),
                        None => self.comment(),
                    }
                }
                Some(b'!' | b'?') => {
                    self.take_until(b">");
                }
                _ => {}
            }
        }
    }
}

impl Tags<'_> {
    fn end_tag(&mut self) {
        self.take_while(|byte| !byte.is_ascii_whitespace() && !matches!(byte, b'/' | b'>'));
        while let Some(byte) = self.peek() {
            match byte {
                b'>' => return self.skip(1),
                b'/' => self.skip(1),
                byte if byte.is_ascii_whitespace() => self.skip(1),
                _ => {
                    self.attribute();
                }
            }
        }
    }

    fn comment(&mut self) {
        let rest = self.rest();
        let ends = |at: &usize| {
            let tail = rest.get(*at..).unwrap_or_default();
            tail.starts_with(b"-->") || tail.starts_with(b"--!>")
        };
        let end = (0..rest.len()).find(ends).unwrap_or(rest.len());
        self.skip(end);
        self.take_until(b">");
    }
}

fn lower(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inline(kind: Kind, text: &str) -> Need {
        Need::Inline { kind, hash: Some(Hash::of_inline(text)), nonceable: true }
    }

    fn attribute(kind: Kind, text: &str) -> Need {
        Need::Attribute { kind, hash: Some(Hash::of_inline(text)) }
    }

    fn fetch(resource: Resource, url: &str) -> Need {
        Need::Fetch { resource, url: Url::parse(url), integrity: Vec::new(), nonceable: true }
    }

    #[test]
    fn what_policies_speak_of_is_found_in_its_exact_bytes() {
        use Kind::{Script, Style};
        for (markup, expected) in [
            ("<p>text</p>", vec![]),
            ("<script> f('<p>');\n</script>", vec![inline(Script, " f('<p>');\n")]),
            ("<SCRIPT>a</Script ><b>", vec![inline(Script, "a")]),
            ("<script>a</scripty>b</script>", vec![inline(Script, "a</scripty>b")]),
            ("<script async>a</script\n>", vec![inline(Script, "a")]),
            ("<script type=module>a</script>", vec![inline(Script, "a")]),
            ("<script type='text/JavaScript '>a</script>", vec![inline(Script, "a")]),
            ("<script type=application/json>{}</script>", vec![]),
            ("<script type=application/ld+json>{}</script>", vec![]),
            ("<script type=importmap>{}</script>", vec![inline(Script, "{}")]),
            ("<script src=/x.js>ignored</script>", vec![fetch(Resource::Script, "/x.js")]),
            (
                "<script src='https://a.example/x?a=1&b=2'></script>",
                vec![fetch(Resource::Script, "https://a.example/x")],
            ),
            ("<style>p{}</style>", vec![inline(Style, "p{}")]),
            ("<style type=text/plain>p{}</style>", vec![]),
            ("<p style=\"color:red\">x", vec![attribute(Style, "color:red")]),
            ("<p style='a:&quot;b&#39;&amp;&#x41;'>", vec![attribute(Style, "a:\"b'&A")]),
            ("<p style='a&copy;'>", vec![Need::Attribute { kind: Style, hash: None }]),
            ("<p style>", vec![]),
            ("<p onclick=f()>", vec![attribute(Script, "f()")]),
            ("<p on-click=f() once data-on=x>", vec![]),
            ("<img src=x onload='f(1)'/>", vec![attribute(Script, "f(1)")]),
            ("<!-- <script>a</script> --><style>b</style>", vec![inline(Style, "b")]),
            ("<!--><style>b</style>", vec![inline(Style, "b")]),
            ("<!-- a --!><style>b</style>", vec![inline(Style, "b")]),
            ("<textarea><script>a</script></textarea>", vec![]),
            ("<noscript><style>a</style></noscript>", vec![]),
            ("<p title='<script>'>x</p a='>'><style>b</style>", vec![inline(Style, "b")]),
            ("<p a=b/><style>b</style>", vec![inline(Style, "b")]),
            (
                "<svg><style>a &amp; b</style></svg>",
                vec![Need::Inline { kind: Style, hash: None, nonceable: true }],
            ),
            ("<svg><style>a</style></svg>", vec![inline(Style, "a")]),
            ("<link rel=stylesheet href=/a.css>", vec![fetch(Resource::Style, "/a.css")]),
            ("<link rel='preload foo' as=Font href=/a>", vec![fetch(Resource::Font, "/a")]),
            ("<link rel=canonical href=/a>", vec![]),
            ("<link rel=preconnect href=https://a.example>", vec![]),
            ("a < b <style>c</style>", vec![inline(Style, "c")]),
            ("<script>a\u{FFFF}</script>", vec![Need::Inline { kind: Script, hash: None, nonceable: true }]),
            (
                "<script src='https://a.example/\u{FFFF}'></script>",
                vec![Need::Fetch {
                    resource: Resource::Script,
                    url: Url::parse("\\"),
                    integrity: Vec::new(),
                    nonceable: false,
                }],
            ),
            (
                "<script nonce=a>b</script>",
                vec![Need::Inline { kind: Script, hash: Some(Hash::of("b")), nonceable: false }],
            ),
            (
                "<script a='<Script'>b</script>",
                vec![Need::Inline { kind: Script, hash: Some(Hash::of("b")), nonceable: false }],
            ),
            (
                "<script a a>b</script>",
                vec![Need::Inline { kind: Script, hash: Some(Hash::of("b")), nonceable: false }],
            ),
        ] {
            assert_eq!(needs(markup), expected, "{markup}");
        }
    }

    #[test]
    fn nonces_go_on_scripts_styles_and_links() {
        for (markup, expected) in [
            ("<p>x</p>", "<p>x</p>"),
            ("<script>a</script>", "<script nonce=\"n\">a</script>"),
            ("<STYLE\nmedia=print>a</STYLE>", "<STYLE nonce=\"n\"\nmedia=print>a</STYLE>"),
            ("<link rel=a/><b>", "<link nonce=\"n\" rel=a/><b>"),
            ("<script nonce=m>a</script>", "<script nonce=m>a</script>"),
            (
                "<script>'<style>'</script><style></style>",
                "<script nonce=\"n\">'<style>'</script><style nonce=\"n\"></style>",
            ),
            ("<!--<script>--><p title='<script>'>", "<!--<script>--><p title='<script>'>"),
        ] {
            let got = String::from_utf8(with_nonce(markup.as_bytes(), "n")).unwrap();
            assert_eq!(got, expected);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_markup_is_read_to_its_end(markup in "[<>/!a-z \"'=&;-]{0,60}|(<(script|style|p|!--|/script|/p)[ >\"'a=]?){0,12}") {
            let _ = needs(&markup);
            let with = with_nonce(markup.as_bytes(), "n");
            let without = String::from_utf8(with).unwrap().replace(" nonce=\"n\"", "");
            proptest::prop_assert_eq!(without, markup);
        }
    }
}
