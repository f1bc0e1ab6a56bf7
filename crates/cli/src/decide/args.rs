//! The arguments of `engraft decide`.

use std::time::SystemTime;

use clap::Args;
use engraft::decide::decrypt::DecryptionKey;
use serde_json::{Map, Value};

use crate::input::Input;

#[derive(Debug, Args)]
pub(crate) struct Decide {
    /// A configuration, whose experiments and flags are decided; `-` is standard input
    #[arg(short, long, value_name = "FILE", required_unless_present_any = ["payload", "batch"])]
    pub(crate) config: Option<Input>,
    /// The payload, as `GET /api/features/{clientKey}` answers it; `-` is standard input
    #[arg(short, long, value_name = "FILE")]
    pub(crate) payload: Option<Input>,
    /// What is known of the visitor: `{"id": "u-1", "country": "DE"}`
    #[arg(short, long, value_name = "JSON", value_parser = attributes, required_unless_present = "batch")]
    pub(crate) attributes: Option<Value>,
    /// The page's URL. Its query may choose variations, as in the SDKs: `?<experiment>=1`
    #[arg(short, long, default_value = "")]
    pub(crate) url: String,
    /// The time of the request, as 2026-01-31T12:00:00Z or seconds since 1970; the time that it is, unless said. Experiments of
    /// a configuration start and end; payloads hold no times
    #[arg(long, value_name = "TIME", value_parser = crate::time::parse)]
    pub(crate) now: Option<SystemTime>,
    /// The key of encrypted payloads
    #[arg(long, value_name = "KEY", value_parser = key)]
    pub(crate) decryption_key: Option<DecryptionKey>,
    /// Print results as JSON, in the field names of GrowthBook's SDKs, with the reasons
    #[arg(long)]
    pub(crate) json: bool,
    /// Answer requests from standard input, one JSON object a line, with one line each: `payload` (or that of --payload),
    /// `attributes`, `url`, `now`, `forcedVariations`, `qaMode`, `enabled`, `savedGroups`,
    /// `stickyBucketAssignmentDocs`, `decryptionKey`, `experiment` (to be run by itself); or `condition` and `attributes`
    #[arg(long, conflicts_with_all = ["attributes", "url", "now", "json"])]
    pub(crate) batch: bool,
}

fn attributes(text: &str) -> Result<Value, String> {
    let object: Result<Map<String, Value>, _> = serde_json::from_str(text);
    object.map(Value::Object).map_err(|error| format!("write an object such as {{\"id\": \"u-1\"}}: {error}"))
}

pub(crate) fn key(text: &str) -> Result<DecryptionKey, String> {
    DecryptionKey::parse(text).map_err(|error| error.to_string())
}
