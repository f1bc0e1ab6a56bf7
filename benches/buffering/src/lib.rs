//! What engraft is measured against: the plugin one writes first. Envoy buffers the page, and at its end lol_html rewrites it.
//!
//! It is written with care, so that the comparison is fair: selectors are parsed once, each patch stops at its first match, the
//! body crosses the wasm boundary once in each direction, and the output is allocated once. What it does not have is what engraft
//! adds: routes, conditions, content types, escaping by context, bounds, reports.

mod edit;

use std::rc::Rc;

use log::error;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType};

use edit::Edits;

/// Holds the edits; one a VM.
#[derive(Default)]
struct Root {
    edits: Rc<Edits>,
}

impl Context for Root {}

impl RootContext for Root {
    fn on_configure(&mut self, _: usize) -> bool {
        let configuration = self.get_plugin_configuration().unwrap_or_default();
        match Edits::parse(&configuration) {
            Ok(edits) => {
                self.edits = Rc::new(edits);
                true
            }
            Err(problem) => {
                error!("configuration: {problem}");
                false
            }
        }
    }

    fn create_http_context(&self, _: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream { edits: Rc::clone(&self.edits) }))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

/// One request and its response.
struct Stream {
    edits: Rc<Edits>,
}

impl Context for Stream {}

impl HttpContext for Stream {
    fn on_http_response_headers(&mut self, _: usize, _: bool) -> Action {
        self.set_http_response_header("content-length", None);
        Action::Continue
    }

    fn on_http_response_body(&mut self, buffered: usize, end_of_stream: bool) -> Action {
        if !end_of_stream {
            // Envoy keeps what has come and calls again with all of it; beyond its buffer limit it breaks the response off.
            return Action::Pause;
        }
        let page = self.get_http_response_body(0, buffered).unwrap_or_default();
        match self.edits.apply(&page) {
            Ok(edited) => self.set_http_response_body(0, buffered, &edited),
            Err(problem) => error!("the page stays as it is: {problem}"),
        }
        Action::Continue
    }
}

/// The entry points that the proxy-wasm ABI asks for.
mod entry {
    use proxy_wasm::traits::RootContext;
    use proxy_wasm::types::LogLevel;

    proxy_wasm::main! {{
        proxy_wasm::set_log_level(LogLevel::Info);
        proxy_wasm::set_root_context(|_| -> Box<dyn RootContext> { Box::<crate::Root>::default() });
    }}
}
