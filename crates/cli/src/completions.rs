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

/// Where each shell looks for them.
pub(crate) const EXAMPLES: &str = "\
Examples:
  source <(engraft completions bash)                                           this bash only
  engraft completions bash > ~/.local/share/bash-completion/completions/engraft
  engraft completions zsh > \"${fpath[1]}/_engraft\"
  engraft completions fish > ~/.config/fish/completions/engraft.fish
  engraft completions powershell >> $PROFILE
  engraft completions elvish >> ~/.config/elvish/rc.elv";

pub(crate) fn run(args: &Completions) -> Result<Verdict, Failure> {
    // By way of memory, because a failed write would panic.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut args::command(), "engraft", &mut script);
    output::to_stdout(|out, _| out.write_all(&script))?;
    Ok(Verdict::Fine)
}
