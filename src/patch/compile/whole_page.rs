//! Patches without a selector of their own: `urls` and `optimize`.

use super::Compiler;
use crate::config::model;
use crate::config::node::Path;
use crate::patch::Action;
use crate::patch::head::Head;

impl Compiler<'_> {
    /// Compiles `urls` and `optimize`; `None` where the patch has neither, or too much is wrong with it.
    pub(super) fn whole_page(&mut self, patch: &model::Patch, path: &Path) -> Option<(Action, Head)> {
        let name = if patch.urls.is_some() { "urls" } else { "optimize" };
        let others = [
            ("select", patch.select.is_some()),
            ("redirect", patch.redirect.is_some()),
            ("rewrite", patch.rewrite.is_some()),
            ("request_headers", patch.request_headers.is_some()),
            ("response_headers", patch.response_headers.is_some()),
        ];
        for (other, _) in others.iter().filter(|(_, there)| *there) {
            self.report(path, format!("`{name}` and `{other}` can't be in one patch; write two"));
        }
        if patch.edits_elements() {
            self.report(path, format!("`{name}` and edits of elements can't be in one patch; write two"));
        }
        if patch.all {
            self.report(
                &path.clone().key("all"),
                format!("`{name}` is done everywhere as it is; leave `all` out"),
            );
        }
        let mut edits = Vec::new();
        let mut head = Head::default();
        if let Some(urls) = &patch.urls {
            let (edit, rules) = self.urls(urls, &path.clone().key("urls"))?;
            edits.push(edit);
            head.urls = Some(rules);
        }
        if let Some(optimize) = &patch.optimize {
            self.optimize(optimize, &path.clone().key("optimize"), &mut edits, &mut head.links);
        }
        Some((Action::Elements(edits), head))
    }
}
