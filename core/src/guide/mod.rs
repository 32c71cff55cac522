//! How `einvoice` works and why: chapters for readers of this documentation.

pub mod decisions;
