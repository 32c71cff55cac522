#![doc = include_str!("../README.md")]

mod attributes;
pub mod config;
mod csv;
mod format;
mod idoc;
mod json;
mod mapping;
mod source;
mod value;

pub use source::SapFileSource;

einvoice_core::register_source! {
    name: "sap-file",
    summary: "Invoices in files of SAP: IDoc INVOIC (flat and XML), JSON and CSV of a file drop",
    config: config::SourceConfig,
    example: include_str!("../examples/source.toml"),
    build: source::build,
}
