//! Decisions: what a visitor is to see.

pub mod auto;
pub mod bandit;
pub mod bucket;
pub mod condition;
pub mod decrypt;
pub mod evaluation;
pub mod experiment;
pub mod feature;
pub mod fields;
mod filter;
pub mod hash;
mod identity;
pub mod namespace;
mod pattern;
pub mod payload;
pub mod prerequisite;
pub mod query_override;
pub mod result;
pub mod sticky;
mod url;
pub mod url_targeting;
pub mod visitor;
