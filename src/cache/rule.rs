//! Which policy a response has.

use http::{HeaderMap, StatusCode, header};

use crate::config::model::{RequestCookies, StatusPattern};
use crate::request::cookies;

/// What a rule asks for.
#[derive(Debug, Default)]
pub(super) struct Criteria {
    pub(super) status: Vec<StatusPattern>,
    /// In lower case: `type/subtype` or `type/*`.
    pub(super) content_types: Vec<String>,
    pub(super) cookies: Option<RequestCookies>,
}

/// Whether a response fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    Yes,
    No,
    /// A 304 that does not say of what type the stored response is.
    Unknown,
}

impl Criteria {
    /// Whether the cookies of a request are those that the rule asks for.
    pub(super) fn asked(&self, request: &HeaderMap) -> bool {
        match &self.cookies {
            None => true,
            Some(RequestCookies::Any) => cookies::pairs(request).next().is_some(),
            Some(RequestCookies::Named(names)) => {
                cookies::pairs(request).any(|(name, _)| names.iter().any(|named| named.as_bytes() == name))
            }
        }
    }

    /// A cookie that it asks for and that is not among `seen`.
    pub(super) fn unseen_cookie(&self, seen: &[String]) -> Option<String> {
        match self.cookies.as_ref()? {
            RequestCookies::Any => Some("any".to_owned()),
            RequestCookies::Named(names) => names.iter().find(|name| !seen.contains(name)).cloned(),
        }
    }

    /// Whether it fits every success, as far as the request is concerned.
    pub(super) const fn fits_all_successes(&self) -> bool {
        self.status.is_empty() && self.content_types.is_empty()
    }

    pub(super) fn fit(&self, status: StatusCode, response: &HeaderMap) -> Fit {
        if !self.fits_status(status) {
            return Fit::No;
        }
        if self.content_types.is_empty() {
            return Fit::Yes;
        }
        let Some(content_type) = response.get(header::CONTENT_TYPE) else {
            return if status == StatusCode::NOT_MODIFIED { Fit::Unknown } else { Fit::No };
        };
        let essence = content_type.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default();
        let essence = String::from_utf8_lossy(essence.trim_ascii()).to_ascii_lowercase();
        if self.content_types.iter().any(|pattern| matches(pattern, &essence)) { Fit::Yes } else { Fit::No }
    }

    /// The headers of a 304 become those of the stored 200 (RFC 9111 § 3.2), so what is for the one is for the other.
    fn fits_status(&self, status: StatusCode) -> bool {
        if self.status.is_empty() {
            return is_success(status);
        }
        let fits = |status: StatusCode| self.status.iter().any(|pattern| pattern.fits(status.as_u16()));
        fits(status) || (status == StatusCode::NOT_MODIFIED && fits(StatusCode::OK))
    }

    /// Whether a response that fits may be a page that patches edit.
    pub(super) fn may_be_page(&self, content_types: &[String], edits_json: bool) -> bool {
        let is_json = |pattern: &String| {
            matches!(pattern.as_str(), "application/json" | "text/json" | "application/*" | "text/*")
                || pattern.ends_with("+json")
        };
        let of_pages = ["text/html", "application/xhtml+xml"].into_iter();
        let mut of_pages = of_pages.chain(content_types.iter().map(String::as_str));
        self.content_types.is_empty()
            || of_pages.any(|page| self.content_types.iter().any(|pattern| matches(pattern, page)))
            || (edits_json && self.content_types.iter().any(is_json))
    }
}

/// A policy for pages is not one for errors: what is not a success keeps what the origin says of it.
pub(super) fn is_success(status: StatusCode) -> bool {
    status.is_success() || status == StatusCode::NOT_MODIFIED
}

/// Whether a pattern is one that can be asked for.
pub(super) fn is_content_type(pattern: &str) -> bool {
    let is_token = |text: &str| {
        !text.is_empty()
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&byte))
    };
    pattern
        .split_once('/')
        .is_some_and(|(kind, subtype)| is_token(kind) && (subtype == "*" || is_token(subtype)))
}

fn matches(pattern: &str, essence: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(kind) => essence.starts_with(kind),
        None => pattern == essence,
    }
}
