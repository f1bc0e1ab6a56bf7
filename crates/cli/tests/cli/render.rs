//! `engraft render`, with the configuration and the page of `tests/data/render`.

use std::error::Error;
use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use crate::command::{Run, Tested, data, engraft, engraft_with, workspace};

const ADA: [&str; 4] = ["-H", "cookie: first_name=<Ada>", "-H", "x-geo-country: US"];

fn render(args: &[&str]) -> Result<Run, Box<dyn Error>> {
    render_page(args, b"")
}

fn render_page(args: &[&str], stdin: &[u8]) -> Result<Run, Box<dyn Error>> {
    let args = ["render", "--config", "engraft.yaml"].into_iter().chain(args.iter().copied());
    engraft_with(&data("render"), args, stdin)
}

fn as_json(args: &[&str]) -> Result<Value, Box<dyn Error>> {
    let run = render(&[args, &["--json"]].concat())?;
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{args:?}");
    run.json()
}

/// The values of a header in the JSON of a request or a response.
fn header<'j>(head: &'j Value, name: &str) -> Vec<&'j str> {
    let lines = head["headers"].as_array().into_iter().flatten();
    lines.filter(|line| line[0] == name).filter_map(|line| line[1].as_str()).collect()
}

/// What JSON says of a patch.
fn patch(label: &str, required: bool, applied: u64, skipped: Value, state: &str) -> Value {
    let not_applied = skipped.as_object().into_iter().flat_map(|skipped| skipped.values());
    let matched = applied + not_applied.filter_map(Value::as_u64).sum::<u64>();
    json!({
        "label": label, "required": required, "applied": applied, "matched": matched, "skipped": skipped,
        "search_ended": null, "state": state
    })
}

/// The label and the state of each patch, in their order.
fn states(shown: &Value) -> Vec<(&str, &str)> {
    let patches = shown["patches"].as_array().into_iter().flatten();
    patches.filter_map(|patch| Some((patch["label"].as_str()?, patch["state"].as_str()?))).collect()
}

/// The patches of `/home/` for Ada where the body is not touched: the header is set all the same.
const NOT_TRIED: [(&str, &str); 5] = [
    ("4", "1"),
    ("greeting", "not_tried"),
    ("offer", "not_tried"),
    ("gone", "not_tried"),
    ("picture", "not_tried"),
];

#[test]
fn a_page_is_personal_whatever_its_chunks() -> Tested {
    let expected = fs::read_to_string(data("render").join("greeted.html"))?;
    let page = ["-u", "https://shop.example/home/", "--body", "page.html"];
    for chunk in [&[][..], &["--chunk", "1"], &["--chunk", "7"], &["--chunk", "100000"]] {
        let run = render(&[&page[..], &ADA, chunk].concat())?;
        assert_eq!(run.text()?, expected, "{chunk:?}");
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    }
    Ok(())
}

#[test]
fn a_page_of_the_example_is_the_same_in_every_chunking() -> Tested {
    let shop = workspace().join("examples/shop");
    let visit =
        "render -c engraft.yaml -u /p/aurora/ -b site/p/aurora/index.html -H x-geo-country:US --chunk";
    let visit = || visit.split(' ').chain(["-H", "cookie: plan=pro; first_name=Ada"]);
    let whole = engraft(&shop, visit().map(|arg| if arg == "--chunk" { "--chunk=10000000" } else { arg }))?;
    assert!(whole.text()?.contains("Welcome back, Ada."), "{whole:?}");
    for chunk in ["--chunk=1", "--chunk=7"] {
        let run = engraft(&shop, visit().map(|arg| if arg == "--chunk" { chunk } else { arg }))?;
        assert_eq!(run.text()?, whole.text()?, "{chunk}");
    }
    Ok(())
}

