use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde_json::Value;

use super::EnvoyError;
use crate::client::{Connection, Request};
use crate::wire::Protocol;

pub(super) fn get(addr: SocketAddr, path: &str) -> Result<String, EnvoyError> {
    ask(addr, "GET", path)
}

pub(super) fn post(addr: SocketAddr, path: &str) -> Result<String, EnvoyError> {
    ask(addr, "POST", path)
}

/// Name and address of every listener.
pub(super) fn listeners(addr: SocketAddr) -> Result<Vec<(String, SocketAddr)>, EnvoyError> {
    const PATH: &str = "/listeners?format=json";
    let text = get(addr, PATH)?;
    let unreadable = || EnvoyError::AdminAnswer { path: PATH.to_owned(), got: text.clone() };
    let answer: Value = serde_json::from_str(&text).map_err(|_| unreadable())?;
    // Without any listener the field is absent.
    let statuses = answer.get("listener_statuses").and_then(Value::as_array).cloned().unwrap_or_default();
    statuses.iter().map(|status| listener(status).ok_or_else(unreadable)).collect()
}

fn listener(status: &Value) -> Option<(String, SocketAddr)> {
    let name = status.get("name")?.as_str()?;
    let address = status.pointer("/local_address/socket_address")?;
    let ip = address.get("address")?.as_str()?.parse().ok()?;
    let port = u16::try_from(address.get("port_value")?.as_u64()?).ok()?;
    Some((name.to_owned(), SocketAddr::new(ip, port)))
}

/// Counters and gauges; histograms have no single value and are left out.
pub(super) fn stats(addr: SocketAddr, filter: &str) -> Result<BTreeMap<String, u64>, EnvoyError> {
    let filter = percent_encoding::utf8_percent_encode(filter, percent_encoding::NON_ALPHANUMERIC);
    let text = get(addr, &format!("/stats?filter={filter}"))?;
    let stats = text.lines().filter_map(|line| {
        let (name, value) = line.rsplit_once(": ")?;
        Some((name.to_owned(), value.parse().ok()?))
    });
    Ok(stats.collect())
}

fn ask(addr: SocketAddr, method: &str, path: &str) -> Result<String, EnvoyError> {
    let request = Request::bare(method, path).header("host", "admin").header("content-length", "0");
    // The main thread answers, and compiles wasm: where a machine is busy, for longer than other clients wait.
    let answer = Connection::open_with(Protocol::Http1, addr, super::PATIENCE)
        .and_then(|mut connection| connection.fetch(&request))
        .map_err(|source| EnvoyError::AdminUnreachable { path: path.to_owned(), source })?;
    let text = answer.text().into_owned();
    if answer.status == 200 && answer.complete {
        Ok(text)
    } else {
        Err(EnvoyError::AdminAnswer { path: path.to_owned(), got: format!("{} {text}", answer.status) })
    }
}
