//! Two versions of a configuration at the same time, as during a rollout: each visitor gets, whole, what the version says that they reach, and
//! no cache that both share gives one version's work to the other.
//!
//! `envoy/istio/cache-between.yaml` is used as it stands: the client stage, a real nginx, the origin stage.

use std::error::Error;

use engraft_harness::client::{self, Request};
use engraft_harness::nginx::{self, Nginx};
use engraft_harness::origin::{Origin, ReceivedRequest, Reply};
use engraft_harness::wire::Protocol::{self, Http1};
use serde_json::{Value, json};

use crate::caches::has_nginx;
use crate::control_plane::{Extension, Proxy, Update};
use crate::manifest::resource;
use crate::stage::{Outcome, assert_no_vm_failed};
use crate::visitors::{Visitor, Visitors};

/// A page of which only the cookie's owner may get this copy.
fn page(request: &ReceivedRequest) -> Reply {
    let owner = request.headers.get("cookie").unwrap_or("nobody").to_owned();
    Reply::html(format!("<h1>Aurora</h1><p class=greeting>Hello</p><p>for {owner}</p>"))
        .header("cache-control", "max-age=600")
}

fn asks(n: usize) -> Request {
    Request::get("/p/aurora/").header("cookie", format!("first_name=visitor-{n}"))
}

/// What a version makes of it: the heading is the same for everybody, and edited by the origin stage.
fn made(n: usize, class: &str) -> String {
    format!(
        "<h1 class=\"{class}\">Aurora</h1><p class=greeting>Welcome back, visitor-{n}.</p><p>for nobody</p>"
    )
}

const NAMESPACES: [&str; 2] = ["istio-ingress", "shop"];

/// One of the two plugins of `cache-between.yaml`, with another class for the heading.
fn stage(namespace: &str, class: &str) -> Result<Extension, Box<dyn Error>> {
    let mut plugin = resource("istio/cache-between.yaml", "WasmPlugin", namespace)?;
    let add = plugin.pointer_mut("/spec/pluginConfig/routes/0/patches/0/class/add").ok_or("no class")?;
    assert_eq!(*add, json!(["welcome"]));
    *add = json!([class]);
    Extension::of(&plugin)
}

/// Gateways with the client stage of two versions in front of one cache, behind which there is the origin stage of the first.
struct Mesh {
    gateways: [Proxy; 2],
    sidecar: Proxy,
    origin: Origin,
    _cache: Nginx,
}

const VERSIONS: [&str; 2] = ["welcome", "farewell"];

impl Mesh {
    fn start() -> Result<Self, Box<dyn Error>> {
        let origin = Origin::start()?;
        origin.otherwise(page);
        let [ingress, shop] = NAMESPACES;
        let [old, new] = VERSIONS;
        let sidecar = Proxy::start(origin.addr(), &stage(shop, old)?)?;
        let cache = nginx::Cache::new(sidecar.addr()?).start()?;
        let gateways = [old, new].map(|class| Proxy::start(cache.addr(), &stage(ingress, class)?));
        let [one, other] = gateways;
        Ok(Self { gateways: [one?, other?], sidecar, origin, _cache: cache })
    }

    /// Asks through the gateway of a version, for several visitors; says how often the origin was asked for that.
    fn asked(&self, version: usize) -> Result<usize, Box<dyn Error>> {
        let before = self.origin.requests().len();
        let gateway = self.gateways.get(version).ok_or("no such version")?;
        let class = VERSIONS.get(version).copied().unwrap_or_default();
        for (n, down) in Protocol::ALL.into_iter().cycle().take(4).enumerate() {
            let received = client::fetch(down, gateway.addr()?, &asks(n))?;
            assert_eq!(received.text(), made(n, class), "{down:?}");
            assert_eq!(received.header("cache-control"), Some("private, no-cache"), "{down:?}");
            let told = received.headers.iter().find(|(name, _)| name.starts_with("x-engraft"));
            assert_eq!(told, None, "{down:?}");
        }
        Ok(self.origin.requests().len() - before)
    }

