#![doc = include_str!("../README.md")]

mod config;
mod envelope;
mod login;
mod shelf;
mod tables;

pub use config::DatabaseConfig;
pub use shelf::DatabaseShelf;

einvoice_core::register_credential_store! {
    name: "credentials-database",
    summary: "Credentials and sessions in PostgreSQL, MySQL, MariaDB or SQLite, encrypted under a master key",
    config: DatabaseConfig,
    example: include_str!("../examples/credentials.toml"),
    build: shelf::build,
}
