//! The request of a rendering: what a proxy would hand to the filter.

use std::net::IpAddr;

use engraft::config::model::Connection;
use engraft::request::RequestHead;
use engraft::request::attributes::Fact;
use http::{HeaderMap, header};

use crate::args::{self, Render, Url};
use crate::failure::Failure;

/// A request and what the proxy knows besides.
#[derive(Debug)]
pub(super) struct Visit {
    pub(super) head: RequestHead,
    /// In the order in which the configuration asks for them.
    pub(super) facts: Vec<Option<String>>,
    pub(super) from_loopback: bool,
}

impl Visit {
    /// `asked` are the facts that the configuration reads.
    pub(super) fn new(args: &Render, asked: &[Fact]) -> Result<Self, Failure> {
        // Whoever the peer is decides on debug headers too, whether or not an attribute reads it.
        let peer = name(&Fact::Connection(Connection::PeerAddress));
        let readable = asked.iter().map(name).chain([peer.clone()]);
        let mut readable: Vec<String> = readable.collect();
        readable.sort();
        readable.dedup();
        if let Some(unread) = args.facts.iter().find(|fact| !readable.contains(&fact.name)) {
            return Err(Failure::UnreadFact { name: unread.name.clone(), readable });
        }
        let given = |name: &str| {
            args.facts.iter().rev().find(|fact| fact.name == name).map(|fact| fact.value.clone())
        };
        let head = head(args);
        Ok(Self {
            facts: asked.iter().map(|fact| given(&name(fact))).collect(),
            from_loopback: given(&peer).is_none_or(|peer| is_loopback(&peer)) && !is_forwarded(&head.headers),
            head,
        })
    }
}

/// Envoy has `Host` as `:authority`, and so has the core.
fn head(args: &Render) -> RequestHead {
    let Url { scheme, authority, path } = args.url.clone();
    let mut headers = headers(&args.headers);
    let host = args.headers.iter().rev().find(|line| line.name == header::HOST);
    let authority =
        host.map_or(authority, |host| String::from_utf8_lossy(host.value.as_bytes()).into_owned());
    headers.remove(header::HOST);
    let mut head = RequestHead::default();
    head.method = args.method.to_string();
    (head.scheme, head.authority, head.path, head.headers) = (scheme, authority, path, headers);
    head
}

/// Header lines as the map that the core takes.
pub(super) fn headers(lines: &[args::Header]) -> HeaderMap {
    lines.iter().map(|line| (line.name.clone(), line.value.clone())).fold(
        HeaderMap::new(),
        |mut headers, (name, value)| {
            // Fails above 32768 headers only.
            let _ = headers.try_append(name, value);
            headers
        },
    )
}

/// What the command line calls a fact: `peer_address`, `filter_state.team`.
fn name(fact: &Fact) -> String {
    match fact {
        Fact::FilterState(key) => format!("filter_state.{key}"),
        Fact::Connection(connection) => match serde_json::to_value(connection) {
            Ok(serde_json::Value::String(name)) => name,
            // Its names are texts; a later sort of fact has no name until it is given one here.
            _ => String::new(),
        },
        _ => String::new(),
    }
}

/// As the filter: a proxy on this machine that passes on somebody else's request says so.
fn is_forwarded(headers: &HeaderMap) -> bool {
    let addresses = headers.get_all("x-forwarded-for").iter();
    let mut addresses = addresses.flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    addresses.any(|address| !std::str::from_utf8(address).is_ok_and(is_loopback))
}

fn is_loopback(address: &str) -> bool {
    address.trim().parse().is_ok_and(|address: IpAddr| address.is_loopback())
}
