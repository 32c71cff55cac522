#![doc = include_str!("../README.md")]

mod claim;
mod codec;
mod config;
mod delivery;
mod desk;
mod fault;
mod group;
mod intake;
mod ledger;
mod lock;
mod outcome;
mod receive;
mod rows;
mod schema;
mod shelf;
mod standing;
#[cfg(test)]
mod trouble;
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
