#![doc = include_str!("../README.md")]

mod answer;
#[cfg(feature = "suite")]
pub mod check;
pub mod config;
#[cfg(feature = "emulator")]
pub mod emulator;
mod environment;
pub mod hooks;
mod parts;
mod pass_through;
mod plain;
pub mod profile;
mod provider;
mod raw;
#[cfg(feature = "suite")]
pub mod suite;
pub mod tape;
mod texts;
mod tokens;
mod transport;
mod values;

pub use config::{GspConfig, GspError, connect};
pub use parts::{GspParts, PartsError};
pub use transport::GspTransport;

#[doc(hidden)]
pub use einvoice_core::registry::inventory;
