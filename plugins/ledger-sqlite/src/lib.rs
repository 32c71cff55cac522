#![doc = include_str!("../README.md")]

mod belonging;
mod bill;
mod by_hand;
mod claim;
mod codec;
mod config;
mod decide;
mod delivery;
mod desk;
mod errand;
mod fault;
mod group;
mod intake;
mod job;
mod job_view;
mod ledger;
mod lock;
mod look;
mod outcome;
mod plan;
#[cfg(test)]
mod plans;
mod receive;
mod rows;
mod schema;
mod shelf;
mod standing;
mod step;
#[cfg(test)]
mod trouble;
mod turn;
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
