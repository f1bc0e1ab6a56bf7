//! GrowthBook payloads of any length, made up: what a feature service answers.

use std::fmt::Write as _;

use aes::Aes128;
use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockModeEncrypt as _, KeyIvInit as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// A key as GrowthBook gives it out.
pub const KEY: &str = "ZW5ncmFmdC10ZXN0LWtleQ==";

/// At least so many bytes of features, auto experiments and a saved group, as JSON; `version` is the value of `feature-0`.
#[must_use]
pub fn of(bytes: usize, version: u32) -> String {
    let mut features = String::new();
    let mut experiments = String::new();
    let ids: Vec<String> = (0..bytes / 400).map(|nth| format!("customer-{nth:08}")).collect();
    for nth in 0.. {
        if features.len() + experiments.len() + ids.len() * 20 >= bytes {
            break;
        }
        let comma = if nth == 0 { "" } else { "," };
        let value = if nth == 0 { json!(version) } else { json!(nth) };
        // Writing to a string can't fail.
        let _ = write!(features, "{comma}\"feature-{nth}\":{}", feature(nth, &value));
        if nth % 20 == 0 {
            let _ = write!(experiments, "{comma}{}", experiment(nth));
        }
    }
    let groups = json!({ "customers": ids });
    format!(
        "{{\"status\":200,\"features\":{{{features}}},\"experiments\":[{experiments}],\"savedGroups\":{groups}}}"
    )
}

fn feature(nth: u32, value: &Value) -> Value {
    let parent = nth / 2;
    json!({
        "defaultValue": value,
        "rules": [
            { "id": format!("fr_{nth}_staff"), "condition": { "id": { "$inGroup": "customers" }, "email": { "$regex": "@shop\\.example$" } }, "force": value },
            { "id": format!("fr_{nth}_land"), "condition": { "country": { "$in": ["US", "CA", "DE"] }, "$or": [{ "plan": "pro" }, { "seats": { "$gt": 10 } }] },
              "parentConditions": [{ "id": format!("feature-{parent}"), "condition": { "value": { "$exists": true } } }],
              "force": value, "coverage": 0.4, "hashAttribute": "id" },
            { "id": format!("fr_{nth}_exp"), "key": format!("experiment-{nth}"), "hashVersion": 2, "hashAttribute": "id", "seed": format!("seed-{nth}"),
              "variations": ["control", "treatment"], "weights": [0.5, 0.5], "coverage": 1,
              "meta": [{ "key": "0", "name": "Control" }, { "key": "1", "name": "Treatment" }], "phase": "1", "name": format!("Experiment {nth}") },
        ],
    })
}

fn experiment(nth: u32) -> Value {
    json!({
        "key": format!("auto-{nth}"), "status": "running", "hashAttribute": "id", "hashVersion": 2, "weights": [0.5, 0.5], "coverage": 1,
        "urlPatterns": [{ "include": true, "type": "simple", "pattern": format!("https://shop.example/p/{nth}/*") }],
        "variations": [{}, { "css": "", "js": "", "domMutations": [
            { "selector": "main h1", "action": "set", "attribute": "html", "value": format!("Offer {nth}") },
            { "selector": ".cta", "action": "append", "attribute": "class", "value": "cta--bold" },
        ] }],
    })
}

/// The same payload with its members encrypted by [`KEY`].
///
/// # Errors
/// If it is no JSON.
pub fn encrypted(payload: &str) -> Result<String, serde_json::Error> {
    let payload: Value = serde_json::from_str(payload)?;
    let member = |name: &str| encrypt(&payload.get(name).cloned().unwrap_or_default().to_string());
    let sealed = json!({
        "status": 200, "features": {}, "encryptedFeatures": member("features"), "encryptedExperiments": member("experiments"),
        "encryptedSavedGroups": member("savedGroups"),
    });
    Ok(sealed.to_string())
}

/// `base64(iv).base64(ciphertext)`, by [`KEY`].
fn encrypt(text: &str) -> String {
    let iv = [7_u8; 16];
    let key: [u8; 16] = *b"engraft-test-key";
    let sealed =
        cbc::Encryptor::<Aes128>::new(&key.into(), &iv.into()).encrypt_padded_vec::<Pkcs7>(text.as_bytes());
    format!("{}.{}", STANDARD.encode(iv), STANDARD.encode(sealed))
}
