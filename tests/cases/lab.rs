//! Cases through Envoy: one process, one listener, one origin for all of them.
//!
//! Each configuration is a filter that is switched off but on the paths of its groups. What Envoy speaks to the origin, what
//! the origin is to answer, and where the request is in the access log is told by headers of tracing, which pass every key.

use std::collections::HashMap;
use std::error::Error;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use engraft_harness::bootstrap::{Bootstrap, Cluster, Configuration, Listener, Plugin};
use engraft_harness::client::{self, Received};
use engraft_harness::envoy::Envoy;
use engraft_harness::origin::{Framing, Origin, Pieces, ReceivedRequest, Reply};
use engraft_harness::wire::{Headers, Protocol};
use engraft_harness::workspace;
use serde_json::{Value, json};

use crate::core;
use crate::cut::Cut;
use crate::observed::{CASE_HEADER, Observed, Reported, Seen, UPSTREAM_HEADER};
use crate::table::{Case, Table};

/// Where the printed configuration listens, and where it looks for the origin unless told otherwise.
const PRINTED_PORT: u16 = 10_000;
const PRINTED_ORIGIN: &str = "127.0.0.1:10001";
/// Where the Envoy with the printed configuration tells whether it is ready.
const PRINTED_ADMIN_PORT: u16 = 9901;
/// Into how many pieces a body is cut; with a pause between them, so that they arrive as such.
const PIECES: usize = 8;
const PAUSE: Duration = Duration::from_millis(1);

/// What the filter keeps for access logs.
const REPORTED: [&str; 4] = ["engraft.route", "engraft.body", "engraft.patches", "engraft.redirected_by"];

/// The parts, started when they are first needed.
pub(crate) struct Lab {
    table: Arc<Table>,
    parts: OnceLock<Result<Parts, String>>,
}

struct Parts {
    addr: SocketAddr,
    /// `None` where somebody else started it.
    envoy: Option<Envoy>,
    access_log: Option<PathBuf>,
    received: Arc<Mutex<HashMap<String, ReceivedRequest>>>,
    /// Serves as long as it is there.
    _origin: Origin,
}

/// How the origin answers one request.
#[derive(Clone, Copy, Debug)]
enum Answer {
    Length,
    Pieces,
}

impl Lab {
    pub(crate) const fn new(table: Arc<Table>) -> Self {
        Self { table, parts: OnceLock::new() }
    }

    /// Runs a case with a client that speaks `protocol`.
    pub(crate) fn run(&self, case: &Case, protocol: Protocol) -> Result<(), String> {
        let parts = self.parts.get_or_init(|| Parts::start(&self.table).map_err(|error| error.to_string()));
        let parts = parts.as_ref().map_err(Clone::clone)?;
        let other = if protocol == Protocol::Http1 { Protocol::Http2 } else { Protocol::Http1 };
        for (upstream, answer) in
            [(protocol, Answer::Length), (protocol, Answer::Pieces), (other, Answer::Pieces)]
        {
            // The access log of an Envoy that was there before may hold the lines of earlier runs.
            let run = std::process::id();
            let way = format!("{run}-{}-{}-{answer:?}", short(protocol), short(upstream));
            for cut in cuts(case)? {
                let end = cut.end(case.body.len());
                let id = format!("{way}-{end}/{}", case.name);
                let observed =
                    parts.fetch(case, protocol, upstream, &id).map_err(|error| error.to_string())?;
                let checked = match case.seams {
                    Some(_) => observed.check_cut(case, cut).map(drop),
                    None => observed.check(case),
                };
                checked.map_err(|why| {
                    format!(
                        "{}, client by {protocol:?}, origin by {upstream:?}, body by {answer:?}, the page ends: {cut:?}:\n{why}",
                        case.name
                    )
                })?;
            }
        }
        Ok(())
    }
}

/// Where the page of a case ends, one after the other.
fn cuts(case: &Case) -> Result<Vec<Cut>, String> {
    match case.seams {
        Some(_) => Ok(Cut::some(case.body.len(), core::seed()?).collect()),
        None => Ok(vec![Cut::Nowhere]),
    }
}

