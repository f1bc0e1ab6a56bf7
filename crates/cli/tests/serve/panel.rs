//! What the server answers itself, and to whom.

use std::error::Error;
use std::path::Path;
use std::process::Command;

use engraft_harness::client::{self, Request};
use engraft_harness::origin::{Origin, Reply};
use engraft_harness::wire::Protocol;

use serde_json::json;

use crate::server::{GREETING, Server, Tested};

#[test]
fn exchanges_are_listed_and_told_in_full() -> Tested {
    let origin = Origin::start()?;
    origin.reply("/p", Reply::html("<h1>Hi</h1>"));
    let server = Server::before(&origin, GREETING)?;
    server.fetch(&Request::get("/p?q").header("cookie", "first_name=Ada"))?;
    server.get("/missing")?;
    server.line()?;
    server.line()?;
    let list = server.fetch(&server.own("/__engraft/api/exchanges"))?;
    let list: serde_json::Value = serde_json::from_slice(&list.body)?;
    let paths: Vec<_> = list.as_array().ok_or("no list")?.iter().map(|it| it["path"].as_str()).collect();
    assert_eq!(paths, [Some("/missing"), Some("/p?q")]);
    let path = format!("/__engraft/api/exchanges/{}", list[1]["id"]);
    let details = server.fetch(&server.own(&path))?;
    assert_eq!(details.header("cache-control"), Some("no-store"));
    let details: serde_json::Value = serde_json::from_slice(&details.body)?;
    assert_eq!(details["row"], list[1]);
    assert_eq!((&details["trace"]["route"], &details["lines"]), (&json!("page"), &json!([1])));
    assert_eq!(details["sent"]["url"], format!("http://{}/p?q", origin.addr()));
    assert!(details["left"].as_array().ok_or("no headers")?.iter().any(|it| it["name"] == "content-type"));
    assert!(details["times"]["origin_head"].is_number());
    let micros = details["trace"]["micros"].as_object().ok_or("no times")?;
    assert_eq!(micros.keys().collect::<Vec<_>>(), ["body", "request", "response"]);
    let sides = server.fetch(&server.own(&format!("{path}/sides")))?;
    let sides: serde_json::Value = serde_json::from_slice(&sides.body)?;
    let edit = json!({ "was": "Hi", "with": "Hello Ada", "patches": ["0"], "edit": 0 });
    assert_eq!(sides["segments"], json!([{ "kept": "<h1>" }, edit, { "kept": "</h1>" }]));
    let before = server.fetch(&server.own(&format!("{path}/before")))?;
    assert_eq!(
        (before.text().as_ref(), before.header("content-disposition").is_some()),
        ("<h1>Hi</h1>", true)
    );
    assert_eq!(before.header("content-type"), Some("text/plain; charset=utf-8"));
    for missing in ["/__engraft/api/exchanges/99", "/__engraft/api/exchanges/x", &format!("{path}/nothing")] {
        assert_eq!(server.fetch(&server.own(missing))?.status, 404, "{missing}");
    }
    Ok(())
}

