//! `engraft completions`: what a shell needs to complete commands and options.

use clap::Args;
use clap_complete::Shell;

use crate::args;
use crate::failure::{Failure, Verdict};
use crate::output;

#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: Shell,
}

pub(crate) fn run(args: &Completions) -> Result<Verdict, Failure> {
    // By way of memory, because a failed write would panic.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut args::command(), "engraft", &mut script);
    output::to_stdout(|out, _| out.write_all(&script))?;
    Ok(Verdict::Fine)
}
