//! Edits of JSON, compiled; [`JsonEdit::for_body`] and [`JsonEdit::for_script`] make them ready for one text.

use std::rc::Rc;

use crate::html::charset::Charset;
use crate::json::script::ScriptEdit;
use crate::json::text::{escape, escape_raw};
use crate::json::{Bounds, Medium, Plan};
use crate::request::attributes::Values;
use crate::template::Template;

/// What is done to a JSON text.
#[derive(Debug)]
#[non_exhaustive]
pub struct JsonEdit {
    pub(super) plan: Plan<JsonValue>,
    pub(super) bounds: Bounds,
}

/// A JSON value whose texts are not rendered yet, as it is written out.
#[derive(Debug, Default)]
pub(super) struct JsonValue {
    pub(super) pieces: Vec<Piece>,
}

#[derive(Debug)]
pub(super) enum Piece {
    /// JSON as it is, whole or in part.
    Raw(String),
    /// What stands between the quotes of a string. A value in it can't leave the string, so it never becomes a number or a
    /// member.
    Text(Template),
    /// What stands between the quotes of a name.
    Name(String),
}

impl JsonEdit {
    /// How much of a text it holds or follows.
    #[must_use]
    pub const fn bounds(&self) -> Bounds {
        self.bounds
    }

    /// With the values of a request, for a body.
    #[must_use]
    pub fn for_body(&self, values: &Values) -> Rc<Plan<String>> {
        Rc::new(self.plan.map(|value| value.render(values, true)))
    }

    /// With the values of a request, for the scripts of a page in `charset`.
    #[must_use]
    pub fn for_script(&self, values: &Values, charset: Charset) -> ScriptEdit {
        let medium = Medium::Script(match charset {
            Charset::Declared(encoding) => Some(encoding),
            Charset::Undeclared => None,
        });
        ScriptEdit {
            plan: Rc::new(self.plan.map(|value| value.render(values, medium.is_utf8()))),
            medium,
            bounds: self.bounds,
            dynamic: self.attributes().next().is_some(),
        }
    }

    pub(super) fn attributes(&self) -> impl Iterator<Item = &str> {
        let pieces = self.plan.values().flat_map(|value| &value.pieces);
        pieces.flat_map(|piece| match piece {
            Piece::Text(template) => template.attributes().collect::<Vec<&str>>(),
            Piece::Raw(_) | Piece::Name(_) => Vec::new(),
        })
    }
}

impl JsonValue {
    fn render(&self, values: &Values, utf8: bool) -> String {
        let mut out = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Raw(json) => escape_raw(json, utf8, &mut out),
                Piece::Name(name) => escape(name, utf8, &mut out),
                Piece::Text(template) => {
                    let text = |text: &str, out: &mut String| escape(text, utf8, out);
                    out.push_str(&template.render(|name| values.text(name), text, text));
                }
            }
        }
        out
    }

    pub(super) fn raw(&mut self, json: &str) {
        match self.pieces.last_mut() {
            Some(Piece::Raw(last)) => last.push_str(json),
            _ => self.pieces.push(Piece::Raw(json.to_owned())),
        }
    }
}
