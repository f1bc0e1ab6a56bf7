//! `engraft serve`: a local server between a browser and an origin, with the core in between as Envoy has it.
//!
//! It moves bytes and decides nothing: what a request becomes, and what is done to an answer, is the core's word. Everything under
//! `/__engraft/` is the [panel]'s.

pub(crate) mod args;
pub(crate) mod error;
mod guard;
mod heads;
mod listener;
mod live;
mod log;
mod ongoing;
mod origin;
mod outgoing;
mod panel;
mod proxy;
mod recent;
mod refusal;
mod reload;
mod signals;
mod site;
mod source;
mod state;
mod upgrade;
mod upstream;
mod views;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use tokio::sync::watch;

use crate::failure::{Failure, Verdict};
use crate::output;
use args::Serve;
use error::ServeError;
use listener::Workers;
use origin::Origin;
use reload::{Files, Setup};
use signals::Signals;
use site::Site;
use state::State;
use upstream::Upstream;

/// Serves until it is told to end.
pub(crate) fn run(args: Serve) -> Result<Verdict, Failure> {
    if !args.listen.ip().is_loopback() && !args.allow_remote {
        return Err(ServeError::Remote(args.listen).into());
    }
    let mut files = Files::of(&args);
    let setup = match files.read()? {
        Ok(usable) => Setup::new(usable),
        Err(refused) => {
            output::to_stderr(|out, palette| refused.write(out, palette))?;
            return Ok(Verdict::Problems);
        }
    };
    let upstream = upstream(&args)?;
    raise_file_limit();
    let system = ServeError::System;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(system)?;
    runtime.block_on(serve(args, files, setup, upstream))
}

async fn serve(args: Serve, files: Files, setup: Setup, upstream: Upstream) -> Result<Verdict, Failure> {
    // From here on a signal ends the server in order instead of the process at once.
    let mut signals = Signals::watch().map_err(ServeError::System)?;
    let listen = |source| ServeError::Listen { addr: args.listen, source };
    let listener = tokio::net::TcpListener::bind(args.listen).await.map_err(listen)?;
    let addr = listener.local_addr().map_err(listen)?;
    let (current, setup) = watch::channel(setup);
    let (ends, ending) = watch::channel(false);
    let state = Arc::new(State::new(&args, setup, ending));
    let workers = Workers::start(&state, &upstream).map_err(ServeError::System)?;
    greet(&args, addr)?;
    if args.open {
        open_browser(from_here(addr))?;
    }
    tokio::select! {
        () = workers.accept(listener) => {}
        () = files.watch(current) => {}
        () = signals.first() => {}
    }
    let _ = ends.send(true);
    workers.join();
    Ok(Verdict::Fine)
}

fn upstream(args: &Serve) -> Result<Upstream, ServeError> {
    if let Some(path) = &args.site {
        let site = Site::new(path);
        return site.map(Upstream::Site).map_err(|source| ServeError::Site { path: path.clone(), source });
    }
    let roots = origin::roots(args.origin_ca.as_deref())?;
    match &args.origin {
        Some(origin) => Ok(Upstream::Origin(Box::new(Origin::new(origin, &roots, args.origin_timeout)?))),
        // The arguments have one or the other.
        None => Err(ServeError::ServerName(String::new())),
    }
}

/// Says where to look.
fn greet(args: &Serve, addr: SocketAddr) -> Result<(), Failure> {
    output::to_stderr(|out, palette| {
        let place = palette.place;
        let what = match (&args.origin, &args.site) {
            (Some(origin), _) => origin.to_string(),
            (None, site) => site.as_deref().map(|site| site.display().to_string()).unwrap_or_default(),
        };
        writeln!(out, "{:<8}{what}", "serving")?;
        writeln!(out, "{:<8}{}", "through", args.config.display())?;
        let here = from_here(addr);
        writeln!(out, "{:<8}{place}http://{here}/{place:#}", "at")?;
        writeln!(out, "{:<8}http://{here}/__engraft/", "panel")?;
        if !addr.ip().is_loopback() {
            let style = palette.warning;
            writeln!(out, "{style}other machines can ask too{style:#}, at {addr}")?;
        }
        Ok(())
    })
}

/// Where this machine finds a listener. One that listens everywhere has no address of its own, and the panel answers under none but its own.
const fn from_here(addr: SocketAddr) -> SocketAddr {
    let host = match addr.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(host, addr.port())
}

fn open_browser(addr: SocketAddr) -> Result<(), Failure> {
    let url = format!("http://{addr}/");
    if let Err(error) = open::that_detached(&url) {
        output::to_stderr(|out, _| writeln!(out, "can't open a browser: {error}; open {url} yourself"))?;
    }
    Ok(())
}

/// Every request may be two connections, and systems allow few files at first.
fn raise_file_limit() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let limit = getrlimit(Resource::Nofile);
        // Where that is not allowed, fewer connections are open at once, and others wait.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, Method};

    use super::*;

    #[test]
    fn the_panel_answers_where_it_is_said_to_be() {
        for (listens, here) in [
            ("0.0.0.0:8080", "127.0.0.1:8080"),
            ("[::]:8080", "[::1]:8080"),
            ("127.0.0.1:80", "127.0.0.1:80"),
            ("192.0.2.1:8080", "192.0.2.1:8080"),
        ] {
            let addr = from_here(listens.parse().unwrap());
            assert_eq!(addr.to_string(), here);
            assert_eq!(guard::check(&Method::GET, here, &HeaderMap::new(), addr), Ok(()), "{here}");
        }
    }
}
