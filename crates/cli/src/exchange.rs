//! One exchange through the core, as a proxy would have it: [by what](rules), [a request](visit), and [what comes of it](rendering) when the origin
//! answers with a page that is known; and what [a cache between two stages](stages) would keep of it.

pub(crate) mod args;
pub(crate) mod rendering;
pub(crate) mod rules;
pub(crate) mod stages;
pub(crate) mod visit;
