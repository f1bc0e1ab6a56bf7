//! The manifests of `envoy/` are what their API servers take, and the configurations in them are what engraft takes.

use std::error::Error;

use engraft::config::source;
use engraft::engine::Engine;
use engraft_harness::workspace;
use serde_json::{Value, json};

use crate::crd::Crd;
use crate::manifest::{shipped, text};
use crate::stage::Outcome;

/// Each file, and the CRD that its resources are of.
const CUSTOM: [(&str, &str, usize); 6] = [
    ("istio/wasmplugin.yaml", "istio/wasmplugin-crd.yaml", 2),
    ("istio/cache-between.yaml", "istio/wasmplugin-crd.yaml", 2),
    ("istio/trafficextension.yaml", "istio/trafficextension-crd.yaml", 2),
    ("istio/stages.yaml", "istio/envoyfilter-crd.yaml", 1),
    ("istio/killswitch.yaml", "istio/envoyfilter-crd.yaml", 1),
    ("envoy-gateway/envoyextensionpolicy.yaml", "envoy-gateway/envoyextensionpolicy-crd.yaml", 1),
];

/// Where a configuration of engraft's stands in a resource.
const CONFIGURATIONS: [&str; 5] = [
    "/spec/pluginConfig",
    "/spec/wasm/pluginConfig",
    "/spec/wasm/0/config",
    "/spec/configPatches/0/patch/value/typed_config/config/configuration/value",
    "/spec/configPatches/1/patch/value/typed_config/config/configuration/value",
];

fn configurations(resource: &Value) -> impl Iterator<Item = &Value> {
    CONFIGURATIONS.into_iter().filter_map(|pointer| resource.pointer(pointer))
}

#[test]
fn every_manifest_is_what_its_crd_takes() -> Outcome {
    for (file, crd, resources) in CUSTOM {
        let read = shipped(file)?;
        assert_eq!(read.len(), resources, "{file}");
        let Some(crd) = Crd::shared(crd)? else { continue };
        for resource in read {
            assert_eq!(crd.problems(&resource), [""; 0], "{file}");
        }
    }
    Ok(())
}

/// What is done to a resource that is right, where its CRD must refuse it.
const MISTAKES: [(&str, &str, &str); 12] = [
    ("istio/wasmplugin.yaml", "/spec/url", "ftp://registry.example/engraft"),
    ("istio/trafficextension.yaml", "/spec/selector/matchLabels/app", "gateway-*"),
    ("envoy-gateway/envoyextensionpolicy.yaml", "/spec/targetRefs/0/kind", "Service"),
    ("istio/wasmplugin.yaml", "/spec/phase", "AUTHNZ"),
    ("istio/wasmplugin.yaml", "/spec/failStrategy", "FAIL_CLOSED"),
    ("istio/wasmplugin.yaml", "/spec/pluginconfig", "x"),
    ("istio/wasmplugin.yaml", "/spec/wasm", "x"),
    ("istio/trafficextension.yaml", "/spec/phase", "UNSPECIFIED_PHASE"),
    ("istio/trafficextension.yaml", "/spec/pluginConfig", "x"),
    ("istio/stages.yaml", "/spec/configPatches/0/applyTo", "EXTENSION"),
    ("istio/stages.yaml", "/spec/configPatches/2/patch/operation", "INSERT"),
    ("envoy-gateway/envoyextensionpolicy.yaml", "/spec/wasm/0/failStrategy", "FAIL_RELOAD"),
];

#[test]
fn mistakes_in_manifests_are_found() -> Outcome {
    for (file, pointer, mistake) in MISTAKES {
        let of = CUSTOM.iter().find(|(name, ..)| *name == file).ok_or("no such file")?;
        let Some(crd) = Crd::shared(of.1)? else { continue };
        let mut resource = shipped(file)?.into_iter().next().ok_or("an empty file")?;
        let (parent, field) = pointer.rsplit_once('/').ok_or("no field")?;
        let parent = resource.pointer_mut(parent).and_then(Value::as_object_mut).ok_or("no parent")?;
        parent.insert(field.to_owned(), json!(mistake));
        assert_eq!(crd.problems(&resource).len(), 1, "{file}: {pointer}: {mistake}");
    }
    Ok(())
}

#[test]
fn engraft_takes_the_configuration_of_every_manifest() -> Outcome {
    let mut taken = 0;
    for (file, ..) in CUSTOM {
        for resource in shipped(file)? {
            for configuration in configurations(&resource) {
                let loaded = Engine::load(configuration.to_string().as_bytes())
                    .map_err(|problems| format!("{file}: {problems}"))?;
                assert_eq!(loaded.engine.routes().len(), 1, "{file}");
                taken += 1;
            }
        }
    }
    assert_eq!(taken, 9);
    Ok(())
}

/// The digest has everything in it but `stage`.
#[test]
fn stages_in_manifests_are_configured_alike() -> Outcome {
    let digests = |resources: &[Value]| -> Result<Vec<(String, u128)>, Box<dyn Error>> {
        let all = resources.iter().flat_map(configurations);
        all.map(|configuration| {
            let loaded =
                Engine::load(configuration.to_string().as_bytes()).map_err(|error| error.to_string())?;
            Ok((text(configuration, "/stage").to_owned(), loaded.engine.digest()))
        })
        .collect()
    };
    for file in ["istio/stages.yaml", "istio/cache-between.yaml"] {
        let of = digests(&shipped(file)?)?;
        let [(client, one), (origin, other)] = of.as_slice() else { return Err(format!("{of:?}").into()) };
        assert_eq!((client.as_str(), origin.as_str()), ("client", "origin"), "{file}");
        assert_eq!(one, other, "{file}");
    }
    let [istio, traffic] = ["istio/wasmplugin.yaml", "istio/trafficextension.yaml"].map(shipped);
    let (istio, traffic) = (digests(&istio?)?, digests(&traffic?)?);
    assert_eq!(istio, traffic, "one is the successor of the other");
    Ok(())
}

/// `NO`, `on`, `007` and their like.
#[test]
fn no_scalar_of_a_manifest_means_something_else_to_kubectl() -> Outcome {
    for (file, ..) in CUSTOM {
        let written = std::fs::read_to_string(workspace::root().join("envoy").join(file))?;
        for document in written.split("\n---\n") {
            let read = source::read(document.as_bytes()).map_err(|problems| format!("{file}: {problems}"))?;
            let warnings: Vec<String> = read.warnings.iter().map(ToString::to_string).collect();
            assert_eq!(warnings, [""; 0], "{file}");
        }
    }
    Ok(())
}
