#![doc = include_str!("../README.md")]

mod config;
mod name;
mod store;

pub use config::EnvConfig;
pub use store::{EnvStore, SystemVariables, Variables};

einvoice_core::register_credential_store! {
    name: "credentials-env",
    summary: "Credentials from environment variables; read-only, sessions kept in memory",
    config: EnvConfig,
    example: include_str!("../examples/credentials.toml"),
    build: store::build,
}
