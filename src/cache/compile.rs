//! From the policy of a route to headers, with everything that is wrong with it.

use std::collections::BTreeSet;

use http::{HeaderName, header};

use super::check::{contradictions, is_shared, key, leak, lets_front_keep, says_shared, unkeyed};
use super::dialect::{Syntax, both, own_header};
use super::rule::{Criteria, is_content_type};
use super::tags::Limits;
use super::{
    Cache, CacheControl, CacheHeaders, CacheMode, CdnDialect, Directives, Kind, OF_MATCH, Path, Policy,
    Problem, Subject, Target, Template,
};
use crate::config::problem::Code;

/// How many tags and rules a route may have.
const MAX_ENTRIES: usize = 256;

impl CacheHeaders {
    /// Compiles the policy of a route; what is wrong with it goes to `problems`.
    #[must_use]
    pub fn compile(
        cache: Option<&Cache>,
        subject: &Subject<'_>,
        path: &Path,
        problems: &mut Vec<Problem>,
    ) -> Self {
        let dependence = subject.dependence;
        let depends_on: BTreeSet<&str> = dependence.exchange.union(&dependence.pages).copied().collect();
        let mut headers = Self {
            beyond_pages: !dependence.exchange.is_empty(),
            depends_on: depends_on.iter().map(|name| (*name).to_owned()).collect(),
            ..Self::default()
        };
        let Some(cache) = cache else { return headers };
        let mut compiler = Compiler { subject, depends_on: &depends_on, dialects: Vec::new(), problems };
        compiler.dialects(cache.cdn_dialects.as_deref(), path);
        let general_key = cache.cdn.as_ref().map(|cdn| cdn.0.key.as_slice()).unwrap_or_default();
        let of_rules = path.clone().key("rules");
        if cache.rules.len() > MAX_ENTRIES {
            compiler.report(&of_rules, format!("{} rules are more than {MAX_ENTRIES}", cache.rules.len()));
        }
        for (index, rule) in cache.rules.iter().enumerate() {
            let path = of_rules.clone().index(index);
            let criteria = compiler.criteria(rule, &path);
            let said = Audiences {
                browser: rule.browser.as_ref(),
                cdn: rule.cdn.as_ref(),
                store: rule.store.as_ref(),
                mode: rule.mode.unwrap_or(cache.mode),
                general_key,
            };
            headers.policies.push(compiler.policy(criteria, &said, &path));
        }
        let said = Audiences {
            browser: cache.browser.as_ref(),
            cdn: cache.cdn.as_ref(),
            store: cache.store.as_ref(),
            mode: cache.mode,
            general_key,
        };
        let own = compiler.policy(Criteria::default(), &said, path);
        headers.policies.push(own);
        headers.tag_headers = compiler.tag_headers();
        if !cache.tags.is_empty() {
            compiler.tags(&cache.tags, general_key, &path.clone().key("tags"), &mut headers);
        }
        headers
    }
}

struct Compiler<'a> {
    subject: &'a Subject<'a>,
    depends_on: &'a BTreeSet<&'a str>,
    dialects: Vec<CdnDialect>,
    problems: &'a mut Vec<Problem>,
}

/// What a policy says to whom.
struct Audiences<'a> {
    browser: Option<&'a CacheControl>,
    cdn: Option<&'a CacheControl>,
    store: Option<&'a CacheControl>,
    mode: CacheMode,
    /// The key of the caches in front, where the policy names none.
    general_key: &'a [String],
}

