use std::io::Write as _;
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use proptest::prelude::*;

use super::*;
use crate::coding::{Bounds, Coding};
use crate::engine::Engine;
use crate::exchange::{Body, Next, begin};
use crate::request::RequestHead;

const CONFIG: &str = r#"
version: 1
limits: { max_whole_bytes: 4096, max_decoded_bytes: 65536 }
routes:
  - name: whole
    match: { path: { prefix: /whole/ } }
    delivery: whole
    patches:
      - { select: h1, text: "Hé", required: true }
      - { select: p, all: true, append: "!" }
  - name: gzip
    match: { path: { prefix: /gzip/ } }
    content_coding: gzip
    patches: [{ select: h1, text: "Hé" }]
  - name: stream
    patches:
      - { select: h1, text: "Hé" }
      - { select: p, all: true, append: "!" }
"#;

const PAGE: &[u8] = b"<h1>old</h1><p>one</p><p>two</p><footer>end</footer>";
const EDITED: &[u8] = b"<h1>H\xc3\xa9</h1><p>one!</p><p>two!</p><footer>end</footer>";

const UTF_8: (&str, &str) = ("content-type", "text/html; charset=utf-8");
const BARE: (&str, &str) = ("content-type", "text/html");
const GZIPPED: (&str, &str) = ("content-encoding", "gzip");
const TAG: (&str, &str) = ("etag", "\"a\"");

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(6));
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn gunzip(body: &[u8]) -> Vec<u8> {
    let mut decoder = Decoder::for_codings(&[Coding::Gzip], Bounds::default()).unwrap();
    let mut out = Vec::new();
    decoder.write(body, &mut out).unwrap();
    decoder.end().unwrap();
    out
}

/// What the visitor gets.
#[derive(Debug, PartialEq)]
struct Seen {
    headers: Vec<String>,
    body: Vec<u8>,
    report: Report,
}

impl Seen {
    fn is(&self, body: &[u8], state: &str, patches: &str) {
        assert_eq!(self.body.escape_ascii().to_string(), body.escape_ascii().to_string());
        assert_eq!((self.report.body.to_string().as_str(), self.report.summary().as_str()), (state, patches));
    }

    fn count(&self, name: &str) -> u64 {
        let counters = self.report.counters();
        counters.into_iter().find(|(counter, _)| counter.to_string() == name).map_or(0, |(_, n)| n)
    }
}

fn map(headers: &[(&'static str, &'static str)]) -> HeaderMap {
    headers.iter().map(|(n, v)| (HeaderName::from_static(n), HeaderValue::from_static(v))).collect()
}

fn edits(path: &str, headers: &mut HeaderMap) -> Edits {
    let engine = Arc::new(Engine::load(CONFIG.as_bytes()).unwrap().engine);
    let headers_of_request = map(&[("accept-encoding", "gzip")]);
    let request = RequestHead {
        method: "GET".into(),
        path: path.into(),
        headers: headers_of_request,
        ..RequestHead::default()
    };
    let Next::Forward(forwarded) = begin(&engine, &request, &Default::default()).next else {
        panic!("answered")
    };
    let answered = forwarded.answer(StatusCode::OK, headers);
    answered.headers.iter().for_each(|edit| edit.apply(headers));
    let Body::Edited(edits) = answered.body else { panic!("not edited") };
    *edits
}

fn exchange<'c>(
    path: &str,
    headers: &[(&'static str, &'static str)],
    chunks: impl IntoIterator<Item = &'c [u8]>,
    holds_head: bool,
) -> Seen {
    let mut headers = map(headers);
    let mut edits = edits(path, &mut headers);
    if !holds_head {
        edits.release_head();
    }
    let (mut out, mut restored_head) = (Vec::new(), None);
    for chunk in chunks {
        let tail = if edits.is_done() { chunk.len() } else { edits.write(chunk, &mut out) };
        out.extend_from_slice(&chunk[chunk.len() - tail..]);
        restored_head = restored_head.or_else(|| edits.take_restored_head());
    }
    edits.finish(&mut out);
    restored_head = restored_head.or_else(|| edits.take_restored_head());
    let is_broken = edits.is_broken();
    let report = edits.end(&mut out);
    assert_eq!(is_broken, matches!(report.body, BodyState::Broken(_)));
    assert!(holds_head || restored_head.is_none());
    restored_head.iter().flatten().for_each(|edit| edit.apply(&mut headers));
    let mut headers: Vec<String> =
        headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
    headers.sort();
    let report = Report { max_held_bytes: 0, ..report };
    Seen { headers, body: out, report }
}

