//! What `einvoice` is tested with: conformance suites for every contract, generated documents, parts
//! that live in memory, and (in this package's `tests` and `benches`) end-to-end runs and measurements.
//!
//! A crate that implements a contract runs the suite of that contract by one macro line in its own
//! tests; a suite's test names are the promises of the contract as sentences. Crates outside this
//! repository do the same by depending on this one.

pub mod credential_suite;
pub mod documents;
pub mod fuzzing;
pub mod idocs;
pub mod invoices;
pub mod ledger_suite;
pub mod memory;
pub mod mutations;
pub mod promise;
pub mod source_suite;
pub mod tally_stand_in;
pub mod transport_suite;
pub mod write_back_suite;
