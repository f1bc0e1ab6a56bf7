//! Istio's way: Envoy is told of the plugin by itself (ECDS), its configuration is JSON in a `StringValue`, the module a local file. What a
//! control plane would send comes from a file here, made of the manifests in `envoy/` as Istio makes it of them.

use std::error::Error;
use std::path::Path;

use engraft_harness::client::{self, Connection, Request};
use engraft_harness::origin::{Framing, Gate, Origin, Pieces, Reply};
use engraft_harness::site::Site;
use engraft_harness::wire::Protocol::{self, Http1};
use engraft_harness::workspace;
use serde_json::{Value, json};

use crate::control_plane::{Extension, Proxy, Update};
use crate::manifest::resource;
use crate::stage::{Outcome, assert_no_vm_failed};
use crate::visitors::{Visitor, Visitors};

/// An origin, and a proxy in front of it.
struct Gateway {
    origin: Origin,
    proxy: Proxy,
}

impl Gateway {
    fn start(origin: Origin, extension: &Extension) -> Result<Self, Box<dyn Error>> {
        let proxy = Proxy::start(origin.addr(), extension)?;
        Ok(Self { origin, proxy })
    }

    fn page(&self, request: &Request) -> Result<client::Received, Box<dyn Error>> {
        Ok(client::fetch(Http1, self.proxy.addr()?, request)?)
    }
}

/// The plugin of `wasmplugin.yaml` with another configuration, and another answer to what goes wrong.
fn plugin(configuration: Value, fail_strategy: &str) -> Result<Extension, Box<dyn Error>> {
    Extension::of(&changed(configuration, fail_strategy)?)
}

fn changed(configuration: Value, fail_strategy: &str) -> Result<Value, Box<dyn Error>> {
    let mut plugin = resource("istio/wasmplugin.yaml", "WasmPlugin", "istio-ingress")?;
    let spec = plugin.get_mut("spec").and_then(Value::as_object_mut).ok_or("no spec")?;
    spec.insert("pluginConfig".to_owned(), configuration);
    spec.insert("failStrategy".to_owned(), json!(fail_strategy));
    Ok(plugin)
}

/// Three edits that tell which configuration made them, two of them whose page it is.
fn generation(n: usize) -> Value {
    json!({
        "version": 1,
        "attributes": { "name": { "cookie": "name" } },
        "routes": [{ "name": "all", "patches": [
            { "select": "h1", "text": format!("{n} for {{{{ name }}}}") },
            { "select": "b", "all": true, "attributes": { "set": { "title": format!("{n}") } } },
            { "select": "footer", "prepend": format!("<i>{n} for {{{{ name }}}}</i>") },
        ] }],
    })
}

/// Two mistakes, and a third of a name of its own.
fn bad(name: &str) -> Value {
    json!({ "version": 1, "routes": [{ "name": "all", "patches": [{ "select": "h1 +", "texts": "x", name: "x" }] }] })
}

const BETWEEN: usize = 200;

fn page() -> String {
    format!("<h1>Hello</h1>{}<footer>the end</footer>", "<p><b>and</b> so on</p>\n".repeat(BETWEEN))
}

fn edited(n: usize, name: &str) -> String {
    let between = format!("<p><b title=\"{n}\">and</b> so on</p>\n").repeat(BETWEEN);
    format!("<h1>{n} for {name}</h1>{between}<footer><i>{n} for {name}</i>the end</footer>")
}

fn request(name: &str) -> Request {
    Request::get("/").header("cookie", format!("name={name}"))
}

fn origin_of_pieces() -> Result<Origin, Box<dyn Error>> {
    let origin = Origin::start()?;
    origin.reply(
        "/",
        Reply::html(page()).framing(Framing::Chunked).pieces(Pieces::Sizes(vec![900, 1700, 400])),
    );
    Ok(origin)
}

