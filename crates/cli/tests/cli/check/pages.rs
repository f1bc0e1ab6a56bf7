//! `--page`: what patches select on files, and on pages of a server.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;

use crate::command::{Run, Tested, data, engraft};

#[test]
fn what_patches_select_is_said_with_its_places() -> Tested {
    let folder = data("check");
    let run = engraft(
        &folder,
        [
            "check",
            "pages.yaml",
            "--page",
            "pages.html",
            "--page",
            "pages.json",
            "--url",
            "https://shop.example/p/1",
        ],
    )?;
    assert_eq!(run.text()?, fs::read_to_string(folder.join("pages.txt"))?);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    Ok(())
}

#[test]
fn a_file_without_a_url_is_tried_with_every_route_and_nothing_is_remarked() -> Tested {
    let run = engraft(&data("check"), ["check", "--format=json", "pages.yaml", "--page", "pages.html"])?;
    let json = run.json()?;
    let routes: Vec<&str> =
        json["pages"].as_array().ok_or("no pages")?.iter().filter_map(|it| it["route"].as_str()).collect();
    assert_eq!(routes, ["product", "rest"]);
    assert_eq!(json["findings"], serde_json::json!([]));
    Ok(())
}

#[test]
fn a_url_that_no_route_is_for_is_said() -> Tested {
    let run = engraft(&data("check"), ["check", "fine.yaml", "--page", "pages.html", "--url", "/elsewhere"])?;
    let last = "\npage pages.html as http://localhost/elsewhere\n  no route is for it\n";
    assert!(run.text()?.ends_with(last), "{run:?}");
    Ok(())
}

/// Answers one request with `response`, and gives back what `check` made of it and what it had asked.
fn served(response: &str) -> Result<(Run, String), Box<dyn std::error::Error>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}/p/1?page=2", listener.local_addr()?);
    thread::scope(|scope| {
        let server = scope.spawn(move || -> std::io::Result<String> {
            let (mut stream, _) = listener.accept()?;
            let mut request = Vec::new();
            let mut buffer = [0; 1024];
            while !request.ends_with(b"\r\n\r\n") {
                let read = stream.read(&mut buffer)?;
                if read == 0 {
                    break;
                }
                request.extend_from_slice(buffer.get(..read).unwrap_or_default());
            }
            stream.write_all(response.as_bytes())?;
            Ok(String::from_utf8_lossy(&request).into_owned())
        });
        let run = engraft(&data("check"), ["check", "--format=json", "pages.yaml", "--page", &url])?;
        let asked = server.join().map_err(|_| "the server failed")??;
        Ok((run, asked))
    })
}

#[test]
fn a_page_of_the_web_is_looked_at_with_the_route_of_its_url() -> Tested {
    let page = fs::read_to_string(data("check").join("pages.html"))?;
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/html; charset=utf-8\r\nconnection: close\r\n";
    let (run, asked) = served(&format!("{head}content-length: {}\r\n\r\n{page}", page.len()))?;
    assert!(asked.starts_with("GET /p/1?page=2 HTTP/1.1\r\n"), "{asked}");
    assert!(!asked.to_ascii_lowercase().contains("accept-encoding"), "{asked}");
    let seen = &run.json()?["pages"][0];
    assert_eq!((&seen["route"], &seen["patches"][0]["matches"]), (&"product".into(), &3.into()), "{run:?}");
    assert_eq!(run.code, Some(0));
    Ok(())
}

#[test]
fn a_page_that_is_not_there_is_a_failure() -> Tested {
    let (run, _) =
        served("HTTP/1.1 302 Found\r\nlocation: /login\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")?;
    assert!(run.stderr.contains("302 Found and leads to /login; give that URL"), "{run:?}");
    assert_eq!(run.code, Some(2));
    let (run, _) = served(
        "HTTP/1.1 302 Found\r\nlocation: /\u{9b}2J\u{202e}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
    )?;
    assert!(run.stderr.contains("leads to /\\u{9b}2J\\u{202e}; give"), "no terminal obeys it: {run:?}");
    let (run, _) =
        served("HTTP/1.1 200 OK\r\ncontent-encoding: br\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")?;
    assert!(run.stderr.contains("the answer is compressed (br)"), "{run:?}");
    assert_eq!(run.code, Some(2));
    let (run, _) = served("HTTP/1.1 200 OK\r\ncontent-length: 9\r\nconnection: close\r\n\r\n<p>")?;
    assert!(run.stderr.contains("can't fetch http://127.0.0.1:"), "{run:?}");
    assert_eq!(run.code, Some(2));
    Ok(())
}

#[test]
fn what_is_no_page_passes_as_it_is() -> Tested {
    let (run, _) = served(
        "HTTP/1.1 200 OK\r\ncontent-type: image/png\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
    )?;
    assert_eq!(run.json()?["pages"][0]["untouched"], "content_type");
    Ok(())
}
