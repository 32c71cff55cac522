//! What `einvoice` is tested with: conformance suites for every contract, generated documents, parts
//! that live in memory, and (in this package's `tests` and `benches`) end-to-end runs and measurements.
//!
//! A crate that implements a contract runs the suite of that contract by one macro line in its own
//! tests; a suite's test names are the promises of the contract as sentences. Crates outside this
//! repository do the same by depending on this one.

#[cfg(feature = "full")]
pub mod credential_suite;
pub mod documents;
#[cfg(feature = "full")]
pub mod fuzzing;
#[cfg(feature = "full")]
pub mod idocs;
#[cfg(feature = "full")]
pub mod invoices;
#[cfg(feature = "full")]
pub mod ledger_suite;
#[cfg(feature = "full")]
pub mod memory;
#[cfg(feature = "full")]
pub mod mutations;
pub mod promise;
#[cfg(feature = "full")]
pub mod reading_memory;
#[cfg(feature = "full")]
pub mod small_disk;
#[cfg(feature = "full")]
pub mod source_suite;
#[cfg(feature = "full")]
pub mod tally_stand_in;
pub mod transport_suite;
#[cfg(feature = "full")]
pub mod usage;
#[cfg(feature = "full")]
pub mod write_back_suite;
