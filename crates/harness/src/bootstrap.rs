//! Builds the configuration an Envoy is started with: listeners, the engraft plugin and Envoy's caches in them, and the clusters
//! they lead to.
//!
//! What Envoy would add of its own is switched off where it can be (`server`, `x-request-id`, `x-envoy-*`), so that what a test
//! compares is what passed through. The document is block YAML, as people write it, and engraft's configuration stands in it as
//! people write it too: as native YAML that Envoy itself reads ([`Configuration::Yaml`]), or as a string.

mod cache;
mod cluster;
mod listener;
mod plugin;
mod yaml;

use serde_json::{Value, json};

pub use cache::CacheFilter;
pub use cluster::Cluster;
pub use listener::Listener;
pub use plugin::{Configuration, FailurePolicy, Plugin};

use crate::envoy::{Envoy, EnvoyError, Launch};

/// The file that listeners come from when they can change while Envoy runs; relative to Envoy's working directory.
pub(crate) const LISTENERS_FILE: &str = "./lds.yaml";
/// The access log of every listener.
pub(crate) const ACCESS_LOG_FILE: &str = "./access.log";

/// The whole configuration of one Envoy.
#[derive(Clone, Debug, Default)]
pub struct Bootstrap {
    listeners: Vec<Listener>,
    clusters: Vec<Cluster>,
    listeners_can_change: bool,
    fields: Vec<(String, Value)>,
}

impl Bootstrap {
    /// Nothing but the admin interface.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// One listener called `main` in front of one cluster called `origin`: what most tests want.
    #[must_use]
    pub fn proxy(listener: Listener, origin: Cluster) -> Self {
        Self::new().listener(listener).cluster(origin)
    }

    /// Adds a listener.
    #[must_use]
    pub fn listener(mut self, listener: Listener) -> Self {
        self.listeners.push(listener);
        self
    }

    /// Adds a cluster.
    #[must_use]
    pub fn cluster(mut self, cluster: Cluster) -> Self {
        self.clusters.push(cluster);
        self
    }

    /// Puts the listeners into a watched file, so that [`Envoy::update_listeners`] can replace them.
    #[must_use]
    pub const fn listeners_can_change(mut self) -> Self {
        self.listeners_can_change = true;
        self
    }

    /// Sets a top-level field of the bootstrap (`layered_runtime`, `stats_config`, …).
    #[must_use]
    pub fn field(mut self, name: &str, value: Value) -> Self {
        self.fields.push((name.to_owned(), value));
        self
    }

    /// The bootstrap document.
    #[must_use]
    pub fn to_yaml(&self) -> String {
        let listeners: Vec<Value> = if self.listeners_can_change {
            Vec::new()
        } else {
            self.listeners.iter().map(Listener::to_value).collect()
        };
        let clusters: Vec<Value> = self.clusters.iter().map(Cluster::to_value).collect();
        let mut document = json!({
            // Dynamic resources want to know who asks.
            "node": { "id": "engraft", "cluster": "engraft" },
            "admin": { "address": { "socket_address": { "address": "127.0.0.1", "port_value": 0 } } },
            "static_resources": { "listeners": listeners, "clusters": clusters },
        });
        if self.listeners_can_change {
            set(
                &mut document,
                "dynamic_resources",
                json!({ "lds_config": { "resource_api_version": "V3", "path_config_source": { "path": LISTENERS_FILE } } }),
            );
        }
        for (name, value) in &self.fields {
            set(&mut document, name, value.clone());
        }
        yaml::document(&document)
    }

    /// What starts an Envoy with this: for more workers, arguments or files.
    #[must_use]
    pub fn launch(&self) -> Launch {
        let launch = Launch::new(self.to_yaml());
        if self.listeners_can_change {
            launch.file(LISTENERS_FILE, listeners_document(&self.listeners))
        } else {
            launch
        }
    }

    /// Starts an Envoy with this.
    ///
    /// # Errors
    /// When there is no suitable Envoy, or it refuses the configuration.
    pub fn start(&self) -> Result<Envoy, EnvoyError> {
        self.launch().start()
    }
}

/// The content of the watched file.
pub(crate) fn listeners_document(listeners: &[Listener]) -> String {
    let resources: Vec<Value> = listeners
        .iter()
        .map(|listener| {
            let mut resource = listener.to_value();
            set(&mut resource, "@type", json!("type.googleapis.com/envoy.config.listener.v3.Listener"));
            resource
        })
        .collect();
    yaml::document(&json!({ "resources": resources }))
}

fn set(target: &mut Value, field: &str, value: Value) {
    if let Some(fields) = target.as_object_mut() {
        fields.insert(field.to_owned(), value);
    }
}
