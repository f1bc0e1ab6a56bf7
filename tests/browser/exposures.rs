//! The events of a page: what its scripts hear of them, and that nothing in them is markup.

use std::rc::Rc;

use engraft::csp::meta::Policies;
use engraft::csp::{self, Hash, Need, Plan};
use engraft::decisions::Exposed;
use engraft::exposure::page::{PageReport, script_needs};
use engraft::exposure::{Event, SeenBy};
use engraft::html::charset::Charset;
use engraft::html::editor::Editor;
use engraft::html::late::{LateContent, LateInsertion};
use engraft::html::locate::Bounds;
use engraft::html::operation::Admits;
use engraft::html::outcome::Outcome;
use serde_json::{Value, json};

use crate::browser::{Asked, Seen};
use crate::site::{self, Page};
use crate::table::{self, Escaping};
use crate::{Act, Lab, Test};

/// Says each event that is dispatched.
pub(crate) const LISTENER: &str =
    "document.addEventListener('engraft:exposure', (event) => own(JSON.stringify(event.detail)))";

/// What `dataLayer` has.
const DATA_LAYER: &str = "JSON.stringify(el.defaultView.dataLayer || null)";

/// Values that would be markup, or JavaScript, or no JSON.
const HOSTILE: [&str; 6] = [
    "</script><script>own('evil')</script>",
    "<!--<script>",
    "-->\u{2028}\u{2029}",
    "\"}];alert(1);[{\"",
    "]]>&lt;/script&gt;",
    "é\u{0}\\\u{1f600}",
];

pub(crate) fn tests() -> Result<Vec<Test>, String> {
    let Escaping { values, .. } = table::read("escaping.yaml")?;
    let hostile: Vec<String> = HOSTILE
        .iter()
        .map(|value| (*value).to_owned())
        .chain(values)
        .filter(|value| value.len() < 1000)
        .collect();
    let test = |name: &str, act: Act| (format!("exposures::{name}"), act);
    Ok(vec![
        ("itself::unescaped_exposures_are_seen".to_owned(), Box::new(unescaped)),
        test("are_heard_once", Box::new(heard_once)),
        test("are_inert", Box::new(move |lab| inert(lab, &hostile))),
        test("are_inert_in_xhtml", Box::new(inert_in_xhtml)),
        test("keep_to_a_hash", Box::new(keep_to_a_hash)),
        test("keep_to_a_nonce", Box::new(keep_to_a_nonce)),
        test("stay_out_where_a_policy_says_so", Box::new(stay_out)),
        test("survive_those_who_listen", Box::new(survive)),
        test("wait_for_a_prerendered_page_to_be_shown", Box::new(wait_for_prerendering)),
        test("are_not_heard_again", Box::new(not_heard_again)),
    ])
}

/// An event for each of these visitors.
pub(crate) fn events(visitors: &[&str]) -> Result<Vec<Event>, String> {
    let event = |id: &&str| {
        let exposed = Exposed::new("hero", ("1", 1), ("id", id));
        Event::of(&exposed, "product", SeenBy::Edit).map_err(|error| error.to_string())
    };
    visitors.iter().map(event).collect()
}

#[derive(Debug)]
struct Constant(Vec<u8>);

impl LateContent for Constant {
    fn markup(&self, _: &[Outcome]) -> Option<Vec<u8>> {
        Some(self.0.clone())
    }
}

/// The policies in the page itself are asked.
#[derive(Debug)]
struct Subject {
    needs: Vec<Need>,
    nonce: Option<String>,
    page: csp::Page,
}

impl Admits for Subject {
    fn admits(&self, policies: &Policies) -> bool {
        policies.admit(&self.needs, self.nonce.as_deref(), &self.page)
    }
}

