//! The root context: one a VM, it holds the configuration, and gets ticks and answers to calls.

use std::sync::Arc;

use engraft::engine::Engine;
use log::{error, info, warn};
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::ContextType;

use crate::calls::{Caller, Calls};
use crate::exposures::Exposures;
use crate::heads::Heads;
use crate::host::{self, Answer};
use crate::metrics::Metrics;
use crate::payload::Payload;
use crate::stream::{Parts, Stream};
use crate::ticks::{Client, Ticks};

/// See the [module](self).
#[derive(Default)]
pub(crate) struct Root {
    engine: Option<Arc<Engine>>,
    metrics: Metrics,
    ticks: Ticks,
    heads: Heads,
    payload: Payload,
    exposures: Exposures,
    calls: Calls,
}

impl Context for Root {
    fn on_http_call_response(&mut self, token: u32, headers: usize, body_bytes: usize, _: usize) {
        let answer = Answer::new(headers, body_bytes);
        match self.calls.take(token) {
            Some(Caller::Payload { question }) => self.payload.answered(question, &answer, &mut self.calls),
            Some(Caller::Exposures { ticket }) => self.exposures.answered(ticket, &answer),
            None => {}
        }
    }
}

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
                self.heads = Heads::new(&self.ticks);
                self.payload = Payload::new(&engine, &self.ticks, &self.metrics);
                self.exposures = Exposures::new(&engine, &self.ticks, &self.metrics);
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
        let Self { ticks, heads, payload, exposures, calls, .. } = self;
        ticks.tick(|client| match client {
            Client::Heads => heads.tick(),
            Client::Payload => payload.tick(calls),
            Client::Exposures => exposures.tick(calls),
        });
    }

    fn create_http_context(&self, context_id: u32) -> Option<Box<dyn HttpContext>> {
        // Without a configuration there is no stream: `on_configure` has refused it.
        let stream = self.engine.as_ref().map(|engine| {
            let engine = Arc::clone(engine);
            let parts = Parts {
                metrics: self.metrics.clone(),
                heads: self.heads.clone(),
                payload: self.payload.clone(),
                exposures: self.exposures.clone(),
            };
            Stream::new(context_id, engine, parts)
        });
        Some(Box::new(stream.unwrap_or_default()))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}
