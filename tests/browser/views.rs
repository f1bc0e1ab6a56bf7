//! Page views that no debugger can be present at, for it would prevent them: a prerendered page that is shown, and one that
//! comes back from the back/forward cache. A browser of its own is started at a page that goes on by itself; what happens the
//! pages tell the origin.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::exposures::{LISTENER, events, page, report};
use crate::{Lab, Test};

/// How long a browser may take for all of it: so many looks, and a pause between two of them.
const LOOKS: u32 = 600;
const PAUSE: Duration = Duration::from_millis(50);

/// `tell` is what `own` is elsewhere.
const TELL: &str = "function own(what) { fetch('/heard?NAME&' + encodeURIComponent(what)) }";

pub(crate) fn tests() -> Vec<Test> {
    vec![
        ("exposures::are_heard_when_a_prerendered_page_is_shown".to_owned(), Box::new(prerendered)),
        ("exposures::are_not_heard_again_of_a_page_that_comes_back".to_owned(), Box::new(back)),
    ]
}

/// A browser that nobody drives. Dropping it ends it.
struct Alone {
    child: Child,
    _profile: tempfile::TempDir,
}

impl Alone {
    fn start(lab: &Lab, url: &str) -> Result<Self, String> {
        let profile = tempfile::tempdir().map_err(|error| error.to_string())?;
        let mut command = Command::new(lab.browser.program());
        command.args(["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run"]);
        command.arg(format!("--user-data-dir={}", profile.path().display())).arg(url);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().map_err(|error| error.to_string())?;
        Ok(Self { child, _profile: profile })
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Serves a page with one event that says what happens in it.
fn telling(lab: &Lab, name: &str, more: &str) -> Result<String, String> {
    let tell = TELL.replace("NAME", name);
    let source = page(&format!("<script>{tell}\n{LISTENER};\n{more}</script>"))?;
    Ok(lab.site.serve(&report(lab, &source, &events(&["u-1"])?)?))
}

/// What was told, until `last` was.
fn told(lab: &Lab, name: &str, last: &str) -> Result<Vec<String>, String> {
    for _ in 0..LOOKS {
        let told = lab.site.heard(name);
        let told: Vec<String> = told
            .into_iter()
            .map(|what| if what.contains("experiment_viewed") { "event".to_owned() } else { what })
            .collect();
        if told.iter().any(|what| what == last) {
            return Ok(told);
        }
        std::thread::sleep(PAUSE);
    }
    Err(format!("{last:?} did not come: {:?}", lab.site.heard(name)))
}

fn prerendered(lab: &Lab) -> Result<(), String> {
    let shown = telling(
        lab,
        "prerendered",
        "own('prerendering: ' + document.prerendering);
        addEventListener('load', () => setTimeout(() => own('before: ' + (window.dataLayer || []).length), 200));
        document.addEventListener('prerenderingchange', () => setTimeout(() => own('after: ' + dataLayer.length), 500));",
    )?;
    let path = shown.split_once("//").and_then(|(_, rest)| rest.find('/').and_then(|at| rest.get(at..)));
    let path = path.ok_or("a URL without a path")?;
    // Goes on when the other page has been prerendered, as far as it can be seen from here.
    let first = page(&format!(
        "<script type=speculationrules>{{\"prerender\":[{{\"source\":\"list\",\"urls\":[\"{path}\"],\"eagerness\":\"immediate\"}}]}}</script>
        <script>setTimeout(() => location.href = '{path}', 3000)</script>"
    ))?;
    let _browser = Alone::start(lab, &lab.site.serve(&first))?;
    let told = told(lab, "prerendered", "after: 1")?;
    if told == ["prerendering: true", "before: 0", "event", "after: 1"] {
        Ok(())
    } else {
        Err(format!("{told:?}"))
    }
}

fn back(lab: &Lab) -> Result<(), String> {
    let away =
        page("<script>addEventListener('load', () => setTimeout(() => history.back(), 500))</script>")?;
    let away = lab.site.serve(&away);
    let first = telling(
        lab,
        "back",
        &format!(
            "addEventListener('pageshow', (event) => {{
              if (event.persisted) setTimeout(() => own('back: ' + dataLayer.length), 500);
              else setTimeout(() => {{ location.href = '{away}' }}, 500);
            }});"
        ),
    )?;
    let _browser = Alone::start(lab, &first)?;
    let told = told(lab, "back", "back: 1")?;
    if told == ["event", "back: 1"] { Ok(()) } else { Err(format!("{told:?}")) }
}
