//! The edits of a page, judged by its Content-Security-Policies before its head leaves.

use std::rc::Rc;

use http::HeaderMap;

use super::element::ElementEdit;
use super::{Action, Patch};
use crate::csp::meta::Policies;
use crate::csp::{Need, Page, Plan, Verdict, policies_after};
use crate::headers::HeaderEdit;
use crate::html::charset::Charset;
use crate::html::operation::{Admits, ElementPatch};
use crate::html::outcome::Skip;
use crate::request::attributes::Values;

/// What the policies in the headers of a response say of the edits of its patches.
#[derive(Debug)]
#[non_exhaustive]
pub struct Admission {
    /// The changes of policies. They come after those that were decided before.
    pub header_edits: Vec<HeaderEdit>,
    /// A verdict for each edit of the patches, in order.
    pub verdicts: Vec<Verdict>,
    /// The same for what is inserted besides.
    pub others: Vec<Verdict>,
}

/// An edit and what policies in headers say of it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Admitted<'p> {
    /// The patch that it is part of.
    pub patch: &'p Patch,
    /// The edit.
    pub edit: &'p ElementEdit,
    /// What policies in the page itself may have a say in.
    pub needs: &'p [Need],
    verdict: &'p Verdict,
}

impl Admission {
    /// Judges the edits of `patches` for a response with `headers`, of which `decided` are changed.
    #[must_use]
    pub fn judge<'p>(
        patches: impl IntoIterator<Item = &'p Patch>,
        headers: &HeaderMap,
        decided: &[HeaderEdit],
        page: &Page,
    ) -> Self {
        Self::judge_with(patches, &[], headers, decided, page)
    }

    /// The same, with what is inserted besides: the needs of each.
    #[must_use]
    pub fn judge_with<'p>(
        patches: impl IntoIterator<Item = &'p Patch>,
        others: &[&'p [Need]],
        headers: &HeaderMap,
        decided: &[HeaderEdit],
        page: &Page,
    ) -> Self {
        let mut groups: Vec<&[Need]> = patches.into_iter().flat_map(edits).map(|(_, needs)| needs).collect();
        let of_patches = groups.len();
        groups.extend(others);
        let Plan { header_edits, mut verdicts } =
            Plan::for_response(&policies_after(headers, decided), page, &groups);
        let others = verdicts.split_off(of_patches.min(verdicts.len()));
        Self { header_edits, verdicts, others }
    }
}

fn edits(patch: &Patch) -> impl Iterator<Item = (&ElementEdit, &[Need])> {
    let edits = match &patch.action {
        Action::Elements(edits) => edits.as_slice(),
        _ => &[],
    };
    edits.iter().zip(patch.needs()).map(|(edit, needs)| (edit, needs.as_slice()))
}

/// The edits of the patches that were judged, in order, each with its verdict.
pub fn admitted<'p>(
    patches: impl IntoIterator<Item = &'p Patch>,
    verdicts: &'p [Verdict],
) -> impl Iterator<Item = Admitted<'p>> {
    let edits =
        patches.into_iter().flat_map(|patch| edits(patch).map(move |(edit, needs)| (patch, edit, needs)));
    edits.zip(verdicts).map(|((patch, edit, needs), verdict)| Admitted { patch, edit, needs, verdict })
}

/// What policies in the page itself have a say in, and what they are asked with.
#[derive(Debug)]
struct Subject {
    needs: Vec<Need>,
    nonce: Option<String>,
    page: Page,
}

impl Admits for Subject {
    fn admits(&self, policies: &Policies) -> bool {
        policies.admit(&self.needs, self.nonce.as_deref(), &self.page)
    }
}

/// Who is asked about policies in the page itself, where they have a say in what is inserted.
pub(crate) fn subject(needs: &[Need], nonce: Option<&str>, page: &Page) -> Option<Rc<dyn Admits>> {
    let nonce = nonce.map(str::to_owned);
    let subject = || Subject { needs: needs.to_vec(), nonce, page: page.clone() };
    (!needs.is_empty()).then(|| Rc::new(subject()) as Rc<dyn Admits>)
}

