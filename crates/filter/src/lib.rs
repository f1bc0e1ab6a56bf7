//! The engraft HTTP filter for Envoy: the core's host, and nothing else.
//!
//! One root context a VM parses the configuration and fetches what it names; a stream context for each request translates Envoy's callbacks into
//! the core's calls and carries out what comes back. Calls into Envoy are made in `host.rs` only.

mod calls;
mod exposures;
mod heads;
mod host;
mod metrics;
mod payload;
mod root;
mod stream;
mod ticks;

/// The entry points that the proxy-wasm ABI asks for.
mod entry {
    use proxy_wasm::traits::RootContext;
    use proxy_wasm::types::LogLevel;

    proxy_wasm::main! {{
        proxy_wasm::set_log_level(LogLevel::Info);
        proxy_wasm::set_root_context(|_| -> Box<dyn RootContext> { Box::<crate::root::Root>::default() });
    }}
}
