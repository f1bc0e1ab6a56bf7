//! The arguments of `engraft render`.

use clap::Args;

use crate::exchange::args::{Answered, Asked, Rules};

#[derive(Debug, Args)]
pub(crate) struct Render {
    #[command(flatten)]
    pub(crate) rules: Rules,
    #[command(flatten)]
    pub(crate) asked: Asked,
    #[command(flatten)]
    pub(crate) answered: Answered,
    /// Print everything that is known of the exchange as JSON, the page in it
    #[arg(long)]
    pub(crate) json: bool,
    /// Say on standard error what became of the patches
    #[arg(short, long, conflicts_with = "json")]
    pub(crate) verbose: bool,
}
