//! JSON: a stream of text in, edits of it out; what nobody asked to change keeps its bytes.
//!
//! ```text
//! text ─► lexer ─► editor (plan: what is done where) ─► edits ─► splicer ─► text
//! ```
//!
//! The text is a whole response body ([`BodyEditor`]) or that of a `script` element ([`script`]). Places are named by JSON Pointer (RFC 6901). An edited
//! text parses to what the operation makes of the parsed source; a text that breaks RFC 8259's grammar, nests too deep or
//! repeats too many keys passes from there on as it is, and the reason is told.
//!
//! Of a member that stands twice in its object, parsers count the last one, and a stream sees the first one first. So every
//! one of them is edited, and whether an operation was done is what the last one says.

pub mod body;
pub mod chain;
pub mod editor;
mod guard;
pub mod lexer;
pub mod plan;
pub mod pointer;
pub mod script;
pub mod text;

pub use body::BodyEditor;
pub use editor::{Editor, Medium};
pub use plan::{Change, Overlap, Plan};
pub use pointer::{Pointer, PointerError};

/// How much of a text is held or followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "whoever edits gives all of them")]
pub struct Bounds {
    /// The longest value that is replaced or removed, in bytes: it is held back until its end is known.
    pub max_held_bytes: usize,
    /// The deepest nesting that is followed.
    pub max_depth: usize,
}

impl Bounds {
    /// The default depth: four times what serde_json takes, and half a kilobyte of memory.
    pub const MAX_DEPTH: usize = 512;

    /// With the default depth.
    #[must_use]
    pub const fn holding(max_held_bytes: usize) -> Self {
        Self { max_held_bytes, max_depth: Self::MAX_DEPTH }
    }
}

#[cfg(test)]
mod tests;
