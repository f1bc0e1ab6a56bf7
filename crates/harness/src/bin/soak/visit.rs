//! What a client does, again and again, and what must come of it: to the byte.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use engraft_harness::client::{ClientError, Connection, Received, Request};
use engraft_harness::origin::Framing;
use engraft_harness::wire::Protocol;

use crate::random::Random;
use crate::site::{self, Manner, OF_THE_ORIGIN, Page, Visitor};

const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
/// How many visitors there are.
const VISITORS: usize = 5000;
/// Longer than an answer takes on a machine that does other things as well.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a visit is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    SmallPage,
    MiddlePage,
    LargePage,
    Json,
    Moved,
    NoRoute,
    Hostile,
    Asset,
    Download,
    Upload,
    Head,
    NotModified,
    OtherStatus,
    Trailers,
    SlowOrigin,
    SlowVisitor,
    OriginBreaksOff,
    VisitorLeaves,
    RequestBreaksOff,
}

/// Each as often as this, of all.
const OFTEN: [(Kind, usize); 19] = [
    (Kind::SmallPage, 30),
    (Kind::MiddlePage, 12),
    (Kind::LargePage, 2),
    (Kind::Json, 8),
    (Kind::Moved, 4),
    (Kind::NoRoute, 6),
    (Kind::Hostile, 5),
    (Kind::Asset, 12),
    (Kind::Download, 1),
    (Kind::Upload, 3),
    (Kind::Head, 4),
    (Kind::NotModified, 4),
    (Kind::OtherStatus, 4),
    (Kind::Trailers, 2),
    (Kind::SlowOrigin, 2),
    (Kind::SlowVisitor, 2),
    (Kind::OriginBreaksOff, 3),
    (Kind::VisitorLeaves, 4),
    (Kind::RequestBreaksOff, 2),
];

impl Kind {
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        OFTEN.into_iter().map(|(kind, _)| kind)
    }

    /// One of those that need most memory.
    fn large(random: &mut Random) -> Self {
        random.of(
            Self::LargePage,
            [Self::LargePage, Self::MiddlePage, Self::Hostile, Self::Download, Self::SlowVisitor],
        )
    }

    fn any(random: &mut Random) -> Self {
        let mut left = random.below(OFTEN.iter().map(|(_, often)| often).sum());
        for (kind, often) in OFTEN {
            match left.checked_sub(often) {
                Some(rest) => left = rest,
                None => return kind,
            }
        }
        Self::SmallPage
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SmallPage => "page of 2 KB",
            Self::MiddlePage => "page of 170 KB",
            Self::LargePage => "page of 1 MB",
            Self::Json => "JSON",
            Self::Moved => "redirect",
            Self::NoRoute => "page without a route",
            Self::Hostile => "hostile page",
            Self::Asset => "image",
            Self::Download => "download of 8 MB",
            Self::Upload => "upload",
            Self::Head => "HEAD",
            Self::NotModified => "conditional",
            Self::OtherStatus => "the origin's 4xx, 5xx",
            Self::Trailers => "page with trailers",
            Self::SlowOrigin => "slow origin",
            Self::SlowVisitor => "slow visitor",
            Self::OriginBreaksOff => "the origin breaks off",
            Self::VisitorLeaves => "the visitor leaves",
            Self::RequestBreaksOff => "the request breaks off",
        })
    }
}

/// What all clients know.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    pub(crate) is_over: AtomicBool,
    /// At first everybody asks for what is large, all at once: memory that was needed once is not given back, and what is needed at most is
    /// to be known before anybody looks at whether it grows.
    pub(crate) is_warm: AtomicBool,
    /// The last configuration that Envoy was given, if it can be used; and the last one that it has said it took.
    pub(crate) offered: AtomicUsize,
    pub(crate) taken: AtomicUsize,
    /// Who sees the second variation: for good.
    bold: Mutex<BTreeMap<Visitor, bool>>,
}

impl Shared {
    /// A visitor was seen with a variation; whether it is the one they had.
    fn is_as_ever(&self, visitor: Visitor, is_bold: bool) -> bool {
        let mut bold = self.bold.lock().unwrap_or_else(PoisonError::into_inner);
        *bold.entry(visitor).or_insert(is_bold) == is_bold
    }

    /// How many visitors were seen, and how many of them with the second variation.
    pub(crate) fn variations(&self) -> (usize, usize) {
        let bold = self.bold.lock().unwrap_or_else(PoisonError::into_inner);
        (bold.len(), bold.values().filter(|is_bold| **is_bold).count())
    }
}

