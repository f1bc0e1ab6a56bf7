use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{set, yaml};
use crate::workspace::{self, MissingFile};

/// The wasm plugin as one entry of a filter chain, downstream or upstream.
#[derive(Clone, Debug)]
pub struct Plugin {
    module: PathBuf,
    name: String,
    configuration: Configuration,
    failure_policy: FailurePolicy,
    shows_bodies_under_held_heads: bool,
    vm_fields: Vec<(String, Value)>,
}

/// How engraft's configuration is handed to it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Configuration {
    /// As `google.protobuf.Struct`, from a JSON value.
    Struct(Value),
    /// As `google.protobuf.Struct`, from a YAML document that is pasted into Envoy's own: the operator's way, with everything
    /// that Envoy's reader does to unquoted scalars.
    Yaml(String),
    /// As `google.protobuf.StringValue` holding JSON or YAML: Istio's way.
    Text(String),
    /// Not at all.
    None,
}

/// What Envoy does with requests when the plugin could not be loaded or has crashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FailurePolicy {
    /// They are answered 503.
    FailClosed,
    /// They pass without the plugin.
    FailOpen,
    /// The plugin is loaded anew.
    FailReload,
}

impl Plugin {
    /// The module at `dist/engraft.wasm`.
    ///
    /// # Errors
    /// When it has not been built.
    pub fn engraft(configuration: Configuration) -> Result<Self, MissingFile> {
        workspace::module().map(|module| Self::new(&module, configuration))
    }

    /// A module of the caller's choice; the path has to be absolute, as Envoy runs in a directory of its own.
    #[must_use]
    pub fn new(module: &Path, configuration: Configuration) -> Self {
        Self {
            module: module.to_path_buf(),
            name: "engraft".to_owned(),
            configuration,
            failure_policy: FailurePolicy::FailClosed,
            shows_bodies_under_held_heads: true,
            vm_fields: Vec::new(),
        }
    }

    /// Renames the plugin: its filter, its place in the log and its VM. Two plugins of one name and module share a VM.
    #[must_use]
    pub fn name(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// Sets what happens when the plugin is broken.
    #[must_use]
    pub const fn failure_policy(mut self, policy: FailurePolicy) -> Self {
        self.failure_policy = policy;
        self
    }

    /// Leaves `allow_on_headers_stop_iteration` out, which Envoy before 1.35 does not know.
    #[must_use]
    pub const fn hiding_bodies_under_held_heads(mut self) -> Self {
        self.shows_bodies_under_held_heads = false;
        self
    }

    /// Sets a field of `vm_config` (`environment_variables`, …).
    #[must_use]
    pub fn vm_field(mut self, name: &str, value: Value) -> Self {
        self.vm_fields.push((name.to_owned(), value));
        self
    }

    /// The entry for `http_filters`.
    #[must_use]
    pub fn to_filter(&self) -> Value {
        let mut vm = json!({
            "vm_id": self.name,
            "runtime": "envoy.wasm.runtime.v8",
            "code": { "local": { "filename": self.module.to_string_lossy() } },
        });
        for (name, value) in &self.vm_fields {
            set(&mut vm, name, value.clone());
        }
        let mut config = json!({
            "name": self.name,
            "root_id": self.name,
            "failure_policy": self.failure_policy.as_str(),
            "vm_config": vm,
        });
        if self.shows_bodies_under_held_heads {
            set(&mut config, "allow_on_headers_stop_iteration", json!(true));
        }
        if let Some(configuration) = self.configuration.to_value() {
            set(&mut config, "configuration", configuration);
        }
        json!({
            "name": self.name,
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
                "config": config,
            },
        })
    }
}

impl Configuration {
    fn to_value(&self) -> Option<Value> {
        let (kind, value) = match self {
            Self::Struct(value) => ("Struct", value.clone()),
            Self::Yaml(text) => ("Struct", yaml::verbatim(text)),
            Self::Text(text) => ("StringValue", json!(text)),
            Self::None => return None,
        };
        Some(json!({ "@type": format!("type.googleapis.com/google.protobuf.{kind}"), "value": value }))
    }
}

impl FailurePolicy {
    const fn as_str(self) -> &'static str {
        match self {
            Self::FailClosed => "FAIL_CLOSED",
            Self::FailOpen => "FAIL_OPEN",
            Self::FailReload => "FAIL_RELOAD",
        }
    }
}
