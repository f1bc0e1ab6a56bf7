use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Semaphore;

use crate::wire::Headers;

/// One scripted answer. Build it with [`Reply::new`] or [`Reply::ok`] and the methods; every field is open.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// Header lines, sent as they stand, before those of the framing.
    pub headers: Headers,
    /// The whole body. Answers to HEAD and with status 204 or 304 keep the framing headers and send none of it.
    pub body: Bytes,
    /// How the end of the body is told.
    pub framing: Framing,
    /// Where the body is cut. Each piece is one write (HTTP/1.1, where it is also one chunk) or one DATA frame.
    pub pieces: Pieces,
    /// Waited before every piece but the first. Without it, or a [`Gate`], the kernel or the peer may join pieces.
    pub delay: Duration,
    /// Lets the test decide when each piece after the first goes out.
    pub gate: Option<Gate>,
    /// What follows the body; over HTTP/1.1 only with [`Framing::Chunked`].
    pub trailers: Headers,
    /// How the exchange ends.
    pub then: Then,
}

/// How the end of a body is told. Over HTTP/2 only [`Framing::ContentLength`] shows, as the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Framing {
    /// `content-length`, of the whole body whatever is sent of it.
    ContentLength,
    /// `transfer-encoding: chunked`.
    Chunked,
    /// `connection: close`, and the connection's end.
    CloseDelimited,
}

/// Where a body is cut.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pieces {
    /// Nowhere.
    Whole,
    /// Into pieces of these sizes, the rest of the body being the last.
    Sizes(Vec<usize>),
    /// Between every two bytes.
    EveryByte,
}

/// How an exchange ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Then {
    /// As its framing says.
    Finish,
    /// By a TCP reset (HTTP/1.1) or `RST_STREAM` (HTTP/2) after so many bytes of the body.
    ResetAfter(usize),
    /// By an orderly close of the connection after so many bytes of the body, in the middle of the message.
    CloseAfter(usize),
    /// Never: so many bytes of the body, then silence on an open connection.
    HangAfter(usize),
}

/// Holds back every piece of a body but the first until the test lets it go: a test that has *read* the first piece before it
/// opens the gate has proved streaming, without any sleeping.
#[derive(Clone, Debug)]
pub struct Gate(Arc<Semaphore>);

impl Gate {
    /// A closed gate.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(Semaphore::new(0)))
    }

    /// Lets `pieces` more pieces through.
    pub fn open(&self, pieces: usize) {
        self.0.add_permits(pieces);
    }

    /// Lets everything through.
    pub fn open_for_good(&self) {
        self.0.close();
    }

    async fn pass(&self) {
        if let Ok(permit) = self.0.acquire().await {
            permit.forget();
        }
    }
}

impl Default for Gate {
    fn default() -> Self {
        Self::new()
    }
}

impl Reply {
    /// An answer with a Content-Length, sent whole.
    #[must_use]
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: Headers::new(),
            body: Bytes::from(body.into()),
            framing: Framing::ContentLength,
            pieces: Pieces::Whole,
            delay: Duration::ZERO,
            gate: None,
            trailers: Headers::new(),
            then: Then::Finish,
        }
    }

    /// A 200 of that type.
    #[must_use]
    pub fn ok(content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self::new(200, body).header("content-type", content_type)
    }

    /// A 200 of `text/html; charset=utf-8`.
    #[must_use]
    pub fn html(body: impl Into<Vec<u8>>) -> Self {
        Self::ok("text/html; charset=utf-8", body)
    }

    /// Adds a header line.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push(name, value);
        self
    }

    /// Sets the framing.
    #[must_use]
    pub const fn framing(mut self, framing: Framing) -> Self {
        self.framing = framing;
        self
    }

    /// Sets where the body is cut.
    #[must_use]
    pub fn pieces(mut self, pieces: Pieces) -> Self {
        self.pieces = pieces;
        self
    }

    /// Sets the wait before every piece but the first.
    #[must_use]
    pub const fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Holds every piece but the first behind `gate`.
    #[must_use]
    pub fn gate(mut self, gate: &Gate) -> Self {
        self.gate = Some(gate.clone());
        self
    }

    /// Adds a trailer.
    #[must_use]
    pub fn trailer(mut self, name: &str, value: impl Into<Vec<u8>>) -> Self {
        self.trailers.push(name, value);
        self
    }

    /// Sets how the exchange ends.
    #[must_use]
    pub const fn then(mut self, then: Then) -> Self {
        self.then = then;
        self
    }

    pub(super) fn has_body(&self, method: &str) -> bool {
        method != "HEAD" && !matches!(self.status, 204 | 304)
    }

    /// The pieces that really go out, none of them empty.
    pub(super) fn cut(&self) -> Vec<Bytes> {
        let sent = match self.then {
            Then::Finish => self.body.len(),
            Then::ResetAfter(n) | Then::CloseAfter(n) | Then::HangAfter(n) => n.min(self.body.len()),
        };
        let mut rest = self.body.slice(..sent);
        let mut sizes: Box<dyn Iterator<Item = usize>> = match &self.pieces {
            Pieces::Whole => Box::new(std::iter::empty()),
            Pieces::Sizes(sizes) => Box::new(sizes.iter().copied()),
            Pieces::EveryByte => Box::new(std::iter::repeat(1)),
        };
        let mut pieces = Vec::new();
        while !rest.is_empty() {
            let size = sizes.next().unwrap_or(rest.len()).min(rest.len());
            if size > 0 {
                pieces.push(rest.split_to(size));
            }
        }
        pieces
    }

    /// Waits until the piece with this index may go out.
    pub(super) async fn ready_for(&self, piece: usize) {
        if piece == 0 {
            return;
        }
        if !self.delay.is_zero() {
            tokio::time::sleep(self.delay).await;
        }
        if let Some(gate) = &self.gate {
            gate.pass().await;
        }
    }
}
