//! What the value of an attribute is, by its name and by the element that it stands on (WHATWG HTML, index of attributes;
//! SVG 2; what Go's html/template and the Trusted Types specification hold to be dangerous).

/// What an attribute's value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Class {
    /// Text.
    Text,
    /// A URL.
    Url(Leads),
    /// Candidates of an image: URLs with descriptors, separated by commas.
    Candidates,
    /// Declarations of CSS.
    Style,
    /// The value of a property of CSS.
    StyleValue,
    /// More than any escaping can make safe.
    Refused(Hazard),
}

/// What a URL is followed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Leads {
    /// A page to go to, or a picture: wherever it leads, nothing is run here.
    Anywhere,
    /// Script, style or a document that becomes part of this page, or a place where its data is sent: where it leads must be
    /// constant.
    Fixed,
}

/// Why an attribute takes no values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Hazard {
    /// A URL that others are relative to, or a list of them.
    Url,
    /// Script.
    Script,
    /// A document.
    Document,
    /// It changes what another attribute or element means.
    Meaning,
}

/// Attributes with one URL.
const URLS: &[&str] = &[
    "action",
    "background",
    "cite",
    "data",
    "dynsrc",
    "formaction",
    "href",
    "icon",
    "itemid",
    "longdesc",
    "lowsrc",
    "poster",
    "src",
    "xlink:href",
];
/// Attributes with URLs that others are relative to, that name versions of documents, or that are lists.
const URL_HAZARDS: &[&str] = &[
    "archive", "classid", "codebase", "itemtype", "manifest", "ping", "profile", "usemap", "xml:base",
    "xmlns",
];
/// SVG animation writes the first of these into other attributes; the rest say how something else is read, sent or run.
const MEANING: &[&str] = &[
    "attributename",
    "by",
    "from",
    "to",
    "values",
    "accept-charset",
    "allow",
    "as",
    "async",
    "charset",
    "crossorigin",
    "csp",
    "defer",
    "enctype",
    "form",
    "formenctype",
    "formmethod",
    "http-equiv",
    "integrity",
    "is",
    "language",
    "method",
    "nonce",
    "referrerpolicy",
    "rel",
    "sandbox",
    "shadowrootmode",
    "type",
];
/// Presentation attributes of SVG that may have `url(…)` in them.
const STYLE_VALUES: &[&str] = &[
    "clip-path",
    "cursor",
    "fill",
    "filter",
    "marker",
    "marker-end",
    "marker-mid",
    "marker-start",
    "mask",
    "stroke",
];

/// Attributes that frameworks in the page run as code or send as requests: Vue, Alpine, Angular, htmx, Livewire, Knockout and
/// Google's jsaction. Names with `@`, `(`, `[`, `*` or `#` are theirs too.
const CODE_PREFIXES: &[&str] = &["@", ":", "v-", "x-", "ng-", "hx-", "wire:", "bind", "jsaction", "_"];

/// Elements on which `href` and `src` lead to a page or a picture. On all others they may load what runs.
const LINKS: &[&str] = &["a", "area"];
const MEDIA: &[&str] = &["audio", "image", "img", "input", "source", "track", "video"];

/// What the attribute `name` is on the element `tag`, both in lower case; `None` stands for the element on which it does
/// least. Like Go's html/template, names of custom attributes that speak of URLs are taken at their word.
#[must_use]
pub fn class(tag: Option<&str>, name: &str) -> Class {
    let bare = name.strip_prefix("data-").unwrap_or(name);
    if bare.starts_with("on") || CODE_PREFIXES.iter().any(|prefix| bare.starts_with(prefix)) {
        return Class::Refused(Hazard::Script);
    }
    if !bare.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':')) {
        return Class::Refused(Hazard::Script);
    }
    let on = |elements: &[&str]| tag.is_none_or(|tag| elements.contains(&tag));
    match (tag, name) {
        (Some("base"), "href") => return Class::Refused(Hazard::Url),
        // A `refresh` would make it a URL, a `content-security-policy` a policy; a parameter of an object may be either.
        (Some("meta"), "content") | (Some("param"), "value" | "name") => {
            return Class::Refused(Hazard::Meaning);
        }
        _ => {}
    }
    match bare {
        "srcdoc" => Class::Refused(Hazard::Document),
        "style" => Class::Style,
        "srcset" | "imagesrcset" => Class::Candidates,
        "href" | "xlink:href" if on(LINKS) => Class::Url(Leads::Anywhere),
        "src" if on(MEDIA) => Class::Url(Leads::Anywhere),
        "background" | "cite" | "dynsrc" | "icon" | "itemid" | "longdesc" | "lowsrc" | "poster" => {
            Class::Url(Leads::Anywhere)
        }
        _ if URLS.contains(&bare) => Class::Url(Leads::Fixed),
        _ if URL_HAZARDS.contains(&bare) => Class::Refused(Hazard::Url),
        _ if MEANING.contains(&name) => Class::Refused(Hazard::Meaning),
        _ if STYLE_VALUES.contains(&name) => Class::StyleValue,
        _ => {
            let custom = name != bare || name.contains([':', '-']);
            let speaks_of_urls =
                custom && ["src", "uri", "url", "href"].iter().any(|part| bare.contains(part));
            if speaks_of_urls { Class::Url(Leads::Fixed) } else { Class::Text }
        }
    }
}

/// What a `meta` element says of its `content` in its other attributes.
#[derive(Debug, Default)]
pub(super) struct Meta {
    name: Option<String>,
    is_directive: bool,
}

/// Names of meta elements whose content is text for people, search engines and other sites.
const TEXT_META: &[&str] = &[
    "application-name",
    "apple-mobile-web-app-title",
    "author",
    "copyright",
    "description",
    "keywords",
    "news_keywords",
    "publisher",
    "title",
];

impl Meta {
    /// Takes a constant attribute.
    pub(super) fn read(&mut self, attribute: &str, value: &str) {
        match attribute {
            "name" | "property" | "itemprop" if self.name.is_none() => {
                self.name = Some(value.trim().to_ascii_lowercase())
            }
            "http-equiv" | "charset" => self.is_directive = true,
            _ => {}
        }
    }

    /// Whether its content is text, and nothing that a browser obeys.
    pub(super) fn is_text(&self) -> bool {
        let known = |name: &String| TEXT_META.contains(&name.as_str()) || name.contains(':');
        !self.is_directive && self.name.as_ref().is_some_and(known)
    }
}
