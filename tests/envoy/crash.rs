//! What a VM that fails would mean, by `failure_policy`: the reason why `envoy/engraft.yaml` says `FAIL_RELOAD`.
//!
//! No request is known that makes engraft's own VM fail, so a hand-made module stands in for it. It lets everything pass, and traps on
//! requests with many headers, which is what a panic comes to.

use std::error::Error;

use engraft_harness::bootstrap::{Bootstrap, Configuration, FailurePolicy, Listener, Plugin};
use engraft_harness::client::{self, Request};
use engraft_harness::envoy::Envoy;
use engraft_harness::wire::Protocol::Http1;
use serde_json::{Value, json};

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

/// An Envoy that has lost its VM to a request.
struct Failed {
    envoy: Envoy,
    /// What that request was answered.
    status: u16,
}

impl Failed {
    fn new(policy: FailurePolicy, reload: Option<Value>) -> Result<Self, Box<dyn Error>> {
        // The file has to be there only while Envoy starts.
        let module =
            std::env::temp_dir().join(format!("engraft-trap-{}-{policy:?}.wasm", std::process::id()));
        std::fs::write(&module, TRAPPING_MODULE.concat())?;
        let plugin = Plugin::new(&module, Configuration::None).failure_policy(policy);
        let mut filter = plugin.to_filter();
        let config = filter.pointer_mut("/typed_config/config").and_then(Value::as_object_mut);
        if let (Some(reload), Some(config)) = (reload, config) {
            config.insert("reload_config".to_owned(), reload);
        }
        let envoy = Bootstrap::new().listener(Listener::main().filter(filter).answer(200, "served")).start();
        std::fs::remove_file(&module)?;
        let envoy = envoy?;
        assert_eq!(ask(&envoy, &Request::get("/"))?, 200);
        let fatal = (0..HEADERS).fold(Request::get("/"), |request, n| request.header(&format!("x-{n}"), "1"));
        let status = ask(&envoy, &fatal)?;
        assert!(envoy.log().contains("Uncaught RuntimeError: unreachable"), "{}", envoy.log());
        Ok(Self { envoy, status })
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

#[test]
fn fail_reload_brings_the_plugin_back() -> Outcome {
    let backoff = json!({ "backoff": { "base_interval": "0.1s" } });
    let Failed { envoy, status } = Failed::new(FailurePolicy::FailReload, Some(backoff))?;
    assert_eq!(status, 503);
    envoy.wait_for("the plugin to come back", || {
        // A request is what makes Envoy load it again; until the interval is over, it answers 503.
        let addr = envoy.listener_addr("main")?;
        let status = client::fetch(Http1, addr, &Request::get("/")).map(|received| received.status);
        Ok((status.ok() == Some(200)).then_some(()))
    })?;
    assert_eq!(envoy.stat("wasm.engraft.vm_reload_success")?, 1);
    for _ in 0..20 {
        assert_eq!(ask(&envoy, &Request::get("/"))?, 200);
    }
    Ok(())
}
