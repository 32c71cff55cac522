#![doc = include_str!("../README.md")]

mod config;
mod source;

pub use config::SourceConfig;
pub use source::@type@Source;

einvoice_core::register_source! {
    name: "@name@",
    summary: "Invoices of @name@",
    config: SourceConfig,
    example: include_str!("../examples/source.toml"),
    build: source::build,
}
