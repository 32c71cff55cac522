//! Arguments of `new`: files that a person goes on from.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// What can be made new.
#[derive(Debug, Subcommand)]
#[non_exhaustive]
pub enum New {
    /// An empty file of the form that a source plugin reads, to be filled by people
    Template(NewTemplate),
    /// The statements that make the staging tables of the plugin `database`
    Staging(NewStaging),
}

/// Arguments of `new template`.
#[derive(Debug, Args)]
pub struct NewTemplate {
    /// Source plugin that reads the file
    #[arg(long, value_name = "NAME", default_value = "spreadsheet")]
    pub plugin: String,
    /// Which of its templates [default: the first; --list shows them]
    #[arg(long, value_name = "NAME")]
    pub variant: Option<String>,
    /// File to write [default: a name that the plugin gives, in the present folder]
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Show which templates there are, and write nothing
    #[arg(long, conflicts_with_all = ["variant", "output", "yes"])]
    pub list: bool,
    /// Replace an existing file
    #[arg(long)]
    pub yes: bool,
}

/// Arguments of `new staging`.
#[derive(Debug, Args)]
pub struct NewStaging {
    /// For which database: postgres, mysql (MariaDB too) or sqlite
    #[arg(long, value_name = "DIALECT")]
    pub dialect: String,
}
