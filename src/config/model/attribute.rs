//! `attributes`: where a value comes from.

use serde::{Deserialize, Serialize};

/// Where a value of the request comes from, and which values it may have. Exactly one source is named.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Attribute {
    /// Source: the first value of a request header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// Source: a cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cookie: Option<String>,
    /// Source: a query parameter, the first of its name, decoded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// Source: a segment of the path, decoded; 0 is the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path_segment: Option<u16>,
    /// Source: `Accept-Language`, negotiated against these language tags.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<Vec<String>>,
    /// Source: what the user agent says of itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<UserAgent>,
    /// Source: what the proxy knows of the connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection: Option<Connection>,
    /// Source: a claim of a JSON Web Token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwt: Option<Jwt>,
    /// Source: the client id in the cookie of this name that Google Analytics keeps, `_ga`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub google_analytics: Option<String>,
    /// Source: an object in Envoy's filter state, by its key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter_state: Option<String>,

    /// What the value is. A header that says `7` is text unless this says `number`.
    #[serde(rename = "type")]
    pub kind: AttributeKind,
    /// The visitor can't write this: the edge sets it and drops what came from outside.
    pub trusted: bool,
    /// The only values it may have; everything else becomes `otherwise`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub values: Option<Vec<String>>,
    /// The value where there is none, or one that `values` does not name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub otherwise: Option<String>,
}

/// What a value is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AttributeKind {
    /// Text, as it came.
    #[default]
    Text,
    /// A number; what is not one counts as missing.
    Number,
    /// `true` or `1`, `false` or `0`; anything else counts as missing.
    Boolean,
    /// Texts, separated by commas.
    List,
}

/// What can be told from `User-Agent` and its client hints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum UserAgent {
    /// `desktop`, `mobile` or `tablet`.
    Device,
    /// `true` for crawlers and tools that say so.
    Bot,
}

/// What Envoy knows of the connection of a request (its attributes `source.*` and `connection.*`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Connection {
    /// The address of the peer, without port.
    PeerAddress,
    /// `true` where the peer showed a certificate.
    Mtls,
    /// `TLSv1.3` and the like; missing without TLS.
    TlsVersion,
    /// The server name that was asked for (SNI).
    RequestedServerName,
    /// The subject of the peer's certificate.
    SubjectPeerCertificate,
    /// The first URI in the subject alternative names of the peer's certificate.
    UriSanPeerCertificate,
}

impl Connection {
    /// As it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::PeerAddress => "peer_address",
            Self::Mtls => "mtls",
            Self::TlsVersion => "tls_version",
            Self::RequestedServerName => "requested_server_name",
            Self::SubjectPeerCertificate => "subject_peer_certificate",
            Self::UriSanPeerCertificate => "uri_san_peer_certificate",
        }
    }
}

/// A claim of a token whose signature nobody looks at here. Exactly one of `header` and `cookie` is named.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Jwt {
    /// The header that it is in, alone or behind `Bearer`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// The cookie that it is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cookie: Option<String>,
    /// The claim, text or a number: `sub`.
    pub claim: String,
    /// Must be `true`: anybody can write such a token, unless a filter before this one has verified it.
    #[serde(default)]
    pub unverified: bool,
}
