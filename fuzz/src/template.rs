//! A template, wherever templates may stand, with hostile values in it.
//!
//! The attack: a visitor's value that becomes markup, another attribute, the scheme of a URL, a header line or another host. So
//! what the standard's tokenizer makes of the text has the same tags, attributes and ends with every value.

use std::cell::RefCell;

use engraft::template::{Escaped, Known, Template, context};
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};
use http::HeaderValue;
use url::Url;

use crate::same;

/// What ends something somewhere, or starts it.
const HOSTILE: [&str; 16] = [
    "",
    "\"'`<>&;=/\\ )]}\r\n\u{2028}é",
    "javascript:alert(1)",
    " \u{1}java\tscript:alert(1)//",
    "data:text/html,<script>alert(1)</script>",
    "//evil.example/a",
    "@evil.example/",
    "\\\\evil.example",
    "x onerror=alert(1) y",
    "--><script>alert(1)</script><!--",
    "</script></style></title></textarea><b>",
    "<!--<script>",
    "]]>&Tab;&#106;&lt",
    "expression(alert(1)) } a { b: c",
    "*/ ; alert(1) /*",
    "x\0, /y 2x",
];
/// What is where it belongs.
const HARMLESS: &str = "x";

/// Attributes of each kind, and the elements that they are rendered on.
const ATTRIBUTES: [(&str, &str); 10] = [
    ("p", "title"),
    ("p", "class"),
    ("p", "style"),
    ("a", "href"),
    ("img", "src"),
    ("img", "srcset"),
    ("form", "action"),
    ("img", "data-x"),
    ("p", "onclick"),
    ("iframe", "srcdoc"),
];
const URLS: [&str; 8] = ["href", "src", "action", "formaction", "poster", "data", "xlink:href", "background"];
const HEADERS: [&str; 4] = ["x-a", "set-cookie", "link", "cache-control"];

struct Names;

impl Known for Names {
    fn names(&self) -> Vec<&str> {
        vec!["x", "y", "closed"]
    }

    fn constants(&self, name: &str) -> Option<Vec<&str>> {
        (name == "closed").then(|| vec!["<b>gold</b>", "<i>none</i>"])
    }
}

/// Checks a template.
///
/// # Errors
/// What does not hold.
pub fn check(source: &[u8]) -> Result<(), String> {
    let Ok(source) = std::str::from_utf8(source) else { return Ok(()) };
    let Ok(template) = Template::parse(source, &Names) else { return Ok(()) };
    if let Ok((markup, _)) = context::markup(&template) {
        keeps_structure("markup", |value| render(&markup, value))?;
    }
    if let Ok(text) = context::text(&template) {
        for element in ["p", "title", "textarea"] {
            let around = |value: &str| format!("<{element}>{}</{element}>", render(&text, value));
            keeps_structure(element, around)?;
        }
    }
    for (element, name) in ATTRIBUTES {
        let Ok((value, _)) = context::attribute(name, &template) else { continue };
        for quote in ['"', '\''] {
            let around =
                |hostile: &str| format!("<{element} {name}={quote}{}{quote} id=a>", render(&value, hostile));
            keeps_structure(&format!("{element} {name}"), around)?;
        }
    }
    for name in HEADERS {
        let Ok(header) = context::header(name, &template) else { continue };
        if HeaderValue::from_str(&render(&header, HARMLESS)).is_err() {
            continue;
        }
        for value in HOSTILE {
            let line = render(&header, value);
            HeaderValue::from_str(&line).map_err(|_| format!("{name}: {value:?} makes {line:?}"))?;
        }
    }
    if let Ok(location) = context::location(&template) {
        let base = Url::parse("https://base.example/dir/page?q").map_err(|error| error.to_string())?;
        // As text: of opaque origins, each is only equal to itself.
        let origin = |value: &str| {
            base.join(&render(&location, value))
                .map(|url| (url.scheme().to_owned(), url.origin().ascii_serialization()))
        };
        let expected = origin(HARMLESS);
        for value in HOSTILE {
            same(
                format!("where {value:?} leads"),
                &origin(value).map_err(|_| ()),
                &expected.clone().map_err(|_| ()),
            )?;
        }
    }
    Ok(())
}

fn render(escaped: &Escaped, value: &str) -> String {
    escaped.render(|name| match name {
        "closed" => Some("<b>gold</b>".to_owned()),
        _ => Some(value.to_owned()),
    })
}

/// That every value leaves the same tags and attributes, and no URL that runs where a harmless one leads somewhere.
fn keeps_structure(place: &str, render: impl Fn(&str) -> String) -> Result<(), String> {
    let expected = Structure::of(&render(HARMLESS));
    for value in HOSTILE {
        let markup = render(value);
        let found = Structure::of(&markup);
        same(format!("{place}: {value:?} in {markup:?}"), &found.shape, &expected.shape)?;
        same(format!("{place}: {value:?} in {markup:?}, URLs that run"), &found.running, &expected.running)?;
    }
    Ok(())
}

/// What a tokenizer makes of markup, text left out.
#[derive(Debug, Default, PartialEq, Eq)]
struct Structure {
    shape: Vec<String>,
    /// The attributes that hold the URL of a script.
    running: Vec<String>,
}

#[derive(Debug, Default)]
struct Sink(RefCell<Structure>);

impl Structure {
    fn of(markup: &str) -> Self {
        let tokenizer = Tokenizer::new(Sink::default(), TokenizerOpts::default());
        let input = BufferQueue::default();
        input.push_back(markup.into());
        let _ = tokenizer.feed(&input);
        tokenizer.end();
        tokenizer.sink.0.take()
    }
}

impl TokenSink for Sink {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut structure = self.0.borrow_mut();
        match token {
            Token::TagToken(tag) => {
                structure.shape.push(shape(&tag));
                let running =
                    tag.attrs.iter().filter(|it| URLS.contains(&&*it.name.local) && runs(&it.value));
                structure.running.extend(running.map(|it| it.name.local.to_string()));
                if tag.kind == TagKind::StartTag {
                    return content_of(&tag.name);
                }
            }
            Token::CommentToken(text) => structure.shape.push(format!("<!--{text}-->")),
            Token::DoctypeToken(doctype) => structure.shape.push(format!("{doctype:?}")),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

fn shape(tag: &Tag) -> String {
    let mut shape = format!("{:?} {}", tag.kind, tag.name);
    for attribute in &tag.attrs {
        shape.push(' ');
        shape.push_str(&attribute.name.local);
    }
    shape
}

/// What the tree construction would have the tokenizer do (WHATWG HTML § 13.2.6).
fn content_of(name: &str) -> TokenSinkResult<()> {
    match name {
        "title" | "textarea" => TokenSinkResult::RawData(RawKind::Rcdata),
        "style" | "xmp" | "iframe" | "noembed" | "noframes" | "noscript" => {
            TokenSinkResult::RawData(RawKind::Rawtext)
        }
        "script" => TokenSinkResult::RawData(RawKind::ScriptData),
        "plaintext" => TokenSinkResult::Plaintext,
        _ => TokenSinkResult::Continue,
    }
}

/// Whether a browser runs what a URL says (WHATWG URL § 4.4: what is stripped and skipped first).
fn runs(url: &str) -> bool {
    let kept =
        url.trim_start_matches(|c: char| c <= ' ').chars().filter(|c| !matches!(c, '\t' | '\n' | '\r'));
    let start: String = kept.take(16).collect::<String>().to_ascii_lowercase();
    ["javascript:", "vbscript:", "data:"].iter().any(|scheme| start.starts_with(scheme))
}
