//! A debugger stops in the core while a page passes through it, and shows what there is in a form that people can read.

mod gdb;
mod vscode;

use std::error::Error;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use gdb::{Gdb, Said};

/// What a test ends with: its assertions panic, and what gets in their way is an error.
type Tested = Result<(), Box<dyn Error>>;

/// A visitor for whom the page of `tests/data/render` is changed.
const ADA: [&str; 2] = ["cookie: first_name=<Ada>", "x-geo-country: US"];

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

/// The debugger; where there is none, says so.
fn debugger(test: &str) -> Result<Option<Gdb>, Box<dyn Error>> {
    // Not `println!`, which the test harness swallows when a test passes.
    Gdb::find().map(Some).or_else(|missing| {
        writeln!(std::io::stderr(), "SKIPPED: {test}: {missing}")?;
        Ok(None)
    })
}

/// What the script's stops in the splicer have to show of the page of `tests/data/render`. `frames` are those of the command, below
/// those of the core.
fn assert_splicer_was_seen(said: &Said, frames: &[&str]) -> Tested {
    let page = fs::read_to_string(data("render/page.html"))?;
    let text = page.find("Hello</h1>").ok_or("no greeting on the page")?;

    let noted = said.section("noted")?;
    let core = ["html::splice::Splicer::edit", "html::editor::Editor::write", "exchange::body::Edits::write"];
    let mut stack = noted.lines();
    for frame in core.iter().chain(frames) {
        let is_there = stack.any(|line| line.contains(&format!("engraft::{frame} (")));
        assert!(is_there, "{frame}, below what comes before it, in:\n{noted}");
    }

    let (edit, end) = (said.section("edit")?, text + "Hello".len());
    let shown = [
        &format!("$1 = core::ops::range::Range<u64> {{start: {text}, end: {end}}}"),
        "'Hello, &lt;Ada&gt;'",
        "$2 = 0",
        "$3 = engraft::html::splice::Splicer {held: Vec(size=0), released: 0, ",
    ];
    assert!(edit.starts_with(&shown.join("\n")), "{edit}");

    let written = said.section("written")?;
    for local in [format!("limit = {}", page.len()), "at = 0".to_owned(), "'Hello, &lt;Ada&gt;'".to_owned()] {
        assert!(written.lines().any(|line| line == local), "{local} in:\n{written}");
    }
    // As Python writes it, in the other quotes than those in it.
    let chunk = format!("\"{}\"", page.replace('\n', "\\n"));
    assert!(written.lines().any(|line| line == chunk), "{chunk} in:\n{written}");
    assert!(said.0.contains(") exited normally]"), "{said:?}");
    Ok(())
}

#[test]
fn a_breakpoint_in_the_splicer_stops_render_and_shows_the_edit() -> Tested {
    let Some(gdb) = debugger("render under a debugger")? else { return Ok(()) };
    let render = ["render", "--config", "engraft.yaml", "--url", "/home/", "--body", "page.html"];
    let visitor = ADA.iter().flat_map(|header| ["-H", header]);
    let said = gdb
        .run(&data("render"), &data("debugger/splicer.gdb"), render.into_iter().chain(visitor))?
        .finish()?;
    assert_splicer_was_seen(&said, &["exchange::rendering::Rendering::of", "render::run", "main"])?;
    let page = fs::read_to_string(data("render/greeted.html"))?;
    assert!(said.section("page")?.contains(&page), "{said:?}");
    Ok(())
}

/// A page by HTTP, however long the server takes.
fn ask(port: &str, path: &str) -> Result<String, Box<dyn Error>> {
    let mut server = TcpStream::connect(format!("127.0.0.1:{port}"))?;
    server.set_read_timeout(Some(gdb::PATIENCE))?;
    let visitor = ADA.join("\r\n");
    write!(
        server,
        "GET {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\n{visitor}\r\nconnection: close\r\n\r\n"
    )?;
    let mut response = Vec::new();
    server.read_to_end(&mut response)?;
    Ok(String::from_utf8(response)?)
}

#[test]
fn a_breakpoint_in_the_splicer_stops_serve_while_a_client_waits_and_shows_the_edit() -> Tested {
    let Some(gdb) = debugger("serve under a debugger")? else { return Ok(()) };
    let site = tempfile::tempdir()?;
    fs::create_dir(site.path().join("home"))?;
    fs::copy(data("render/page.html"), site.path().join("home/index.html"))?;
    let site = site.path().to_str().ok_or("a folder whose name is not UTF-8")?;
    let serve = ["serve", "--config", "engraft.yaml", "--site", site, "--listen", "127.0.0.1:0", "--no-live"];

    let mut session = gdb.run(&data("render"), &data("debugger/splicer.gdb"), serve)?;
    let address = session.wait_for("http://127.0.0.1:")?;
    let port: String = address.chars().take_while(char::is_ascii_digit).collect();
    let page = ask(&port, "/home/")?;
    assert!(page.starts_with("HTTP/1.1 200 "), "{page}");
    assert!(page.contains("<h1 class=big>Hello, &lt;Ada&gt;</h1>"), "{page}");
    let process = session.wait_for("== process ")?;
    assert!(Command::new("kill").args(["-TERM", &process]).status()?.success());
    let said = session.finish()?;
    assert_splicer_was_seen(&said, &[])?;
    assert!(said.section("noted")?.contains("engraft::serve::"), "{said:?}");
    Ok(())
}

#[test]
fn the_breakpoints_that_the_documentation_names_are_there() -> Tested {
    let Some(gdb) = debugger("breakpoints of the documentation")? else { return Ok(()) };
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/debugging.md"))?;
    let named = page.lines().filter_map(|line| line.strip_prefix("| `engraft")?.split_once('`'));
    let functions: Vec<String> = named.map(|(rest, _)| format!("engraft{rest}")).collect();
    assert!(functions.contains(&"engraft::html::splice::Splicer::edit".to_owned()), "{functions:?}");
    let said = gdb.break_at(&functions)?;
    for (line, function) in said.lines().zip(&functions) {
        assert!(line.starts_with("Breakpoint ") && line.contains(" file "), "{function}: {line}");
    }
    assert_eq!(said.lines().count(), functions.len(), "{said}");
    Ok(())
}