/// What came of visits of a kind.
#[derive(Debug, Default, Clone)]
pub(crate) struct Tally {
    pub(crate) visits: u64,
    pub(crate) bytes: u64,
    pub(crate) millis: Vec<f64>,
}

/// An answer that is not right.
#[derive(Debug)]
pub(crate) struct Wrong {
    pub(crate) kind: Kind,
    pub(crate) protocol: Protocol,
    pub(crate) request: String,
    pub(crate) why: String,
    pub(crate) got: Vec<u8>,
    /// Those that would have been right.
    pub(crate) expected: Vec<Vec<u8>>,
}

/// One that asks, over connections of its own.
pub(crate) struct Client {
    random: Random,
    addr: SocketAddr,
    shared: Arc<Shared>,
    http1: Option<Connection>,
    http2: Option<Connection>,
    pub(crate) tallies: BTreeMap<Kind, Tally>,
}

/// What a visit is, before it is known what is right.
struct Visit {
    kind: Kind,
    protocol: Protocol,
    request: Request,
    /// The configurations that may be in force.
    oldest: usize,
}

impl Client {
    pub(crate) fn new(seed: u64, number: u64, addr: SocketAddr, shared: Arc<Shared>) -> Self {
        let random = Random::new(seed, number);
        Self { random, addr, shared, http1: None, http2: None, tallies: BTreeMap::new() }
    }

    /// Visits until it is over, or something is wrong.
    pub(crate) fn run(&mut self) -> Result<(), Box<Wrong>> {
        while !self.shared.is_over.load(Ordering::SeqCst) {
            let is_warm = self.shared.is_warm.load(Ordering::SeqCst);
            let kind = if is_warm { Kind::any(&mut self.random) } else { Kind::large(&mut self.random) };
            if self.random.one_in(40) {
                self.http1 = None;
                self.http2 = None;
            }
            self.visit(kind)?;
        }
        Ok(())
    }

    fn visit(&mut self, kind: Kind) -> Result<(), Box<Wrong>> {
        let visitor = Visitor(self.random.below(VISITORS));
        let number = self.random.below(1000);
        let manner = Manner::any(&mut self.random);
        let page = |repeats: usize| (Page { repeats }, format!("/p/{repeats}"));
        match kind {
            Kind::SmallPage => self.page(kind, visitor, page(number % 40), manner),
            Kind::MiddlePage => self.page(kind, visitor, page(2200 + number), manner),
            Kind::LargePage => self.page(kind, visitor, page(17_000 + number), manner),
            Kind::SlowOrigin => {
                let manner =
                    Manner { delay_ms: 20, cuts: manner.cuts | 1, framing: Framing::Chunked, ..manner };
                self.page(kind, visitor, page(number), manner)
            }
            Kind::SlowVisitor => self.slowly(visitor, page(2200 + number), manner),
            Kind::OriginBreaksOff => {
                let framing = self.random.of(Framing::ContentLength, [Framing::Chunked]);
                let by_reset = self.random.one_in(2);
                let manner = Manner { breaks_off_at: number, by_reset, framing, is_zipped: false, ..manner };
                self.broken(visitor, page(20 + number), manner)
            }
            Kind::VisitorLeaves => {
                let manner = Manner { delay_ms: 2, ..manner };
                self.leave(visitor, page(number * 3), manner)
            }
            Kind::Trailers => {
                let manner =
                    Manner { framing: Framing::Chunked, has_trailers: true, is_zipped: false, ..manner };
                let (page, path) = page(number);
                // What announces trailers passes, as no more may be written once they are here.
                self.passing(kind, visitor, &format!("{path}?{manner}"), page.source().into_bytes())
            }
            Kind::Json => self.json(visitor, number % 300, manner),
            Kind::Moved => self.moved(visitor, number),
            Kind::NoRoute => {
                let manner = Manner { is_zipped: false, ..manner };
                let source = Page { repeats: number }.source().into_bytes();
                self.passing(kind, visitor, &format!("/plain/{number}?{manner}"), source)
            }
            Kind::Hostile => {
                let (which, manner) = (number % site::HOSTILE, Manner { is_zipped: false, ..manner });
                self.passing(kind, visitor, &format!("/p/hostile/{which}?{manner}"), site::hostile(which))
            }
            Kind::Asset => {
                let (length, manner) = (number * 60, Manner { is_zipped: false, ..manner });
                self.passing(kind, visitor, &format!("/asset/{length}?{manner}"), site::noise(length))
            }
            Kind::Download => {
                let manner = Manner { is_zipped: false, ..manner };
                self.passing(
                    kind,
                    visitor,
                    &format!("/download/?{manner}"),
                    site::noise(site::DOWNLOAD_BYTES),
                )
            }
            Kind::Upload => self.upload(visitor, number * 200),
            Kind::Head => self.head(visitor, number),
            Kind::NotModified => self.conditional(visitor, number % 200),
            Kind::OtherStatus => self.other_status(visitor),
            Kind::RequestBreaksOff => self.half_a_request(),
        }
    }

