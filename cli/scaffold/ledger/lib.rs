#![doc = include_str!("../README.md")]

mod jobs;
mod ledger;

pub use ledger::{@type@Config, @type@Ledger};

einvoice_core::register_ledger! {
    name: "@name@",
    summary: "The ledger in @name@",
    config: @type@Config,
    example: include_str!("../examples/ledger.toml"),
    build: ledger::build,
}
