#![doc = include_str!("../README.md")]

mod exchange;
mod look;
mod settings;

pub use exchange::HttpExchange;
pub use look::{LOOK_TEXT_BYTES_MAX, Look, look};
pub use settings::{
    BODY_BYTES_MAX, CONNECT_TIMEOUT_MS, HttpError, HttpSettings, ProxyChoice, TOTAL_TIMEOUT_MS, other_environment,
    usable_address,
};
