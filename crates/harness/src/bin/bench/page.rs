//! The pages, and five edits for each: once as patches, for the plugins, and once as literal markup before and after, for Lua and
//! for the check that every contender makes the very same page.

use std::fmt;
use std::io;
use std::path::PathBuf;

use engraft_harness::workspace;
use serde_json::{Value, json};

/// A page and what is done to it.
#[derive(Clone)]
pub(crate) struct Page {
    pub(crate) name: &'static str,
    pub(crate) markup: String,
    pub(crate) edits: &'static [Edit; 5],
}

/// One edit of the first element that matches.
pub(crate) struct Edit {
    select: &'static str,
    change: Change,
    /// The literal markup that it is about…
    pub(crate) from: &'static str,
    /// …and what becomes of it.
    pub(crate) to: &'static str,
}

enum Change {
    Text(&'static str),
    Attribute(&'static str, &'static str),
    Class(&'static str),
    Append(&'static str),
}

/// Where a page lies, relative to the workspace.
struct Source {
    name: &'static str,
    folder: &'static str,
    edits: &'static [Edit; 5],
}

/// Real pages, as large as pages are and larger; a clone of the repository alone lacks them.
const REAL: [Source; 2] = [
    Source { name: "cloudflare.com.html", folder: "../shared/pages", edits: &CLOUDFLARE },
    Source { name: "html-parsing-spec.html", folder: "../shared/pages", edits: &HTML_STANDARD },
];
/// Measured where there is none of those.
const SHOP: Source = Source { name: "index.html", folder: "examples/shop/site/p/aurora", edits: &AURORA };

/// The pages that are there, and the paths of those that are not.
pub(crate) fn find() -> Result<(Vec<Page>, Vec<PathBuf>), PageError> {
    let (present, absent): (Vec<&Source>, Vec<&Source>) =
        REAL.iter().partition(|source| source.path().exists());
    let present = if present.is_empty() { vec![&SHOP] } else { present };
    let pages = present.into_iter().map(Source::read).collect::<Result<_, _>>()?;
    Ok((pages, absent.into_iter().map(Source::path).collect()))
}

impl Source {
    fn path(&self) -> PathBuf {
        workspace::root().join(self.folder).join(self.name)
    }

    fn read(&self) -> Result<Page, PageError> {
        let path = self.path();
        match std::fs::read_to_string(&path) {
            Ok(markup) => Ok(Page { name: self.name, markup, edits: self.edits }),
            Err(source) => Err(PageError::Unreadable { path, source }),
        }
    }
}

impl Page {
    /// The page as it has to come out of every contender.
    pub(crate) fn edited(&self) -> Result<String, PageError> {
        let mut edited = String::with_capacity(self.markup.len());
        let mut rest = self.markup.as_str();
        for edit in self.edits {
            let absent = PageError::OtherPage { name: self.name, lacks: edit.from };
            let (before, after) = rest.split_once(edit.from).ok_or(absent)?;
            edited.push_str(before);
            edited.push_str(edit.to);
            rest = after;
        }
        Ok(edited + rest)
    }

    /// The edits in engraft's patch language.
    pub(crate) fn patches(&self) -> Vec<Value> {
        self.edits.iter().map(Edit::patch).collect()
    }

    /// The same page with paragraphs after it until it is so long.
    pub(crate) fn grown_to(&self, bytes: usize) -> Self {
        const PARAGRAPH: &str = "<p>And so on, paragraph after paragraph, as long pages do.</p>\n";
        let missing = bytes.saturating_sub(self.markup.len()).div_ceil(PARAGRAPH.len());
        Self { markup: self.markup.clone() + &PARAGRAPH.repeat(missing), ..self.clone() }
    }
}

impl Edit {
    fn patch(&self) -> Value {
        let select = self.select;
        match self.change {
            Change::Text(text) => json!({ "select": select, "text": text }),
            Change::Attribute(name, value) => {
                json!({ "select": select, "attributes": { "set": { name: value } } })
            }
            Change::Class(class) => json!({ "select": select, "class": { "add": [class] } }),
            Change::Append(markup) => json!({ "select": select, "append": markup }),
        }
    }
}

/// From 0.1 % to 97 % of 119 KB.
const CLOUDFLARE: [Edit; 5] = [
    Edit {
        select: "title",
        change: Change::Text("Cloudflare for online shops"),
        from: "<title>Cloudflare - The Web Performance & Security Company | Cloudflare</title>",
        to: "<title>Cloudflare for online shops</title>",
    },
    Edit {
        select: "link[rel=stylesheet]",
        change: Change::Attribute("href", "/css/application-b.css"),
        from: r#"<link rel="stylesheet" href="/css/application-cd2e0a331e.css">"#,
        to: r#"<link rel="stylesheet" href="/css/application-b.css">"#,
    },
    Edit {
        select: "h1.header-h1",
        change: Change::Text("Helping build a better shop"),
        from: concat!(
            r#"<h1 class="header-h1">"#,
            "\n                    Helping Build a Better Internet\n                  </h1>"
        ),
        to: r#"<h1 class="header-h1">Helping build a better shop</h1>"#,
    },
    Edit {
        select: "h1.marketing-h2",
        change: Change::Class("is-b"),
        from: r#"<h1 class="marketing-h2 marketing-h2--long-title marketing-h2--center">"#,
        to: r#"<h1 class="marketing-h2 marketing-h2--long-title marketing-h2--center is-b">"#,
    },
    Edit {
        select: "footer.main-footer",
        change: Change::Append(r#"<p class="main-footer__note">Prices in US dollars.</p>"#),
        from: "</footer>",
        to: r#"<p class="main-footer__note">Prices in US dollars.</p></footer>"#,
    },
];

/// From the start to 98 % of 714 KB; the page writes attributes without quotes.
const HTML_STANDARD: [Edit; 5] = [
    Edit {
        select: "title",
        change: Change::Text("HTML Standard, parsing"),
        from: "<title>HTML Standard</title>",
        to: "<title>HTML Standard, parsing</title>",
    },
    Edit {
        select: "link[rel=icon]",
        change: Change::Attribute("href", "/logo.svg"),
        from: "<link href=https://resources.whatwg.org/logo.svg rel=icon>",
        to: r#"<link href="/logo.svg" rel=icon>"#,
    },
    Edit {
        select: "dl.switch",
        change: Change::Class("is-b"),
        from: "<dl class=switch>",
        to: r#"<dl class="switch is-b">"#,
    },
    Edit {
        select: "dfn#adoption-agency-algorithm",
        change: Change::Text("algorithm for misnested tags"),
        from: "<dfn id=adoption-agency-algorithm>adoption agency algorithm</dfn>",
        to: "<dfn id=adoption-agency-algorithm>algorithm for misnested tags</dfn>",
    },
    Edit {
        select: "dfn#escapingString",
        change: Change::Append("<sup>new</sup>"),
        from: "Escaping a string</dfn>",
        to: "Escaping a string<sup>new</sup></dfn>",
    },
];

/// The demo shop's product page, 11 KB.
const AURORA: [Edit; 5] = [
    Edit {
        select: "title",
        change: Change::Text("Aurora, for members"),
        from: "<title>Aurora, table lamp: Lisle &amp; Fenn</title>",
        to: "<title>Aurora, for members</title>",
    },
    Edit {
        select: "link[rel=stylesheet]",
        change: Change::Attribute("href", "/assets/style-b.css"),
        from: r#"<link rel="stylesheet" href="/assets/style.css">"#,
        to: r#"<link rel="stylesheet" href="/assets/style-b.css">"#,
    },
    Edit {
        select: ".buy h1",
        change: Change::Text("Aurora, signed"),
        from: "<h1>Aurora</h1>",
        to: "<h1>Aurora, signed</h1>",
    },
    Edit {
        select: "ul.offers",
        change: Change::Class("offers--pro"),
        from: r#"<ul class="offers">"#,
        to: r#"<ul class="offers offers--pro">"#,
    },
    Edit {
        select: "footer.site-footer",
        change: Change::Append(r#"<p class="wrap fine">Prices in US dollars.</p>"#),
        from: "</footer>",
        to: r#"<p class="wrap fine">Prices in US dollars.</p></footer>"#,
    },
];

/// Why a page can't be measured.
#[derive(Debug)]
pub(crate) enum PageError {
    Unreadable { path: PathBuf, source: io::Error },
    OtherPage { name: &'static str, lacks: &'static str },
}

impl fmt::Display for PageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { path, source } => write!(f, "could not read {}: {source}", path.display()),
            Self::OtherPage { name, lacks } => {
                write!(
                    f,
                    "{name} is not the page that the edits were written for: it lacks {lacks:?}, or has it elsewhere"
                )
            }
        }
    }
}

impl std::error::Error for PageError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_has_what_its_edits_are_about_in_their_order() -> Result<(), PageError> {
        for source in REAL.iter().chain([&SHOP]).filter(|source| source.path().exists()) {
            let page = source.read()?;
            let edited = page.edited()?;
            assert!(page.edits.iter().all(|edit| edited.contains(edit.to)), "{}", page.name);
        }
        Ok(())
    }
}
