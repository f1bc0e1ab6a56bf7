//! One page from the web, as it would come to the filter: GET, no content coding, no redirects followed.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Bytes;
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

use crate::args::Url;
use crate::failure::{Failure, causes};
use crate::tls;

/// The longest page that is taken.
const MAX_BYTES: usize = 64 << 20;

/// How long it may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A response.
#[derive(Debug)]
pub(crate) struct Fetched {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// Why there is no page.
#[derive(Debug)]
pub(crate) enum FetchError {
    /// Nobody answers, or not to the end; what the client says.
    Client(String),
    /// The page is somewhere else.
    Redirect { status: StatusCode, location: String },
    /// It is compressed, though nobody asked for that.
    Coded(String),
    /// It takes too long.
    Timeout,
}

/// Asks for a page.
///
/// # Errors
/// [`Failure::Fetch`] where none comes.
pub(crate) fn fetch(url: &Url) -> Result<Fetched, Failure> {
    let failed = |why| Failure::Fetch { url: url.to_string(), why };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| failed(FetchError::Client(error.to_string())))?;
    let fetched = runtime.block_on(async { tokio::time::timeout(TIMEOUT, get(url)).await });
    fetched.unwrap_or(Err(FetchError::Timeout)).map_err(failed)
}

async fn get(url: &Url) -> Result<Fetched, FetchError> {
    let client = Client::builder(TokioExecutor::new()).build(connector()?);
    let request = Request::get(url.to_string())
        .header(header::ACCEPT, "text/html,application/xhtml+xml,application/json;q=0.9,*/*;q=0.8")
        .header(header::USER_AGENT, concat!("engraft/", env!("CARGO_PKG_VERSION")))
        .body(Empty::<Bytes>::new());
    let request = request.map_err(|error| FetchError::Client(error.to_string()))?;
    let response = client.request(request).await.map_err(|error| FetchError::Client(innermost(&error)))?;
    let (head, body) = response.into_parts();
    if let Some(location) = head.headers.get(header::LOCATION).filter(|_| head.status.is_redirection()) {
        let location = String::from_utf8_lossy(location.as_bytes()).into_owned();
        return Err(FetchError::Redirect { status: head.status, location });
    }
    let coding = head
        .headers
        .get(header::CONTENT_ENCODING)
        .map(|it| String::from_utf8_lossy(it.as_bytes()).into_owned());
    if let Some(coding) = coding.filter(|coding| !coding.eq_ignore_ascii_case("identity")) {
        return Err(FetchError::Coded(coding));
    }
    let body = Limited::new(body, MAX_BYTES).collect().await;
    let body = body.map_err(|error| FetchError::Client(innermost(&*error)))?.to_bytes().to_vec();
    Ok(Fetched { status: head.status, headers: head.headers, body })
}

type Connector = hyper_rustls::HttpsConnector<hyper_util::client::legacy::connect::HttpConnector>;

fn connector() -> Result<Connector, FetchError> {
    let config = tls::client(tls::roots()).map_err(|error| FetchError::Client(error.to_string()))?;
    Ok(HttpsConnectorBuilder::new().with_tls_config(config).https_or_http().enable_http1().build())
}

/// What lies behind an error: "connection refused", not "client error".
fn innermost(error: &(dyn Error + 'static)) -> String {
    causes(error).pop().unwrap_or_default()
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client(why) => write!(f, "{why}; save the page and give the file, with --url"),
            Self::Redirect { status, location } => {
                write!(f, "the answer is {status} and leads to {location}; give that URL")
            }
            Self::Coded(coding) => {
                write!(
                    f,
                    "the answer is compressed ({coding}) though nobody asked for that; save the page and give the file, with --url"
                )
            }
            Self::Timeout => {
                write!(f, "no answer in {} s; save the page and give the file, with --url", TIMEOUT.as_secs())
            }
        }
    }
}
