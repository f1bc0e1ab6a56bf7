//! Which types of scripts are JavaScript.

/// Whether a MIME type without parameters is one of JavaScript (WHATWG MIME Sniffing § 4.6), in any case.
pub(crate) fn is_javascript(essence: &str) -> bool {
    TYPES.iter().any(|known| known.eq_ignore_ascii_case(essence))
}

const TYPES: &[&str] = &[
    "application/ecmascript",
    "application/javascript",
    "application/x-ecmascript",
    "application/x-javascript",
    "text/ecmascript",
    "text/javascript",
    "text/javascript1.0",
    "text/javascript1.1",
    "text/javascript1.2",
    "text/javascript1.3",
    "text/javascript1.4",
    "text/javascript1.5",
    "text/jscript",
    "text/livescript",
    "text/x-ecmascript",
    "text/x-javascript",
];