/// In one piece; and the same at every split into two, and byte by byte.
fn at_every_split(path: &str, headers: &[(&'static str, &'static str)], body: &[u8]) -> Seen {
    let whole = exchange(path, headers, [body], true);
    for at in 0..=body.len() {
        let (first, second) = body.split_at(at);
        assert_eq!(exchange(path, headers, [first, second], true), whole, "split at {at}");
    }
    assert_eq!(exchange(path, headers, body.chunks(1), true), whole, "byte by byte");
    whole
}

#[test]
fn a_coded_page_is_decoded_and_edited() {
    let mut seen = at_every_split("/", &[UTF_8, GZIPPED, TAG, ("vary", "accept-encoding")], &gzip(PAGE));
    seen.is(EDITED, "edited", "0=1,1=2");
    let etag = seen.headers.iter().position(|line| line.starts_with("etag: W/\"a;e=")).unwrap();
    seen.headers.remove(etag);
    assert_eq!(seen.headers, ["content-type: text/html; charset=utf-8", "vary: accept-encoding"]);
    let twice = at_every_split("/", &[UTF_8, ("content-encoding", "gzip, x-gzip")], &gzip(&gzip(PAGE)));
    twice.is(EDITED, "edited", "0=1,1=2");
}

#[test]
fn what_is_not_what_its_coding_says_goes_out_as_it_came_with_its_own_head() {
    let origin = [UTF_8, GZIPPED, TAG, ("content-length", "9"), ("accept-ranges", "bytes")];
    let mut wrong_block = gzip(PAGE);
    // A block type that there is none of.
    wrong_block[10] |= 6;
    let mut endless_name = vec![0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 0];
    endless_name.resize(200, b'x');
    let bodies: [&[u8]; 5] = [PAGE, &wrong_block, &gzip(PAGE)[..5], b"\x1f", &endless_name];
    for body in bodies {
        let seen = at_every_split("/", &origin, body);
        seen.is(body, "untouched:corrupt_coding", "0=not_tried,1=not_tried");
        let mut expected: Vec<String> =
            origin.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        expected.sort();
        assert_eq!(seen.headers, expected);
        assert_eq!(seen.count("body.untouched.corrupt_coding"), 1);
        // Where the head could not wait, the visitor must not take what comes for a page.
        let seen = exchange("/", &origin, [body], false);
        assert!(seen.body.is_empty() && matches!(seen.report.body, BodyState::Broken(_)), "{seen:?}");
    }
}

#[test]
fn what_is_kept_while_nothing_comes_out_is_bounded_wherever_it_is_cut() {
    let mut body = vec![0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 0];
    body.resize(MAX_KEPT + 1, b'x');
    body.push(0);
    body.extend_from_slice(&gzip(PAGE)[10..]);
    for size in [1000, MAX_KEPT, usize::MAX] {
        let seen = exchange("/", &[UTF_8, GZIPPED], body.chunks(size), true);
        seen.is(&body, "untouched:corrupt_coding", "0=not_tried,1=not_tried");
    }
    // The name ends one byte earlier, and the next ones are read.
    body.remove(20);
    body.truncate(MAX_KEPT);
    let mut edits = edits("/", &mut map(&[UTF_8, GZIPPED]));
    assert_eq!(edits.write(&body, &mut Vec::new()), 0);
    assert!(edits.holds_head() && edits.take_restored_head().is_none());
}

#[test]
fn what_breaks_midway_leaves_what_was_decoded_and_is_seen_to_be_broken() {
    let page = [PAGE, &b"<i>text</i>".repeat(50)].concat();
    let coded = gzip(&page);
    let mut wrong_sum = coded.clone();
    let at = wrong_sum.len() - 8;
    wrong_sum[at] ^= 1;
    for (body, why) in [(&coded[..coded.len() - 9], "truncated"), (&wrong_sum[..], "corrupt")] {
        let seen = at_every_split("/", &[UTF_8, GZIPPED], body);
        assert_eq!(seen.report.body.to_string(), format!("broken:{why}"));
        assert!(seen.body.starts_with(EDITED), "{}", seen.body.escape_ascii());
        assert_eq!(seen.count(&format!("body.broken.{why}")), 1);
        assert_eq!(seen.report.summary(), "0=1,1=2");
        assert_eq!(seen.headers, ["content-type: text/html; charset=utf-8"]);
    }
    // What comes after the break is not part of the page.
    let seen = exchange("/", &[UTF_8, GZIPPED], [&wrong_sum[..], PAGE, PAGE], true);
    assert_eq!(seen.body.windows(4).filter(|window| window == b"<h1>").count(), 1);
}

