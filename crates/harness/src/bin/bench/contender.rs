//! What is compared: an Envoy with no filter, and with each of those that make the same edits.

use std::fmt::Write as _;
use std::path::PathBuf;

use engraft_harness::bootstrap::{Bootstrap, Cluster, Configuration, Listener, Plugin};
use engraft_harness::origin::Origin;
use engraft_harness::wire::Protocol;
use engraft_harness::workspace::{self, MissingFile};
use serde_json::{Value, json};

use crate::page::Page;

/// Where the access log has engraft's count of held bytes.
pub(crate) const HELD_BYTES: &str = "engraft.max_held_bytes";
/// Where the buffering plugin is built, unless cargo builds elsewhere and the environment says so.
const BUFFERING_WASM: &str = "target/wasm32-wasip1/release/engraft_bench_buffering.wasm";

/// Names a module of engraft in an earlier state.
pub(crate) const BASELINE_WASM: &str = "BENCH_BASELINE_WASM";

/// One way to have a page edited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Contender {
    /// None: the page passes.
    PassThrough,
    /// Envoy's Lua filter with the whole body and plain searches; see `edits.lua`.
    Lua,
    /// The plugin in `benches/buffering`.
    Buffering,
    /// A module of an earlier state, where there is one to compare with.
    Baseline,
    /// The module that ships.
    Engraft,
}

impl Contender {
    /// In the order in which they take turns.
    pub(crate) const ALL: [Self; 5] =
        [Self::PassThrough, Self::Lua, Self::Buffering, Self::Baseline, Self::Engraft];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::PassThrough => "pass-through",
            Self::Lua => "lua",
            Self::Buffering => "buffering",
            Self::Baseline => "baseline",
            Self::Engraft => "engraft",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|contender| contender.name() == name)
    }

    /// Its wasm module, if it is one.
    pub(crate) fn module(self) -> Result<Option<PathBuf>, MissingFile> {
        match self {
            Self::PassThrough | Self::Lua => Ok(None),
            Self::Buffering => {
                let usual = || workspace::root().join(BUFFERING_WASM);
                let built = std::env::var_os("BENCH_BUFFERING_WASM").map_or_else(usual, PathBuf::from);
                workspace::existing(built, "run `make bench` to build it").map(Some)
            }
            Self::Baseline => {
                let named = std::env::var_os(BASELINE_WASM).map_or_else(PathBuf::new, PathBuf::from);
                // Envoy runs in a folder of its own.
                let named = std::path::absolute(&named).unwrap_or(named);
                workspace::existing(named, "let BENCH_BASELINE_WASM name a module of engraft").map(Some)
            }
            Self::Engraft => workspace::module().map(Some),
        }
    }

    /// An Envoy with it in front of `origin`. Without an access log, which would cost all of them the same and so blur what they
    /// cost themselves.
    pub(crate) fn bootstrap(self, page: &Page, origin: &Origin) -> Result<Bootstrap, MissingFile> {
        Ok(proxy(self.listener(page)?.manager_field("access_log", json!([])), origin))
    }

    /// The same with an access log that says how much was held.
    pub(crate) fn logging_bootstrap(self, page: &Page, origin: &Origin) -> Result<Bootstrap, MissingFile> {
        Ok(proxy(self.listener(page)?.log_filter_state(HELD_BYTES), origin))
    }

    fn listener(self, page: &Page) -> Result<Listener, MissingFile> {
        let listener = Listener::main();
        let plugin = |configuration: Value| {
            // As text: the buffering plugin reads JSON only.
            let configuration = Configuration::Text(configuration.to_string());
            Ok(self.module()?.map(|module| Plugin::new(&module, configuration)))
        };
        let plugin = match self {
            Self::PassThrough => None,
            Self::Lua => return Ok(listener.filter(lua(page))),
            Self::Buffering => plugin(json!(page.patches()))?,
            Self::Baseline | Self::Engraft => {
                plugin(json!({ "version": 1, "routes": [{ "name": "bench", "patches": page.patches() }] }))?
            }
        };
        Ok(plugin.into_iter().fold(listener, |listener, plugin| listener.plugin(&plugin)))
    }
}

fn proxy(listener: Listener, origin: &Origin) -> Bootstrap {
    Bootstrap::proxy(listener, Cluster::origin(Protocol::Http1, origin.addr()))
}

fn lua(page: &Page) -> Value {
    let mut script = "local edits = {\n".to_owned();
    for edit in page.edits {
        // Writing to a string can't fail.
        let _ = writeln!(script, "  {{ from = [==[{}]==], to = [==[{}]==] }},", edit.from, edit.to);
    }
    script += "}\n";
    script += include_str!("edits.lua");
    json!({
        "name": "lua",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua",
            "default_source_code": { "inline_string": script },
        },
    })
}
