//! What a body is, by the header that says so.

use http::{HeaderMap, header};

/// The media type in lower case, without its parameters; nothing where none is said.
pub(crate) fn essence(headers: &HeaderMap) -> String {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = content_type.unwrap_or_default().split(';').next().unwrap_or_default();
    essence.trim().to_ascii_lowercase()
}

/// Whether it is that of a page.
pub(crate) fn is_html(essence: &str) -> bool {
    matches!(essence, "text/html" | "application/xhtml+xml")
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn parameters_and_capitals_are_no_part_of_it() {
        for (said, expected) in [
            ("Text/HTML; charset=utf-8", "text/html"),
            (" application/ld+json ;a=b", "application/ld+json"),
            ("", ""),
            ("caf\u{e9}", ""),
        ] {
            let value = HeaderValue::from_bytes(said.as_bytes()).unwrap();
            let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, value)]);
            assert_eq!(essence(&headers), expected, "{said}");
        }
        assert_eq!(essence(&HeaderMap::new()), "");
    }
}
