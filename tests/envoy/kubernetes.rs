//! `envoy/kubernetes/edge.yaml`: its parts name each other, and a real Envoy runs with what stands in its `args`.
//!
//! The schemas of Kubernetes' own resources are not at hand; the fields were held against its API reference by eye.

use std::collections::BTreeSet;
use std::error::Error;
use std::net::TcpListener;

use engraft_harness::client::{self, Request};
use engraft_harness::envoy::{Envoy, EnvoyError, Launch};
use engraft_harness::origin::Origin;
use engraft_harness::site::Site;
use engraft_harness::wire::Protocol::{self, Http1};
use engraft_harness::workspace;
use serde_json::Value;

use crate::manifest::{shipped, text};
use crate::shipped::{EVERYWHERE, ORIGIN, address, configuration, port};
use crate::stage::Outcome;

const FILE: &str = "kubernetes/edge.yaml";
/// How often it is started again when somebody else took the port that was free a moment ago.
const ATTEMPTS: usize = 5;

fn resource(kind: &str) -> Result<Value, Box<dyn Error>> {
    let found = shipped(FILE)?.into_iter().find(|resource| text(resource, "/kind") == kind);
    found.ok_or_else(|| format!("no {kind}").into())
}

fn container() -> Result<Value, Box<dyn Error>> {
    Ok(resource("Deployment")?.pointer("/spec/template/spec/containers/0").ok_or("no container")?.clone())
}

fn list<'v>(value: &'v Value, pointer: &str) -> &'v [Value] {
    value.pointer(pointer).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn names(value: &Value, pointer: &str) -> BTreeSet<String> {
    list(value, pointer).iter().map(|item| text(item, "/name").to_owned()).collect()
}

#[test]
fn the_parts_of_the_manifest_name_each_other() -> Outcome {
    let (deployment, service, budget) =
        (resource("Deployment")?, resource("Service")?, resource("PodDisruptionBudget")?);
    let labels = deployment.pointer("/spec/template/metadata/labels").ok_or("no labels")?;
    for selector in [
        deployment.pointer("/spec/selector/matchLabels"),
        service.pointer("/spec/selector"),
        budget.pointer("/spec/selector/matchLabels"),
    ] {
        assert_eq!(selector, Some(labels));
    }
    let container = container()?;
    let ports = names(&container, "/ports");
    for of in [
        text(&container, "/startupProbe/httpGet/port"),
        text(&container, "/readinessProbe/httpGet/port"),
        text(&container, "/livenessProbe/tcpSocket/port"),
        text(&service, "/spec/ports/0/targetPort"),
    ] {
        assert!(ports.contains(of), "{of} is not among {ports:?}");
    }
    assert_eq!(names(&container, "/volumeMounts"), names(&deployment, "/spec/template/spec/volumes"));
    Ok(())
}

/// Starts an Envoy as the container would, with a file of `envoy/` for what the ConfigMap has.
fn start(origin: &Origin) -> Result<Envoy, Box<dyn Error>> {
    let container = container()?;
    let arguments: Vec<&str> = list(&container, "/args").iter().filter_map(Value::as_str).collect();
    let after = |flag: &str| {
        let at = arguments.iter().position(|argument| *argument == flag);
        at.and_then(|at| arguments.get(at + 1)).copied().ok_or_else(|| format!("no {flag}"))
    };
    let file = after("--config-path")?;
    let is_mounted = list(&container, "/volumeMounts").iter().any(|mount| text(mount, "/mountPath") == file);
    assert!(is_mounted, "{file}");
    let mut last = None;
    for _ in 0..ATTEMPTS {
        // What stands in `args` leads to the admin interface by its port, so that has to be a certain one.
        let admin = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let admin = format!("port_value: {admin} }}");
        let (old, new) = EVERYWHERE;
        let listener = port(10000);
        let bootstrap = configuration(
            "engraft.yaml",
            &[
                (port(9901).0.as_str(), admin.clone()),
                (listener.0.as_str(), listener.1),
                ("/etc/envoy/engraft.wasm", workspace::module()?.to_string_lossy().into_owned()),
                (old, new.to_owned()),
                (ORIGIN.0, address(origin.addr())),
            ],
        )?;
        let more = after("--config-yaml")?
            .replace(&port(9901).0, &admin)
            .replace(&port(9902).0, &port(9902).1)
            .replace(old, new);
        let concurrency = after("--concurrency")?.parse()?;
        let launch = Launch::new(bootstrap).concurrency(concurrency);
        match launch.argument("--config-yaml").argument(&more).start() {
            Ok(envoy) => return Ok(envoy),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| EnvoyError::NotFound { tried: Vec::new() }).into())
}

#[test]
fn the_container_serves_pages_and_tells_kubelet_and_prometheus_and_nothing_more() -> Outcome {
    let origin = Site::new(&workspace::root().join("examples/shop/site"))?.serve()?;
    let envoy = start(&origin)?;
    let (edge, pod) = (envoy.listener_addr("edge")?, envoy.listener_addr("pod")?);
    let product = Request::get("/p/aurora/").header("cookie", "first_name=Ada");
    for down in Protocol::ALL {
        let page = client::fetch(down, edge, &product)?;
        assert!(page.text().contains("Welcome back, Ada."), "{}", page.text());
    }
    let container = container()?;
    let ready = text(&container, "/readinessProbe/httpGet/path").to_owned();
    assert_eq!(ready, text(&container, "/startupProbe/httpGet/path"));
    assert_eq!(client::fetch(Http1, pod, &Request::get(&ready))?.text(), "LIVE\n");
    let scraped = resource("Deployment")?;
    let metrics = scraped.pointer("/spec/template/metadata/annotations/prometheus.io~1path").cloned();
    let metrics = client::fetch(
        Http1,
        pod,
        &Request::get(metrics.as_ref().and_then(Value::as_str).unwrap_or_default()),
    )?;
    assert!(metrics.text().contains("engraft_body_edited"), "{}", metrics.text());
    for request in [
        Request::new("POST", "/runtime_modify?engraft.off=100"),
        Request::get("/config_dump"),
        Request::get("/"),
        Request::get("/ready/../quitquitquit"),
        Request::new("POST", &ready),
    ] {
        assert_eq!(client::fetch(Http1, pod, &request)?.status, 404, "{request:?}");
    }
    Ok(())
}
