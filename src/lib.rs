//! Personalised pages that stay cached: the core.

pub mod cache;
pub mod config;
pub mod decide;
pub mod engine;
pub mod exchange;
pub mod headers;
pub mod html;
pub mod patch;
pub mod request;
pub mod route;
pub mod template;
