//! What a VM that fails would mean, by `failure_policy`: the reason why `envoy/engraft.yaml` says `FAIL_RELOAD`.
//!
//! No request is known that makes engraft's own VM fail, so a hand-made module stands in for it. It lets everything pass, and traps on
//! requests with many headers, which is what a panic comes to.

use std::collections::BTreeSet;
use std::error::Error;

use engraft_harness::bootstrap::{Bootstrap, Cluster, Configuration, FailurePolicy, Listener, Plugin};
use engraft_harness::client::{self, Connection, Request};
use engraft_harness::envoy::Envoy;
use engraft_harness::origin::{Origin, Reply};
use engraft_harness::wire::Protocol::Http1;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::stage::Outcome;

/// More of them, pseudo headers included, and the VM is gone.
const HEADERS: u8 = 20;

/// The exports that Envoy asks for, and `proxy_on_request_headers(context, headers, end_of_stream)`: if there are more than [`HEADERS`],
/// `unreachable`; then 0, which is "continue".
const TRAPPING_MODULE: &[&[u8]] = &[
    b"\0asm\x01\0\0\0",
    // Types: nothing to nothing; a number to a number; three numbers to a number; two numbers to nothing.
    b"\x01\x15\x04\x60\0\0\x60\x01\x7f\x01\x7f\x60\x03\x7f\x7f\x7f\x01\x7f\x60\x02\x7f\x7f\0",
    // Three functions, of the first three types; a memory of one page.
    b"\x03\x04\x03\0\x01\x02\x05\x03\x01\0\x01",
    b"\x07\x56\x05\x06memory\x02\0\x17proxy_abi_version_0_2_1\0\0\x06malloc\0\x01\x0b_initialize\0\0\
      \x18proxy_on_request_headers\0\x02",
    b"\x0a\x17\x03\x02\0\x0b\x04\0\x41\0\x0b\x0d\0\x20\x01\x41",
    &[HEADERS],
    b"\x4b\x04\x40\0\x0b\x41\0\x0b",
];

/// The trapping module as a filter. Its file has to be there only while Envoy starts.
fn trap(dir: &TempDir, policy: FailurePolicy, reload: Option<Value>) -> Result<Value, Box<dyn Error>> {
    let module = dir.path().join("trap.wasm");
    std::fs::write(&module, TRAPPING_MODULE.concat())?;
    let mut filter = Plugin::new(&module, Configuration::None).failure_policy(policy).to_filter();
    let config = filter.pointer_mut("/typed_config/config").and_then(Value::as_object_mut);
    if let (Some(reload), Some(config)) = (reload, config) {
        config.insert("reload_config".to_owned(), reload);
    }
    Ok(filter)
}

/// What a VM fails on.
fn fatal() -> Request {
    (0..HEADERS).fold(Request::get("/"), |request, n| request.header(&format!("x-{n}"), "1"))
}

/// An Envoy that has lost its VM to a request.
struct Failed {
    envoy: Envoy,
    /// What that request was answered.
    status: u16,
}

impl Failed {
    fn new(policy: FailurePolicy, reload: Option<Value>) -> Result<Self, Box<dyn Error>> {
        let dir = tempfile::tempdir()?;
        let listener = Listener::main().filter(trap(&dir, policy, reload)?).answer(200, "served");
        Self::of(Bootstrap::new().listener(listener).start()?)
    }

    fn of(envoy: Envoy) -> Result<Self, Box<dyn Error>> {
        assert_eq!(ask(&envoy, &Request::get("/"))?, 200);
        let status = ask(&envoy, &fatal())?;
        assert!(envoy.log().contains("Uncaught RuntimeError: unreachable"), "{}", envoy.log());
        Ok(Self { envoy, status })
    }

    /// A request is what makes Envoy load the plugin again; until the interval is over, it answers 503.
    fn wait_for_the_plugin(&self) -> Outcome {
        let addr = self.envoy.listener_addr("main")?;
        self.envoy.wait_for("the plugin to come back", || {
            let status = client::fetch(Http1, addr, &Request::get("/")).map(|received| received.status);
            Ok((status.ok() == Some(200)).then_some(()))
        })?;
        for _ in 0..20 {
            assert_eq!(ask(&self.envoy, &Request::get("/"))?, 200);
        }
        Ok(())
    }
}

fn ask(envoy: &Envoy, request: &Request) -> Result<u16, Box<dyn Error>> {
    Ok(client::fetch(Http1, envoy.listener_addr("main")?, request)?.status)
}

#[test]
fn fail_closed_answers_nobody_any_more() -> Outcome {
    let Failed { envoy, status } = Failed::new(FailurePolicy::FailClosed, None)?;
    assert_eq!(status, 503);
    for _ in 0..20 {
        assert_eq!(ask(&envoy, &Request::get("/"))?, 503);
    }
    assert_eq!(envoy.stat("wasm.engraft.vm_reload_success")?, 0);
    Ok(())
}

#[test]
fn fail_open_passes_everybody_by_the_plugin() -> Outcome {
    let Failed { envoy, status } = Failed::new(FailurePolicy::FailOpen, None)?;
    assert_eq!(status, 503, "the request that the VM failed on is lost");
    for _ in 0..20 {
        assert_eq!(ask(&envoy, &Request::get("/"))?, 200);
    }
    assert_eq!(envoy.stat("wasm.engraft.vm_reload_success")?, 0, "and the plugin does not come back");
    Ok(())
}

/// The second has Envoy's own interval, as Istio's plugins have.
#[test]
fn fail_reload_brings_the_plugin_back() -> Outcome {
    for reload in [Some(json!({ "backoff": { "base_interval": "0.1s" } })), None] {
        let failed = Failed::new(FailurePolicy::FailReload, reload)?;
        assert_eq!(failed.status, 503);
        failed.wait_for_the_plugin()?;
        assert_eq!(failed.envoy.stat("wasm.engraft.vm_reload_success")?, 1);
    }
    Ok(())
}

#[test]
fn a_worker_that_has_lost_its_vm_leaves_the_others_theirs() -> Outcome {
    let dir = tempfile::tempdir()?;
    let listener =
        Listener::main().filter(trap(&dir, FailurePolicy::FailClosed, None)?).answer(200, "served");
    let envoy = Bootstrap::new().listener(listener).launch().concurrency(2).start()?;
    let addr = envoy.listener_addr("main")?;
    // The kernel spreads them over the workers: that one of the two gets none of so many comes once in a billion times.
    let open = || Connection::open(Http1, addr);
    let mut connections = (0..30).map(|_| open()).collect::<Result<Vec<_>, _>>()?;
    assert_eq!(client::fetch(Http1, addr, &fatal())?.status, 503);
    let mut statuses = BTreeSet::new();
    for connection in &mut connections {
        statuses.insert(connection.fetch(&Request::get("/"))?.status);
    }
    assert_eq!(statuses, BTreeSet::from([200, 503]));
    Ok(())
}

#[test]
fn an_origin_stage_that_has_lost_its_vm_comes_back_too() -> Outcome {
    let dir = tempfile::tempdir()?;
    let origin = Origin::start()?;
    origin.reply("/", Reply::html("served"));
    let backoff = json!({ "backoff": { "base_interval": "0.1s" } });
    let stage = trap(&dir, FailurePolicy::FailReload, Some(backoff))?;
    let cluster = Cluster::origin(Http1, origin.addr()).filter(stage);
    let failed = Failed::of(Bootstrap::proxy(Listener::main(), cluster).start()?)?;
    assert_eq!(failed.status, 503);
    failed.wait_for_the_plugin()
}
