//! Files: the scenarios under the paths that were named, and everything that they read.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use percent_encoding::percent_decode_str;

use crate::failure::Failure;
use crate::stamp::{Stamp, stamp};

/// Folders that nobody keeps scenarios in, and that hold many files.
const SKIPPED: [&str; 2] = ["node_modules", "target"];

/// How files of scenarios end, where a folder is searched.
pub(super) const ENDINGS: [&str; 2] = [".test.yaml", ".test.yml"];

/// The files of scenarios: those that are named, and those under the folders that are, sorted.
///
/// # Errors
/// [`Failure::Read`] where a path can't be read, [`Failure::NoScenarios`] where there is none.
pub(super) fn find(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    for path in paths {
        let refused = |source| Failure::Read { name: path.display().to_string(), source };
        if std::fs::metadata(path).map_err(refused)?.is_dir() {
            search(path, &mut found).map_err(refused)?;
        } else {
            found.push(path.clone());
        }
    }
    found.sort();
    found.dedup();
    if found.is_empty() {
        let searched = paths.iter().map(|path| path.display().to_string()).collect();
        return Err(Failure::NoScenarios { searched });
    }
    Ok(found)
}

fn search(folder: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        // A link may lead in a circle; what it leads to is found where it is.
        let kind = entry.file_type()?;
        if kind.is_dir() && !name.starts_with('.') && !SKIPPED.contains(&&*name) {
            search(&entry.path(), found)?;
        } else if kind.is_file() && ENDINGS.iter().any(|ending| name.ends_with(ending)) {
            // `.` is where one is anyway.
            found.push(entry.path().strip_prefix(".").map_or_else(|_| entry.path(), Path::to_path_buf));
        }
    }
    Ok(())
}

/// What was read, each file once, and how it was when it was read.
#[derive(Debug, Default)]
pub(super) struct Files {
    read: BTreeMap<PathBuf, Rc<[u8]>>,
    stamps: BTreeMap<PathBuf, Stamp>,
}

impl Files {
    pub(super) fn read(&mut self, path: &Path) -> io::Result<Rc<[u8]>> {
        if let Some(bytes) = self.read.get(path) {
            return Ok(Rc::clone(bytes));
        }
        // Before it is read: what changes meanwhile is another state.
        self.stamps.insert(path.to_owned(), stamp(path));
        let bytes: Rc<[u8]> = std::fs::read(path)?.into();
        self.read.insert(path.to_owned(), Rc::clone(&bytes));
        Ok(bytes)
    }

    /// What was read or looked for, and how it was.
    pub(super) fn into_stamps(self) -> BTreeMap<PathBuf, Stamp> {
        self.stamps
    }
}

/// The page of a URL's path in a folder. `None` where the path leads out of it, or can't name a file.
pub(super) fn page_in(site: &Path, path: &str) -> Option<PathBuf> {
    let path = percent_decode_str(path.split('?').next().unwrap_or_default()).decode_utf8().ok()?;
    let mut page = site.to_owned();
    for segment in path.split('/').filter(|segment| !segment.is_empty() && *segment != ".") {
        if segment == ".." || segment.contains('\\') {
            return None;
        }
        page.push(segment);
    }
    if path.ends_with('/') || page.is_dir() {
        page.push("index.html");
    }
    Some(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_has_its_page_in_the_folder_and_nowhere_else() {
        for (path, page) in [
            ("/", Some("site/index.html")),
            ("/p/aurora/?a=/../b", Some("site/p/aurora/index.html")),
            ("/p//a.html", Some("site/p/a.html")),
            ("/caf%C3%A9/a%20b%3F.html", Some("site/café/a b?.html")),
            ("/%2e%2e/secret", None),
            ("/p%2F..%2F..%2Fsecret", None),
            ("/%ff", None),
            ("/../secret", None),
            ("/p/..", None),
        ] {
            assert_eq!(page_in(Path::new("site"), path), page.map(PathBuf::from), "{path}");
        }
    }
}
