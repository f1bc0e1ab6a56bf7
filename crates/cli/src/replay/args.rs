//! The arguments of `engraft replay`.

use clap::Args;

use crate::args::Header;
use crate::exchange::args::Rules;
use crate::input::Input;

#[derive(Debug, Args)]
pub(crate) struct Replay {
    /// The trace: the JSON of `engraft explain --json`, the value of a header `x-engraft-trace`, or the response head with it; `-` is
    /// standard input
    pub(crate) file: Input,
    #[command(flatten)]
    pub(crate) rules: Rules,
    /// The origin's page, without which nothing is said of the body; `-` is standard input
    #[arg(short, long, value_name = "PAGE")]
    pub(crate) body: Option<Input>,
    /// A header of the request in place of the trace's, where that is hidden or left out; as often as needed
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE")]
    pub(crate) headers: Vec<Header>,
    /// Print the comparison as JSON
    #[arg(long)]
    pub(crate) json: bool,
}
