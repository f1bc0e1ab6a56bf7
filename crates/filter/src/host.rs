//! Calls into Envoy.
//!
//! proxy-wasm's host calls panic on statuses that they do not expect, and a panic ends the VM with all its streams. So
//! every call is made here, only at the moments at which Envoy answers it, and what can't be read counts as absent.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, SystemTime};

use engraft::config::model::Connection;
use engraft::exchange::{LocalResponse, RequestEdits};
use engraft::feed::{Board, Entry};
use engraft::headers::HeaderEdit;
use engraft::request::RequestHead;
use engraft::request::attributes::Fact;
use http::{HeaderMap, HeaderName, HeaderValue};
use proxy_wasm::hostcalls;
use proxy_wasm::types::{BufferType, Bytes, MapType, MetricType, Status};

/// What time it is.
pub(crate) fn now() -> SystemTime {
    hostcalls::get_current_time().unwrap_or(SystemTime::UNIX_EPOCH)
}

/// A number that nobody can foresee. Envoy draws it (`RAND_bytes`) in each call of WASI's `random_get`.
pub(crate) fn random() -> u128 {
    let mut bytes = [0; 16];
    match getrandom::fill(&mut bytes) {
        Ok(()) => u128::from_le_bytes(bytes),
        // No Envoy refuses; and if one did, numbers that differ are better than one for all.
        Err(_) => now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_nanos(),
    }
}

/// The same, shorter.
pub(crate) fn random_word() -> u64 {
    let [.., a, b, c, d, e, f, g, h] = random().to_le_bytes();
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

/// Milliseconds since 1970.
pub(crate) fn millis(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// The plugin's configuration; only while it is being configured.
pub(crate) fn plugin_configuration(size: usize) -> Bytes {
    if size == 0 {
        return Bytes::new();
    }
    hostcalls::get_buffer(BufferType::PluginConfiguration, 0, size).ok().flatten().unwrap_or_default()
}

/// The head of the request, which a body follows or not; only in its callback.
pub(crate) fn request_head(has_body: bool) -> RequestHead {
    let mut head = RequestHead { has_body, ..RequestHead::default() };
    for (name, value) in pairs(MapType::HttpRequestHeaders) {
        let text = || String::from_utf8_lossy(&value).into_owned();
        match name.as_str() {
            ":method" => head.method = text(),
            ":scheme" => head.scheme = text(),
            ":authority" => head.authority = text(),
            ":path" => head.path = text(),
            _ => append(&mut head.headers, &name, &value),
        }
    }
    head
}

/// The status and the headers of the response; only in its callback.
pub(crate) fn response_head() -> (u16, HeaderMap) {
    status_and_headers(MapType::HttpResponseHeaders)
}

fn status_and_headers(map: MapType) -> (u16, HeaderMap) {
    let mut headers = HeaderMap::new();
    let mut status = 0;
    for (name, value) in pairs(map) {
        if name == ":status" {
            status = std::str::from_utf8(&value).ok().and_then(|text| text.parse().ok()).unwrap_or(0);
        } else {
            append(&mut headers, &name, &value);
        }
    }
    (status, headers)
}

/// One call for the whole map: reading a header by its name gives only its first value.
fn pairs(map: MapType) -> Vec<(String, Bytes)> {
    hostcalls::get_map_bytes(map).unwrap_or_default()
}

fn append(headers: &mut HeaderMap, name: &str, value: &[u8]) {
    if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_bytes(value)) {
        // Fails above 32768 headers only, and Envoy refuses far fewer.
        let _ = headers.try_append(name, value);
    }
}

/// Changes the request; only in the callback of its head.
pub(crate) fn edit_request(edits: &RequestEdits) {
    let map = MapType::HttpRequestHeaders;
    if let Some(authority) = &edits.authority {
        set(map, ":authority", authority.as_bytes());
    }
    if let Some(path) = &edits.path {
        set(map, ":path", path.as_bytes());
    }
    edit(map, &edits.headers);
}

/// Has Envoy look for its route again, which it may keep when a path changes (since 1.33, by the version of the ABI); only in the
/// callback of the request's head, and never in an upstream filter: there is no route to look for, and Envoy ends with a segmentation
/// fault (1.40.0).
pub(crate) fn clear_route_cache() {
    let _ = hostcalls::call_foreign_function("clear_route_cache", None);
}

/// Changes the response's headers; only in the callback of its head, and in that of the body while the head waits.
pub(crate) fn edit_response(edits: &[HeaderEdit]) {
    edit(MapType::HttpResponseHeaders, edits);
}

fn edit(map: MapType, edits: &[HeaderEdit]) {
    for edit in edits {
        match edit {
            HeaderEdit::Set(name, value) => set(map, name.as_str(), value.as_bytes()),
            HeaderEdit::Add(name, value) => {
                let _ = hostcalls::add_map_value_bytes(map, name.as_str(), value.as_bytes());
            }
            HeaderEdit::Remove(name) => {
                let _ = hostcalls::remove_map_value(map, name.as_str());
            }
        }
    }
}

fn set(map: MapType, name: &str, value: &[u8]) {
    let _ = hostcalls::set_map_value_bytes(map, name, Some(value));
}

/// Answers the request; only in the callback of its head.
pub(crate) fn respond(response: &LocalResponse) {
    let headers = response.headers.iter();
    let headers = headers.filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?))).collect();
    let _ = hostcalls::send_http_response(response.status.as_u16().into(), headers, None);
}

