//! The log of a run in the Static Analysis Results Interchange Format 2.1.0 (OASIS), for code scanning.

use engraft::config::problem::{Code, Level};
use serde_json::{Value, json};

use super::docs;
use super::findings::Findings;

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// One run with all that was found. Rules are those of the results, in the order of the table of codes.
pub(super) fn log(findings: &Findings, name: &str) -> Value {
    let used = |code: &&Code| findings.list.iter().any(|finding| finding.code() == Some(**code));
    let codes: Vec<Code> = Code::ALL.iter().filter(used).copied().collect();
    let rules: Vec<Value> = codes.iter().map(|code| rule(*code)).collect();
    let results = findings.list.iter().filter_map(|finding| {
        let code = finding.code()?;
        let mut physical = json!({ "artifactLocation": { "uri": uri(name) } });
        if let (Some(at), Some(physical)) = (finding.problem.at, physical.as_object_mut()) {
            let mut region = json!({ "startLine": at.line, "startColumn": at.column });
            if let (Some(end), Some(region)) = (findings.source.end_column(at), region.as_object_mut()) {
                region.insert("endColumn".to_owned(), end.into());
            }
            physical.insert("region".to_owned(), region);
        }
        let mut rest = finding.problem.clone();
        rest.at = None;
        let path = finding.problem.path.to_string();
        let logical = json!([{ "fullyQualifiedName": path, "kind": "value" }]);
        let mut location = json!({ "physicalLocation": physical });
        if let (false, Some(location)) = (path.is_empty(), location.as_object_mut()) {
            location.insert("logicalLocations".to_owned(), logical);
        }
        Some(json!({
            "ruleId": code,
            "ruleIndex": codes.iter().position(|it| *it == code),
            "level": level(finding.level),
            "message": { "text": rest.to_string() },
            "locations": [location],
        }))
    });
    let results: Vec<Value> = results.collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "engraft",
                "version": env!("CARGO_PKG_VERSION"),
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": rules,
            } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn rule(code: Code) -> Value {
    let page = docs::page(code);
    json!({
        "id": code,
        "shortDescription": { "text": docs::summary(code) },
        "helpUri": docs::url(code),
        "help": { "text": page, "markdown": page },
        "defaultConfiguration": { "level": level(code.level()) },
    })
}

const fn level(level: Level) -> &'static str {
    level.name()
}

/// A relative reference, as code scanning wants it (RFC 3986 § 4.2): from the folder where the command runs. What lies elsewhere
/// has the `file` scheme.
fn uri(name: &str) -> String {
    let here = std::env::current_dir().ok();
    let path = std::path::Path::new(name);
    let inside = here.as_deref().and_then(|here| path.strip_prefix(here).ok()).unwrap_or(path);
    let text = inside.to_string_lossy().replace('\\', "/");
    let text = text.strip_prefix("./").unwrap_or(&text);
    let encoded = encode(text);
    if inside.is_absolute() { format!("file://{encoded}") } else { encoded }
}

/// Percent-encodes what can't stand in a path; a colon in the first segment would be taken for a scheme.
fn encode(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/!$&'()*+,;=@".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_references() {
        for (name, expected) in [
            ("engraft.yaml", "engraft.yaml"),
            ("./a b/é.yaml", "a%20b/%C3%A9.yaml"),
            ("c:d.yaml", "c%3Ad.yaml"),
            ("../x.yaml", "../x.yaml"),
            ("/elsewhere/x?.yaml", "file:///elsewhere/x%3F.yaml"),
            ("<stdin>", "%3Cstdin%3E"),
        ] {
            assert_eq!(uri(name), expected);
        }
    }
}
