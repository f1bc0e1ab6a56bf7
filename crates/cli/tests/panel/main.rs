//! The panel of `engraft serve` in a real Chromium: each story of `stories/` is a test, told what server it is about.
//!
//! In every story, nothing may be asked for but the server, and nothing may be said in the browser's console. `make test` brings what drives
//! the browser (`scripts/browser`); the browser is `CHROMIUM_BIN`, or `chromium` on the path. Where something is missing, a line says what,
//! and the tests are shown as ignored. Pictures for the docs: `PANEL_SCREENSHOTS=docs cargo test -p engraft-cli --test panel screenshots`.

use std::error::Error;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use engraft_harness::origin::{Origin, Reply};
use engraft_harness::workspace;
use libtest_mimic::{Arguments, Trial};
use serde_json::json;

#[expect(dead_code, reason = "the tests of the server need more of it")]
#[path = "../serve/server.rs"]
mod server;

use server::Server;

const CONFIGURATION: &str = include_str!("shop.yaml");

/// What the origin of a story is.
#[derive(Debug, Clone, Copy)]
enum Behind {
    /// The shop of the demo.
    Shop,
    /// Pages of this file.
    Scripted,
}

const STORIES: [(&str, Behind); 12] = [
    ("the_list_is_live_and_can_be_filtered", Behind::Shop),
    ("an_exchange_is_explained", Behind::Shop),
    ("edits_are_marked_side_by_side", Behind::Shop),
    ("forcing_a_variant_changes_the_frame", Behind::Shop),
    ("overriding_attributes_and_time_changes_the_frame", Behind::Shop),
    ("a_bad_save_shows_its_error_and_a_good_one_clears_it", Behind::Shop),
    ("a_keyboard_is_enough", Behind::Shop),
    ("both_colour_schemes_and_both_widths_can_be_read", Behind::Shop),
    ("hostile_pages_and_headers_do_nothing_in_the_panel", Behind::Scripted),
    ("pages_of_other_sites_get_nothing", Behind::Scripted),
    ("secrets_show_nowhere", Behind::Scripted),
    ("a_large_page_is_quick", Behind::Scripted),
];

/// Pictures are made where somebody asks for them.
const SCREENSHOTS: &str = "screenshots";

/// What it takes.
#[derive(Debug, Clone)]
struct Programs {
    node: PathBuf,
    chromium: PathBuf,
    /// Where packages are found.
    modules: PathBuf,
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let programs = match find() {
        Ok(programs) => programs,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{error}");
            return ExitCode::FAILURE;
        }
    };
    if let Err(missing) = &programs {
        let _ = writeln!(std::io::stderr(), "SKIPPED: panel: {missing}");
    }
    let pictures = std::env::var_os("PANEL_SCREENSHOTS").map(|_| (SCREENSHOTS, Behind::Shop));
    let trials = STORIES.into_iter().chain(pictures).map(|(name, behind)| {
        let found = programs.clone();
        let is_ignored = found.is_err() && !arguments.list;
        let told = move || {
            let programs = found?;
            tell(&programs, name, behind).map_err(|error| error.to_string().into())
        };
        Trial::test(name, told).with_ignored_flag(is_ignored)
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

/// Looks for what it takes, or says what is not there and how to get it.
///
/// # Errors
/// When `CHROMIUM_BIN` names nothing: no other browser is used in its stead.
fn find() -> Result<Result<Programs, String>, String> {
    let named = std::env::var_os("CHROMIUM_BIN").filter(|named| !named.is_empty()).map(PathBuf::from);
    if let Some(named) = named.as_deref().filter(|named| !named.is_file()) {
        return Err(format!("CHROMIUM_BIN is {}, where there is no file", named.display()));
    }
    let missing = |what: &str| Ok(Err(what.to_owned()));
    let Some(chromium) = named.or_else(|| on_path("chromium")) else {
        return missing("chromium is absent (apt install chromium, or set CHROMIUM_BIN)");
    };
    let Some(node) = on_path("node") else { return missing("node is absent (apt install nodejs npm)") };
    let modules = workspace::root().join("tests/browser");
    if !modules.join("node_modules/playwright-core").is_dir() {
        return missing("playwright-core is absent (scripts/browser installs it)");
    }
    Ok(Ok(Programs { node, chromium, modules: modules.join("package.json") }))
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(name)).find(|file| file.is_file())
}

/// Runs a story before a server of its own.
fn tell(programs: &Programs, name: &str, behind: Behind) -> Result<(), Box<dyn Error>> {
    let origin = scripted()?;
    let server = match behind {
        Behind::Shop => {
            let site = workspace::root().join("examples/shop/site");
            Server::with(CONFIGURATION, [Path::new("--site"), &site])?
        }
        Behind::Scripted => Server::before(&origin, CONFIGURATION)?,
    };
    let screenshots = std::env::var_os("PANEL_SCREENSHOTS").map(|dir| workspace::root().join(dir));
    let told = json!({
        "base": format!("http://{}", server.addr),
        "origin": format!("http://{}", origin.addr()),
        "config": server.folder.path().join("engraft.yaml"),
        "chromium": programs.chromium,
        "screenshots": screenshots,
    });
    let run = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/panel/run.mjs");
    let output = Command::new(&programs.node)
        .arg(run)
        .arg(name)
        .env("PANEL_TOLD", told.to_string())
        .env("PANEL_MODULES", &programs.modules)
        .output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{}{}", String::from_utf8_lossy(&output.stderr), String::from_utf8_lossy(&output.stdout))
        .into())
}

/// Pages that nobody would write, and some that are too long.
fn scripted() -> Result<Origin, Box<dyn Error>> {
    let origin = Origin::start()?;
    let page = |main: &str| {
        format!(
            "<!doctype html>\n<title>Page</title><p class=banner>Hello</p>\n<main><h1>Hi</h1><p class=greeting>…</p></main>\n{main}"
        )
    };
    let evil = page(
        "<script>pwn(\"the page\")</script><img src=x onerror='alert(\"the page\")'></textarea></script><svg onload=pwn(7)>",
    );
    let evil =
        Reply::html(evil).header("x-evil", "<img src=x onerror=alert(8)>\"'><script>alert(9)</script>");
    origin.reply("/p/evil", evil.header("set-cookie", "evil=<script>alert(10)</script>"));
    origin.reply("/other", Reply::html("<!doctype html><title>Another site</title><body>"));
    let secret = page("<p>5e55ion-0f-ada key-0f-the-api bearer-0f-ada</p>");
    let secret =
        Reply::html(secret).header("x-told", "5e55ion-0f-ada").header("set-cookie", "session=5e55ion-0f-ada");
    origin.reply("/p/secret", secret);
    let lines: String = (0..20_000).map(|n| format!("<p>Line {n}, as long as lines are</p>\n")).collect();
    origin.reply("/p/large", Reply::html(page(&format!("{lines}<p class=kind>end</p><ul class=offers></ul>\n<div class=buy><ul class=offers></ul></div>\n"))));
    let line: String = (0..20_000).map(|n| format!("<p>Word {n}</p>")).collect();
    let line =
        format!("<!doctype html><title>Page</title><p class=banner>Hello</p>{line}<p class=greeting>…</p>");
    origin.reply("/p/long-line", Reply::html(line));
    Ok(origin)
}
