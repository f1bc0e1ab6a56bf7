//! Cache policies that say something else than they seem to.

use http::StatusCode;

use super::{Lint, Part};
use crate::config::model::{Cache, CacheControl, CacheMode, CacheRule, Directives, StatusPattern};
use crate::config::node::Path;
use crate::config::problem::Code;

impl Lint<'_> {
    pub(super) fn policies(&mut self, part: &Part<'_>) {
        let Some(cache) = &part.written.cache else { return };
        let path = part.path.clone().key("cache");
        let edits_pages = part.route.patches.iter().any(|patch| patch.edits_elements() || patch.edits_json());
        for audience in audiences(&cache.browser, &cache.cdn, &cache.store) {
            self.on_directives(audience, cache.mode, edits_pages, &path);
        }
        for (index, rule) in cache.rules.iter().enumerate() {
            let path = path.clone().key("rules").index(index);
            for audience in audiences(&rule.browser, &rule.cdn, &rule.store) {
                // What a rule is for may be no page.
                self.on_directives(audience, rule.mode.unwrap_or(cache.mode), false, &path);
            }
            self.on_errors(cache, rule, &path);
        }
    }

    fn on_directives(
        &mut self,
        (name, directives): (&str, &Directives),
        mode: CacheMode,
        edits_pages: bool,
        path: &Path,
    ) {
        let is_stale_used =
            directives.stale_while_revalidate.is_some() || directives.stale_if_error.is_some();
        let has_lifetime = directives.max_age.is_some() || directives.s_maxage.is_some();
        // In the other modes the lifetime is the origin's.
        if is_stale_used && !has_lifetime && mode == CacheMode::Override {
            let message = "it says how long a response may be used once it is stale, and not how long it is fresh, so each cache makes \
                           that up; add `max_age`";
            self.add(Code::StaleWithoutLifetime, path.clone().key(name), message);
        }
        if name == "browser" && directives.immutable && edits_pages {
            let message = "browsers never ask again for what is `immutable`, so no visitor who has the page gets a patch that is changed or \
                           switched off; leave it to files whose names change with their content";
            self.add(Code::ImmutablePage, path.clone().key(name), message);
        }
    }

    fn on_errors(&mut self, cache: &Cache, rule: &CacheRule, path: &Path) {
        let is_of_server = |pattern: &StatusPattern| match pattern {
            StatusPattern::Class(digit) => *digit == 5,
            StatusPattern::Status(status) => {
                StatusCode::from_u16(*status).is_ok_and(|status| status.is_server_error())
            }
        };
        let Some(status) = rule.status.iter().find(|pattern| is_of_server(pattern)) else { return };
        let pages: Vec<_> = audiences(&cache.browser, &cache.cdn, &cache.store).collect();
        for (name, errors) in audiences(&rule.browser, &rule.cdn, &rule.store) {
            let pages = pages.iter().find(|(audience, _)| *audience == name);
            let Some((Some(pages), Some(errors))) =
                pages.map(|(_, pages)| (lifetime(pages), lifetime(errors)))
            else {
                continue;
            };
            if errors > pages {
                let message = format!(
                    "a {status} is kept for {errors} s and a page for {pages} s, so a failure of a moment outlives what works; give errors the \
                     shorter lifetime"
                );
                self.add(Code::LongLivedErrors, path.clone().key(name), message);
            }
        }
    }
}

fn audiences<'c>(
    browser: &'c Option<CacheControl>,
    cdn: &'c Option<CacheControl>,
    store: &'c Option<CacheControl>,
) -> impl Iterator<Item = (&'static str, &'c Directives)> {
    let all = [("browser", browser), ("cdn", cdn), ("store", store)];
    all.into_iter().filter_map(|(name, control)| Some((name, &control.as_ref()?.0)))
}

/// For how many seconds it is fresh.
fn lifetime(directives: &Directives) -> Option<u64> {
    let longest = directives.s_maxage.max(directives.max_age);
    longest.map(|it| it.seconds().into())
}
