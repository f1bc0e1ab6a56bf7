//! `engraft render`: one request and its response through the core, as the filter would take them.

use std::io::{self, Write};

use engraft::exchange::report::Report;
use http::{HeaderName, HeaderValue};

use crate::exchange::rendering::Rendering;
use crate::exchange::rules::InForce;
use crate::exchange::visit::Visit;
use crate::failure::{Failure, Verdict};
use crate::{input, output};
use args::Render;

pub(crate) mod args;
mod json;

pub(crate) fn run(args: &Render) -> Result<Verdict, Failure> {
    let Render { rules, asked, answered, .. } = args;
    input::check(&[
        ("--config", Some(&rules.config)),
        ("--payload", rules.payload.as_ref()),
        ("--body", answered.body.as_ref()),
    ])?;
    let Some(InForce { engine, live }) = rules.load()? else { return Ok(Verdict::Problems) };
    let visit = Visit { live, ..asked.visit(&engine)? };
    let rendering = Rendering::of(&engine, visit, &answered.answer()?);

    if args.verbose {
        output::to_stderr(|out, _| write_summary(out, &rendering.report))?;
    }
    output::to_stdout(|out, _| match &rendering {
        _ if args.json => output::json(out, &json::Exchange::from(&rendering)),
        Rendering { request: None, .. } => write_head(out, &rendering),
        Rendering { body, .. } => out.write_all(body),
    })?;
    Ok(Verdict::Fine)
}

/// A response without a body, as HTTP/1.1 shows it.
fn write_head(out: &mut dyn Write, rendering: &Rendering) -> io::Result<()> {
    writeln!(out, "{}", rendering.status)?;
    for (name, value) in &rendering.headers {
        write_header(out, name, value)?;
    }
    Ok(())
}

fn write_header(out: &mut dyn Write, name: &HeaderName, value: &HeaderValue) -> io::Result<()> {
    write!(out, "{name}: ")?;
    out.write_all(value.as_bytes())?;
    out.write_all(b"\n")
}

fn write_summary(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    writeln!(out, "route: {}", report.route.as_deref().unwrap_or("none"))?;
    for note in &report.decisions {
        writeln!(out, "decision: {} = {} ({})", note.name, note.value, note.because)?;
    }
    for exposed in &report.exposures {
        writeln!(out, "exposure: {} = {}", exposed.experiment_id(), exposed.variation_id())?;
    }
    if let Some(patch) = &report.redirected_by {
        return writeln!(out, "redirected by: {patch}");
    }
    writeln!(out, "body: {}, {} bytes held at most", report.body, report.max_held_bytes)?;
    report.patches.iter().try_for_each(|patch| writeln!(out, "patch: {patch}"))
}
