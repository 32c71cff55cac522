#![doc = include_str!("../README.md")]

mod exchange;
mod settings;

pub use exchange::HttpExchange;
pub use settings::{
    BODY_BYTES_MAX, CONNECT_TIMEOUT_MS, HttpError, HttpSettings, ProxyChoice, TOTAL_TIMEOUT_MS, usable_address,
};
