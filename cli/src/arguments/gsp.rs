//! Arguments of `gsp`: profiles of providers, tried and put right.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// The commands of `gsp`.
#[derive(Debug, Subcommand)]
#[non_exhaustive]
pub enum Gsp {
    /// List the profiles that come with the program
    List,
    /// Try a profile offline: the suite of transports, and a round through the emulator
    Check(GspCheck),
    /// Record what a provider answers, with everything secret taken out
    Record(GspRecord),
    /// Put a recording to a profile: does it still understand every answer as it did?
    Replay(GspReplay),
    /// Ask what is left of the account at a provider
    Balance(GspBalance),
    /// Print a JSON Schema of a profile, for editors
    Schema,
}

/// Arguments of `gsp check`.
#[derive(Debug, Args)]
pub struct GspCheck {
    /// Path of a profile, which ends in `.toml`, or the name of one that comes with the program
    #[arg(value_name = "FILE")]
    pub profile: String,
}

/// Arguments of `gsp record`.
#[derive(Debug, Args)]
pub struct GspRecord {
    /// Route to record; its plugin is `gsp`
    #[arg(long, value_name = "NAME")]
    pub route: String,
    /// GSTIN to log in and ask for
    #[arg(long)]
    pub gstin: String,
    /// New file for the recording
    #[arg(long, value_name = "FILE")]
    pub output: PathBuf,
    /// Read this registration too
    #[arg(long, value_name = "IRN")]
    pub irn: Option<String>,
    /// Read this e-way bill too
    #[arg(long, value_name = "NUMBER")]
    pub ewb: Option<String>,
    /// Register this document (INV-01 JSON), and once more for the answer to a duplicate; in the sandbox only
    #[arg(long, value_name = "FILE")]
    pub register: Option<PathBuf>,
}

/// Arguments of `gsp replay`.
#[derive(Debug, Args)]
pub struct GspReplay {
    /// The recording
    #[arg(value_name = "FILE")]
    pub recording: PathBuf,
    /// Profile to put it to: a path that ends in `.toml`, or a name [default: the one it was made with]
    #[arg(long, value_name = "PROFILE")]
    pub profile: Option<String>,
    /// Keep in the recording how the profile understands it now; a later replay compares with that
    #[arg(long)]
    pub accept: bool,
}

/// Arguments of `gsp balance`.
#[derive(Debug, Args)]
pub struct GspBalance {
    /// Route through the provider
    #[arg(long, value_name = "NAME")]
    pub route: String,
}
