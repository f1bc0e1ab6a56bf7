use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use super::{ClientError, Received, Request};
use crate::wire::{BodyReader, Head, Headers, Protocol, WireError};

#[derive(Debug)]
pub(super) struct Connection {
    /// Gone once a response was left unread: what follows on the wire would be taken for the next one.
    stream: Option<TcpStream>,
    buffer: Vec<u8>,
    sent: Instant,
}

#[derive(Debug)]
pub(super) struct Exchange<'c> {
    connection: &'c mut Connection,
    reader: BodyReader,
    ended: bool,
    pub(super) received: Received,
}

impl Connection {
    pub(super) fn open(addr: SocketAddr, patience: Duration) -> Result<Self, ClientError> {
        let stream = TcpStream::connect(addr).map_err(doing("connect"))?;
        stream.set_nodelay(true).map_err(doing("set TCP_NODELAY"))?;
        stream.set_read_timeout(Some(patience)).map_err(doing("set the timeout"))?;
        stream.set_write_timeout(Some(patience)).map_err(doing("set the timeout"))?;
        Ok(Self { stream: Some(stream), buffer: Vec::new(), sent: Instant::now() })
    }

    pub(super) fn start(&mut self, request: &Request) -> Result<Exchange<'_>, ClientError> {
        let mut bytes = format!("{} {} HTTP/1.1\r\n", request.method, request.target).into_bytes();
        request.headers.write_to(&mut bytes);
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(&request.body);
        self.send_bytes(&bytes)?;
        self.receive(request.method == "HEAD")
    }

    pub(super) fn send_bytes(&mut self, bytes: &[u8]) -> Result<(), ClientError> {
        let stream = self.stream.as_mut().ok_or(ClientError::Spent)?;
        stream.write_all(bytes).map_err(doing("send the request"))?;
        self.sent = Instant::now();
        Ok(())
    }

    pub(super) fn receive(&mut self, is_head: bool) -> Result<Exchange<'_>, ClientError> {
        let (status, headers) = loop {
            if let Some(head) = Head::take(&mut self.buffer)? {
                let status = status(&head.first_line)?;
                // Interim responses say nothing about the one that counts.
                if status >= 200 || status == 101 {
                    break (status, head.headers);
                }
                continue;
            }
            if self.fill().map_err(doing("read the response's head"))? == 0 {
                self.stream = None;
                return Err(doing("read the response's head")(io::ErrorKind::UnexpectedEof.into()));
            }
        };
        let reader = if is_head || matches!(status, 204 | 304) {
            BodyReader::empty()
        } else {
            BodyReader::announced_by(&headers, true)?
        };
        let received = Received::with_head(Protocol::Http1, status, headers, self.sent.elapsed());
        let mut exchange = Exchange { connection: self, reader, ended: false, received };
        exchange.digest();
        Ok(exchange)
    }

    fn fill(&mut self) -> io::Result<usize> {
        let stream = self.stream.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        let start = self.buffer.len();
        self.buffer.resize(start + 64 * 1024, 0);
        let read = stream.read(self.buffer.get_mut(start..).unwrap_or_default());
        self.buffer.truncate(start + read.as_ref().copied().unwrap_or_default());
        read
    }
}

impl Exchange<'_> {
    pub(super) fn more(&mut self) -> bool {
        if self.ended {
            return false;
        }
        let before = self.received.body.len();
        match self.connection.fill() {
            Ok(0) if self.reader.may_end_with_connection() => self.end(None),
            Ok(0) => self.end(Some("the connection was closed inside the message".to_owned())),
            Ok(_) => self.digest(),
            Err(error) => self.end(Some(error.to_string())),
        }
        !self.ended || self.received.body.len() > before
    }

    pub(super) fn into_received(mut self) -> Received {
        let nothing = Received::with_head(Protocol::Http1, 0, Headers::new(), Duration::ZERO);
        std::mem::replace(&mut self.received, nothing)
    }

    /// Moves what has arrived into the response.
    fn digest(&mut self) {
        let before = self.received.body.len();
        let read = self.reader.read(&mut self.connection.buffer, &mut self.received.body);
        if self.received.body.len() > before {
            self.received.grew(self.connection.sent.elapsed());
        }
        match read {
            Ok(()) if self.reader.is_done() => self.end(None),
            Ok(()) => {}
            Err(error) => self.end(Some(error.to_string())),
        }
    }

    fn end(&mut self, broken: Option<String>) {
        self.ended = true;
        let closes = self.received.headers.get("connection").is_some_and(|v| v.eq_ignore_ascii_case("close"));
        if closes || broken.is_some() || !self.reader.is_done() {
            self.connection.stream = None;
        }
        self.received.trailers = self.reader.trailers.clone();
        self.received.ended(self.connection.sent.elapsed(), broken);
    }
}

impl Drop for Exchange<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.connection.stream = None;
        }
    }
}

fn status(line: &str) -> Result<u16, ClientError> {
    let code = line.strip_prefix("HTTP/1.").and_then(|rest| rest.split(' ').nth(1));
    let code = code.and_then(|code| code.parse().ok());
    Ok(code.ok_or_else(|| WireError::new("a status line", line.as_bytes()))?)
}

fn doing(doing: &'static str) -> impl Fn(io::Error) -> ClientError {
    move |source| ClientError::Io { doing, source }
}
