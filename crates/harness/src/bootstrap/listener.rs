use serde_json::{Map, Value, json};

use super::{ACCESS_LOG_FILE, Plugin, set};

/// A port that speaks HTTP/1.1 and HTTP/2 (prior knowledge), with the filters behind it.
#[derive(Clone, Debug)]
pub struct Listener {
    name: String,
    port: u16,
    destination: Value,
    filters: Vec<Value>,
    routes: Vec<Value>,
    request_headers: Vec<(String, String)>,
    logged: Vec<(String, String)>,
    buffer_limit_bytes: Option<u32>,
    manager_fields: Vec<(String, Value)>,
    fields: Vec<(String, Value)>,
}

impl Listener {
    /// The listener `main`, which leads to the cluster `origin`.
    #[must_use]
    pub fn main() -> Self {
        Self::new("main")
    }

    /// A listener on a free port of 127.0.0.1, which leads to the cluster `origin`. Its name is also the statistics' prefix
    /// (`http.<name>.`).
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            port: 0,
            destination: json!({ "route": { "cluster": "origin" } }),
            filters: Vec::new(),
            routes: Vec::new(),
            request_headers: Vec::new(),
            logged: Vec::new(),
            buffer_limit_bytes: None,
            manager_fields: Vec::new(),
            fields: Vec::new(),
        }
    }

    /// Asks for a certain port.
    #[must_use]
    pub const fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Leads to another cluster.
    #[must_use]
    pub fn cluster(mut self, cluster: &str) -> Self {
        self.destination = json!({ "route": { "cluster": cluster } });
        self
    }

    /// Leads nowhere: Envoy answers by itself, and the response still passes the filters.
    #[must_use]
    pub fn answer(mut self, status: u16, body: &str) -> Self {
        self.destination =
            json!({ "direct_response": { "status": status, "body": { "inline_string": body } } });
        self
    }

    /// Adds the plugin after the filters added so far.
    #[must_use]
    pub fn plugin(self, plugin: &Plugin) -> Self {
        self.filter(plugin.to_filter())
    }

    /// Adds any HTTP filter after those added so far; the router comes last by itself.
    #[must_use]
    pub fn filter(mut self, filter: Value) -> Self {
        self.filters.push(filter);
        self
    }

    /// Adds a route before the one that takes everything else.
    #[must_use]
    pub fn route(mut self, route: Value) -> Self {
        self.routes.push(route);
        self
    }

    /// Overwrites a request header before any filter sees the request. (A route's `request_headers_to_add` comes too late for
    /// that: the router applies it, after every other filter.)
    #[must_use]
    pub fn request_header(mut self, name: &str, value: &str) -> Self {
        self.request_headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds filter state to the access log's lines: `key` is what the plugin set by `set_property`, which Envoy calls
    /// `wasm.<key>`; the line's field is called `key`.
    #[must_use]
    pub fn log_filter_state(self, key: &str) -> Self {
        self.log(key, &format!("%FILTER_STATE(wasm.{key}:PLAIN)%"))
    }

    /// Adds any field to the access log's lines, by Envoy's format string.
    #[must_use]
    pub fn log(mut self, field: &str, format: &str) -> Self {
        self.logged.push((field.to_owned(), format.to_owned()));
        self
    }

    /// Sets `per_connection_buffer_limit_bytes`.
    #[must_use]
    pub const fn buffer_limit_bytes(mut self, limit: u32) -> Self {
        self.buffer_limit_bytes = Some(limit);
        self
    }

    /// Sets a field of the HTTP connection manager.
    #[must_use]
    pub fn manager_field(mut self, name: &str, value: Value) -> Self {
        self.manager_fields.push((name.to_owned(), value));
        self
    }

    /// Sets a field of the listener.
    #[must_use]
    pub fn field(mut self, name: &str, value: Value) -> Self {
        self.fields.push((name.to_owned(), value));
        self
    }

    pub(super) fn to_value(&self) -> Value {
        let mut listener = json!({
            "name": self.name,
            "address": { "socket_address": { "address": "127.0.0.1", "port_value": self.port } },
            "filter_chains": [{ "filters": [{
                "name": "envoy.filters.network.http_connection_manager",
                "typed_config": self.manager(),
            }] }],
        });
        if let Some(limit) = self.buffer_limit_bytes {
            set(&mut listener, "per_connection_buffer_limit_bytes", json!(limit));
        }
        for (name, value) in &self.fields {
            set(&mut listener, name, value.clone());
        }
        listener
    }

    fn manager(&self) -> Value {
        let mut filters = self.filters.clone();
        filters.push(json!({
            "name": "envoy.filters.http.router",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router",
                "suppress_envoy_headers": true,
            },
        }));
        let mut routes = self.routes.clone();
        let mut last = self.destination.clone();
        set(&mut last, "match", json!({ "prefix": "/" }));
        routes.push(last);
        let mut manager = json!({
            "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
            "stat_prefix": self.name,
            "codec_type": "AUTO",
            "http_protocol_options": { "enable_trailers": true },
            "server_header_transformation": "PASS_THROUGH",
            "generate_request_id": false,
            // A response that breaks off is told to HTTP/1.1 clients by a close, which Envoy otherwise puts off for a second.
            "delayed_close_timeout": "0.05s",
            "access_log": [self.access_log()],
            "http_filters": filters,
            "route_config": {
                "name": self.name,
                "virtual_hosts": [{ "name": "all", "domains": ["*"], "routes": routes }],
            },
        });
        if !self.request_headers.is_empty() {
            set(&mut manager, "early_header_mutation_extensions", json!([self.early_headers()]));
        }
        for (name, value) in &self.manager_fields {
            set(&mut manager, name, value.clone());
        }
        manager
    }

    fn early_headers(&self) -> Value {
        let overwrite = |(key, value): &(String, String)| {
            let header = json!({ "key": key, "value": value });
            json!({ "append": { "header": header, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD" } })
        };
        let mutations: Vec<Value> = self.request_headers.iter().map(overwrite).collect();
        json!({
            "name": "envoy.http.early_header_mutation.header_mutation",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation",
                "mutations": mutations,
            },
        })
    }

    fn access_log(&self) -> Value {
        let usual = [
            ("listener", self.name.as_str()),
            ("method", "%REQ(:METHOD)%"),
            ("path", "%REQ(:PATH)%"),
            ("status", "%RESPONSE_CODE%"),
            ("flags", "%RESPONSE_FLAGS%"),
            ("details", "%RESPONSE_CODE_DETAILS%"),
            ("bytes", "%BYTES_SENT%"),
        ];
        let added = self.logged.iter().map(|(field, format)| (field.as_str(), format.as_str()));
        let format: Map<String, Value> =
            usual.into_iter().chain(added).map(|(field, format)| (field.to_owned(), json!(format))).collect();
        json!({
            "name": "envoy.access_loggers.file",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
                "path": ACCESS_LOG_FILE,
                "log_format": { "json_format": format },
            },
        })
    }
}
