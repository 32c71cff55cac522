#![doc = include_str!("../README.md")]

mod claim;
mod codec;
mod config;
mod delivery;
mod fault;
mod ledger;
mod lock;
mod outcome;
mod receive;
mod schema;
mod standing;
mod view;
mod writer;

pub use config::{IntegrityCheck, LedgerConfig};
pub use ledger::SqliteLedger;

einvoice_core::register_ledger! {
    name: "ledger-sqlite",
    summary: "Keeps documents, intents, outcomes and receipts in one SQLite file",
    config: LedgerConfig,
    example: include_str!("../examples/ledger.toml"),
    build: ledger::build,
}
