//! The origin: one server, asked over connections that are kept.
//!
//! Which host a request names, and which server it goes to, are two things: the name comes from the request, the server is always the one
//! of the command line.

use std::error::Error as _;
use std::fmt;
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::uri::Scheme;
use http::{Request, Response, Uri};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper_rustls::{FixedServerNameResolver, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use tower_service::Service;

use super::args;
use super::error::ServeError;
use crate::failure::causes;
use crate::tls;

/// How long a connection is kept that nobody uses. Servers close theirs too, common ones for development after five seconds, and a request
/// that meets the end of its connection fails.
const IDLE_TIMEOUT: Duration = Duration::from_secs(4);
/// How long a connection may take to be there.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// See the [module](self). A copy of it shares connections.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    any: Client<HttpsConnector<Dial>, Upload>,
    /// HTTP/1.1 only: what is upgraded is the whole connection.
    first: Client<HttpsConnector<Dial>, Upload>,
    timeout: Duration,
}

impl Origin {
    /// # Errors
    /// Of a host that no certificate can be for.
    pub(crate) fn new(
        origin: &args::Origin,
        roots: &Arc<RootCertStore>,
        timeout: Duration,
    ) -> Result<Self, ServeError> {
        let name = origin.host_name()?;
        let client = |is_first: bool| {
            let mut http = HttpConnector::new();
            http.enforce_http(false);
            http.set_nodelay(true);
            http.set_connect_timeout(Some(CONNECT_TIMEOUT));
            let dial = Dial { http, to: origin.uri() };
            let tls = tls::client(Arc::clone(roots));
            let tls = tls.map_err(|error| ServeError::System(io::Error::other(error)))?;
            let https = HttpsConnectorBuilder::new()
                .with_tls_config(tls)
                .https_or_http()
                .with_server_name_resolver(FixedServerNameResolver::new(name.clone()));
            let connector = if is_first {
                https.enable_http1().wrap_connector(dial)
            } else {
                https.enable_all_versions().wrap_connector(dial)
            };
            let mut builder = Client::builder(TokioExecutor::new());
            builder.pool_timer(TokioTimer::new()).pool_idle_timeout(IDLE_TIMEOUT);
            Ok(builder.build(connector))
        };
        Ok(Self { any: client(false)?, first: client(true)?, timeout })
    }

    /// Asks, and waits for the head of the answer. Sending a body may take as long as it takes; once nothing moves any more, the time runs.
    pub(crate) async fn ask(
        &self,
        request: Request<Upload>,
        upgrades: bool,
    ) -> Result<Response<Incoming>, Unanswered> {
        let moved = Arc::clone(&request.body().moved);
        let client = if upgrades { &self.first } else { &self.any };
        let mut answer = std::pin::pin!(client.request(request));
        let mut so_far = 0;
        loop {
            match tokio::time::timeout(self.timeout, &mut answer).await {
                Ok(answer) => return answer.map_err(Unanswered::Failed),
                Err(_) => {
                    let now = moved.load(Ordering::Relaxed);
                    if now == so_far {
                        return Err(Unanswered::Late(self.timeout));
                    }
                    so_far = now;
                }
            }
        }
    }
}

/// Whom to believe who the origin is: those that browsers believe, and those in a file.
pub(crate) fn roots(file: Option<&Path>) -> Result<Arc<RootCertStore>, ServeError> {
    let mut roots = tls::roots();
    if let Some(path) = file {
        let refused = |why: String| ServeError::Certificates { path: path.to_owned(), why };
        let certificates = CertificateDer::pem_file_iter(path).map_err(|error| refused(error.to_string()))?;
        let before = roots.len();
        for certificate in certificates {
            let certificate = certificate.map_err(|error| refused(error.to_string()))?;
            roots.add(certificate).map_err(|error| refused(error.to_string()))?;
        }
        if roots.len() == before {
            return Err(refused("there is no certificate in it".to_owned()));
        }
    }
    Ok(Arc::new(roots))
}

impl args::Origin {
    fn uri(&self) -> Uri {
        let builder = Uri::builder().scheme(self.scheme.clone()).authority(self.authority.clone());
        // Parts of a URI that was read are parts of a URI.
        builder.path_and_query("/").build().unwrap_or_default()
    }

    fn host_name(&self) -> Result<ServerName<'static>, ServeError> {
        let host = self.authority.host().trim_start_matches('[').trim_end_matches(']');
        match ServerName::try_from(host.to_owned()) {
            Ok(name) => Ok(name),
            // Nobody will ask for it.
            Err(_) if self.scheme == Scheme::HTTP => {
                Ok(ServerName::IpAddress(std::net::IpAddr::from(std::net::Ipv4Addr::UNSPECIFIED).into()))
            }
            Err(_) => Err(ServeError::ServerName(host.to_owned())),
        }
    }
}

/// Connects to the origin, whatever it is asked for.
#[derive(Debug, Clone)]
struct Dial {
    http: HttpConnector,
    to: Uri,
}

impl Service<Uri> for Dial {
    type Response = <HttpConnector as Service<Uri>>::Response;
    type Error = <HttpConnector as Service<Uri>>::Error;
    type Future = <HttpConnector as Service<Uri>>::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.http.poll_ready(cx)
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        self.http.call(self.to.clone())
    }
}

/// The body of a request on its way.
#[derive(Debug)]
pub(crate) struct Upload {
    body: Incoming,
    moved: Arc<AtomicU64>,
}

impl From<Incoming> for Upload {
    fn from(body: Incoming) -> Self {
        Self { body, moved: Arc::default() }
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        if frame.is_ready() {
            self.moved.fetch_add(1, Ordering::Relaxed);
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Unanswered {
    /// It did not begin in time.
    Late(Duration),
    Failed(hyper_util::client::legacy::Error),
}

impl Unanswered {
    /// What whoever runs the server can do.
    pub(crate) fn advice(&self) -> &'static str {
        match self {
            Self::Late(_) => "Look at what the origin is doing, or give it more time with --origin-timeout.",
            Self::Failed(error) if causes(error).iter().any(|cause| cause.contains("certificate")) => {
                "If the origin has a certificate of your own, name the one that signed it with --origin-ca."
            }
            Self::Failed(error) if error.is_connect() => {
                "Start the origin, or correct --origin, and load this page again."
            }
            Self::Failed(error) if is_no_http(error) => {
                "Look whether --origin names a web server, and whether it speaks http or https there."
            }
            Self::Failed(_) => {
                "The origin closed the connection without a whole answer: its log may say why."
            }
        }
    }
}

/// Whether what came can't be read.
fn is_no_http(error: &hyper_util::client::legacy::Error) -> bool {
    error.source().and_then(|source| source.downcast_ref()).is_some_and(hyper::Error::is_parse)
}

impl fmt::Display for Unanswered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Late(time) => write!(f, "the origin did not answer within {} s", time.as_secs_f64()),
            Self::Failed(error) => {
                let causes = causes(error);
                let what = match error {
                    error if error.is_connect() => "can't connect to the origin",
                    error if is_no_http(error) => "the origin does not answer in HTTP",
                    _ => "the origin broke off",
                };
                write!(f, "{what}: {}", causes.last().map_or("no reason given", String::as_str))
            }
        }
    }
}
