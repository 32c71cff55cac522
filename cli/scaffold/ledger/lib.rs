#![doc = include_str!("../README.md")]

mod books;
mod jobs;
mod ledger;
mod results;
mod work;

pub use books::Books;
pub use ledger::{@type@Config, @type@Ledger};

einvoice_core::register_ledger! {
    name: "@name@",
    summary: "The ledger in @name@",
    config: @type@Config,
    example: include_str!("../examples/ledger.toml"),
    build: ledger::build,
}
