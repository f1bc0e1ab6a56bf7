//! The attributes that hold URLs (WHATWG HTML, index of attributes; § 16.2, obsolete features; SVG 2 § 16.1).
//!
//! Left alone: identifiers (`itemid`, `itemtype`), references into the page (`usemap`), scripts, data, and the pages inside
//! of `srcdoc`.

use std::rc::Rc;
use std::sync::Arc;

use super::css;
use super::page::Page;
use super::rules::UrlRules;
use super::{refresh, srcset};
use crate::html::outcome::Skip;
use crate::html::tag_rewrite::{AttributeChange, TagRewrite, TagView};

/// Rewrites the URLs in start tags.
#[derive(Debug)]
pub(crate) struct TagUrls {
    pub(crate) rules: Arc<UrlRules>,
    pub(crate) page: Rc<Page>,
}

/// What is in an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Url,
    Image,
    /// URLs between spaces.
    List,
    /// Candidates for one image.
    Srcset,
    /// Declarations.
    Style,
}

/// Where URLs stand in HTML elements; `*` for every element.
const HTML: &[(&str, &[&str], Form)] = &[
    ("href", &["a", "area", "link"], Form::Url),
    ("ping", &["a", "area"], Form::List),
    ("src", &["audio", "embed", "frame", "iframe", "script", "source", "track", "video"], Form::Url),
    ("src", &["img", "input"], Form::Image),
    ("srcset", &["img", "source"], Form::Srcset),
    ("imagesrcset", &["link"], Form::Srcset),
    ("poster", &["video"], Form::Image),
    ("data", &["object"], Form::Url),
    ("action", &["form"], Form::Url),
    ("formaction", &["button", "input"], Form::Url),
    ("cite", &["blockquote", "del", "ins", "q"], Form::Url),
    ("background", &["body", "table", "tbody", "td", "tfoot", "th", "thead", "tr"], Form::Image),
    ("longdesc", &["frame", "iframe", "img"], Form::Url),
    ("lowsrc", &["img"], Form::Image),
    ("manifest", &["html"], Form::Url),
    ("style", &["*"], Form::Style),
];

/// Where they stand in SVG elements.
const SVG: &[(&str, &[&str], Form)] = &[
    ("href", &["a", "script", "use"], Form::Url),
    ("xlink:href", &["a", "script", "use"], Form::Url),
    ("href", &["feimage", "image"], Form::Image),
    ("xlink:href", &["feimage", "image"], Form::Image),
    ("style", &["*"], Form::Style),
];

/// Which elements are looked at. By their names where the name says it: SVG has `xlink:href` besides `href`.
pub(crate) const SELECTOR: &str = "base, link, style, script, img, source, a, area, iframe, frame, form, input, button, \
     video, audio, track, embed, object, blockquote, q, ins, del, use, image, feImage, html[manifest], \
     meta[http-equiv][content], [background], [style]";

const ATTRIBUTES: &[&str] = &[
    "href",
    "ping",
    "src",
    "srcset",
    "imagesrcset",
    "poster",
    "data",
    "action",
    "formaction",
    "cite",
    "background",
    "longdesc",
    "lowsrc",
    "manifest",
    "style",
    "xlink:href",
    "http-equiv",
    "content",
    "rel",
    "as",
];

impl TagRewrite for TagUrls {
    fn attributes(&self) -> Vec<&str> {
        ATTRIBUTES.to_vec()
    }

    fn rewrite(&self, tag: &TagView<'_>) -> Result<Vec<AttributeChange>, Skip> {
        let is_covered = self.rules.covers(tag.name);
        if tag.html && tag.name == "base" {
            // What is relative to it is so whether it is rewritten or not.
            let rewrite = |href: &str| if is_covered { self.rules.rewrite_base(href) } else { None };
            let new = tag.get("href").and_then(|href| self.page.take_base(href, rewrite));
            return Ok(new.map(|new| AttributeChange::Set("href".into(), new)).into_iter().collect());
        }
        if !is_covered {
            return Ok(Vec::new());
        }
        let mut changes = Vec::new();
        for (name, elements, form) in if tag.html { HTML } else { SVG } {
            let Some(value) = tag.get(name) else { continue };
            if elements.contains(&tag.name) || elements.contains(&"*") {
                let form = if is_icon(tag, name) { Form::Image } else { *form };
                changes.extend(self.value(value, form).map(|new| AttributeChange::Set((*name).into(), new)));
            }
        }
        let is_refresh = || tag.get("http-equiv").is_some_and(|it| it.eq_ignore_ascii_case("refresh"));
        if tag.html && tag.name == "meta" && is_refresh() {
            let content = tag.get("content").unwrap_or_default();
            let new =
                rewrite_at(content, refresh::url(content), |url| self.rules.rewrite(url, false, &self.page));
            changes.extend(new.map(|new| AttributeChange::Set("content".into(), new)));
        }
        Ok(changes)
    }
}

impl TagUrls {
    fn value(&self, value: &str, form: Form) -> Option<String> {
        let rewrite = |url: &str| self.rules.rewrite(url, false, &self.page);
        let rewrite_image = |url: &str| self.rules.rewrite(url, true, &self.page);
        match form {
            Form::Url => rewrite(value),
            Form::Image => rewrite_image(value),
            Form::List => rewrite_at(value, words(value), rewrite),
            Form::Srcset => rewrite_at(value, srcset::urls(value), |url| {
                // The ends of a candidate's URL can't be commas, and spaces end it.
                rewrite_image(url).filter(|new| !new.ends_with(',') && !new.contains(char::is_whitespace))
            }),
            Form::Style => css::rewrite_declarations(value, |url| rewrite(url)),
        }
    }
}

/// Whether this is the URL of an image in a `link`.
fn is_icon(tag: &TagView<'_>, attribute: &str) -> bool {
    const ICONS: [&str; 4] = ["icon", "apple-touch-icon", "apple-touch-icon-precomposed", "mask-icon"];
    let says = |name: &str, words: &[&str]| {
        let value = tag.get(name).unwrap_or_default();
        value.split_ascii_whitespace().any(|word| words.iter().any(|it| it.eq_ignore_ascii_case(word)))
    };
    let is_preload = || says("rel", &["preload"]) && says("as", &["image"]);
    tag.name == "link" && attribute == "href" && (says("rel", &ICONS) || is_preload())
}

/// The words between ASCII whitespace.
fn words(value: &str) -> Vec<std::ops::Range<usize>> {
    let mut at = 0;
    let mut words = Vec::new();
    for word in value.split(|c: char| c.is_ascii_whitespace()) {
        let end = at + word.len();
        if !word.is_empty() {
            words.push(at..end);
        }
        at = end + 1;
    }
    words
}

/// `value` with what `rewrite` makes of the parts at `places`; `None` where it makes nothing of any of them.
pub(crate) fn rewrite_at(
    value: &str,
    places: impl IntoIterator<Item = std::ops::Range<usize>>,
    rewrite: impl Fn(&str) -> Option<String>,
) -> Option<String> {
    let mut out = String::new();
    let mut kept = 0;
    for place in places {
        let Some(new) = value.get(place.clone()).and_then(&rewrite) else { continue };
        out.push_str(value.get(kept..place.start).unwrap_or_default());
        out.push_str(&new);
        kept = place.end;
    }
    if kept == 0 {
        return None;
    }
    out.push_str(value.get(kept..).unwrap_or_default());
    Some(out)
}
