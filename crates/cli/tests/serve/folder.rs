//! A folder in place of an origin.

use std::fs;
use std::time::{Duration, SystemTime};

use engraft_harness::client::{self, Request};
use engraft_harness::wire::Protocol;
use tempfile::TempDir;

use crate::server::{GREETING, Server, Tested};

/// A folder with a secret beside it, and one in it.
fn site() -> Result<TempDir, Box<dyn std::error::Error>> {
    let folder = TempDir::new()?;
    let at = |path: &str| folder.path().join(path);
    fs::create_dir_all(at("site/p/sub"))?;
    fs::create_dir_all(at("site/.git"))?;
    fs::create_dir_all(at("site/.well-known"))?;
    for (path, text) in [
        ("secret.txt", "secret"),
        ("site/.env", "secret"),
        ("site/.git/config", "secret"),
        ("site/.well-known/security.txt", "contact"),
        ("site/index.html", "<h1>Home</h1>"),
        ("site/p/index.html", "<h1>Page</h1>"),
        ("site/p/sub/a b.txt", "text"),
        ("site/data.bin", "0123456789"),
        ("site/style.css", "a {}"),
        ("site/app.js", "let a"),
        ("site/image.svg", "<svg/>"),
    ] {
        fs::write(at(path), text)?;
    }
    #[cfg(unix)]
    std::os::unix::fs::symlink(at("secret.txt"), at("site/link.txt"))?;
    Ok(folder)
}

fn serving(folder: &TempDir) -> Result<Server, Box<dyn std::error::Error>> {
    Server::with(GREETING, ["--site".into(), folder.path().join("site").into_os_string()])
}

#[test]
fn files_have_types_and_folders_have_pages() -> Tested {
    let folder = site()?;
    let server = serving(&folder)?;
    for (path, kind, text) in [
        ("/", "text/html; charset=utf-8", "<h1>Home</h1>"),
        ("/p/", "text/html; charset=utf-8", "<h1>Page</h1>"),
        ("/p/sub/a%20b.txt?q", "text/plain; charset=utf-8", "text"),
        ("/style.css", "text/css; charset=utf-8", "a {}"),
        ("/app.js", "text/javascript; charset=utf-8", "let a"),
        ("/image.svg", "image/svg+xml", "<svg/>"),
        ("/data.bin", "application/octet-stream", "0123456789"),
        ("/.well-known/security.txt", "text/plain; charset=utf-8", "contact"),
    ] {
        let received = server.get(path)?;
        assert_eq!((received.status, received.text().as_ref()), (200, text), "{path}");
        assert_eq!(received.header("content-type"), Some(kind), "{path}");
        let head = server.fetch(&Request::new("HEAD", path))?;
        assert_eq!((head.status, head.body.len(), head.complete), (200, 0, true), "{path}");
        assert_eq!(head.header("content-length"), received.header("content-length"), "{path}");
    }
    let moved = server.get("/p?a=1")?;
    assert_eq!((moved.status, moved.header("location")), (301, Some("/p/?a=1")));
    let elsewhere = server.get("//p")?;
    assert_eq!((elsewhere.status, elsewhere.header("location")), (301, Some("/p/")), "not another host");
    let posted = server.fetch(&Request::new("POST", "/").body("x"))?;
    assert_eq!((posted.status, posted.header("allow")), (405, Some("GET, HEAD")));
    let page = server.fetch(&Request::get("/p/").header("cookie", "first_name=Ada"))?;
    assert_eq!(page.text(), "<h1>Hello Ada</h1>");
    Ok(())
}

