//! Query parameters, decoded once for all routes that ask.
//!
//! Answers for the first parameter of each name. Nothing is read until a route asks, so a long query costs nothing
//! where nobody looks at it, and one pass where a thousand routes do.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::BTreeMap;

use crate::request::target::{Parameter, Target};

/// The query of one request.
pub(super) struct Parameters<'r> {
    target: Target<'r>,
    first: OnceCell<BTreeMap<Cow<'r, str>, Parameter<'r>>>,
}

impl<'r> Parameters<'r> {
    pub(super) const fn new(target: Target<'r>) -> Self {
        Self { target, first: OnceCell::new() }
    }

    /// The decoded value of the first parameter of that name.
    pub(super) fn value(&self, name: &str) -> Option<Cow<'r, str>> {
        let first = self.first.get_or_init(|| {
            let mut first = BTreeMap::new();
            for parameter in self.target.parameters() {
                first.entry(parameter.name()).or_insert(parameter);
            }
            first
        });
        first.get(name).map(|parameter| parameter.value())
    }
}
