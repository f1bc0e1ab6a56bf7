//! Decisions: what a visitor is to see.

pub mod bucket;
pub mod condition;
pub mod decrypt;
pub mod hash;
pub mod namespace;
mod pattern;
mod url;
pub mod url_targeting;
