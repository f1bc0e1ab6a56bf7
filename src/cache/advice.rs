//! What can be used and may not do what was meant: the classic mistakes that make a page uncacheable, or stored far too often.

use http::{HeaderName, header};

use super::key::CacheKey;
use crate::config::model::{self, CacheControl, RequestCookies};
use crate::config::node::Path;
use crate::config::problem::{Code, Problem};

/// Advice on the cache of a route; `path` is the route's.
pub(crate) fn advise(key: &CacheKey, route: &model::Route, path: &Path, advice: &mut Vec<Problem>) {
    let mut advisor = Advisor { key, route, path, advice };
    advisor.on_what_has_no_effect();
    if key.is_stored() {
        advisor.on_the_key();
    }
    advisor.on_cookies();
    advisor.on_caches_in_front();
    advisor.on_response_headers();
    advisor.on_matches();
}

struct Advisor<'a> {
    key: &'a CacheKey,
    route: &'a model::Route,
    path: &'a Path,
    advice: &'a mut Vec<Problem>,
}

impl Advisor<'_> {
    fn add(&mut self, code: Code, path: Path, message: impl Into<String>) {
        self.advice.push(Problem::advice(code, path, message));
    }

    fn cache(&self) -> Path {
        self.path.clone().key("cache")
    }

    fn on_what_has_no_effect(&mut self) {
        if self.key.reads().is_some() {
            return;
        }
        let remains = "has an effect only where caches may keep the route; add `cache.store`, or `cache.cdn` with a lifetime";
        if !self.route.origin_reads.is_empty() {
            self.add(
                Code::IneffectiveField,
                self.path.clone().key("origin_reads"),
                format!("`origin_reads` {remains}"),
            );
        }
        if !self.key.droppable_cookies().is_empty() {
            self.add(
                Code::IneffectiveField,
                self.cache().key("droppable_cookies"),
                format!("`droppable_cookies` {remains}"),
            );
        }
    }

    /// A key that works, and is larger or more personal than it looks.
    fn on_the_key(&mut self) {
        if self.key.query().is_none_or(|query| !query.drops()) {
            let message = "any query a visitor makes up is another stored page; write `query: { keep: […] }` or `query: { drop: [tracking] }`";
            self.add(Code::OpenQueryKey, self.cache().key("query"), message);
        }
        for (index, read) in self.route.origin_reads.iter().enumerate().filter(|(_, read)| read.any_value) {
            let path = self.path.clone().key("origin_reads").index(index);
            if let Some(cookie) = &read.cookie {
                let message = format!(
                    "the page is stored once for each value of the cookie \"{cookie}\"; a session in it makes every page one visitor's own"
                );
                self.add(Code::UnboundedKey, path, message);
            } else if let Some(message) = read.header.as_deref().and_then(|name| self.on_header(name)) {
                self.add(Code::UnboundedKey, path, message);
            }
        }
    }

    fn on_header(&self, name: &str) -> Option<String> {
        let name = HeaderName::try_from(name).ok()?;
        if self.key.headers().names().any(|known| known == name) {
            return None;
        }
        Some(match name.as_str() {
            "user-agent" => {
                "there are as many user agents as browsers and versions, each with its own stored page; write `cache: { headers: { user_agent: device } }`".into()
            }
            "accept-language" => {
                "browsers send hundreds of these, each with its own stored page; write `cache: { headers: { accept_language: [en, de] } }`".into()
            }
            "authorization" | "proxy-authorization" => {
                format!("a page for the bearer of \"{name}\" is one visitor's own; leave such routes without `store`")
            }
            _ => format!("each value of \"{name}\" that a visitor makes up has its own stored page; let the edge set it to one of a few"),
        })
    }

    fn on_cookies(&mut self) {
        let Some(cache) = &self.route.cache else { return };
        let is_kept =
            |control: Option<&CacheControl>| control.is_some_and(|it| !it.0.no_store && !it.0.private);
        for (index, rule) in cache.rules.iter().enumerate() {
            let by_any = rule.cookies == Some(RequestCookies::Any);
            if by_any
                && self.key.reads().is_some()
                && !is_kept(rule.store.as_ref())
                && !is_kept(rule.cdn.as_ref())
            {
                let message = "nearly every visitor has some cookie, if only one of a script that counts visits, so nearly nothing comes \
                               from a cache; name the cookies of a session";
                self.add(Code::AnyCookieRule, self.cache().key("rules").index(index).key("cookies"), message);
            }
        }
    }

    fn on_caches_in_front(&mut self) {
        let Some(cache) = &self.route.cache else { return };
        let of_rules = cache.rules.iter().enumerate().map(|(index, rule)| {
            (self.cache().key("rules").index(index), rule.browser.as_ref(), rule.cdn.as_ref())
        });
        let own = (self.cache(), cache.browser.as_ref(), cache.cdn.as_ref());
        let audiences: Vec<_> = [own].into_iter().chain(of_rules).collect();
        for (path, _, cdn) in audiences {
            let Some(CacheControl(cdn)) = cdn else { continue };
            for (index, name) in cdn.key.iter().enumerate() {
                let message = match name.to_ascii_lowercase().as_str() {
                    "user-agent" => {
                        "there are as many user agents as browsers and versions, and that cache keeps a page for each; have it tell \
                         devices apart in a header of its own, and name that"
                    }
                    "accept-language" => {
                        "browsers send hundreds of these, and that cache keeps a page for each; have it negotiate the language into a \
                         header of its own, and name that"
                    }
                    _ => continue,
                };
                self.add(Code::UnboundedKey, path.clone().key("cdn").key("key").index(index), message);
            }
        }
    }

    fn on_response_headers(&mut self) {
        for (index, patch) in self.route.patches.iter().enumerate() {
            let Some(changes) = &patch.response_headers else { continue };
            let path = self.path.clone().key("patches").index(index).key("response_headers");
            for (word, values) in [("set", &changes.set), ("add", &changes.add)] {
                for (name, value) in values.iter().filter(|(name, _)| name.eq_ignore_ascii_case("vary")) {
                    let path = path.clone().key(word).key(name);
                    for varied in value.split(',').map(str::trim) {
                        if varied == "*" {
                            self.add(Code::UncacheableVary, path.clone(), "no cache, not even a browser's, uses a response with `Vary: *` again; leave it out");
                        } else if varied.eq_ignore_ascii_case("user-agent") {
                            let message = "there are as many user agents as browsers and versions, and caches keep a page for each; \
                                           write `cache: { headers: { user_agent: device } }`, which says so in a header of three values";
                            self.add(Code::UncacheableVary, path.clone(), message);
                        } else if varied.eq_ignore_ascii_case("cookie") {
                            let message = "hardly two visitors have the same cookies, so no shared cache finds such a page again; declare \
                                           the cookies that count in `origin_reads`";
                            self.add(Code::UncacheableVary, path.clone(), message);
                        }
                    }
                }
            }
            let removed = changes.remove.iter().enumerate();
            for (at, name) in removed.filter(|(_, name)| name.eq_ignore_ascii_case(header::ETAG.as_str())) {
                let message = format!(
                    "without \"{name}\" browsers and caches can't ask whether a page is still good: each time it comes whole"
                );
                self.add(Code::RemovedValidator, path.clone().key("remove").index(at), message);
            }
        }
    }

    /// What chooses the route here may be taken away before it chooses anything behind.
    fn on_matches(&mut self) {
        let Some(matches) = &self.route.matches else { return };
        let path = self.path.clone().key("match");
        let unseen = |what: &str, name: &str, fix: &str| {
            format!(
                "the route is chosen by the {what} \"{name}\", which what stands behind does not see; {fix}"
            )
        };
        let is_dropped = |name: &str| self.key.query().is_some_and(|query| !query.keeps(name));
        for name in matches.query.keys().filter(|name| is_dropped(name)) {
            self.add(
                Code::UnseenMatch,
                path.clone().key("query").key(name),
                unseen("parameter", name, "keep it in `cache.query`"),
            );
        }
        let is_taken =
            |name: &str| self.key.reads().is_some_and(|reads| !reads.may_vary(&name.to_ascii_lowercase()));
        for name in matches.headers.keys().filter(|name| is_taken(name)) {
            self.add(
                Code::UnseenMatch,
                path.clone().key("headers").key(name),
                unseen("header", name, "add it to `origin_reads`"),
            );
        }
    }
}
