//! Changes of the exchange: redirects, rewrites, headers.

use http::uri::{Authority, PathAndQuery, Uri};
use http::{HeaderName, HeaderValue, StatusCode};

use super::Compiler;
use crate::config::model;
use crate::config::node::Path;
use crate::headers::HeaderEdit;
use crate::patch::{Action, ExchangeEdit, Redirect};

impl Compiler<'_> {
    pub(super) fn exchange(&mut self, patch: &model::Patch, path: &Path) -> Option<Action> {
        if let Some(redirect) = &patch.redirect {
            return self.redirect(redirect, &path.clone().key("redirect")).map(Action::Redirect);
        }
        let mut edit = ExchangeEdit::default();
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

    fn redirect(&mut self, redirect: &model::Redirect, path: &Path) -> Option<Redirect> {
        let to = path.clone().key("to");
        let location = self.constant(&redirect.to, &to);
        let uri = redirect.to.parse::<Uri>().ok();
        let absolute =
            uri.as_ref().and_then(Uri::scheme_str).is_some_and(|scheme| matches!(scheme, "http" | "https"));
        if !(absolute || is_path(&redirect.to)) {
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
        Some(Redirect { location: location?, status, keep_query: redirect.keep_query })
    }

    fn rewrite(&mut self, rewrite: &model::Rewrite, path: &Path, edit: &mut ExchangeEdit) {
        if rewrite.path.is_none() && rewrite.host.is_none() {
            self.report(path, "nothing is rewritten; add `path` or `host`");
        }
        if let Some(target) = &rewrite.path {
            let path = path.clone().key("path");
            self.constant(target, &path);
            if !is_path(target) || target.contains(['?', '#']) {
                self.report(&path, format!("\"{target}\" is not a path that starts with one `/` and has no query; the query stays as it is"));
            }
            edit.path = Some(target.clone());
        }
        if let Some(host) = &rewrite.host {
            let path = path.clone().key("host");
            self.constant(host, &path);
            if host.parse::<Authority>().is_err() || host.contains('@') {
                self.report(
                    &path,
                    format!("\"{host}\" is not a host, such as `shop.example` or `10.0.0.1:8080`"),
                );
            }
            edit.host = Some(host.clone());
        }
    }

    fn headers(&mut self, changes: &model::HeaderChanges, path: &Path) -> Vec<HeaderEdit> {
        let mut edits = Vec::new();
        for (index, name) in changes.remove.iter().enumerate() {
            let name = self.header_name(name, &path.clone().key("remove").index(index));
            edits.extend(name.map(HeaderEdit::Remove));
        }
        let values = [("set", &changes.set), ("add", &changes.add)];
        for (key, map) in values {
            for (name, value) in map {
                let path = path.clone().key(key).key(name);
                let name = self.header_name(name, &path);
                let value = self.constant(value, &path);
                let edit = if key == "set" { HeaderEdit::Set } else { HeaderEdit::Add };
                edits.extend(name.zip(value).map(|(name, value)| edit(name, value)));
            }
        }
        edits
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

    /// A text for a header: no values in it yet, and nothing that could end the line.
    fn constant(&mut self, text: &str, path: &Path) -> Option<HeaderValue> {
        if text.contains("{{") {
            self.report(
                path,
                "values can't stand in headers and URLs; write one patch for each value, with `when`",
            );
            return None;
        }
        let value = HeaderValue::try_from(text).ok();
        if value.is_none() {
            self.report(
                path,
                format!("\"{}\" has a line break or a control character in it", text.escape_debug()),
            );
        }
        value
    }
}

/// A path for this site: `//host` would be another one, and so would `/\host` for browsers.
fn is_path(text: &str) -> bool {
    let local = !text.starts_with("//") && !text.starts_with("/\\");
    local && text.starts_with('/') && text.is_ascii() && text.parse::<PathAndQuery>().is_ok()
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
