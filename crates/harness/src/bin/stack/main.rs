//! What stands around Envoy when it runs in containers (`tests/docker`, `envoy/compose.yaml`), in one binary that needs no other file:
//!
//! ```text
//! engraft-stack print demo|edge   the Envoy configuration of a service
//! engraft-stack features          a feature service, on port 8080
//! engraft-stack collector         a collector of exposures, on port 8080
//! engraft-stack probe             exits 0 when one of them answers on this machine: a health check
//! engraft-stack check             asks the running services what they have to do, a line each
//! ```

mod check;
mod print;
mod stand_ins;

use std::error::Error;
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;

use engraft_harness::client::{self, Request};
use engraft_harness::origin::Origin;
use engraft_harness::wire::Protocol;
use tokio::signal::unix::{SignalKind, signal};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Where every service but Envoy listens; also nginx, by its configuration.
const PORT: u16 = 8080;

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "engraft-stack: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Outcome<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["print", "demo"] => std::io::stdout().write_all(print::demo()?.as_bytes())?,
        ["print", "edge"] => std::io::stdout().write_all(print::edge().as_bytes())?,
        ["features"] => serve(stand_ins::features)?,
        ["collector"] => serve(stand_ins::collector)?,
        ["probe"] => probe()?,
        ["check"] => return check::all(),
        _ => return Err("takes print demo, print edge, features, collector, probe or check".into()),
    }
    Ok(ExitCode::SUCCESS)
}

/// Serves until it is told to stop, which a first process of a container has to listen for.
fn serve(script: impl FnOnce(&Origin)) -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut stopped = runtime.block_on(async { signal(SignalKind::terminate()) })?;
    let origin = Origin::start_on(SocketAddr::from((Ipv4Addr::UNSPECIFIED, PORT)))?;
    origin.forget_requests();
    script(&origin);
    runtime.block_on(stopped.recv());
    Ok(())
}

fn probe() -> Outcome<()> {
    let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, PORT));
    let answer = client::fetch(Protocol::Http1, addr, &Request::get(stand_ins::READY))?;
    if answer.status == 200 { Ok(()) } else { Err(format!("it answers {}", answer.status).into()) }
}
