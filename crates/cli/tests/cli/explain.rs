//! `engraft explain`, with the shop of `tests/data/explain`. The goldens are what it prints, but for how long it took.

use std::error::Error;
use std::fs;

use crate::command::{Run, Tested, data, engraft, engraft_with};

/// A visitor who is known, from Germany unless `country` says otherwise.
pub(crate) fn visitor(country: &str) -> Vec<String> {
    let country = format!("x-geo-country: {country}");
    let cookie = "cookie: uid=u-1; session=s3cr3t-one";
    let agent = "user-agent: Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0";
    ["-H", "accept: text/html", "-H", agent, "-H", cookie, "-H", &country, "--now", "2026-01-31T12:00:00Z"]
        .map(str::to_owned)
        .into()
}

pub(crate) fn explain(args: &[&str], more: &[String]) -> Result<Run, Box<dyn Error>> {
    let args = ["explain", "--config", "shop.yaml"].iter().chain(args).map(|arg| (*arg).to_owned());
    engraft(&data("explain"), args.chain(more.iter().cloned()))
}

/// What was printed, but for how long it took.
fn untimed(text: &str) -> String {
    let lines = text.lines().map(|line| line.split_once("─ time: ").map_or(line, |(before, _)| before));
    lines.map(|line| format!("{line}\n")).collect()
}

fn assert_golden(name: &str, args: &[&str], more: &[String]) -> Tested {
    let run = explain(args, more)?;
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{name}");
    let expected = fs::read_to_string(data("explain").join(name))?;
    assert_eq!(untimed(run.text()?), expected, "{name}:\n{}", run.text()?);
    Ok(())
}

const PAGE: [&str; 4] = ["-u", "https://shop.example/p/1?a=b", "-b", "page.html"];

#[test]
fn a_page_is_explained_from_its_request_to_its_last_edit() -> Tested {
    let team = ["--fact", "filter_state.team=blue"];
    assert_golden("page.txt", &[&PAGE[..], &team].concat(), &visitor("US"))
}

#[test]
fn what_is_not_said_is_explained_by_what_is_missing() -> Tested {
    assert_golden("stranger.txt", &[&PAGE[..], &["--now", "0"]].concat(), &[])
}

#[test]
fn json_is_edited_at_its_places() -> Tested {
    let item = ["-u", "https://shop.example/api/1", "-b", "item.json"];
    let json = ["--response-header", "content-type: application/json"];
    assert_golden("json.txt", &[item, [json[0], json[1], "-X", "GET"]].concat(), &visitor("US"))
}

#[test]
fn a_redirect_names_its_patch_and_asks_no_origin() -> Tested {
    assert_golden("redirect.txt", &["-u", "https://shop.example/p/old/1?a=b"], &visitor("US"))
}

#[test]
fn a_request_on_no_route_says_what_each_route_wants() -> Tested {
    assert_golden("no_route.txt", &["-u", "https://shop.example/q", "-b", "page.html"], &visitor("US"))
}

#[test]
fn a_stored_page_says_by_what_and_where_its_patches_run() -> Tested {
    assert_golden("stored.txt", &["-u", "/s/1?utm_source=x&page=2", "-b", "page.html"], &visitor("US"))
}

#[test]
fn what_somebody_chooses_is_seen_and_kept_by_nobody() -> Tested {
    let chosen = ["--force", "hero:control", "--attribute", "country=FR", "--attribute", "session"];
    assert_golden("chosen.txt", &[&PAGE[..], &chosen].concat(), &visitor("US"))
}

