//! `engraft har`, with the recording of `tests/data/har`: pages, an interface, and what a hostile server could put into one.

use std::error::Error;
use std::fs;

use engraft_oracle::dom::Dom;
use engraft_oracle::select::select;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::command::{Run, Tested, data, engraft, engraft_with};

fn har(args: &[&str]) -> Result<Run, Box<dyn Error>> {
    engraft(&data("har"), ["har", "recorded.har", "--config", "engraft.yaml"].iter().chain(args))
}

/// The exchanges of the JSON in the order in which they were recorded.
fn exchanges(json: &Value) -> Result<Vec<&Value>, Box<dyn Error>> {
    let mut exchanges: Vec<&Value> = json["exchanges"].as_array().ok_or("no exchanges")?.iter().collect();
    exchanges.sort_by_key(|exchange| exchange["number"].as_u64());
    Ok(exchanges)
}

#[test]
fn json_has_everything_that_a_configuration_would_have_done() -> Tested {
    let run = har(&["--format", "json"])?;
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    let mut json = run.json()?;
    let times: Vec<f64> = json["exchanges"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|exchange| exchange["microseconds"].as_f64())
        .collect();
    assert!(times.len() == 5 && times.is_sorted_by(|a, b| a >= b), "the slowest first: {times:?}");
    // What is measured, and what is another one's with each version, is no part of it; nor is the order then.
    let exchanges = json["exchanges"].as_array_mut().ok_or("no exchanges")?;
    exchanges.sort_by_key(|exchange| exchange["number"].as_u64());
    for exchange in exchanges {
        let exchange = exchange.as_object_mut().ok_or("no exchange")?;
        exchange.remove("microseconds");
        exchange.remove("microseconds_per_kb");
        let headers = exchange.get_mut("headers").and_then(Value::as_array_mut).ok_or("no headers")?;
        for header in headers.iter_mut().filter(|header| header["name"] == "etag") {
            let after = header["after"][0].as_str().unwrap_or_default();
            header["after"] = json!([after.split(";e=").next()]);
        }
    }
    let expected: Value = serde_json::from_slice(&fs::read(data("har").join("recorded.json"))?)?;
    assert_eq!(json, expected, "{json:#}");
    Ok(())
}

#[test]
fn the_table_has_a_line_for_each_exchange_and_says_what_deserves_a_look() -> Tested {
    let run = har(&[])?;
    let mut lines: Vec<String> = run
        .text()?
        .lines()
        // Without the times, which are the first two columns.
        .map(|line| match line.trim_start().split_once(char::is_whitespace) {
            Some((first, rest))
                if first.chars().all(|char| char.is_ascii_digit()) && line.contains("https:") =>
            {
                rest.trim_start()
                    .split_once(char::is_whitespace)
                    .map_or(rest, |(_, rest)| rest)
                    .trim()
                    .to_owned()
            }
            _ => line.to_owned(),
        })
        .collect();
    let end = lines.iter().position(String::is_empty).ok_or("no empty line")?;
    lines[1..end].sort();
    lines[0] = lines[0].split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(lines.join("\n") + "\n", fs::read_to_string(data("har").join("recorded.txt"))?);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    Ok(())
}

#[test]
fn in_the_report_a_recording_is_text() -> Tested {
    let folder = TempDir::new()?;
    let path = folder.path().join("report.html");
    let run = har(&["--report", path.to_str().ok_or("a path that is no text")?])?;
    assert_eq!((run.code, run.stderr), (Some(0), format!("wrote {}\n", path.display())));
    let page = fs::read_to_string(path)?;
    let dom = Dom::parse(page.as_bytes());
    let count = |selector: &str| select(&dom, selector).map(|found| found.len());
    assert_eq!(count("tbody > tr > td > details")?, 5);
    // What was recorded is in it, and is no markup.
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert_eq!(count("script, link, img, iframe, object, embed, form, base, a, [src], [href], [style]")?, 0);
    let attributes = dom.elements().filter_map(|id| dom.element(id)).flat_map(|element| &element.attributes);
    for (name, _) in attributes {
        let known = [
            "charset",
            "class",
            "content",
            "http-equiv",
            "lang",
            "name",
            "role",
            "scope",
            "tabindex",
            "aria-label",
        ];
        assert!(known.contains(&&*name.local), "an attribute {} out of nowhere", &*name.local);
    }
    // And whatever got through could not load or run.
    let policy = "meta[http-equiv=Content-Security-Policy][content^=\"default-src 'none'; style-src 'unsafe-inline';\"]";
    assert_eq!(count(policy)?, 1);
    assert!(
        page.contains("prefers-color-scheme: dark") && !page.contains("@import") && !page.contains("url(")
    );
    Ok(())
}