/// Breaks off a response that has begun, in any of its callbacks. Envoy can't answer any more and resets the stream when
/// the callback is over; `proxy_close_stream` would do so inside it, and Envoy does not survive that (1.36.4 to 1.40.0).
pub(crate) fn break_off_response() {
    let _ = hostcalls::send_http_response(502, Vec::new(), None);
}

/// Lets the head of a stream's response go on that was paused in its callback; only in another callback than the stream's.
pub(crate) fn resume_response(stream: u32) {
    // Refused where there is no such stream any more.
    if hostcalls::set_effective_context(stream).is_ok() {
        let _ = hostcalls::resume_http_response();
    }
}

/// How long it is from tick to tick of the root context; zero for none. A timer that runs keeps its time until it has run out, unless
/// it is set to zero first.
pub(crate) fn set_tick_period(period: Duration) {
    let _ = hostcalls::set_tick_period(period);
}

/// A call to another service.
pub(crate) struct Call<'a> {
    /// Envoy's name of it.
    pub(crate) cluster: &'a str,
    /// `:method`, `:path` and `:authority` among them, or Envoy refuses.
    pub(crate) headers: Vec<(&'a str, &'a str)>,
    pub(crate) body: Option<&'a [u8]>,
    pub(crate) timeout: Duration,
}

/// Why a call is not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// There is no such cluster.
    NoCluster,
    NotSent,
}

/// Calls another service; the token tells which call is answered, in the root context's callback.
pub(crate) fn send_call(call: &Call<'_>) -> Result<u32, Refused> {
    hostcalls::dispatch_http_call(call.cluster, call.headers.clone(), call.body, Vec::new(), call.timeout)
        .map_err(|status| if status == Status::BadArgument { Refused::NoCluster } else { Refused::NotSent })
}

/// The answer to a call; only in its callback.
pub(crate) struct Answer {
    headers: usize,
    body_bytes: usize,
}

impl Answer {
    /// With the numbers that the callback was given.
    pub(crate) const fn new(headers: usize, body_bytes: usize) -> Self {
        Self { headers, body_bytes }
    }

    /// Status and headers. `None` if there is no answer: then Envoy has none either, and asking for it would end the VM.
    pub(crate) fn head(&self) -> Option<(u16, HeaderMap)> {
        (self.headers > 0).then(|| status_and_headers(MapType::HttpCallResponseHeaders))
    }

    /// How long the body is.
    pub(crate) const fn body_bytes(&self) -> usize {
        self.body_bytes
    }

    /// The body.
    pub(crate) fn body(&self) -> Bytes {
        if self.body_bytes == 0 {
            return Bytes::new();
        }
        hostcalls::get_buffer(BufferType::HttpCallResponseBody, 0, self.body_bytes)
            .ok()
            .flatten()
            .unwrap_or_default()
    }
}

/// What all VMs of one `vm_id` share, in one Envoy.
pub(crate) struct SharedData;

