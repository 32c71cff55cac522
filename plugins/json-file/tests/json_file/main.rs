//! What the two roles do with real files, beyond the promises of their contracts.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a helper of a test fails the test")]

mod folder;
mod formats;
mod lines;
mod source;
mod write_back;
