//! The module as an image, in the two variants of the Wasm image specification that Istio and Envoy Gateway fetch:
//!
//! - *compat*: an image like any other, with one layer, in which `plugin.wasm` is; every registry takes it.
//! - *oci*: two blobs with media types of their own, the module as it is and a few words on it.
//!
//! Both stand in one archive, an OCI image layout, under the references `<version>` and `<version>-oci`. A `manifest.json` beside it lets
//! `docker load` take the first. Nothing in it depends on when or where it was made: times are the commit's, or 1970.

use std::collections::BTreeMap;
use std::io::Write as _;

use flate2::{Compression, GzBuilder};
use serde_json::{Value, json};

use crate::Outcome;
use crate::digest;
use crate::release::Release;

/// The name that those who fetch the image look for.
const FILE: &str = "plugin.wasm";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// Blobs by their digest.
#[derive(Default)]
struct Blobs(BTreeMap<String, Vec<u8>>);

impl Blobs {
    /// Keeps a blob, and describes it.
    fn put(&mut self, media_type: &str, bytes: Vec<u8>) -> Value {
        let hex = digest::hex(&bytes);
        let described = json!({
            "mediaType": media_type,
            "digest": format!("sha256:{hex}"),
            "size": bytes.len(),
        });
        self.0.insert(hex, bytes);
        described
    }
}

/// The archive.
pub(crate) fn archive(module: &[u8], release: &Release) -> Outcome<Vec<u8>> {
    let mut blobs = Blobs::default();
    let compat = compat(module, release, &mut blobs)?;
    let oci = oci(module, release, &mut blobs)?;
    let version = Release::version();
    let index = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [named(compat.manifest, version), named(oci, &format!("{version}-oci"))],
    });
    let docker = json!([{
        "Config": path(&compat.config),
        "RepoTags": [format!("engraft:{version}")],
        "Layers": [path(&compat.layer)],
    }]);
    let mut files = vec![
        ("oci-layout".to_owned(), json!({ "imageLayoutVersion": "1.0.0" }).to_string().into_bytes()),
        ("index.json".to_owned(), serde_json::to_vec(&index)?),
        ("manifest.json".to_owned(), serde_json::to_vec(&docker)?),
    ];
    files.extend(blobs.0.into_iter().map(|(hex, bytes)| (format!("blobs/sha256/{hex}"), bytes)));
    tar(&files, 0)
}

/// Digests of what `docker load` asks for, and the manifest's description.
struct Compat {
    manifest: Value,
    config: String,
    layer: String,
}

fn compat(module: &[u8], release: &Release, blobs: &mut Blobs) -> Outcome<Compat> {
    let plain = tar(&[(FILE.to_owned(), module.to_vec())], release.epoch.unwrap_or_default())?;
    let mut config = json!({
        // What `docker build` says of the same files. Nobody runs this image, and whoever fetches it does not look.
        "architecture": "amd64",
        "os": "linux",
        "config": { "Labels": annotations(release) },
        "rootfs": { "type": "layers", "diff_ids": [format!("sha256:{}", digest::hex(&plain))] },
        "history": [{ "created_by": format!("COPY {FILE} ./") }],
    });
    if let (Some(fields), Some(created)) = (config.as_object_mut(), release.created()) {
        fields.insert("created".to_owned(), json!(created));
    }
    let mut gzip = GzBuilder::new().mtime(0).write(Vec::new(), Compression::best());
    gzip.write_all(&plain)?;
    let layer = blobs.put("application/vnd.oci.image.layer.v1.tar+gzip", gzip.finish()?);
    let config = blobs.put("application/vnd.oci.image.config.v1+json", serde_json::to_vec(&config)?);
    let mut annotations = annotations(release);
    annotations.insert("module.wasm.image/variant".to_owned(), "compat".to_owned());
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": config,
        "layers": [layer],
        "annotations": annotations,
    });
    let (config, layer) = (digest_of(&config), digest_of(&layer));
    Ok(Compat { manifest: blobs.put(MANIFEST, serde_json::to_vec(&manifest)?), config, layer })
}