#[test]
fn updates_under_load_drop_no_response_and_mix_none() -> Outcome {
    const UPDATES: usize = 5;
    let gateway = Gateway::start(origin_of_pieces()?, &plugin(generation(0), "FAIL_RELOAD")?)?;
    let visitors = (0..8).map(|n| {
        let name = format!("visitor-{n}");
        let pages = (0..=UPDATES).map(|generation| edited(generation, &name)).collect();
        Visitor { request: request(&name), pages }
    });
    let visitors = Visitors::start(gateway.proxy.addr()?, visitors.collect());
    visitors.wait_for(&gateway.proxy.envoy, 0)?;
    for n in 1..=UPDATES {
        assert_eq!(gateway.proxy.update(&plugin(generation(n), "FAIL_RELOAD")?)?, Update::Accepted);
        visitors.wait_for(&gateway.proxy.envoy, n)?;
    }
    for seen in visitors.finish()? {
        // Never back: a worker has one configuration, and then the next.
        assert_eq!(seen.runs, (0..=UPDATES).collect::<Vec<_>>(), "{seen:?}");
    }
    assert_eq!(gateway.proxy.envoy.stat("http.main.downstream_rq_5xx")?, 0);
    assert_no_vm_failed(&gateway.proxy.envoy);
    Ok(())
}

#[test]
fn a_page_that_is_under_way_ends_as_it_began() -> Outcome {
    let origin = Origin::start()?;
    origin.reply("/", Reply::html(page()));
    let gateway = Gateway::start(origin, &plugin(generation(0), "FAIL_RELOAD")?)?;
    let addr = gateway.proxy.addr()?;
    for (n, down) in Protocol::ALL.into_iter().enumerate() {
        let gate = Gate::new();
        let reply = Reply::html(page()).framing(Framing::Chunked).pieces(Pieces::Sizes(vec![900]));
        gateway.origin.reply("/slow", reply.gate(&gate));
        let mut connection = Connection::open(down, addr)?;
        let mut exchange = connection.start(&Request::get("/slow").header("cookie", "name=slow"))?;
        assert!(exchange.read_until(format!("<h1>{n} for slow</h1>")), "{down:?}");
        assert_eq!(gateway.proxy.update(&plugin(generation(n + 1), "FAIL_RELOAD")?)?, Update::Accepted);
        gateway.proxy.envoy.wait_for("a new page", || {
            let page = client::fetch(down, addr, &request("new"));
            Ok(page.is_ok_and(|page| page.text() == edited(n + 1, "new")).then_some(()))
        })?;
        gate.open_for_good();
        let page = exchange.finish();
        assert!(page.complete, "{down:?}");
        assert_eq!(page.text(), edited(n, "slow"), "{down:?}");
    }
    assert_no_vm_failed(&gateway.proxy.envoy);
    Ok(())
}

#[test]
fn an_update_that_can_not_be_used_leaves_the_running_one_whatever_the_fail_strategy() -> Outcome {
    let gateway = Gateway::start(origin_of_pieces()?, &plugin(generation(0), "FAIL_CLOSE")?)?;
    let comes = |n: usize| {
        gateway.proxy.envoy.wait_for("another configuration", || {
            let page = gateway.page(&request("a"));
            Ok(page.is_ok_and(|page| page.text() == edited(n, "a")).then_some(()))
        })
    };
    for (n, strategy) in (1..).zip(["FAIL_CLOSE", "FAIL_OPEN", "FAIL_RELOAD"]) {
        assert_eq!(gateway.proxy.update(&plugin(generation(n), strategy)?)?, Update::Accepted, "{strategy}");
        comes(n)?;
        let logged = gateway.proxy.envoy.log().len();
        assert_eq!(
            gateway.proxy.update(&plugin(bad(&strategy.to_lowercase()), strategy)?)?,
            Update::Rejected,
            "{strategy}"
        );
        let log = gateway.proxy.envoy.log();
        for mistake in ["texts", &strategy.to_lowercase()] {
            assert!(log.get(logged..).is_some_and(|new| new.contains(mistake)), "{mistake}: {log}");
        }
        let nowhere = Path::new("/nowhere/engraft.wasm");
        let lost = Extension::with_module(&changed(generation(9), strategy)?, nowhere)?;
        assert_eq!(gateway.proxy.update(&lost)?, Update::Rejected, "{strategy}");
        for _ in 0..8 {
            assert_eq!(gateway.page(&request("b"))?.text(), edited(n, "b"), "{strategy}");
        }
    }
    assert_no_vm_failed(&gateway.proxy.envoy);
    Ok(())
}

