//! What a page is looked at for besides its edits: whether other patches would have been done to it, and what goes in at its
//! end, which depends on what became of all of them.

use std::fmt;
use std::rc::Rc;

use super::report::PatchReport;
use crate::csp::{Need, Page, Verdict};
use crate::html::late::{LateContent, LateInsertion};
use crate::html::outcome::Outcome;
use crate::patch::admission::subject;

/// See the [module](self). Nothing, most of the time.
#[derive(Debug, Default)]
pub(super) struct Watched {
    /// Indexes of the patches that are [probed](crate::html::operation::ElementPatch::probe).
    pub(super) probed: Vec<usize>,
    /// What policies in the headers would say of each of their edits. The headers themselves are not changed for them.
    pub(super) verdicts: Vec<Verdict>,
    /// What goes in at the end of the body.
    pub(super) late: Vec<LateEdit>,
}

/// Makes what goes in at the end of the body of a page.
pub(super) trait Late: fmt::Debug {
    /// Markup in ASCII, or `None` for nothing. It is asked once, when these are the reports on the page: of the patches and of the
    /// probed ones, each with its outcome. Where the page is delivered wholly or not at all, it may still be taken back.
    fn markup(&self, reports: &[PatchReport]) -> Option<Vec<u8>>;
}

/// What goes in, and under which policies.
#[derive(Debug)]
pub(super) struct LateEdit {
    pub(super) content: Rc<dyn Late>,
    /// What policies in the page itself may have a say in.
    pub(super) needs: Vec<Need>,
    /// The nonce that goes on it, by the policies in the headers.
    pub(super) nonce: Option<String>,
}

impl LateEdit {
    /// Ready for a page whose patches are to be reported in `reports`.
    pub(super) fn insertion(&self, reports: &Rc<[PatchReport]>, page: &Page, in_xml: bool) -> LateInsertion {
        LateInsertion {
            content: Rc::new(Asked { content: Rc::clone(&self.content), reports: Rc::clone(reports) }),
            policies: subject(&self.needs, self.nonce.as_deref(), page),
            in_xml,
        }
    }
}

#[derive(Debug)]
struct Asked {
    content: Rc<dyn Late>,
    reports: Rc<[PatchReport]>,
}

impl LateContent for Asked {
    fn markup(&self, outcomes: &[Outcome]) -> Option<Vec<u8>> {
        self.content.markup(&completed(&self.reports, outcomes.iter().cloned()))
    }
}

