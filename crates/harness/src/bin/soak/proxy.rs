//! The Envoy that is soaked: the plugin comes by itself (ECDS) from a file, where it can be replaced while requests are under way.

use std::error::Error;
use std::net::SocketAddr;
use std::path::Path;

use engraft_harness::bootstrap::{Bootstrap, Cluster, Configuration, FailurePolicy, Listener, Plugin};
use engraft_harness::envoy::{Envoy, EnvoyError};
use engraft_harness::wire::Protocol::Http1;
use engraft_harness::workspace;
use serde_json::{Value, json};

const FILE: &str = "./ecds.json";
const NAME: &str = "engraft";

/// See the [module](self).
pub(crate) struct Proxy {
    pub(crate) envoy: Envoy,
}

impl Proxy {
    /// With two workers: what one does not know of the other is what updates are about.
    pub(crate) fn start(origin: SocketAddr, configuration: &Value) -> Result<Self, Box<dyn Error>> {
        let discovery = json!({ "name": NAME, "config_discovery": {
            "config_source": {
                "path_config_source": { "path": FILE },
                "initial_fetch_timeout": "0s",
                "resource_api_version": "V3",
            },
            "type_urls": ["type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm"],
        } });
        // An origin that breaks off is told to visitors as it is: nothing is tried again, nothing waits for an end that does not come.
        let listener = Listener::main().filter(discovery);
        let launch = Bootstrap::proxy(listener, Cluster::origin(Http1, origin)).launch();
        let envoy = launch.concurrency(2).file(FILE, extension(configuration)?).start()?;
        let proxy = Self { envoy };
        proxy.envoy.wait_for("the first configuration", || Ok((proxy.counts()? != (0, 0)).then_some(())))?;
        Ok(proxy)
    }

    pub(crate) fn addr(&self) -> Result<SocketAddr, EnvoyError> {
        self.envoy.listener_addr("main")
    }

    /// Replaces the configuration, and waits until Envoy's main thread has taken or refused it; whether it took it. Its workers follow.
    pub(crate) fn update(&self, configuration: &Value) -> Result<bool, Box<dyn Error>> {
        let before = self.counts()?;
        let (new, file) = (self.envoy.dir().join("ecds.new"), self.envoy.dir().join(FILE));
        std::fs::write(&new, extension(configuration)?)?;
        std::fs::rename(&new, &file)?;
        let taken = self.envoy.wait_for("Envoy to take or refuse a configuration", || {
            let now = self.counts()?;
            Ok((now != before).then_some(now.0 > before.0))
        })?;
        Ok(taken)
    }

    /// How many updates Envoy has taken, and how many it has refused.
    fn counts(&self) -> Result<(u64, u64), EnvoyError> {
        let of = |what: &str| {
            self.envoy.stat(&format!("extension_config_discovery.http_filter.{NAME}.update_{what}"))
        };
        Ok((of("success")?, of("rejected")?))
    }

    /// The resident memory, in KiB.
    pub(crate) fn resident_kib(&self) -> Result<u64, Box<dyn Error>> {
        let status =
            std::fs::read_to_string(Path::new("/proc").join(self.envoy.pid().to_string()).join("status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS in /proc")?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    }
}

fn extension(configuration: &Value) -> Result<String, Box<dyn Error>> {
    let module = match std::env::var_os("SOAK_WASM").filter(|named| !named.is_empty()) {
        Some(named) => workspace::root().join(named),
        None => workspace::module()?,
    };
    let plugin = Plugin::new(&module, Configuration::Text(configuration.to_string())).name(NAME);
    let filter = plugin.failure_policy(FailurePolicy::FailReload).to_filter();
    let typed_config = filter.get("typed_config").ok_or("a filter without a configuration")?;
    Ok(json!({ "resources": [{
        "@type": "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig",
        "name": NAME,
        "typed_config": typed_config,
    }] })
    .to_string())
}
