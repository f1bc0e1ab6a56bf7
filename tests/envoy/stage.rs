//! An origin, an Envoy with engraft in front of it, and what tests ask of the two.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;

use engraft::decide::hash::HashVersion;
use engraft::engine::Engine;
use engraft::exchange::{self, Body, Next};
use engraft::request::RequestHead;
use engraft_harness::bootstrap::{Bootstrap, Cluster, Configuration, FailurePolicy, Listener, Plugin};
use engraft_harness::client::{self, Connection, Received, Request};
use engraft_harness::envoy::Envoy;
use engraft_harness::origin::{Origin, Reply};
use engraft_harness::wire::Protocol;
use http::{HeaderMap, StatusCode};
use serde_json::Value;

/// What every test returns: an error of the harness fails it, and says what was wrong.
pub(crate) type Outcome = Result<(), Box<dyn Error>>;

/// What the plugin leaves in the filter state of a stream, for access logs.
pub(crate) const FILTER_STATE: [&str; 5] = ["route", "body", "patches", "max_held_bytes", "redirected_by"];

/// What is spoken to the origin and what is spoken to the visitor, each with each.
pub(crate) fn protocols() -> impl Iterator<Item = (Protocol, Protocol)> {
    Protocol::ALL.into_iter().flat_map(|up| Protocol::ALL.into_iter().map(move |down| (up, down)))
}

/// A configuration with one route, `all`, for every request: these patches, as YAML from the first column.
pub(crate) fn patches(yaml: &str) -> String {
    let lines: String = yaml.trim_matches('\n').lines().map(|line| format!("      {line}\n")).collect();
    format!("version: 1\nroutes:\n  - name: all\n    patches:\n{lines}")
}

/// One Envoy that runs engraft between visitors and an origin. It has a listener for each protocol that it may speak to the
/// origin; visitors may speak either.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) origin: Origin,
    pub(crate) envoy: Envoy,
    http1: SocketAddr,
    http2: SocketAddr,
}

impl Stage {
    /// `configuration` is the operator's YAML, pasted into Envoy's.
    pub(crate) fn start(configuration: &str) -> Result<Self, Box<dyn Error>> {
        Self::with(configuration, |listener| listener, |cluster| cluster)
    }

    /// The same, with the listeners and clusters changed.
    pub(crate) fn with(
        configuration: &str,
        listener: impl Fn(Listener) -> Listener,
        cluster: impl Fn(Cluster) -> Cluster,
    ) -> Result<Self, Box<dyn Error>> {
        Self::with_plugin(&engraft(configuration)?, listener, cluster)
    }

    /// The same, with a plugin of the test's.
    pub(crate) fn with_plugin(
        plugin: &Plugin,
        listener: impl Fn(Listener) -> Listener,
        cluster: impl Fn(Cluster) -> Cluster,
    ) -> Result<Self, Box<dyn Error>> {
        let origin = Origin::start()?;
        let mut bootstrap = Bootstrap::new();
        for (name, protocol) in [("http1", Protocol::Http1), ("http2", Protocol::Http2)] {
            let chain = FILTER_STATE.iter().fold(Listener::new(name).cluster(name), |listener, key| {
                listener.log_filter_state(&format!("engraft.{key}"))
            });
            bootstrap = bootstrap.listener(listener(chain.plugin(plugin))).cluster(cluster(Cluster::new(
                name,
                protocol,
                origin.addr(),
            )));
        }
        let envoy = bootstrap.start()?;
        let (http1, http2) = (envoy.listener_addr("http1")?, envoy.listener_addr("http2")?);
        Ok(Self { origin, envoy, http1, http2 })
    }

    /// The listener that speaks `upstream` to the origin.
    pub(crate) const fn addr(&self, upstream: Protocol) -> SocketAddr {
        match upstream {
            Protocol::Http2 => self.http2,
            _ => self.http1,
        }
    }

    /// A connection of a visitor that is kept.
    pub(crate) fn connect(&self, (up, down): (Protocol, Protocol)) -> Result<Connection, Box<dyn Error>> {
        Ok(Connection::open(down, self.addr(up))?)
    }

    /// One request over a connection of its own.
    pub(crate) fn fetch(
        &self,
        (up, down): (Protocol, Protocol),
        request: &Request,
    ) -> Result<Received, Box<dyn Error>> {
        Ok(client::fetch(down, self.addr(up), request)?)
    }

    /// A plain `GET path` over HTTP/1.1 throughout.
    pub(crate) fn get(&self, path: &str) -> Result<Received, Box<dyn Error>> {
        self.fetch((Protocol::Http1, Protocol::Http1), &Request::get(path))
    }

    /// One of the plugin's counters.
    pub(crate) fn counter(&self, name: &str) -> Result<u64, Box<dyn Error>> {
        Ok(self.envoy.stat(&counter(name))?)
    }

