#![doc = include_str!("../README.md")]

mod config;
mod transport;

pub use config::@type@Config;
pub use transport::{@type@Transport, Gateway, connect};

einvoice_core::register_transport! {
    name: "@name@",
    summary: "The way to the portal through @name@",
    config: @type@Config,
    example: include_str!("../examples/route.toml"),
    build: transport::build,
}
