//! `preconnect` and `preload`: one link, as an element and as a header.

use crate::template::escape::markup;

/// A link of a constant kind, its texts in ASCII.
#[derive(Debug)]
pub(crate) struct Link {
    href: String,
    parameters: Vec<(&'static str, String)>,
}

impl Link {
    pub(crate) fn new(rel: &str, href: &str) -> Self {
        Self { href: href.to_owned(), parameters: vec![("rel", rel.to_owned())] }
    }

    pub(crate) fn add(&mut self, name: &'static str, value: Option<&str>) {
        self.parameters.extend(value.map(|value| (name, value.to_owned())));
    }

    /// `<link rel="preload" href="…" as="font">`
    pub(crate) fn markup(&self) -> String {
        let href = ("href", &self.href);
        let parameters = self.parameters.iter().map(|(name, value)| (*name, value));
        let mut out = String::from("<link");
        for (name, value) in parameters.clone().take(1).chain([href]).chain(parameters.skip(1)) {
            out.push(' ');
            out.push_str(name);
            out.push_str("=\"");
            markup(value, &mut out);
            out.push('"');
        }
        out.push('>');
        out
    }

    /// `<…>; rel=preload; as=font` (RFC 8288 § 3).
    pub(crate) fn header(&self) -> String {
        let mut out = format!("<{}>", self.href);
        for (name, value) in &self.parameters {
            out.push_str("; ");
            out.push_str(name);
            out.push('=');
            if value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') && !value.is_empty() {
                out.push_str(value);
                continue;
            }
            out.push('"');
            for character in value.chars() {
                if matches!(character, '"' | '\\') {
                    out.push('\\');
                }
                out.push(character);
            }
            out.push('"');
        }
        out
    }
}
