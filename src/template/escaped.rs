//! Templates whose places are known.

use serde_json::Value;

use super::escape::{Escape, markup};
use super::expression::Expression;
use super::{Part, Template};

/// A template for one kind of place: what is constant is escaped already, and every value has its escaper.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Escaped {
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    Literal(String),
    Value(Expression, Escape),
}

impl Escaped {
    pub(super) const fn new(pieces: Vec<Piece>) -> Self {
        Self { pieces }
    }

    /// A template whose literal parts are text for the page, not markup.
    #[must_use]
    pub fn text(template: &Template) -> Self {
        let piece = |part: &Part| match part {
            Part::Literal(text) => {
                let mut out = String::new();
                markup(text, &mut out);
                Piece::Literal(out)
            }
            Part::Value(expression) => Piece::Value(expression.clone(), Escape::text()),
        };
        Self { pieces: template.parts().iter().map(piece).collect() }
    }

    /// Whether there is no value in it.
    #[must_use]
    pub fn is_constant(&self) -> bool {
        !self.pieces.iter().any(|piece| matches!(piece, Piece::Value(..)))
    }

    /// The attributes that it reads.
    pub fn attributes(&self) -> impl Iterator<Item = &str> {
        let expressions = self.pieces.iter().filter_map(|piece| match piece {
            Piece::Value(expression, _) => Some(expression),
            Piece::Literal(_) => None,
        });
        expressions.flat_map(Expression::attributes)
    }

    /// The attributes of those values that are inserted as they are.
    #[cfg(feature = "lint")]
    pub(crate) fn raw_attributes(&self) -> impl Iterator<Item = &str> {
        let raw = self.pieces.iter().filter_map(|piece| match piece {
            Piece::Value(expression, _) if expression.is_raw() => Some(expression),
            _ => None,
        });
        raw.flat_map(Expression::attributes)
    }

    /// The text with `mark` for each value.
    #[must_use]
    pub fn sketch(&self, mark: char) -> String {
        let mut out = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Literal(text) => out.push_str(text),
                Piece::Value(..) => out.push(mark),
            }
        }
        out
    }

    /// The text with its values, as `lookup` finds them.
    #[must_use]
    pub fn render<V: Into<Value>>(&self, lookup: impl Fn(&str) -> Option<V>) -> String {
        let lookup = |name: &str| lookup(name).map(Into::into);
        let mut out = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Literal(text) => out.push_str(text),
                Piece::Value(expression, escape) => {
                    escape.write(expression.evaluate(&lookup).as_ref(), &mut out)
                }
            }
        }
        out
    }
}