    fn begin(&mut self, kind: Kind, method: &str, target: &str, visitor: Visitor) -> Visit {
        let protocol = self.random.of(Protocol::Http1, [Protocol::Http2]);
        let request =
            Request::new(method, target).header("user-agent", BROWSER).header("cookie", visitor.cookie());
        // A worker may not yet have what the main thread took.
        let oldest = self.shared.taken.load(Ordering::SeqCst).saturating_sub(1);
        Visit { kind, protocol, request, oldest }
    }

    fn connection(&mut self, protocol: Protocol) -> Result<&mut Connection, ClientError> {
        let kept = match protocol {
            Protocol::Http1 => &mut self.http1,
            _ => &mut self.http2,
        };
        match kept {
            Some(connection) => Ok(connection),
            None => Ok(kept.insert(Connection::open_with(protocol, self.addr, PATIENCE)?)),
        }
    }

    fn forget(&mut self, protocol: Protocol) {
        match protocol {
            Protocol::Http1 => self.http1 = None,
            _ => self.http2 = None,
        }
    }

    /// The answer, as it came; no answer is wrong.
    fn fetch(&mut self, visit: &Visit) -> Result<Received, Box<Wrong>> {
        let fetched = self.connection(visit.protocol).and_then(|connection| connection.fetch(&visit.request));
        let received =
            fetched.map_err(|error| visit.wrong(format!("no answer: {error}"), Vec::new(), Vec::new()))?;
        self.came(visit, &received);
        Ok(received)
    }

    fn came(&mut self, visit: &Visit, received: &Received) {
        let closes = received.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
        if !received.complete || closes {
            self.forget(visit.protocol);
        }
        let tally = self.tallies.entry(visit.kind).or_default();
        tally.visits += 1;
        tally.bytes += received.body.len() as u64;
        tally.millis.push(received.total.as_secs_f64() * 1e3);
    }

    /// What each configuration that may have been in force makes of a page, for either variation.
    fn pages(&self, visit: &Visit, page: Page, visitor: Visitor) -> Vec<(bool, Vec<u8>)> {
        let newest = self.shared.offered.load(Ordering::SeqCst);
        let edited =
            |n| [false, true].map(|is_bold| (is_bold, page.edited(n, visitor, is_bold).into_bytes()));
        (visit.oldest..=newest).flat_map(edited).collect()
    }

    fn is_page(
        &self,
        visit: &Visit,
        received: Received,
        page: Page,
        visitor: Visitor,
    ) -> Result<(), Box<Wrong>> {
        let pages = self.pages(visit, page, visitor);
        let right = pages.iter().find(|(_, page)| *page == received.body);
        match right {
            Some((is_bold, _)) if received.status == 200 && received.complete => {
                if self.shared.is_as_ever(visitor, *is_bold) {
                    return Ok(());
                }
                Err(visit.wrong(format!("{visitor:?} had another variation"), received.body, Vec::new()))
            }
            _ => Err(visit.unlike(received, pages.into_iter().map(|(_, page)| page).collect())),
        }
    }

    fn page(
        &mut self,
        kind: Kind,
        visitor: Visitor,
        (page, path): (Page, String),
        manner: Manner,
    ) -> Result<(), Box<Wrong>> {
        let visit = self.begin(kind, "GET", &format!("{path}?{manner}"), visitor);
        let received = self.fetch(&visit)?;
        self.is_page(&visit, received, page, visitor)
    }

    /// Reads with pauses, so that everything before it has to wait.
    fn slowly(
        &mut self,
        visitor: Visitor,
        (page, path): (Page, String),
        manner: Manner,
    ) -> Result<(), Box<Wrong>> {
        let visit = self.begin(Kind::SlowVisitor, "GET", &format!("{path}?{manner}"), visitor);
        let started = self.connection(visit.protocol).and_then(|connection| {
            let mut exchange = connection.start(&visit.request)?;
            while exchange.more() {
                std::thread::sleep(Duration::from_millis(5));
            }
            Ok(exchange.finish())
        });
        let received =
            started.map_err(|error| visit.wrong(format!("no answer: {error}"), Vec::new(), Vec::new()))?;
        self.came(&visit, &received);
        self.is_page(&visit, received, page, visitor)
    }

