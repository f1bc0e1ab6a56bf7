//! Personalised pages that stay cached: the core.

pub mod config;
pub mod decide;
pub mod html;
pub mod request;
pub mod template;