    fn moves_on(&self) -> Outcome {
        let [_, shop] = NAMESPACES;
        let [_, new] = VERSIONS;
        assert_eq!(self.sidecar.update(&stage(shop, new)?)?, Update::Accepted);
        // Of the origin stage's workers each takes it up when it gets to it: from then on the new version's pages are stored.
        self.sidecar.envoy.wait_for("the origin stage to be of the new version", || {
            Ok(self.asked(1).is_ok_and(|asked| asked == 0).then_some(()))
        })?;
        Ok(())
    }
}

#[test]
fn one_version_is_stored_and_the_other_made_anew_until_both_stages_have_it() -> Outcome {
    if !has_nginx()? {
        return Ok(());
    }
    let mesh = Mesh::start()?;
    assert_eq!(mesh.asked(0)?, 1, "stored by the version that both stages have");
    assert_eq!(mesh.asked(0)?, 0);
    for _ in 0..2 {
        assert_eq!(mesh.asked(1)?, 4, "nothing is stored for a version that only the client stage has");
    }
    assert_eq!(mesh.asked(0)?, 0, "and what was stored stays what it was");
    mesh.moves_on()?;
    assert_eq!(mesh.asked(1)?, 0);
    assert_eq!(mesh.asked(0)?, 0, "the old version lives on what is stored");
    for proxy in mesh.gateways.iter().chain([&mesh.sidecar]) {
        assert_no_vm_failed(&proxy.envoy);
    }
    Ok(())
}

#[test]
fn a_rollout_of_both_stages_under_load_shows_every_visitor_one_whole_version() -> Outcome {
    if !has_nginx()? {
        return Ok(());
    }
    let mesh = Mesh::start()?;
    let [old, new] = VERSIONS;
    let [ingress, _] = NAMESPACES;
    let [gateway, _] = &mesh.gateways;
    let visitor = |n| Visitor { request: asks(n), pages: vec![made(n, old), made(n, new)] };
    let visitors = Visitors::start(gateway.addr()?, (0..6).map(visitor).collect());
    visitors.wait_for(&gateway.envoy, 0)?;
    // The gateways first, then what is behind the cache.
    assert_eq!(gateway.update(&stage(ingress, new)?)?, Update::Accepted);
    visitors.wait_for(&gateway.envoy, 1)?;
    mesh.moves_on()?;
    for seen in visitors.finish()? {
        assert_eq!(seen.runs, [0, 1], "{seen:?}");
    }
    for proxy in mesh.gateways.iter().chain([&mesh.sidecar]) {
        assert_no_vm_failed(&proxy.envoy);
        assert_eq!(proxy.envoy.stat("http.main.downstream_rq_5xx")?, 0);
    }
    Ok(())
}

/// Without stages the cache has the origin's own page, which is the same for every version.
#[test]
fn versions_that_edit_in_front_of_one_cache_share_what_it_has() -> Outcome {
    if !has_nginx()? {
        return Ok(());
    }
    let both = |class: &str| -> Result<Extension, Box<dyn Error>> {
        let [ingress, _] = NAMESPACES;
        let mut plugin = resource("istio/cache-between.yaml", "WasmPlugin", ingress)?;
        let configuration = plugin.pointer_mut("/spec/pluginConfig").and_then(Value::as_object_mut);
        configuration.ok_or("no configuration")?.insert("stage".to_owned(), json!("both"));
        let add = plugin.pointer_mut("/spec/pluginConfig/routes/0/patches/0/class/add").ok_or("no class")?;
        *add = json!([class]);
        Extension::of(&plugin)
    };
    let origin = Origin::start()?;
    origin.otherwise(page);
    let cache = nginx::Cache::new(origin.addr()).start()?;
    let [one, other] = VERSIONS.map(|class| Proxy::start(cache.addr(), &both(class)?));
    let proxies = [one?, other?];
    for (proxy, class) in proxies.iter().zip(VERSIONS).cycle().take(4) {
        for n in 0..2 {
            assert_eq!(client::fetch(Http1, proxy.addr()?, &asks(n))?.text(), made(n, class));
        }
    }
    assert_eq!(origin.requests().len(), 1);
    Ok(())
}
