//! The command line of the test report.

use clap::Args;

/// Arguments of `onboard test-report`.
#[derive(Debug, Args)]
pub struct TestReport {}
