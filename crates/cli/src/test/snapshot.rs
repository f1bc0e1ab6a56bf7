//! Pages as they were when somebody looked at them and found them right: `__snapshots__/<file>/<scenario>.html`.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use engraft::json::script::is_json;
use http::HeaderMap;

use super::expect::Snapshot;
use super::files::{ENDINGS, Files};
use super::outcome::Mismatch;
use crate::content_type::{essence, is_html};

/// The folder, beside the file of scenarios.
const FOLDER: &str = "__snapshots__";

/// How many characters of a scenario's name make the name of a file: no more than file systems take, whatever they are.
const MAX_NAME: usize = 60;

/// The snapshots of a file of scenarios.
#[derive(Debug)]
pub(super) struct Snapshots {
    folder: PathBuf,
    /// Which scenario has which, by name without ending.
    taken: BTreeMap<String, String>,
    updates: bool,
}

/// What came of holding a page against its snapshot.
#[derive(Debug)]
pub(super) enum Held {
    Same,
    Written(PathBuf),
    Mismatch(Mismatch),
}

impl Snapshots {
    pub(super) fn beside(file: &Path, updates: bool) -> Self {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let without = ENDINGS.iter().chain(&[".yaml", ".yml"]).find_map(|ending| name.strip_suffix(ending));
        let name = without.filter(|name| !name.is_empty()).unwrap_or(&name);
        let folder = file.parent().unwrap_or_else(|| Path::new("")).join(FOLDER).join(name);
        Self { folder, taken: BTreeMap::new(), updates }
    }

    /// Holds a page against the snapshot of a scenario, or writes it over it.
    pub(super) fn hold(
        &mut self,
        snapshot: &Snapshot,
        scenario: &str,
        page: &[u8],
        headers: &HeaderMap,
        files: &mut Files,
    ) -> Held {
        let name = match snapshot {
            Snapshot::OfScenario => file_name(scenario),
            Snapshot::Named(name) => name.clone(),
        };
        if let Some(other) = self.taken.insert(name.clone(), scenario.to_owned()) {
            let message = format!(
                "\"{other}\" has the snapshot {name} already; name this one: `snapshot: another-name`"
            );
            return Held::Mismatch(Mismatch::Says(message));
        }
        let path = self.folder.join(format!("{name}.{}", ending(headers)));
        let refused = |what: &str, why: io::Error| {
            Held::Mismatch(Mismatch::Says(format!("can't {what} {}: {why}", path.display())))
        };
        let kept = match files.read(&path) {
            Ok(kept) => Some(kept),
            Err(why) if why.kind() == io::ErrorKind::NotFound => None,
            Err(why) => return refused("read", why),
        };
        match kept {
            Some(kept) if *kept == *page => Held::Same,
            _ if self.updates => {
                let written =
                    std::fs::create_dir_all(&self.folder).and_then(|()| std::fs::write(&path, page));
                written.map_or_else(|why| refused("write", why), |()| Held::Written(path.clone()))
            }
            Some(kept) => {
                let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                Held::Mismatch(Mismatch::Differs { expected: lossy(&kept), found: lossy(page) })
            }
            None => {
                let message =
                    format!("{} is not there; write it with --update and look at it", path.display());
                Held::Mismatch(Mismatch::Says(message))
            }
        }
    }

    /// Those that no scenario has.
    pub(super) fn left_over(&self) -> Vec<PathBuf> {
        let Ok(entries) = std::fs::read_dir(&self.folder) else { return Vec::new() };
        let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
        let is_taken = |path: &PathBuf| {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            self.taken.contains_key(&*stem)
        };
        let mut left_over: Vec<PathBuf> = paths.filter(|path| !is_taken(path)).collect();
        left_over.sort();
        left_over
    }
}

/// A scenario's name in letters and digits, with hyphens between the words.
fn file_name(scenario: &str) -> String {
    let words = scenario.split(|char: char| !char.is_alphanumeric()).filter(|word| !word.is_empty());
    let name = words.map(str::to_lowercase).collect::<Vec<_>>().join("-");
    let name = if name.is_empty() { "scenario".to_owned() } else { name };
    name.chars().take(MAX_NAME).collect()
}

fn ending(headers: &HeaderMap) -> &'static str {
    match essence(headers) {
        essence if is_json(&essence) => "json",
        essence if is_html(&essence) => "html",
        _ => "txt",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scenarios_names_are_file_names() {
        assert_eq!(file_name("A visitor from the US, pro: <dollars>!"), "a-visitor-from-the-us-pro-dollars");
        assert_eq!(file_name("../../etc"), "etc");
        assert_eq!(file_name("?!"), "scenario");
        assert_eq!(file_name(&"é".repeat(100)).chars().count(), MAX_NAME);
    }
}
