//! The page on which operations are done.

use std::io;

use engraft_harness::workspace;

/// See the [module](self).
pub(crate) struct Subject {
    pub(crate) name: &'static str,
    pub(crate) markup: String,
    /// A host that its links name.
    pub(crate) host: &'static str,
}

/// A real page, which a clone of the repository alone lacks.
const REAL: &str = "../shared/pages/cloudflare.com.html";
/// As long as the real one.
const BYTES: usize = 119_237;

/// The real page, or one made up where there is none.
pub(crate) fn find() -> io::Result<Subject> {
    match std::fs::read_to_string(workspace::root().join(REAL)) {
        Ok(markup) => Ok(Subject { name: "cloudflare.com.html", markup, host: "www.cloudflare.com" }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Ok(Subject { name: "a page made up", markup: made_up(), host: "shop.example" })
        }
        Err(error) => Err(error),
    }
}

fn made_up() -> String {
    const SECTION: &str = r#"<section class="card card--wide" data-kind="offer"><h2 class="card__title">An offer</h2>
<p class="card__text">Free shipping for 30 days, and so on: text with <a href="https://shop.example/terms">terms</a> &amp;
conditions, as pages have the most of.</p>
<img src="https://shop.example/i/lamp.jpg" alt="A lamp" width="320" height="200">
<ul class="list"><li>One<li class="on"><a href="/p/lamp?ref=list" rel="nofollow">Two</a></ul></section>
"#;
    let head = "<!DOCTYPE html><html lang=en><head><meta charset=utf-8><title>Offers</title>\
                <meta name=description content=\"Offers\"></head><body>\n";
    let sections = BYTES.saturating_sub(head.len()).div_ceil(SECTION.len());
    [head, &SECTION.repeat(sections), "</body></html>\n"].concat()
}