#[test]
fn the_panel_is_for_nobody_elses_pages() -> Tested {
    let origin = Origin::start()?;
    let server = Server::before(&origin, GREETING)?;
    let port = server.addr.port();
    let path = "/__engraft/api/exchanges";
    let own = || server.own(path);
    let view = |body: &str| {
        let asked = Request::new("POST", "/__engraft/api/views").host(&server.addr.to_string());
        asked.header("x-engraft-panel", "1").body(body)
    };
    for (asked, status) in [
        (own(), 200),
        (own().host(&format!("localhost:{port}")), 200),
        (own().header("sec-fetch-site", "same-origin"), 200),
        (own().header("origin", format!("http://127.0.0.1:{port}")), 200),
        (own().host("evil.example"), 403),
        (own().host(&format!("evil.example:{port}")), 403),
        (own().host("localhost"), 403),
        (own().header("origin", "https://evil.example"), 403),
        (own().header("origin", "null"), 403),
        (own().header("origin", format!("http://localhost:{port}")), 403),
        (own().header("sec-fetch-site", "cross-site"), 403),
        (own().header("sec-fetch-site", "same-site"), 403),
        (Request::new("POST", path).host(&server.addr.to_string()), 403),
        (Request::new("POST", path).host(&server.addr.to_string()).header("x-engraft-panel", "1"), 405),
        (server.own("/__engraft/nothing"), 404),
        (server.own("/__engraft"), 308),
        (server.own("/__engraft/"), 200),
        (server.own("/__engraft/").host("evil.example"), 403),
        (server.own("/__engraft/main.js").header("sec-fetch-site", "cross-site"), 403),
        (view("{}"), 200),
        (view("{}").header("origin", "https://evil.example"), 403),
        (view("{}").header("sec-fetch-site", "same-site"), 403),
        (view("nothing"), 400),
        (view("{ \"choices\": { \"x\": \"y\" } }"), 400),
        (view(&format!("{{ \"now\": \"{}\" }}", "9".repeat(70_000))), 400),
        (Request::new("POST", "/__engraft/api/views").host(&server.addr.to_string()).body("{}"), 403),
    ] {
        for protocol in [Protocol::Http1, Protocol::Http2] {
            let received = client::fetch(protocol, server.addr, &asked)?;
            assert_eq!(received.status, status, "{protocol:?} {asked:?}");
            assert!(!received.headers.has("access-control-allow-origin"));
        }
    }
    let live = server.own("/__engraft/live").header("sec-fetch-site", "cross-site");
    assert_eq!(server.fetch(&live)?.status, 403);
    assert!(origin.requests().is_empty(), "none of it reaches the origin");
    Ok(())
}

/// The number of a view in which `chosen` is seen.
fn view(server: &Server, chosen: &serde_json::Value) -> Result<String, Box<dyn Error>> {
    let asked = Request::new("POST", "/__engraft/api/views").host(&server.addr.to_string());
    let answer = server.fetch(&asked.header("x-engraft-panel", "1").body(chosen.to_string()))?;
    let answer: serde_json::Value = serde_json::from_slice(&answer.body)?;
    let number = answer.get("view").and_then(serde_json::Value::as_str);
    Ok(number.ok_or("no number")?.to_owned())
}

