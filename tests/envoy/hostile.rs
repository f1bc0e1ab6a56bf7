//! Visitors who send what no browser sends: their words are text on the page, the page is whole, and the VM lives.

use engraft_harness::client::{self, Request};
use engraft_harness::origin::Reply;
use engraft_harness::wire::Protocol;
use serde_json::json;

use crate::stage::{Outcome, Stage, native, protocols};

const CONFIGURATION: &str = "
version: 1
attributes:
  header: { header: x-said }
  cookie: { cookie: said }
  query: { query: said }
  segment: { path_segment: 1 }
  language: { header: accept-language }
routes:
  - name: all
    patches:
      - select: h1
        text: \"{{ header | default('-') }}\"
      - select: h2
        text: \"{{ cookie | default('-') }}\"
      - select: h3
        text: \"{{ query | default('-') }} {{ segment | default('-') }}\"
      - select: p
        attributes: { set: { title: \"{{ header | default('-') }}\", lang: \"{{ query | default('-') }}\" } }
      - select: footer
        html: \"<i title='{{ header | default('-') }}'>{{ cookie | default('-') }}</i>\"
limits: { max_value_bytes: 65536 }
";

/// The longest value that is sent. Envoy's HTTP/2 ends at 64 KB for a field as HPACK encodes it, with up to
/// 22 bits for a byte of `é`.
const fn longest(down: Protocol) -> usize {
    match down {
        Protocol::Http2 => 23_000,
        _ => 65_000,
    }
}

const PAGE: &str = "<h1></h1><h2></h2><h3></h3><p>1</p><footer></footer><address>end</address>";

/// Values that want to be something else than text.
fn values(longest: usize) -> Vec<Vec<u8>> {
    let mut values: Vec<Vec<u8>> = [
        "<script>alert(1)</script>",
        "</h1></h2></h3><img src=x onerror=alert(1)>",
        "\" onmouseover=\"alert(1)",
        "' onmouseover='alert(1)",
        "` x=`",
        "a b\tc",
        "javascript:alert(1)",
        "--><svg onload=alert(1)>",
        "]]>&lt;&#60;&amp;lt;",
        "{{ header }} {{ cookie",
        "\u{202e}gnol \u{feff}\u{2028}",
        "=;,=;",
    ]
    .map(|value| value.as_bytes().to_vec())
    .into();
    values.push(vec![0xff, 0xfe, b'<', 0xc0, 0xaf, b'"', 0xed, 0xa0, 0x80]);
    for filler in ["<", "\"", "'", "&", "x", "\u{e9}"] {
        values.push(filler.repeat(longest / filler.len()).into_bytes());
    }
    values
}

fn percent_encoded(value: &[u8]) -> String {
    value.iter().map(|byte| format!("%{byte:02X}")).collect()
}

fn stage() -> Result<Stage, Box<dyn std::error::Error>> {
    let listener = |listener: engraft_harness::bootstrap::Listener| {
        listener.manager_field("max_request_headers_kb", json!(1024))
    };
    Stage::with(CONFIGURATION, listener, |cluster| cluster)
}

/// What stands on the page besides the words: tags, and nothing that a value brought.
fn assert_is_only_text(page: &str) {
    for tag in ["<script", "<img", "<svg"] {
        assert!(!page.contains(tag), "{page}");
    }
    assert_eq!(page.matches('<').count(), PAGE.matches('<').count() + 2, "{page}");
    assert!(page.ends_with("<address>end</address>"), "{page}");
}

/// The value in each place where a visitor can put one.
fn requests(value: &[u8]) -> [Request; 4] {
    // Encoded it is three times as long, and a target ends at 64 KB for the client's library.
    let encoded = percent_encoded(value.get(..value.len().min(20_000)).unwrap_or_default());
    [
        Request::get("/p/").header("x-said", value),
        Request::get("/p/").header("cookie", [b"a=1; said=", value].concat()),
        Request::get(&format!("/p/?a&said={encoded}")),
        Request::get(&format!("/p/{encoded}")),
    ]
}

#[test]
fn whatever_a_visitor_sends_is_text_on_a_whole_page() -> Outcome {
    let stage = stage()?;
    stage.origin.otherwise(|_| Reply::html(PAGE));
    for (up, down) in protocols() {
        for value in values(longest(down)) {
            for (place, request) in ["header", "cookie", "query", "path"].into_iter().zip(requests(&value)) {
                let begin = String::from_utf8_lossy(value.get(..value.len().min(40)).unwrap_or_default());
                let received = stage.fetch((up, down), &request)?;
                assert_eq!(received.status, 200, "{place} {begin} {up:?} {down:?}");
                assert!(received.complete, "{place} {begin} {up:?} {down:?}: {:?}", received.broken);
                assert_is_only_text(&received.text());
                let expected = native(CONFIGURATION, &request, &Reply::html(PAGE))?;
                assert!(received.body == expected, "{place} {begin} {up:?} {down:?}: {}", received.text());
            }
        }
    }
    stage.assert_alive()
}

#[test]
fn line_ends_in_a_query_reach_neither_headers_nor_markup() -> Outcome {
    let stage = stage()?;
    stage.origin.otherwise(|_| Reply::html(PAGE));
    for said in
        ["%0D%0Aset-cookie:%20a=1%0D%0A%0D%0A<script>", "%00%01%7F", "a%0Ab%0Dc", "%", "%zz%4", "%FF%FE<"]
    {
        let request = Request::get(&format!("/p/x?said={said}"));
        // Over HTTP/1.1, as the HTTP/2 library on both ends refuses some of these.
        let received = stage.fetch((Protocol::Http1, Protocol::Http1), &request)?;
        assert!(!received.headers.has("set-cookie"), "{said}: {}", received.headers);
        // Envoy itself refuses what is no URL.
        if received.status == 200 {
            assert!(received.complete, "{said}");
            assert_is_only_text(&received.text());
        } else {
            assert_eq!(received.status, 400, "{said}");
        }
    }
    stage.assert_alive()
}

#[test]
fn requests_that_are_no_http_hurt_nobody() -> Outcome {
    let stage = stage()?;
    stage.origin.otherwise(|_| Reply::html(PAGE));
    let heads: [&[u8]; 8] = [
        b"GET / HTTP/1.1\r\nhost: a\r\nx-said: a\0b\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: a\r\nx-said: a\rb\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: a\r\nx-said: a\r\n b\r\n\r\n",
        b"GET / HTTP/1.1\r\nx-said: no host\r\n\r\n",
        b"GET http://a/p/x?said=1 HTTP/1.1\r\nhost: b\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n",
        b"GET //../..//%2e%2e/?? HTTP/1.1\r\nhost: a\r\n\r\n",
        b"GET /p/\xff\xfe?\xff HTTP/1.1\r\nhost: \xff\r\n\r\n",
    ];
    for head in heads {
        for up in Protocol::ALL {
            // A refusal, a page or a closed connection: any of them is an answer.
            if let Ok(received) = client::fetch_bytes(stage.addr(up), head) {
                assert!(received.complete, "{}: {:?}", String::from_utf8_lossy(head), received.broken);
            }
        }
    }
    stage.assert_alive()
}

#[test]
fn headers_of_ours_are_dropped_from_requests() -> Outcome {
    let stage = stage()?;
    stage.origin.otherwise(|_| Reply::html(PAGE));
    for pair in protocols() {
        stage.fetch(
            pair,
            &Request::get("/").header("x-engraft-debug", "1").header("X-Engraft-Force", "a=b"),
        )?;
        for request in stage.origin.take_requests() {
            assert!(
                !request.headers.iter().any(|(name, _)| name.to_lowercase().starts_with("x-engraft-")),
                "{pair:?}"
            );
        }
    }
    Ok(())
}
