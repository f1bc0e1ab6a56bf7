//! Saves: good ones are in force at once, bad ones are told of.

use std::io::Write as _;

use engraft_harness::client::{Connection, Exchange, Request};
use engraft_harness::origin::{Gate, Origin, Pieces, Reply};
use engraft_harness::wire::Protocol;

use crate::server::{GREETING, Server, Tested};

/// Another greeting, and something that is none.
fn saying(word: &str) -> String {
    GREETING.replace("Hello", word)
}

const BAD: &str = "version: 1\nroutes:\n- name: page\n  patches: [{ selekt: h1, text: x }]\n";

fn asked() -> Request {
    Request::get("/p").header("cookie", "first_name=Ada")
}

/// What pages are told next.
fn told(
    events: &mut Exchange<'_>,
    seen: &mut usize,
) -> Result<serde_json::Value, Box<dyn std::error::Error>> {
    loop {
        let text = events.so_far().text().into_owned();
        let rest = text.get(*seen..).unwrap_or_default();
        if let Some((event, _)) = rest.split_once("\n\n") {
            *seen += event.len() + 2;
            return Ok(serde_json::from_str(event.strip_prefix("data: ").ok_or("no data")?)?);
        }
        if !events.more() {
            return Err("the events ended".into());
        }
    }
}

#[test]
fn a_bad_save_keeps_the_last_good_configuration_and_is_shown() -> Tested {
    let origin = Origin::start()?;
    origin.reply("/p", Reply::html("<h1>Hi</h1>"));
    let server = Server::before(&origin, GREETING)?;
    let mut connection = Connection::open(Protocol::Http1, server.addr)?;
    let mut events = connection.start(&server.own("/__engraft/live"))?;
    let mut seen = 0;
    let first = told(&mut events, &mut seen)?;
    assert!(first["problems"].is_null());
    assert_eq!(server.fetch(&asked())?.text(), "<h1>Hello Ada</h1>");

    server.save(BAD)?;
    let bad = told(&mut events, &mut seen)?;
    assert_eq!(bad["generation"], first["generation"], "pages need not load again");
    let problems = bad["problems"].as_str().ok_or("no problems")?;
    assert!(
        problems.contains("engraft.yaml:4:") && problems.contains("did you mean \"select\""),
        "{problems}"
    );
    server.said("did you mean")?;
    assert_eq!(server.fetch(&asked())?.text(), "<h1>Hello Ada</h1>");

    server.save(&saying("Good day"))?;
    let good = told(&mut events, &mut seen)?;
    assert!(good["problems"].is_null() && good["generation"] != first["generation"]);
    server.said("is in force")?;
    assert_eq!(server.fetch(&asked())?.text(), "<h1>Good day Ada</h1>");
    Ok(())
}

#[test]
fn a_save_that_can_not_be_read_is_shown_until_it_can() -> Tested {
    let origin = Origin::start()?;
    let server = Server::before(&origin, GREETING)?;
    let mut connection = Connection::open(Protocol::Http1, server.addr)?;
    let mut events = connection.start(&server.own("/__engraft/live"))?;
    let mut seen = 0;
    let first = told(&mut events, &mut seen)?;
    let config = server.folder.path().join("engraft.yaml");
    std::fs::remove_file(&config)?;
    std::fs::create_dir(&config)?;
    let unread = told(&mut events, &mut seen)?;
    let problems = unread["problems"].as_str().ok_or("no problems")?;
    assert!(problems.contains("can't read") && problems.contains("engraft.yaml"), "{problems}");
    server.said("can't read")?;
    std::fs::remove_dir(&config)?;
    server.save(&saying("Good day"))?;
    let good = told(&mut events, &mut seen)?;
    assert!(good["problems"].is_null() && good["generation"] != first["generation"], "{good}");
    Ok(())
}

#[test]
fn requests_that_run_keep_the_configuration_that_they_began_with() -> Tested {
    let origin = Origin::start()?;
    let gate = Gate::new();
    origin.reply("/p", Reply::html("<p>...</p><h1>Hi</h1>").pieces(Pieces::Sizes(vec![10])).gate(&gate));
    let server = Server::before(&origin, GREETING)?;
    let mut connection = Connection::open(Protocol::Http1, server.addr)?;
    let mut exchange = connection.start(&asked())?;
    assert!(exchange.read_until("<p>...</p>"));
    server.save(&saying("Good day"))?;
    server.said("is in force")?;
    gate.open_for_good();
    assert_eq!(exchange.finish().text(), "<p>...</p><h1>Hello Ada</h1>");
    assert_eq!(server.fetch(&asked())?.text(), "<p>...</p><h1>Good day Ada</h1>");
    Ok(())
}

#[test]
fn no_request_fails_while_configurations_come_and_go() -> Tested {
    let origin = Origin::start()?;
    origin.reply("/p", Reply::html("<h1>Hi</h1>"));
    let server = Server::before(&origin, GREETING)?;
    let ends = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let asking = (0..4).map(|_| {
            scope.spawn(|| {
                let mut count = 0_usize;
                let mut connection =
                    Connection::open(Protocol::Http1, server.addr).map_err(|e| e.to_string())?;
                while !ends.load(std::sync::atomic::Ordering::Relaxed) {
                    let received = connection.fetch(&asked()).map_err(|e| e.to_string())?;
                    let text = received.text();
                    if !received.complete || !text.starts_with("<h1>") || !text.ends_with(" Ada</h1>") {
                        return Err(text.into_owned());
                    }
                    count += 1;
                }
                Ok(count)
            })
        });
        let asking: Vec<_> = asking.collect();
        let saved = (0..3).try_for_each(|n| -> Tested {
            server.save(&saying(&format!("Good day {n},")))?;
            server.said("is in force")?;
            server.save(BAD)?;
            server.said("goes on")?;
            Ok(())
        });
        ends.store(true, std::sync::atomic::Ordering::Relaxed);
        for thread in asking {
            let count = thread.join().map_err(|_| "a thread panicked")??;
            assert!(count > 0);
        }
        saved
    })?;
    assert_eq!(server.fetch(&asked())?.text(), "<h1>Good day 2, Ada</h1>");
    Ok(())
}

