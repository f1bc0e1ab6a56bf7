//! `engraft init`: a configuration to start from, and the schema that makes editors understand it.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{self, Component, Path, PathBuf};

use crate::failure::{Failure, Verdict};
use crate::output;
use crate::quote::shell;
use crate::schema;

pub(crate) mod args;

use args::{Init, Output};

/// What follows the line that names the schema.
const STARTER: &str = include_str!("init/starter.yaml");

/// Beside the configuration, unless it is said where.
const SCHEMA: &str = "engraft.schema.json";

pub(crate) fn run(args: &Init) -> Result<Verdict, Failure> {
    let Output::File(file) = &args.file else {
        let schema = args.schema.as_deref();
        let starter = starter(schema.unwrap_or_else(|| Path::new(SCHEMA)))?;
        if let Some(schema) = schema {
            save_schema(schema, args.force)?;
        }
        output::to_stdout(|out, _| out.write_all(starter.as_bytes()))?;
        return Ok(Verdict::Fine);
    };
    let beside = || file.with_file_name(SCHEMA);
    let schema = args.schema.clone().unwrap_or_else(beside);
    let starter = starter(&seen_from(file, &schema))?;
    if !args.force && file.exists() {
        return Err(Failure::Exists { name: file.display().to_string() });
    }
    save_schema(&schema, args.force)?;
    save(file, starter.as_bytes(), args.force)?;
    output::to_stdout(|out, palette| {
        let fine = palette.fine;
        writeln!(out, "{fine}wrote{fine:#} {} and {}", file.display(), schema.display())?;
        write_next_steps(out, &shell(&file.display().to_string()))
    })?;
    Ok(Verdict::Fine)
}

/// The starter configuration. Its first line is what yaml-language-server looks for; it ends the schema's name at the first space.
fn starter(schema: &Path) -> Result<String, Failure> {
    let unsayable = || Failure::SchemaName { name: schema.display().to_string() };
    let names = schema.components().map(|part| match part {
        // `/` and what comes behind it would be `//`.
        Component::RootDir => Some(""),
        part => part.as_os_str().to_str(),
    });
    let name = names.collect::<Option<Vec<_>>>().ok_or_else(unsayable)?.join("/");
    if name.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(unsayable());
    }
    Ok(format!("# yaml-language-server: $schema={name}\n{STARTER}"))
}

/// The path of `schema` from the folder that `file` is in; the whole path where there is no way between them.
fn seen_from(file: &Path, schema: &Path) -> PathBuf {
    let (file, whole) = (path::absolute(file), path::absolute(schema));
    let relative = || pathdiff::diff_paths(whole.as_ref().ok()?, file.ok()?.parent()?);
    relative().unwrap_or_else(|| schema.to_owned())
}

/// Writes the schema, unless it is there already.
fn save_schema(path: &Path, force: bool) -> Result<(), Failure> {
    let failed = |source| Failure::Save { name: path.display().to_string(), source };
    let mut schema = Vec::new();
    output::json(&mut schema, &schema::schema()).map_err(failed)?;
    if fs::read(path).is_ok_and(|bytes| bytes == schema) {
        return Ok(());
    }
    save(path, &schema, force)
}

/// Writes a file; over one that is there only by `force`.
fn save(path: &Path, bytes: &[u8], force: bool) -> Result<(), Failure> {
    let mut options = OpenOptions::new();
    options.write(true);
    if force {
        options.create(true).truncate(true)
    } else {
        options.create_new(true)
    };
    let written = options.open(path).and_then(|mut file| file.write_all(bytes));
    let name = || path.display().to_string();
    written.map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => Failure::Exists { name: name() },
        _ => Failure::Save { name: name(), source },
    })
}

fn write_next_steps(out: &mut dyn Write, file: &str) -> io::Result<()> {
    write!(
        out,
        "
Next:
  engraft check {file}
      says what is wrong with it, and what the caches are told
  engraft render --config {file} --url / --body page.html --verbose
      prints a page of yours as it leaves, and what became of each patch;
      all of them are done for a visitor with
      -H 'x-geo-country: US' -H 'cookie: engraft_id=u-2; first_name=Ada'
      -H 'user-agent: Mozilla/5.0'
  engraft serve --config {file} --site .
      serves the pages of this folder through it; --origin URL those of a server
"
    )
}