impl Admitted<'_> {
    /// The name under which it is reported: that of its patch, and its own where the patch has several.
    #[must_use]
    pub fn label(&self) -> String {
        match self.edit.part {
            Some(part) => format!("{}.{part}", self.patch.label),
            None => self.patch.label.clone(),
        }
    }

    /// The nonce that goes on it.
    #[must_use]
    pub fn nonce(&self) -> Option<&str> {
        match self.verdict {
            Verdict::Insert { nonce } => nonce.as_deref(),
            Verdict::Refused => None,
        }
    }

    /// Renders it.
    ///
    /// # Errors
    /// [`Skip::Policy`] when a policy forbids it, or why it is tried on no page: it must not be given to the editor.
    pub fn render(&self, values: &Values, charset: Charset, page: &Page) -> Result<ElementPatch, Skip> {
        if let Some(reason) = self.edit.refusal {
            return Err(reason);
        }
        let mut patch = match self.verdict {
            Verdict::Insert { nonce: None } => self.edit.render(values, charset),
            Verdict::Insert { nonce: Some(nonce) } => self.edit.render_with_nonce(values, charset, nonce),
            Verdict::Refused => return Err(Skip::Policy),
        };
        patch.policies = subject(self.needs, self.nonce(), page);
        Ok(patch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Engine;
    use crate::html::operation::Operation;
    use http::header::CONTENT_SECURITY_POLICY as CSP;
    use http::{HeaderValue, header};

    const CONFIG: &str = "
version: 1
routes:
  - name: r
    patches:
      - { select: p, text: t }
      - { name: ab, script: { inline: f() }, style: { inline: 'p{}' } }
      - { response_headers: { add: { x: y } } }
      - { script: { src: 'https://cdn.example/x.js' } }
";

    #[test]
    fn each_edit_is_admitted_as_it_is_or_with_a_nonce_or_not() {
        let engine = Engine::load(CONFIG.as_bytes()).unwrap().engine;
        let judge = |policy: &'static str, decided: &[HeaderEdit]| {
            let mut headers = HeaderMap::new();
            headers.insert(CSP, HeaderValue::from_static(policy));
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html"));
            let page = Page::new("https", "shop.example");
            let admission = Admission::judge(&engine.routes()[0].patches, &headers, decided, &page);
            let admitted = admitted(&engine.routes()[0].patches, &admission.verdicts);
            let shown = admitted.map(|edit| {
                let rendered = edit.render(&Values::default(), Charset::Undeclared, &page);
                let first = rendered.map(|patch| match patch.operations.first() {
                    Some(Operation::Before(content)) => String::from_utf8(content.bytes.clone()).unwrap(),
                    _ => "other".to_owned(),
                });
                let first = first.unwrap_or_else(|skip| skip.name().to_owned());
                format!("{}: {first}", edit.label())
            });
            (shown.collect::<Vec<_>>(), admission.header_edits)
        };

        let (edits, headers) = judge("script-src 'nonce-abc'", &[]);
        assert_eq!(
            edits,
            [
                "0: other",
                "ab.script: <script nonce=\"abc\">f()</script>",
                "ab.style: <style>p{}</style>",
                "3: <script nonce=\"abc\" src=\"https://cdn.example/x.js\"></script>",
            ]
        );
        assert!(headers.is_empty());

        let (edits, headers) = judge("script-src 'self'", &[]);
        assert_eq!(edits[1], "ab.script: <script>f()</script>");
        assert_eq!(edits[3], "3: content_security_policy");
        let hash = crate::csp::Hash::of("f()");
        let value = HeaderValue::try_from(format!("script-src 'self' {hash}")).unwrap();
        assert_eq!(headers, [HeaderEdit::Set(CSP, value)]);

        let (edits, headers) = judge("script-src 'self'", &[HeaderEdit::Remove(CSP)]);
        assert_eq!(edits[3], "3: <script src=\"https://cdn.example/x.js\"></script>");
        assert!(headers.is_empty());
    }
}
