//! An ingress gateway as Istio configures it, with the EnvoyFilters of `envoy/istio` merged in as Istio merges them
//! (`pilot/pkg/networking/core/envoyfilter` of Istio 1.30.3), on a real Envoy; and what Envoy Gateway makes of a policy.
//!
//! Istio's own filters (metadata exchange, statistics) are not in a plain Envoy, and are left out.

use std::error::Error;

use engraft_harness::bootstrap::{Bootstrap, Cluster, Listener};
use engraft_harness::client::{self, Request};
use engraft_harness::envoy::{Envoy, Launch};
use engraft_harness::origin::{Origin, ReceivedRequest, Reply};
use engraft_harness::site::Site;
use engraft_harness::wire::Protocol::{self, Http1};
use engraft_harness::workspace;
use serde_json::{Map, Value, json};

use crate::control_plane::{Extension, envoy_gateway, extension_file, source};
use crate::manifest::{resource, shipped, text};
use crate::stage::{Outcome, assert_no_vm_failed};
use crate::visitors::{Visitor, Visitors};

const LISTENER: &str = "0.0.0.0_8080";
const MANAGER: &str = "envoy.filters.network.http_connection_manager";

/// The parts of a gateway's configuration that EnvoyFilters get at.
struct Gateway {
    listener: Value,
    cluster: Value,
    extensions: Vec<(String, Value)>,
}

impl Gateway {
    /// For one host of a Gateway and one VirtualService. `filters` stand where Istio puts plugins: before fault injection and the router.
    fn new(origin: &Origin, filters: Vec<Value>) -> Self {
        let http = |name: &str, message: &str| {
            let kind = format!("type.googleapis.com/envoy.extensions.filters.http.{message}");
            json!({ "name": name, "typed_config": { "@type": kind } })
        };
        let rest = [
            http("envoy.filters.http.fault", "fault.v3.HTTPFault"),
            http("envoy.filters.http.cors", "cors.v3.Cors"),
            http("envoy.filters.http.router", "router.v3.Router"),
        ];
        let filters: Vec<Value> = filters.into_iter().chain(rest).collect();
        let outbound = "outbound|80||shop.shop.svc.cluster.local";
        let manager = json!({
            "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
            "stat_prefix": "outbound_0.0.0.0_8080",
            "use_remote_address": true,
            "normalize_path": true,
            "http_filters": filters,
            "route_config": { "name": "http.80", "virtual_hosts": [{
                "name": "shop.example:80",
                "domains": ["*"],
                "routes": [{ "name": "shop", "match": { "prefix": "/" }, "route": { "cluster": outbound, "timeout": "0s" } }],
            }] },
        });
        let addr = origin.addr();
        let address = json!({ "socket_address": { "address": addr.ip(), "port_value": addr.port() } });
        Self {
            listener: json!({
                "name": LISTENER,
                "address": { "socket_address": { "address": "127.0.0.1", "port_value": 0 } },
                "filter_chains": [{ "filters": [{ "name": MANAGER, "typed_config": manager }] }],
            }),
            cluster: json!({
                "name": outbound,
                "type": "STATIC",
                "connect_timeout": "10s",
                "load_assignment": { "cluster_name": outbound, "endpoints": [{ "lb_endpoints": [{ "endpoint": { "address": address } }] }] },
            }),
            extensions: Vec::new(),
        }
    }

    /// Applies the patches of an EnvoyFilter.
    fn apply(mut self, envoy_filter: &Value) -> Result<Self, Box<dyn Error>> {
        let patches = envoy_filter.pointer("/spec/configPatches").and_then(Value::as_array);
        for patch in patches.ok_or("no configPatches")? {
            self.patch(patch)?;
        }
        Ok(self)
    }