#[test]
fn a_view_shows_what_was_chosen_and_the_origin_hears_nothing_of_it() -> Tested {
    let origin = Origin::start()?;
    let framed = Reply::html("<h1>Hi</h1>").header("x-frame-options", "DENY");
    origin.reply("/p", framed.header("content-security-policy", "frame-ancestors 'none'; img-src *"));
    origin.reply("/p/away", Reply::new(302, "").header("location", "/p?a=1"));
    let server = Server::before(&origin, GREETING)?;
    let own = |path: &str| server.own(path).header("cookie", "first_name=Ada");
    let id = view(&server, &json!({ "attributes": { "name": "Grace" } }))?;
    let path = format!("/p?__engraft_view={id}");
    let seen = server.fetch(&own(&path))?;
    assert_eq!(seen.text(), "<h1>Hello Grace</h1>");
    assert_eq!(seen.header("cache-control"), Some("private, no-store"));
    assert_eq!(
        (seen.header("x-frame-options"), seen.header("content-security-policy")),
        (None, Some("img-src *"))
    );

    let referer = format!("http://{}{path}", server.addr);
    let fetched =
        server.fetch(&own("/p").header("referer", referer.as_str()).header("sec-fetch-mode", "cors"))?;
    assert_eq!(fetched.text(), "<h1>Hello Grace</h1>", "what the page fetches is in the view");
    let followed =
        server.fetch(&own("/p").header("referer", referer.as_str()).header("accept", "text/html"))?;
    assert_eq!((followed.status, followed.header("location")), (307, Some(referer.as_str())));
    let slashes = own("//evil.example/").header("referer", referer.as_str()).header("accept", "text/html");
    let home = format!("http://{}//evil.example/?__engraft_view={id}", server.addr);
    assert_eq!(server.fetch(&slashes)?.header("location"), Some(home.as_str()), "that is no other host");
    let sent = server.fetch(&own(&format!("/p/away?__engraft_view={id}")))?;
    assert_eq!(sent.header("location"), Some(format!("/p?a=1&__engraft_view={id}").as_str()));

    let plain = server.fetch(&own("/p"))?;
    assert_eq!(
        (plain.text().as_ref(), plain.header("x-frame-options")),
        ("<h1>Hello Ada</h1>", Some("DENY"))
    );
    let foreign = server.fetch(&own(&path).header("sec-fetch-site", "cross-site"))?;
    assert_eq!(foreign.text(), "<h1>Hello Ada</h1>");
    assert_eq!(server.fetch(&Request::get(&path).host("evil.example"))?.text(), "<h1>Hi</h1>");
    assert_eq!(server.fetch(&own("/p?__engraft_view=0"))?.status, 410);
    for asked in origin.requests() {
        assert!(!format!("{asked:?}").contains("__engraft_view"), "{asked:?}");
    }
    let list = server.fetch(&server.own("/__engraft/api/exchanges"))?;
    let list: serde_json::Value = serde_json::from_slice(&list.body)?;
    let in_view = list.as_array().ok_or("no list")?.iter().filter(|it| it["view"] == id.as_str()).count();
    assert_eq!(in_view, 3);
    Ok(())
}

#[test]
fn what_is_chosen_to_be_missing_is_as_if_it_were() -> Tested {
    let origin = Origin::start()?;
    origin.reply("/p", Reply::html("<h1>Hi</h1>"));
    let configuration = GREETING.replace("cookie: first_name", "cookie: first_name, otherwise: you");
    let server = Server::before(&origin, &configuration)?;
    let id = view(&server, &json!({ "attributes": { "name": null } }))?;
    let asked = server.own(&format!("/p?__engraft_view={id}")).header("cookie", "first_name=Ada");
    assert_eq!(server.fetch(&asked)?.text(), server.get("/p")?.text());
    assert_eq!(server.get("/p")?.text(), "<h1>Hello you</h1>");
    Ok(())
}

