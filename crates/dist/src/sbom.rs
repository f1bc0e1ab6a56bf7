//! A bill of materials in CycloneDX 1.6: what stands in a file, and what helped to make it (`"scope": "excluded"`).

use serde_json::{Value, json};

use crate::Outcome;
use crate::digest;
use crate::packages::{Id, Package, Parts};
use crate::release::Release;

/// The file that is described.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Described<'a> {
    pub(crate) name: &'a str,
    pub(crate) bytes: &'a [u8],
    pub(crate) target: &'a str,
}

/// The document. The same file of the same packages is the same document.
pub(crate) fn document(file: &Described<'_>, parts: &Parts, release: &Release) -> Outcome<String> {
    let hash = digest::hex(file.bytes);
    let mut metadata = json!({
        "tools": { "components": [tool()] },
        "component": {
            "type": "application",
            "bom-ref": reference(&parts.root),
            "name": file.name,
            "version": Release::version(),
            "licenses": [{ "expression": Release::licence() }],
            "hashes": [{ "alg": "SHA-256", "content": hash }],
            "externalReferences": [{ "type": "vcs", "url": Release::repository() }],
            "properties": properties(file, release),
        },
    });
    if let (Some(fields), Some(created)) = (metadata.as_object_mut(), release.created()) {
        fields.insert("timestamp".to_owned(), json!(created));
    }
    let others = parts.packages.iter().filter(|(id, _)| **id != parts.root);
    let components: Vec<Value> = others.map(|(id, package)| component(id, package)).collect();
    let dependencies: Vec<Value> = parts
        .needs
        .iter()
        .map(|(id, needs)| json!({ "ref": reference(id), "dependsOn": needs.iter().map(reference).collect::<Vec<_>>() }))
        .collect();
    let mut document = json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": metadata,
        "components": components,
        "dependencies": dependencies,
    });
    // A number of its own for every other content, and the same for the same.
    let serial = serial(document.to_string().as_bytes());
    if let Some(fields) = document.as_object_mut() {
        fields.insert("serialNumber".to_owned(), json!(serial));
    }
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}

fn tool() -> Value {
    json!({ "type": "application", "name": env!("CARGO_PKG_NAME"), "version": env!("CARGO_PKG_VERSION") })
}

fn properties(file: &Described<'_>, release: &Release) -> Vec<Value> {
    let said = [("engraft:target", Some(file.target)), ("engraft:revision", release.revision.as_deref())];
    let said = said.into_iter().filter_map(|(name, value)| Some((name, value?)));
    said.map(|(name, value)| json!({ "name": name, "value": value })).collect()
}

fn component(id: &Id, package: &Package) -> Value {
    let mut component = json!({
        "type": "library",
        "bom-ref": reference(id),
        "name": id.name,
        "version": id.version,
        "scope": if package.is_part { "required" } else { "excluded" },
        "purl": reference(id),
    });
    let mut say = |name: &str, value: Option<Value>| {
        if let (Some(fields), Some(value)) = (component.as_object_mut(), value) {
            fields.insert(name.to_owned(), value);
        }
    };
    say(
        "description",
        package.description.as_ref().map(|text| json!(text.split_whitespace().collect::<Vec<_>>().join(" "))),
    );
    say("licenses", package.licence.as_ref().map(|licence| json!([{ "expression": licence }])));
    say("hashes", package.checksum.as_ref().map(|hash| json!([{ "alg": "SHA-256", "content": hash }])));
    say("externalReferences", package.repository.as_ref().map(|url| json!([{ "type": "vcs", "url": url }])));
    component
}

/// A package URL. Neither names nor versions of cargo have anything to escape but the sign before build metadata.
fn reference(id: &Id) -> String {
    format!("pkg:cargo/{}@{}", id.name, id.version.replace('+', "%2B"))
}

/// A UUID (version 8, RFC 9562) of the content's digest.
fn serial(content: &[u8]) -> String {
    use sha2::Digest as _;
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(sha2::Sha256::digest(content)).for_each(|(byte, of)| *byte = of);
    format!("urn:uuid:{}", uuid::Builder::from_custom_bytes(bytes).into_uuid())
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::path::PathBuf;

    use super::*;

    fn id(name: &str, version: &str) -> Id {
        Id { name: name.to_owned(), version: version.to_owned() }
    }

    fn parts() -> Parts {
        let package = |is_part: bool, checksum: Option<&str>| Package {
            licence: Some("MIT OR Apache-2.0".to_owned()),
            repository: None,
            description: Some("Two\n  lines".to_owned()),
            folder: PathBuf::new(),
            checksum: checksum.map(str::to_owned),
            is_part,
        };
        let (root, lib, build) = (id("root", "0.1.0"), id("lib", "1.0.0+deps.2"), id("build", "2.0.0"));
        let packages = [
            (root.clone(), package(true, None)),
            (lib.clone(), package(true, Some("00ff"))),
            (build.clone(), package(false, None)),
        ];
        let needs = [
            (root.clone(), BTreeSet::from([lib.clone(), build.clone()])),
            (lib, BTreeSet::new()),
            (build, BTreeSet::new()),
        ];
        Parts { root, packages: BTreeMap::from(packages), needs: BTreeMap::from(needs) }
    }

    fn described(bytes: &[u8]) -> Described<'_> {
        Described { name: "file", bytes, target: "wasm32-wasip1" }
    }

    #[test]
    fn a_bill_tells_what_is_in_the_file_and_what_helped() {
        let text = document(&described(b"file"), &parts(), &Release::default()).unwrap();
        let bill: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(bill["metadata"]["component"]["hashes"][0]["content"], digest::hex(b"file"));
        let components: Vec<(&str, &str)> = bill["components"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| (it["purl"].as_str().unwrap(), it["scope"].as_str().unwrap()))
            .collect();
        assert_eq!(
            components,
            [("pkg:cargo/build@2.0.0", "excluded"), ("pkg:cargo/lib@1.0.0%2Bdeps.2", "required")]
        );
        assert_eq!(bill["components"][1]["hashes"][0]["content"], "00ff");
        assert_eq!(bill["components"][1]["description"], "Two lines");
        let of_root =
            bill["dependencies"].as_array().unwrap().iter().find(|it| it["ref"] == "pkg:cargo/root@0.1.0");
        assert_eq!(
            of_root.unwrap()["dependsOn"],
            json!(["pkg:cargo/build@2.0.0", "pkg:cargo/lib@1.0.0%2Bdeps.2"])
        );
    }

    #[test]
    fn the_same_content_has_the_same_number_and_another_has_another() {
        let of = |bytes: &[u8]| document(&described(bytes), &parts(), &Release::default()).unwrap();
        assert_eq!(of(b"file"), of(b"file"));
        let serial = |text: String| {
            serde_json::from_str::<Value>(&text).unwrap()["serialNumber"].as_str().unwrap().to_owned()
        };
        assert_ne!(serial(of(b"file")), serial(of(b"another")));
        assert!(serial(of(b"file")).starts_with("urn:uuid:"));
    }
}
