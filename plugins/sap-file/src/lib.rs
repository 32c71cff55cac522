#![doc = include_str!("../README.md")]

mod attributes;
pub mod config;
mod csv;
mod format;
mod idoc;
mod json;
mod mapping;
mod numbers;
mod source;
mod value;
mod write_back;

pub use source::SapFileSource;
pub use write_back::SapFileWriteBack;
pub use write_back::config::{NumberForm, ResultForm, WriteBackConfig};

#[doc(hidden)]
pub mod fuzzing;

einvoice_core::register_source! {
    name: "sap-file",
    summary: "Invoices in files of SAP: IDoc INVOIC (flat and XML), JSON and CSV of a file drop",
    config: config::SourceConfig,
    example: include_str!("../examples/source.toml"),
    build: source::build,
}

einvoice_core::register_write_back! {
    name: "sap-file",
    summary: "Result files that SAP reads: answers of a file drop, rows of J_1IG_INVREFNUM, status IDocs",
    config: WriteBackConfig,
    example: include_str!("../examples/write_back.toml"),
    ways: &[write_back::WAY],
    build: write_back::build,
}
