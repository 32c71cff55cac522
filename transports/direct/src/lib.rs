#![doc = include_str!("../README.md")]

pub mod config;
mod exchange;
mod transport;

pub use config::DirectConfig;
pub use exchange::HttpExchange;
pub use transport::{DirectError, DirectTransport, connect};
