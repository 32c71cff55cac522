#![doc = include_str!("../README.md")]

mod config;
mod door;
mod fault;
mod shelf;

// Brings the TLS provider that the client of `vaultrs` is built without.
use reqwest as _;

pub use config::VaultConfig;
pub use shelf::VaultShelf;

einvoice_core::register_credential_store! {
    name: "credentials-vault",
    summary: "Credentials and sessions in HashiCorp Vault (KV version 2), by token or AppRole",
    config: VaultConfig,
    example: include_str!("../examples/credentials.toml"),
    build: shelf::build,
}
