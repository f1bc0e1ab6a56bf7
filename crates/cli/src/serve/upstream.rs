//! Where pages come from: an origin or a folder.

use http::{HeaderMap, Method, Response};
use hyper::body::Incoming;

use super::origin::{Origin, Unanswered, Upload};
use super::site::Site;
use super::source::Source;
use crate::exchange::rendering::OriginRequest;

/// See the [module](self).
#[derive(Debug, Clone)]
pub(crate) enum Upstream {
    Origin(Box<Origin>),
    Site(Site),
}

impl Upstream {
    /// Asks for what `asked` says, and waits for the head of the answer. What is to be upgraded has `upgrade` among its headers.
    pub(crate) async fn ask(
        &self,
        asked: &OriginRequest,
        upgrades: bool,
        body: Incoming,
    ) -> Result<Response<Source>, Refused> {
        match self {
            Self::Site(site) => {
                let method = asked.method.parse().unwrap_or(Method::GET);
                Ok(site.answer(&method, &asked.url.path, &asked.headers))
            }
            Self::Origin(origin) => {
                let request = request(asked, body).ok_or(Refused::Unwritable)?;
                let response = origin.ask(request, upgrades).await.map_err(Refused::Unanswered)?;
                Ok(response.map(Source::Origin))
            }
        }
    }
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Refused {
    /// The request can't be written as one.
    Unwritable,
    Unanswered(Unanswered),
}

fn request(asked: &OriginRequest, body: Incoming) -> Option<http::Request<Upload>> {
    let url = &asked.url;
    let uri = http::Uri::builder()
        .scheme(url.scheme.as_str())
        .authority(url.authority.as_str())
        .path_and_query(url.path.as_str());
    let mut request = http::Request::new(Upload::from(body));
    *request.method_mut() = asked.method.parse().ok()?;
    *request.uri_mut() = uri.build().ok()?;
    *request.headers_mut() = HeaderMap::clone(&asked.headers);
    Some(request)
}