    /// What came before the origin broke off is the beginning of the page, and does not pass for the whole.
    fn broken(
        &mut self,
        visitor: Visitor,
        (page, path): (Page, String),
        manner: Manner,
    ) -> Result<(), Box<Wrong>> {
        let visit = self.begin(Kind::OriginBreaksOff, "GET", &format!("{path}?{manner}"), visitor);
        let fetched = self.connection(visit.protocol).and_then(|connection| connection.fetch(&visit.request));
        // Where the origin is gone before Envoy has sent a head, there is none, or Envoy's own 503.
        let Ok(received) = fetched else {
            self.forget(visit.protocol);
            self.tallies.entry(visit.kind).or_default().visits += 1;
            return Ok(());
        };
        self.came(&visit, &received);
        if received.status == 503 && received.body.starts_with(b"upstream connect error") {
            return Ok(());
        }
        let pages: Vec<_> = self.pages(&visit, page, visitor).into_iter().map(|(_, page)| page).collect();
        let begins = pages.iter().any(|page| page.starts_with(&received.body));
        if begins && !received.complete { Ok(()) } else { Err(visit.unlike(received, pages)) }
    }

    /// Goes away when a part of the page is here.
    fn leave(
        &mut self,
        visitor: Visitor,
        (page, path): (Page, String),
        manner: Manner,
    ) -> Result<(), Box<Wrong>> {
        let visit = self.begin(Kind::VisitorLeaves, "GET", &format!("{path}?{manner}"), visitor);
        let started = self.connection(visit.protocol).and_then(|connection| {
            let mut exchange = connection.start(&visit.request)?;
            exchange.more();
            Ok(exchange.abort())
        });
        let received =
            started.map_err(|error| visit.wrong(format!("no answer: {error}"), Vec::new(), Vec::new()))?;
        self.came(&visit, &received);
        if visit.protocol == Protocol::Http1 {
            self.forget(visit.protocol);
        }
        let pages: Vec<_> = self.pages(&visit, page, visitor).into_iter().map(|(_, page)| page).collect();
        let begins = pages.iter().any(|page| page.starts_with(&received.body));
        if begins { Ok(()) } else { Err(visit.unlike(received, pages)) }
    }

    /// What no patch is for, or finds anything in.
    fn passing(
        &mut self,
        kind: Kind,
        visitor: Visitor,
        target: &str,
        body: Vec<u8>,
    ) -> Result<(), Box<Wrong>> {
        let visit = self.begin(kind, "GET", target, visitor);
        let received = self.fetch(&visit)?;
        visit.is(received, 200, vec![body])
    }

    fn json(&mut self, visitor: Visitor, repeats: usize, manner: Manner) -> Result<(), Box<Wrong>> {
        let visit = self.begin(Kind::Json, "GET", &format!("/api/{repeats}?{manner}"), visitor);
        let received = self.fetch(&visit)?;
        let newest = self.shared.offered.load(Ordering::SeqCst);
        let right = (visit.oldest..=newest).map(|n| site::answer(Some((n, visitor)), repeats).into_bytes());
        visit.is(received, 200, right.collect())
    }

    fn moved(&mut self, visitor: Visitor, number: usize) -> Result<(), Box<Wrong>> {
        let visit = self.begin(Kind::Moved, "GET", &format!("/moved/{number}"), visitor);
        let received = self.fetch(&visit)?;
        let newest = self.shared.offered.load(Ordering::SeqCst);
        let location = received.header("location").unwrap_or_default().to_owned();
        if !(visit.oldest..=newest).any(|n| location == format!("/to/{n}/")) {
            return Err(visit.wrong(format!("location: {location:?}"), received.body, Vec::new()));
        }
        visit.is(received, 302, vec![Vec::new()])
    }

    fn upload(&mut self, visitor: Visitor, length: usize) -> Result<(), Box<Wrong>> {
        let mut visit = self.begin(Kind::Upload, "POST", "/echo/", visitor);
        let body = site::noise(length);
        visit.request = visit.request.body(body.clone());
        let received = self.fetch(&visit)?;
        visit.is(received, 200, vec![body])
    }

    fn head(&mut self, visitor: Visitor, repeats: usize) -> Result<(), Box<Wrong>> {
        let visit = self.begin(Kind::Head, "HEAD", &format!("/p/{repeats}?{}", Manner::PLAIN), visitor);
        let received = self.fetch(&visit)?;
        visit.is(received, 200, vec![Vec::new()])
    }