fn oci(module: &[u8], release: &Release, blobs: &mut Blobs) -> Outcome<Value> {
    let about = json!({
        "type": "envoy_proxy",
        "abiVersions": ["0.2.1"],
        "config": { "root_ids": ["engraft"] },
    });
    let titled = |mut blob: Value, title: &str| {
        if let Some(fields) = blob.as_object_mut() {
            fields.insert("annotations".to_owned(), json!({ "org.opencontainers.image.title": title }));
        }
        blob
    };
    let about = blobs.put("application/vnd.module.wasm.config.v1+json", serde_json::to_vec(&about)?);
    let content = blobs.put("application/vnd.module.wasm.content.layer.v1+wasm", module.to_vec());
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": "application/vnd.module.wasm.config.v1+json",
        "config": blobs.put("application/vnd.oci.empty.v1+json", b"{}".to_vec()),
        "layers": [titled(about, "runtime-config.json"), titled(content, FILE)],
        "annotations": annotations(release),
    });
    Ok(blobs.put(MANIFEST, serde_json::to_vec(&manifest)?))
}

fn annotations(release: &Release) -> BTreeMap<String, String> {
    let mut annotations = BTreeMap::new();
    let mut say = |key: &str, value: &str| {
        annotations.insert(format!("org.opencontainers.image.{key}"), value.to_owned())
    };
    say("title", "engraft");
    say(
        "description",
        "Personalised pages that stay cached: an HTTP filter for Envoy and Istio (proxy-wasm)",
    );
    say("version", Release::version());
    say("licenses", Release::licence());
    say("source", Release::repository());
    release.revision.iter().for_each(|revision| drop(say("revision", revision)));
    release.created().iter().for_each(|created| drop(say("created", created)));
    annotations
}

fn named(mut manifest: Value, reference: &str) -> Value {
    if let Some(fields) = manifest.as_object_mut() {
        fields.insert("annotations".to_owned(), json!({ "org.opencontainers.image.ref.name": reference }));
    }
    manifest
}

