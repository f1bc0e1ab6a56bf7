//! What stands in a build, as cargo tells it: which packages, which of them only the build needs, and which needs which.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;

use serde::Deserialize;

use crate::Outcome;

/// A package, by what tells it apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Id {
    pub(crate) name: String,
    pub(crate) version: String,
}

/// What is known of a package.
#[derive(Clone, Debug)]
pub(crate) struct Package {
    /// SPDX.
    pub(crate) licence: Option<String>,
    pub(crate) repository: Option<String>,
    pub(crate) description: Option<String>,
    /// Where its sources are on this machine.
    pub(crate) folder: PathBuf,
    /// SHA-256 of what the registry served; none of those that are in this checkout.
    pub(crate) checksum: Option<String>,
    /// Whether something of it is in the result; otherwise it only helped to make it.
    pub(crate) is_part: bool,
}

/// Everything that one build takes.
#[derive(Clone, Debug)]
pub(crate) struct Parts {
    /// What is built.
    pub(crate) root: Id,
    pub(crate) packages: BTreeMap<Id, Package>,
    pub(crate) needs: BTreeMap<Id, BTreeSet<Id>>,
}

/// What `package` built for `target` takes.
pub(crate) fn parts(package: &str, target: &str) -> Outcome<Parts> {
    let about: Metadata =
        serde_json::from_slice(&cargo(&["metadata", "--locked", "--format-version", "1"])?)?;
    let lock = about.workspace_root.join("Cargo.lock");
    let lock =
        std::fs::read_to_string(&lock).map_err(|error| format!("can't read {}: {error}", lock.display()))?;
    let checksums = checksums(&lock);
    // Features are those of this package and this target: `cargo metadata` tells them for the whole workspace.
    let tree = |edges: &str| -> Outcome<Tree> {
        let tree = ["tree", "--locked", "--package", package, "--target", target, "--edges", edges];
        let told = cargo(&[tree.as_slice(), &["--prefix", "depth", "--format", "{p}"]].concat())?;
        Tree::read(std::str::from_utf8(&told)?)
    };
    let (all, within) = (tree("normal,build")?, tree("normal,no-proc-macro")?);
    let mut packages = BTreeMap::new();
    for id in all.needs.keys() {
        let about = about.packages.iter().find(|about| about.name == id.name && about.version == id.version);
        let about =
            about.ok_or_else(|| format!("cargo metadata does not know {} {}", id.name, id.version))?;
        let folder = about.manifest_path.parent().map(PathBuf::from).unwrap_or_default();
        packages.insert(
            id.clone(),
            Package {
                licence: about.license.as_deref().map(spdx),
                repository: about.repository.clone(),
                description: about.description.clone(),
                folder,
                checksum: checksums.get(id).cloned(),
                is_part: within.needs.contains_key(id),
            },
        );
    }
    Ok(Parts { root: all.root, packages, needs: all.needs })
}

/// The expression that a licence is, which some packages still write as `MIT / Apache-2.0`, as was usual before SPDX had a word for it.
fn spdx(licence: &str) -> String {
    licence.split('/').map(str::trim).collect::<Vec<_>>().join(" OR ")
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<About>,
    workspace_root: PathBuf,
}

#[derive(Deserialize)]
struct About {
    name: String,
    version: String,
    license: Option<String>,
    repository: Option<String>,
    description: Option<String>,
    manifest_path: PathBuf,
}

fn cargo(arguments: &[&str]) -> Outcome<Vec<u8>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo).args(arguments).output()?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(format!(
            "cargo {} failed: {}",
            arguments.join(" "),
            String::from_utf8_lossy(&output.stderr).trim()
        )
        .into())
    }
}

/// What `cargo tree --prefix depth` prints.
#[derive(Debug)]
struct Tree {
    root: Id,
    needs: BTreeMap<Id, BTreeSet<Id>>,
}

