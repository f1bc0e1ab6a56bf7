//! Policies in the page: `<meta http-equiv="content-security-policy">`.
//!
//! Such a policy governs what comes behind it (WHATWG HTML § 4.2.5.3), and is out by then, so nothing can be added to it:
//! what it does not let pass as it stands is not inserted behind it. What comes before it is none of its business.

use super::policy::{Delivery, Policy};
use super::{Need, Page};

/// More than this of policies in one page is not worked with: nothing passes then.
const MAX_POLICY_BYTES: usize = 64 * 1024;

/// The policies of a page that have been met so far.
#[derive(Debug, Clone, Default)]
pub struct Policies {
    policies: Vec<Policy>,
    bytes: usize,
}

impl Policies {
    /// Takes the next one: the value of its `content` attribute, decoded. Only those count that are in the `head` and
    /// whose `http-equiv` is `content-security-policy`, in any case.
    pub fn meet(&mut self, content: &str) {
        self.bytes = self.bytes.saturating_add(content.len());
        if self.bytes > MAX_POLICY_BYTES {
            self.policies.clear();
            return;
        }
        self.policies.push(Policy::parse(content, Delivery::Meta));
        // The standard reads one policy, some browsers a list of them; what passes must pass both ways.
        if content.contains(',') {
            self.policies.extend(content.split(',').map(|policy| Policy::parse(policy, Delivery::Meta)));
        }
    }

    /// Whether all of them let `needs` pass at this place of the page, with `nonce` on the elements.
    #[must_use]
    pub fn admit(&self, needs: &[Need], nonce: Option<&str>, page: &Page) -> bool {
        let known = self.bytes <= MAX_POLICY_BYTES;
        needs.is_empty()
            || (known
                && needs
                    .iter()
                    .all(|need| self.policies.iter().all(|policy| policy.admits(need, nonce, page))))
    }

    /// The nonce with which they let `needs` pass; use it where the headers ask for none.
    #[must_use]
    pub fn nonce(&self, needs: &[Need], page: &Page) -> Option<String> {
        super::plan::choose_nonce(self.policies.iter(), needs, page)
    }
}

/// Whether all of `policies`, in page order, let `need` pass behind them.
#[must_use]
pub fn admits(policies: &[String], need: &Need, nonce: Option<&str>, page: &Page) -> bool {
    let mut met = Policies::default();
    policies.iter().for_each(|content| met.meet(content));
    met.admit(std::slice::from_ref(need), nonce, page)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::csp::{Hash, Kind};

    #[test]
    fn what_is_out_already_can_only_be_obeyed() {
        let hash = Hash::of_inline("f()");
        let script = Need::Inline { kind: Kind::Script, hash: Some(hash.clone()), nonceable: true };
        let with_hash = format!("script-src {hash}");
        for (policies, nonce, expected) in [
            (&[][..], None, true),
            (&["img-src 'self'"], None, true),
            (&["script-src 'self'"], None, false),
            (&["script-src 'self'"], Some("a"), false),
            (&["script-src 'nonce-a'"], Some("a"), true),
            (&["script-src 'nonce-a'"], Some("b"), false),
            (&["script-src 'nonce-a'"], None, false),
            (&["script-src 'unsafe-inline'"], None, true),
            (&[with_hash.as_str()], None, true),
            (&["default-src 'none'"], None, false),
            (&["script-src 'nonce-a'", "default-src 'self'"], Some("a"), false),
            // Neither `sandbox` nor `report-uri` is read here.
            (&["sandbox; report-uri /r"], None, true),
            (&["script-src 'unsafe-inline', script-src 'self'"], None, false),
        ] {
            let policies: Vec<String> = policies.iter().map(|policy| (*policy).to_owned()).collect();
            let page = Page::new("https", "shop.example");
            assert_eq!(admits(&policies, &script, nonce, &page), expected, "{policies:?} {nonce:?}");
        }
    }

    #[test]
    fn too_much_of_it_lets_nothing_pass() {
        let page = Page::new("https", "shop.example");
        let style = Need::Inline { kind: Kind::Style, hash: None, nonceable: true };
        let mut policies = Policies::default();
        for _ in 0..1000 {
            policies.meet(&"x".repeat(100));
        }
        assert!(!policies.admit(&[style], None, &page));
        assert!(policies.admit(&[], None, &page));
    }
}
