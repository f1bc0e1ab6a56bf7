//! `engraft serve` as a process, between scripted origins and clients that hide nothing.

mod folder;
mod load;
mod origins;
mod pages;
mod panel;
mod reload;
mod server;
mod start;
mod streams;
mod tls;
