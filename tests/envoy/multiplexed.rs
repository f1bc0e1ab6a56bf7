//! Many streams over one HTTP/2 connection, which the harness' client, one exchange at a time, does not do.
//!
//! Frames are written and read here (RFC 9113 § 4 to 6). Requests are HPACK literals without Huffman (RFC 7541 § 6.2.2); of the
//! responses only DATA is read, so their header blocks need no decoding.

use std::collections::BTreeMap;
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;

const END_STREAM: u8 = 1;
const ACK: u8 = 1;
const END_HEADERS: u8 = 4;

const INITIAL_WINDOW_SIZE: u16 = 4;
/// The largest there is: nothing here waits for a window.
const WINDOW: u32 = (1 << 31) - 1;
const DEFAULT_WINDOW: u32 = 65_535;

#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    bodies: BTreeMap<u32, (Vec<u8>, bool)>,
    next_id: u32,
}

impl Connection {
    pub(crate) fn open(addr: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(addr)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        let mut connection = Self { stream, bodies: BTreeMap::new(), next_id: 1 };
        connection.stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")?;
        let window = [&INITIAL_WINDOW_SIZE.to_be_bytes()[..], &WINDOW.to_be_bytes()].concat();
        connection.send(SETTINGS, 0, 0, &window)?;
        connection.send(WINDOW_UPDATE, 0, 0, &(WINDOW - DEFAULT_WINDOW).to_be_bytes())?;
        Ok(connection)
    }

    /// Opens a stream; its page is awaited by [`read`](Self::read).
    pub(crate) fn request(&mut self, path: &str, cookie: &str) -> io::Result<()> {
        let mut block = Vec::new();
        let fields =
            [(":method", "GET"), (":scheme", "http"), (":authority", "shop.example"), (":path", path)];
        for (name, value) in fields.into_iter().chain([("cookie", cookie)]) {
            block.push(0);
            for text in [name, value] {
                // Lengths up to 126 are one byte.
                block.push(u8::try_from(text.len()).map_err(io::Error::other)? & 0x7f);
                block.extend_from_slice(text.as_bytes());
            }
        }
        let id = self.next_id;
        self.next_id += 2;
        self.bodies.insert(id, (Vec::new(), true));
        self.send(HEADERS, END_HEADERS | END_STREAM, id, &block)
    }

    /// The bodies as far as they have come, in the order of the requests.
    pub(crate) fn bodies(&self) -> impl Iterator<Item = &[u8]> {
        self.bodies.values().map(|(body, _)| body.as_slice())
    }

    /// Streams that have not ended.
    pub(crate) fn open_streams(&self) -> usize {
        self.bodies.values().filter(|(_, open)| *open).count()
    }

    /// Reads one frame.
    pub(crate) fn read(&mut self) -> io::Result<()> {
        let mut head = [0; 9];
        self.stream.read_exact(&mut head)?;
        let [a, b, c, kind, flags, id @ ..] = head;
        let mut payload =
            vec![0; usize::try_from(u32::from_be_bytes([0, a, b, c])).map_err(io::Error::other)?];
        self.stream.read_exact(&mut payload)?;
        let id = u32::from_be_bytes(id);
        match kind {
            SETTINGS if flags & ACK == 0 => self.send(SETTINGS, ACK, 0, &[]),
            PING if flags & ACK == 0 => self.send(PING, ACK, 0, &payload),
            RST_STREAM | GOAWAY => Err(io::Error::other(format!("stream {id} was ended by {payload:?}"))),
            DATA | HEADERS => {
                if let Some((body, open)) = self.bodies.get_mut(&id) {
                    if kind == DATA {
                        body.extend_from_slice(&payload);
                    }
                    *open &= flags & END_STREAM == 0;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn send(&mut self, kind: u8, flags: u8, id: u32, payload: &[u8]) -> io::Result<()> {
        let [_, a, b, c] = u32::try_from(payload.len()).map_err(io::Error::other)?.to_be_bytes();
        let mut frame = vec![a, b, c, kind, flags];
        frame.extend_from_slice(&id.to_be_bytes());
        frame.extend_from_slice(payload);
        self.stream.write_all(&frame)
    }
}