#[test]
fn a_page_that_expands_too_much_is_broken_off() {
    let bomb = gzip(&[PAGE, &vec![b' '; 1 << 20]].concat());
    for size in [1, 100, usize::MAX] {
        let seen = exchange("/", &[UTF_8, GZIPPED], bomb.chunks(size), true);
        assert_eq!(seen.report.body.to_string(), "broken:expansion");
        assert!(seen.body.starts_with(EDITED) && seen.body.len() < 200_000, "{}", seen.body.len());
    }
    let large = [PAGE, &vec![b' '; 65_536 - PAGE.len()]].concat();
    let seen = exchange("/", &[UTF_8, GZIPPED], [&gzip(&large)[..]], true);
    assert_eq!(seen.report.body, BodyState::Edited);
}

#[test]
fn a_broken_body_is_taken_back_while_nothing_has_left() {
    let bomb = gzip(&vec![b' '; 1 << 20]);
    let coded = gzip(PAGE);
    for (body, state) in
        [(&coded[..coded.len() - 1], "untouched:corrupt_coding"), (&bomb[..], "untouched:expansion")]
    {
        let mut headers = map(&[UTF_8, GZIPPED, TAG]);
        let mut edits = edits("/", &mut headers);
        let mut out = Vec::new();
        edits.write(body, &mut out);
        edits.finish(&mut out);
        assert!(edits.is_broken() && !out.is_empty());
        edits.take_back();
        assert!(edits.is_done() && !edits.is_broken());
        edits.take_restored_head().unwrap().iter().for_each(|edit| edit.apply(&mut headers));
        assert_eq!(headers, map(&[UTF_8, GZIPPED, TAG]));
        let report = edits.end(&mut out);
        assert_eq!(
            (report.body.to_string().as_str(), report.summary().as_str()),
            (state, "0=not_tried,1=not_tried")
        );
    }
    // With the head, the way back is gone.
    let mut edits = edits("/", &mut map(&[UTF_8, GZIPPED]));
    edits.release_head();
    edits.write(PAGE, &mut Vec::new());
    edits.take_back();
    assert!(edits.is_broken() && edits.take_restored_head().is_none());
}

#[test]
fn a_page_can_leave_in_another_coding_than_it_came() {
    for (headers, body) in [
        (&[UTF_8, ("vary", "cookie")][..], PAGE.to_vec()),
        (&[UTF_8, GZIPPED, ("vary", "cookie")], gzip(PAGE)),
    ] {
        for size in [1, 7, usize::MAX] {
            let seen = exchange("/gzip/", headers, body.chunks(size), true);
            assert_eq!(gunzip(&seen.body), b"<h1>H\xc3\xa9</h1><p>one</p><p>two</p><footer>end</footer>");
            assert_eq!(
                seen.headers,
                [
                    "content-encoding: gzip",
                    "content-type: text/html; charset=utf-8",
                    "vary: Accept-Encoding",
                    "vary: cookie"
                ]
            );
        }
    }
    // A broken page has no end in its new coding either.
    let coded = gzip(PAGE);
    let seen = exchange("/gzip/", &[UTF_8, GZIPPED], [&coded[..coded.len() - 1]], true);
    assert_eq!(seen.report.body, BodyState::Broken(Break::Truncated));
    let mut decoder = Decoder::for_codings(&[Coding::Gzip], Bounds::default()).unwrap();
    decoder.write(&seen.body, &mut Vec::new()).unwrap();
    assert!(decoder.end().is_err());
    let vary_before = [UTF_8, ("vary", "Accept-Encoding")];
    assert_eq!(exchange("/gzip/", &vary_before, [PAGE], true).headers.len(), 3);
}