#[test]
fn an_image_that_can_not_be_had_is_answered_for_as_the_fail_strategy_says() -> Outcome {
    let good = plugin(generation(1), "FAIL_RELOAD")?;
    let gateway = Gateway::start(origin_of_pieces()?, &good)?;
    let is = |status: u16, text: &str| {
        gateway.proxy.envoy.wait_for("another filter", || {
            let page = gateway.page(&request("a"));
            Ok(page.is_ok_and(|page| page.status == status && page.text() == text).then_some(()))
        })
    };
    is(200, &edited(1, "a"))?;
    for (fail_open, status, text) in [(true, 200, page()), (false, 403, "RBAC: access denied".to_owned())] {
        assert_eq!(gateway.proxy.update(&good.without_module(fail_open))?, Update::Accepted);
        is(status, &text)?;
        // The agent tries again when Istio sends the extension again.
        assert_eq!(gateway.proxy.update(&good)?, Update::Accepted);
        is(200, &edited(1, "a"))?;
    }
    Ok(())
}

#[test]
fn until_there_is_a_configuration_that_can_be_used_nothing_is_answered_but_errors() -> Outcome {
    let gateway = Gateway::start(origin_of_pieces()?, &plugin(bad("first"), "FAIL_OPEN")?)?;
    assert_eq!(gateway.page(&request("a"))?.status, 500);
    assert_eq!(gateway.origin.requests().len(), 0);
    assert_eq!(gateway.proxy.update(&plugin(generation(1), "FAIL_OPEN")?)?, Update::Accepted);
    gateway.proxy.envoy.wait_for("the first configuration", || {
        let page = gateway.page(&request("a"));
        Ok(page.is_ok_and(|page| page.text() == edited(1, "a")).then_some(()))
    })?;
    Ok(())
}

const GREETING: &str = "Welcome back, Ada &amp; Bob.";
const NEWSLETTER: &str = "class=\"newsletter\"";

#[test]
fn manifests_do_in_envoy_what_they_say() -> Outcome {
    let product = Request::get("/p/aurora/").header("cookie", "first_name=Ada & Bob; plan=pro");
    let files =
        [("istio/wasmplugin.yaml", "WasmPlugin"), ("istio/trafficextension.yaml", "TrafficExtension")];
    for (file, kind) in files {
        let origin = Site::new(&workspace::root().join("examples/shop/site"))?.serve()?;
        let source = client::fetch(Http1, origin.addr(), &Request::get("/p/aurora/"))?.text().into_owned();
        let gateway = Gateway::start(origin, &Extension::of(&resource(file, kind, "istio-ingress")?)?)?;
        let page = gateway.page(&product)?;
        assert!(page.text().contains(GREETING) && !page.text().contains(NEWSLETTER), "{}", page.text());
        assert_eq!(page.header("cache-control"), Some("private, no-cache"), "{file}");
        assert_eq!(gateway.page(&Request::get("/p/aurora/"))?.text(), source, "{file}");
        let zipped = gateway.page(&product.clone().header("accept-encoding", "gzip"))?;
        assert_eq!(zipped.header("content-encoding"), Some("gzip"), "{file}");
        assert_no_vm_failed(&gateway.proxy.envoy);
    }
    Ok(())
}
