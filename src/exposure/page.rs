//! The events of a page, for its own scripts: data at the end of the body, and a constant script that reports it.
//!
//! The attack that this prevents: a visitor's id is what the visitor says, and `</script><script>…` in it would be markup. The
//! data is JSON in an element that does not run, and every `<`, `>` and `&` in it is escaped, and so is what is not ASCII: it is
//! the same in every encoding, and in XHTML too. The script is always the same, so a policy can allow it by its hash.
//!
//! What the script does, in that order:
//!
//! - It takes the last element with the id, which is the one right before it: no content of the page can pass for it.
//! - It marks the data as reported, so that a framework that runs the scripts of a page again reports nothing again.
//! - While the page is prerendered it waits until it is shown.
//! - It pushes each event to `dataLayer`, and dispatches it as `engraft:exposure` at the document. What goes wrong in one of them,
//!   or in who listens, keeps nothing else back.
//!
//! A page that comes back from the back/forward cache runs no script again and is not reported again.

use std::rc::Rc;

use super::{Event, List};
use crate::csp::markup::{needs, with_nonce};
use crate::csp::{Need, Verdict};
use crate::json::text::escape_raw;

/// The text of the script.
pub const SCRIPT: &str = include_str!("page/report.js");

/// What stands before the data.
const OPEN: &str = "<script type=\"application/json\" id=\"engraft-exposures\">";

/// What Content-Security-Policies may have a say in.
#[must_use]
pub fn script_needs() -> Vec<Need> {
    needs(&elements("[]"))
}

/// The two elements, and how they may go in.
#[derive(Debug, Clone)]
pub struct PageReport {
    with_hash_value: bool,
    nonce: Option<Rc<str>>,
}

impl PageReport {
    /// For a page whose headers say this of [`script_needs`]; `None` where they forbid it: then the data, which nobody would
    /// read, does not go in either.
    #[must_use]
    pub fn new(verdict: &Verdict, with_hash_value: bool) -> Option<Self> {
        match verdict {
            Verdict::Insert { nonce } => {
                Some(Self { with_hash_value, nonce: nonce.as_deref().map(Rc::from) })
            }
            Verdict::Refused => None,
        }
    }

    /// The nonce that goes on them.
    #[must_use]
    pub fn nonce(&self) -> Option<&str> {
        self.nonce.as_deref()
    }

    /// The markup for `events`, in any encoding of a page, and how many of them did not fit. `None` for none.
    #[must_use]
    pub fn markup<'e>(&self, events: impl IntoIterator<Item = &'e Event>) -> Option<(Vec<u8>, usize)> {
        let list = List::of(events.into_iter().map(|event| {
            let mut escaped = String::new();
            escape_raw(&event.for_page(self.with_hash_value), false, &mut escaped);
            escaped
        }));
        if list.is_empty() {
            return None;
        }
        let markup = elements(list.as_json()).into_bytes();
        let markup = match &self.nonce {
            Some(nonce) => with_nonce(&markup, nonce),
            None => markup,
        };
        Some((markup, list.left_out()))
    }
}

fn elements(data: &str) -> String {
    [OPEN, data, "</script><script>", SCRIPT, "</script>"].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::csp::{Hash, Kind};
    use crate::exposure::fixture::event;

    #[test]
    fn the_script_is_one_constant_that_any_parser_takes() {
        assert_eq!(
            script_needs(),
            [Need::Inline { kind: Kind::Script, hash: Some(Hash::of(SCRIPT)), nonceable: true }]
        );
        // In XHTML its text is parsed as well.
        assert!(SCRIPT.is_ascii() && !SCRIPT.contains(['<', '&', '\n']) && !SCRIPT.contains("]]>"));
        assert!(SCRIPT.len() < 600, "{} bytes are on every page", SCRIPT.len());
        for newer in ["=>", "`", "let ", "const ", "?."] {
            assert!(!SCRIPT.contains(newer), "{newer} is newer than ECMAScript 5");
        }
    }

    #[test]
    fn no_nonce_no_data_and_no_data_no_script() {
        let report = PageReport::new(&Verdict::Insert { nonce: None }, false).unwrap();
        assert_eq!(report.markup([]), None);
        assert!(PageReport::new(&Verdict::Refused, false).is_none());
        let with = PageReport::new(&Verdict::Insert { nonce: Some("n".to_owned()) }, false).unwrap();
        let (markup, _) = with.markup([&event("hero", "u")]).unwrap();
        assert!(String::from_utf8(markup).unwrap().contains("</script><script nonce=\"n\">!function"));
    }

    proptest::proptest! {
        #[test]
        fn data_is_no_markup_and_means_what_it_did(
            value in "\\PC*|(</script>|<!--|\\]\\]>|&lt;|[\"'\\\\\u{0}\u{2028}\u{2029}\u{1f600}é<>&]){0,12}",
        ) {
            let report = PageReport::new(&Verdict::Insert { nonce: None }, true).unwrap();
            let (markup, left_out) = report.markup([&event("hero", &value)]).unwrap();
            proptest::prop_assert_eq!(left_out, 0);
            let markup = String::from_utf8(markup).unwrap();
            let rest = markup.strip_prefix(OPEN).unwrap();
            let (data, rest) = rest.split_once('<').unwrap();
            proptest::prop_assert!(data.is_ascii() && !data.contains(['>', '&']));
            proptest::prop_assert_eq!(rest, format!("/script><script>{SCRIPT}</script>"));
            let read: serde_json::Value = serde_json::from_str(data).unwrap();
            proptest::prop_assert_eq!(read[0]["hash_value"].as_str(), Some(value.as_str()));
        }
    }
}
