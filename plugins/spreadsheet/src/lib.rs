#![doc = include_str!("../README.md")]

mod book;
mod builtin;
mod cell;
mod config;
mod copy;
mod fields;
mod group;
mod heading;
mod reading;
mod record;
mod source;
mod template;
mod write_back;

pub use config::{CopyFormat, RecordId, SourceConfig, WriteBackConfig};
pub use einvoice_file_drop::Encoding;
pub use source::SpreadsheetSource;
pub use write_back::SpreadsheetWriteBack;

#[doc(hidden)]
pub mod testing;

einvoice_core::register_source! {
    name: "spreadsheet",
    summary: "Invoices from workbooks (xlsx, xls, ods) and CSV files, by the portal's bulk headings or your own",
    config: SourceConfig,
    example: include_str!("../examples/source.toml"),
    build: source::build,
}

einvoice_core::register_write_back! {
    name: "spreadsheet",
    summary: "A copy of the workbook with IRN, QR code and marked cells, to be corrected and dropped in again",
    config: WriteBackConfig,
    example: include_str!("../examples/write_back.toml"),
    ways: &[write_back::WAY],
    build: write_back::build,
}

einvoice_core::register_template! {
    plugin: "spreadsheet",
    variant: "compact",
    summary: "an empty workbook with the columns most invoices need",
    file_name: "invoices.xlsx",
    make: template::compact,
}

einvoice_core::register_template! {
    plugin: "spreadsheet",
    variant: "full",
    summary: "an empty workbook with every column: supplier, batches, payment, references too",
    file_name: "invoices.xlsx",
    make: template::full,
}