    fn patch(&mut self, patch: &Value) -> Outcome {
        let field = |pointer: &str| text(patch, pointer);
        assert_eq!(field("/match/context"), "GATEWAY");
        let value = patch.pointer("/patch/value").ok_or("no value")?.clone();
        match (field("/applyTo"), field("/patch/operation")) {
            ("EXTENSION_CONFIG", "ADD") => {
                let mut typed = value.get("typed_config").ok_or("no typed_config")?.clone();
                // As Istio's agent does, once it has fetched the image.
                let code = typed.pointer_mut("/config/vm_config/code").ok_or("no code")?;
                assert!(text(code, "/remote/http_uri/uri").starts_with("oci://"), "{code}");
                *code = json!({ "local": { "filename": workspace::module()?.to_string_lossy() } });
                self.extensions.push((text(&value, "/name").to_owned(), typed));
            }
            ("HTTP_FILTER", "INSERT_BEFORE") => {
                assert_eq!(field("/match/listener/filterChain/filter/name"), MANAGER);
                let before = field("/match/listener/filterChain/filter/subFilter/name").to_owned();
                let filters = self.manager("/http_filters")?.as_array_mut().ok_or("no filters")?;
                let at = filters.iter().position(|filter| text(filter, "/name") == before);
                filters.insert(at.ok_or("no such filter")?, value);
            }
            ("NETWORK_FILTER", "MERGE") => {
                assert_eq!(field("/match/listener/filterChain/filter/name"), MANAGER);
                let typed = value.get("typed_config").ok_or("no typed_config")?;
                merge(self.manager("")?, typed);
            }
            ("HTTP_ROUTE", "INSERT_FIRST") => {
                let host = self.manager("/route_config/virtual_hosts/0")?;
                assert_eq!(text(host, "/name"), field("/match/routeConfiguration/vhost/name"));
                let routes = host.get_mut("routes").and_then(Value::as_array_mut).ok_or("no routes")?;
                routes.insert(0, value);
            }
            ("CLUSTER", "MERGE") => {
                let [service, port] = ["service", "portNumber"].map(|field| {
                    patch
                        .pointer(&format!("/match/cluster/{field}"))
                        .map(|value| value.to_string().replace('"', ""))
                });
                let name = format!("outbound|{}||{}", port.ok_or("no port")?, service.ok_or("no service")?);
                assert_eq!(text(&self.cluster, "/name"), name);
                merge(&mut self.cluster, &value);
            }
            (to, operation) => return Err(format!("no EnvoyFilter here does {operation} to {to}").into()),
        }
        Ok(())
    }

    fn manager(&mut self, pointer: &str) -> Result<&mut Value, Box<dyn Error>> {
        let pointer = format!("/filter_chains/0/filters/0/typed_config{pointer}");
        Ok(self.listener.pointer_mut(&pointer).ok_or("no such part of the manager")?)
    }

    /// Starts an Envoy with it, where a file stands for the control plane.
    fn start(self) -> Result<Envoy, Box<dyn Error>> {
        let mut bootstrap = json!({
            "node": { "id": "router~gateway", "cluster": "gateway" },
            "admin": { "address": { "socket_address": { "address": "127.0.0.1", "port_value": 0 } } },
            "static_resources": { "listeners": [self.listener], "clusters": [self.cluster] },
            // The layers of Istio's bootstrap.
            "layered_runtime": { "layers": [
                { "name": "global config", "static_layer": {} },
                { "name": "admin", "admin_layer": {} },
            ] },
        });
        come_from_files(&mut bootstrap);
        let text =
            bootstrap.to_string().replace("\"cache_path\":\"/var/cache/envoy\"", "\"cache_path\":\".\"");
        let mut launch = Launch::new(text);
        for (name, typed_config) in &self.extensions {
            launch = launch.file(&file_of(name), extension_file(name, typed_config));
        }
        Ok(launch.start()?)
    }
}

/// Where an extension comes from, instead of Istio's control plane.
fn file_of(name: &str) -> String {
    format!("./{}.json", name.replace('/', "-"))
}