#[test]
fn a_payload_is_read_again_when_it_is_saved() -> Tested {
    let origin = Origin::start()?;
    origin.reply("/p", Reply::html("<h1>Hi</h1>"));
    let folder = tempfile::tempdir()?;
    let payload = folder.path().join("payload.json");
    let flag = |on: bool| format!("{{\"features\": {{\"sale\": {{\"defaultValue\": {on}}}}}}}");
    std::fs::write(&payload, flag(false))?;
    let configuration = "\
version: 1
growthbook: { fetch: { cluster: growthbook, authority: growthbook.example, client_key: sdk-abc } }
routes:
- name: page
  patches:
  - { flag: { sale: true }, select: h1, text: Sale }
";
    let url = format!("http://{}", origin.addr());
    let file = payload.to_str().ok_or("a name that is not UTF-8")?;
    let server = Server::with(configuration, ["--origin", &url, "--payload", file])?;
    assert_eq!(server.get("/p")?.text(), "<h1>Hi</h1>");
    std::fs::write(&payload, flag(true) + "\n")?;
    server.said("is in force")?;
    assert_eq!(server.get("/p")?.text(), "<h1>Sale</h1>");
    std::fs::write(&payload, "{")?;
    server.said("payload.json: error:")?;
    assert_eq!(server.get("/p")?.text(), "<h1>Sale</h1>");
    Ok(())
}

/// A request as a browser makes it when somebody opens a page.
fn opened(server: &Server, path: &str) -> Request {
    let asked = server.own(path).header("accept", "text/html,application/xhtml+xml");
    asked.header("sec-fetch-mode", "navigate").header("sec-fetch-dest", "document")
}

const SCRIPT: &str = "<script src=\"/__engraft/live.js\"></script>";

#[test]
fn pages_that_a_browser_opens_load_again_by_themselves() -> Tested {
    let origin = Origin::start()?;
    let page = Reply::html("<!doctype html><body><h1>Hi</h1></body>").header("etag", "\"a\"");
    origin.reply("/p", page.clone());
    origin.reply("/q", page);
    let server = Server::before(&origin, GREETING)?;
    for (path, heading) in [("/p", "Hello Ada"), ("/q", "Hi")] {
        let received = server.fetch(&opened(&server, path).header("cookie", "first_name=Ada"))?;
        let expected = format!("<!doctype html><body><h1>{heading}</h1>{SCRIPT}</body>");
        assert_eq!((received.text().as_ref(), received.complete), (expected.as_str(), true));
        assert!(!received.headers.has("etag"), "what is kept may have no script in it");
    }
    // What a page fetches, frames of other kinds and tools get what Envoy would send.
    for (name, value) in [("sec-fetch-mode", "cors"), ("accept", "*/*")] {
        assert!(!server.fetch(&server.own("/q").header(name, value))?.text().contains("__engraft"));
    }
    assert!(server.fetch(&server.own("/__engraft/live.js"))?.text().contains("EventSource"));
    let url = format!("http://{}", origin.addr());
    let still = Server::with(GREETING, ["--origin", &url, "--no-live"])?;
    assert!(!still.fetch(&opened(&still, "/q"))?.text().contains("__engraft"));
    Ok(())
}

#[test]
fn the_script_gets_into_a_page_that_is_coded_and_not_into_one_that_is_broken() -> Tested {
    let origin = Origin::start()?;
    let server = Server::before(&origin, GREETING)?;
    let page = "<!doctype html><body><h1>Hi</h1></body>";
    let mut coder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    coder.write_all(page.as_bytes())?;
    let coded = coder.finish()?;
    for path in ["/p", "/q"] {
        for pieces in [Pieces::Whole, Pieces::EveryByte] {
            let reply = Reply::html(coded.clone()).header("content-encoding", "gzip").pieces(pieces);
            origin.reply(path, reply);
            let received = server.fetch(&opened(&server, path))?;
            assert_eq!(received.text(), page.replace("</body>", &format!("{SCRIPT}</body>")), "{path}");
            assert!(received.complete && !received.headers.has("content-encoding"));
        }
        let cut = coded.get(..coded.len() - 9).unwrap_or_default();
        origin.reply(path, Reply::html(cut).header("content-encoding", "gzip"));
        assert!(!server.fetch(&opened(&server, path))?.complete, "{path}");
    }
    Ok(())
}

#[test]
fn a_page_whose_policy_allows_no_script_gets_none() -> Tested {
    let origin = Origin::start()?;
    let page = "<!doctype html><body><h1>Hi</h1></body>";
    origin.reply(
        "/strict",
        Reply::html(page).header("content-security-policy", "script-src https://cdn.example"),
    );
    origin.reply("/own", Reply::html(page).header("content-security-policy", "script-src 'self'"));
    let server = Server::before(&origin, GREETING)?;
    for path in ["/strict?a", "/strict?a", "/strict?a", "/strict?b"] {
        assert_eq!(server.fetch(&opened(&server, path))?.text(), page);
    }
    // Once for each page.
    for path in ["/strict?a ", "/strict?b "] {
        let said = server.said("content security policy")?;
        assert!(said.starts_with(path), "{said}");
    }
    assert!(server.fetch(&opened(&server, "/own"))?.text().contains(SCRIPT));
    Ok(())
}
