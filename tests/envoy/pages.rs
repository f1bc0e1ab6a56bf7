//! Real pages: Envoy's visitors get what the core makes natively, and where no patch is eligible what the origin sent.

use std::error::Error;
use std::io::Write as _;
use std::path::PathBuf;

use engraft_harness::bootstrap::{Bootstrap, Cluster, Listener};
use engraft_harness::client::{self, Request};
use engraft_harness::origin::{Framing, Origin, Pieces, Reply};
use engraft_harness::wire::{Headers, Protocol};
use engraft_harness::workspace;

use crate::stage::{Outcome, Stage, assert_no_vm_failed, engraft, native, protocols};

/// Five edits of each kind of place: head, attribute, text, end of an element, every element of a kind.
const CONFIGURATION: &str = "
version: 1
attributes:
  name: { cookie: name }
routes:
  - name: all
    match: { path: { prefix: /edited/ } }
    patches:
      - select: title
        text: \"For {{ name | default('you') }}\"
      - select: body
        class: { add: [seen] }
      - select: h1
        text: \"Hello {{ name | default('you') }}\"
      - select: body
        append: <script src=/ours.js></script>
      - select: a[href]
        all: true
        attributes: { set: { rel: nofollow } }
  - name: nothing
    match: { path: { prefix: /not-eligible/ } }
    patches:
      - select: title
        when: { request.path: /elsewhere }
        text: never
  - name: of-the-visitor
    match: { path: { prefix: /of-the-visitor/ } }
    patches:
      - select: title
        when: { name: Bob }
        text: never
";

/// A page and its name.
type Page = (String, Vec<u8>);

/// The pages of ../shared, which is not part of the repository.
fn pages() -> Result<Vec<Page>, Box<dyn Error>> {
    let dir: PathBuf = workspace::root().join("../shared/pages");
    let Ok(entries) = std::fs::read_dir(&dir) else {
        // Not by a macro, whose output the test runner keeps to itself where the test passes.
        writeln!(std::io::stderr(), "SKIPPED: ../shared is absent")?;
        return Ok(Vec::new());
    };
    let mut pages = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "html") {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            pages.push((name, std::fs::read(&path)?));
        }
    }
    pages.sort();
    assert!(!pages.is_empty(), "no page in {}", dir.display());
    Ok(pages)
}

/// `x-` headers of all sorts, and those that an edit makes untrue.
fn reply(page: &[u8]) -> Reply {
    Reply::html(page)
        // Without it Envoy writes one of its own, which is another a second later.
        .header("date", "Tue, 15 Nov 1994 08:12:31 GMT")
        .header("etag", "\"abc\"")
        .header("last-modified", "Tue, 15 Nov 1994 12:45:26 GMT")
        .header("accept-ranges", "bytes")
        .header("set-cookie", "a=1; Path=/")
        .header("set-cookie", "b=2; Path=/")
        .header("cache-control", "public, max-age=60")
        .header("vary", "accept-language")
        .header("x-bytes", [0xe9, b' ', 0xff])
}

fn sorted(headers: &Headers) -> Vec<(&str, &[u8])> {
    let mut lines: Vec<_> = headers.iter().collect();
    // Of one name, the order counts.
    lines.sort_by_key(|(name, _)| *name);
    lines
}

#[test]
fn real_pages_are_edited_in_envoy_as_they_are_natively() -> Outcome {
    let pages = pages()?;
    if pages.is_empty() {
        return Ok(());
    }
    let stage = Stage::start(CONFIGURATION)?;
    for (name, page) in pages {
        let request = Request::get(&format!("/edited/{name}")).header("cookie", "name=Ada");
        let expected = native(CONFIGURATION, &request, &reply(&page))?;
        assert!(String::from_utf8_lossy(&expected).contains("For Ada"), "{name}");
        let odd: Vec<usize> = (0..200).map(|piece| 1 + (piece * 7919) % 4096).collect();
        for (framing, cut) in
            [(Framing::ContentLength, Pieces::Whole), (Framing::Chunked, Pieces::Sizes(odd))]
        {
            stage.origin.reply(&request.target, reply(&page).framing(framing).pieces(cut));
            for pair in protocols() {
                let received = stage.fetch(pair, &request)?;
                assert!(received.complete, "{name} {framing:?} {pair:?}: {:?}", received.broken);
                assert!(received.body == expected, "{name} {framing:?} {pair:?}: other bytes than natively");
            }
        }
    }
    stage.assert_alive()
}

/// The page that Ada gets unchanged is not the page that Bob gets, so no shared cache may keep it.
#[test]
fn page_without_an_eligible_patch_is_private_where_another_visitors_would_have_one() -> Outcome {
    let stage = Stage::start(CONFIGURATION)?;
    let page = "<title>t</title>";
    stage.origin.reply("/of-the-visitor/", reply(page.as_bytes()));
    for pair in protocols() {
        let received = stage.fetch(pair, &Request::get("/of-the-visitor/").header("cookie", "name=Ada"))?;
        assert_eq!(received.text(), page, "{pair:?}");
        assert_eq!(received.header("cache-control"), Some("private, no-cache"), "{pair:?}");
        assert_eq!(
            (received.header("etag"), received.header("content-length")),
            (Some("\"abc\""), Some("16")),
            "{pair:?}"
        );
    }
    stage.assert_alive()
}

#[test]
fn page_without_an_eligible_patch_is_what_the_origin_sent_with_all_headers() -> Outcome {
    let origin = Origin::start()?;
    let mut bootstrap = Bootstrap::new();
    for protocol in Protocol::ALL {
        let name = format!("{protocol:?}");
        let with = Listener::new(&name).cluster(&name).plugin(&engraft(CONFIGURATION)?);
        let without = Listener::new(&format!("{name}-without")).cluster(&name);
        bootstrap =
            bootstrap.listener(with).listener(without).cluster(Cluster::new(&name, protocol, origin.addr()));
    }
    let envoy = bootstrap.start()?;
    let mut pages = pages()?;
    pages.push(("small".to_owned(), b"<title>t</title>\xff\xfe<p".to_vec()));
    for (name, page) in pages {
        // No route; a route without eligible patches; a route with patches and a body that is not for them.
        let mut other = reply(&page);
        other.headers.remove("content-type");
        let paths = [
            (format!("/no-route/{name}"), reply(&page)),
            (format!("/not-eligible/{name}"), reply(&page)),
            (format!("/edited/{name}"), other.header("content-type", "text/plain")),
        ];
        for (path, reply) in paths {
            for framing in [Framing::ContentLength, Framing::Chunked] {
                origin.reply(&path, reply.clone().framing(framing));
                for (up, down) in protocols() {
                    let request = Request::get(&path).header("cookie", "name=Ada");
                    let listener = format!("{up:?}");
                    let with = client::fetch(down, envoy.listener_addr(&listener)?, &request)?;
                    let without =
                        client::fetch(down, envoy.listener_addr(&format!("{listener}-without"))?, &request)?;
                    assert!(with.body == page && with.complete, "{path} {framing:?} {up:?} {down:?}");
                    assert_eq!(with.status, without.status);
                    assert_eq!(
                        sorted(&with.headers),
                        sorted(&without.headers),
                        "{path} {framing:?} {up:?} {down:?}"
                    );
                }
            }
        }
    }
    assert_no_vm_failed(&envoy);
    Ok(())
}
