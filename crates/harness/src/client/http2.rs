use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use h2::RecvStream;
use h2::client::SendRequest;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::time::timeout;

use super::{ClientError, Received, Request};
use crate::wire::{Headers, Protocol};

#[derive(Debug)]
pub(super) struct Connection {
    /// Drives the connection's task too, whenever something is waited for.
    runtime: Runtime,
    requests: SendRequest<Bytes>,
    patience: Duration,
}

#[derive(Debug)]
pub(super) struct Exchange<'c> {
    connection: &'c mut Connection,
    /// Dropped at the end; dropping it earlier resets the stream.
    stream: Option<RecvStream>,
    sent: Instant,
    pub(super) received: Received,
}

impl Connection {
    pub(super) fn open(addr: SocketAddr, patience: Duration) -> Result<Self, ClientError> {
        let io = |source| ClientError::Io { doing: "connect", source };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(io)?;
        let requests = runtime.block_on(async {
            let stream = TcpStream::connect(addr).await.map_err(io)?;
            stream.set_nodelay(true).map_err(io)?;
            let (requests, connection) = h2::client::handshake(stream).await?;
            tokio::spawn(async move {
                // The streams of a failed connection report it.
                let _ = connection.await;
            });
            Ok::<_, ClientError>(requests)
        })?;
        Ok(Self { runtime, requests, patience })
    }

    pub(super) fn start(&mut self, request: &Request) -> Result<Exchange<'_>, ClientError> {
        let head = head(request)?;
        let (patience, body) = (self.patience, Bytes::from(request.body.clone()));
        let requests = self.requests.clone();
        let (response, sent) = self.runtime.block_on(async move {
            let waiting = async {
                let mut requests = requests.ready().await?;
                let (response, mut stream) = requests.send_request(head, body.is_empty())?;
                if !body.is_empty() {
                    // h2 keeps what the window does not let through yet.
                    stream.send_data(body, true)?;
                }
                let sent = Instant::now();
                Ok::<_, ClientError>((response.await?, sent))
            };
            timeout(patience, waiting).await.unwrap_or_else(|_| {
                Err(ClientError::Io {
                    doing: "read the response's head",
                    source: io::ErrorKind::TimedOut.into(),
                })
            })
        })?;
        let (head, stream) = response.into_parts();
        let received = Received::with_head(
            Protocol::Http2,
            head.status.as_u16(),
            Headers::from(&head.headers),
            sent.elapsed(),
        );
        Ok(Exchange { connection: self, stream: Some(stream), sent, received })
    }
}

impl Exchange<'_> {
    pub(super) fn more(&mut self) -> bool {
        let Some(stream) = &mut self.stream else { return false };
        let patience = self.connection.patience;
        let next = self.connection.runtime.block_on(async { timeout(patience, next(stream)).await });
        let broken = match next {
            Ok(Ok(Next::Data(data))) => {
                self.received.grew(self.sent.elapsed());
                self.received.body.extend_from_slice(&data);
                return true;
            }
            Ok(Ok(Next::End(trailers))) => {
                self.received.trailers = trailers;
                None
            }
            Ok(Err(error)) => Some(error.to_string()),
            Err(elapsed) => Some(format!("timed out: {elapsed}")),
        };
        self.stream = None;
        self.received.ended(self.sent.elapsed(), broken);
        false
    }

    pub(super) fn into_received(mut self) -> Received {
        let nothing = Received::with_head(Protocol::Http2, 0, Headers::new(), Duration::ZERO);
        std::mem::replace(&mut self.received, nothing)
    }
}

impl Drop for Exchange<'_> {
    fn drop(&mut self) {
        if self.stream.take().is_some() {
            // The reset leaves when the connection's task runs, and it runs only while something is waited for.
            self.connection.runtime.block_on(async { tokio::time::sleep(Duration::from_millis(1)).await });
        }
    }
}

enum Next {
    Data(Bytes),
    End(Headers),
}

async fn next(stream: &mut RecvStream) -> Result<Next, h2::Error> {
    while let Some(data) = stream.data().await {
        let data = data?;
        stream.flow_control().release_capacity(data.len())?;
        // An empty DATA frame is how some senders say END_STREAM.
        if !data.is_empty() {
            return Ok(Next::Data(data));
        }
    }
    Ok(Next::End(stream.trailers().await?.as_ref().map(Headers::from).unwrap_or_default()))
}

fn head(request: &Request) -> Result<http::Request<()>, ClientError> {
    let mut headers = request.headers.clone();
    headers.remove("host");
    let authority = request.headers.get("host").unwrap_or_default();
    let uri =
        http::Uri::builder().scheme("http").authority(authority).path_and_query(request.target.as_str());
    let mut head = http::Request::builder().method(request.method.as_str()).uri(uri.build()?).body(())?;
    *head.version_mut() = http::Version::HTTP_2;
    *head.headers_mut() = (&headers).try_into()?;
    Ok(head)
}
