//! The request of a rendering: what a proxy would hand to the filter.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::SystemTime;

use engraft::config::model::Connection;
use engraft::live::Live;
use engraft::request::RequestHead;
use engraft::request::attributes::Fact;
use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::args::{Header, Render, Url};
use crate::failure::Failure;
use crate::time;

/// A request and what the proxy knows besides.
#[derive(Debug)]
pub(super) struct Visit {
    pub(super) head: RequestHead,
    /// In the order in which the configuration asks for them.
    pub(super) facts: Vec<Option<String>>,
    /// Who asks; this machine unless it is said.
    pub(super) peer: Option<IpAddr>,
    pub(super) now: SystemTime,
    /// What a new id is made of.
    pub(super) random: u128,
    /// The payload of a feature service.
    pub(super) live: Option<Arc<Live>>,
}

impl Visit {
    /// `asked` are the facts that the configuration reads.
    pub(super) fn new(args: &Render, asked: &[Fact]) -> Result<Self, Failure> {
        // Whoever the peer is decides on debug headers too, whether or not an attribute reads it.
        let peer = Fact::Connection(Connection::PeerAddress);
        let mut readable: Vec<String> = asked.iter().chain([&peer]).filter_map(name).collect();
        readable.sort();
        readable.dedup();
        if let Some(unread) = args.facts.iter().find(|fact| !readable.contains(&fact.name)) {
            return Err(Failure::UnreadFact { name: unread.name.clone(), readable });
        }
        let given = |fact: &Fact| {
            let name = name(fact)?;
            args.facts.iter().rev().find(|fact| fact.name == name).map(|fact| fact.value.clone())
        };
        let head = head(args);
        Ok(Self {
            facts: asked.iter().map(given).collect(),
            peer: given(&peer)
                .map_or_else(|| Some(IpAddr::from(Ipv4Addr::LOCALHOST)), |peer| peer.trim().parse().ok()),
            head,
            now: args.now.unwrap_or_else(time::now),
            random: time::random(),
            live: None,
        })
    }
}

/// Envoy has `Host` as `:authority`, and so has the core.
fn head(args: &Render) -> RequestHead {
    let Url { scheme, authority, path } = args.url.clone();
    let mut headers = lines(&args.headers);
    let host = args.headers.iter().rev().find(|line| line.name == header::HOST);
    let authority =
        host.map_or(authority, |host| String::from_utf8_lossy(host.value.as_bytes()).into_owned());
    headers.remove(header::HOST);
    RequestHead { method: args.method.to_string(), scheme, authority, path, headers, has_body: false }
}

/// Headers as the map that the core takes.
pub(super) fn map(headers: impl IntoIterator<Item = (HeaderName, HeaderValue)>) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        // Fails above 32768 headers only.
        let _ = map.try_append(name, value);
    }
    map
}

/// Header lines of the command line as that map.
pub(super) fn lines(lines: &[Header]) -> HeaderMap {
    map(lines.iter().map(|line| (line.name.clone(), line.value.clone())))
}

/// What the command line calls a fact: `peer_address`, `filter_state.team`. A sort of fact that is new to the core has no
/// name until it is given one here.
fn name(fact: &Fact) -> Option<String> {
    match fact {
        Fact::Connection(connection) => serde_json::to_value(connection).ok()?.as_str().map(str::to_owned),
        Fact::FilterState(key) => Some(format!("filter_state.{key}")),
        _ => None,
    }
}
