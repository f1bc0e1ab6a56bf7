//! CSS as it streams by: tokens, as far as edits of style sheets need them (CSS Syntax 3 § 4).
//!
//! One byte at a time, so that no cut between two chunks can matter. Texts of strings and URLs are kept on request and up
//! to a bound; everything else is forgotten at once.

pub(crate) mod blocks;
pub(crate) mod escape;
pub(crate) mod lexer;
