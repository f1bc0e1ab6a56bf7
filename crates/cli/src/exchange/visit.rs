//! The request of an exchange: what a proxy would hand to the filter.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::SystemTime;

use engraft::config::model::Connection;
use engraft::exchange::Overrides;
use engraft::live::Live;
use engraft::request::RequestHead;
use engraft::request::attributes::Fact;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};

use crate::args::{self, Header, Url};
use crate::failure::Failure;
use crate::time;

/// A request and what the proxy knows besides.
#[derive(Debug, Clone)]
pub(crate) struct Visit {
    pub(crate) head: RequestHead,
    /// In the order in which the configuration asks for them.
    pub(crate) facts: Vec<Option<String>>,
    /// Who asks; this machine unless it is said.
    pub(crate) peer: Option<IpAddr>,
    pub(crate) now: SystemTime,
    /// What a new id is made of.
    pub(crate) random: u128,
    /// The payload of a feature service.
    pub(crate) live: Option<Arc<Live>>,
    /// What is seen instead of what the request says.
    pub(crate) overrides: Option<Overrides>,
    /// The report is to say what was decided, and why.
    pub(crate) explains: bool,
}

impl Visit {
    /// A request at this time, by this machine unless `given` says otherwise; `asked` are the facts that the configuration reads.
    ///
    /// # Errors
    /// [`Failure::UnreadFact`] where nothing reads one that is given.
    pub(crate) fn new(head: RequestHead, given: &[args::Fact], asked: &[Fact]) -> Result<Self, Failure> {
        // Whoever the peer is decides on debug headers too, whether or not an attribute reads it.
        let peer = Fact::Connection(Connection::PeerAddress);
        let mut readable: Vec<String> = asked.iter().chain([&peer]).map(Fact::name).collect();
        readable.sort();
        readable.dedup();
        if let Some(unread) = given.iter().find(|fact| !readable.contains(&fact.name)) {
            return Err(Failure::UnreadFact { name: unread.name.clone(), readable });
        }
        let given = |fact: &Fact| {
            let name = fact.name();
            given.iter().rev().find(|fact| fact.name == name).map(|fact| fact.value.clone())
        };
        Ok(Self {
            facts: asked.iter().map(given).collect(),
            peer: given(&peer)
                .map_or_else(|| Some(IpAddr::from(Ipv4Addr::LOCALHOST)), |peer| peer.trim().parse().ok()),
            head,
            now: time::now(),
            random: time::random(),
            live: None,
            overrides: None,
            explains: true,
        })
    }
}

/// The head of a request for `url`. Envoy has `Host` as `:authority`, and so has the core.
pub(crate) fn head(method: &Method, url: Url, mut headers: HeaderMap) -> RequestHead {
    let Url { scheme, authority, path } = url;
    let host = headers.get_all(header::HOST).iter().next_back();
    let authority = host.map_or(authority, |host| String::from_utf8_lossy(host.as_bytes()).into_owned());
    headers.remove(header::HOST);
    RequestHead { method: method.to_string(), scheme, authority, path, headers, has_body: false }
}

/// Headers as the map that the core takes.
pub(crate) fn map(headers: impl IntoIterator<Item = (HeaderName, HeaderValue)>) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        // Fails above 32768 headers only.
        let _ = map.try_append(name, value);
    }
    map
}

/// Header lines of the command line as that map.
pub(crate) fn lines(lines: &[Header]) -> HeaderMap {
    map(lines.iter().map(|line| (line.name.clone(), line.value.clone())))
}
