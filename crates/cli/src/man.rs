//! `engraft man`: the manual, from the types that read the command line.

use std::fs;
use std::path::PathBuf;

use clap::Args;
use clap_mangen::Man;

use crate::args;
use crate::failure::{Failure, Verdict};
use crate::output;

#[derive(Debug, Args)]
pub(crate) struct Manual {
    /// A folder for all pages, one for each command; it is made if it is missing. Without it the first page is printed
    pub(crate) folder: Option<PathBuf>,
}

pub(crate) fn run(args: &Manual) -> Result<Verdict, Failure> {
    let Some(folder) = &args.folder else {
        let page = Man::new(args::command().disable_help_subcommand(true));
        output::to_stdout(|out, _| page.render(out))?;
        return Ok(Verdict::Fine);
    };
    let written = fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(args::command(), folder));
    written.map_err(|source| Failure::Save { name: folder.display().to_string(), source })?;
    output::to_stdout(|out, palette| {
        let fine = palette.fine;
        writeln!(out, "{fine}wrote{fine:#} engraft.1 and a page for each command to {}", folder.display())
    })?;
    Ok(Verdict::Fine)
}
