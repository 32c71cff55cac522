#![doc = include_str!("../README.md")]

mod transport;

pub use transport::{@type@Config, @type@Transport};

einvoice_core::register_transport! {
    name: "@name@",
    summary: "The way to the portal through @name@",
    config: @type@Config,
    example: include_str!("../examples/route.toml"),
    build: transport::build,
}
