//! Decisions: what a visitor is to see.

pub mod condition;
