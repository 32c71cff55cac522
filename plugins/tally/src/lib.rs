#![doc = include_str!("../README.md")]

pub mod config;
mod exports;
#[doc(hidden)]
pub mod fuzzing;
mod json;
mod latest;
mod lexical;
mod live;
mod mapping;
mod masters;
mod objects;
mod reading;
mod source;
mod text;
mod write_back;
mod xml;

pub use source::TallySource;
pub use write_back::{TallyLiveWriteBack, TallyWriteBack};

einvoice_core::register_source! {
    name: "tally",
    summary: "Vouchers from a running Tally (ERP 9 and Prime), or from files it exported",
    config: config::TallySourceConfig,
    example: include_str!("../examples/source.toml"),
    build: source::build,
}

einvoice_core::register_write_back! {
    name: "tally",
    summary: "Results in the vouchers of a running Tally, or as a file to import, a CSV list and QR pictures",
    config: config::TallyWriteBackConfig,
    example: include_str!("../examples/write_back.toml"),
    ways: write_back::WAYS,
    build: write_back::build,
}
