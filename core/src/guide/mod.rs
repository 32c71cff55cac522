//! How `einvoice` works and why: chapters for readers of this documentation.

// The code of the chapter is that of the example, so that the two cannot differ.
#[doc = include_str!("adapters.md")]
#[doc = include_str!("../../../examples/adapter/src/rules.toml")]
#[doc = include_str!("adapters_settings.md")]
#[doc = include_str!("../../../examples/adapter/examples/source.toml")]
#[doc = include_str!("adapters_code.md")]
#[doc = "```rust,ignore"]
#[doc = include_str!("../../../examples/adapter/src/lib.rs")]
#[doc = "```"]
#[doc = ""]
#[doc = include_str!("adapters_end.md")]
pub mod adapters {}
#[doc = include_str!("credentials.md")]
pub mod credentials {}
pub mod decisions;
#[doc = include_str!("gsp.md")]
pub mod gsp {}
#[doc = include_str!("life.md")]
pub mod life {}
#[doc = include_str!("limits.md")]
pub mod limits {}
#[doc = include_str!("mapping.md")]
pub mod mapping {}
#[doc = include_str!("measurements.md")]
pub mod measurements {}
#[doc = include_str!("onboarding.md")]
pub mod onboarding {}
#[doc = include_str!("operations.md")]
pub mod operations {}
#[doc = include_str!("rules.md")]
pub mod rules {}
#[expect(clippy::doc_markdown, reason = "titles of cases stand here as they do in the evidence, which knows no marks")]
#[doc = include_str!("test-report.md")]
pub mod test_report {}
