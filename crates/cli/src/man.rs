//! `engraft man`: the manual, from the types that read the command line.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::builder::Resettable;
use clap::{Args, Command};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

use crate::args;
use crate::failure::{Failure, Verdict};
use crate::output;

#[derive(Debug, Args)]
pub(crate) struct Manual {
    /// A folder for all pages, one for each command; it is made if it is missing. Without it the first page is printed
    pub(crate) folder: Option<PathBuf>,
}

pub(crate) fn run(args: &Manual) -> Result<Verdict, Failure> {
    let mut command = args::command().disable_help_subcommand(true);
    // Gives subcommands their whole names.
    command.build();
    let Some(folder) = &args.folder else {
        let page = Page::of(command);
        output::to_stdout(|out, _| page.write(out))?;
        return Ok(Verdict::Fine);
    };
    let written = fs::create_dir_all(folder).and_then(|()| {
        let subcommands: Vec<_> = command.get_subcommands().filter(|it| !it.is_hide_set()).cloned().collect();
        subcommands.into_iter().chain([command]).try_for_each(|command| Page::of(command).save(folder))
    });
    written.map_err(|source| Failure::Save { name: folder.display().to_string(), source })?;
    output::to_stdout(|out, palette| {
        let fine = palette.fine;
        writeln!(out, "{fine}wrote{fine:#} engraft.1 and a page for each command to {}", folder.display())
    })?;
    Ok(Verdict::Fine)
}

/// A page of the manual.
struct Page {
    man: Man,
    /// What stands at the end of the help. Left to clap_mangen, it would be one section, its lines run together and justified.
    end: String,
}

impl Page {
    fn of(command: Command) -> Self {
        let end = command.get_after_long_help().or_else(|| command.get_after_help());
        let end = end.map(ToString::to_string).unwrap_or_default();
        let command = command.after_help(Resettable::Reset).after_long_help(Resettable::Reset);
        Self { man: Man::new(command).source(concat!("engraft ", env!("CARGO_PKG_VERSION"))), end }
    }

    fn write(&self, out: &mut dyn io::Write) -> io::Result<()> {
        self.man.render(out)?;
        let mut roff = Roff::new();
        for section in self.end.split("\n\n") {
            let (heading, lines) = section.split_once(":\n").unwrap_or(("Notes", section));
            roff.control("SH", [heading.to_uppercase().as_str()]).control("nf", []);
            lines.lines().for_each(|line| _ = roff.text([roman(line.strip_prefix("  ").unwrap_or(line))]));
            roff.control("fi", []);
        }
        roff.to_writer(out)
    }

    fn save(&self, folder: &Path) -> io::Result<()> {
        let mut bytes = Vec::new();
        self.write(&mut bytes)?;
        fs::write(folder.join(self.man.get_filename()), bytes)
    }
}
