//! How the server starts, and how it ends.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};

use engraft_harness::client::{Connection, Request};
use engraft_harness::origin::{Gate, Origin, Pieces, Reply};
use engraft_harness::wire::Protocol;
use tempfile::TempDir;

use crate::server::{GREETING, PATIENCE, Process, Server, Tested};

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
    while TcpStream::connect(addr).is_ok() {
        std::thread::yield_now();
    }
    gate.open_for_good();
    let received = exchange.finish();
    assert!(received.complete && received.text() == "<h1>Hi</h1>end");
    assert_eq!(ending.join().map_err(|_| "the thread panicked")??.code(), Some(0));
    Ok(())
}

/// A server of a folder with nothing in it for visitors and nobody at its log yet, and where it listens.
fn logging(args: &[&str], columns: &str) -> Result<(Process, String, TempDir), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let config = folder.path().join("engraft.yaml");
    std::fs::write(&config, GREETING)?;
    let child = Command::new(env!("CARGO_BIN_EXE_engraft"))
        .args(["serve", "--listen", "127.0.0.1:0", "--config"])
        .arg(config)
        .arg("--site")
        .arg(folder.path())
        .args(args)
        .env("COLUMNS", columns)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut process = Process(child);
    let said = BufReader::new(process.0.stderr.take().ok_or("no standard error")?).lines();
    let at = |line: &String| Some(line.strip_prefix("at ")?.trim().trim_matches('/').replace("http://", ""));
    let addr = said.map_while(Result::ok).find_map(|line| at(&line)).ok_or("it did not start")?;
    Ok((process, addr, folder))
}

#[test]
fn a_log_that_nobody_reads_does_not_keep_it_from_ending() -> Tested {
    let (mut process, addr, _folder) = logging(&["--log", "json"], "")?;
    let mut stream = TcpStream::connect(addr)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    // A pipe holds 64 KiB at most: some lines of more than 8 KiB, and not twelve.
    let request = format!("GET /{} HTTP/1.1\r\nhost: a\r\n\r\n", "a".repeat(8 * 1024));
    stream.write_all(request.repeat(12).as_bytes())?;
    for _ in 0..4 {
        let mut answer = Vec::new();
        while !answer.ends_with(b"there is no such file\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte)?;
            answer.extend(byte);
        }
    }
    assert_eq!(process.end()?.code(), Some(0));
    Ok(())
}

#[test]
fn a_line_of_the_log_is_as_wide_as_the_terminal() -> Tested {
    for (columns, rest) in [(80, " 404 - - 0 applied 0 B held "), (200, " 404 -            -  ")] {
        let (mut process, addr, _folder) = logging(&[], &columns.to_string())?;
        let mut stream = TcpStream::connect(addr)?;
        write!(stream, "GET /\u{9b}2J{} HTTP/1.1\r\nhost: a\r\n\r\n", "a".repeat(500))?;
        let mut lines = BufReader::new(process.0.stdout.take().ok_or("no standard output")?).lines();
        let line = lines.next().ok_or("no line")??;
        process.end()?;
        assert_eq!(line.chars().count(), columns, "{line}");
        assert!(line.contains(rest) && line.contains(" /\\u{9b}2J"), "{line}");
    }
    Ok(())
}

#[cfg(target_os = "linux")]
#[test]
fn what_is_to_outlive_the_terminal_does() -> Tested {
    let child = Command::new("nohup")
        .arg(env!("CARGO_BIN_EXE_engraft"))
        .args(["serve", "--listen", "127.0.0.1:0", "--site", ".", "--config"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/shop/engraft.yaml"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut process = Process(child);
    let mut said = BufReader::new(process.0.stderr.take().ok_or("no standard error")?).lines();
    let serves = said.any(|line| line.is_ok_and(|line| line.starts_with("panel ")));
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.0.id()))?;
    process.end()?;
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).ok_or("no SigIgn")?;
    // SIGHUP is the first signal.
    assert!(serves && u64::from_str_radix(ignored.trim(), 16)? & 1 == 1, "{ignored}");
    Ok(())
}