#[test]
fn verbose_says_what_became_of_the_patches_beside_the_page() -> Tested {
    let page = ["-u", "/home/", "-b", "page.html", "-v"];
    let run = render(&[&page[..], &ADA].concat())?;
    assert_eq!(
        run.stderr,
        "route: home\n\
         body: edited, 0 bytes held at most\n\
         patch: 4=1\n\
         patch: greeting=1\n\
         patch: offer=2\n\
         patch: gone=missed\n\
         patch: picture=skipped:void_element\n"
    );
    assert_eq!(run.text()?, fs::read_to_string(data("render").join("greeted.html"))?);
    Ok(())
}

#[test]
fn json_tells_the_whole_exchange() -> Tested {
    let page = ["-u", "https://shop.example/home/?a=1", "-b", "page.html"];
    let mut shown = as_json(
        &[&page[..], &ADA, &["-H", "if-none-match: \"x\"", "--response-header", "etag: \"x\""]].concat(),
    )?;
    // Its digits are another one's with each version.
    let headers = shown.pointer_mut("/response/headers").and_then(Value::as_array_mut);
    let tag =
        headers.and_then(|lines| lines.iter().position(|line| line[0] == "etag").map(|at| lines.remove(at)));
    let tag = tag.unwrap_or_default();
    assert!(tag[1].as_str().is_some_and(|tag| tag.starts_with("W/\"x;e=")), "{tag}");
    assert_eq!(
        shown,
        json!({
            "request": {
                "method": "GET",
                "url": "https://shop.example/home/?a=1",
                "headers": [
                    ["accept-encoding", "identity"],
                    ["cookie", "first_name=<Ada>"],
                    ["x-geo-country", "US"]
                ]
            },
            "response": {
                "status": 200,
                "headers": [
                    ["cache-control", "private, no-cache"],
                    ["content-type", "text/html; charset=utf-8"],
                    ["x-edition", "us"]
                ],
                "body": fs::read_to_string(data("render").join("greeted.html"))?
            },
            "route": "home",
            "attributes": { "country": "US", "name": "<Ada>" },
            "body": "edited",
            "patches": [
                patch("4", false, 1, json!({}), "1"),
                patch("greeting", false, 1, json!({}), "1"),
                patch("offer", false, 2, json!({}), "2"),
                patch("gone", true, 0, json!({}), "missed"),
                patch("picture", false, 0, json!({ "void_element": 1 }), "skipped:void_element"),
            ],
            "max_held_bytes": 0,
            "counters": {
                "requests": 1, "body.edited": 1, "patches.applied": 4, "patches.missed": 1,
                "patches.required_missed": 1, "patches.skipped.void_element": 1
            }
        })
    );
    Ok(())
}

#[test]
fn a_redirect_is_printed_and_the_origin_not_asked() -> Tested {
    let run = render(&["-u", "https://shop.example/old/page?a=1", "-b", "page.html"])?;
    assert_eq!(run.text()?, "308 Permanent Redirect\nlocation: /new/?a=1\n");
    assert_eq!(run.code, Some(0));

    let shown = as_json(&["-u", "/old/page"])?;
    assert_eq!(shown["request"], Value::Null);
    assert_eq!(shown["response"], json!({ "status": 308, "headers": [["location", "/new/"]], "body": "" }));
    assert_eq!((&shown["route"], &shown["redirected_by"]), (&json!("old"), &json!("0")));
    assert_eq!(shown["patches"], json!([patch("0", false, 1, json!({}), "1")]));
    assert_eq!(shown["counters"], json!({ "requests": 1, "redirects": 1, "patches.applied": 1 }));
    Ok(())
}

#[test]
fn a_rewrite_changes_what_the_origin_is_asked() -> Tested {
    let shown = as_json(&["-u", "https://shop.example/moved/x?a=1", "-X", "POST"])?;
    assert_eq!(
        shown["request"],
        json!({
            "method": "POST",
            "url": "https://origin.example/origin/page?a=1",
            "headers": [["x-from", "engraft"]]
        })
    );
    assert_eq!(shown["patches"], json!([patch("0", false, 1, json!({}), "1")]));
    assert_eq!(shown["counters"], json!({ "requests": 1, "rewrites": 1, "patches.applied": 1 }));
    Ok(())
}

