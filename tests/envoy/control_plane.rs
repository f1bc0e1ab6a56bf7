//! What Istio and Envoy Gateway make of a resource and hand to Envoy, read off their sources: `pilot/pkg/model/extensions.go`,
//! `pilot/pkg/config/kube/extensions/translate.go` and `pkg/wasm/convert.go` of Istio 1.30.3 (1.29 named the filter of a WasmPlugin
//! otherwise), `internal/xds/translator/wasm.go` of Envoy Gateway 1.9.0. Instead of an image there is a local file, which is also what Istio's agent
//! replaces an image by, once it has fetched it.

use std::error::Error;
use std::net::SocketAddr;
use std::path::Path;

use engraft_harness::bootstrap::{Bootstrap, Cluster, Listener};
use engraft_harness::envoy::{Envoy, EnvoyError};
use engraft_harness::wire::Protocol::Http1;
use engraft_harness::workspace;
use serde_json::{Value, json};

use crate::manifest::text;

pub(crate) const WASM: &str = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm";
pub(crate) const RBAC: &str = "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC";
pub(crate) const STRING: &str = "type.googleapis.com/google.protobuf.StringValue";

/// An extension that a proxy is told of by itself (ECDS).
#[derive(Clone, Debug)]
pub(crate) struct Extension {
    /// Of the extension and of the filter in the chain.
    name: String,
    typed_config: Value,
}

impl Extension {
    /// Of a `WasmPlugin` or a `TrafficExtension`.
    pub(crate) fn of(resource: &Value) -> Result<Self, Box<dyn Error>> {
        Self::with_module(resource, &workspace::module()?)
    }

    /// The same with a module of the test's.
    pub(crate) fn with_module(resource: &Value, module: &Path) -> Result<Self, Box<dyn Error>> {
        let spec = resource.get("spec").ok_or("no spec")?;
        // 1.30 turns each WasmPlugin into a TrafficExtension with a name that nobody can give one.
        let (wasm, suffix) = match text(resource, "/kind") {
            "WasmPlugin" => (spec, "~istio-translated-wasmplugin"),
            _ => (spec.get("wasm").ok_or("no wasm")?, ""),
        };
        let of =
            format!("{}.{}{suffix}", text(resource, "/metadata/namespace"), text(resource, "/metadata/name"));
        let policy = match text(wasm, "/failStrategy") {
            "FAIL_OPEN" => "FAIL_OPEN",
            "FAIL_RELOAD" => "FAIL_RELOAD",
            _ => "FAIL_CLOSED",
        };
        let mut config = json!({
            "name": of,
            "root_id": text(wasm, "/pluginName"),
            "failure_policy": policy,
            "vm_config": {
                "runtime": "envoy.wasm.runtime.v8",
                "code": { "local": { "filename": module.to_string_lossy() } },
            },
        });
        if let (Some(plugin), Some(config)) = (wasm.get("pluginConfig"), config.as_object_mut()) {
            config
                .insert("configuration".to_owned(), json!({ "@type": STRING, "value": plugin.to_string() }));
        }
        let name = format!("extensions.istio.io/trafficextension/{of}");
        Ok(Self { name, typed_config: json!({ "@type": WASM, "config": config }) })
    }

    /// What the agent puts in its place when it can't have the image: a filter that lets everything pass, or nothing.
    pub(crate) fn without_module(&self, fail_open: bool) -> Self {
        let rules = if fail_open {
            json!({ "@type": RBAC, "rules_stat_prefix": "wasm-default-allow" })
        } else {
            json!({ "@type": RBAC, "rules": {}, "rules_stat_prefix": "wasm-default-deny" })
        };
        Self { name: self.name.clone(), typed_config: rules }
    }

    /// The file that the extension comes from, in place of Istio's control plane.
    pub(crate) fn file(&self) -> String {
        extension_file(&self.name, &self.typed_config)
    }

    /// Its name and its configuration, for a file of several.
    pub(crate) fn into_parts(self) -> (String, Value) {
        (self.name, self.typed_config)
    }

    /// The filter in the chain.
    pub(crate) fn filter(&self, file: &str) -> Value {
        json!({ "name": self.name, "config_discovery": {
            "config_source": source(file),
            "type_urls": [WASM, RBAC],
        } })
    }
}

