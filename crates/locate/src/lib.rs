//! Where things are in HTML that streams by: the part of the core that looks at every byte.
//!
//! It is a crate of its own because it is compiled for speed, while the rest of the core, most of which reads
//! configurations, is compiled for size.

mod attribute;
pub mod character_reference;
mod doctype;
pub mod locate;
mod name;
pub mod offset;
pub mod selector;
mod tokenizer;
mod tree;
