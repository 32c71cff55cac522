//! Types, rules, traits, registry and pipeline of `einvoice`.
//!
//! This crate knows no network, no files and no vendor. It defines the INV-01 [`document`], the
//! [`rulebook`] that judges it, the five contracts that plugins fulfil ([`transport`],
//! [`credential`], [`source`], [`write_back`], [`ledger`]), the [`registry`] through which they are
//! found, and the [`pipeline`] that joins them:
//!
//! `source → map → check → ledger(intent) → transport → verify → ledger(outcome) → write back`

pub mod access;
pub mod advice;
pub mod clock;
pub mod config;
pub mod credential;
pub mod date;
pub mod document;
pub mod entropy;
pub mod environment;
pub mod events;
pub mod ewb;
pub mod finding;
pub mod guide;
pub mod identifier;
pub mod irn;
pub mod job;
pub mod key;
pub mod ledger;
pub mod mapping;
pub mod masters;
pub mod number;
pub mod operation;
pub mod pipeline;
pub mod plan;
pub mod portal_code;
pub mod proof;
mod provenance;
pub mod qr;
pub mod raw;
pub mod receipt;
pub mod registry;
pub mod rulebook;
pub mod secret;
pub mod session;
pub mod source;
pub mod spelling;
pub mod state;
pub mod transport;
pub mod usage;
pub mod verify;
pub mod write_back;
pub mod xml;

/// An underlying error of any kind, kept for its text and its sources.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
