//! Before anything is measured: that every contender makes the very same page, how much of it is held, and what becomes of a page
//! that is longer than Envoy's buffers.

use std::fmt;

use engraft_harness::client::{self, Received, Request};
use engraft_harness::envoy::Envoy;
use engraft_harness::origin::{Origin, Reply};
use engraft_harness::wire::Protocol::Http1;

use crate::Outcome;
use crate::contender::{Contender, HELD_BYTES};
use crate::measure;
use crate::page::Page;

/// Above 1 MiB, which `per_connection_buffer_limit_bytes` is where nobody sets it.
const LONG_BYTES: usize = 2 * 1024 * 1024;
/// How much of a page that is not the expected one is shown.
const EXCERPT_BYTES: usize = 160;

/// What one look at a contender shows.
pub(crate) struct Checked {
    pub(crate) contender: Contender,
    /// The most that was held of the page: all of it where the body is waited for, else what the contender reports.
    pub(crate) held_bytes: Option<u64>,
    pub(crate) long_page: LongPage,
}

/// What becomes of a page of 2 MiB.
pub(crate) enum LongPage {
    /// It comes whole, and edited where the contender edits.
    Whole,
    /// Another status than the origin's.
    Status(u16),
    /// It breaks off after so many bytes.
    BrokenOff(usize),
    /// It comes whole, but not as it should be.
    Wrong,
}

/// Asks for both pages once, through an Envoy of its own.
pub(crate) fn check(contender: Contender, page: &Page) -> Outcome<Checked> {
    let long = page.grown_to(LONG_BYTES);
    let origin = Origin::start()?;
    // In pieces: what is in one piece need not be held.
    origin.reply("/", measure::slow(page));
    origin.reply("/long", Reply::html(long.markup.clone()));
    let envoy = contender.logging_bootstrap(page, &origin)?.start()?;
    let addr = envoy.listener_addr("main")?;

    let received = client::fetch(Http1, addr, &Request::get("/"))?;
    let expects = expected(contender, page)?;
    if !is_whole(&received) || received.body != expects.as_bytes() {
        return Err(OtherPage::new(contender, page, &received, &expects, &envoy).into());
    }
    let line = envoy.access_log(1)?.swap_remove(0);
    let held_bytes = match contender {
        Contender::PassThrough => Some(0),
        Contender::Lua | Contender::Buffering => Some(u64::try_from(page.markup.len())?),
        Contender::Baseline | Contender::Engraft => {
            line.get(HELD_BYTES).and_then(|held| held.as_str()?.parse().ok())
        }
    };

    let received = client::fetch(Http1, addr, &Request::get("/long"))?;
    let long_page = if received.status != 200 {
        LongPage::Status(received.status)
    } else if !received.complete {
        LongPage::BrokenOff(received.body.len())
    } else if received.body == expected(contender, &long)?.as_bytes() {
        LongPage::Whole
    } else {
        LongPage::Wrong
    };
    Ok(Checked { contender, held_bytes, long_page })
}

/// What has to come out.
pub(crate) fn expected(contender: Contender, page: &Page) -> Outcome<String> {
    Ok(if contender == Contender::PassThrough { page.markup.clone() } else { page.edited()? })
}

fn is_whole(received: &Received) -> bool {
    received.status == 200 && received.complete
}

impl fmt::Display for LongPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole => f.write_str("whole"),
            Self::Status(status) => write!(f, "status {status}"),
            Self::BrokenOff(bytes) => write!(f, "breaks off after {bytes} bytes"),
            Self::Wrong => f.write_str("not edited as it should be"),
        }
    }
}

/// What is measured must do what it is measured for.
#[derive(Debug)]
struct OtherPage {
    contender: Contender,
    page: &'static str,
    status: u16,
    /// What came from where the page differs from the expected one, and what should have.
    got: String,
    expected: String,
    log: String,
}

impl OtherPage {
    fn new(contender: Contender, page: &Page, received: &Received, expected: &str, envoy: &Envoy) -> Self {
        let pairs = received.body.iter().zip(expected.as_bytes());
        let same = pairs.take_while(|(got, expected)| got == expected).count();
        let excerpt = |bytes: &[u8]| {
            let start = same.saturating_sub(EXCERPT_BYTES / 2);
            String::from_utf8_lossy(
                bytes.get(start..).map_or(&[], |rest| rest.get(..EXCERPT_BYTES).unwrap_or(rest)),
            )
            .into_owned()
        };
        Self {
            contender,
            page: page.name,
            status: received.status,
            got: excerpt(&received.body),
            expected: excerpt(expected.as_bytes()),
            log: envoy.log_tail(),
        }
    }
}

impl fmt::Display for OtherPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { contender, page, status, got, expected, log } = self;
        write!(
            f,
            "{} does not make the expected page of {page}: expected {expected:?}, got status {status} and {got:?}; envoy's log \
             ends\n{log}",
            contender.name()
        )
    }
}

impl std::error::Error for OtherPage {}
