//! Benchmarks of the path of one invoice, part by part.
//!
//! `cargo bench -p einvoice-testkit` measures; `cargo test -p einvoice-testkit --benches` runs each
//! part once, to see that it still works. What was found is in the guide of `einvoice-core`, under
//! measurements.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a benchmark that cannot be set up should stop"
)]

mod document;
mod formats;
mod ledger;
mod mapping;
mod protocol;
mod sap;
mod spreadsheet;
mod tally;

fn main() {
    divan::main();
}
