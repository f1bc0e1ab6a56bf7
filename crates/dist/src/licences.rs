//! The licences of what others wrote and a release contains: each text once, below the names of those who come under it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;

use crate::Outcome;
use crate::packages::{Id, Package, Parts};

/// What files with licences are called, in capitals and without what follows a dot or a hyphen.
const NAMES: [&str; 6] = ["LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE", "UNLICENSE"];
const RULE: &str = "--------------------------------------------------------------------------------";

/// One text for all of them.
pub(crate) fn text(all: &[Parts]) -> Outcome<String> {
    let mut packages: BTreeMap<&Id, &Package> = BTreeMap::new();
    for parts in all {
        // What has no checksum is of this checkout; what only helped to build is not in what is released.
        packages.extend(
            parts.packages.iter().filter(|(_, package)| package.is_part && package.checksum.is_some()),
        );
    }
    let mut texts: BTreeMap<String, BTreeSet<&Id>> = BTreeMap::new();
    let mut out = String::from("Software of others in this release, and its licences.\n\n");
    for (id, package) in &packages {
        let licence =
            package.licence.as_deref().ok_or_else(|| format!("{} {} has no licence", id.name, id.version))?;
        let found = found(package)?;
        let note = if found.is_empty() { " (its package has no text of it)" } else { "" };
        let at = package.repository.as_deref().unwrap_or_default();
        writeln!(out, "{} {}: {licence}{note} {at}", id.name, id.version)?;
        for text in found {
            texts.entry(text).or_default().insert(id);
        }
    }
    writeln!(out, "Rust's standard library: MIT OR Apache-2.0 https://github.com/rust-lang/rust")?;
    writeln!(out, "In the command for Linux also musl: MIT https://musl.libc.org")?;
    let mut texts: Vec<_> = texts.into_iter().collect();
    // Those of many first; then by name.
    texts.sort_by(|(_, one), (_, other)| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
    for (text, ids) in texts {
        let names: Vec<String> = ids.iter().map(|id| format!("{} {}", id.name, id.version)).collect();
        write!(out, "\n{RULE}\n{}\n{RULE}\n\n{text}", names.join(", "))?;
    }
    Ok(out)
}

/// The texts in a package's folder, in the order of their names.
fn found(package: &Package) -> Outcome<Vec<String>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(&package.folder)
        .map_err(|error| format!("can't read {}: {error}", package.folder.display()))?
    {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_ascii_uppercase();
        let stem = name.split(['.', '-', '_']).next().unwrap_or_default();
        if NAMES.contains(&stem) && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    let read = files.iter().map(|path| Ok(normalised(&String::from_utf8_lossy(&fs::read(path)?))));
    read.collect()
}

/// Without what makes two copies of one text differ: line ends, spaces at them, empty lines around.
fn normalised(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.join("\n").trim_matches('\n').to_owned() + "\n"
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn package(folder: &Path, files: &[(&str, &str)], is_part: bool) -> Package {
        fs::create_dir_all(folder).unwrap();
        files.iter().for_each(|(name, text)| fs::write(folder.join(name), text).unwrap());
        Package {
            licence: Some("MIT".to_owned()),
            repository: None,
            description: None,
            folder: folder.to_path_buf(),
            checksum: Some("00".to_owned()),
            is_part,
        }
    }

    #[test]
    fn each_text_stands_once_below_all_who_come_under_it() {
        let dir = tempfile::tempdir().unwrap();
        let id = |name: &str| Id { name: name.to_owned(), version: "1.0.0".to_owned() };
        let at = |name: &str| dir.path().join(name);
        let packages = BTreeMap::from([
            (
                id("a"),
                package(
                    &at("a"),
                    &[("LICENSE-MIT", "\r\nDo as you like. \r\n"), ("readme.md", "no licence")],
                    true,
                ),
            ),
            (id("b"), package(&at("b"), &[("license.txt", "Do as you like.")], true)),
            (id("c"), package(&at("c"), &[], true)),
            (id("d"), package(&at("d"), &[("LICENSE", "of a build script")], false)),
        ]);
        let parts = Parts { root: id("a"), packages, needs: BTreeMap::new() };
        let text = text(&[parts.clone(), parts]).unwrap();
        assert_eq!(text.matches("Do as you like.").count(), 1);
        assert!(text.contains(&format!("{RULE}\na 1.0.0, b 1.0.0\n{RULE}\n\nDo as you like.\n")), "{text}");
        assert!(text.contains("c 1.0.0: MIT (its package has no text of it)"));
        assert!(!text.contains("no licence") && !text.contains("build script"));
    }
}
