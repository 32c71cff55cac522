#![doc = include_str!("../README.md")]

mod store;

pub use store::{@type@Config, @type@Store};

einvoice_core::register_credential_store! {
    name: "@name@",
    summary: "Client pairs and API users in @name@",
    config: @type@Config,
    example: include_str!("../examples/credentials.toml"),
    build: store::build,
}