impl Compiler<'_> {
    fn report(&mut self, path: &Path, message: impl Into<String>) {
        self.problems.push(Problem::new(Kind::InvalidValue, path.clone(), message));
    }

    fn report_leak(&mut self, path: &Path, message: String) {
        let problem = Problem::new(Kind::InvalidValue, path.clone(), message);
        self.problems.push(problem.coded(Code::SharedPersonalPage));
    }

    fn dialects(&mut self, dialects: Option<&[CdnDialect]>, path: &Path) {
        let dialects = dialects.unwrap_or(&[CdnDialect::Rfc9213]);
        if dialects.is_empty() {
            self.report(
                &path.clone().key("cdn_dialects"),
                "the list is empty, so no cache in front is spoken to; name some, or leave it out for rfc9213",
            );
        }
        for dialect in dialects {
            if !self.dialects.contains(dialect) {
                self.dialects.push(*dialect);
            }
        }
    }

    fn criteria(&mut self, rule: &crate::config::model::CacheRule, path: &Path) -> Criteria {
        if rule.status.is_empty() && rule.content_types.is_empty() && rule.cookies.is_none() {
            self.report(
                path,
                "the rule fits every response that the policy itself is for; add `status`, `content_types` or `cookies`",
            );
        }
        if rule.browser.is_none() && rule.cdn.is_none() && rule.store.is_none() && rule.mode.is_some() {
            self.report(
                path,
                "`mode` says how something is said, and nothing is; add `browser`, `cdn` or `store`",
            );
        }
        let content_types: Vec<String> =
            rule.content_types.iter().map(|name| name.to_ascii_lowercase()).collect();
        for (index, name) in content_types.iter().enumerate() {
            if !is_content_type(name) {
                let path = path.clone().key("content_types").index(index);
                self.report(
                    &path,
                    format!("\"{name}\" is not a content type; write text/css, or image/* for all of a kind"),
                );
            }
        }
        if let Some(crate::config::model::RequestCookies::Named(names)) = &rule.cookies
            && (names.is_empty() || names.iter().any(String::is_empty))
        {
            let path = path.clone().key("cookies");
            self.report(&path, "a cookie without a name is in no request; name some, or write `any`");
        }
        Criteria { status: rule.status.clone(), content_types, cookies: rule.cookies.clone() }
    }

    fn policy(&mut self, criteria: Criteria, said: &Audiences<'_>, path: &Path) -> Policy {
        let subject = self.subject;
        let may_be_personal = !self.depends_on.is_empty()
            && (!subject.dependence.exchange.is_empty()
                || criteria.may_be_page(subject.content_types, subject.edits_json));
        for (name, control) in [("browser", said.browser), ("cdn", said.cdn), ("store", said.store)] {
            let Some(CacheControl(directives)) = control else { continue };
            let path = path.clone().key(name);
            contradictions(directives, &mut |message| {
                let problem = Problem::new(Kind::InvalidValue, path.clone(), message);
                self.problems.push(problem.coded(Code::ContradictoryDirectives));
            });
            if name != "cdn" && !directives.key.is_empty() {
                let path = path.key("key");
                self.report(&path, format!("`key` is what the caches in front tell responses apart by, and {name} is not one; write it in `cdn`"));
            }
        }
        let keyed_by = self.key(said, path);
        let is_keyed = !keyed_by.is_empty();
        let browser = said.browser.map(|browser| &browser.0);
        let cdn = said.cdn.map(|cdn| &cdn.0);
        if may_be_personal {
            if browser.is_some_and(says_shared) {
                let names: Vec<&str> = self.depends_on.iter().copied().collect();
                self.report_leak(&path.clone().key("browser"), leak(&names, "browser", false, subject));
            }
            if cdn.is_some_and(is_shared) && !is_keyed {
                let own = said.cdn.map(|cdn| cdn.0.key.as_slice()).filter(|key| !key.is_empty());
                let key = key(own.unwrap_or(said.general_key), &mut |_, _| {});
                let names = unkeyed(self.depends_on.iter().copied(), &key, subject);
                self.report_leak(&path.clone().key("cdn"), leak(&names, "cdn", false, subject));
            }
        }
        Policy {
            mode: said.mode,
            targets: self.targets(browser, cdn, path),
            cdn: cdn.cloned(),
            store: said.store.map(|store| store.0.clone()),
            key: keyed_by,
            is_private: may_be_personal,
            is_kept_in_front: lets_front_keep(browser, cdn),
            criteria,
        }
    }

    /// The request headers by which the caches in front tell visitors apart; none where the route depends on more.
    fn key(&mut self, said: &Audiences<'_>, path: &Path) -> Vec<HeaderName> {
        let Some(CacheControl(cdn)) = said.cdn else { return Vec::new() };
        let at = path.clone().key("cdn").key("key");
        let names = if cdn.key.is_empty() { said.general_key } else { &cdn.key };
        let mut refused = Vec::new();
        let key = key(names, &mut |index, message| refused.push((index, message)));
        if !cdn.key.is_empty() {
            for (index, message) in refused {
                self.report(&at.clone().index(index), message);
            }
            if !is_shared(cdn) {
                self.report(&at, "what no shared cache keeps is told apart by nothing; leave `key` out");
            }
        }
        if key.is_empty() || !unkeyed(self.depends_on.iter().copied(), &key, self.subject).is_empty() {
            return Vec::new();
        }
        let attributes = self.depends_on.iter().filter(|name| !name.starts_with(OF_MATCH));
        let unbounded = attributes.filter(|name| !self.subject.attributes.is_bounded(name));
        let unbounded: Vec<String> = unbounded
            .map(|name| {
                format!(
                    "\"{name}\" has as many values as visitors make up, and the cache would keep a page for each; give the attribute \
                     `values` and `otherwise`"
                )
            })
            .collect();
        for message in unbounded {
            self.report(&at, message);
        }
        key
    }

    fn targets(
        &mut self,
        browser: Option<&Directives>,
        cdn: Option<&Directives>,
        path: &Path,
    ) -> Vec<Target> {
        let own_headers: BTreeSet<String> = self
            .dialects
            .iter()
            .filter_map(|dialect| own_header(*dialect))
            .map(|name| name.to_string())
            .collect();
        let by_cache_control = self.dialects.iter().any(|dialect| own_header(*dialect).is_none());
        let mut targets = Vec::new();
        match (browser, cdn) {
            (None, Some(_)) if by_cache_control => self.report(
                &path.clone().key("cdn"),
                "a cache of `cdn_dialects` reads `Cache-Control`, as the browser does, so both must be said; add `browser`",
            ),
            (Some(browser), Some(cdn)) if by_cache_control => {
                let (said, reasons) = both(browser, cdn);
                for reason in reasons {
                    let message = format!("{reason} (a cache of `cdn_dialects` reads `Cache-Control`, as the browser does)");
                    self.report(&path.clone().key("cdn"), message);
                }
                targets.push(target(header::CACHE_CONTROL, said, is_shared(cdn)));
            }
            (Some(browser), _) => targets.push(target(header::CACHE_CONTROL, browser.clone(), false)),
            (None, _) => {}
        }
        if let Some(cdn) = cdn {
            let names = own_headers.into_iter().filter_map(|name| HeaderName::try_from(name).ok());
            let mut names: Vec<HeaderName> = names.collect();
            // What is written alike comes in a row: it is worked out once.
            names.sort_by_key(Syntax::of);
            targets.extend(names.into_iter().map(|name| target(name, cdn.clone(), true)));
        }
        targets
    }

    fn tag_headers(&self) -> Vec<Limits> {
        let mut headers: Vec<Limits> = Vec::new();
        for limits in self.dialects.iter().filter_map(|dialect| Limits::of(*dialect)) {
            if !headers.iter().any(|other| other.name == limits.name) {
                headers.push(limits);
            }
        }
        headers
    }

    fn tags(&mut self, tags: &[String], key_names: &[String], path: &Path, headers: &mut CacheHeaders) {
        if headers.tag_headers.is_empty() {
            self.report(path, "no cache of `cdn_dialects` has tags; add one that has, or leave `tags` out");
        }
        if tags.len() > MAX_ENTRIES {
            self.report(path, format!("{} tags are more than {MAX_ENTRIES}", tags.len()));
        }
        let key = key(key_names, &mut |_, _| {});
        for (index, source) in tags.iter().enumerate() {
            let path = path.clone().index(index);
            let template = match Template::parse(source, self.subject.attributes) {
                Ok(template) => template,
                Err(error) => {
                    let problem = Problem::new(Kind::InvalidValue, path, error.to_string());
                    self.problems.push(problem.coded(Code::InvalidTemplate));
                    continue;
                }
            };
            if template.expressions().any(crate::template::Expression::is_raw) {
                self.report(&path, "`raw` is for markup, and a tag is none; leave it out");
            }
            if template.constant() == Some("") {
                self.report(&path, "the tag is empty; nothing can be purged by it");
            }
            self.tag_fits(&template, &headers.tag_headers, &path);
            let of_visitor: Vec<&str> = template
                .attributes()
                .filter(|name| self.subject.attributes.depends_on_visitor(name))
                .collect();
            let unkeyed = unkeyed(of_visitor, &key, self.subject);
            if !unkeyed.is_empty() {
                self.report_leak(&path, leak(&unkeyed, "cdn", true, self.subject));
            }
            headers.reads.extend(template.attributes().map(str::to_owned));
            headers.tags.push(template);
        }
        let constants: Vec<&str> = headers.tags.iter().filter_map(Template::constant).collect();
        let bytes: usize = constants.iter().map(|tag| tag.len().saturating_add(1)).sum();
        for limits in &headers.tag_headers {
            if bytes > limits.max_bytes || constants.len() > limits.max_tags {
                let message = format!(
                    "{} constant tags with {bytes} bytes are more than `{}` holds; at most {} and {} bytes",
                    constants.len(),
                    limits.name,
                    limits.max_tags,
                    limits.max_bytes
                );
                self.problems.push(Problem::new(Kind::InvalidValue, path.clone(), message));
            }
        }
    }

    /// What is constant in a tag must fit into every header that it is to stand in.
    fn tag_fits(&mut self, template: &Template, headers: &[Limits], path: &Path) {
        let literals = template.parts().iter().filter_map(|part| match part {
            crate::template::Part::Literal(text) => Some(text.as_str()),
            crate::template::Part::Value(_) => None,
        });
        let literals: Vec<&str> = literals.collect();
        let bytes: usize = literals.iter().map(|text| text.len()).sum();
        for limits in headers {
            if let Some(misfit) = literals.iter().find_map(|text| limits.misfit(text)) {
                self.report(
                    path,
                    format!("{misfit:?} can't stand in a tag of `{}`; write `-` instead", limits.name),
                );
            }
            if bytes > limits.max_tag_bytes {
                self.report(
                    path,
                    format!(
                        "{bytes} bytes are too long for a tag of `{}`; at most {}",
                        limits.name, limits.max_tag_bytes
                    ),
                );
            }
        }
    }
}

fn target(name: HeaderName, ours: Directives, is_for_cdn: bool) -> Target {
    let syntax = Syntax::of(&name);
    let mut sealed = ours.clone();
    sealed.private |= !sealed.no_store || sealed.must_understand;
    sealed.public = false;
    sealed.s_maxage = None;
    Target { value: syntax.value(&ours, true), sealed: syntax.value(&sealed, true), name, ours, is_for_cdn }
}
