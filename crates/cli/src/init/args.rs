//! The arguments of `engraft init`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct Init {
    /// The configuration to write; `-` is standard output
    #[arg(default_value = "engraft.yaml")]
    pub(crate) file: Output,
    /// Write over files that are there
    #[arg(short, long)]
    pub(crate) force: bool,
    /// The JSON Schema to write, which editors hold the configuration against; unless said, engraft.schema.json beside it, and none
    /// where that goes to standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) schema: Option<PathBuf>,
}

/// Where a configuration goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Output {
    Stdout,
    File(PathBuf),
}

impl From<OsString> for Output {
    fn from(argument: OsString) -> Self {
        if argument == "-" { Self::Stdout } else { Self::File(argument.into()) }
    }
}
