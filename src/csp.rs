//! Content-Security-Policy: what the page's policies say of what is inserted, and how it becomes allowed without
//! allowing anything else (CSP Level 3).
//!
//! The attack that this must not open: a policy that is wider than its author wrote. So nothing is ever taken from a
//! policy but a `'none'` that a hash contradicts, and nothing is added to it but the hash of a constant of the
//! configuration. No host, no scheme, no `'unsafe-inline'`, no nonce of ours. What a policy does not allow then is not
//! inserted, and counted.
//!
//! A page's policies are in its headers, which leave before the body is known, and in `meta` elements, which are out
//! when what comes behind them is inserted. [`Plan`] deals with the headers, [`meta`] with the others.

use http::HeaderMap;
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY_REPORT_ONLY};

use crate::headers::HeaderEdit;

mod hash;
pub mod markup;
pub mod meta;
mod plan;
mod policy;
mod source;
mod url;

pub use hash::Hash;
pub use plan::{Plan, Verdict};
pub use url::{Page, Url};

/// Script or style.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "policies speak of these two inline")]
pub enum Kind {
    /// Script.
    Script,
    /// CSS.
    Style,
}

/// What is fetched, by the directive that governs it (§ 6.8.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Resource {
    /// `script-src-elem`.
    Script,
    /// `style-src-elem`.
    Style,
    /// `img-src`.
    Image,
    /// `font-src`.
    Font,
    /// `media-src`.
    Media,
    /// `manifest-src`.
    Manifest,
    /// `connect-src`.
    Connection,
    /// A prefetch: whatever some directive allows (§ 6.7.2.2).
    Hint,
}

/// Something that is inserted and that a policy may forbid.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "whoever judges must handle each")]
pub enum Need {
    /// A `script` or `style` element with its text.
    Inline {
        /// Which.
        kind: Kind,
        /// The hash of the text; `None` where it is not known beforehand.
        hash: Option<Hash>,
        /// Whether a nonce can be put on it, and is then believed (§ 6.7.3.1).
        nonceable: bool,
    },
    /// An event handler or a `style` attribute.
    Attribute {
        /// Which.
        kind: Kind,
        /// The hash of its value; `None` where it is not known beforehand.
        hash: Option<Hash>,
    },
    /// An element that makes the browser fetch something.
    Fetch {
        /// What.
        resource: Resource,
        /// From where.
        url: Url,
        /// The hashes of its `integrity`.
        integrity: Vec<Hash>,
        /// Whether a nonce can be put on it, and is then believed.
        nonceable: bool,
    },
}

impl Need {
    const fn is_script(&self) -> bool {
        matches!(
            self,
            Self::Inline { kind: Kind::Script, .. }
                | Self::Attribute { kind: Kind::Script, .. }
                | Self::Fetch { resource: Resource::Script, .. }
        )
    }

    const fn is_nonceable(&self) -> bool {
        match self {
            Self::Inline { nonceable, .. } => *nonceable,
            Self::Attribute { .. } => false,
            Self::Fetch { resource, nonceable, .. } => {
                *nonceable && matches!(resource, Resource::Script | Resource::Style)
            }
        }
    }

    /// The directives that may govern it, the first that there is does (§ 6.8.3).
    const fn directives(&self) -> &'static [&'static str] {
        match self {
            Self::Inline { kind: Kind::Script, .. } | Self::Fetch { resource: Resource::Script, .. } => {
                &["script-src-elem", "script-src", "default-src"]
            }
            Self::Inline { kind: Kind::Style, .. } | Self::Fetch { resource: Resource::Style, .. } => {
                &["style-src-elem", "style-src", "default-src"]
            }
            Self::Attribute { kind: Kind::Script, .. } => &["script-src-attr", "script-src", "default-src"],
            Self::Attribute { kind: Kind::Style, .. } => &["style-src-attr", "style-src", "default-src"],
            Self::Fetch { resource: Resource::Image, .. } => &["img-src", "default-src"],
            Self::Fetch { resource: Resource::Font, .. } => &["font-src", "default-src"],
            Self::Fetch { resource: Resource::Media, .. } => &["media-src", "default-src"],
            Self::Fetch { resource: Resource::Manifest, .. } => &["manifest-src", "default-src"],
            Self::Fetch { resource: Resource::Connection, .. } => &["connect-src", "default-src"],
            Self::Fetch { resource: Resource::Hint, .. } => &["default-src"],
        }
    }
}

/// The policies of a response once `edits` are made, for [`Plan::for_response`]: a patch may set them itself.
#[must_use]
pub fn policies_after(headers: &HeaderMap, edits: &[HeaderEdit]) -> HeaderMap {
    let names = [CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY_REPORT_ONLY];
    let mut policies = HeaderMap::new();
    for name in &names {
        for value in headers.get_all(name) {
            policies.append(name, value.clone());
        }
    }
    for edit in edits {
        let (HeaderEdit::Set(name, _) | HeaderEdit::Add(name, _) | HeaderEdit::Remove(name)) = edit;
        if names.contains(name) {
            edit.apply(&mut policies);
        }
    }
    policies
}

#[cfg(test)]
mod tests;
