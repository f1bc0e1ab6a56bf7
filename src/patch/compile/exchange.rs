//! Changes of the exchange: redirects, rewrites, headers.

use http::uri::Authority;
use http::{HeaderName, HeaderValue, StatusCode};

use super::Compiler;
use crate::config::model;
use crate::config::node::Path;
use crate::config::problem::Code;
use crate::patch::Action;
use crate::patch::exchange::{
    ExchangeTemplate, HeaderStep, RedirectTemplate, Text, is_location, is_path_alone,
};
use crate::template::context::{self, ContextError};
use crate::template::{Escaped, Template};

impl Compiler<'_> {
    pub(super) fn exchange(&mut self, patch: &model::Patch, path: &Path) -> Option<Action> {
        if let Some(redirect) = &patch.redirect {
            return self.redirect(redirect, &path.clone().key("redirect")).map(Action::Redirect);
        }
        let mut edit = ExchangeTemplate::default();
        if let Some(rewrite) = &patch.rewrite {
            self.rewrite(rewrite, &path.clone().key("rewrite"), &mut edit);
        }
        if let Some(changes) = &patch.request_headers {
            edit.request_headers = self.headers(changes, &path.clone().key("request_headers"));
        }
        if let Some(changes) = &patch.response_headers {
            edit.response_headers = self.headers(changes, &path.clone().key("response_headers"));
        }
        Some(Action::Exchange(edit))
    }

    fn redirect(&mut self, redirect: &model::Redirect, path: &Path) -> Option<RedirectTemplate> {
        let to = path.clone().key("to");
        let location = self.text(&redirect.to, &to, context::location);
        if let Some((_, sample)) = &location
            && !is_location(sample)
        {
            self.report(
                &to,
                format!(
                    "\"{}\" is neither a path that starts with one `/` nor an http or https URL",
                    redirect.to
                ),
            );
        }
        let status = match redirect.status {
            301 => StatusCode::MOVED_PERMANENTLY,
            302 => StatusCode::FOUND,
            303 => StatusCode::SEE_OTHER,
            307 => StatusCode::TEMPORARY_REDIRECT,
            308 => StatusCode::PERMANENT_REDIRECT,
            other => {
                self.report(
                    &path.clone().key("status"),
                    format!("{other} is not a redirect; accepted: 301, 302, 303, 307, 308"),
                );
                return None;
            }
        };
        Some(RedirectTemplate { location: location?.0, status, keep_query: redirect.keep_query })
    }

    fn rewrite(&mut self, rewrite: &model::Rewrite, path: &Path, edit: &mut ExchangeTemplate) {
        if rewrite.path.is_none() && rewrite.host.is_none() {
            self.report(path, "nothing is rewritten; add `path` or `host`");
        }
        if let Some(target) = &rewrite.path {
            let path = path.clone().key("path");
            if let Some((escaped, sample)) = self.escaped(target, &path, context::location) {
                if !is_path_alone(&sample) {
                    self.report(&path, format!("\"{target}\" is not a path that starts with one `/` and has no query; the query stays as it is"));
                }
                edit.path = Some(escaped);
            }
        }
        if let Some(host) = &rewrite.host {
            let path = path.clone().key("host");
            if host.contains("{{") {
                self.report(&path, "a value can't be a host; write one patch for each, with `when`");
            } else if host.parse::<Authority>().is_err() || host.contains('@') {
                self.report(
                    &path,
                    format!("\"{host}\" is not a host, such as `shop.example` or `10.0.0.1:8080`"),
                );
            }
            edit.host = Some(host.clone());
        }
    }

    fn headers(&mut self, changes: &model::HeaderChanges, path: &Path) -> Vec<HeaderStep> {
        let mut steps = Vec::new();
        for (index, name) in changes.remove.iter().enumerate() {
            let name = self.header_name(name, &path.clone().key("remove").index(index));
            steps.extend(name.map(HeaderStep::Remove));
        }
        let values = [("set", &changes.set), ("add", &changes.add)];
        for (key, map) in values {
            for (name, value) in map {
                let path = path.clone().key(key).key(name);
                let lower = name.to_ascii_lowercase();
                let name = self.header_name(name, &path);
                let text = self.text(value, &path, |template| context::header(&lower, template));
                let step = if key == "set" { HeaderStep::Set } else { HeaderStep::Add };
                steps.extend(name.zip(text).map(|(name, (text, _))| step(name, text)));
            }
        }
        steps
    }

    fn header_name(&mut self, name: &str, path: &Path) -> Option<HeaderName> {
        let Ok(parsed) = HeaderName::try_from(name) else {
            self.report(path, format!("\"{name}\" is not a header name"));
            return None;
        };
        if PROXY_HEADERS.contains(&parsed.as_str()) || parsed.as_str().starts_with("x-engraft-") {
            let advice =
                if parsed == http::header::HOST { "use `rewrite: { host: … }`" } else { "leave it out" };
            self.report(path, format!("\"{name}\" is set by the proxy; {advice}"));
            return None;
        }
        Some(parsed)
    }

    /// A text for a header, and what it is with some value: nothing in it could end the line.
    fn text(
        &mut self,
        source: &str,
        path: &Path,
        escape: impl FnOnce(&Template) -> Result<Escaped, ContextError>,
    ) -> Option<(Text, String)> {
        let (escaped, sample) = self.escaped(source, path, escape)?;
        let Ok(value) = HeaderValue::try_from(&sample) else {
            self.report(
                path,
                format!("\"{}\" has a line break or a control character in it", source.escape_debug()),
            );
            return None;
        };
        let text = if escaped.is_constant() { Text::Constant(value) } else { Text::Template(escaped) };
        Some((text, sample))
    }

    fn escaped(
        &mut self,
        source: &str,
        path: &Path,
        escape: impl FnOnce(&Template) -> Result<Escaped, ContextError>,
    ) -> Option<(Escaped, String)> {
        let template = self.template(source, path)?;
        match escape(&template) {
            Ok(escaped) => {
                let sample = escaped.render(|_| Some("x"));
                Some((escaped, sample))
            }
            Err(error) => {
                self.report_as(Code::UnescapedContext, path, error.to_string());
                None
            }
        }
    }
}

/// What frames the message or names its peer.
const PROXY_HEADERS: &[&str] = &[
    "connection",
    "content-encoding",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];