/// A protocol's name in the test's headers, and its cluster's.
fn short(protocol: Protocol) -> &'static str {
    if protocol == Protocol::Http1 { "h1" } else { "h2" }
}

impl Parts {
    fn start(table: &Arc<Table>) -> Result<Self, Box<dyn Error>> {
        let origin = match std::env::var("ENGRAFT_ORIGIN_LISTEN") {
            Ok(addr) => Origin::start_on(addr.parse()?)?,
            Err(_) => Origin::start()?,
        };
        origin.forget_requests();
        let received = Arc::new(Mutex::new(HashMap::new()));
        answer_cases(&origin, table, &received);
        if let Ok(running) = std::env::var("ENGRAFT_ENVOY") {
            let addr = running.to_socket_addrs()?.next().ok_or("ENGRAFT_ENVOY names no address")?;
            let access_log = std::env::var_os("ENGRAFT_ACCESS_LOG").map(PathBuf::from);
            return Ok(Self { addr, envoy: None, access_log, received, _origin: origin });
        }
        let envoy = bootstrap(table, Listener::main(), origin.addr(), &workspace::module()?).start()?;
        let addr = envoy.listener_addr("main")?;
        let access_log = Some(envoy.dir().join("access.log"));
        Ok(Self { addr, envoy: Some(envoy), access_log, received, _origin: origin })
    }

    fn fetch(
        &self,
        case: &Case,
        protocol: Protocol,
        upstream: Protocol,
        id: &str,
    ) -> Result<Observed, Box<dyn Error>> {
        let mut request = client::Request::bare(&case.request.method, &case.target())
            .header("host", case.request.host.as_str())
            .header(CASE_HEADER, id)
            .header(UPSTREAM_HEADER, short(upstream));
        for (name, value) in case.request_headers() {
            request = request.header(&name, value);
        }
        let response = client::fetch(protocol, self.addr, &request)?;
        let Received { status, headers, body, broken, .. } = response;
        let request = locked(&self.received).remove(id).map(|seen| Seen {
            target: seen.target,
            authority: seen.authority,
            headers: pairs(&seen.headers),
        });
        let report = match &self.access_log {
            Some(_) => Some(self.report(id)?),
            None => None,
        };
        Ok(Observed { status, headers: pairs(&headers), body, broken, request, report })
    }

    /// Reads what the filter reported, once Envoy has written the request's line.
    fn report(&self, id: &str) -> Result<Reported, Box<dyn Error>> {
        let needle = format!("\"case\":{}", json!(id));
        let look = || {
            let text = self.access_log.as_ref().map(std::fs::read_to_string)?.unwrap_or_default();
            let line = text.lines().rev().find(|line| line.contains(&needle) && line.ends_with('}'))?;
            serde_json::from_str::<Value>(line).ok()
        };
        let line = match &self.envoy {
            Some(envoy) => envoy.wait_for("the request in the access log", || Ok(look()))?,
            None => (0..400)
                .find_map(|_| {
                    std::thread::sleep(Duration::from_millis(5));
                    look()
                })
                .ok_or("the request is not in the access log")?,
        };
        let field = |name: &str| line.get(name).and_then(Value::as_str).map(str::to_owned);
        let [route, body, patches, redirected_by] = REPORTED.map(field);
        Ok(Reported { route, body, patches, redirected_by, ..Reported::default() })
    }
}

