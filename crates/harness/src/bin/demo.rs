//! The demo: a static shop, a real Envoy with its cache between two stages of the module, and one address as two visitors see it.
//!
//! It serves `examples/shop/site`, shows what differs between the visitors' pages and how often the origin was asked for them, and
//! goes on serving until Ctrl-C. With `DEMO_ONCE=1`, or when it does not talk to a terminal, it ends after that. The pages being the
//! same is an error, and so is a second question to the origin: the demo is also a test of the whole.

use std::error::Error;
use std::fmt;
use std::io::{self, IsTerminal as _, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::ExitCode;

use engraft_harness::bootstrap::Cluster;
use engraft_harness::client::{self, Received, Request};
use engraft_harness::diff::{self, Style};
use engraft_harness::envoy::Envoy;
use engraft_harness::shop::{self, GREETING, PAGE, PLAIN, VISITORS};
use engraft_harness::site::Site;
use engraft_harness::wire::{Headers, Protocol};
use engraft_harness::workspace;
use tempfile::TempDir;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Where the listeners are put if nobody else is there.
const FIRST_PORT: u16 = 10_000;

fn main() -> ExitCode {
    match run(&mut io::stdout()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if is_closed_pipe(error.as_ref()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "engraft-demo: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Everything is owned here, so that every way out stops Envoy and the origin.
fn run(out: &mut io::Stdout) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // From here on a signal ends the demo in order instead of the process at once.
    let mut signals = runtime.block_on(async { Signals::watch() })?;
    let style = Style::of(out);
    let once = std::env::var_os("DEMO_ONCE").is_some_and(|value| value == "1")
        || !io::stdout().is_terminal()
        || !io::stdin().is_terminal();

    let folder = workspace::root().join("examples/shop");
    let origin = Site::new(&folder.join("site"))?.serve()?;
    let configuration = std::fs::read_to_string(folder.join("engraft.yaml"))?;
    let pages = TempDir::with_prefix("engraft-demo-")?;
    let envoy = start(Cluster::origin(Protocol::Http1, origin.addr()), &configuration, pages.path(), once)?;
    let plain = envoy.listener_addr(PLAIN)?;

    let direct = client::fetch(Protocol::Http1, origin.addr(), &Request::get(PAGE))?;
    let _ = origin.take_requests();
    let [a, b] = VISITORS.map(|visitor| visitor.fetch(plain));
    let (a, b) = (a?, b?);
    show(out, style, &envoy, &direct, &a, &b)?;
    check(&envoy, &a, &b)?;
    let asked = origin.take_requests().len();
    origin.forget_requests();
    writeln!(
        out,
        "\n{}\n  {} pages went out, and the origin was asked {}.",
        style.heading("From the cache between the two stages"),
        VISITORS.len() * 2,
        if asked == 1 { "once".to_owned() } else { format!("{asked} times") },
    )?;
    if asked != 1 {
        return Err(Failure::NotCached { asked }.into());
    }
    if once {
        return Ok(());
    }
    invite(out, style, &envoy, plain)?;
    runtime.block_on(signals.first());
    // A terminal that hung up can't be told.
    let _ = writeln!(out, "\nstopped");
    Ok(())
}

/// Known ports are for people; the kernel's choice (0) disturbs nobody.
fn start(origin: Cluster, configuration: &str, pages: &Path, once: bool) -> Result<Envoy, Box<dyn Error>> {
    let placed = (FIRST_PORT..).zip(shop::listeners()).map(|(port, listener)| {
        let port = if once || TcpListener::bind(("127.0.0.1", port)).is_err() { 0 } else { port };
        listener.port(port)
    });
    let module = workspace::module()?;
    Ok(shop::bootstrap(placed.collect(), origin, configuration, &module, pages).start()?)
}

fn show(
    out: &mut impl Write,
    style: Style,
    envoy: &Envoy,
    direct: &Received,
    a: &Received,
    b: &Received,
) -> io::Result<()> {
    let version = envoy.binary().version();
    writeln!(
        out,
        "{}",
        style.heading(&format!("{PAGE} as two visitors see it, through Envoy {version} with engraft"))
    )?;
    for (visitor, page) in VISITORS.iter().zip([a, b]) {
        let what = if page.body == direct.body { ", the origin's page byte for byte" } else { "" };
        let headers: Vec<String> =
            visitor.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        writeln!(out, "  {}  {}", visitor.name, headers.join(", "))?;
        writeln!(out, "     {}", style.faint(&format!("{}, {} bytes{what}", page.status, page.body.len())))?;
    }
    writeln!(
        out,
        "{}",
        style.faint("  Here the client says which country it is in. At a real edge the edge says so and drops what clients send.")
    )?;
    writeln!(out, "\n{}", style.heading("Headers (- A, + B)"))?;
    write!(out, "{}", diff::headers(&told_apart(a), &told_apart(b), style))?;
    writeln!(out, "\n{}", style.heading("Body (- A, + B)"))?;
    write!(out, "{}", diff::lines(&a.text(), &b.text(), style))
}

/// The response's headers without the one that differs by the clock.
fn told_apart(page: &Received) -> Headers {
    let mut headers = page.headers.clone();
    headers.remove("date");
    headers
}

/// Refuses a demo that shows nothing, or shows one visitor the other's page.
fn check(envoy: &Envoy, a: &Received, b: &Received) -> Result<(), Box<dyn Error>> {
    for (visitor, page) in VISITORS.iter().zip([a, b]) {
        if page.status != 200 || !page.complete {
            return Err(Failure::Broken {
                visitor: visitor.name,
                status: page.status,
                log: envoy.log_tail(),
            }
            .into());
        }
        // The visitor's own listener has to show what the headers show.
        let listener = envoy.listener_addr(visitor.name)?;
        if client::fetch(Protocol::Http1, listener, &Request::get(PAGE))?.body != page.body {
            return Err(Failure::ListenerDiffers { visitor: visitor.name }.into());
        }
    }
    if a.body == b.body {
        return Err(Failure::Same.into());
    }
    if !b.text().contains(GREETING) || a.text().contains(GREETING) {
        return Err(Failure::NotPersonal.into());
    }
    Ok(())
}

fn invite(
    out: &mut impl Write,
    style: Style,
    envoy: &Envoy,
    plain: SocketAddr,
) -> Result<(), Box<dyn Error>> {
    writeln!(out, "\n{}", style.heading("Open side by side"))?;
    for visitor in &VISITORS {
        writeln!(out, "  {}  http://{}{PAGE}", visitor.name, envoy.listener_addr(visitor.name)?)?;
    }
    writeln!(out, "\n{}", style.heading("Or ask as anybody"))?;
    for visitor in &VISITORS {
        let headers: String =
            visitor.headers.iter().map(|(name, value)| format!(" -H '{name}: {value}'")).collect();
        writeln!(out, "  curl -i{headers} http://{plain}{PAGE}")?;
    }
    writeln!(out, "\nServing until Ctrl-C.")?;
    out.flush()?;
    Ok(())
}

/// Why the demo does not show what it is there to show.
#[derive(Debug)]
enum Failure {
    Broken { visitor: &'static str, status: u16, log: String },
    ListenerDiffers { visitor: &'static str },
    Same,
    NotPersonal,
    NotCached { asked: usize },
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broken { visitor, status, log } => {
                write!(f, "{visitor}'s page did not come whole (status {status}); envoy's log ends\n{log}")
            }
            Self::ListenerDiffers { visitor } => {
                write!(f, "{visitor}'s own listener shows another page than {visitor}'s headers")
            }
            Self::Same => {
                write!(f, "both visitors got the same page: is examples/shop/engraft.yaml in force?")
            }
            Self::NotCached { asked } => {
                write!(f, "the origin was asked {asked} times for a page that is stored after the first")
            }
            Self::NotPersonal => write!(f, "{GREETING:?} has to stand in B's page, and only there"),
        }
    }
}

impl Error for Failure {}

/// The signals that ask for an end.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Signals {
    fn watch() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    async fn first(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hangup.recv() => {}
        }
    }
}

/// `engraft-demo | head` is no failure.
fn is_closed_pipe(error: &(dyn Error + 'static)) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
