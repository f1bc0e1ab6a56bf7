//! The measurements. Contenders take turns within each round, so that what happens to the machine happens to all of them.

use std::fmt;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use engraft_harness::client::{Connection, Request};
use engraft_harness::envoy::Envoy;
use engraft_harness::load::Load;
use engraft_harness::origin::{Framing, Origin, Pieces, Reply};
use engraft_harness::wire::Protocol::Http1;

use crate::Outcome;
use crate::check;
use crate::contender::Contender;
use crate::page::Page;

/// How often each contender takes its turn under load. Odd: the median is then one that was measured.
pub(crate) const ROUNDS: usize = 5;
/// Few, so that latency is not queueing; enough to keep one worker busy.
pub(crate) const CONNECTIONS: usize = 4;
/// The slow origin sends a page in so many pieces…
pub(crate) const PIECES: usize = 32;
/// …and waits so long before each but the first.
pub(crate) const PAUSE: Duration = Duration::from_millis(2);

/// Before the first round: connections, caches, and V8, which compiles hot code better after a while.
const WARM_UP: Duration = Duration::from_secs(1);
const IDLE_FETCHES: usize = 51;
const SLOW_FETCHES: usize = 9;
const STARTS: usize = 5;

/// A contender in a running Envoy, and what was measured of it, round by round.
pub(crate) struct Stand {
    pub(crate) contender: Contender,
    pub(crate) costs: Vec<Cost>,
    /// From request to first byte of the body, over one connection, with nothing else going on.
    pub(crate) idle: Vec<Duration>,
    /// The same with the slow origin.
    pub(crate) slow: Vec<Duration>,
    envoy: Envoy,
    addr: SocketAddr,
    /// The one that has Envoy to itself.
    connection: Connection,
    body_bytes: usize,
}

/// What one run under load cost.
pub(crate) struct Cost {
    pub(crate) responses_per_second: f64,
    pub(crate) cpu_micros_per_response: f64,
    /// The part of one core that Envoy used. Well below 1, it was not Envoy that limited the throughput.
    pub(crate) busy: f64,
}

/// Measures `contenders` with one page. One more pass-through takes its turn at the end of each round, in an Envoy of its own: how
/// it differs from the first is what the machine does to the numbers. It is the last of the stands.
pub(crate) fn page(contenders: &[Contender], page: &Page, time: Duration) -> Outcome<Vec<Stand>> {
    let origin = Origin::start()?;
    origin.forget_requests();
    origin.reply("/", Reply::html(page.markup.clone()));
    origin.reply("/slow", slow(page));

    let lined_up = contenders.iter().chain([&Contender::PassThrough]);
    let stands = lined_up.map(|contender| Stand::start(*contender, page, &origin));
    let mut stands = stands.collect::<Outcome<Vec<Stand>>>()?;
    for stand in &stands {
        stand.load(WARM_UP)?;
    }
    for _ in 0..ROUNDS {
        for stand in &mut stands {
            let cost = stand.load(time)?;
            stand.costs.push(cost);
        }
    }
    for _ in 0..IDLE_FETCHES {
        for stand in &mut stands {
            let first_byte = stand.first_byte("/")?;
            stand.idle.push(first_byte);
        }
    }
    for _ in 0..SLOW_FETCHES {
        for stand in &mut stands {
            let first_byte = stand.first_byte("/slow")?;
            stand.slow.push(first_byte);
        }
    }
    Ok(stands)
}

/// What the slow origin answers.
pub(crate) fn slow(page: &Page) -> Reply {
    let piece = page.markup.len().div_ceil(PIECES);
    let reply = Reply::html(page.markup.clone()).framing(Framing::Chunked).delay(PAUSE);
    reply.pieces(Pieces::Sizes(vec![piece; PIECES]))
}

/// How long Envoy takes until its worker serves, for each of `contenders`.
pub(crate) fn starts(contenders: &[Contender], page: &Page) -> Outcome<Vec<Vec<Duration>>> {
    let origin = Origin::start()?;
    let mut times = vec![Vec::new(); contenders.len()];
    for _ in 0..STARTS {
        for (contender, times) in contenders.iter().zip(&mut times) {
            let bootstrap = contender.bootstrap(page, &origin)?;
            let start = Instant::now();
            let envoy = bootstrap.start()?;
            times.push(start.elapsed());
            drop(envoy);
        }
    }
    Ok(times)
}

impl Stand {
    fn start(contender: Contender, page: &Page, origin: &Origin) -> Outcome<Self> {
        let envoy = contender.bootstrap(page, origin)?.start()?;
        let addr = envoy.listener_addr("main")?;
        Ok(Self {
            contender,
            costs: Vec::new(),
            idle: Vec::new(),
            slow: Vec::new(),
            addr,
            connection: Connection::open(Http1, addr)?,
            body_bytes: check::expected(contender, page)?.len(),
            envoy,
        })
    }

    fn load(&self, time: Duration) -> Outcome<Cost> {
        let before = self.envoy.cpu_time()?;
        let served = Load::new(CONNECTIONS, time).run(self.addr, "/", self.body_bytes)?;
        let cpu = (self.envoy.cpu_time()? - before).as_secs_f64();
        let elapsed = served.elapsed.as_secs_f64();
        let responses = f64::from(u32::try_from(served.responses)?);
        Ok(Cost {
            responses_per_second: responses / elapsed,
            cpu_micros_per_response: cpu * 1e6 / responses,
            busy: cpu / elapsed,
        })
    }

    fn first_byte(&mut self, path: &str) -> Outcome<Duration> {
        let received = self.connection.fetch(&Request::get(path))?;
        if received.complete && received.body.len() == self.body_bytes {
            Ok(received.first_byte_after)
        } else {
            Err(CutShort {
                contender: self.contender,
                bytes: received.body.len(),
                log: self.envoy.log_tail(),
            }
            .into())
        }
    }
}

/// A page that came whole before did not.
#[derive(Debug)]
struct CutShort {
    contender: Contender,
    bytes: usize,
    log: String,
}

impl fmt::Display for CutShort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { contender, bytes, log } = self;
        write!(f, "{} cut the page after {bytes} bytes; envoy's log ends\n{log}", contender.name())
    }
}

impl std::error::Error for CutShort {}
