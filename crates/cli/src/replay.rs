//! `engraft replay`: whether what happened elsewhere happens here too.

mod again;
pub(crate) mod args;
mod compare;

use std::io::{self, Write};

use serde::Serialize;

use crate::exchange::rendering::Rendering;
use crate::failure::{Failure, Verdict};
use crate::input;
use crate::input::Input;
use crate::output::{self, Palette};
use crate::printable::line;
use crate::trace;
use args::Replay;
use compare::{Known, Member, compare};

pub(crate) fn run(args: &Replay) -> Result<Verdict, Failure> {
    input::check(&[
        ("the trace", Some(&args.file)),
        ("--config", Some(&args.rules.config)),
        ("--payload", args.rules.payload.as_ref()),
        ("--body", args.body.as_ref()),
    ])?;
    let failed = |source| Failure::Trace { name: args.file.name(), source };
    let text = args.file.read()?;
    let recorded = trace::read(&String::from_utf8_lossy(&text)).map_err(failed)?;
    let Some(in_force) = args.rules.load_for_visitors()? else { return Ok(Verdict::Problems) };
    let engine = std::sync::Arc::clone(&in_force.engine);
    let visit = again::visit(&recorded, in_force, &args.headers).map_err(failed)?;
    let page = args.body.as_ref().map(Input::read).transpose()?;
    let hidden = again::hidden(&recorded, &args.headers);
    let known = Known { page: page.is_some(), request: hidden.is_empty() };
    let rendering = Rendering::of(&engine, visit, &again::answer(&recorded, page.unwrap_or_default()));
    let replayed = rendering.report.trace.map(|trace| *trace).unwrap_or_default();
    let members = compare(&recorded, &replayed, known);
    let came = Came { same: members.iter().all(Member::is_same), hidden, members };
    output::to_stdout(
        |out, palette| if args.json { output::json(out, &came) } else { came.write(out, palette) },
    )?;
    Ok(if came.same { Verdict::Fine } else { Verdict::Problems })
}

/// What came of it.
#[derive(Debug, Serialize)]
struct Came {
    same: bool,
    /// What of the request is not known here, as it is hidden in the trace.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hidden: Vec<String>,
    members: Vec<Member>,
}

impl Came {
    fn write(&self, out: &mut dyn Write, palette: &Palette) -> io::Result<()> {
        self.members.iter().try_for_each(|member| member.write(out, palette))?;
        if !self.hidden.is_empty() {
            let warning = palette.warning;
            let hidden = self.hidden.join(", ");
            let hidden = line(&hidden);
            writeln!(
                out,
                "{warning}hidden:{warning:#} {hidden}; what reads it may come out otherwise. Give it with -H"
            )?;
        }
        let (style, said) = match self.same {
            true => (palette.fine, "the outcome is the same"),
            false => (palette.error, "the outcome is different"),
        };
        let compared = self.members.iter().filter(|member| member.not_compared.is_none()).count();
        writeln!(out, "{style}{said}{style:#}: {compared} of {} members compared", self.members.len())
    }
}

impl Member {
    fn write(&self, out: &mut dyn Write, palette: &Palette) -> io::Result<()> {
        let (fine, error, faint) = (palette.fine, palette.error, palette.faint);
        write!(out, "{:<14}", self.name)?;
        match self.not_compared {
            Some(why) => return writeln!(out, "{faint}not compared: {why}{faint:#}"),
            None if self.is_same() => write!(out, "{fine}the same{fine:#}")?,
            None => write!(out, "{error}different{error:#}")?,
        }
        if !self.unknown.is_empty() {
            write!(out, "{faint}; not compared: {}{faint:#}", line(&self.unknown.join(", ")))?;
        }
        writeln!(out)?;
        for difference in &self.differences {
            let of = line(&difference.of);
            if let Some(recorded) = &difference.recorded {
                writeln!(out, "  {error}- {of}: {}{error:#}", line(recorded))?;
            }
            if let Some(replayed) = &difference.replayed {
                writeln!(out, "  {fine}+ {of}: {}{fine:#}", line(replayed))?;
            }
        }
        Ok(())
    }
}
