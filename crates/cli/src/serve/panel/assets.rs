//! The panel itself: its page and what that loads, as they stand in `web/`.
//!
//! The page's policy lets nothing in but these files, frames and data of this server, and has the browser refuse to make markup of texts
//! anywhere in them.

use http::{HeaderValue, Response, header};

use super::{Outgoing, typed, written};

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; frame-src 'self'; \
                      img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
                      require-trusted-types-for 'script'; trusted-types 'none'";

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// Path, type and text of each.
const FILES: &[(&str, &str, &str)] = &[
    ("/", HTML, include_str!("web/index.html")),
    ("/icon.svg", SVG, include_str!("web/icon.svg")),
    ("/theme.css", CSS, include_str!("web/theme.css")),
    ("/layout.css", CSS, include_str!("web/layout.css")),
    ("/sections.css", CSS, include_str!("web/sections.css")),
    ("/sides.css", CSS, include_str!("web/sides.css")),
    ("/main.js", JAVASCRIPT, include_str!("web/main.js")),
    ("/dom.js", JAVASCRIPT, include_str!("web/dom.js")),
    ("/server.js", JAVASCRIPT, include_str!("web/server.js")),
    ("/words.js", JAVASCRIPT, include_str!("web/words.js")),
    ("/list.js", JAVASCRIPT, include_str!("web/list.js")),
    ("/detail.js", JAVASCRIPT, include_str!("web/detail.js")),
    ("/decisions.js", JAVASCRIPT, include_str!("web/decisions.js")),
    ("/patches.js", JAVASCRIPT, include_str!("web/patches.js")),
    ("/rows.js", JAVASCRIPT, include_str!("web/rows.js")),
    ("/sides.js", JAVASCRIPT, include_str!("web/sides.js")),
    ("/headers.js", JAVASCRIPT, include_str!("web/headers.js")),
    ("/cache.js", JAVASCRIPT, include_str!("web/cache.js")),
    ("/timings.js", JAVASCRIPT, include_str!("web/timings.js")),
    ("/view.js", JAVASCRIPT, include_str!("web/view.js")),
    ("/copies.js", JAVASCRIPT, include_str!("web/copies.js")),
];

/// The file at a path.
pub(super) fn find(path: &str) -> Option<Response<Outgoing>> {
    let (_, content_type, text) = FILES.iter().find(|(at, _, _)| *at == path)?;
    let mut response = typed(content_type, written(*text));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
    Some(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_served_and_every_import_is_a_file() {
        let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/src/serve/panel/web");
        for entry in std::fs::read_dir(dir).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let path = if name == "index.html" { "/".to_owned() } else { format!("/{name}") };
            assert!(find(&path).is_some(), "{path}");
        }
        for (path, content_type, text) in FILES.iter().filter(|(_, it, _)| *it == JAVASCRIPT) {
            for import in text.lines().filter(|line| line.starts_with("import ")) {
                let from = import.split('\'').nth(1).unwrap().strip_prefix('.').unwrap();
                assert!(find(from).is_some(), "{path} ({content_type}) imports {from}");
            }
        }
    }
}
