//! How `einvoice` works and why: chapters for readers of this documentation.

pub mod decisions;
#[doc = include_str!("life.md")]
pub mod life {}
#[doc = include_str!("measurements.md")]
pub mod measurements {}
#[doc = include_str!("operations.md")]
pub mod operations {}
#[doc = include_str!("rules.md")]
pub mod rules {}
