//! `engraft check`: everything that is wrong with a configuration, and what may surprise in it.
//!
//! What is said comes from the core, and has a [code](engraft::config::problem::Code) with a [page](docs) in the docs. Here it is
//! weighed, put into an order and shown in one of several forms.

use engraft::config::problem::Level;

use crate::failure::{Failure, Verdict};
use crate::{input, output};

pub(crate) mod args;
mod docs;
mod finding;
mod findings;
mod github;
mod human;
mod json;
mod pages;
mod policy;
mod sarif;
mod short;
mod snippet;
mod summary;
mod weights;

use args::{Check, Format};
pub(crate) use findings::Findings;
use pages::Page;

pub(crate) fn run(args: &Check) -> Result<Verdict, Failure> {
    if let Some(code) = args.explain {
        output::to_stdout(|out, _| out.write_all(docs::page(code).as_bytes()))?;
        return Ok(Verdict::Fine);
    }
    let Some(file) = &args.file else { return Ok(Verdict::Fine) };
    let pages = args.pages.iter().map(|page| match page {
        Page::File(input) => ("--page", Some(input)),
        Page::Web(_) => ("--page", None),
    });
    input::check(&[("FILE", Some(file))].into_iter().chain(pages).collect::<Vec<_>>())?;
    let bytes = file.read()?;
    let mut findings = Findings::of(&bytes);
    findings.lint(&bytes);
    if !args.pages.is_empty() {
        findings.look(&bytes, &args.pages, args.url.as_ref())?;
    }
    findings.weigh(&args.weights());
    let name = file.name();
    output::to_stdout(|out, palette| match args.format {
        Format::Human => findings.write(out, palette, &name),
        Format::Short => findings.write_short(out, palette, &name),
        Format::Json => output::json(out, &findings.to_json(&name)),
        Format::Github => github::write(out, &findings, &name),
        Format::Sarif => output::json(out, &sarif::log(&findings, &name)),
    })?;
    if args.format.is_for_machines() {
        output::to_stderr(|out, palette| findings.sum_up(out, palette, &name))?;
    }
    Ok(if findings.weight() == Some(Level::Error) { Verdict::Problems } else { Verdict::Fine })
}
