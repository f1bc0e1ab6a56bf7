//! What a browser makes of our output: a real Chromium opens pages that the core has edited.
//!
//! ```text
//! escaping::<place>          every hostile value of `tests/data/browser/escaping.yaml` in that place: no script runs but the
//!                            page's own, the page has the elements it should have, and shows the value
//! csp::…, trusted_types::…,  a page of `tests/data/browser/policies.yaml` with its policy, as it comes and patched: what is
//! sri::…                     injected works, no violation is added, and no attack gets through that did not before
//! mutations::…               generated pages with generated mutations of visual experiments: edited by the core, and by
//!                            dom-mutator in the browser
//! exposures::…               what the page's scripts hear of exposures, and that no value in them is markup
//! itself::…                  without escaping, and without policies, the attacks do what they are there for
//! ```
//!
//! `make test` brings what drives the browser (`scripts/browser`). The browser is `CHROMIUM_BIN`, or `chromium` on the path. Where
//! something is missing, a line says what, and the tests are shown as ignored. Alone: `cargo test --test browser -- csp`.

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Trial};

mod browser;
mod escaping;
mod exposures;
mod mutations;
mod policies;
mod site;
mod table;
mod views;

use browser::Found;
use site::Site;

/// What all tests share.
struct Lab {
    site: Site,
    browser: browser::Browser,
}

type Act = Box<dyn FnOnce(&Lab) -> Result<(), String> + Send>;
type Test = (String, Act);

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<ExitCode, String> {
    let arguments = Arguments::from_args();
    let mut tests = escaping::tests()?;
    tests.extend(policies::tests()?);
    tests.extend(mutations::tests()?);
    tests.extend(exposures::tests()?);
    tests.extend(views::tests());
    let lab = match browser::find()? {
        Found::Programs(programs) if !arguments.list => {
            let site = Site::start()?;
            let browser = programs.start(site.port())?;
            Some(Arc::new(Lab { site, browser }))
        }
        Found::Programs(_) => None,
        Found::Missing(what) => {
            let _ = writeln!(std::io::stderr(), "SKIPPED: browser: {what}");
            None
        }
    };
    let trials = tests.into_iter().map(|(name, test)| {
        let lab = lab.clone();
        let ignored = lab.is_none() && !arguments.list;
        let trial = Trial::test(name, move || match lab {
            Some(lab) => test(&lab).map_err(Into::into),
            None => Err("there is no browser".into()),
        });
        trial.with_ignored_flag(ignored)
    });
    Ok(libtest_mimic::run(&arguments, trials.collect()).exit_code())
}
