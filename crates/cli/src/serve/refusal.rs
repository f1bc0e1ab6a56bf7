//! Pages that the server answers in place of the origin: what was tried, and what to do.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};

use super::origin::Unanswered;
use super::source::Source;
use super::upstream::Refused;
use crate::exchange::rendering::OriginRequest;

/// An answer that says why there is none.
pub(crate) fn page(status: StatusCode, why: &str, tried: &str, advice: &str) -> Response<Source> {
    let title = status.canonical_reason().unwrap_or("Error");
    let (why, tried, advice) = (escaped(why), escaped(tried), escaped(advice));
    let page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>{code} {title}</title>\n\
         <style>:root {{ color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif }} body {{ max-width: 44rem; margin: 4rem auto; padding: 0 1rem }} code {{ overflow-wrap: anywhere }}</style>\n\
         <h1>{code} {title}</h1>\n<p>engraft serve: {why}.</p>\n<p><code>{tried}</code></p>\n<p>{advice}</p>\n</html>\n",
        code = status.as_u16(),
    );
    let mut response = Response::new(Source::from(Bytes::from(page)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The origin did not answer.
pub(crate) fn unanswered(refused: &Refused, asked: &OriginRequest) -> (String, Response<Source>) {
    let tried = format!("{} {}", asked.method, asked.url);
    match refused {
        Refused::Unwritable => {
            let why = "this is no address that an origin can be asked for".to_owned();
            let page =
                page(StatusCode::BAD_REQUEST, &why, &tried, "Write what is not ASCII in it percent-encoded.");
            (why, page)
        }
        Refused::Unanswered(error) => {
            let status = match error {
                Unanswered::Late(_) => StatusCode::GATEWAY_TIMEOUT,
                Unanswered::Failed(_) => StatusCode::BAD_GATEWAY,
            };
            let why = error.to_string();
            let page = page(status, &why, &tried, error.advice());
            (why, page)
        }
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
