//! The command line of the road to production: the interview, its checklist, the test report.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::report::TestReport;

/// Arguments of `onboard`.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Answers are kept beside the configuration as soon as they are given, secrets excepted: leave with \
                  Ctrl-C whenever the portal has to do something first, and call `einvoice onboard` again. Secrets \
                  are typed without being shown, or come from the variables and files that --answers names; they go \
                  to the credential store and nowhere else."
)]
pub struct Onboard {
    /// A part of the road that is a command of its own.
    #[command(subcommand)]
    pub command: Option<OnboardCommand>,
    /// The interview.
    #[command(flatten)]
    pub interview: Interview,
}

/// The parts of the road that are commands of their own.
#[derive(Debug, Subcommand)]
#[non_exhaustive]
pub enum OnboardCommand {
    /// Exercise every API of a sandbox, with succeeding and failing cases, and write the evidence for the
    /// application
    TestReport(TestReport),
}

/// Arguments of the interview.
#[derive(Debug, Args)]
pub struct Interview {
    /// Take the answers from this TOML file and ask nothing; secrets stand there as `{ env = "NAME" }` or
    /// `{ file = "PATH" }`
    #[arg(long, value_name = "FILE")]
    pub answers: Option<PathBuf>,
    /// Forget the answers given so far and begin anew; configuration and credentials stay
    #[arg(long, conflicts_with = "status")]
    pub restart: bool,
    /// Ask one answered question again, by its key in a file of answers (`addresses`, `base_url`, `client` ...); only
    /// what hangs on a changed answer is asked anew. A word that is none shows those there are
    #[arg(long, value_name = "KEY", conflicts_with_all = ["status", "restart"])]
    pub change: Option<String>,
    /// Show the checklist: what is done, what is next, and whose move it is
    #[arg(long, conflicts_with = "answers")]
    pub status: bool,
}