/// Filters that the control plane would be asked for.
fn come_from_files(value: &mut Value) {
    let name = text(value, "/name").to_owned();
    if let Some(config_source) = value.pointer_mut("/config_discovery/config_source") {
        *config_source = source(&file_of(&name));
    }
    match value {
        Value::Object(fields) => fields.values_mut().for_each(come_from_files),
        Value::Array(items) => items.iter_mut().for_each(come_from_files),
        _ => {}
    }
}

/// Istio's merge of protobuf messages: fields by fields, lists appended, and what stands under a key of a map replaced.
fn merge(into: &mut Value, from: &Value) {
    const MAPS: [&str; 2] = ["typed_extension_protocol_options", "typed_per_filter_config"];
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (name, value) in from {
                let is_map = MAPS.contains(&name.as_str());
                match (into.get_mut(name), value) {
                    (Some(Value::Object(into)), Value::Object(entries)) if is_map => extend(into, entries),
                    (Some(field), value) => merge(field, value),
                    (None, value) => {
                        into.insert(name.clone(), value.clone());
                    }
                }
            }
        }
        (Value::Array(into), Value::Array(from)) => into.extend(from.iter().cloned()),
        (into, from) => *into = from.clone(),
    }
}

fn extend(into: &mut Map<String, Value>, entries: &Map<String, Value>) {
    into.extend(entries.iter().map(|(key, value)| (key.clone(), value.clone())));
}

/// A page of which only the cookie's owner may get this copy, though the origin lets caches keep it.
fn page(request: &ReceivedRequest) -> Reply {
    let owner = request.headers.get("cookie").unwrap_or("nobody").to_owned();
    let told = request.headers.iter().find(|(name, _)| name.starts_with("x-engraft"));
    let page = format!("<p class=greeting>Hello</p><p>for {owner}</p>{told:?}");
    // The first of Envoy's cache filters takes nothing for fresh that has no date; one to come never is too old.
    let page = Reply::html(page).header("date", "Fri, 01 Jan 2100 00:00:00 GMT");
    page.header("cache-control", "max-age=600")
}

fn plain(n: usize) -> String {
    format!("<p class=greeting>Hello</p><p>for first_name=visitor-{n}</p>None")
}

fn personal(n: usize) -> String {
    plain(n).replace("Hello", &format!("Welcome back, visitor-{n}."))
}

fn stored(n: usize) -> String {
    format!("<p class=greeting>Welcome back, visitor-{n}.</p><p>for nobody</p>None")
}

fn asks(n: usize, path: &str) -> Request {
    Request::get(path).header("cookie", format!("first_name=visitor-{n}"))
}

fn origin() -> Result<Origin, Box<dyn Error>> {
    let origin = Origin::start()?;
    origin.otherwise(page);
    Ok(origin)
}

fn flips(envoy: &Envoy, page_of: fn(usize) -> String) -> Outcome {
    let visitor = |n| Visitor { request: asks(n, "/p/a/"), pages: vec![page_of(n), plain(n)] };
    let visitors = Visitors::start(envoy.listener_addr(LISTENER)?, (0..6).map(visitor).collect());
    visitors.wait_for(envoy, 0)?;
    for (percent, which) in [(100, 1), (0, 0)] {
        envoy.admin_post(&format!("/runtime_modify?engraft.off={percent}"))?;
        visitors.wait_for(envoy, which)?;
    }
    for seen in visitors.finish()? {
        assert_eq!(seen.runs, [0, 1, 0], "{seen:?}");
    }
    assert_no_vm_failed(envoy);
    Ok(())
}

