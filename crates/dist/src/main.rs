//! Makes what a release consists of besides the binaries. Everything is a function of its inputs, so that two builds of one commit are
//! the same bytes.
//!
//! ```text
//! engraft-dist image MODULE OUT              OUT, an archive with an OCI image of the module; also for `docker load`
//! engraft-dist sbom PACKAGE TARGET FILE OUT  OUT, a CycloneDX bill of materials of FILE, which is PACKAGE built for TARGET
//! engraft-dist licences OUT PACKAGE:TARGET…  OUT, the licences of everything that stands in these
//! ```
//!
//! `SOURCE_DATE_EPOCH` is the time of the commit, `ENGRAFT_REVISION` its name; without them nothing is said of them.

mod digest;
mod image;
mod licences;
mod packages;
mod release;
mod sbom;

use std::error::Error;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use release::Release;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "engraft-dist: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Outcome<()> {
    let release = Release::from_environment()?;
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["image", module, out] => {
            let image = image::archive(&read(module)?, &release)?;
            write(out, &image)
        }
        ["sbom", package, target, file, out] => {
            let parts = packages::parts(package, target)?;
            let name = Path::new(file).file_name().and_then(|name| name.to_str()).unwrap_or(package);
            let described = sbom::Described { name, bytes: &read(file)?, target };
            write(out, sbom::document(&described, &parts, &release)?.as_bytes())
        }
        ["licences", out, built @ ..] if !built.is_empty() => {
            let mut all = Vec::new();
            for built in built {
                let (package, target) = built.split_once(':').ok_or("what is built is PACKAGE:TARGET")?;
                all.push(packages::parts(package, target)?);
            }
            write(out, licences::text(&all)?.as_bytes())
        }
        _ => {
            Err("takes image MODULE OUT, sbom PACKAGE TARGET FILE OUT, or licences OUT PACKAGE:TARGET…"
                .into())
        }
    }
}

fn read(path: &str) -> Outcome<Vec<u8>> {
    fs::read(path).map_err(|error| format!("can't read {path}: {error}").into())
}

fn write(path: &str, bytes: &[u8]) -> Outcome<()> {
    fs::write(path, bytes).map_err(|error| format!("can't write {path}: {error}").into())
}