#[test]
fn host_takes_the_place_of_the_urls() -> Tested {
    let shown = as_json(&["-u", "/home/", "-H", "Host: other.example:8080", "-H", "x-engraft-route: mine"])?;
    assert_eq!(shown["request"]["url"], "http://other.example:8080/home/");
    assert_eq!(header(&shown["request"], "host"), Vec::<&str>::new());
    assert_eq!(header(&shown["request"], "x-engraft-route"), Vec::<&str>::new());
    Ok(())
}

#[test]
fn what_no_route_matches_passes_byte_for_byte() -> Tested {
    let page: Vec<u8> = (0..=255).collect();
    let run = render_page(&["-u", "/elsewhere", "-b", "-", "--chunk", "3"], &page)?;
    assert_eq!((run.code, run.stdout), (Some(0), page.clone()));

    let run = render_page(&["-u", "/elsewhere", "-b", "-", "--json"], &page)?;
    let shown = run.json()?;
    assert_eq!(
        shown["response"],
        json!({
            "status": 200,
            "headers": [["content-length", "256"], ["content-type", "text/html; charset=utf-8"]],
            "body": BASE64.encode(&page),
            "body_encoding": "base64"
        })
    );
    assert_eq!((&shown["route"], &shown["body"]), (&Value::Null, &json!("not_wanted")));
    Ok(())
}

#[test]
fn what_goes_into_a_page_is_in_its_encoding() -> Tested {
    let latin1 = ["-u", "/home/", "-H", "cookie: first_name=Zo\u{eb}\u{142}", "-b", "-"];
    let latin1 =
        [&latin1[..], &["--response-header", "content-type: text/html; charset=iso-8859-1"]].concat();
    let run = render_page(&latin1, b"<h1>x</h1><p>caf\xe9")?;
    assert_eq!(run.stdout, b"<h1>Hello, Zo\xeb&#322;</h1><p>caf\xe9");

    let run = render_page(&[&latin1[..], &["--json"]].concat(), b"<h1>x</h1><p>caf\xe9")?;
    let response = &run.json()?["response"];
    assert_eq!(response["body_encoding"], "base64");
    assert_eq!(response["body"], BASE64.encode(b"<h1>Hello, Zo\xeb&#322;</h1><p>caf\xe9"));
    Ok(())
}

#[test]
fn head_has_the_headers_of_get_and_no_body() -> Tested {
    let page = [&["-u", "/home/", "-b", "page.html"][..], &ADA].concat();
    let (get, head) = (as_json(&page)?, as_json(&[&page[..], &["-X", "HEAD"]].concat())?);
    assert_eq!(head["response"]["headers"], get["response"]["headers"]);
    assert_eq!((&head["response"]["body"], &head["body"]), (&json!(""), &json!("untouched:head")));
    assert_eq!(states(&head), NOT_TRIED);
    let counted = json!({ "requests": 1, "body.untouched.head": 1, "patches.applied": 1 });
    assert_eq!(head["counters"], counted);
    assert_eq!(render(&[&page[..], &["-X", "HEAD"]].concat())?.text()?, "");

    // Where nothing is edited, the length is that of GET too.
    let head = as_json(&["-u", "/elsewhere", "-b", "page.html", "-X", "HEAD"])?;
    let len = fs::metadata(data("render").join("page.html"))?.len().to_string();
    assert_eq!(header(&head["response"], "content-length"), [len.as_str()]);
    Ok(())
}

#[test]
fn what_must_not_be_edited_says_why() -> Tested {
    let page = [&["-u", "/home/", "-b", "page.html"][..], &ADA].concat();
    let original = fs::read_to_string(data("render").join("page.html"))?;
    for (response, state, body) in [
        (&["--status", "206"][..], "untouched:status", original.as_str()),
        (&["--status", "304", "--response-header", "content-type: text/html"], "untouched:status", ""),
        (&["--response-header", "content-type: text/plain"], "untouched:content_type", &original),
        (&["--response-header", "content-encoding: compress"], "untouched:content_coding", &original),
        (&["--response-header", "content-encoding: br"], "untouched:corrupt_coding", &original),
    ] {
        let shown = as_json(&[&page[..], response].concat())?;
        assert_eq!(
            (&shown["body"], &shown["response"]["body"]),
            (&json!(state), &json!(body)),
            "{response:?}"
        );
        assert_eq!(states(&shown), NOT_TRIED, "{response:?}");
        assert_eq!(header(&shown["response"], "x-edition"), ["us"], "{response:?}");
    }
    Ok(())
}