#[test]
fn what_is_copied_asks_for_the_same_again_and_shows_no_secret() -> Tested {
    let origin = Origin::start()?;
    let page = "<h1>Hi</h1> s3cr3t-s3cr3t\n";
    origin.reply("/p", Reply::html(page).header("x-odd", "it's $(touch pwned)"));
    let server = Server::before(&origin, &format!("{GREETING}secrets: {{ cookies: [session] }}\n"))?;
    let path = "/p?a='$(touch+pwned)';touch+pwned&b=[1-3]{x,y}&c=`id`";
    let asked = server.own(path).header("cookie", "first_name=Ada; session=s3cr3t-s3cr3t");
    let seen = server.fetch(&asked.header("x-quotes", "a'b\"c\\").header("x-empty", ""))?;
    assert_eq!(seen.text(), "<h1>Hello Ada</h1> s3cr3t-s3cr3t\n");
    let id = server.line()?["id"].to_string();
    let copies = server.fetch(&server.own(&format!("/__engraft/api/exchanges/{id}/copies")))?;
    assert!(!copies.text().contains("s3cr3t"), "{}", copies.text());
    let copies: serde_json::Value = serde_json::from_slice(&copies.body)?;
    let folder = server.folder.path();
    let run = |name: &str| shell(copies[name].as_str().ok_or("no such copy")?, folder);
    assert_eq!(run("render")?, "<h1>Hello Ada</h1> ‹hidden›\n");
    let again = run("curl")?;
    assert!(again.ends_with("<h1>Hello Ada</h1> s3cr3t-s3cr3t\n"), "{again}");
    let [first, second] = &origin.requests()[..] else { return Err("not asked twice".into()) };
    assert_eq!(first.target, second.target);
    for header in ["x-quotes", "x-empty"] {
        assert_eq!(first.headers.get(header), second.headers.get(header), "{header}");
    }
    assert!(!folder.join("pwned").exists());
    let test = copies["test"].as_str().ok_or("no test")?;
    let read: serde_json::Value = engraft::config::source::read(test.as_bytes())?.decode()?;
    let scenario = &read["scenarios"][0];
    assert!(scenario["given"]["url"].as_str().is_some_and(|url| url.ends_with(path)));
    assert_eq!(scenario["given"]["headers"]["x-quotes"], "a'b\"c\\");
    assert_eq!(scenario["given"]["response"]["headers"]["x-odd"], "it's $(touch pwned)");
    assert_eq!(scenario["given"]["html"], "<h1>Hi</h1> ‹hidden›\n");
    assert_eq!(scenario["expect"], json!({ "route": "page", "patches": { "0": "1" } }));
    std::fs::write(folder.join("copied.test.yaml"), test)?;
    shell("engraft test copied.test.yaml", folder)?;

    let details = server.fetch(&server.own(&format!("/__engraft/api/exchanges/{id}")))?;
    let details: serde_json::Value = serde_json::from_slice(&details.body)?;
    std::fs::write(folder.join("trace.json"), details["trace"].to_string())?;
    std::fs::write(folder.join("page.html"), page)?;
    let replay = "engraft replay trace.json --config engraft.yaml --body page.html -H 'cookie: first_name=Ada; session=s3cr3t-s3cr3t'";
    shell(replay, folder)?;
    Ok(())
}

#[test]
fn what_was_chosen_is_copied_for_explain() -> Tested {
    let origin = Origin::start()?;
    origin.reply("/p", Reply::html("<h1>Hi</h1>"));
    let server = Server::before(&origin, GREETING)?;
    let id = view(&server, &json!({ "attributes": { "name": "it's Grace" } }))?;
    let seen =
        server.fetch(&server.own(&format!("/p?__engraft_view={id}")).header("cookie", "first_name=Ada"))?;
    assert_eq!(seen.text(), "<h1>Hello it&#39;s Grace</h1>");
    let exchange = server.line()?["id"].to_string();
    let copies = server.fetch(&server.own(&format!("/__engraft/api/exchanges/{exchange}/copies")))?;
    let copies: serde_json::Value = serde_json::from_slice(&copies.body)?;
    let folder = server.folder.path();
    let explained = shell(copies["render"].as_str().ok_or("no command")?, folder)?;
    assert!(explained.contains("it's Grace"), "{explained}");
    let again = shell(copies["curl"].as_str().ok_or("no command")?, folder)?;
    assert!(again.ends_with("<h1>Hello it&#39;s Grace</h1>"), "{again}");
    std::fs::write(folder.join("copied.test.yaml"), copies["test"].as_str().ok_or("no test")?)?;
    shell("engraft test copied.test.yaml", folder)?;
    Ok(())
}

/// What a command says that is pasted into a shell, where it succeeds.
fn shell(command: &str, folder: &Path) -> Result<String, Box<dyn Error>> {
    let cli = Path::new(env!("CARGO_BIN_EXE_engraft")).parent().ok_or("no folder")?;
    let output = Command::new("sh")
        .args(["-c", command])
        .env("PATH", format!("{}:{}", cli.display(), std::env::var("PATH")?))
        .current_dir(folder)
        .output()?;
    let (said, why) =
        (String::from_utf8(output.stdout)?, String::from_utf8_lossy(&output.stderr).into_owned());
    if output.status.success() { Ok(said) } else { Err(format!("{command}\n{said}{why}").into()) }
}
