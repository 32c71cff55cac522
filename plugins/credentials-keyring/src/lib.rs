#![doc = include_str!("../README.md")]

mod config;
mod fault;
mod index;
mod keyring;
mod pieces;
mod platform;
mod shelf;
mod worker;

pub use config::KeyringConfig;
pub use shelf::KeyringShelf;

einvoice_core::register_credential_store! {
    name: "credentials-keyring",
    summary: "Credentials and sessions in the keyring of the system: Secret Service, Keychain or Credential Manager",
    config: KeyringConfig,
    example: include_str!("../examples/credentials.toml"),
    build: shelf::build,
}
