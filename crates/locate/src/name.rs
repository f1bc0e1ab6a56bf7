//! Tag names: a number for each that the standard treats in a way of its own, and the bytes of every other.

use std::fmt;

macro_rules! tags {
    ($($variant:ident $text:literal),* $(,)?) => {
        /// A tag name that the tree construction knows.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub(crate) enum Tag {
            /// None of the others.
            Other,
            $($variant),*
        }

        /// Ascending by name: looked up for every tag of a page.
        const TAGS: &[(&str, Tag)] = &[$(($text, Tag::$variant)),*];

        impl Tag {
            fn from_lower(name: &[u8]) -> Self {
                let found = TAGS.binary_search_by(|(text, _)| text.as_bytes().cmp(name));
                found.ok().and_then(|at| TAGS.get(at)).map_or(Self::Other, |(_, tag)| *tag)
            }

            /// The name; empty for [`Tag::Other`].
            pub(crate) const fn text(self) -> &'static str {
                match self {
                    Self::Other => "",
                    $(Self::$variant => $text),*
                }
            }
        }
    };
}

tags! {
    A "a", Address "address", AnnotationXml "annotation-xml", Applet "applet", Area "area", Article "article",
    Aside "aside", B "b", Base "base", Basefont "basefont", Bgsound "bgsound", Big "big", Blockquote "blockquote",
    Body "body", Br "br", Button "button", Caption "caption", Center "center", Code "code", Col "col",
    Colgroup "colgroup", Dd "dd", Desc "desc", Details "details", Dialog "dialog", Dir "dir", Div "div", Dl "dl",
    Dt "dt", Em "em", Embed "embed", Fieldset "fieldset", Figcaption "figcaption", Figure "figure", Font "font",
    Footer "footer", ForeignObject "foreignobject", Form "form", Frame "frame", Frameset "frameset", H1 "h1", H2 "h2",
    H3 "h3", H4 "h4", H5 "h5", H6 "h6", Head "head", Header "header", Hgroup "hgroup", Hr "hr", Html "html", I "i",
    Iframe "iframe", Image "image", Img "img", Input "input", Keygen "keygen", Li "li", Link "link",
    Listing "listing", Main "main", Malignmark "malignmark", Marquee "marquee", Math "math", Menu "menu", Meta "meta",
    Mglyph "mglyph", Mi "mi", Mn "mn", Mo "mo", Ms "ms", Mtext "mtext", Nav "nav", Nobr "nobr", Noembed "noembed",
    Noframes "noframes", Noscript "noscript", Object "object", Ol "ol", Optgroup "optgroup", Option "option", P "p",
    Param "param", Plaintext "plaintext", Pre "pre", Rb "rb", Rp "rp", Rt "rt", Rtc "rtc", Ruby "ruby", S "s",
    Script "script", Search "search", Section "section", Select "select", Small "small", Source "source", Span "span",
    Strike "strike", Strong "strong", Style "style", Sub "sub", Summary "summary", Sup "sup", Svg "svg",
    Table "table", Tbody "tbody", Td "td", Template "template", Textarea "textarea", Tfoot "tfoot", Th "th",
    Thead "thead", Title "title", Tr "tr", Track "track", Tt "tt", U "u", Ul "ul", Var "var", Wbr "wbr", Xmp "xmp",
}

/// A tag name in lower case.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) tag: Tag,
    /// Empty for a known one.
    other: Box<[u8]>,
}

/// Longer names than any known one need not be looked up.
const LONGEST: usize = 16;

impl Name {
    /// From the bytes of a tag.
    pub(crate) fn new(source: &[u8]) -> Self {
        let mut lower = [0_u8; LONGEST];
        if let Some(lower) = lower.get_mut(..source.len()) {
            lower.copy_from_slice(source);
            lower.make_ascii_lowercase();
            match Tag::from_lower(lower) {
                Tag::Other => Self { tag: Tag::Other, other: (*lower).into() },
                tag => Self { tag, other: Box::default() },
            }
        } else {
            Self { tag: Tag::Other, other: source.to_ascii_lowercase().into() }
        }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        if self.tag == Tag::Other { &self.other } else { self.tag.text().as_bytes() }
    }
}

impl From<Tag> for Name {
    fn from(tag: Tag) -> Self {
        Self { tag, other: Box::default() }
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(self.bytes()))
    }
}

impl Tag {
    /// Elements without content (WHATWG HTML § 13.1.2), with the old ones that the parser treats so.
    pub(crate) const fn is_void(self) -> bool {
        matches!(
            self,
            Self::Area
                | Self::Base
                | Self::Basefont
                | Self::Bgsound
                | Self::Br
                | Self::Col
                | Self::Embed
                | Self::Frame
                | Self::Hr
                | Self::Img
                | Self::Input
                | Self::Keygen
                | Self::Link
                | Self::Meta
                | Self::Param
                | Self::Source
                | Self::Track
                | Self::Wbr
        )
    }

