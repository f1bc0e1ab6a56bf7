//! What the server answers itself, and to whom.

use engraft_harness::client::{self, Request};
use engraft_harness::origin::{Origin, Reply};
use engraft_harness::wire::Protocol;

use crate::server::{GREETING, Server, Tested};

#[test]
fn exchanges_are_listed_and_told_in_full() -> Tested {
    let origin = Origin::start()?;
    origin.reply("/p", Reply::html("<h1>Hi</h1>"));
    let server = Server::before(&origin, GREETING)?;
    server.fetch(&Request::get("/p?q").header("cookie", "first_name=Ada"))?;
    server.get("/missing")?;
    server.line()?;
    server.line()?;
    let list = server.fetch(&server.own("/__engraft/api/exchanges"))?;
    let list: serde_json::Value = serde_json::from_slice(&list.body)?;
    let paths: Vec<_> = list.as_array().ok_or("no list")?.iter().map(|it| it["path"].as_str()).collect();
    assert_eq!(paths, [Some("/missing"), Some("/p?q")]);
    let path = format!("/__engraft/api/exchanges/{}", list[1]["id"]);
    let details = server.fetch(&server.own(&path))?;
    assert_eq!(details.header("cache-control"), Some("no-store"));
    let details: serde_json::Value = serde_json::from_slice(&details.body)?;
    assert_eq!(details["summary"]["route"], "page");
    assert_eq!(details["patches"], serde_json::json!(["0=1"]));
    assert_eq!(details["before"]["text"], "<h1>Hi</h1>");
    assert_eq!(details["after"]["text"], "<h1>Hello Ada</h1>");
    assert_eq!(details["to_origin"]["url"], format!("http://{}/p?q", origin.addr()));
    assert_eq!(details["from_origin"]["status"], 200);
    Ok(())
}

#[test]
fn the_panel_is_for_nobody_elses_pages() -> Tested {
    let origin = Origin::start()?;
    let server = Server::before(&origin, GREETING)?;
    let port = server.addr.port();
    let path = "/__engraft/api/exchanges";
    let own = || server.own(path);
    for (asked, status) in [
        (own(), 200),
        (own().host(&format!("localhost:{port}")), 200),
        (own().header("sec-fetch-site", "same-origin"), 200),
        (own().header("origin", format!("http://127.0.0.1:{port}")), 200),
        (own().host("evil.example"), 403),
        (own().host(&format!("evil.example:{port}")), 403),
        (own().host("localhost"), 403),
        (own().header("origin", "https://evil.example"), 403),
        (own().header("origin", "null"), 403),
        (own().header("origin", format!("http://localhost:{port}")), 403),
        (own().header("sec-fetch-site", "cross-site"), 403),
        (own().header("sec-fetch-site", "same-site"), 403),
        (Request::new("POST", path).host(&server.addr.to_string()), 403),
        (Request::new("POST", path).host(&server.addr.to_string()).header("x-engraft-panel", "1"), 405),
        (server.own("/__engraft/nothing"), 404),
        (server.own("/__engraft"), 404),
    ] {
        for protocol in [Protocol::Http1, Protocol::Http2] {
            let received = client::fetch(protocol, server.addr, &asked)?;
            assert_eq!(received.status, status, "{protocol:?} {asked:?}");
            assert!(!received.headers.has("access-control-allow-origin"));
        }
    }
    let live = server.own("/__engraft/live").header("sec-fetch-site", "cross-site");
    assert_eq!(server.fetch(&live)?.status, 403);
    assert!(origin.requests().is_empty(), "none of it reaches the origin");
    Ok(())
}