#[test]
fn the_switch_takes_the_plugin_out_of_a_gateway_whatever_istio_calls_it() -> Outcome {
    let switch = resource("istio/killswitch.yaml", "EnvoyFilter", "istio-ingress")?;
    let files =
        [("istio/wasmplugin.yaml", "WasmPlugin"), ("istio/trafficextension.yaml", "TrafficExtension")];
    for (file, kind) in files {
        let origin = origin()?;
        let extension = Extension::of(&resource(file, kind, "istio-ingress")?)?;
        let mut gateway = Gateway::new(&origin, vec![extension.filter("")]).apply(&switch)?;
        gateway.extensions.push(extension.into_parts());
        flips(&gateway.start()?, personal)?;
    }
    Ok(())
}

#[test]
fn both_stages_stand_around_the_cache_of_a_gateway() -> Outcome {
    let origin = origin()?;
    let stages = resource("istio/stages.yaml", "EnvoyFilter", "istio-ingress")?;
    let envoy = Gateway::new(&origin, Vec::new()).apply(&stages)?.start()?;
    let addr = envoy.listener_addr(LISTENER)?;
    // A page is written to a file while visitors get it already; those who ask meanwhile are not what this is about.
    envoy.wait_for("the page to be stored", || {
        let before = origin.requests().len();
        let page = client::fetch(Http1, addr, &asks(0, "/p/a/"));
        Ok((page.is_ok_and(|page| page.text() == stored(0)) && origin.requests().len() == before)
            .then_some(()))
    })?;
    let before = origin.requests().len();
    for down in Protocol::ALL {
        for n in 0..4 {
            let received = client::fetch(down, addr, &asks(n, &format!("/p/a/?utm_source=mail-{n}")))?;
            assert_eq!(received.text(), stored(n), "{down:?}");
            assert_eq!(received.header("cache-control"), Some("private, no-cache"), "{down:?}");
        }
    }
    assert_eq!(origin.requests().len(), before, "{:?}", origin.requests());
    flips(&envoy, stored)?;
    // What the stages tell each other is nothing that a visitor may say while the client stage is out.
    envoy.admin_post("/runtime_modify?engraft.off=100")?;
    envoy.wait_for("the switch", || {
        let page = client::fetch(Http1, addr, &asks(1, "/p/a/"));
        Ok(page.is_ok_and(|page| page.text() == plain(1)).then_some(()))
    })?;
    let forged = asks(1, "/p/a/").header("x-engraft-route", "0;product").header("x-engraft-url", "/p/b/");
    assert_eq!(client::fetch(Http1, addr, &forged)?.text(), plain(1));
    Ok(())
}

#[test]
fn envoy_gateways_policy_does_in_envoy_what_it_says() -> Outcome {
    let policy = shipped("envoy-gateway/envoyextensionpolicy.yaml")?.pop().ok_or("no policy")?;
    let (filter, on) = envoy_gateway(&policy)?;
    let origin = Site::new(&workspace::root().join("examples/shop/site"))?.serve()?;
    let source = client::fetch(Http1, origin.addr(), &Request::get("/p/aurora/"))?.text().into_owned();
    let route = json!({ "match": { "prefix": "/p/" }, "route": { "cluster": "origin" }, "typed_per_filter_config": on });
    let listener = Listener::main().filter(filter).route(route);
    let envoy = Bootstrap::proxy(listener, Cluster::origin(Http1, origin.addr())).start()?;
    let addr = envoy.listener_addr("main")?;
    let product = asks(1, "/p/aurora/").header("accept-encoding", "identity");
    let page = client::fetch(Http1, addr, &product)?;
    assert!(page.text().contains("Welcome back, visitor-1."), "{}", page.text());
    assert_eq!(page.header("cache-control"), Some("private, no-cache"));
    assert_eq!(client::fetch(Http1, addr, &Request::get("/p/aurora/"))?.text(), source);
    // On other routes it is off.
    let elsewhere = client::fetch(Http1, addr, &asks(1, "/about/"))?;
    assert_eq!(elsewhere.header("cache-control"), Some("public, max-age=600"), "as the origin says");
    assert_no_vm_failed(&envoy);
    Ok(())
}
