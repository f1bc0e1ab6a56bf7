//! Values that go into the page as they are.
//!
//! The compiler lets them pass only where the configuration writes every one of them. So nothing leaks today; whoever adds a value
//! tomorrow writes markup, and should know.

use std::collections::BTreeSet;

use super::{Lint, Part};
use crate::config::problem::Code;
use crate::patch::Action;

impl Lint<'_> {
    pub(super) fn raw_values(&mut self, part: &Part<'_>) {
        for (path, _, patch) in part.patches() {
            let Action::Elements(edits) = &patch.action else { continue };
            let names: BTreeSet<&str> = edits.iter().flat_map(|edit| edit.raw_attributes()).collect();
            for name in names {
                let values = self.engine.attributes().values(name).map_or(0, <[String]>::len);
                let message = format!(
                    "\"{name}\" is inserted as markup, unescaped: each of its {values} values and `otherwise` is part of the page; leave \
                     `raw` out where they are texts"
                );
                self.add(Code::RawValue, path.clone(), message);
            }
        }
    }
}