impl Tree {
    fn read(told: &str) -> Outcome<Self> {
        // From the root to the package of the line before.
        let mut above: Vec<Id> = Vec::new();
        let mut needs: BTreeMap<Id, BTreeSet<Id>> = BTreeMap::new();
        for line in told.lines().filter(|line| !line.is_empty()) {
            let unread = || format!("cargo tree says {line:?}");
            let end = line.find(|letter: char| !letter.is_ascii_digit()).ok_or_else(unread)?;
            let (depth, package) = line.split_at_checked(end).ok_or_else(unread)?;
            let mut words = package.split_whitespace();
            let (name, version) = words.next().zip(words.next()).ok_or_else(unread)?;
            let version = version.strip_prefix('v').ok_or_else(unread)?;
            let id = Id { name: name.to_owned(), version: version.to_owned() };
            above.truncate(depth.parse().map_err(|_| unread())?);
            if let Some(by) = above.last() {
                needs.entry(by.clone()).or_default().insert(id.clone());
            }
            needs.entry(id.clone()).or_default();
            above.push(id);
        }
        let root = above.into_iter().next().ok_or("cargo tree says nothing")?;
        Ok(Self { root, needs })
    }
}

/// The checksums of a `Cargo.lock`, which cargo writes in one way only.
fn checksums(lock: &str) -> BTreeMap<Id, String> {
    let entries = lock.split("[[package]]").skip(1);
    let of = |entry: &str, key: &str| {
        let start = format!("{key} = \"");
        let line = entry.lines().find_map(|line| line.strip_prefix(&start))?;
        line.strip_suffix('"').map(str::to_owned)
    };
    let checksum = |entry: &str| {
        Some((Id { name: of(entry, "name")?, version: of(entry, "version")? }, of(entry, "checksum")?))
    };
    entries.filter_map(checksum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(name: &str, version: &str) -> Id {
        Id { name: name.to_owned(), version: version.to_owned() }
    }

    #[test]
    fn a_tree_tells_who_needs_whom() {
        let told = "0a v0.1.0 (/checkout/a)\n1b v1.0.0\n2c v2.0.0-rc.1\n1c v2.0.0-rc.1 (*)\n1d v1.0.0 (proc-macro)\n";
        let tree = Tree::read(told).unwrap();
        assert_eq!(tree.root, id("a", "0.1.0"));
        let needs = |of: &Id| tree.needs[of].iter().map(|id| id.name.as_str()).collect::<Vec<_>>().join(" ");
        assert_eq!(needs(&tree.root), "b c d");
        assert_eq!(needs(&id("b", "1.0.0")), "c");
        assert_eq!(needs(&id("c", "2.0.0-rc.1")), "");
        assert!(Tree::read("0a\n").is_err());
        assert!(Tree::read("").is_err());
    }

    #[test]
    fn licences_are_expressions() {
        for licence in ["MIT OR Apache-2.0", "MIT/Apache-2.0", "MIT / Apache-2.0"] {
            assert_eq!(spdx(licence), "MIT OR Apache-2.0", "{licence}");
        }
        assert_eq!(spdx("(MIT OR Apache-2.0) AND BSD-3-Clause"), "(MIT OR Apache-2.0) AND BSD-3-Clause");
    }

    #[test]
    fn checksums_are_those_of_the_lock() {
        let lock = "version = 4\n\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\n\n[[package]]\nname = \"b\"\n\
            version = \"2.0.0\"\nsource = \"registry\"\nchecksum = \"00ff\"\ndependencies = [\n \"a\",\n]\n";
        assert_eq!(checksums(lock).into_iter().collect::<Vec<_>>(), [(id("b", "2.0.0"), "00ff".to_owned())]);
    }

    #[test]
    fn the_module_has_nothing_of_the_command_line_in_it() {
        let parts = parts("engraft-filter", "wasm32-wasip1").unwrap();
        let within =
            |name: &str| parts.packages.iter().any(|(id, package)| id.name == name && package.is_part);
        assert!(within("proxy-wasm") && within("engraft"));
        assert!(!within("clap") && !within("schemars") && !within("serde_derive"));
        let helps = parts.packages.iter().find(|(id, _)| id.name == "serde_derive");
        assert!(!helps.unwrap().1.is_part);
        assert!(parts.packages.values().all(|package| package.licence.is_some()));
    }
}