/// An Envoy whose plugin comes from a file in its working directory, where Istio's would come from its control plane.
pub(crate) struct Proxy {
    pub(crate) envoy: Envoy,
}

/// What Envoy made of an update.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Update {
    Accepted,
    Rejected,
}

impl Proxy {
    const FILE: &str = "./ecds.json";

    /// With two workers, as what one worker does not know of another is what updates are about.
    pub(crate) fn start(upstream: SocketAddr, extension: &Extension) -> Result<Self, Box<dyn Error>> {
        let listener = Listener::main().filter(extension.filter(Self::FILE));
        let launch = Bootstrap::proxy(listener, Cluster::origin(Http1, upstream)).launch();
        let envoy = launch.concurrency(2).file(Self::FILE, extension.file()).start()?;
        let proxy = Self { envoy };
        // It may be counted only after Envoy calls itself ready.
        proxy.envoy.wait_for("the first extension to be taken or refused", || {
            Ok((proxy.counts()? != (0, 0)).then_some(()))
        })?;
        Ok(proxy)
    }

    pub(crate) fn addr(&self) -> Result<SocketAddr, EnvoyError> {
        self.envoy.listener_addr("main")
    }

    /// Puts an update into place in one step, and waits until Envoy's main thread has taken or refused it. Its workers follow.
    pub(crate) fn update(&self, extension: &Extension) -> Result<Update, Box<dyn Error>> {
        let before = self.counts()?;
        let (new, file) = (self.envoy.dir().join("ecds.new"), self.envoy.dir().join(Self::FILE));
        std::fs::write(&new, extension.file())?;
        std::fs::rename(&new, &file)?;
        let update = self.envoy.wait_for("Envoy to take or refuse an extension", || {
            let now = self.counts()?;
            Ok(match (now.0 > before.0, now.1 > before.1) {
                (true, _) => Some(Update::Accepted),
                (_, true) => Some(Update::Rejected),
                _ => None,
            })
        })?;
        Ok(update)
    }

    /// How many updates Envoy has taken, and how many it has refused. (`config_reload` counts both.)
    fn counts(&self) -> Result<(u64, u64), EnvoyError> {
        let stats = self
            .envoy
            .stats("^extension_config_discovery\\.http_filter\\..*\\.update_(success|rejected)$")?;
        let stat =
            |name: &str| stats.iter().filter(|(stat, _)| stat.ends_with(name)).map(|(_, count)| count).sum();
        Ok((stat("update_success"), stat("update_rejected")))
    }
}

/// A file that an extension comes from; Envoy takes one of each.
pub(crate) fn extension_file(name: &str, typed_config: &Value) -> String {
    json!({ "resources": [{
        "@type": "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig",
        "name": name,
        "typed_config": typed_config,
    }] })
    .to_string()
}

/// Where extensions come from: this file, where Istio says `ads`.
pub(crate) fn source(file: &str) -> Value {
    json!({
        "path_config_source": { "path": file },
        "initial_fetch_timeout": "0s",
        "resource_api_version": "V3",
    })
}

/// The filter that Envoy Gateway puts into the chain for the first plugin of an `EnvoyExtensionPolicy`, where routes switch it on, and
/// what they say to do that.
pub(crate) fn envoy_gateway(policy: &Value) -> Result<(Value, Value), Box<dyn Error>> {
    let wasm = policy.pointer("/spec/wasm/0").ok_or("no wasm")?;
    let of = format!(
        "envoyextensionpolicy/{}/{}/wasm/0",
        text(policy, "/metadata/namespace"),
        text(policy, "/metadata/name")
    );
    let name = format!("envoy.filters.http.wasm/{of}");
    let filter = json!({ "name": name, "disabled": true, "typed_config": { "@type": WASM, "config": {
        "name": text(wasm, "/name"),
        "root_id": text(wasm, "/rootID"),
        "fail_open": wasm.get("failOpen").and_then(Value::as_bool).unwrap_or_default(),
        "configuration": { "@type": STRING, "value": wasm.get("config").ok_or("no config")?.to_string() },
        "vm_config": {
            "vm_id": of,
            "runtime": "envoy.wasm.runtime.v8",
            "code": { "local": { "filename": workspace::module()?.to_string_lossy() } },
        },
    } } });
    let on =
        json!({ name: { "@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig", "config": {} } });
    Ok((filter, on))
}