fn pairs(headers: &Headers) -> Vec<(String, Vec<u8>)> {
    headers.iter().map(|(name, value)| (name.to_owned(), value.to_vec())).collect()
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Answers every request by the case that its header names, and keeps what it was.
fn answer_cases(
    origin: &Origin,
    table: &Arc<Table>,
    received: &Arc<Mutex<HashMap<String, ReceivedRequest>>>,
) {
    let (table, received) = (Arc::clone(table), Arc::clone(received));
    origin.otherwise(move |request| {
        let id = request.headers.get(CASE_HEADER).unwrap_or_default();
        let Some((how, name)) = id.split_once('/') else { return Reply::new(404, "no such case\n") };
        locked(&received).insert(id.to_owned(), request.clone());
        match table.cases.iter().find(|case| case.name == name) {
            Some(case) => {
                let (how, end) = how.rsplit_once('-').unwrap_or_default();
                let cut = end.parse().map_or(Cut::Nowhere, Cut::After);
                reply(case, case.page(cut), how.ends_with("Length"))
            }
            None => Reply::new(404, "no such case\n"),
        }
    });
}

fn reply(case: &Case, page: &[u8], says_length: bool) -> Reply {
    let mut reply = Reply::new(case.origin.status, page.to_vec());
    for (name, value) in case.origin_headers() {
        reply = reply.header(&name, value);
    }
    match (case.origin.status, says_length) {
        // There is nothing to frame.
        (204 | 304, _) => reply.framing(Framing::CloseDelimited),
        (_, true) => reply,
        (_, false) => {
            let spread = page.len() / PIECES;
            let seed = core::seed().unwrap_or(1);
            let sizes =
                core::sizes(seed).take(PIECES).map(|size| (size % 200).saturating_add(spread)).collect();
            reply.framing(Framing::Chunked).pieces(Pieces::Sizes(sizes)).delay(PAUSE)
        }
    }
}

/// The configuration that an Envoy needs to run the cases.
pub(crate) fn print(table: &Table) -> Result<String, Box<dyn Error>> {
    let origin = std::env::var("ENGRAFT_ORIGIN_LISTEN").unwrap_or_else(|_| PRINTED_ORIGIN.to_owned());
    let module =
        std::env::var_os("ENGRAFT_MODULE").map_or_else(workspace::module, |named| Ok(named.into()))?;
    let listener = Listener::main().port(PRINTED_PORT);
    let admin = json!({ "address": { "socket_address": { "address": "127.0.0.1", "port_value": PRINTED_ADMIN_PORT } } });
    Ok(bootstrap(table, listener, origin.parse()?, &module).field("admin", admin).to_yaml())
}

fn bootstrap(table: &Table, mut listener: Listener, origin: SocketAddr, module: &Path) -> Bootstrap {
    let name = |group: &Option<String>| {
        group.as_ref().map_or_else(|| "cases".to_owned(), |group| format!("cases-{group}"))
    };
    for document in &table.documents {
        let plugin = Plugin::new(module, Configuration::Struct(document.configuration.clone()));
        let mut filter = plugin.name(&name(&document.group)).to_filter();
        if let Some(fields) = filter.as_object_mut() {
            fields.insert("disabled".to_owned(), json!(true));
        }
        listener = listener.filter(filter);
    }
    // The groups with a configuration of their own come first, the shared one takes what is left.
    for document in &table.documents {
        let prefix = document.group.as_ref().map_or_else(|| "/".to_owned(), |group| format!("/{group}/"));
        let enabled = json!({ name(&document.group): {
            "@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig",
            "config": {},
        } });
        for upstream in [Protocol::Http1, Protocol::Http2].map(short) {
            let header = json!({ "name": UPSTREAM_HEADER, "string_match": { "exact": upstream } });
            listener = listener.route(json!({
                "match": { "prefix": prefix, "headers": [header] },
                "route": { "cluster": upstream },
                "typed_per_filter_config": enabled,
            }));
        }
    }
    listener = listener.cluster("h1").log("case", &format!("%REQ({CASE_HEADER})%"));
    listener = REPORTED.into_iter().fold(listener, Listener::log_filter_state);
    let clusters = [Protocol::Http1, Protocol::Http2];
    let clusters = clusters.map(|protocol| Cluster::new(short(protocol), protocol, origin));
    let bootstrap = Bootstrap::new().listener(listener);
    clusters.into_iter().fold(bootstrap, Bootstrap::cluster)
}
