//! Where things are in HTML that streams by: the part of the core that looks at every byte.
//!
//! It is a crate of its own because lol_html's parser is generic and is compiled where it is used: here for speed, while
//! the rest of the core, most of which reads configurations, is compiled for size.

pub mod locate;
pub mod offset;
pub mod selector;
