//! What engraft promises, kept on a real Envoy: the module that ships, scripted origins, clients that hide nothing.
//!
//! A file is a promise, a test is a consequence of it. Every test has an origin and an Envoy of its own ([`stage::Stage`]), so tests
//! run side by side, and none is right or wrong by the clock: what came before what is told by gates. The origin sends its next piece
//! when the test has read what the piece before was to bring.

mod broken;
mod caches;
mod cel;
mod coded;
mod collector;
mod configuration;
mod control_plane;
mod crash;
mod crd;
mod decisions;
mod ecds;
mod exposures;
mod feed;
mod framings;
mod gateway;
mod hostile;
mod killswitch;
mod kubernetes;
mod large;
mod logging;
mod manifest;
mod manifests;
mod many;
mod multiplexed;
mod observed;
mod operations;
mod pages;
mod parallel;
mod rewrite;
mod rollout;
mod shipped;
mod spans;
mod stage;
mod stored;
mod streaming;
mod traces;
mod trailers;
mod visitors;
