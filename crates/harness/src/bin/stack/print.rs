//! Envoy configurations for containers: as those that run here, but for where things listen, and where the others are.

use std::path::Path;

use engraft_harness::bootstrap::{Bootstrap, Cluster, Configuration, Listener, Plugin};
use engraft_harness::wire::Protocol;
use engraft_harness::{shop, workspace};
use serde_json::{Value, json};

use crate::stand_ins::{CLIENT_KEY, EVENTS, FLAG, VARIATIONS};
use crate::{Outcome, PORT};

/// Where the image has the module.
const MODULE: &str = "/etc/envoy/engraft.wasm";
/// Where the image may be written to.
const PAGES: &str = "/var/cache/envoy";
/// Where the first listener is; the others follow.
pub(crate) const FIRST_PORT: u16 = 10_000;
/// Loopback only: health checks ask from inside.
const ADMIN_PORT: u16 = 9901;
/// What the demo's file starts with.
const HEADING: &str = "\
# The shop of the demo in a container: Envoy's cache between the two stages of engraft. Written by
#
#   cargo run -p engraft-harness --bin engraft-stack -- print demo > envoy/docker/shop.yaml
#
# from examples/shop/engraft.yaml, which stands in it twice: once for each stage. For an edge of your own start with ../engraft.yaml or
# ../cached.yaml, which have what one needs in front of visitors; here whoever asks says which country they are in.
";

/// The shop, at three ports: for curl, and for each of two visitors.
pub(crate) fn demo() -> Outcome<String> {
    let configuration = std::fs::read_to_string(workspace::root().join("examples/shop/engraft.yaml"))?;
    let listeners = (FIRST_PORT..).zip(shop::listeners()).map(|(port, listener)| published(listener, port));
    let (module, pages) = (Path::new(MODULE), Path::new(PAGES));
    let bootstrap = shop::bootstrap(listeners.collect(), service("origin"), &configuration, module, pages);
    Ok(HEADING.to_owned() + &bootstrap.field("admin", admin()).to_yaml())
}

/// The same pages, personalised by what the feature service says, and the collector is told.
pub(crate) fn edge() -> String {
    let [_, shipping] = VARIATIONS;
    let configuration = format!(
        "
version: 1
visitor:
  id: {{ cookie: engraft_id }}
growthbook:
  fetch: {{ cluster: features, authority: features, client_key: {CLIENT_KEY}, interval: 1s, timeout: 1s }}
exposures:
  collector: {{ cluster: collector, authority: collector, path: {EVENTS}, batch_age: 1s }}
routes:
  - name: product
    match: {{ path: {{ prefix: /p/ }} }}
    patches:
      - flag: {{ {FLAG}: {shipping} }}
        select: p.banner
        text: Free shipping, says the feature service
"
    );
    let plugin = Plugin::new(Path::new(MODULE), Configuration::Yaml(configuration));
    let listener = published(Listener::new("edge").plugin(&plugin), FIRST_PORT);
    let bootstrap = Bootstrap::new().listener(listener).field("admin", admin());
    let clusters = ["origin", "features", "collector"].map(service);
    clusters.into_iter().fold(bootstrap, Bootstrap::cluster).to_yaml()
}

fn admin() -> Value {
    address("127.0.0.1", ADMIN_PORT)
}

/// Reached from outside of the container, where the port is published on loopback; its access log is the container's.
fn published(listener: Listener, port: u16) -> Listener {
    let log = json!([{
        "name": "envoy.access_loggers.stdout",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog",
        },
    }]);
    let listener = listener.manager_field("access_log", log);
    let Some(at) = address("0.0.0.0", port).get("address").cloned() else { return listener };
    listener.field("address", at)
}

/// A service of the same network, by its name.
fn service(name: &str) -> Cluster {
    let assignment = json!({
        "cluster_name": name,
        "endpoints": [{ "lb_endpoints": [{ "endpoint": address(name, PORT) }] }],
    });
    let nowhere = std::net::SocketAddr::from(([127, 0, 0, 1], PORT));
    Cluster::new(name, Protocol::Http1, nowhere)
        .field("type", json!("STRICT_DNS"))
        .field("load_assignment", assignment)
}

fn address(host: &str, port: u16) -> Value {
    json!({ "address": { "socket_address": { "address": host, "port_value": port } } })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_of_the_containers_is_the_one_that_is_committed() {
        let committed = std::fs::read_to_string(workspace::root().join("envoy/docker/shop.yaml")).unwrap();
        assert!(committed == demo().unwrap(), "write it again, as its first lines say");
    }

    #[test]
    fn containers_have_the_envoy_that_the_other_tests_have() {
        let read = |path: &str| std::fs::read_to_string(workspace::root().join(path)).unwrap();
        let makefile = read("Makefile");
        let version = makefile.lines().find_map(|line| line.strip_prefix("ENVOY_VERSION := ")).unwrap();
        for path in ["envoy/compose.yaml", "envoy/docker/Dockerfile"] {
            assert!(
                read(path).contains(&format!("envoyproxy/envoy:v{version}")),
                "{path} has another version"
            );
        }
    }
}