    /// Waits until a counter has reached a value: it grows when Envoy is done with a stream, which its client can't see.
    pub(crate) fn wait_for_counter(&self, name: &str, value: u64) -> Outcome {
        Ok(self.envoy.wait_for("a counter of the plugin to grow", || {
            Ok((self.envoy.stat(&counter(name))? >= value).then_some(()))
        })?)
    }

    /// What must hold after whatever a test did: the next visitors are served, and no VM has failed.
    pub(crate) fn assert_alive(&self) -> Outcome {
        self.origin.reply("/alive", Reply::html("<title>alive</title>"));
        for pair in protocols() {
            let received = self.fetch(pair, &Request::get("/alive"))?;
            assert!(received.complete && received.text().contains("alive"), "{pair:?}: {}", received.text());
        }
        assert_no_vm_failed(&self.envoy);
        Ok(())
    }
}

/// The plugin as it ships. Requests fail where it fails, so that no test passes without it.
pub(crate) fn engraft(configuration: &str) -> Result<Plugin, Box<dyn Error>> {
    let plugin = Plugin::engraft(Configuration::Yaml(configuration.to_owned()))?;
    Ok(plugin.failure_policy(FailurePolicy::FailClosed))
}

/// What `/stats` calls a counter of the plugin.
pub(crate) fn counter(name: &str) -> String {
    format!("wasmcustom.engraft.{name}")
}

/// A visitor's browser asks for a page.
pub(crate) fn page_view(path: &str) -> Request {
    Request::get(path)
        .header("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
        .header("accept", "text/html,application/xhtml+xml,*/*;q=0.8")
}

/// The id of a visitor to whom an experiment of two even variations gives the first one, and the id of one who gets the second.
pub(crate) fn ids(experiment: &str) -> [String; 2] {
    [false, true].map(|is_second| {
        let gets_it = |id: &String| (HashVersion::V2.hash(experiment, id) >= 0.5) == is_second;
        (0..).map(|n| format!("visitor-{n}")).find(gets_it).unwrap_or_default()
    })
}

/// What was seen on the last of so many responses, by the access log of a listener that logs `engraft.exposures`.
pub(crate) fn logged_exposures(envoy: &Envoy, responses: usize) -> Result<Vec<Value>, Box<dyn Error>> {
    let line = envoy.access_log(responses)?.pop().unwrap_or_default();
    match line.get("engraft.exposures") {
        Some(Value::String(list)) => Ok(serde_json::from_str(list)?),
        Some(Value::Null) => Ok(Vec::new()),
        other => Err(format!("the log says {other:?}").into()),
    }
}

/// An exposure in few words: `hero=bold by edit`, and of which flag it is.
pub(crate) fn shown(event: &Value) -> String {
    let field = |name: &str| event.get(name).and_then(Value::as_str);
    let [experiment, variation, seen_by] =
        ["experiment_id", "variation_id", "seen_by"].map(|name| field(name).unwrap_or_default());
    let of_flag = field("feature_id").map(|flag| format!(" of {flag}")).unwrap_or_default();
    format!("{experiment}={variation} by {seen_by}{of_flag}")
}

pub(crate) fn assert_no_vm_failed(envoy: &Envoy) {
    let log = envoy.log();
    for failure in ["panicked", "Uncaught"] {
        assert!(!log.contains(failure), "{log}");
    }
}

/// What the core makes of a page, natively and in one piece: what Envoy's visitors must get. `reply` is what the origin answers.
pub(crate) fn native(
    configuration: &str,
    request: &Request,
    reply: &Reply,
) -> Result<Vec<u8>, Box<dyn Error>> {
    let engine =
        Arc::new(Engine::load(configuration.as_bytes()).map_err(|problems| problems.to_string())?.engine);
    let mut headers = request.headers.clone();
    headers.remove("host");
    let mut head = RequestHead::default();
    head.method.clone_from(&request.method);
    head.path.clone_from(&request.target);
    request.headers.get("host").unwrap_or_default().clone_into(&mut head.authority);
    "http".clone_into(&mut head.scheme);
    head.headers = HeaderMap::try_from(&headers)?;

    let page = reply.body.to_vec();
    let Next::Forward(forwarded) = exchange::begin(&engine, &head, &Default::default()).next else {
        return Ok(Vec::new());
    };
    let headers = HeaderMap::try_from(&reply.headers)?;
    Ok(match forwarded.answer(StatusCode::from_u16(reply.status)?, &headers).body {
        Body::NotModified(..) => Vec::new(),
        Body::Passes(_) => page,
        Body::Edited(mut edits) => {
            let mut out = Vec::new();
            let tail = edits.write(&page, &mut out);
            out.extend_from_slice(page.get(page.len() - tail..).unwrap_or_default());
            let _ = edits.end(&mut out);
            out
        }
    })
}
