use std::net::SocketAddr;

use serde_json::{Value, json};

use super::{Plugin, set};
use crate::wire::Protocol;

/// An origin as Envoy sees it.
#[derive(Clone, Debug)]
pub struct Cluster {
    name: String,
    addr: SocketAddr,
    protocol: Protocol,
    buffer_limit_bytes: Option<u32>,
    filters: Vec<Value>,
    fields: Vec<(String, Value)>,
}

impl Cluster {
    /// The cluster `origin`, where [`Listener`](super::Listener) sends everything unless told otherwise.
    #[must_use]
    pub fn origin(protocol: Protocol, addr: SocketAddr) -> Self {
        Self::new("origin", protocol, addr)
    }

    /// A cluster of one address.
    #[must_use]
    pub fn new(name: &str, protocol: Protocol, addr: SocketAddr) -> Self {
        Self {
            name: name.to_owned(),
            addr,
            protocol,
            buffer_limit_bytes: None,
            filters: Vec::new(),
            fields: Vec::new(),
        }
    }

    /// Sets `per_connection_buffer_limit_bytes`.
    #[must_use]
    pub const fn buffer_limit_bytes(mut self, limit: u32) -> Self {
        self.buffer_limit_bytes = Some(limit);
        self
    }

    /// Adds the plugin as an upstream filter: the origin stage, behind a cache.
    #[must_use]
    pub fn plugin(self, plugin: &Plugin) -> Self {
        self.filter(plugin.to_filter())
    }

    /// Adds any upstream filter.
    #[must_use]
    pub fn filter(mut self, filter: Value) -> Self {
        self.filters.push(filter);
        self
    }

    /// Sets a field of the cluster (`circuit_breakers`, …).
    #[must_use]
    pub fn field(mut self, name: &str, value: Value) -> Self {
        self.fields.push((name.to_owned(), value));
        self
    }

    pub(super) fn to_value(&self) -> Value {
        let mut cluster = json!({
            "name": self.name,
            "type": "STATIC",
            "connect_timeout": "5s",
            "typed_extension_protocol_options": {
                "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": self.http_options(),
            },
            "load_assignment": {
                "cluster_name": self.name,
                "endpoints": [{ "lb_endpoints": [{ "endpoint": { "address": { "socket_address": {
                    "address": self.addr.ip().to_string(),
                    "port_value": self.addr.port(),
                } } } }] }],
            },
        });
        if let Some(limit) = self.buffer_limit_bytes {
            set(&mut cluster, "per_connection_buffer_limit_bytes", json!(limit));
        }
        for (name, value) in &self.fields {
            set(&mut cluster, name, value.clone());
        }
        cluster
    }

    fn http_options(&self) -> Value {
        let explicit = match self.protocol {
            Protocol::Http1 => json!({ "http_protocol_options": { "enable_trailers": true } }),
            Protocol::Http2 => json!({ "http2_protocol_options": {} }),
        };
        let mut options = json!({
            "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
            "explicit_http_config": explicit,
        });
        if !self.filters.is_empty() {
            let codec = json!({
                "name": "envoy.filters.http.upstream_codec",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec",
                },
            });
            let filters: Vec<&Value> = self.filters.iter().chain([&codec]).collect();
            set(&mut options, "http_filters", json!(filters));
        }
        options
    }
}