#[test]
fn nothing_leads_out_of_the_folder_or_to_what_is_hidden_in_it() -> Tested {
    let folder = site()?;
    let server = serving(&folder)?;
    for path in [
        "/../secret.txt",
        "/p/../../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/p/%2e%2e%2f%2e%2e%2fsecret.txt",
        "/..%5csecret.txt",
        "/link.txt",
        "/.env",
        "/%2eenv",
        "/.git/config",
        "/p/./index.html",
        "/data.bin%00.html",
        "/data.bin/",
        "/missing",
        "/%ff",
    ] {
        for protocol in [Protocol::Http1, Protocol::Http2] {
            let received = client::fetch(protocol, server.addr, &Request::get(path))?;
            assert_eq!((received.status, received.text().contains("secret")), (404, false), "{path}");
        }
    }
    fs::write(folder.path().join("site/404.html"), "<h1>Lost</h1>")?;
    let lost = server.get("/missing")?;
    assert_eq!((lost.status, lost.text().as_ref()), (404, "<h1>Lost</h1>"));
    Ok(())
}

#[test]
fn a_file_of_any_age_is_served() -> Tested {
    let folder = site()?;
    let server = serving(&folder)?;
    let file = fs::File::options().write(true).open(folder.path().join("site/data.bin"))?;
    file.set_modified(SystemTime::UNIX_EPOCH - Duration::from_secs(86_400))?;
    let received = server.get("/data.bin")?;
    assert_eq!((received.status, received.text().as_ref()), (200, "0123456789"));
    assert_eq!(received.header("last-modified"), Some("Thu, 01 Jan 1970 00:00:00 GMT"));
    Ok(())
}

#[cfg(unix)]
#[test]
fn what_is_no_file_keeps_nobody_waiting() -> Tested {
    let folder = site()?;
    let site = folder.path().join("site");
    let made = std::process::Command::new("mkfifo").args(["pipe", "404.html"]).current_dir(site).status()?;
    assert!(made.success());
    let server = serving(&folder)?;
    let received = server.get("/pipe")?;
    assert_eq!((received.status, received.text().as_ref()), (404, "there is no such file\n"));
    Ok(())
}

#[test]
fn what_a_browser_has_is_confirmed_and_parts_are_parts() -> Tested {
    let folder = site()?;
    let server = serving(&folder)?;
    let whole = server.get("/data.bin")?;
    let etag = whole.header("etag").ok_or("no tag")?.to_owned();
    let date = whole.header("last-modified").ok_or("no date")?.to_owned();
    for (name, value, status) in [
        ("if-none-match", format!("\"x\", W/{etag}"), 304),
        ("if-none-match", "*".to_owned(), 304),
        ("if-none-match", "\"x\"".to_owned(), 200),
        ("if-modified-since", date, 304),
        ("if-modified-since", "Thu, 01 Jan 1970 00:00:00 GMT".to_owned(), 200),
    ] {
        let received = server.fetch(&Request::get("/data.bin").header(name, value.clone()))?;
        assert_eq!((received.status, received.complete), (status, true), "{name}: {value}");
        assert_eq!(received.header("etag"), Some(etag.as_str()));
    }
    for (range, status, text, content_range) in [
        ("bytes=2-4", 206, "234", Some("bytes 2-4/10")),
        ("bytes=-2", 206, "89", Some("bytes 8-9/10")),
        ("bytes=20-", 416, "", Some("bytes */10")),
        ("bytes=0-1,4-5", 200, "0123456789", None),
    ] {
        let received = server.fetch(&Request::get("/data.bin").header("range", range))?;
        assert_eq!(
            (received.status, received.text().as_ref(), received.complete),
            (status, text, true),
            "{range}"
        );
        assert_eq!(received.header("content-range"), content_range, "{range}");
    }
    let head = server.fetch(&Request::new("HEAD", "/data.bin").header("range", "bytes=2-4"))?;
    assert_eq!((head.status, head.header("content-length")), (200, Some("10")), "only GET asks for parts");
    let older = Request::get("/data.bin").header("range", "bytes=2-4").header("if-range", "\"older\"");
    assert_eq!(server.fetch(&older)?.status, 200);
    fs::write(folder.path().join("site/data.bin"), "changed")?;
    let changed = server.fetch(&Request::get("/data.bin").header("if-none-match", etag))?;
    assert_eq!((changed.status, changed.text().as_ref()), (200, "changed"));
    Ok(())
}