#[test]
fn each_chunk_of_a_coded_page_leaves_when_it_comes() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(6));
    for path in ["/", "/gzip/"] {
        let mut edits = edits(path, &mut map(&[UTF_8, GZIPPED]));
        let mut sent = 0;
        let mut out = Vec::new();
        for part in ["<h1>old</h1><p>one</p>", "<i>more</i>", "<b>more</b>"] {
            encoder.write_all(part.as_bytes()).unwrap();
            encoder.flush().unwrap();
            let before = out.len();
            assert_eq!(edits.write(&encoder.get_ref()[sent..], &mut out), 0);
            sent = encoder.get_ref().len();
            assert!(out.len() >= before + part.len().min(10), "{path} {part}");
        }
        encoder = GzEncoder::new(Vec::new(), Compression::new(6));
    }
}

#[test]
fn the_encoding_is_known_before_anything_is_inserted() {
    let meta = b"<meta charset=koi8-r>";
    let (koi8, dots) = (&[&meta[..], PAGE].concat()[..], vec![b'.'; 2000]);
    let marked = &[&b"\xef\xbb\xbf"[..], PAGE].concat()[..];
    let late = &[&dots[..], koi8].concat()[..];
    let h1 = |inserted: &str, page: &[u8]| {
        let page = String::from_utf8(page.to_vec()).unwrap();
        page.replace("old", inserted).replace("</p>", "!</p>").into_bytes()
    };
    let cases: &[(&[u8], Vec<u8>)] = &[
        (PAGE, h1("H&#233;", PAGE)),
        (koi8, h1("H&#233;", koi8)),
        (marked, h1("Hé", marked)),
        (late, h1("H&#233;", late)),
    ];
    for (page, expected) in cases {
        at_every_split("/", &[BARE], page).is(expected, "edited", "0=1,1=2");
    }
    let utf16 = b"\xff\xfe<\0h\x001\0>\0";
    for headers in [&[BARE][..], &[UTF_8]] {
        at_every_split("/", headers, utf16).is(utf16, "untouched:charset", "0=not_tried,1=not_tried");
    }
    let stateful = &[&b"<meta charset=iso-2022-jp>"[..], PAGE].concat()[..];
    at_every_split("/", &[BARE], stateful).is(stateful, "untouched:charset", "0=not_tried,1=not_tried");
}

#[test]
fn no_more_is_held_than_tells_the_encoding() {
    let mut edits = edits("/", &mut map(&[BARE]));
    let mut out = Vec::new();
    for (chunk, out_after) in [(1023, 0), (1, 1024), (10, 1034)] {
        let tail = edits.write(&vec![b'.'; chunk], &mut out);
        assert_eq!(out.len() + tail, out_after);
        out.resize(out_after, b'.');
    }
    let mut declared = self::edits("/", &mut map(&[UTF_8]));
    assert_eq!(declared.write(b"\xef\xbb", &mut Vec::new()), 0);
    let mut out = Vec::new();
    assert_eq!((declared.write(b"x", &mut out), out.len()), (0, 3));
}

#[test]
fn whole_pages_have_all_patches_or_none() {
    at_every_split("/whole/", &[UTF_8], PAGE).is(EDITED, "edited", "0=1,1=2");
    at_every_split("/whole/", &[UTF_8, GZIPPED], &gzip(PAGE)).is(EDITED, "edited", "0=1,1=2");

    // One that is not required may miss.
    let page = b"<h1>old</h1>";
    at_every_split("/whole/", &[UTF_8], page).is(b"<h1>H\xc3\xa9</h1>", "edited", "0=1,1=missed");

    let page = b"<p>one</p>";
    let seen = at_every_split("/whole/", &[UTF_8], page);
    seen.is(page, "reverted", "0=missed,1=skipped:reverted");
    let counted = ["body.reverted", "patches.missed", "patches.required_missed", "patches.skipped.reverted"];
    assert_eq!(counted.map(|name| seen.count(name)), [1; 4]);
    assert_eq!(["body.edited", "patches.applied"].map(|name| seen.count(name)), [0; 2]);

    let page = b"<h1>old";
    let seen = at_every_split("/whole/", &[UTF_8], page);
    seen.is(page, "reverted", "0=skipped:unclosed,1=missed");

    let utf16 = b"\xff\xfe<\0h\x001\0>\0";
    at_every_split("/whole/", &[BARE], utf16).is(utf16, "untouched:charset", "0=not_tried,1=not_tried");
}

