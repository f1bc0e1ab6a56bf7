//! Elements that a patch puts into a page, not rendered yet: `title`, `meta`, `script`, `style`, `link`.

use crate::csp::{Need, markup as policy};
use crate::html::charset::Charset;
use crate::html::operation::Content;
use crate::request::attributes::Values;
use crate::template::Template;
use crate::template::escape::markup;

/// One or two elements, in the pieces of which they are made.
#[derive(Debug, Default)]
pub(super) struct Injection {
    pub(super) pieces: Vec<Piece>,
    /// It has a character beyond ASCII where character references are not read.
    pub(super) needs_utf8: bool,
}

/// A piece of an [`Injection`].
#[derive(Debug)]
pub(super) enum Piece {
    /// Markup of our own.
    Markup(String),
    /// Text, or what stands between the quotes of an attribute that is text.
    Text(Template),
    /// What stands between the quotes of a JSON string in a `script` element.
    Json(Template),
}

impl Injection {
    pub(super) fn markup(markup: String) -> Self {
        Self { pieces: vec![Piece::Markup(markup)], needs_utf8: false }
    }

    pub(super) fn render(&self, values: &Values, charset: Charset) -> Content {
        let lookup = |name: &str| values.text(name);
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Markup(piece) => text.push_str(piece),
                Piece::Text(template) => text.push_str(&template.render(lookup, markup, markup)),
                Piece::Json(template) => text.push_str(&template.render(lookup, json, json)),
            }
        }
        Content {
            bytes: charset.encode(&text),
            needs_markup: true,
            needs_html: true,
            encodable: !self.needs_utf8 || charset.covers(&text),
            has_references: !charset.covers(&text),
        }
    }

    /// The attributes that it reads.
    pub(super) fn attributes(&self) -> impl Iterator<Item = &str> {
        let templates = self.pieces.iter().filter_map(|piece| match piece {
            Piece::Markup(_) => None,
            Piece::Text(template) | Piece::Json(template) => Some(template),
        });
        templates.flat_map(Template::attributes)
    }

    pub(super) fn needs(&self) -> Vec<Need> {
        let pieces = self.pieces.iter().map(|piece| match piece {
            Piece::Markup(markup) => markup.clone(),
            Piece::Text(_) | Piece::Json(_) => policy::VALUE.to_string(),
        });
        policy::needs(&pieces.collect::<String>())
    }
}

/// Why a text can't stand in a `script` or a `style` element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BreaksOut {
    /// It ends the element.
    EndTag,
    /// It has a `<!--`, after which a browser looks for the end of a script in another way (script data escaped state).
    Comment,
}

/// What in a text of an element of that name is read as more than text. The attack that this prevents: what comes behind it is
/// markup.
pub(super) fn breaks_out(element: &str, text: &str) -> Option<BreaksOut> {
    let lower = text.to_ascii_lowercase();
    if lower.contains(&format!("</{element}")) {
        Some(BreaksOut::EndTag)
    } else if element == "script" && lower.contains("<!--") {
        Some(BreaksOut::Comment)
    } else {
        None
    }
}

/// Escapes for a JSON string inside a `script` element. The attack that it prevents: `</script>` or `<!--` in a value, which
/// ends the element or changes where it ends (WHATWG HTML § 4.12.1.3). The result is ASCII, so it is the same in every
/// encoding of a page.
pub(super) fn json(text: &str, out: &mut String) {
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            ' '..='~' if !matches!(character, '<' | '>' | '&') => out.push(character),
            _ => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::json;

    proptest::proptest! {
        #[test]
        fn json_means_its_text_and_is_no_markup(text in "\\PC*|[<>&\"'\\\\/\u{0}-\u{20}\u{2028}a-z!-]{0,40}") {
            let mut out = String::new();
            json(&text, &mut out);
            proptest::prop_assert!(out.is_ascii() && !out.contains(['<', '>', '&', '\n', '\r']), "{}", out);
            let read: String = serde_json::from_str(&format!("\"{out}\"")).unwrap();
            proptest::prop_assert_eq!(read, text);
        }
    }
}
