//! Personalised pages that stay cached: the core.