#[test]
fn facts_are_what_the_proxy_would_know() -> Tested {
    let facts = ["--fact", "peer_address=10.0.0.7", "--fact", "filter_state.team=a=b"];
    let run = render_page(&[&["-u", "/inside/", "-b", "-"][..], &facts].concat(), b"<h1>x</h1>")?;
    assert_eq!(run.text()?, "<h1>a=b</h1>");
    let run = render_page(&["-u", "/inside/", "-b", "-"], b"<h1>x</h1>")?;
    assert_eq!(run.text()?, "<h1>x</h1>");

    let run = render(&["-u", "/", "--fact", "peer_adress=10.0.0.7"])?;
    assert_eq!(run.code, Some(2));
    assert_eq!(
        run.stderr,
        "error: no attribute of the configuration reads the fact \"peer_adress\"; did you mean \"peer_address\"? \
         accepted: filter_state.team, peer_address\n"
    );
    Ok(())
}

#[test]
fn debug_headers_are_for_this_machine() -> Tested {
    let asked = ["-u", "/home/", "-b", "page.html", "-H", "x-engraft-debug: 1"];
    let answer = |more: &[&str]| -> Result<usize, Box<dyn Error>> {
        Ok(header(&as_json(&[&asked[..], more].concat())?["response"], "x-engraft-debug").len())
    };
    assert_eq!(answer(&[])?, 1);
    assert_eq!(answer(&["--fact", "peer_address=::1"])?, 1);
    assert_eq!(answer(&["--fact", "peer_address=192.0.2.1"])?, 0);
    assert_eq!(answer(&["-H", "x-forwarded-for: 127.0.0.1, 192.0.2.1"])?, 0);
    Ok(())
}

#[test]
fn a_configuration_with_problems_renders_nothing() -> Tested {
    let run = engraft(&data("check"), ["render", "-c", "malformed.yaml", "-u", "/"])?;
    assert_eq!(run.stderr, fs::read_to_string(data("check").join("malformed.txt"))?);
    assert_eq!((run.code, run.text()?), (Some(1), ""));
    Ok(())
}

#[test]
fn wrong_arguments_are_quoted_with_the_form_accepted() -> Tested {
    for (args, quoted, form) in [
        (&["-u", "shop.example"][..], "'shop.example'", "https://host/path?query"),
        (&["-u", "https://a:b@shop.example/"], "'https://a:b@shop.example/'", "no user name"),
        (&["-u", "/", "-H", "cookie"], "'cookie'", "write 'name: value'"),
        (&["-u", "/", "-H", "a b: c"], "\"a b\"", "write 'name: value'"),
        (&["-u", "/", "--response-header", "x"], "--response-header", "write 'name: value'"),
        (&["-u", "/", "--fact", "mtls"], "'mtls'", "write name=value"),
        (&["-u", "/", "--status", "abc"], "'abc'", "a number from 100 to 999"),
        (&["-u", "/", "--chunk", "0"], "'0'", "at least 1"),
        (&["-u", "/", "-X", "G T"], "'G T'", "a method such as GET"),
        (&["-u", "/", "-b", "nowhere.html"], "nowhere.html", "can't read"),
    ] {
        let run = render(args)?;
        assert_eq!((run.code, run.text()?), (Some(2), ""), "{args:?}");
        assert!(run.stderr.contains(quoted) && run.stderr.contains(form), "{args:?}: {}", run.stderr);
    }
    let run = engraft(&data("render"), ["render", "-c", "-", "-u", "/", "-b", "-"])?;
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("both name standard input"), "{run:?}");
    Ok(())
}
