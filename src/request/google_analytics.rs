//! The client id of Google Analytics, in its cookie `_ga`: `GA1.1.1234567890.1700000000`, of which the last two numbers are the id.

/// The client id that the cookie says.
///
/// ```
/// use engraft::request::google_analytics::client_id;
///
/// assert_eq!(client_id("GA1.1.1234567890.1700000000"), Some("1234567890.1700000000"));
/// assert_eq!(client_id("GA1.1-2.1234567890.1700000000"), Some("1234567890.1700000000"));
/// assert_eq!(client_id("GS1.1.x"), None);
/// ```
#[must_use]
pub fn client_id(cookie: &str) -> Option<&str> {
    let mut parts = cookie.splitn(3, '.');
    let (version, _, id) = (parts.next()?, parts.next()?, parts.next()?);
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let (random, time) = id.split_once('.')?;
    (version.starts_with("GA") && is_number(random) && is_number(time)).then_some(id)
}
