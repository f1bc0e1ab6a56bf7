//! The arguments of `engraft decide`.

use clap::Args;
use engraft::decide::decrypt::DecryptionKey;
use serde_json::{Map, Value};

use crate::input::Input;

#[derive(Debug, Args)]
pub(crate) struct Decide {
    /// The payload, as `GET /api/features/{clientKey}` answers it; `-` is standard input
    #[arg(short, long, value_name = "FILE", required_unless_present = "batch")]
    pub(crate) payload: Option<Input>,
    /// What is known of the visitor: `{"id": "u-1", "country": "DE"}`
    #[arg(short, long, value_name = "JSON", value_parser = attributes, required_unless_present = "batch")]
    pub(crate) attributes: Option<Value>,
    /// The page's URL. Its query may choose variations, as in the SDKs: `?<experiment>=1`
    #[arg(short, long, default_value = "")]
    pub(crate) url: String,
    /// The time of the request, as 2026-01-31T12:00:00Z or seconds since 1970. Payloads hold no times, so nothing in
    /// them depends on it
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) now: Option<String>,
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

/// Looks at the form only.
fn time(text: &str) -> Result<String, &'static str> {
    let is_number = text.parse::<f64>().is_ok_and(f64::is_finite);
    let digits = text.bytes().map(|byte| if byte.is_ascii_digit() { b'0' } else { byte });
    let is_date = digits.take(19).eq(*b"0000-00-00T00:00:00") && text.len() > 19;
    let message = "write a time such as 2026-01-31T12:00:00Z, or seconds since 1970";
    if is_number || is_date { Ok(text.to_owned()) } else { Err(message) }
}

fn key(text: &str) -> Result<DecryptionKey, String> {
    DecryptionKey::parse(text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_two_forms() {
        for text in ["0", "1769860800.5", "2026-01-31T12:00:00Z", "2026-01-31T12:00:00.5+01:00"] {
            assert_eq!(time(text), Ok(text.to_owned()));
        }
        for text in ["", "now", "NaN", "2026-01-31", "2026-01-31 12:00:00Z", "2026-01-31T12:00:00"] {
            assert!(time(text).is_err(), "{text}");
        }
    }
}