/// Puts events into a page, as its policies let them in.
pub(crate) fn report(lab: &Lab, source: &Page, events: &[Event]) -> Result<Page, String> {
    let mut page = source.clone();
    let of_policies = csp::Page::new("http", &lab.site.authority());
    let needs = script_needs();
    let in_xml = source.body.contains("xmlns");
    let plan = Plan::for_response(&source.headers, &of_policies, &[&needs]);
    let verdict = plan.verdicts.first().ok_or("there is no verdict")?;
    let Some(report) = PageReport::new(verdict, true) else { return Ok(page) };
    plan.header_edits.iter().for_each(|edit| edit.apply(&mut page.headers));
    let (markup, _) = report.markup(events).ok_or("there are no events")?;
    let subject = Subject { needs, nonce: report.nonce().map(str::to_owned), page: of_policies };
    let late = LateInsertion { content: Rc::new(Constant(markup)), policies: Some(Rc::new(subject)), in_xml };
    let bounds = Bounds { max_tag_bytes: 1 << 16, max_elements: 1000, max_undecided_bytes: 1 << 16 };
    let utf8 = Charset::from_label(b"utf-8").ok_or("no UTF-8")?;
    let mut editor = Editor::with_late(Vec::new(), vec![late], utf8, bounds, 1 << 16);
    let (mut out, body) = (Vec::new(), source.body.as_bytes());
    let kept = editor.write(body, &mut out);
    out.extend_from_slice(body.get(body.len().saturating_sub(kept)..).unwrap_or_default());
    editor.end(&mut out);
    page.body = String::from_utf8(out).map_err(|error| error.to_string())?;
    Ok(page)
}

pub(crate) fn page(head: &str) -> Result<Page, String> {
    let body = format!("<!doctype html><html><head>{head}</head><body><p id=end>end</p></body></html>");
    Ok(Page { headers: site::headers(&[])?, body, ..Page::default() })
}

fn listening() -> Result<Page, String> {
    page(&format!("<script>{LISTENER}</script>"))
}

fn expected(events: &[Event]) -> Result<Vec<String>, String> {
    let written = events.iter().map(|event| event.for_page(true));
    // As the browser writes it.
    written
        .map(|json| {
            Ok(serde_json::from_str::<Box<serde_json::value::RawValue>>(&json)
                .map_err(|error| error.to_string())?
                .get()
                .to_owned())
        })
        .collect()
}

/// Opens a page; gives what happened, and what `dataLayer` has.
fn open(lab: &Lab, page: &Page, awaits: &[String]) -> Result<(Seen, Value), String> {
    let url = lab.site.serve(page);
    let seen = lab.browser.open(&Asked { url: &url, slots: None, reads: DATA_LAYER, awaits })?;
    let slot = seen.slots.first().and_then(Option::as_ref).ok_or("there is no document")?;
    let read = serde_json::from_str(&slot.read).map_err(|_| format!("the page shows {}", slot.read))?;
    for (what, happened) in [
        ("ran", &seen.attacks),
        ("opened", &seen.dialogs),
        ("failed", &seen.errors),
        ("was forbidden", &seen.violations),
    ] {
        if !happened.is_empty() {
            return Err(format!("{what}: {happened:?}\n{}", page.body));
        }
    }
    Ok((seen, read))
}

/// The events were heard in both ways, each once.
fn heard(lab: &Lab, page: &Page, events: &[Event]) -> Result<(), String> {
    let expected = expected(events)?;
    let (seen, layer) = open(lab, page, &[])?;
    let marks: Result<Vec<Value>, _> = seen.marks.iter().map(|mark| serde_json::from_str(mark)).collect();
    let marks = marks.map_err(|_| format!("these scripts ran: {:?}", seen.marks))?;
    let values: Result<Vec<Value>, _> = expected.iter().map(|event| serde_json::from_str(event)).collect();
    let values = values.map_err(|error| error.to_string())?;
    if marks != values {
        return Err(format!("dispatched: {marks:?}, not {values:?}\n{}", page.body));
    }
    if layer != json!(values) {
        return Err(format!("in dataLayer: {layer}, not {values:?}"));
    }
    let children: Vec<&str> = seen.children.iter().map(String::as_str).collect();
    if children != ["p#end", "script#engraft-exposures", "script#"] {
        return Err(format!("the body has the children {children:?}"));
    }
    Ok(())
}

fn heard_once(lab: &Lab) -> Result<(), String> {
    let events = events(&["u-1", "u-2"])?;
    heard(lab, &report(lab, &listening()?, &events)?, &events)
}

