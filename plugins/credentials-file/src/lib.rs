#![doc = include_str!("../README.md")]

mod config;
mod content;
mod envelope;
mod first_layout;
mod store;
mod unlock;

pub use config::FileConfig;
pub use store::FileStore;
pub use unlock::Unlock;

einvoice_core::register_credential_store! {
    name: "credentials-file",
    summary: "Credentials and sessions in one file encrypted with age, opened by passphrase or identity file",
    config: FileConfig,
    example: include_str!("../examples/credentials.toml"),
    build: store::build,
}
