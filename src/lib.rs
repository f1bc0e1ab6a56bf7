//! Personalised pages that stay cached: the core.

pub mod html;
