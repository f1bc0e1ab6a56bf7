//! Files, and `-` for standard input.

use std::ffi::OsString;
use std::io::{self, Read};
use std::path::PathBuf;

use crate::failure::Failure;

/// Where bytes come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Input {
    Stdin,
    File(PathBuf),
}

impl From<OsString> for Input {
    fn from(argument: OsString) -> Self {
        if argument == "-" { Self::Stdin } else { Self::File(argument.into()) }
    }
}

impl Input {
    /// What messages call it.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Stdin => "<stdin>".to_owned(),
            Self::File(path) => path.display().to_string(),
        }
    }

    /// What a server would call it, by its name: JSON, or HTML in UTF-8.
    pub(crate) fn content_type(&self) -> &'static str {
        let is_json = |path: &PathBuf| path.extension().is_some_and(|it| it.eq_ignore_ascii_case("json"));
        match self {
            Self::File(path) if is_json(path) => "application/json",
            _ => "text/html; charset=utf-8",
        }
    }

    pub(crate) fn read(&self) -> Result<Vec<u8>, Failure> {
        let bytes = match self {
            Self::Stdin => {
                let mut bytes = Vec::new();
                io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
            }
            Self::File(path) => std::fs::read(path),
        };
        bytes.map_err(|source| Failure::Read { name: self.name(), source })
    }
}

/// Standard input can be read once: these arguments, of those that are given, may not both name it.
pub(crate) fn check(inputs: &[(&'static str, Option<&Input>)]) -> Result<(), Failure> {
    let mut from_stdin =
        inputs.iter().filter(|(_, input)| *input == Some(&Input::Stdin)).map(|(name, _)| *name);
    match (from_stdin.next(), from_stdin.next()) {
        (Some(first), Some(second)) => Err(Failure::StdinTwice { first, second }),
        _ => Ok(()),
    }
}
