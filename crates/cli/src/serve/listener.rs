//! Sockets and the threads that serve them.
//!
//! An exchange stays on one thread from end to end, so there is one single-threaded runtime a core, and connections are dealt out among
//! them in turn.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::{Arc, mpsc as threads};
use std::thread;
use std::time::Duration;

use hyper::rt::Executor;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::{JoinSet, LocalSet};

use super::proxy::{Ends, Proxy};
use super::state::State;
use super::upstream::Upstream;

/// How long what is in flight has to come to its end when the server ends.
const GRACE: Duration = Duration::from_secs(3);
/// How much longer a thread has that has not ended by then.
const SLACK: Duration = Duration::from_secs(1);
/// How long nothing is accepted after the system gave no connection.
const BREATH: Duration = Duration::from_millis(50);

/// A connection that was accepted, on its way to its thread.
type Accepted = (std::net::TcpStream, SocketAddr);

/// The threads, each with the queue of its connections.
#[derive(Debug)]
pub(crate) struct Workers {
    queues: Vec<mpsc::UnboundedSender<Accepted>>,
    /// Closed once the last of them has ended.
    running: threads::Receiver<Infallible>,
}

impl Workers {
    /// Starts one for each core.
    pub(crate) fn start(state: &Arc<State>, upstream: &Upstream) -> io::Result<Self> {
        let cores = thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
        let (runs, running) = threads::channel::<Infallible>();
        let mut workers = Self { queues: Vec::new(), running };
        for number in 0..cores {
            let (queue, accepted) = mpsc::unbounded_channel();
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let (state, upstream) = (Arc::clone(state), upstream.clone());
            let (name, runs) = (format!("serve-{number}"), runs.clone());
            thread::Builder::new().name(name).spawn(move || {
                let _runs = runs;
                LocalSet::new().block_on(&runtime, work(&state, upstream, accepted));
            })?;
            workers.queues.push(queue);
        }
        Ok(workers)
    }

    /// Accepts connections, for good.
    pub(crate) async fn accept(&self, listener: TcpListener) {
        let mut queues = self.queues.iter().cycle();
        loop {
            match listener.accept().await.and_then(|(stream, peer)| Ok((stream.into_std()?, peer))) {
                Ok(accepted) => {
                    if let Some(queue) = queues.next() {
                        // Fails where the thread is gone, and then the connection is closed.
                        let _ = queue.send(accepted);
                    }
                }
                // Too many open files, or a peer that is gone already.
                Err(_) => tokio::time::sleep(BREATH).await,
            }
        }
    }

    /// Waits for the threads, which end once the state says so. One that the system keeps waiting, as where nobody reads the log, is not
    /// waited for in turn.
    pub(crate) fn join(self) {
        drop(self.queues);
        let _ = self.running.recv_timeout(GRACE.saturating_add(SLACK));
    }
}

async fn work(state: &Arc<State>, upstream: Upstream, mut accepted: mpsc::UnboundedReceiver<Accepted>) {
    let proxy = Rc::new(Proxy::new(Arc::clone(state), upstream));
    let mut connections = JoinSet::new();
    let mut ending = state.ending.clone();
    loop {
        tokio::select! {
            next = accepted.recv() => match next {
                Some((stream, peer)) => {
                    connections.spawn_local(connection(Rc::clone(&proxy), stream, peer));
                }
                None => break,
            },
            Some(_) = connections.join_next() => {}
            _ = ending.wait_for(|ending| *ending) => break,
        }
    }
    let _ = tokio::time::timeout(GRACE, async { while connections.join_next().await.is_some() {} }).await;
}

/// Serves one connection to its end. What goes wrong with it is the peer's to know.
async fn connection(proxy: Rc<Proxy>, stream: std::net::TcpStream, peer: SocketAddr) {
    let Ok(stream) = TcpStream::from_std(stream) else { return };
    let _ = stream.set_nodelay(true);
    let Ok(local) = stream.local_addr() else { return };
    let ends = Ends { peer, local };
    let mut ending = proxy.ending();
    let service = service_fn(move |request| {
        let proxy = Rc::clone(&proxy);
        async move { Ok::<_, Infallible>(proxy.answer(ends, request).await) }
    });
    let mut server = auto::Builder::new(Here);
    server.http1().timer(TokioTimer::new());
    server.http2().timer(TokioTimer::new());
    let mut served = std::pin::pin!(server.serve_connection_with_upgrades(TokioIo::new(stream), service));
    tokio::select! {
        _ = served.as_mut() => return,
        _ = ending.wait_for(|ending| *ending) => {}
    }
    served.as_mut().graceful_shutdown();
    let _ = served.await;
}

/// Runs the streams of HTTP/2 on the thread of their connection.
#[derive(Debug, Clone, Copy)]
struct Here;

impl<F: Future<Output: 'static> + 'static> Executor<F> for Here {
    fn execute(&self, future: F) {
        tokio::task::spawn_local(future);
    }
}