#[test]
fn only_who_is_said_to_be_this_machine_may_force() -> Tested {
    let config = "version: 1\nvisitor: { id: { cookie: id } }\nforce: {}\nexperiments: { hero: { variations: [control, bold] } }\n\
                  routes: [{ name: a, patches: [{ variant: { hero: bold }, select: p, text: x }] }]\n";
    let folder = TempDir::new()?;
    fs::write(folder.path().join("engraft.yaml"), config)?;
    let entry = json!({
        "request": { "method": "GET", "url": "https://a.example/?engraft-force=hero:bold", "headers": [] },
        "response": { "status": 200, "headers": [], "content": { "mimeType": "text/html", "text": "<p>a</p>" } },
    });
    let recording = json!({ "log": { "entries": [entry] } }).to_string();
    for (fact, value) in [(&[][..], "control"), (&["--fact", "peer_address=127.0.0.1"], "bold")] {
        let args = ["har", "-", "-c", "engraft.yaml", "--format", "json"].iter().chain(fact);
        let run = engraft_with(folder.path(), args, recording.as_bytes())?;
        assert_eq!(run.json()?["exchanges"][0]["decisions"]["variants.hero"], value, "{fact:?}");
    }
    Ok(())
}

#[test]
fn requests_come_at_the_time_at_which_they_were_recorded() -> Tested {
    let config = "version: 1\nvisitor: { id: { cookie: id } }\nexperiments: { sale: { variations: [none, half], weights: [0, 1], starts_at: '2026-06-01T00:00:00Z' } }\n\
                  routes: [{ name: a, patches: [{ variant: { sale: half }, select: p, text: x }] }]\n";
    let folder = TempDir::new()?;
    fs::write(folder.path().join("engraft.yaml"), config)?;
    let entry = |at: &str| {
        json!({
            "startedDateTime": at,
            "request": { "method": "GET", "url": "https://a.example/", "headers": [{ "name": "Cookie", "value": "id=1" }, { "name": "User-Agent", "value": "Mozilla/5.0 Firefox/140.0" }] },
            "response": { "status": 200, "headers": [], "content": { "mimeType": "text/html", "text": "<p>a</p>" } },
        })
    };
    let entries = json!({ "log": { "entries": [entry("2026-05-31T23:59:59.000Z"), entry("2026-06-01T02:00:00.000+02:00")] } });
    let sale = |more: &[&str]| -> Result<Vec<String>, Box<dyn Error>> {
        let args = ["har", "-", "-c", "engraft.yaml", "--format", "json"].iter().chain(more);
        let json = engraft_with(folder.path(), args, entries.to_string().as_bytes())?.json()?;
        let sales = exchanges(&json)?.into_iter().map(|it| it["decisions"]["variants.sale"].to_string());
        Ok(sales.collect())
    };
    assert_eq!(sale(&[])?, ["\"none\"", "\"half\""]);
    assert_eq!(sale(&["--now", "2026-07-01T00:00:00Z"])?, ["\"half\"", "\"half\""]);
    Ok(())
}

#[test]
fn a_recording_that_breaks_off_is_told_as_far_as_it_goes() -> Tested {
    let whole = fs::read_to_string(data("har").join("recorded.har"))?;
    let second = whole.match_indices("\"startedDateTime\"").nth(1).ok_or("no second exchange")?.0;
    let args = ["har", "-", "-c", "engraft.yaml"];
    let run = engraft_with(&data("har"), args, &whole.as_bytes()[..second])?;
    assert!(run.text()?.contains("https://shop.example/p/aurora"), "{run:?}");
    assert!(run.stderr.starts_with("<stdin>: error: the recording can't be read any further: "), "{run:?}");
    assert!(run.stderr.contains(" at line "), "{run:?}");
    assert_eq!(run.code, Some(1));
    Ok(())
}

#[test]
fn what_can_not_be_used_is_said() -> Tested {
    for (args, code, told) in [
        (&["har", "engraft.yaml", "-c", "engraft.yaml"][..], 1, "can't be read any further"),
        (&["har", "missing.har", "-c", "engraft.yaml"], 2, "can't read missing.har"),
        (&["har", "recorded.har", "-c", "recorded.har"], 1, "unknown field \"log\""),
        (&["har", "-", "-c", "-"], 2, "both name standard input"),
        (&["har", "recorded.har"], 2, "--config"),
        (&["har", "recorded.har", "-c", "engraft.yaml", "--fact", "x=1"], 2, "reads the fact \"x\""),
        (
            &["har", "recorded.har", "-c", "engraft.yaml", "--report", "no/such/folder.html"],
            2,
            "can't write no/such/folder.html",
        ),
    ] {
        let run = engraft(&data("har"), args)?;
        assert!(run.stderr.contains(told), "{args:?}: {run:?}");
        assert_eq!(run.code, Some(code), "{args:?}");
    }
    Ok(())
}
