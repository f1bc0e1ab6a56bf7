//! What is worth a remark on a page.

use std::collections::BTreeMap;

use engraft::config::node::Path;
use engraft::config::problem::{Code, Problem};

use super::{PatchSeen, Seen};

/// A patch, or a part of one, on the pages that are known to be of its route.
struct OnPages<'s> {
    path: Path,
    seen: Vec<(&'s Seen, &'s PatchSeen)>,
}

/// Remarks on patches, without places in a text.
pub(in crate::check) fn remarks(seen: &[Seen]) -> Vec<Problem> {
    let mut patches: BTreeMap<(usize, usize, &str), OnPages<'_>> = BTreeMap::new();
    for page in seen.iter().filter(|page| page.is_certain) {
        for patch in &page.patches {
            let key = (page.number, patch.number, patch.patch.as_str());
            let on_pages = patches.entry(key).or_insert_with(|| OnPages::new(page.number, patch));
            on_pages.seen.push((page, patch));
        }
    }
    patches.values().flat_map(OnPages::remarks).collect()
}

impl<'s> OnPages<'s> {
    fn new(route: usize, patch: &PatchSeen) -> Self {
        let path = Path::default().key("routes").index(route).key("patches").index(patch.number);
        let path = match &patch.select {
            Some(_) => path.key("select"),
            None if patch.is_anywhere => path,
            None => path.key("json"),
        };
        Self { path, seen: Vec::new() }
    }

    fn remarks(&self) -> Vec<Problem> {
        let nowhere = self.no_match();
        if nowhere.is_some() {
            return nowhere.into_iter().collect();
        }
        self.many_matches().into_iter().chain(self.not_applied()).collect()
    }

    /// It is looked for, and on none of the pages.
    fn no_match(&self) -> Option<Problem> {
        let (_, first) = self.seen.first()?;
        if first.is_anywhere || self.seen.iter().any(|(_, patch)| patch.matches > 0) {
            return None;
        }
        let (pages, _) = self.pages(|_| true)?;
        let message = match &first.select {
            Some(select) => format!(
                "`{select}` selects nothing in {pages}; write a selector of something that is there, or take the patch out"
            ),
            None => format!("none of the patch's places is in {pages}; write JSON Pointers to what is there"),
        };
        Some(Problem::advice(Code::NoMatch, self.path.clone(), message))
    }

    fn many_matches(&self) -> Option<Problem> {
        let (pages, first) = self.pages(|it| !it.all && it.matches > 1 && it.select.is_some())?;
        let message = format!(
            "{} elements match in {pages}, and the first one counts; select it alone, or write `all: true`",
            first.matches
        );
        Some(Problem::advice(Code::ManyMatches, self.path.clone(), message))
    }

    fn not_applied(&self) -> Option<Problem> {
        let (pages, first) = self.pages(|it| it.applied == 0 && !it.skipped.is_empty())?;
        let reasons: Vec<&str> = first.skipped.keys().copied().collect();
        let message = format!(
            "patch {} would be skipped in {pages} ({}); docs/patches.md says why a patch is skipped",
            first.patch,
            reasons.join(", ")
        );
        Some(Problem::advice(Code::NotApplied, self.path.clone(), message))
    }

    /// The names of the pages on which it is so, and what is seen on the first of them.
    fn pages(&self, is_so: impl Fn(&PatchSeen) -> bool) -> Option<(String, &'s PatchSeen)> {
        let found: Vec<_> = self.seen.iter().filter(|(_, patch)| is_so(patch)).collect();
        let (_, first) = found.first()?;
        let names: Vec<&str> = found.iter().map(|(page, _)| page.page.as_str()).collect();
        Some((names.join(", "), first))
    }
}
