//! `engraft render`: one request and its response through the core, as the filter would take them.

use std::io::{self, Write};
use std::sync::Arc;

use engraft::exchange::report::Report;
use engraft::live::Live;
use http::{HeaderName, HeaderValue};

use crate::args::Render;
use crate::check::Findings;
use crate::exchange::rendering::{Answer, Rendering};
use crate::exchange::visit::{self, Visit};
use crate::failure::{Failure, Verdict};
use crate::input::Input;
use crate::output;

mod json;

pub(crate) fn run(args: &Render) -> Result<Verdict, Failure> {
    let inputs = [
        ("--config", Some(&args.config)),
        ("--payload", args.payload.as_ref()),
        ("--body", args.body.as_ref()),
    ];
    let mut from_stdin =
        inputs.iter().filter(|(_, input)| *input == Some(&Input::Stdin)).map(|(name, _)| *name);
    if let (Some(first), Some(second)) = (from_stdin.next(), from_stdin.next()) {
        return Err(Failure::StdinTwice { first, second });
    }
    let findings = Findings::of(&args.config.read()?);
    let Some(engine) = findings.engine else {
        output::to_stderr(|out, palette| findings.write(out, palette, &args.config.name()))?;
        return Ok(Verdict::Problems);
    };
    let engine = Arc::new(engine);
    let head = visit::head(&args.method, args.url.clone(), visit::lines(&args.headers));
    let mut visit = Visit::new(head, &args.facts, engine.facts())?;
    visit.now = args.now.unwrap_or(visit.now);
    if let Some(input) = &args.payload {
        match Live::read(&input.read()?, args.decryption_key.as_ref()) {
            Ok(live) => visit.live = Some(Arc::new(live)),
            Err(error) => {
                let name = input.name();
                output::to_stderr(|out, palette| {
                    let style = palette.error;
                    writeln!(out, "{name}: {style}error:{style:#} {error}")
                })?;
                return Ok(Verdict::Problems);
            }
        }
    }
    let page = args.body.as_ref().map(Input::read).transpose()?.unwrap_or_default();
    let answer = Answer::new(args.status, visit::lines(&args.response_headers), page).in_chunks(args.chunk);
    let rendering = Rendering::of(&engine, visit, answer);

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
