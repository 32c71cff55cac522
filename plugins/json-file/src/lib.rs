#![doc = include_str!("../README.md")]

mod config;
mod element;
mod formats;
#[doc(hidden)]
pub mod fuzzing;
mod merge;
mod name;
mod response;
mod source;
mod write_back;

pub use config::{DocumentFormat, RecordId, SourceConfig, WriteBackConfig};
pub use einvoice_file_drop::{Encoding, QrFormat};
pub use source::JsonFileSource;
pub use write_back::JsonFileWriteBack;

einvoice_core::register_source! {
    name: "json-file",
    summary: "Invoices from JSON files in a folder: INV-01, GOBL, UBL 2.1, or any JSON by rules of your own",
    config: SourceConfig,
    example: include_str!("../examples/source.toml"),
    build: source::build,
}

einvoice_core::register_write_back! {
    name: "json-file",
    summary: "Response files in the portal's bulk form, beside the request files",
    config: WriteBackConfig,
    example: include_str!("../examples/write_back.toml"),
    ways: &[write_back::WAY],
    build: write_back::build,
}
