//! A scripted origin on 127.0.0.1: what it answers, how the answer is framed, where it is cut, what follows it, and what it was
//! asked. It speaks HTTP/1.1 and HTTP/2 (prior knowledge) on the same port, so one script serves both.

mod http1;
mod http2;
mod reply;

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

pub use reply::{Framing, Gate, Pieces, Reply, Then};

use crate::wire::{Headers, Protocol};

/// A request as the origin got it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ReceivedRequest {
    /// What it came over.
    pub protocol: Protocol,
    /// Which connection it came over, counted from 0 in the order in which they were accepted.
    pub connection: usize,
    /// The method.
    pub method: String,
    /// The request target: path and query.
    pub target: String,
    /// `:authority`, or the `host` header.
    pub authority: String,
    /// The headers, without pseudo headers.
    pub headers: Headers,
    /// The whole body.
    pub body: Vec<u8>,
    /// What followed the body.
    pub trailers: Headers,
}

impl ReceivedRequest {
    /// The target without its query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }
}

type Handler = Arc<dyn Fn(&ReceivedRequest) -> Reply + Send + Sync>;

/// The running origin. Dropping it closes every connection and frees the port.
///
/// A path nobody registered is answered 404. Handlers run on the origin's only thread: they compute a [`Reply`] and return; waiting
/// is what [`Gate`] and [`Reply::delay`] are for.
pub struct Origin {
    addr: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    by_path: Mutex<HashMap<String, Handler>>,
    fallback: Mutex<Option<Handler>>,
    received: Mutex<Vec<ReceivedRequest>>,
    forgetful: AtomicBool,
}

impl Origin {
    /// Starts an origin on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// When the machine gives no port or thread.
    pub fn start() -> io::Result<Self> {
        Self::start_on(SocketAddr::from(([127, 0, 0, 1], 0)))
    }

    /// Starts an origin on an address of the caller's choice.
    ///
    /// # Errors
    /// When the address is taken, or the machine gives no thread.
    pub fn start_on(addr: SocketAddr) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind(addr)?;
        listener.set_nonblocking(true)?;
        let addr = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let listener = {
            let _guard = runtime.enter();
            TcpListener::from_std(listener)?
        };
        let shared = Arc::new(Shared::default());
        let (stop, stopped) = oneshot::channel();
        let serving = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("origin".to_owned()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = accept(listener, serving) => {}
                    _ = stopped => {}
                }
            });
        })?;
        Ok(Self { addr, shared, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it listens.
    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Answers `path` (without query) by `handler`, from now on.
    pub fn on(&self, path: &str, handler: impl Fn(&ReceivedRequest) -> Reply + Send + Sync + 'static) {
        locked(&self.shared.by_path).insert(path.to_owned(), Arc::new(handler));
    }

    /// Answers `path` by the same reply each time.
    pub fn reply(&self, path: &str, reply: Reply) {
        self.on(path, move |_| reply.clone());
    }

    /// Answers every path that has no handler of its own.
    pub fn otherwise(&self, handler: impl Fn(&ReceivedRequest) -> Reply + Send + Sync + 'static) {
        *locked(&self.shared.fallback) = Some(Arc::new(handler));
    }

    /// Stops keeping requests: a benchmark sends millions.
    pub fn forget_requests(&self) {
        self.shared.forgetful.store(true, Ordering::Relaxed);
        locked(&self.shared.received).clear();
    }

    /// What was asked so far, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<ReceivedRequest> {
        locked(&self.shared.received).clone()
    }

    /// What was asked since the last call.
    #[must_use]
    pub fn take_requests(&self) -> Vec<ReceivedRequest> {
        std::mem::take(&mut *locked(&self.shared.received))
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // An error means that a connection's task panicked, which its client has noticed.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Origin").field("addr", &self.addr).finish_non_exhaustive()
    }
}

impl Shared {
    fn answer(&self, request: ReceivedRequest) -> Reply {
        let by_path = locked(&self.by_path).get(request.path()).cloned();
        let handler = by_path.or_else(|| locked(&self.fallback).clone());
        let reply = handler.map_or_else(|| Reply::new(404, "no such path\n"), |handler| handler(&request));
        if !self.forgetful.load(Ordering::Relaxed) {
            locked(&self.received).push(request);
        }
        reply
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = 0;
    while let Ok((stream, _)) = listener.accept().await {
        let (shared, connection) = (Arc::clone(&shared), connections);
        connections += 1;
        tokio::spawn(async move {
            // A peer that breaks the connection off is part of what tests do.
            let _ = serve(stream, connection, shared).await;
        });
    }
}

async fn serve(stream: TcpStream, connection: usize, shared: Arc<Shared>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut start = [0; 4];
    // Less than four bytes: wait for more of them, as peeking again returns at once.
    loop {
        match stream.peek(&mut start).await? {
            0 => return Ok(()),
            4 => break,
            _ => tokio::task::yield_now().await,
        }
    }
    if &start == b"PRI " {
        http2::serve(stream, connection, shared).await.map_err(io::Error::other)
    } else {
        http1::serve(stream, connection, &shared).await
    }
}
