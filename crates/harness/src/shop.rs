//! The shop of the demo: `examples/shop`, an Envoy with its cache between two stages of the module, and one address as two visitors see
//! it. What shows it (a process here, containers) says where things lie and listen.

use std::path::Path;

use crate::bootstrap::{Bootstrap, CacheFilter, Cluster, Configuration, Listener, Plugin};
use crate::client::{ClientError, Received, Request};
use crate::wire::Protocol;

/// The page that is compared, one with every kind of patch.
pub const PAGE: &str = "/p/aurora/";
/// What only B's page may say.
pub const GREETING: &str = "Welcome back, Ada";
/// The listener that is for curl: visitors say what they are.
pub const PLAIN: &str = "plain";

/// Someone who asks for the page, and how the edge would describe them.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Visitor {
    /// Also the listener's, at which everybody is this visitor.
    pub name: &'static str,
    /// What the edge says of them.
    pub headers: &'static [(&'static str, &'static str)],
}

/// The two.
pub const VISITORS: [Visitor; 2] = [
    Visitor { name: "A", headers: &[("x-geo-country", "DE")] },
    Visitor { name: "B", headers: &[("x-geo-country", "US"), ("cookie", "plan=pro; first_name=Ada")] },
];

impl Visitor {
    /// Asks for [`PAGE`] at `addr`.
    ///
    /// # Errors
    /// See [`crate::client::fetch`].
    pub fn fetch(&self, addr: std::net::SocketAddr) -> Result<Received, ClientError> {
        let add = |request: Request, (name, value): &(&str, &str)| request.header(name, *value);
        crate::client::fetch(Protocol::Http1, addr, &self.headers.iter().fold(Request::get(PAGE), add))
    }
}

/// The listeners, in their order: one for curl and one for each visitor's browser. A browser sends no such headers, so there Envoy
/// sets them before the filters run.
#[must_use]
pub fn listeners() -> Vec<Listener> {
    let of = |visitor: &Visitor| {
        let with = |listener: Listener, (name, value): &(&str, &str)| listener.request_header(name, value);
        visitor.headers.iter().fold(Listener::new(visitor.name), with)
    };
    std::iter::once(Listener::new(PLAIN)).chain(VISITORS.iter().map(of)).collect()
}

/// One Envoy with these listeners and the module from a file: all of them have the same cache, which keeps `pages` as they are before they
/// are personal.
#[must_use]
pub fn bootstrap(
    listeners: Vec<Listener>,
    origin: Cluster,
    configuration: &str,
    module: &Path,
    pages: &Path,
) -> Bootstrap {
    let plugin = |stage: &str| {
        let configuration = Configuration::Yaml(format!("stage: {stage}\n{configuration}"));
        Plugin::new(module, configuration).name(&format!("engraft_{stage}"))
    };
    let (client, cache) = (plugin("client"), CacheFilter::file_system(pages).second_version().to_filter());
    let bootstrap = Bootstrap::new().cluster(origin.plugin(&plugin("origin")));
    let listeners = listeners.into_iter().map(|listener| listener.plugin(&client).filter(cache.clone()));
    listeners.fold(bootstrap, Bootstrap::listener)
}