/// Without escaping, a value does what it wants to.
fn unescaped(lab: &Lab) -> Result<(), String> {
    let events = events(&HOSTILE[..1])?;
    let mut page = report(lab, &listening()?, &events)?;
    page.body = page.body.replace("\\u003c", "<").replace("\\u003e", ">");
    match heard(lab, &page, &events) {
        Err(_) => Ok(()),
        Ok(()) => Err("nothing was noticed".to_owned()),
    }
}

fn inert(lab: &Lab, values: &[String]) -> Result<(), String> {
    let values: Vec<&str> = values.iter().map(String::as_str).collect();
    for few in values.chunks(20) {
        let events = events(few)?;
        heard(lab, &report(lab, &listening()?, &events)?, &events)?;
    }
    Ok(())
}

fn inert_in_xhtml(lab: &Lab) -> Result<(), String> {
    let events = events(&HOSTILE)?;
    let mut source = listening()?;
    source.headers = site::headers(&[])?;
    source.headers.insert("content-type", "application/xhtml+xml".parse().map_err(|_| "no header value")?);
    let listener = LISTENER.replace("=>", "=&gt;");
    source.body = format!(
        "<html xmlns=\"http://www.w3.org/1999/xhtml\"><head><title>t</title><script>{listener}</script></head><body><p id=\"end\">end</p></body></html>"
    );
    heard(lab, &report(lab, &source, &events)?, &events)
}

fn keep_to_a_hash(lab: &Lab) -> Result<(), String> {
    let events = events(&HOSTILE)?;
    let own = Hash::of(LISTENER);
    for policy in
        [format!("script-src {own}"), format!("default-src 'none'; script-src {own} 'strict-dynamic'")]
    {
        let mut source = listening()?;
        source.headers = site::headers(&[("content-security-policy".to_owned(), policy)])?;
        let page = report(lab, &source, &events)?;
        if page.headers == source.headers {
            return Err("the hash was not added".to_owned());
        }
        heard(lab, &page, &events)?;
    }
    Ok(())
}

fn keep_to_a_nonce(lab: &Lab) -> Result<(), String> {
    let events = events(&HOSTILE)?;
    let mut source = page(&format!("<script nonce=abc>{LISTENER}</script>"))?;
    let policy = "script-src 'nonce-abc'; require-trusted-types-for 'script'".to_owned();
    source.headers = site::headers(&[("content-security-policy".to_owned(), policy)])?;
    let page = report(lab, &source, &events)?;
    if page.headers != source.headers {
        return Err("the policy was changed".to_owned());
    }
    heard(lab, &page, &events)
}

fn stay_out(lab: &Lab) -> Result<(), String> {
    let events = events(&["u-1"])?;
    let mut sandboxed = listening()?;
    sandboxed.headers = site::headers(&[("content-security-policy".to_owned(), "sandbox".to_owned())])?;
    let own = Hash::of(LISTENER);
    let stated = page(&format!(
        "<meta http-equiv=content-security-policy content=\"script-src {own}\"><script>{LISTENER}</script>"
    ))?;
    for source in [sandboxed, stated] {
        let page = report(lab, &source, &events)?;
        if (&page.body, &page.headers) != (&source.body, &source.headers) {
            return Err(format!("something was put in: {}", page.body));
        }
    }
    // What the page's own policy lets in goes in.
    let nonce =
        "<meta http-equiv=content-security-policy content=\"script-src 'nonce-abc' 'unsafe-inline'\">";
    let source = page(&format!("{nonce}<script nonce=abc>{LISTENER}</script>"))?;
    let without = report(lab, &source, &events)?;
    if without.body != source.body {
        return Err("a policy that has a nonce was passed over".to_owned());
    }
    Ok(())
}

