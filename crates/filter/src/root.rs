//! The root context: one a VM, it holds the configuration.

use std::sync::Arc;

use engraft::engine::Engine;
use log::{error, info, warn};
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::ContextType;

use crate::heads::Heads;
use crate::host;
use crate::metrics::Metrics;
use crate::stream::Stream;

/// See the [module](self).
#[derive(Default)]
pub(crate) struct Root {
    engine: Option<Arc<Engine>>,
    metrics: Metrics,
    heads: Heads,
}

impl Context for Root {}

impl RootContext for Root {
    /// Refuses a configuration with problems: Envoy then rejects the update, or the start.
    fn on_configure(&mut self, size: usize) -> bool {
        let bytes = host::plugin_configuration(size);
        match Engine::load(&bytes) {
            Ok(loaded) => {
                for warning in &loaded.warnings {
                    warn!("configuration: {warning}");
                }
                let engine = loaded.engine;
                info!(
                    "configuration loaded: {} routes, digest {:032x}",
                    engine.routes().len(),
                    engine.digest()
                );
                self.metrics = Metrics::new(engine.stage());
                self.engine = Some(Arc::new(engine));
                true
            }
            Err(problems) => {
                for problem in &problems {
                    error!("configuration: {problem}");
                }
                false
            }
        }
    }

    fn on_tick(&mut self) {
        self.heads.tick();
    }

    fn create_http_context(&self, context_id: u32) -> Option<Box<dyn HttpContext>> {
        // Without a configuration there is no stream: `on_configure` has refused it.
        let stream = self.engine.as_ref().map(|engine| {
            Stream::new(context_id, Arc::clone(engine), self.metrics.clone(), self.heads.clone())
        });
        Some(Box::new(stream.unwrap_or_default()))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}