    /// Formatting elements (WHATWG HTML § 13.2.4.2).
    pub(crate) const fn is_formatting(self) -> bool {
        matches!(
            self,
            Self::A
                | Self::B
                | Self::Big
                | Self::Code
                | Self::Em
                | Self::Font
                | Self::I
                | Self::Nobr
                | Self::S
                | Self::Small
                | Self::Strike
                | Self::Strong
                | Self::Tt
                | Self::U
        )
    }

    /// `h1` to `h6`.
    pub(crate) const fn is_heading(self) -> bool {
        matches!(self, Self::H1 | Self::H2 | Self::H3 | Self::H4 | Self::H5 | Self::H6)
    }

    /// Elements whose end tags "generate implied end tags" generates (§ 13.2.6.3).
    pub(crate) const fn has_implied_end(self) -> bool {
        matches!(
            self,
            Self::Dd
                | Self::Dt
                | Self::Li
                | Self::Optgroup
                | Self::Option
                | Self::P
                | Self::Rb
                | Self::Rp
                | Self::Rt
                | Self::Rtc
        )
    }

    /// The same, thoroughly (§ 13.2.6.3).
    pub(crate) const fn has_thoroughly_implied_end(self) -> bool {
        self.has_implied_end()
            || matches!(
                self,
                Self::Caption
                    | Self::Colgroup
                    | Self::Tbody
                    | Self::Td
                    | Self::Tfoot
                    | Self::Th
                    | Self::Thead
                    | Self::Tr
            )
    }

    /// `table` and what stands directly in it: where other content is foster-parented.
    pub(crate) const fn fosters(self) -> bool {
        matches!(self, Self::Table | Self::Tbody | Self::Tfoot | Self::Thead | Self::Tr)
    }

    /// Elements that only end a paragraph before them and have an end tag of their own (§ 13.2.6.4.7).
    pub(crate) const fn is_block(self) -> bool {
        matches!(
            self,
            Self::Address
                | Self::Article
                | Self::Aside
                | Self::Blockquote
                | Self::Center
                | Self::Details
                | Self::Dialog
                | Self::Dir
                | Self::Div
                | Self::Dl
                | Self::Fieldset
                | Self::Figcaption
                | Self::Figure
                | Self::Footer
                | Self::Header
                | Self::Hgroup
                | Self::Main
                | Self::Menu
                | Self::Nav
                | Self::Search
                | Self::Section
                | Self::Summary
        )
    }

    /// HTML elements in the special category (§ 13.2.4.2).
    pub(crate) const fn is_special(self) -> bool {
        self.is_void_special()
            || self.is_heading()
            || matches!(
                self,
                Self::Address
                    | Self::Applet
                    | Self::Article
                    | Self::Aside
                    | Self::Blockquote
                    | Self::Body
                    | Self::Button
                    | Self::Caption
                    | Self::Center
                    | Self::Colgroup
                    | Self::Dd
                    | Self::Details
                    | Self::Dir
                    | Self::Div
                    | Self::Dl
                    | Self::Dt
                    | Self::Fieldset
                    | Self::Figcaption
                    | Self::Figure
                    | Self::Footer
                    | Self::Form
                    | Self::Frameset
                    | Self::Head
                    | Self::Header
                    | Self::Hgroup
                    | Self::Html
                    | Self::Iframe
                    | Self::Li
                    | Self::Listing
                    | Self::Main
                    | Self::Marquee
                    | Self::Menu
                    | Self::Nav
                    | Self::Noembed
                    | Self::Noframes
                    | Self::Noscript
                    | Self::Object
                    | Self::Ol
                    | Self::P
                    | Self::Plaintext
                    | Self::Pre
                    | Self::Script
                    | Self::Search
                    | Self::Section
                    | Self::Select
                    | Self::Style
                    | Self::Summary
                    | Self::Table
                    | Self::Tbody
                    | Self::Td
                    | Self::Template
                    | Self::Textarea
                    | Self::Tfoot
                    | Self::Th
                    | Self::Thead
                    | Self::Title
                    | Self::Tr
                    | Self::Ul
                    | Self::Xmp
            )
    }

    const fn is_void_special(self) -> bool {
        self.is_void()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found() {
        assert!(TAGS.is_sorted_by(|(a, _), (b, _)| a < b));
        for (text, tag) in TAGS {
            assert_eq!(Name::new(text.to_ascii_uppercase().as_bytes()).tag, *tag, "{text}");
        }
        assert_eq!(Name::new(b"x-card").tag, Tag::Other);
    }
}
