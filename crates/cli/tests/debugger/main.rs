//! A debugger stops in the core while a page passes through it, and shows what there is in a form that people can read.

mod gdb;
mod vscode;

use std::error::Error;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

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
