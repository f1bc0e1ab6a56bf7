//! How the server starts, and how it ends.

use std::process::Command;

use engraft_harness::client::{Connection, Request};
use engraft_harness::origin::{Gate, Origin, Pieces, Reply};
use engraft_harness::wire::Protocol;

use crate::server::{GREETING, Server, Tested};

/// The exit code of a run that does not serve, and what it said.
fn refused(configuration: &str, args: &[&str]) -> Result<(Option<i32>, String), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let config = folder.path().join("engraft.yaml");
    std::fs::write(&config, configuration)?;
    let output = Command::new(env!("CARGO_BIN_EXE_engraft"))
        .arg("serve")
        .arg("--config")
        .arg(config)
        .args(args)
        .output()?;
    Ok((output.status.code(), String::from_utf8(output.stderr)?))
}

#[test]
fn what_can_not_be_served_is_said_with_what_to_do() -> Tested {
    let taken = std::net::TcpListener::bind("127.0.0.1:0")?;
    let taken = taken.local_addr()?.to_string();
    let origin = ["--origin", "http://127.0.0.1:1"];
    let with = |more: &[&'static str]| [&origin[..], more].concat();
    for (configuration, args, code, text) in [
        ("version: 2\n", with(&[]), 1, "2 is not known"),
        (GREETING, with(&["--payload", "/nowhere.json"]), 2, "can't read /nowhere.json"),
        (GREETING, with(&["--listen", "0.0.0.0:0"]), 2, "--allow-remote"),
        (GREETING, with(&["--origin-ca", "/nowhere.pem"]), 2, "it should hold certificates as PEM"),
        (GREETING, with(&["--site", "."]), 2, "cannot be used with"),
        (GREETING, vec![], 2, "required arguments"),
        (GREETING, vec!["--site", "/nowhere"], 2, "name a folder"),
        (GREETING, vec!["--site", "/dev/null"], 2, "name a folder"),
        (GREETING, vec!["--site", ".", "--listen", &taken], 2, "name another address"),
    ] {
        let (found, said) = refused(configuration, &args)?;
        assert_eq!(found, Some(code), "{args:?}: {said}");
        assert!(said.contains(text), "{args:?}: {said}");
    }
    Ok(())
}

#[test]
fn what_is_in_flight_ends_before_the_server_does() -> Tested {
    let origin = Origin::start()?;
    let gate = Gate::new();
    origin.reply("/p", Reply::html("<h1>Hi</h1>end").pieces(Pieces::Sizes(vec![11])).gate(&gate));
    let server = Server::before(&origin, GREETING)?;
    let mut idle = Connection::open(Protocol::Http1, server.addr)?;
    idle.fetch(&Request::get("/idle"))?;
    let mut waiting = Connection::open(Protocol::Http1, server.addr)?;
    let mut events = waiting.start(&server.own("/__engraft/live"))?;
    assert!(events.read_until("data:"));
    let mut connection = Connection::open(Protocol::Http1, server.addr)?;
    let mut exchange = connection.start(&Request::get("/p"))?;
    assert!(exchange.read_until("<h1>Hi</h1>"));
    let addr = server.addr;
    let ending = std::thread::spawn(move || server.end().map_err(|error| error.to_string()));
    // The listener goes first.
    while std::net::TcpStream::connect(addr).is_ok() {
        std::thread::yield_now();
    }
    gate.open_for_good();
    let received = exchange.finish();
    assert!(received.complete && received.text() == "<h1>Hi</h1>end");
    assert_eq!(ending.join().map_err(|_| "the thread panicked")??.code(), Some(0));
    Ok(())
}
