//! What an operator sees of a fleet: every metric that the documentation names and no other, and a dashboard and alerts that ask for
//! what a real Envoy exposes.

use std::error::Error;
use std::net::SocketAddr;

use engraft_harness::bootstrap::{
    Bootstrap, CacheFilter, Cluster, Configuration, FailurePolicy, Listener, Plugin,
};
use engraft_harness::client::{self, Request};
use engraft_harness::envoy::Envoy;
use engraft_harness::origin::{Origin, Reply};
use engraft_harness::wire::Protocol::Http1;
use serde_json::json;

use crate::stage::{Outcome, assert_no_vm_failed, counter, ids, page_view};

/// Both stages have it. The collector refuses what it gets.
const CONFIGURATION: &str = "
version: 1
visitor: { id: { cookie: engraft_id } }
force: { secret: 'at least sixteen characters' }
attributes:
  name: { cookie: first_name }
growthbook:
  fetch: { cluster: growthbook, authority: features.example, client_key: sdk-test, interval: 1s, timeout: 1s }
experiments:
  hero: { variations: [control, bold] }
exposures:
  access_log: true
  page: true
  collector: { cluster: collector, authority: collector.example, path: /v1/events, batch_events: 1 }
routes:
  - name: old
    match: { path: { exact: /old } }
    patches: [{ redirect: { to: /new } }]
  - name: moved
    match: { path: { exact: /moved } }
    patches: [{ rewrite: { path: /p/1 } }]
  - name: whole
    match: { path: { prefix: /whole } }
    delivery: whole
    patches: [{ select: h1, text: new }, { select: .none, required: true, text: new }]
  - name: product
    match: { path: { prefix: /p/ } }
    cache: { store: { max_age: 10m } }
    patches:
      - { select: h1, text: for all }
      - { select: p.who, text: '{{ name }}' }
      - { select: .none, required: true, remove: true }
      - { select: img, text: in an image }
  - name: hero
    match: { path: { prefix: /hero } }
    patches:
      - { variant: { hero: bold }, select: h1, text: Bold }
";

const PAGE: &str = "<!doctype html><title>t</title><body><h1>Hello</h1><p class=who></p><img src=a></body>";

/// An Envoy with both stages, a cache between them, a service of features and a collector.
struct Fleet {
    envoy: Envoy,
    addr: SocketAddr,
    features: Origin,
    _pages: Origin,
    _collector: Origin,
}

impl Fleet {
    fn start() -> Result<Self, Box<dyn Error>> {
        let (pages, features, collector) = (Origin::start()?, Origin::start()?, Origin::start()?);
        pages.otherwise(|request| match request.path() {
            "/p/text" => Reply::ok("text/plain", "<h1>"),
            "/p/cookie" => Reply::html(PAGE).header("set-cookie", "session=1"),
            _ => Reply::html(PAGE),
        });
        features.otherwise(|_| Reply::ok("application/json", json!({ "features": {} }).to_string()));
        collector.otherwise(|_| Reply::new(400, ""));
        let plugin = |stage: &str| -> Result<Plugin, Box<dyn Error>> {
            let text = CONFIGURATION.replace("version: 1\n", &format!("version: 1\nstage: {stage}\n"));
            let plugin = Plugin::engraft(Configuration::Yaml(text))?;
            Ok(plugin.name(&format!("engraft-{stage}")).failure_policy(FailurePolicy::FailReload))
        };
        let cache = CacheFilter::simple().second_version().to_filter();
        let bootstrap = Bootstrap::new()
            .listener(Listener::main().plugin(&plugin("client")?).filter(cache))
            .cluster(Cluster::origin(Http1, pages.addr()).plugin(&plugin("origin")?))
            .cluster(Cluster::new("growthbook", Http1, features.addr()))
            .cluster(Cluster::new("collector", Http1, collector.addr()));
        let envoy = bootstrap.launch().start()?;
        let addr = envoy.listener_addr("main")?;
        Ok(Self { envoy, addr, features, _pages: pages, _collector: collector })
    }

    fn get(&self, request: &Request) -> Outcome {
        let received = client::fetch(Http1, self.addr, request)?;
        assert!(received.complete, "{:?}\n{}", received.broken, self.envoy.log_tail());
        Ok(())
    }

    /// Visitors ask for pages of every route, some of them twice.
    fn visit(&self) -> Outcome {
        for path in ["/old", "/moved", "/whole", "/else", "/p/1", "/p/1", "/p/text", "/p/cookie"] {
            self.get(&page_view(path).header("cookie", "first_name=Ada"))?;
        }
        for id in ids("hero") {
            self.get(&page_view("/hero").header("cookie", format!("engraft_id={id}")))?;
        }
        let secret = "at%20least%20sixteen%20characters";
        self.get(&page_view(&format!("/hero?engraft-force=hero:bold&engraft-force-secret={secret}")))?;
        Ok(())
    }
}

#[test]
fn dump() -> Outcome {
    let fleet = Fleet::start()?;
    std::fs::write("/tmp/before.txt", fleet.envoy.prometheus()?)?;
    fleet.visit()?;
    std::thread::sleep(std::time::Duration::from_secs(3));
    std::fs::write("/tmp/after.txt", fleet.envoy.prometheus()?)?;
    Ok(())
}
