//! `urls`, compiled: every text of it is a constant, in ASCII, and reaches to the slash behind its host.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::Compiler;
use crate::config::model;
use crate::config::node::Path;
use crate::html::operation::Site as Where;
use crate::patch::element::{ElementEdit, Step};
use crate::urls::reference::{Reference, Scheme, Site, normalise};
use crate::urls::rules::{ImageRule, Origin, Piece, Prefix, PrefixRule, encode_path};
use crate::urls::tags;
use crate::urls::{UrlRules, UrlSteps};

impl Compiler<'_> {
    pub(super) fn urls(&mut self, urls: &model::Urls, path: &Path) -> Option<(ElementEdit, Arc<UrlRules>)> {
        if urls.hosts.is_empty() && urls.prefixes.is_empty() && urls.images.is_none() {
            self.report(path, "no URL is rewritten; add `hosts`, `prefixes` or `images`");
        }
        let only = self.element_names(&urls.only, &path.clone().key("only"));
        let rules = UrlRules {
            hosts: self.hosts(&urls.hosts, &path.clone().key("hosts")),
            prefixes: self.prefixes(&urls.prefixes, &path.clone().key("prefixes")),
            images: urls.images.as_ref().and_then(|it| self.images(it, &path.clone().key("images"))),
            headers: urls.headers.unwrap_or(only.is_empty()),
            only,
        };
        let rules = Arc::new(rules);
        let selector = self.selector(tags::SELECTOR, path)?;
        let site = Where::Elements { selector, all: true, skip_first: 0 };
        let steps = vec![Step::Page(Box::new(UrlSteps(Arc::clone(&rules))))];
        Some((ElementEdit { part: Some("urls"), site, refusal: None, steps, fallback: None }, rules))
    }

    fn element_names(&mut self, names: &[String], path: &Path) -> BTreeSet<String> {
        let mut elements = BTreeSet::new();
        for (index, name) in names.iter().enumerate() {
            let valid = name.starts_with(|first: char| first.is_ascii_alphabetic())
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
            if valid {
                elements.insert(name.to_ascii_lowercase());
            } else {
                let path = path.clone().index(index);
                self.report(&path, format!("\"{name}\" is not the name of an element, such as `img`"));
            }
        }
        elements
    }

    fn hosts(
        &mut self,
        hosts: &BTreeMap<String, String>,
        path: &Path,
    ) -> BTreeMap<(String, Option<u16>), Origin> {
        let mut compiled = BTreeMap::new();
        for (from, to) in hosts {
            let path = path.clone().key(from);
            let site = parse_site(from).filter(|_| !from.contains('/'));
            if site.is_none() {
                self.report(
                    &path,
                    format!(
                        "\"{from}\" is not a host, such as `old.example` or `old.example:8080`{}",
                        ascii(from)
                    ),
                );
            }
            let (scheme, authority) = match to.split_once("://") {
                Some((scheme, authority)) => (Some(scheme), authority.strip_suffix('/').unwrap_or(authority)),
                None => (None, to.as_str()),
            };
            let known = match scheme {
                None => Some(None),
                Some("http") => Some(Some(Scheme::Http)),
                Some("https") => Some(Some(Scheme::Https)),
                Some(_) => None,
            };
            let is_host = parse_site(authority).is_some() && !authority.contains('/');
            match (site, known) {
                (Some(site), Some(scheme)) if is_host => {
                    let origin = Origin { scheme, authority: authority.to_ascii_lowercase() };
                    if compiled.insert((site.host, site.port), origin).is_some() {
                        self.report(&path, format!("\"{from}\" stands here twice; keep one"));
                    }
                }
                (_, Some(_)) if is_host => {}
                _ => self.report(
                    &path,
                    format!(
                        "\"{to}\" is not a host, such as `new.example` or `https://new.example`{}",
                        ascii(to)
                    ),
                ),
            }
        }
        compiled
    }

    fn prefixes(&mut self, prefixes: &[model::UrlPrefix], path: &Path) -> Vec<PrefixRule> {
        let mut compiled = Vec::new();
        let mut seen = BTreeSet::new();
        for (index, prefix) in prefixes.iter().enumerate() {
            let path = path.clone().index(index);
            let from = self.url_prefix(&prefix.from, &path.clone().key("from"));
            let to = self.url_prefix(&prefix.to, &path.clone().key("to"));
            let (Some(from), Some(_)) = (from, to) else { continue };
            if prefix.from.ends_with('/') != prefix.to.ends_with('/') {
                self.report(
                    &path.clone().key("to"),
                    "what follows `from` is put behind `to`: end both with a slash, or neither",
                );
            }
            if !seen.insert(prefix.from.as_str()) {
                self.report(
                    &path.clone().key("from"),
                    format!("\"{}\" stands here twice; keep one", prefix.from),
                );
            }
            compiled.push(PrefixRule { from, to: prefix.to.clone() });
        }
        // Of two that are as long, the one that names its host is the closer one.
        compiled.sort_by_key(|rule| std::cmp::Reverse((rule.from.path.len(), rule.from.site.is_some())));
        compiled
    }

    fn images(&mut self, images: &model::ImageUrls, path: &Path) -> Option<ImageRule> {
        let to = path.clone().key("to");
        let pieces = self.pattern(&images.to, &to)?;
        let written = match pieces.first() {
            // What comes after a question mark is no part of a path.
            Some(Piece::Literal(text)) => self.url_prefix(text.split('?').next().unwrap_or_default(), &to)?,
            _ => {
                self.report(
                    &to,
                    "the URL starts with a placeholder; write a path or a URL with a host in front of it",
                );
                return None;
            }
        };
        if pieces.len() == 1 {
            self.report(&to, "every image would become the same; add `{path}` or `{url}`");
        }
        let from = images.from.iter().enumerate();
        let mut from: Vec<Prefix> = from
            .filter_map(|(index, prefix)| self.url_prefix(prefix, &path.clone().key("from").index(index)))
            .collect();
        if images.from.is_empty() {
            from.push(Prefix { site: None, path: "/".into() });
        }
        let site = images.site.as_ref().and_then(|text| {
            let site = Reference::parse(text).and_then(|it| it.site.filter(|site| site.scheme.is_some()));
            if site.is_none() {
                self.report(
                    &path.clone().key("site"),
                    format!("\"{text}\" is not a site, such as `https://shop.example`"),
                );
            }
            site
        });
        let needs_site = pieces.iter().any(|piece| matches!(piece, Piece::Host | Piece::Url));
        if needs_site && images.site.is_none() && from.iter().any(|from| from.site.is_none()) {
            self.report(
                &to,
                "`{host}` and `{url}` need to know what the page's own site is called; add `site: https://…`",
            );
        }
        for (index, extension) in images.extensions.iter().enumerate() {
            if extension.is_empty() || !extension.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                let path = path.clone().key("extensions").index(index);
                self.report(
                    &path,
                    format!("\"{extension}\" is not an extension without a dot, such as `jpg`"),
                );
            }
        }
        let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let parameters =
            images.parameters.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value)));
        Some(ImageRule {
            from,
            extensions: images.extensions.iter().map(|it| it.to_ascii_lowercase()).collect(),
            to: pieces,
            written,
            site,
            parameters: parameters.collect::<Vec<String>>().join("&"),
        })
    }

    /// The pattern of an image's new URL.
    fn pattern(&mut self, pattern: &str, path: &Path) -> Option<Vec<Piece>> {
        let mut pieces = Vec::new();
        let mut rest = pattern;
        let literal = |pieces: &mut Vec<Piece>, text: &str| {
            if !text.is_empty() {
                pieces.push(Piece::Literal(text.to_owned()));
            }
        };
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').unwrap_or((after, ""));
            literal(&mut pieces, before);
            pieces.push(match name {
                "path" => Piece::Path,
                "host" => Piece::Host,
                "url" => Piece::Url,
                _ => {
                    self.report(
                        path,
                        format!("\"{{{name}}}\" is not known; accepted: {{path}}, {{host}}, {{url}}"),
                    );
                    return None;
                }
            });
            rest = after;
        }
        literal(&mut pieces, rest);
        let harmless = |byte: u8| byte.is_ascii_graphic() && !b"\"'<>\\`^|{}#".contains(&byte);
        let texts = || {
            pieces.iter().filter_map(|piece| if let Piece::Literal(text) = piece { Some(text) } else { None })
        };
        if !texts().flat_map(|text| text.bytes()).all(harmless) || pattern.ends_with(',') {
            self.report(path, format!("\"{pattern}\" is not a URL; percent-encode what is not ASCII, spaces, quotes, `#` and a comma at the end"));
            return None;
        }
        Some(pieces)
    }

    /// A path, or a URL with a host and at least a slash behind it.
    pub(super) fn url_prefix(&mut self, text: &str, path: &Path) -> Option<Prefix> {
        let harmless = text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"'<>\\`^|{}".contains(&byte));
        let reference = Reference::parse(text).filter(|_| harmless);
        let Some(reference) = reference.filter(|it| it.path().starts_with('/')) else {
            self.report(
                path,
                format!(
                    "\"{text}\" is neither a path such as `/static/` nor a URL such as `https://cdn.example/`{}",
                    ascii(text)
                ),
            );
            return None;
        };
        let has_dots = normalise(reference.path()) != reference.path();
        if !reference.query().is_empty() || !reference.fragment().is_empty() || has_dots {
            self.report(path, format!("\"{text}\" has a query, a fragment or dot segments; leave them out"));
            return None;
        }
        Some(Prefix { path: encode_path(reference.path()), site: reference.site })
    }
}

pub(super) fn parse_site(authority: &str) -> Option<Site> {
    let plain =
        !authority.contains(['\\', '?', '#', '%']) && authority.bytes().all(|byte| byte.is_ascii_graphic());
    let site = Site::parse(None, authority).filter(|_| plain)?;
    // Without a scheme, either's own port is as good as none.
    Some(Site { port: site.port.filter(|port| *port != 80), ..site })
}

fn ascii(text: &str) -> &'static str {
    if text.is_ascii() { "" } else { "; write hosts in their `xn--` form and percent-encode paths" }
}