fn digest_of(blob: &Value) -> String {
    blob.get("digest").and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn path(digest: &str) -> String {
    format!("blobs/{}", digest.replace(':', "/"))
}

/// An archive of files that belong to root, were changed at `epoch`, and that everybody may read.
fn tar(files: &[(String, Vec<u8>)], epoch: u64) -> Outcome<Vec<u8>> {
    let mut archive = ::tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = ::tar::Header::new_ustar();
        header.set_size(u64::try_from(bytes.len())?);
        header.set_mode(0o644);
        header.set_mtime(epoch);
        archive.append_data(&mut header, name, bytes.as_slice())?;
    }
    Ok(archive.into_inner()?)
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    const MODULE: &[u8] = b"\0asm\x01\0\0\0";

    fn release() -> Release {
        Release { epoch: Some(1_790_000_000), revision: Some("0123abc".to_owned()) }
    }

    fn files(archive: &[u8]) -> BTreeMap<String, Vec<u8>> {
        let mut archive = ::tar::Archive::new(archive);
        let entries = archive.entries().unwrap().map(|entry| {
            let mut entry = entry.unwrap();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            (entry.path().unwrap().to_str().unwrap().to_owned(), bytes)
        });
        entries.collect()
    }

    fn json(bytes: &[u8]) -> Value {
        serde_json::from_slice(bytes).unwrap()
    }

    /// The blob that a description is of, its size and digest compared.
    fn blob<'f>(files: &'f BTreeMap<String, Vec<u8>>, described: &Value) -> &'f [u8] {
        let bytes = &files[&path(described["digest"].as_str().unwrap())];
        assert_eq!(described["size"].as_u64().unwrap(), bytes.len() as u64);
        assert_eq!(described["digest"], format!("sha256:{}", digest::hex(bytes)));
        bytes
    }

    fn manifests(files: &BTreeMap<String, Vec<u8>>) -> Vec<(String, Value)> {
        let index = json(&files["index.json"]);
        let manifests = index["manifests"].as_array().unwrap().iter().map(|described| {
            let name = described["annotations"]["org.opencontainers.image.ref.name"].as_str().unwrap();
            (name.to_owned(), json(blob(files, described)))
        });
        manifests.collect()
    }

    #[test]
    fn the_same_module_is_the_same_image() {
        let [one, two] = [(), ()].map(|()| archive(MODULE, &release()).unwrap());
        assert!(one == two);
        assert!(one != archive(b"\0asm\x01\0\0\x01", &release()).unwrap());
    }

    #[test]
    fn the_compat_variant_has_one_layer_with_the_module_as_istio_looks_for_it() {
        let files = files(&archive(MODULE, &release()).unwrap());
        let (name, manifest) = manifests(&files).swap_remove(0);
        assert_eq!(name, Release::version());
        assert_eq!(manifest["annotations"]["module.wasm.image/variant"], "compat");
        assert_eq!(manifest["annotations"]["org.opencontainers.image.created"], "2026-09-21T14:13:20Z");
        let [layer] = manifest["layers"].as_array().unwrap().as_slice() else { panic!("{manifest}") };
        assert_eq!(layer["mediaType"], "application/vnd.oci.image.layer.v1.tar+gzip");
        let mut plain = Vec::new();
        flate2::read::GzDecoder::new(blob(&files, layer)).read_to_end(&mut plain).unwrap();
        let within = self::files(&plain);
        assert_eq!(within.into_iter().collect::<Vec<_>>(), [("plugin.wasm".to_owned(), MODULE.to_vec())]);
        let config = json(blob(&files, &manifest["config"]));
        assert_eq!(config["rootfs"]["diff_ids"], json!([format!("sha256:{}", digest::hex(&plain))]));
    }

    #[test]
    fn the_oci_variant_has_the_module_as_it_is_and_a_word_on_it() {
        let files = files(&archive(MODULE, &release()).unwrap());
        let (name, manifest) = manifests(&files).swap_remove(1);
        assert_eq!(name, format!("{}-oci", Release::version()));
        let [about, content] = manifest["layers"].as_array().unwrap().as_slice() else {
            panic!("{manifest}")
        };
        assert_eq!(about["mediaType"], "application/vnd.module.wasm.config.v1+json");
        assert_eq!(json(blob(&files, about))["type"], "envoy_proxy");
        assert_eq!(content["mediaType"], "application/vnd.module.wasm.content.layer.v1+wasm");
        assert_eq!(blob(&files, content), MODULE);
        assert_eq!(blob(&files, &manifest["config"]), b"{}");
    }

    #[test]
    fn docker_is_told_of_the_compat_variant() {
        let files = files(&archive(MODULE, &release()).unwrap());
        let docker = json(&files["manifest.json"]);
        let (_, manifest) = manifests(&files).swap_remove(0);
        assert_eq!(docker[0]["Config"], path(manifest["config"]["digest"].as_str().unwrap()));
        assert_eq!(docker[0]["Layers"], json!([path(manifest["layers"][0]["digest"].as_str().unwrap())]));
    }

    #[test]
    fn nothing_is_there_that_no_manifest_names() {
        let files = files(&archive(MODULE, &release()).unwrap());
        let index = json(&files["index.json"]);
        let mut named: Vec<String> = Vec::new();
        let mut name = |described: &Value| named.push(path(described["digest"].as_str().unwrap()));
        index["manifests"].as_array().unwrap().iter().for_each(&mut name);
        for (_, manifest) in manifests(&files) {
            name(&manifest["config"]);
            manifest["layers"].as_array().unwrap().iter().for_each(&mut name);
        }
        named.sort();
        let blobs: Vec<&String> = files.keys().filter(|path| path.starts_with("blobs/")).collect();
        assert_eq!(blobs, named.iter().collect::<Vec<_>>());
    }
}
