//! Load: GETs as fast as they are answered, over a few connections that are kept.
//!
//! All of it runs on the calling thread, so that on a machine of two cores an Envoy with one worker has a core for itself. Only
//! loopback addresses are accepted, and every run is bounded in time and in number. A response that is not the expected one ends
//! the run as an error: what is measured is never a broken page.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::wire::{BodyReader, Head, WireError};

/// How long one response may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// What one read may bring.
const READ_BYTES: usize = 256 * 1024;

/// How much load.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    connections: usize,
    time: Duration,
    max_responses: u64,
}

/// What was served under it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Served {
    /// Whole responses, each as it was expected.
    pub responses: u64,
    /// From the first request to the last response.
    pub elapsed: Duration,
    /// The response that took longest, from request to last byte.
    pub slowest: Duration,
}

impl Load {
    /// So many connections for so long, each with one request at a time. Ends earlier after a million responses.
    #[must_use]
    pub const fn new(connections: usize, time: Duration) -> Self {
        Self { connections, time, max_responses: 1_000_000 }
    }

    /// Ends after so many responses, if the time is not over before.
    #[must_use]
    pub const fn max_responses(mut self, responses: u64) -> Self {
        self.max_responses = responses;
        self
    }

    /// Asks for `path` and expects a 200 with a body of `body_bytes`. Blocks until all responses are here.
    ///
    /// # Errors
    /// When a response is another one or does not come whole, or the address is not of this machine.
    pub fn run(&self, addr: SocketAddr, path: &str, body_bytes: usize) -> Result<Served, LoadError> {
        if !addr.ip().is_loopback() {
            return Err(LoadError::NotLoopback(addr));
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let start = Instant::now();
            let left = Arc::new(AtomicU64::new(self.max_responses));
            let mut connections = JoinSet::new();
            for _ in 0..self.connections {
                let task = Task {
                    request: format!("GET {path} HTTP/1.1\r\nhost: shop.example\r\n\r\n").into_bytes(),
                    body_bytes,
                    until: start + self.time,
                    left: Arc::clone(&left),
                };
                connections.spawn(task.run(addr));
            }
            let (mut responses, mut slowest) = (0, Duration::ZERO);
            while let Some(connection) = connections.join_next().await {
                let (served, longest) = connection.map_err(io::Error::other)??;
                responses += served;
                slowest = slowest.max(longest);
            }
            Ok(Served { responses, elapsed: start.elapsed(), slowest })
        })
    }
}

/// One connection's part.
struct Task {
    request: Vec<u8>,
    body_bytes: usize,
    until: Instant,
    left: Arc<AtomicU64>,
}

impl Task {
    /// How many responses, and the time of the slowest.
    async fn run(self, addr: SocketAddr) -> Result<(u64, Duration), LoadError> {
        let mut connection = Connection::open(addr).await?;
        let (mut responses, mut slowest) = (0, Duration::ZERO);
        while Instant::now() < self.until && self.takes_one() {
            let start = Instant::now();
            let exchange = connection.exchange(&self.request);
            let (status, bytes) =
                tokio::time::timeout(PATIENCE, exchange).await.map_err(|_| io::ErrorKind::TimedOut)??;
            if status != "200" || bytes != self.body_bytes {
                return Err(LoadError::Unexpected { status, bytes, expected_bytes: self.body_bytes });
            }
            responses += 1;
            slowest = slowest.max(start.elapsed());
        }
        Ok((responses, slowest))
    }

    fn takes_one(&self) -> bool {
        let one_less = |left: u64| left.checked_sub(1);
        self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_ok()
    }
}

/// Its buffers are kept from response to response.
struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    body: Vec<u8>,
}

impl Connection {
    async fn open(addr: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(addr).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(READ_BYTES), body: Vec::new() })
    }

    /// The status and the length of the body that answer a request.
    async fn exchange(&mut self, request: &[u8]) -> Result<(String, usize), LoadError> {
        self.stream.write_all(request).await?;
        let head = loop {
            self.fill().await?;
            if let Some(head) = Head::take(&mut self.buffer)? {
                break head;
            }
        };
        let mut reader = BodyReader::announced_by(&head.headers, true)?;
        self.body.clear();
        loop {
            reader.read(&mut self.buffer, &mut self.body)?;
            if reader.is_done() {
                let status = head.first_line.split(' ').nth(1).unwrap_or_default().to_owned();
                return Ok((status, self.body.len()));
            }
            self.fill().await?;
        }
    }

    async fn fill(&mut self) -> io::Result<()> {
        match self.stream.read_buf(&mut self.buffer).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

/// Why a run ended without a result.
#[derive(Debug)]
#[non_exhaustive]
pub enum LoadError {
    /// Load is for this machine only.
    NotLoopback(SocketAddr),
    /// A connection failed, was closed, or fell silent.
    Io(io::Error),
    /// A response is not HTTP/1.1.
    Wire(WireError),
    /// A response is not the expected one.
    Unexpected {
        /// Its status.
        status: String,
        /// The length of its body.
        bytes: usize,
        /// The length of the expected one's.
        expected_bytes: usize,
    },
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotLoopback(addr) => write!(f, "{addr} is not a loopback address"),
            Self::Io(error) => write!(f, "a connection under load failed: {error}"),
            Self::Wire(error) => write!(f, "{error}"),
            Self::Unexpected { status, bytes, expected_bytes } => {
                write!(
                    f,
                    "expected status 200 and {expected_bytes} bytes, got status {status} and {bytes} bytes"
                )
            }
        }
    }
}

impl std::error::Error for LoadError {}

impl From<io::Error> for LoadError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<io::ErrorKind> for LoadError {
    fn from(kind: io::ErrorKind) -> Self {
        Self::Io(kind.into())
    }
}

impl From<WireError> for LoadError {
    fn from(error: WireError) -> Self {
        Self::Wire(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::origin::{Framing, Origin, Reply};

    #[test]
    fn responses_are_counted_in_either_framing() {
        let origin = Origin::start().unwrap();
        for framing in [Framing::ContentLength, Framing::Chunked] {
            origin.reply("/", Reply::html("<p>Hello").framing(framing));
            let load = Load::new(3, Duration::from_secs(60)).max_responses(50);
            assert_eq!(load.run(origin.addr(), "/", 8).unwrap().responses, 50);
        }
        assert_eq!(origin.requests().len(), 100);
    }

    #[test]
    fn another_response_than_the_expected_one_is_an_error() {
        let origin = Origin::start().unwrap();
        origin.reply("/", Reply::html("<p>Hello"));
        let load = Load::new(1, Duration::from_secs(60)).max_responses(5);
        for (path, bytes) in [("/", 9), ("/missing", 8)] {
            assert!(
                matches!(load.run(origin.addr(), path, bytes), Err(LoadError::Unexpected { .. })),
                "{path}"
            );
        }
    }

    #[test]
    fn no_load_leaves_this_machine() {
        let documentation = SocketAddr::from(([192, 0, 2, 1], 80));
        let load = Load::new(1, Duration::ZERO);
        assert!(matches!(load.run(documentation, "/", 0), Err(LoadError::NotLoopback(_))));
    }
}
