//! `engraft replay` of what `engraft explain --json` and the debug header tell, with the shop of `tests/data/explain`.

use std::error::Error;

use serde_json::{Value, json};

use crate::command::{Run, Tested, data, engraft_with};
use crate::explain::{explain, visitor};

const PAGE: [&str; 4] = ["-u", "https://shop.example/p/1?a=b", "-b", "page.html"];

fn replay(trace: &Value, args: &[&str]) -> Result<Run, Box<dyn Error>> {
    let args = ["replay", "-", "--config", "shop.yaml"].iter().chain(args);
    engraft_with(&data("explain"), args, trace.to_string().as_bytes())
}

fn trace(args: &[&str]) -> Result<Value, Box<dyn Error>> {
    explain(&[args, &["--json"]].concat(), &visitor("US"))?.json()
}

#[test]
fn what_is_run_again_is_the_same() -> Tested {
    let page = ["-b", "page.html"];
    for (args, page) in [
        (&PAGE[..], &page[..]),
        (&["-u", "/p/1", "-b", "page.html", "-H", "x-beta: 1"], &page),
        (&["-u", "/p/old/1?a=b"], &[]),
        (&["-u", "/q", "-b", "page.html"], &[]),
        (&["-u", "/s/1?utm_source=x", "-b", "page.html"], &page),
        (&["-u", "/p/1", "-b", "page.html", "--force", "hero:control", "--attribute", "country=DE"], &page),
        (&["-u", "/p/1", "-b", "page.html", "-H", "x-engraft-debug: sixteen characters"], &page),
        (
            &[
                "-u",
                "/p/1",
                "-b",
                "page.html",
                "--fact",
                "peer_address=192.0.2.7",
                "--fact",
                "filter_state.team=a",
            ],
            &page,
        ),
        (&["-u", "/p/1", "-b", "page.html", "-X", "HEAD"], &page),
    ] {
        let run = replay(&trace(args)?, page)?;
        let text = run.text()?;
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{args:?}:\n{text}");
        assert!(text.ends_with("the outcome is the same: 11 of 11 members compared\n"), "{args:?}:\n{text}");
    }
    Ok(())
}

#[test]
fn what_comes_out_otherwise_is_told_by_member() -> Tested {
    let mut recorded = trace(&PAGE)?;
    recorded["request"]["headers"] = json!([
        { "name": "accept", "value": "text/html" },
        { "name": "user-agent", "value": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0" },
        { "name": "cookie", "value": "uid=u-1; session=‹hidden›" },
        { "name": "x-geo-country", "value": "DE" },
    ]);
    let run = replay(&recorded, &["-b", "page.html"])?;
    assert_eq!(run.code, Some(1));
    assert_eq!(
        run.text()?,
        "configuration the same\n\
         payload       the same\n\
         route         the same\n\
         attributes    different; not compared: session\n  \
         - country: \"US\"\n  \
         + country: \"DE\"\n\
         decisions     the same\n\
         patches       different\n  \
         + note: to be applied\n\
         origin        the same\n\
         response      the same\n\
         outcomes      different\n  \
         + note: missed\n\
         body          different\n  \
         - bytes       40 to 44: \"Lamp\" → \"Deals for US\", by headline\n  \
         + bytes       40 to 44: \"Lamp\" → \"Deals for DE\", by headline\n\
         exposures     the same\n\
         hidden: the cookie session; what reads it may come out otherwise. Give it with -H\n\
         the outcome is different: 11 of 11 members compared\n"
    );
    Ok(())
}

#[test]
fn what_is_hidden_or_missing_is_named_and_not_compared() -> Tested {
    let recorded = trace(&PAGE)?;
    let shown = replay(&recorded, &["--json"])?.json()?;
    assert_eq!((&shown["same"], &shown["hidden"]), (&json!(true), &json!(["the cookie session"])));
    let member = |name: &str| shown["members"].as_array()?.iter().find(|member| member["name"] == name);
    assert_eq!(member("attributes").ok_or("no attributes")?["unknown"], json!(["session"]));
    assert_eq!(
        member("body").ok_or("no body")?["not_compared"],
        "the page is not at hand; name it with --body"
    );

    // Given again, it is hidden in what comes of it, too.
    let again = ["-b", "page.html", "-H", "cookie: uid=u-1; session=s3cr3t-one"];
    let run = replay(&recorded, &again)?;
    let text = run.text()?;
    assert!(run.code == Some(0) && !text.contains("hidden:") && !text.contains("s3cr3t"), "{text}");
    Ok(())
}

#[test]
fn what_can_not_be_run_again_says_why() -> Tested {
    let mut recorded = trace(&PAGE)?;
    recorded["left_out"] = json!(["routes", "request.headers"]);
    let run = replay(&recorded, &[])?;
    assert_eq!((run.code, run.stdout.len()), (Some(2), 0));
    assert_eq!(
        run.stderr,
        "error: <stdin>: the request can't be run again: the headers of the request did not fit into this trace; give them \
         with -H, or ask with fewer\n"
    );
    let run = replay(&json!({ "trace": 2 }), &[])?;
    assert_eq!(run.code, Some(2));
    let run = replay(&recorded, &["--body", "-"])?;
    assert_eq!(
        run.stderr,
        "error: the trace and --body both name standard input (-); name a file for one of them\n"
    );
    Ok(())
}
