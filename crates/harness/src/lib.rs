//! Real parts for end-to-end tests, the demo and benchmarks: an Envoy process ([`envoy`]) started from a built bootstrap
//! ([`bootstrap`]), an origin whose framing is scripted byte for byte ([`origin`]), and clients that change and hide nothing
//! ([`client`]).
//!
//! Everything blocks. A test is plain code on its own thread; the origin runs on a thread of its own, Envoy in its own process.
//! Every port is picked by the kernel on 127.0.0.1, so tests run side by side.
//!
//! ```no_run
//! use engraft_harness::bootstrap::{Bootstrap, Cluster, Configuration, Listener, Plugin};
//! use engraft_harness::client::{self, Request};
//! use engraft_harness::origin::{Framing, Origin, Pieces, Reply};
//! use engraft_harness::wire::Protocol::{Http1, Http2};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let origin = Origin::start()?;
//! let page = Reply::html("<h1>Hello</h1>").framing(Framing::Chunked).pieces(Pieces::EveryByte);
//! origin.reply("/p/", page.trailer("x-sum", "1"));
//!
//! let configuration = std::fs::read_to_string("engraft.yaml")?;
//! let plugin = Plugin::engraft(Configuration::Yaml(configuration))?;
//! let listener = Listener::main().plugin(&plugin).log_filter_state("engraft.decisions");
//! let envoy = Bootstrap::proxy(listener, Cluster::origin(Http1, origin.addr())).start()?;
//!
//! let asked = Request::get("/p/").header("cookie", "first_name=Ada");
//! let page = client::fetch(Http2, envoy.listener_addr("main")?, &asked)?;
//! assert!(page.complete && page.text().contains("Ada"), "{}", page.headers);
//! assert!(!origin.requests()[0].headers.has("x-engraft-debug"));
//! assert!(envoy.access_log(1)?[0].get("engraft.decisions").is_some());
//! # Ok(())
//! # }
//! ```
#![expect(
    clippy::disallowed_methods,
    reason = "the harness drives real processes and sockets; its deadlines and measurements are real time"
)]

pub mod bootstrap;
pub mod client;
pub mod diff;
pub mod envoy;
pub mod load;
pub mod nginx;
pub mod origin;
pub mod payload;
mod process;
pub mod prometheus;
pub mod samples;
pub mod serve;
pub mod shop;
pub mod site;
pub mod table;
pub mod wire;
pub mod workspace;
