//! Tag names: a number for each that the standard treats in a way of its own, and the bytes of every other.

use std::fmt;
use std::sync::Arc;

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

        const TAGS: &[(&str, Tag)] = &[$(($text, Tag::$variant)),*];

        impl Tag {
            /// How many there are.
            pub(crate) const COUNT: usize = TAGS.len() + 1;

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

/// As many bytes as nearly all known names have, as one number.
type Key = u64;
const KEY_BYTES: usize = size_of::<Key>();

/// A name of at most [`KEY_BYTES`] in lower case, its first byte lowest.
const fn key(name: &[u8]) -> Key {
    let mut key: Key = 0;
    let mut rest = name;
    while let Some((byte, before)) = rest.split_last() {
        key = key << u8::BITS | *byte as Key;
        rest = before;
    }
    key
}

/// The same of the bytes of a tag, in any case, without looking at them one by one.
fn lower_key(name: &[u8]) -> Key {
    let shift = |bytes: usize| u8::BITS.saturating_mul(u32::try_from(bytes).unwrap_or_default());
    let raw = match (name.first_chunk::<4>(), name.last_chunk::<4>()) {
        (Some(first), Some(last)) => {
            let last = Key::from(u32::from_le_bytes(*last));
            Key::from(u32::from_le_bytes(*first)) | last << shift(name.len().saturating_sub(4))
        }
        _ => key(name),
    };
    // Letters have the bit 0x40, those in lower case 0x20 as well. Of what else has it nothing is in a known name.
    const LETTERS: Key = Key::from_le_bytes([0x40; KEY_BYTES]);
    raw | (raw & LETTERS) >> 1
}

/// More slots than names: most are free, so that a name is found, or not, at the first look.
const SLOTS: usize = 512;

#[expect(clippy::cast_possible_truncation, reason = "nine bits are left")]
const fn slot(key: Key) -> usize {
    // Fibonacci hashing: Knuth, The Art of Computer Programming, volume 3, section 6.4.
    (key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (Key::BITS - SLOTS.ilog2())) as usize
}

/// Every known name with a key, at its slot or at the next that was free. Looked up for every tag of a page.
#[expect(clippy::indexing_slicing, reason = "while it is compiled")]
const TABLE: [(Key, Tag); SLOTS] = {
    let mut table = [(0, Tag::Other); SLOTS];
    let mut rest = TAGS;
    while let Some(((text, tag), after)) = rest.split_first() {
        if text.len() <= KEY_BYTES {
            let key = key(text.as_bytes());
            let mut at = slot(key);
            while table[at].0 != 0 {
                at = (at + 1) % SLOTS;
            }
            table[at] = (key, *tag);
        }
        rest = after;
    }
    table
};

impl Tag {
    fn of(name: &[u8]) -> Self {
        if name.len() > KEY_BYTES {
            let found = TAGS.iter().find(|(text, _)| text.as_bytes().eq_ignore_ascii_case(name));
            return found.map_or(Self::Other, |(_, tag)| *tag);
        }
        let key = lower_key(name);
        let mut at = slot(key);
        loop {
            match TABLE.get(at) {
                // A name with a NUL at its end has the key of the name without.
                Some((known, tag)) if *known == key && name.last() != Some(&0) => return *tag,
                Some((1.., _)) => at = at.wrapping_add(1) % SLOTS,
                _ => return Self::Other,
            }
        }
    }
}

/// A tag name in lower case.
#[derive(Clone)]
pub(crate) struct Name {
    pub(crate) tag: Tag,
    /// There unless the name is known.
    other: Option<Arc<[u8]>>,
}

impl Name {
    /// From the bytes of a tag.
    pub(crate) fn new(source: &[u8]) -> Self {
        match Tag::of(source) {
            Tag::Other => Self { tag: Tag::Other, other: Some(source.to_ascii_lowercase().into()) },
            tag => Self::from(tag),
        }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.other.as_deref().unwrap_or_else(|| self.tag.text().as_bytes())
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.tag == other.tag && (self.tag != Tag::Other || self.other == other.other)
    }
}

impl Eq for Name {}

impl From<Tag> for Name {
    fn from(tag: Tag) -> Self {
        Self { tag, other: None }
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
    #[inline]
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

    /// HTML elements that some start tag in them ends (§ 13.2.6.4).
    pub(crate) const fn may_end_by_start_tag(self) -> bool {
        self.has_thoroughly_implied_end()
            || self.is_heading()
            || matches!(
                self,
                Self::A | Self::Nobr | Self::Button | Self::Col | Self::Head | Self::Select | Self::Table
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
        self.is_void()
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found() {
        for (text, tag) in TAGS {
            assert_eq!(Name::new(text.to_ascii_uppercase().as_bytes()).tag, *tag, "{text}");
        }
        for unknown in [&b"x-card"[..], b"", b"a\0", b"\0", b"foreignobject-but-longer"] {
            let name = Name::new(unknown);
            assert_eq!((name.tag, name.bytes()), (Tag::Other, unknown));
        }
    }
}