#[test]
fn a_debug_request_and_its_header_say_the_same() -> Tested {
    let debug = ["-H", "x-engraft-debug: sixteen characters"];
    let shown = explain(&[&PAGE[..], &debug, &["--json"]].concat(), &visitor("US"))?.json()?;
    let rendered = engraft(
        &data("explain"),
        ["render", "-c", "shop.yaml", "--json"]
            .iter()
            .chain(&PAGE)
            .chain(&debug)
            .map(|arg| (*arg).to_owned())
            .chain(visitor("US")),
    )?
    .json()?;
    let lines = rendered["response"]["headers"].as_array().ok_or("no headers")?;
    let line = lines.iter().find(|line| line[0] == "x-engraft-trace").ok_or("no trace")?;
    let head = format!("HTTP/1.1 200 OK\r\nx-engraft-trace: {}\r\n", line[1].as_str().ok_or("no text")?);
    let of_head =
        engraft_with(&data("explain"), ["explain", "--from-header", "-", "--json"], head.as_bytes())?;
    let decoded = of_head.json()?;
    for member in ["engine", "routes", "route", "attributes", "decisions", "origin", "cache", "response"] {
        assert_eq!(decoded[member], shown[member], "{member}");
    }
    assert_eq!(decoded["body"], serde_json::Value::Null);

    let same = ["explain", "-c", "shop.yaml", "--from-header", "-"];
    let text = engraft_with(&data("explain"), same, head.as_bytes())?;
    let text = text.text()?;
    assert!(text.contains("configuration: shop.yaml, the same, engraft "), "{text}");
    assert!(text.contains("✓ headline (h1): to be applied"), "{text}");
    assert!(text.contains("what became of the body, as it left before the body did"), "{text}");
    let other = ["explain", "-c", "../render/engraft.yaml", "--from-header", "-"];
    let text = engraft_with(&data("explain"), other, head.as_bytes())?;
    assert!(text.text()?.contains("configuration: not ../render/engraft.yaml, but another one"), "{text:?}");
    Ok(())
}

#[test]
fn lines_are_no_wider_than_the_terminal() -> Tested {
    let long = format!("x-long: {}", "漢字 ".repeat(100));
    let run = explain(&[&PAGE[..], &["-H", &long]].concat(), &visitor("US"))?;
    let text = run.text()?;
    let line = text.lines().find(|line| line.contains("x-long")).ok_or("no line")?;
    assert!(line.ends_with('…') && line.chars().count() < 80, "{line}");
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    Ok(())
}

#[test]
fn an_experiment_may_have_the_name_of_an_attribute() -> Tested {
    let config = b"\
version: 1
visitor: { id: { cookie: uid } }
experiments: { path: { variations: [control, bold] } }
routes: [{ name: page, patches: [{ when: { request.path: /x }, select: h1, text: Hello }] }]
";
    let args = ["explain", "-c", "-", "-u", "/y", "--attribute", "request.path=/x", "--force", "path:bold"];
    let run = engraft_with(&data("explain"), args, config)?;
    assert!(run.text()?.contains("request.path = \"/x\", given here"), "{run:?}");
    let args = ["explain", "-c", "-", "-u", "/y", "--attribute", "variants.path=bold"];
    let run = engraft_with(&data("explain"), args, config)?;
    assert_eq!(run.code, Some(2), "that is chosen with --force: {run:?}");
    Ok(())
}

#[test]
fn what_is_not_known_is_named_with_what_is() -> Tested {
    for (args, error) in [
        (
            &["-u", "/", "--force", "heroo:bold"][..],
            "error: the configuration has no experiment or flag \"heroo\"; did you mean \"hero\"? accepted: hero\n",
        ),
        (
            &["-u", "/", "--attribute", "contry=US"],
            "error: the configuration has no attribute \"contry\"; did you mean \"country\"? accepted: country, id, \
             request.host, request.method, request.path, request.query, request.scheme, session, team\n",
        ),
        (
            &["--from-header", "1.abc"],
            "error: --from-header: this is not the whole value of an x-engraft-trace header; copy all of it, from `1.` to \
             its last letter\n",
        ),
    ] {
        let run = explain(args, &[])?;
        assert_eq!((run.code, run.stderr.as_str()), (Some(2), error), "{args:?}");
    }
    let origin = "version: 1\nstage: origin\nroutes: [{ name: a, cache: { store: { max_age: 1h } } }]\n";
    let run = engraft_with(&data("explain"), ["explain", "-c", "-", "-u", "/"], origin.as_bytes())?;
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("name the configuration of the client stage"), "{}", run.stderr);
    Ok(())
}
