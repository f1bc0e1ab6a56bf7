//! Everything that was found, for programs.

use serde::Serialize;

use super::finding::Finding;
use super::pages::Seen;
use super::policy::Policy;

#[derive(Serialize)]
pub(super) struct Json<'f> {
    pub(super) file: &'f str,
    /// Whether it can be used. Remarks that `--deny` makes errors of leave it usable.
    pub(super) valid: bool,
    pub(super) findings: &'f [Finding],
    #[serde(skip_serializing_if = "<[Seen]>::is_empty")]
    pub(super) pages: &'f [Seen],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) policies: Vec<Policy<'f>>,
    /// What the digest of the loaded configuration is in Envoy too; none where it is not loaded.
    pub(super) digest: Option<String>,
}
