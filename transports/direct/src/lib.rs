#![doc = include_str!("../README.md")]

pub mod config;
pub mod ewb_config;
mod transport;

pub use config::DirectConfig;
pub use einvoice_http::HttpExchange;
pub use ewb_config::EwbConfig;
pub use transport::{DirectError, DirectTransport, connect, connect_with, exchange, login_key};
