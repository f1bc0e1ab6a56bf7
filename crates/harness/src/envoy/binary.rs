use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use super::EnvoyError;
use crate::workspace;

/// The oldest Envoy that the module has been run on.
const OLDEST: Version = Version { major: 1, minor: 36, patch: 0 };

/// An Envoy executable that was asked what it is: recent enough, and able to run wasm (some published builds are not).
#[derive(Clone, Debug)]
pub struct Binary {
    path: PathBuf,
    version: Version,
    extensions: BTreeSet<String>,
}

/// Envoy's version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Version {
    /// The 1 in 1.40.2.
    pub major: u32,
    /// The 40 in 1.40.2.
    pub minor: u32,
    /// The 2 in 1.40.2.
    pub patch: u32,
}

impl Binary {
    /// The Envoy to use: `ENVOY_BIN`, or what `make envoy` installed in `.venv`, or a suitable one on `PATH`.
    ///
    /// # Errors
    /// When there is none. A set `ENVOY_BIN` that is not suitable is an error, too: nothing else is used in its stead.
    pub fn find() -> Result<Self, EnvoyError> {
        static FOUND: Mutex<Option<Binary>> = Mutex::new(None);
        // Tests of one process ask at the same time; asking an Envoy takes a moment, so they wait for the first answer.
        let mut found = FOUND.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(binary) = &*found {
            return Ok(binary.clone());
        }
        let binary = Self::look()?;
        *found = Some(binary.clone());
        Ok(binary)
    }

    /// The Envoy at `path`.
    ///
    /// # Errors
    /// When it does not run, is too old, or has no wasm runtime.
    pub fn at(path: &Path) -> Result<Self, EnvoyError> {
        let unsuitable = |why: String| EnvoyError::Unsuitable { path: path.to_path_buf(), why };
        let said = output(path, &["--version"]).map_err(EnvoyError::io("run", path))?;
        let version = Version::in_output(&said).ok_or_else(|| {
            unsuitable(format!("does not tell a version by --version, but {:?}", said.trim()))
        })?;
        if version < OLDEST {
            return Err(unsuitable(format!("is Envoy {version}, older than {OLDEST}")));
        }
        // What is linked in is logged before the configuration is read, so one that is refused at once is enough to see it.
        let said = output(
            path,
            &["--disable-hot-restart", "--log-level", "info", "--config-yaml", "{engraft: asks}"],
        )
        .map_err(EnvoyError::io("run", path))?;
        let extensions: BTreeSet<String> = said
            .lines()
            .filter_map(|line| line.split_once("]   ")?.1.split_once(": "))
            .flat_map(|(_, names)| names.split(", ").map(|name| name.trim().to_owned()))
            .collect();
        if !extensions.contains("envoy.wasm.runtime.v8") {
            return Err(unsuitable(format!(
                "is Envoy {version} without the wasm runtime envoy.wasm.runtime.v8"
            )));
        }
        Ok(Self { path: path.to_path_buf(), version, extensions })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its version.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.version
    }

    /// Whether an extension (`envoy.filters.http.file_server`, …) is linked in.
    #[must_use]
    pub fn has_extension(&self, name: &str) -> bool {
        self.extensions.contains(name)
    }

    fn look() -> Result<Self, EnvoyError> {
        if let Some(named) = std::env::var_os("ENVOY_BIN").filter(|named| !named.is_empty()) {
            return Self::at(&workspace::root().join(named));
        }
        let on_path = std::env::var_os("PATH").unwrap_or_default();
        let on_path = std::env::split_paths(&on_path).map(|dir| dir.join("envoy"));
        let mut tried = vec!["ENVOY_BIN is not set".to_owned()];
        for path in std::iter::once(workspace::root().join(".venv/bin/envoy")).chain(on_path) {
            if !path.is_file() {
                continue;
            }
            match Self::at(&path) {
                Ok(binary) => return Ok(binary),
                Err(EnvoyError::Unsuitable { path, why }) => tried.push(format!("{} {why}", path.display())),
                Err(error) => tried.push(error.to_string()),
            }
        }
        if tried.len() == 1 {
            tried.push("none in .venv/bin or on PATH".to_owned());
        }
        Err(EnvoyError::NotFound { tried })
    }
}

fn output(path: &Path, arguments: &[&str]) -> std::io::Result<String> {
    let output = Command::new(path).args(arguments).stdin(Stdio::null()).output()?;
    Ok(String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

impl Version {
    /// Reads `… version: <commit>/1.40.0/Clean/RELEASE/BoringSSL`.
    fn in_output(said: &str) -> Option<Self> {
        let version = said.split_once("version: ")?.1.split('/').nth(1)?;
        let mut numbers = version.split(['.', '-']).map_while(|number| number.parse().ok());
        Some(Self { major: numbers.next()?, minor: numbers.next()?, patch: numbers.next()? })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_is_read_from_what_envoy_prints() {
        let said =
            "\nenvoy  version: 9e5580933739775e8bce696a57a2e1bc99368f23/1.40.0/Clean/RELEASE/BoringSSL\n\n";
        assert_eq!(Version::in_output(said), Some(Version { major: 1, minor: 40, patch: 0 }));
        let said = "envoy  version: 0/1.41.2-dev/Modified/DEBUG/BoringSSL";
        assert_eq!(Version::in_output(said), Some(Version { major: 1, minor: 41, patch: 2 }));
        assert_eq!(Version::in_output("nginx version: nginx/1.26"), None);
    }

    #[test]
    fn make_envoy_and_the_harness_agree_on_the_oldest() {
        let script = std::fs::read_to_string(workspace::root().join("scripts/envoy")).unwrap();
        assert!(script.contains(&format!("\noldest={OLDEST}\n")));
    }
}
