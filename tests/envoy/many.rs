//! Configurations and pages larger than people write: they load, the page is right, and memory is bounded.

use std::fmt::Write as _;

use engraft::engine::Engine;
use engraft_harness::client::Request;
use engraft_harness::origin::{Framing, Reply};

use crate::stage::{Outcome, Stage, native, protocols};

const PATCHES: usize = 10_000;
const PLACES: usize = 1_000;
/// What Envoy may need on top of what it needs for its first pages. The VM of each worker thread has the configuration, and
/// what it works with when it reads it; pages of 30 KB are not to be seen beside that.
const GROWTH_BYTES: u64 = 32 * 1024 * 1024;

/// One patch for each of ten thousand places; the page has every tenth of them.
fn configuration() -> String {
    let mut yaml = "version: 1\nroutes:\n  - name: all\n    patches:\n".to_owned();
    for patch in 0..PATCHES {
        let _ = writeln!(yaml, "      - {{ select: '#p{patch}', text: new {patch} }}");
    }
    yaml
}

fn page(text: impl Fn(usize) -> String) -> String {
    let places = (0..PLACES).map(|place| place * (PATCHES / PLACES));
    places.map(|place| format!("<p id=p{place}>{}</p>\n", text(place))).collect()
}

/// Ten thousand patches on a thousand routes, each with a condition; a request meets one of them.
fn routes() -> String {
    let mut yaml = "version: 1\nattributes: { q: { query: q } }\nroutes:\n".to_owned();
    for route in 0..PLACES {
        let _ = write!(
            yaml,
            "  - name: r{route}\n    match: {{ path: {{ prefix: /r{route}/ }} }}\n    patches:\n"
        );
        for value in 0..PATCHES / PLACES {
            let _ = writeln!(
                yaml,
                "      - {{ when: {{ q: v{value} }}, select: p, append: '{route} {value} {{{{ q }}}}' }}"
            );
        }
    }
    yaml
}

fn resident_bytes(stage: &Stage) -> Result<u64, Box<dyn std::error::Error>> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", stage.envoy.pid()))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    let kilobytes: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kilobytes * 1024)
}

#[test]
fn ten_thousand_patches_and_a_thousand_places() -> Outcome {
    let configuration = configuration();
    let (source, edited) = (page(|_| "old".to_owned()), page(|place| format!("new {place}")));
    let reply = Reply::html(source.clone());
    assert_eq!(native(&configuration, &Request::get("/"), &reply)?, edited.as_bytes());

    let stage = Stage::start(&configuration)?;
    stage.origin.reply("/", Reply::html(source).framing(Framing::Chunked));
    let mut before = None;
    // Every element is held against every selector, so a page takes its time.
    for round in 0..2 {
        for pair in protocols() {
            let received = stage.fetch(pair, &Request::get("/"))?;
            assert!(received.complete, "{round} {pair:?}: {:?}", received.broken);
            assert!(received.body == edited.as_bytes(), "{round} {pair:?}");
        }
        let now = resident_bytes(&stage)?;
        let before = *before.get_or_insert(now);
        assert!(now <= before + GROWTH_BYTES, "{now} bytes after round {round}, {before} after the first");
    }
    stage.assert_alive()
}

#[test]
fn thousand_routes_of_ten_conditions() -> Outcome {
    let configuration = routes();
    assert!(Engine::load(configuration.as_bytes()).is_ok());
    let stage = Stage::start(&configuration)?;
    stage.origin.otherwise(|_| Reply::html("<p>x</p>"));
    for (route, value) in [(0, 0), (1, 9), (500, 5), (999, 9)] {
        let received = stage.get(&format!("/r{route}/?q=v{value}"))?;
        assert_eq!(received.text(), format!("<p>x{route} {value} v{value}</p>"));
    }
    assert_eq!(stage.get("/r1000/?q=v1")?.text(), "<p>x</p>");
    stage.assert_alive()
}
