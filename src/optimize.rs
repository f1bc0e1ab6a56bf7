//! `optimize`: hints and orders that make a page load faster.
//!
//! Each option counts as a patch of its own in reports (`lazy_images`, `async_scripts`, …), and is undone by leaving it out.
//! What the page itself says about how something loads stays.

pub mod delay;
pub(crate) mod fonts;
pub(crate) mod lazy;
pub(crate) mod links;
pub(crate) mod scripts;

#[cfg(test)]
mod tests;
