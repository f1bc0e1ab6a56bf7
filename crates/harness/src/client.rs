//! Clients that add nothing, decode nothing and hide nothing: what was given is sent, what came is returned, and a message that
//! was cut is not an error but a [`Received`] that says so.

mod http1;
mod http2;
mod message;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

pub use message::{Received, Request};

use crate::wire::{Protocol, WireError};

/// How long a client waits for the next byte unless told otherwise.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// Sends one request over a connection of its own.
///
/// # Errors
/// When no response head comes.
pub fn fetch(protocol: Protocol, addr: SocketAddr, request: &Request) -> Result<Received, ClientError> {
    Connection::open(protocol, addr)?.fetch(request)
}

/// Sends bytes as they are over an HTTP/1.1 connection of their own, and reads one response.
///
/// # Errors
/// When no response head comes.
pub fn fetch_bytes(addr: SocketAddr, request: &[u8]) -> Result<Received, ClientError> {
    let mut connection = http1::Connection::open(addr, PATIENCE)?;
    let is_head = request.starts_with(b"HEAD ");
    connection.send_bytes(request)?;
    let mut exchange = connection.receive(is_head)?;
    while exchange.more() {}
    Ok(exchange.into_received())
}

/// A connection that is kept: requests go over it one after the other.
///
/// After a response that was not read to its end (an abort, a cut, `connection: close`) the next request fails; open another.
#[derive(Debug)]
pub struct Connection(Kind);

#[derive(Debug)]
enum Kind {
    Http1(http1::Connection),
    Http2(Box<http2::Connection>),
}

impl Connection {
    /// Connects, waiting at most [`PATIENCE`] for anything.
    ///
    /// # Errors
    /// When the connection is refused, or the HTTP/2 handshake fails.
    pub fn open(protocol: Protocol, addr: SocketAddr) -> Result<Self, ClientError> {
        Self::open_with(protocol, addr, PATIENCE)
    }

    /// Connects; `patience` is how long to wait for the next byte.
    ///
    /// # Errors
    /// When the connection is refused, or the HTTP/2 handshake fails.
    pub fn open_with(protocol: Protocol, addr: SocketAddr, patience: Duration) -> Result<Self, ClientError> {
        Ok(Self(match protocol {
            Protocol::Http1 => Kind::Http1(http1::Connection::open(addr, patience)?),
            Protocol::Http2 => Kind::Http2(Box::new(http2::Connection::open(addr, patience)?)),
        }))
    }

    /// Sends a request and reads the whole response.
    ///
    /// # Errors
    /// When no response head comes. A response that breaks off later is returned with `complete` false.
    pub fn fetch(&mut self, request: &Request) -> Result<Received, ClientError> {
        self.start(request).map(Exchange::finish)
    }

    /// Sends a request and reads the response's head.
    ///
    /// # Errors
    /// When no response head comes.
    pub fn start(&mut self, request: &Request) -> Result<Exchange<'_>, ClientError> {
        Ok(Exchange(match &mut self.0 {
            Kind::Http1(connection) => ExchangeKind::Http1(connection.start(request)?),
            Kind::Http2(connection) => ExchangeKind::Http2(connection.start(request)?),
        }))
    }
}

/// A response whose head is here and whose body is still coming. Dropping it aborts: the HTTP/1.1 connection is closed, the
/// HTTP/2 stream reset.
#[derive(Debug)]
pub struct Exchange<'c>(ExchangeKind<'c>);

#[derive(Debug)]
enum ExchangeKind<'c> {
    Http1(http1::Exchange<'c>),
    Http2(http2::Exchange<'c>),
}

impl Exchange<'_> {
    /// What has come so far.
    #[must_use]
    pub const fn so_far(&self) -> &Received {
        match &self.0 {
            ExchangeKind::Http1(exchange) => &exchange.received,
            ExchangeKind::Http2(exchange) => &exchange.received,
        }
    }

    /// Waits for the next bytes; false at the end, however it came.
    pub fn more(&mut self) -> bool {
        match &mut self.0 {
            ExchangeKind::Http1(exchange) => exchange.more(),
            ExchangeKind::Http2(exchange) => exchange.more(),
        }
    }

    /// Reads on until the body contains `needle`; false when the response ended without it.
    pub fn read_until(&mut self, needle: impl AsRef<[u8]>) -> bool {
        loop {
            if crate::wire::find(&self.so_far().body, needle.as_ref()).is_some() {
                return true;
            }
            if !self.more() {
                return false;
            }
        }
    }

    /// Reads to the end.
    #[must_use]
    pub fn finish(mut self) -> Received {
        while self.more() {}
        match self.0 {
            ExchangeKind::Http1(exchange) => exchange.into_received(),
            ExchangeKind::Http2(exchange) => exchange.into_received(),
        }
    }

    /// Breaks off here and returns what has come.
    #[must_use]
    pub fn abort(self) -> Received {
        self.so_far().clone()
    }
}

/// No response head came.
#[derive(Debug)]
#[non_exhaustive]
pub enum ClientError {
    /// The socket failed, timed out, or was closed.
    Io {
        /// What the client was doing.
        doing: &'static str,
        /// Why it failed.
        source: io::Error,
    },
    /// The answer is not HTTP/1.1.
    Wire(WireError),
    /// HTTP/2 failed, or the stream was reset before its head.
    Http2(h2::Error),
    /// The request can't be put into HTTP/2.
    Request(http::Error),
    /// An earlier response on this connection was not read to its end.
    Spent,
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { doing, source } => write!(f, "could not {doing}: {source}"),
            Self::Wire(error) => write!(f, "{error}"),
            Self::Http2(error) => write!(f, "HTTP/2 failed: {error}"),
            Self::Request(error) => write!(f, "the request can't be put into HTTP/2: {error}"),
            Self::Spent => {
                write!(
                    f,
                    "an earlier response on this connection was not read to its end: open another connection"
                )
            }
        }
    }
}

impl std::error::Error for ClientError {}

impl From<WireError> for ClientError {
    fn from(error: WireError) -> Self {
        Self::Wire(error)
    }
}

impl From<h2::Error> for ClientError {
    fn from(error: h2::Error) -> Self {
        Self::Http2(error)
    }
}

impl From<http::Error> for ClientError {
    fn from(error: http::Error) -> Self {
        Self::Request(error)
    }
}