/// The reports, those that have no outcome yet with the next one each.
pub(super) fn completed(
    reports: &[PatchReport],
    outcomes: impl IntoIterator<Item = Outcome>,
) -> Vec<PatchReport> {
    let (mut reports, mut outcomes) = (reports.to_vec(), outcomes.into_iter());
    for report in reports.iter_mut().filter(|report| report.outcome.is_none()) {
        report.outcome = outcomes.next();
    }
    reports
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use http::{HeaderMap, HeaderValue, StatusCode, header};

    use super::*;
    use crate::engine::Engine;
    use crate::exchange::body::Edits;
    use crate::exchange::gate::gate;
    use crate::exchange::page::Plan;
    use crate::exchange::patches::Patches;
    use crate::exchange::report::{BodyState, Report};
    use crate::exchange::watch::Seeing;
    use crate::exposure::page::script_needs;
    use crate::patch::admission::Admission;
    use crate::request::attributes::Values;

    const CONFIG: &str = "
version: 1
routes:
  - name: r
    patches:
      - { select: h1, text: new }
      - { select: h2, text: bold }
      - { select: h2, rename: h3 }
      - { json: body, set: { /a: 1 } }
      - { json: body, set: { /b/c: 1 }, remove: [/d] }
";

    /// Writes down what it is told.
    #[derive(Debug)]
    struct Told;

    impl Late for Told {
        fn markup(&self, reports: &[PatchReport]) -> Option<Vec<u8>> {
            let told = |report: &PatchReport| format!("{}{}", if report.is_probe { "?" } else { "" }, report);
            let told: Vec<String> = reports.iter().map(told).collect();
            Some(format!("<!--{}-->", told.join(" ")).into_bytes())
        }
    }

    fn run(
        delivery: &str,
        content_type: &'static str,
        head: &str,
        page: &str,
        late: bool,
    ) -> (String, Report) {
        let config = CONFIG.replace("name: r", &format!("name: r\n    delivery: {delivery}"));
        let engine = Arc::new(Engine::load(config.as_bytes()).unwrap().engine);
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        if !head.is_empty() {
            headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_str(head).unwrap());
        }
        let readable = gate(StatusCode::OK, &headers, &[]).unwrap();
        let patches = &engine.routes()[0].patches;
        let page_of_policy = Page::new("https", "shop.example");
        let needs = script_needs();
        let (eligible, probed) = ([0, 3], [1, 2, 4]);
        let judged = Admission::judge_with(
            eligible.iter().map(|index| &patches[*index]),
            &[&needs],
            &headers,
            &[],
            &page_of_policy,
        );
        let of_probes =
            Admission::judge(probed.iter().map(|index| &patches[*index]), &headers, &[], &page_of_policy);
        let Verdict::Insert { nonce } = &judged.others[0] else { panic!("refused") };
        let edit = LateEdit { content: Rc::new(Told), needs, nonce: nonce.clone() };
        let plan = Plan {
            patches: Patches::of_route(Arc::clone(&engine), 0),
            values: Values::default(),
            eligible: eligible.to_vec(),
            sniffer: readable.sniffer,
            kind: readable.kind,
            verdicts: judged.verdicts,
            page: page_of_policy,
            watched: Watched {
                probed: probed.to_vec(),
                verdicts: of_probes.verdicts,
                late: late.then_some(edit).into_iter().collect(),
            },
            records: false,
        };
        let mut edits = Edits::new(plan, Seeing::default(), Report::default());
        let mut out = Vec::new();
        for byte in page.as_bytes() {
            let kept = edits.write(&[*byte], &mut out);
            out.extend(&[*byte][1 - kept..]);
        }
        let report = edits.end(&mut out);
        (String::from_utf8(out).unwrap(), report)
    }

    fn told(reports: &[PatchReport]) -> String {
        reports.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_goes_in_at_the_end_knows_the_patches_and_the_probes() {
        let page = "<body><h1>a</h1><h2>b</h2></body>";
        let (out, report) = run("stream", "text/html", "", page, true);
        assert_eq!(out, "<body><h1>new</h1><h2>b</h2><!--0=1 ?1=1 ?2=1--></body>");
        assert_eq!(told(&report.patches), "0=1");
        assert_eq!(told(&report.probes), "1=1 2=1");
        assert_eq!(report.late[0].applied, 1);
        assert_eq!(
            report.counters().iter().filter(|(name, _)| name.to_string() == "patches.applied").count(),
            1
        );
        let (out, report) = run("stream", "application/xhtml+xml", "", "<body><h2/></body>", true);
        assert_eq!(out, "<body><h2/><!--0=missed ?1=skipped:unclosed ?2=skipped:unclosed--></body>");
        assert_eq!(told(&report.patches), "0=missed");
    }

    #[test]
    fn a_policy_of_the_page_keeps_it_out() {
        let meta =
            "<head><meta http-equiv=content-security-policy content=\"script-src 'self'\"></head><h1>a</h1>";
        let (out, report) = run("stream", "text/html", "", meta, true);
        assert!(!out.contains("<!--"), "{out}");
        let counted: Vec<String> = report.counters().keys().map(ToString::to_string).collect();
        assert!(
            counted.contains(&"exposures.in_page_skipped.content_security_policy".to_owned()),
            "{counted:?}"
        );
        let allowed = meta.replace("'self'", "'unsafe-inline'");
        assert!(run("stream", "text/html", "", &allowed, true).0.contains("<!--"));
        // The nonce is that of the header; the page's own policy has to have it as well.
        let with_nonce = meta.replace("'self'", "'nonce-n'");
        assert!(run("stream", "text/html", "script-src 'nonce-n'", &with_nonce, true).0.contains("<!--"));
        assert!(!run("stream", "text/html", "script-src 'nonce-m'", &with_nonce, true).0.contains("<!--"));
    }

    #[test]
    fn a_page_that_is_taken_back_is_taken_back_with_it() {
        let page = "<body><h1>a</body>";
        let (out, _) = run("whole", "text/html", "", "<body><h1>a</h1></body>", true);
        assert_eq!(out, "<body><h1>new</h1><!--0=1 ?1=missed ?2=missed--></body>");
        let (out, report) = run("whole", "text/html", "", page, true);
        assert_eq!((out.as_str(), report.body), (page, BodyState::Reverted));
        assert_eq!(report.late[0].applied, 0);
        let (out, report) = run("whole", "text/html", "", "", true);
        assert_eq!((out.as_str(), told(&report.probes).as_str()), ("", "1=missed 2=missed"));
    }

    #[test]
    fn json_is_probed_as_it_came() {
        let (out, report) =
            run("stream", "application/json", "", "{\"a\":0,\"b\":{\"c\":0},\"d\":[1,2]}", false);
        assert_eq!(out, "{\"a\":1,\"b\":{\"c\":0},\"d\":[1,2]}");
        assert_eq!((told(&report.patches).as_str(), told(&report.probes).as_str()), ("3=1", "4=1"));
        let (_, report) = run("stream", "application/json", "", "{\"a\":0,", false);
        assert_eq!(told(&report.probes), "4=skipped:json_syntax");
    }
}
