//! Where things lie in the checkout.

use std::fmt;
use std::path::{Path, PathBuf};

/// The workspace root: the folder with the top `Cargo.toml`, or the one that `ENGRAFT_ROOT` names, for a binary that runs elsewhere than
/// it was built.
#[must_use]
pub fn root() -> PathBuf {
    if let Some(named) = std::env::var_os("ENGRAFT_ROOT").filter(|named| !named.is_empty()) {
        return PathBuf::from(named);
    }
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.ancestors().nth(2).unwrap_or(manifest).to_path_buf()
}

/// The module that ships, `dist/engraft.wasm`.
///
/// # Errors
/// When it has not been built.
pub fn module() -> Result<PathBuf, MissingFile> {
    existing(root().join("dist/engraft.wasm"), "run `make wasm` to build it")
}

/// `path`, if there is a file or folder; `fix` is what the error tells the reader to do.
///
/// # Errors
/// When nothing is there.
pub fn existing(path: PathBuf, fix: &'static str) -> Result<PathBuf, MissingFile> {
    if path.exists() { Ok(path) } else { Err(MissingFile { path, fix }) }
}

/// Something that a build step makes is not there yet.
#[derive(Debug)]
pub struct MissingFile {
    /// What was looked for.
    pub path: PathBuf,
    /// What makes it appear.
    pub fix: &'static str,
}

impl fmt::Display for MissingFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is missing: {}", self.path.display(), self.fix)
    }
}

impl std::error::Error for MissingFile {}