impl Board for SharedData {
    fn read(&self, key: &str) -> Option<Entry> {
        let (value, version) = hostcalls::get_shared_data(key).ok()?;
        value.map(|value| Entry { value, version })
    }

    fn write(&mut self, key: &str, value: &[u8], version: Option<u32>) -> bool {
        hostcalls::set_shared_data(key, Some(value), version).is_ok()
    }
}

/// The first `size` bytes of the body's chunk; only in its callback, with at most the size that the callback was given.
pub(crate) fn response_body(size: usize) -> Bytes {
    hostcalls::get_buffer(BufferType::HttpResponseBody, 0, size).ok().flatten().unwrap_or_default()
}

/// Replaces the first `len` bytes of the body's chunk; the rest stays in Envoy and is not copied. Only in its callback.
pub(crate) fn replace_body_front(len: usize, with: &[u8]) {
    if len > 0 || !with.is_empty() {
        // From offset 0, Envoy drains `len` bytes and puts the new ones in front.
        let _ = hostcalls::set_buffer(BufferType::HttpResponseBody, 0, len, with);
    }
}

/// Adds to the end of the body's chunk; only in its callback.
pub(crate) fn append_body(bytes: &[u8]) {
    if !bytes.is_empty() {
        // From an offset beyond the end, Envoy appends.
        let _ = hostcalls::set_buffer(BufferType::HttpResponseBody, u32::MAX as usize, 0, bytes);
    }
}

/// What Envoy knows of the connection or keeps in its filter state.
pub(crate) fn fact(fact: &Fact) -> Option<String> {
    match fact {
        Fact::Connection(Connection::PeerAddress) => text(&["source", "address"]).map(without_port),
        Fact::Connection(Connection::Mtls) => {
            let flag = property(&["connection", "mtls"])?;
            Some((flag.first() == Some(&1)).to_string())
        }
        Fact::Connection(Connection::TlsVersion) => text(&["connection", "tls_version"]),
        Fact::Connection(Connection::RequestedServerName) => text(&["connection", "requested_server_name"]),
        Fact::Connection(Connection::SubjectPeerCertificate) => {
            text(&["connection", "subject_peer_certificate"])
        }
        Fact::Connection(Connection::UriSanPeerCertificate) => {
            text(&["connection", "uri_san_peer_certificate"])
        }
        Fact::FilterState(key) => text(&["filter_state", key]),
        _ => None,
    }
}

/// The address that the request comes from: the peer's, or what Envoy takes from `x-forwarded-for` by its configuration.
pub(crate) fn peer() -> Option<IpAddr> {
    text(&["source", "address"]).map(without_port)?.parse().ok()
}

fn without_port(address: String) -> String {
    match address.parse::<SocketAddr>() {
        Ok(parsed) => parsed.ip().to_string(),
        Err(_) => address,
    }
}

fn text(path: &[&str]) -> Option<String> {
    let bytes = property(path)?;
    (!bytes.is_empty()).then(|| String::from_utf8_lossy(&bytes).into_owned())
}

fn property(path: &[&str]) -> Option<Bytes> {
    hostcalls::get_property(path.to_vec()).ok().flatten()
}

/// Sets `wasm.<key>` in the stream's filter state, for access logs. The key is one part: Envoy joins parts with NUL.
pub(crate) fn set_filter_state(key: &str, value: &str) {
    let _ = hostcalls::set_property(vec![key], Some(value.as_bytes()));
}

/// What Envoy calls a metric of this VM.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Metric(u32);

/// A counter; `None` where Envoy gives none. Asked for again, it is the same one.
pub(crate) fn define_counter(name: &str) -> Option<Metric> {
    hostcalls::define_metric(MetricType::Counter, name).ok().map(Metric)
}

/// A histogram, likewise.
pub(crate) fn define_histogram(name: &str) -> Option<Metric> {
    hostcalls::define_metric(MetricType::Histogram, name).ok().map(Metric)
}

/// Adds to a counter.
pub(crate) fn increment(counter: Metric, n: u64) {
    let _ = hostcalls::increment_metric(counter.0, i64::try_from(n).unwrap_or(i64::MAX));
}

/// Puts a value into a histogram.
pub(crate) fn record(histogram: Metric, value: u64) {
    let _ = hostcalls::record_metric(histogram.0, value);
}
