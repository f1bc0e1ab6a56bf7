//! `optimize`, compiled: an edit for each option.

use std::sync::Arc;

use http::HeaderValue;

use super::Compiler;
use crate::config::model::{self, CrossOrigin, Destination, FetchPriority, FontDisplay};
use crate::config::node::Path;
use crate::html::operation::{Dynamic, Landmark, Site};
use crate::optimize::delay::{Delay, LOADER};
use crate::optimize::lazy::Lazy;
use crate::optimize::scripts::{self, ScriptLoading, ScriptMatcher};
use crate::optimize::{fonts, links};
use crate::patch::element::{ElementEdit, Markup, PageSteps, Slot, Step};
use crate::template::Escaped;
use crate::urls::reference::{Reference, Site as UrlSite};

impl Compiler<'_> {
    /// Adds the edits of the page to `edits`, and the values of `Link` headers to `headers`.
    pub(super) fn optimize(
        &mut self,
        optimize: &model::Optimize,
        path: &Path,
        edits: &mut Vec<ElementEdit>,
        headers: &mut Vec<HeaderValue>,
    ) {
        let at = |key: &str| path.clone().key(key);
        let before = self.problems.len();
        let first = edits.len();
        self.links(optimize, path, edits, headers);
        // Before the lazy ones, which leave alone what is urgent.
        for (index, hint) in optimize.fetchpriority.iter().enumerate() {
            let selector = self.selector(&hint.select, &at("fetchpriority").index(index).key("select"));
            let value = self.text_template(priority(hint.priority), path);
            let edit = selector.zip(value).map(|(selector, value)| ElementEdit {
                part: Some("fetchpriority"),
                refusal: None,
                site: Site::Elements { selector, all: true, skip_first: 0 },
                steps: vec![Step::SetAttribute("fetchpriority".into(), Escaped::text(&value), Dynamic::No)],
                fallback: None,
            });
            edits.extend(edit);
        }
        let lazy = [
            ("lazy_images", "img", Lazy::Images, optimize.lazy_images),
            ("lazy_frames", "iframe[src]", Lazy::Frames, optimize.lazy_frames),
        ];
        for (part, select, lazy, option) in lazy {
            if let Some(option) = option {
                edits.extend(self.on_all(part, select, option.except_first, [Self::page(lazy)], path));
            }
        }
        let loading = [
            ("async_scripts", "async", &optimize.async_scripts),
            ("defer_scripts", "defer", &optimize.defer_scripts),
        ];
        for (part, attribute, matchers) in loading {
            if !matchers.is_empty() {
                let matchers: Arc<[_]> = self.matchers(matchers, &at(part)).into();
                let steps = [Self::page(ScriptLoading { attribute, matchers })];
                edits.extend(self.on_all(part, scripts::SELECTOR, 0, steps, path));
            }
        }
        if let Some(scripts) = &optimize.third_party_scripts {
            self.third_party_scripts(scripts, &at("third_party_scripts"), edits);
        }
        if let Some(display) = optimize.font_display {
            let steps = [Self::page(fonts::FontDisplay(font_display(display)))];
            edits.extend(self.on_all("font_display", "style", 0, steps, path));
        }
        if edits.len() == first && self.problems.len() == before {
            self.report(path, "no option is named, such as `lazy_images: { except_first: 2 }`");
        }
    }

    fn page(steps: impl PageSteps + 'static) -> Step {
        Step::Page(Box::new(steps))
    }

    fn on_all(
        &mut self,
        part: &'static str,
        select: &str,
        skip_first: u32,
        steps: impl IntoIterator<Item = Step>,
        path: &Path,
    ) -> Option<ElementEdit> {
        let selector = self.selector(select, path)?;
        let site = Site::Elements { selector, all: true, skip_first };
        Some(ElementEdit {
            part: Some(part),
            site,
            refusal: None,
            steps: steps.into_iter().collect(),
            fallback: None,
        })
    }

    fn third_party_scripts(
        &mut self,
        scripts: &model::ThirdPartyScripts,
        path: &Path,
        edits: &mut Vec<ElementEdit>,
    ) {
        if scripts.delay.is_empty() && scripts.drop.is_empty() {
            self.report(path, "no script is named; add `delay` or `drop`");
        }
        let select = |matchers: Vec<ScriptMatcher>| {
            matchers.iter().flat_map(ScriptMatcher::selectors).collect::<Vec<_>>().join(", ")
        };
        // Dropped first: what goes need not wait.
        let dropped = select(self.matchers(&scripts.drop, &path.clone().key("drop")));
        if !dropped.is_empty() {
            let steps = [Step::Insert(Slot::Element, Markup::nothing())];
            edits.extend(self.on_all("drop_scripts", &dropped, 0, steps, path));
        }
        let delayed = select(self.matchers(&scripts.delay, &path.clone().key("delay")));
        if !delayed.is_empty() {
            // With each one: a script without its loader would never run.
            let loader = self.constant_markup(&format!("<script>{LOADER}</script>"), path);
            let steps = loader.map(|loader| [Step::Insert(Slot::Before, loader), Self::page(Delay)]);
            edits.extend(steps.and_then(|steps| self.on_all("delay_scripts", &delayed, 0, steps, path)));
        }
    }

    fn matchers(&mut self, matchers: &[model::UrlMatcher], path: &Path) -> Vec<ScriptMatcher> {
        let matchers = matchers.iter().enumerate();
        matchers.filter_map(|(index, matcher)| self.matcher(matcher, &path.clone().index(index))).collect()
    }

    fn matcher(&mut self, matcher: &model::UrlMatcher, path: &Path) -> Option<ScriptMatcher> {
        match (&matcher.host, &matcher.prefix) {
            (Some(host), None) => {
                let site = self.host(host, &path.clone().key("host"))?;
                Some(ScriptMatcher::Host(site))
            }
            (None, Some(prefix)) => {
                self.url_prefix(prefix, &path.clone().key("prefix")).map(ScriptMatcher::Prefix)
            }
            _ => {
                self.report(path, "name one of `host` and `prefix`");
                None
            }
        }
    }

    fn links(
        &mut self,
        optimize: &model::Optimize,
        path: &Path,
        edits: &mut Vec<ElementEdit>,
        headers: &mut Vec<HeaderValue>,
    ) {
        let at = |key: &str, index: usize| path.clone().key(key).index(index);
        let preconnect = optimize.preconnect.iter().enumerate();
        let preconnect: Vec<_> =
            preconnect.filter_map(|(index, link)| self.preconnect(link, &at("preconnect", index))).collect();
        let preload = optimize.preload.iter().enumerate();
        let preload: Vec<_> =
            preload.filter_map(|(index, link)| self.preload(link, &at("preload", index))).collect();
        if optimize.link_header && optimize.preconnect.is_empty() && optimize.preload.is_empty() {
            self.report(
                &path.clone().key("link_header"),
                "there is nothing to say in `Link`; add `preconnect` or `preload`, or leave it out",
            );
        }
        for (part, links) in [("preconnect", preconnect), ("preload", preload)] {
            if links.is_empty() {
                continue;
            }
            if optimize.link_header {
                headers.extend(links.iter().filter_map(|link| HeaderValue::try_from(link.header()).ok()));
            }
            let markup: String = links.iter().map(links::Link::markup).collect();
            let edit = self.constant_markup(&markup, path).map(|markup| ElementEdit {
                part: Some(part),
                refusal: None,
                site: Site::Landmark(Landmark::HeadStart),
                steps: vec![Step::Insert(Slot::Before, markup)],
                fallback: None,
            });
            edits.extend(edit);
        }
    }

    fn preconnect(&mut self, link: &model::Preconnect, path: &Path) -> Option<links::Link> {
        let href = self.href(&link.href, path)?;
        let is_origin = Reference::parse(href)
            .is_some_and(|it| it.site.is_some() && matches!(it.after_origin(), "" | "/"));
        if !is_origin {
            self.report(path, format!("\"{href}\" is not an origin, such as `https://cdn.example`"));
        }
        let mut link_out = links::Link::new("preconnect", href);
        link_out.add("crossorigin", link.crossorigin.map(crossorigin));
        Some(link_out)
    }

    fn preload(&mut self, link: &model::Preload, path: &Path) -> Option<links::Link> {
        let href = self.href(&link.href, &path.clone().key("href"))?;
        if link.destination == Destination::Font && link.crossorigin != Some(CrossOrigin::Anonymous) {
            self.report(
                path,
                "browsers fetch fonts without credentials, and a preload that does otherwise is fetched for nothing; add \
                 `crossorigin: anonymous`",
            );
        }
        if link.destination != Destination::Image && (link.imagesrcset.is_some() || link.imagesizes.is_some())
        {
            self.report(path, "`imagesrcset` and `imagesizes` are for `as: image`");
        }
        let mut link_out = links::Link::new("preload", href);
        link_out.add("as", Some(destination(link.destination)));
        let texts = [
            ("type", &link.kind),
            ("media", &link.media),
            ("imagesrcset", &link.imagesrcset),
            ("imagesizes", &link.imagesizes),
            ("integrity", &link.integrity),
        ];
        for (name, text) in texts {
            if let Some(text) = text {
                self.header_text(text, &path.clone().key(name))?;
                link_out.add(name, Some(text));
            }
        }
        link_out.add("crossorigin", link.crossorigin.map(crossorigin));
        link_out.add("fetchpriority", link.fetchpriority.map(priority));
        Some(link_out)
    }

    /// A URL that can stand in markup and in a header as it is.
    fn href<'t>(&mut self, text: &'t str, path: &Path) -> Option<&'t str> {
        let plain = text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>\\".contains(&byte));
        if !text.contains("{{") && (!plain || Reference::parse(text).is_none_or(|it| it.is_same_document())) {
            self.report(
                path,
                format!(
                    "\"{text}\" is not a path or an http or https URL in ASCII, such as `/assets/app.css`"
                ),
            );
            return None;
        }
        self.header_text(text, path)
    }

    fn header_text<'t>(&mut self, text: &'t str, path: &Path) -> Option<&'t str> {
        if !text.is_ascii() {
            self.report(path, format!("\"{text}\" has characters beyond ASCII; percent-encode them"));
            return None;
        }
        if text.contains("{{") {
            self.report(path, "values can't stand here; write one patch for each value, with `when`");
            return None;
        }
        if HeaderValue::try_from(text).is_err() {
            self.report(
                path,
                format!("\"{}\" has a line break or a control character in it", text.escape_debug()),
            );
            return None;
        }
        Some(text)
    }

    fn constant_markup(&mut self, markup: &str, path: &Path) -> Option<Markup> {
        self.markup(markup, false, path)
    }

    /// A host, with its port if it has one.
    pub(super) fn host(&mut self, host: &str, path: &Path) -> Option<UrlSite> {
        let site = super::urls::parse_site(host);
        if site.is_none() {
            self.report(
                path,
                format!("\"{host}\" is not a host, such as `tags.example` or `tags.example:8080`"),
            );
        }
        site
    }
}

const fn priority(priority: FetchPriority) -> &'static str {
    match priority {
        FetchPriority::High => "high",
        FetchPriority::Low => "low",
        FetchPriority::Auto => "auto",
    }
}

const fn crossorigin(crossorigin: CrossOrigin) -> &'static str {
    match crossorigin {
        CrossOrigin::Anonymous => "anonymous",
        CrossOrigin::UseCredentials => "use-credentials",
    }
}

const fn destination(destination: Destination) -> &'static str {
    match destination {
        Destination::Fetch => "fetch",
        Destination::Font => "font",
        Destination::Image => "image",
        Destination::Script => "script",
        Destination::Style => "style",
        Destination::Track => "track",
    }
}

const fn font_display(display: FontDisplay) -> &'static str {
    match display {
        FontDisplay::Swap => "swap",
        FontDisplay::Optional => "optional",
        FontDisplay::Fallback => "fallback",
        FontDisplay::Block => "block",
    }
}
