//! Personalised pages that stay cached: the core.

pub mod cache;
pub mod coding;
pub mod config;
pub mod csp;
mod css;
pub mod decide;
pub mod decisions;
pub mod engine;
pub mod exchange;
pub mod explain;
pub mod exposure;
pub mod feed;
pub mod find;
pub mod headers;
pub mod html;
pub mod json;
#[cfg(feature = "lint")]
pub mod lint;
pub mod live;
mod names;
pub mod optimize;
pub mod patch;
pub mod request;
pub mod route;
pub mod template;
pub mod urls;