#[test]
fn whole_pages_that_are_too_long_stay_as_they_are() {
    let longest = [PAGE, &vec![b'.'; 4096 - PAGE.len()]].concat();
    let expected = [EDITED, &vec![b'.'; 4096 - PAGE.len()]].concat();
    for size in [100, 4096] {
        exchange("/whole/", &[UTF_8], longest.chunks(size), true).is(&expected, "edited", "0=1,1=2");
    }
    let longer = [&longest[..], b"."].concat();
    for size in [100, 4096, 4097] {
        let seen = exchange("/whole/", &[UTF_8], longer.chunks(size), true);
        seen.is(&longer, "untouched:too_long", "0=not_tried,1=not_tried");
        assert_eq!(seen.count("body.untouched.too_long"), 1);
    }
}

#[test]
fn a_whole_page_that_breaks_midway_is_not_edited() {
    let page = [PAGE, &b"<i>text</i>".repeat(50)].concat();
    let coded = gzip(&page);
    let seen = exchange("/whole/", &[UTF_8, GZIPPED], [&coded[..coded.len() - 1]], true);
    seen.is(&page, "broken:truncated", "0=not_tried,1=not_tried");
}

#[test]
fn an_exchange_that_breaks_off_says_what_was_done() {
    let abort = |path: &str, headers: &[(&'static str, &'static str)], chunk: &[u8]| {
        let mut edits = edits(path, &mut map(headers));
        edits.write(chunk, &mut Vec::new());
        let report = edits.abort();
        assert_eq!(report.body, BodyState::Aborted);
        report.summary()
    };
    assert_eq!(abort("/", &[UTF_8], PAGE), "0=1,1=2");
    assert_eq!(abort("/", &[BARE], PAGE), "0=not_tried,1=not_tried");
    assert_eq!(abort("/whole/", &[UTF_8], PAGE), "0=not_tried,1=not_tried");
    assert_eq!(abort("/", &[UTF_8, GZIPPED], b"\x1f"), "0=not_tried,1=not_tried");
    assert_eq!(abort("/", &[UTF_8, GZIPPED], PAGE), "0=not_tried,1=not_tried");
}

fn piece() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        Just(b"<h1>old</h1>".to_vec()),
        Just(b"<p>x</p>".to_vec()),
        Just(b"<p><b>x".to_vec()),
        Just(b"\xef\xbb\xbf".to_vec()),
        Just(b"<meta charset=windows-1252>".to_vec()),
        Just(b"<meta charset=iso-2022-jp>".to_vec()),
        Just(b"<!-- c -->".to_vec()),
        (0usize..1500).prop_map(|len| vec![b'.'; len]),
        proptest::collection::vec(any::<u8>(), 0..8),
    ]
}

proptest! {
    #[test]
    fn cuts_change_nothing(
        pieces in proptest::collection::vec(piece(), 0..8),
        path in proptest::sample::select(&["/", "/whole/"][..]),
        coded in any::<bool>(),
        declared in any::<bool>(),
        damage in proptest::option::of((any::<proptest::sample::Index>(), any::<u8>())),
        cuts in proptest::collection::vec(1usize..700, 0..20),
    ) {
        let page = pieces.concat();
        let mut body = if coded { gzip(&page) } else { page };
        if let Some((at, byte)) = damage && !body.is_empty() {
            let at = at.index(body.len());
            body[at] ^= byte;
        }
        let mut headers = vec![if declared { UTF_8 } else { BARE }];
        headers.extend(coded.then_some(GZIPPED));
        let whole = exchange(path, &headers, [&body[..]], true);
        let mut chunks = Vec::new();
        let mut rest = &body[..];
        for cut in cuts {
            let (chunk, after) = rest.split_at(cut.min(rest.len()));
            chunks.push(chunk);
            rest = after;
        }
        chunks.push(rest);
        let parts = exchange(path, &headers, chunks, true);
        prop_assert_eq!(&whole.headers, &parts.headers);
        prop_assert_eq!(whole.report.body, parts.report.body);
        prop_assert!(whole.body == parts.body, "{} {}", whole.body.escape_ascii(), parts.body.escape_ascii());
        prop_assert_eq!(whole.report, parts.report);
    }
}
