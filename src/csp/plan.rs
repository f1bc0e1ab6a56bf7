//! What is done about the policies in the headers of one response.

use http::header::{CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY_REPORT_ONLY};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::policy::{Delivery, Policy};
use super::{Need, Page};
use crate::headers::HeaderEdit;

/// Policies longer than this, taken together, are not worked with: what needs them is not inserted.
const MAX_POLICY_BYTES: usize = 64 * 1024;

/// What becomes of the insertions of a page, as far as the policies in its headers go.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Plan {
    /// The changes of the headers, in order. They are needed for HEAD and 304 as well.
    pub header_edits: Vec<HeaderEdit>,
    /// One for each group, in order.
    pub verdicts: Vec<Verdict>,
}

/// What becomes of one group of needs.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "whoever inserts must handle both")]
pub enum Verdict {
    /// It may be inserted.
    Insert {
        /// Goes on its scripts, styles and links.
        nonce: Option<String>,
    },
    /// Some policy forbids it, and would have to allow more for it.
    Refused,
}

impl Plan {
    /// Judges `groups`, each of which is inserted wholly or not at all, against the policies of a response. Nothing is
    /// added to a policy for a group that is refused.
    ///
    /// All policies count, those that only report as well: a page whose author watches for violations gets none from us.
    ///
    /// ```
    /// # use engraft::csp::{Hash, Kind, Need, Page, Plan, Verdict};
    /// # use http::{HeaderMap, HeaderValue, header::CONTENT_SECURITY_POLICY};
    /// let script = Need::Inline { kind: Kind::Script, hash: Some(Hash::of_inline("f()")), nonceable: true };
    /// let mut headers = HeaderMap::new();
    /// headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("script-src 'nonce-abc'"));
    /// let plan = Plan::for_response(&headers, &Page::new("https", "shop.example"), &[&[script]]);
    /// assert_eq!(plan.verdicts, [Verdict::Insert { nonce: Some("abc".into()) }]);
    /// assert!(plan.header_edits.is_empty());
    /// ```
    #[must_use]
    pub fn for_response(headers: &HeaderMap, page: &Page, groups: &[&[Need]]) -> Self {
        let free = || Verdict::Insert { nonce: None };
        if groups.iter().all(|needs| needs.is_empty()) {
            return Self { header_edits: Vec::new(), verdicts: groups.iter().map(|_| free()).collect() };
        }
        let Some(mut lines) = Lines::read(headers) else { return Self::refused(groups) };
        let mut verdicts = Vec::new();
        for needs in groups {
            let verdict = if needs.is_empty() { free() } else { lines.judge(needs, page) };
            verdicts.push(verdict);
        }
        match lines.edits() {
            Some(header_edits) => Self { header_edits, verdicts },
            None => Self::refused(groups),
        }
    }

    fn refused(groups: &[&[Need]]) -> Self {
        let verdict = |needs: &&[Need]| {
            if needs.is_empty() { Verdict::Insert { nonce: None } } else { Verdict::Refused }
        };
        Self { header_edits: Vec::new(), verdicts: groups.iter().map(verdict).collect() }
    }
}

/// The policies as they stand in the lines of the header.
struct Lines(Vec<(HeaderName, Vec<Policy>)>);

impl Lines {
    /// `None` when there is too much of it.
    fn read(headers: &HeaderMap) -> Option<Self> {
        let names = [
            (CONTENT_SECURITY_POLICY, Delivery::Header),
            (CONTENT_SECURITY_POLICY_REPORT_ONLY, Delivery::ReportOnly),
        ];
        let mut lines = Vec::new();
        let mut bytes = 0_usize;
        for (name, delivery) in names {
            for value in headers.get_all(&name) {
                bytes = bytes.saturating_add(value.len());
                if bytes > MAX_POLICY_BYTES {
                    return None;
                }
                // Isomorphic decoding: a character for each byte (§ 2.2.1).
                let text: String = value.as_bytes().iter().copied().map(char::from).collect();
                let policies = text.split(',').map(|policy| Policy::parse(policy, delivery)).collect();
                lines.push((name.clone(), policies));
            }
        }
        Some(Self(lines))
    }

    fn policies(&self) -> impl Iterator<Item = &Policy> {
        self.0.iter().flat_map(|(_, policies)| policies)
    }

    fn judge(&mut self, needs: &[Need], page: &Page) -> Verdict {
        let nonce = choose_nonce(self.policies(), needs, page);
        let nonce = nonce.as_deref();
        let possible = needs.iter().all(|need| {
            self.policies().all(|policy| policy.admits(need, nonce, page) || policy.amendment(need).is_some())
        });
        if !possible {
            return Verdict::Refused;
        }
        for need in needs {
            for policy in self.0.iter_mut().flat_map(|(_, policies)| policies) {
                if policy.admits(need, nonce, page) {
                    continue;
                }
                // An amendment that was made for another need takes none away: hashes are only added to lists in which
                // `'unsafe-inline'` says nothing.
                if let Some(amendment) = policy.amendment(need) {
                    policy.amend(amendment);
                }
            }
        }
        Verdict::Insert { nonce: nonce.map(str::to_owned) }
    }

    /// The headers that have changed; `None` if one can't be written.
    fn edits(&self) -> Option<Vec<HeaderEdit>> {
        let mut edits = Vec::new();
        for name in [CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY_REPORT_ONLY] {
            let of_name = || self.0.iter().filter(|(line, _)| *line == name).map(|(_, policies)| policies);
            if !of_name().flatten().any(Policy::is_changed) {
                continue;
            }
            for (index, policies) in of_name().enumerate() {
                let edit = if index == 0 { HeaderEdit::Set } else { HeaderEdit::Add };
                edits.push(edit(name.clone(), value(policies)?));
            }
        }
        Some(edits)
    }
}

fn value(policies: &[Policy]) -> Option<HeaderValue> {
    let texts: Vec<String> = policies.iter().map(Policy::serialize).collect();
    let bytes: Result<Vec<u8>, _> = texts.join(",").chars().map(u8::try_from).collect();
    HeaderValue::from_bytes(&bytes.ok()?).ok()
}

/// The nonce for a group: the first that stands wherever one could help, else the first that stands anywhere. `None` where
/// nothing needs one.
pub(super) fn choose_nonce<'p>(
    policies: impl Iterator<Item = &'p Policy>,
    needs: &[Need],
    page: &Page,
) -> Option<String> {
    let mut lists: Vec<Vec<&str>> = Vec::new();
    for policy in policies {
        for need in needs.iter().filter(|need| need.is_nonceable() && !policy.admits(need, None, page)) {
            let nonces = policy.nonces(need);
            if !nonces.is_empty() {
                lists.push(nonces);
            }
        }
    }
    let (first, rest) = lists.split_first()?;
    let common = first.iter().find(|nonce| rest.iter().all(|list| list.contains(nonce)));
    common.or_else(|| first.first()).map(|nonce| (*nonce).to_owned())
}
