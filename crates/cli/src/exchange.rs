//! One exchange through the core, as a proxy would have it: [a request](visit), and [what comes of it](rendering) when the origin
//! answers with a page that is known.

pub(crate) mod rendering;
pub(crate) mod visit;