    /// Asks twice, the second time with the tag of the first answer.
    fn conditional(&mut self, visitor: Visitor, repeats: usize) -> Result<(), Box<Wrong>> {
        let target = format!("/p/{repeats}?{}", Manner::PLAIN);
        let visit = self.begin(Kind::NotModified, "GET", &target, visitor);
        let first = self.fetch(&visit)?;
        let tag = first.header("etag").unwrap_or_default().to_owned();
        self.is_page(&visit, first, Page { repeats }, visitor)?;
        if tag.is_empty() || tag.contains("as-ever\"") && !tag.contains('-') {
            return Err(visit.wrong(format!("an edited page with the tag {tag:?}"), Vec::new(), Vec::new()));
        }
        let mut visit = self.begin(Kind::NotModified, "GET", &target, visitor);
        visit.request = visit.request.header("if-none-match", tag);
        let second = self.fetch(&visit)?;
        if second.status == 304 {
            visit.is(second, 304, vec![Vec::new()])
        } else {
            self.is_page(&visit, second, Page { repeats }, visitor)
        }
    }

    fn other_status(&mut self, visitor: Visitor) -> Result<(), Box<Wrong>> {
        let status = self.random.of(404, [403, 410, 500, 502, 503]);
        let visit =
            self.begin(Kind::OtherStatus, "GET", &format!("/status/{status}?{}", Manner::PLAIN), visitor);
        let received = self.fetch(&visit)?;
        visit.is(received, status, vec![b"as the origin says\n".to_vec()])
    }

    /// Half a head, or half a body, and then nobody.
    fn half_a_request(&mut self) -> Result<(), Box<Wrong>> {
        let head = "POST /echo/ HTTP/1.1\r\nhost: shop.example\r\ncontent-length: 1000\r\n\r\nhalf";
        let cut = 1 + self.random.below(head.len());
        let sent = TcpStream::connect(self.addr).and_then(|mut stream| {
            stream.write_all(head.as_bytes().get(..cut).unwrap_or_default())?;
            stream.set_read_timeout(Some(Duration::from_millis(1)))?;
            // Nothing is to come: this only gives Envoy a moment with it.
            let _ = stream.read(&mut [0; 16]);
            Ok(())
        });
        let tally = self.tallies.entry(Kind::RequestBreaksOff).or_default();
        tally.visits += 1;
        sent.map_err(|error| {
            let visit = Visit {
                kind: Kind::RequestBreaksOff,
                protocol: Protocol::Http1,
                request: Request::new("POST", "/echo/"),
                oldest: 0,
            };
            visit.wrong(format!("Envoy is not there: {error}"), Vec::new(), Vec::new())
        })
    }
}

impl Visit {
    fn is(&self, received: Received, status: u16, right: Vec<Vec<u8>>) -> Result<(), Box<Wrong>> {
        let is_of_the_origin = received.status < 500 || received.header(OF_THE_ORIGIN).is_some();
        if received.status == status
            && received.complete
            && is_of_the_origin
            && right.contains(&received.body)
        {
            return Ok(());
        }
        Err(self.unlike(received, right))
    }

    fn unlike(&self, received: Received, right: Vec<Vec<u8>>) -> Box<Wrong> {
        let Received { status, complete, broken, headers, body, .. } = received;
        let why = format!("status {status}, whole: {complete} ({broken:?})\n{headers}");
        self.wrong(why, body, right)
    }

    fn wrong(&self, why: String, got: Vec<u8>, expected: Vec<Vec<u8>>) -> Box<Wrong> {
        let Request { method, target, headers, .. } = &self.request;
        let request = format!("{method} {target}\n{headers}");
        Box::new(Wrong { kind: self.kind, protocol: self.protocol, request, why, got, expected })
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, protocol, request, why, got, expected } = self;
        writeln!(f, "{kind}, over {protocol:?}: {why}\nasked: {request}")?;
        let alike = |right: &Vec<u8>| right.iter().zip(got).take_while(|(one, other)| one == other).count();
        let Some((at, right)) = expected.iter().map(|right| (alike(right), right)).max_by_key(|(at, _)| *at)
        else {
            return Ok(());
        };
        let around = |bytes: &[u8]| {
            let part = bytes.get(at.saturating_sub(60)..bytes.len().min(at + 60)).unwrap_or_default();
            String::from_utf8_lossy(part).into_owned()
        };
        writeln!(
            f,
            "{} bytes came, {} were expected; they differ from byte {at} on",
            got.len(),
            right.len()
        )?;
        writeln!(f, "got      …{:?}…", around(got))?;
        write!(f, "expected …{:?}…", around(right))
    }
}

impl std::error::Error for Wrong {}
