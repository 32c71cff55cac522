//! The emulator seen from outside, by a client that shares no code with the product.
//!
//! `raw` is that client: it seals, opens and verifies with primitives alone, from the facts of the
//! portal's documents. If the product and the emulator had the same misunderstanding, this is where it
//! would show.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod bills;
mod codes;
mod crash;
mod enrolment;
mod ewb;
mod ewb_samples;
mod http;
mod in_process;
mod irn_life;
mod login;
mod persistence;
mod properties;
mod raw;
mod reading;
mod registration;
mod replay;
mod samples;
mod settings;
mod signed;