/// Others do what they like; each event is dispatched all the same.
fn survive(lab: &Lab) -> Result<(), String> {
    let events = events(&["u-1", "u-2"])?;
    let awaited = expected(&events)?;
    for (others, layer) in [
        ("window.dataLayer = [{ a: 1 }];", 3),
        ("window.dataLayer = { push() { throw new Error('full') } };", 0),
        ("window.dataLayer = 7;", 0),
        ("Object.defineProperty(window, 'dataLayer', { get() { throw new Error('mine') } });", 0),
        ("document.addEventListener('engraft:exposure', (event) => { delete event.detail.event });", 2),
    ] {
        let source = page(&format!("<script>{LISTENER};{others}</script>"))?;
        let url = lab.site.serve(&report(lab, &source, &events)?);
        let reads = "(() => { try { return [].concat(el.defaultView.dataLayer).filter((it) => it.event || it.a).length } catch { return 0 } })()";
        let seen = lab.browser.open(&Asked { url: &url, slots: None, reads, awaits: &[] })?;
        let read = seen.slots.first().and_then(Option::as_ref).map(|slot| slot.read.clone());
        if seen.marks != awaited || read != Some(layer.to_string()) || !seen.errors.is_empty() {
            return Err(format!("{others}: {:?}, {read:?}, {:?}", seen.marks, seen.errors));
        }
    }
    // A listener that throws is told of as any other, and holds nothing up.
    let thrower = "document.addEventListener('engraft:exposure', () => { throw new Error('oops') });";
    let source = page(&format!("<script>{thrower}{LISTENER}</script>"))?;
    let url = lab.site.serve(&report(lab, &source, &events)?);
    let seen = lab.browser.open(&Asked { url: &url, slots: None, reads: "''", awaits: &[] })?;
    if seen.marks != awaited || seen.errors.len() != events.len() {
        return Err(format!("{:?}, {:?}", seen.marks, seen.errors));
    }
    // Elements of the page that have the names.
    let clobbering = "<form id=dataLayer></form><div id=engraft-exposures>[]</div><img name=currentScript>";
    let mut source = listening()?;
    source.body = source.body.replace("<p id=end>", &format!("{clobbering}<p id=end>"));
    let url = lab.site.serve(&report(lab, &source, &events)?);
    let seen = lab.browser.open(&Asked { url: &url, slots: None, reads: "''", awaits: &[] })?;
    if seen.marks == awaited {
        Ok(())
    } else {
        Err(format!("clobbered: {:?}, {:?}", seen.marks, seen.errors))
    }
}

/// The two signs of prerendering, imitated: whatever the browser does, it is these that count.
fn wait_for_prerendering(lab: &Lab) -> Result<(), String> {
    let events = events(&["u-1"])?;
    let signs = "let hidden = true; Object.defineProperty(document, 'prerendering', { get: () => hidden });
        addEventListener('load', () => {
          own(`hidden: ${(window.dataLayer || []).length}`);
          hidden = false;
          document.dispatchEvent(new Event('prerenderingchange'));
          own(`shown: ${window.dataLayer.length}`);
        });";
    let source = page(&format!("<script>{LISTENER};{signs}</script>"))?;
    let (seen, _) = open(lab, &report(lab, &source, &events)?, &["shown: 1".to_owned()])?;
    let mut awaited = vec!["hidden: 0".to_owned()];
    awaited.extend(expected(&events)?);
    awaited.push("shown: 1".to_owned());
    if seen.marks == awaited { Ok(()) } else { Err(format!("{:?}, not {awaited:?}", seen.marks)) }
}

/// A framework that puts a new body in runs its scripts again.
fn not_heard_again(lab: &Lab) -> Result<(), String> {
    let events = events(&["u-1"])?;
    let again = "addEventListener('load', () => {
          const old = document.body.lastElementChild;
          const script = document.createElement('script');
          script.textContent = old.textContent;
          old.replaceWith(script);
          own('again');
        });";
    let source = page(&format!("<script>{LISTENER};{again}</script>"))?;
    let (seen, layer) = open(lab, &report(lab, &source, &events)?, &["again".to_owned()])?;
    let mut awaited = expected(&events)?;
    awaited.push("again".to_owned());
    if seen.marks == awaited && layer.as_array().is_some_and(|layer| layer.len() == 1) {
        return Ok(());
    }
    Err(format!("{:?}, {layer}", seen.marks))
}
