//! Rewrites, and Envoy's own routes: Envoy chooses its route again when the path has changed.

use engraft_harness::bootstrap::{Bootstrap, Cluster, Listener};
use engraft_harness::client::{self, Request};
use engraft_harness::origin::{Origin, Reply};
use engraft_harness::wire::Protocol::{self, Http1};
use serde_json::{Value, json};

use crate::stage::{Outcome, assert_no_vm_failed, engraft};

const CONFIGURATION: &str = "
version: 1
attributes:
  beta: { cookie: beta }
routes:
  - name: beta
    match: { path: { prefix: /a/ } }
    patches:
      - when: { beta: '1' }
        rewrite: { path: /b/x }
  - name: other-host
    match: { path: { exact: /host } }
    patches:
      - rewrite: { host: b.example }
";

#[test]
fn rewritten_request_goes_where_envoys_routes_send_its_new_path_and_host() -> Outcome {
    let (a, b) = (Origin::start()?, Origin::start()?);
    for (name, origin) in [("a", &a), ("b", &b)] {
        origin.otherwise(move |request| {
            Reply::html(format!("{name}: {} {}", request.authority, request.target))
        });
    }
    let to = |path: Value, cluster: &str| json!({ "match": path, "route": { "cluster": cluster } });
    let listener = Listener::main()
        .plugin(&engraft(CONFIGURATION)?)
        .route(to(json!({ "prefix": "/a/" }), "a"))
        .route(to(json!({ "prefix": "/b/" }), "b"))
        .route(to(
            json!({ "prefix": "/", "headers": [{ "name": ":authority", "string_match": { "exact": "b.example" } }] }),
            "b",
        ))
        .cluster("a");
    let clusters = [("a", a.addr()), ("b", b.addr())].map(|(name, addr)| Cluster::new(name, Http1, addr));
    let bootstrap = clusters.into_iter().fold(Bootstrap::new().listener(listener), Bootstrap::cluster);
    let envoy = bootstrap.start()?;
    for down in Protocol::ALL {
        let fetch = |request: Request| {
            client::fetch(down, envoy.listener_addr("main")?, &request)
                .map_err(Box::<dyn std::error::Error>::from)
        };
        let beta = Request::get("/a/x?q=1").header("cookie", "beta=1");
        assert_eq!(fetch(beta)?.text(), "b: shop.example /b/x?q=1", "{down:?}");
        assert_eq!(fetch(Request::get("/a/x?q=1"))?.text(), "a: shop.example /a/x?q=1", "{down:?}");
        assert_eq!(fetch(Request::get("/host"))?.text(), "b: b.example /host", "{down:?}");
    }
    assert_eq!(envoy.stat(&crate::stage::counter("rewrites"))?, 4);
    assert_no_vm_failed(&envoy);
    Ok(())
}
