//! Arguments of `new`: what people begin with.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// The commands of `new`.
#[derive(Debug, Subcommand)]
#[non_exhaustive]
pub enum New {
    /// A crate that reads invoices from a system
    Source(NewCrate),
    /// A crate that shows results to a system
    WriteBack(NewCrate),
    /// A crate that keeps client pairs and API users
    CredentialStore(NewCrate),
    /// A crate that remembers what was received, intended and answered
    Ledger(NewCrate),
    /// A crate that is a way to the portal
    Transport(NewCrate),
    /// An empty file of the form that a source plugin reads, to be filled by people
    Template(NewTemplate),
    /// The statements that make the staging tables of the plugin `database`
    Staging(NewStaging),
    /// A profile of a provider (GSP), from answers to the questions that providers differ in
    GspProfile(NewGspProfile),
}

/// A crate to begin with.
#[derive(Debug, Args)]
pub struct NewCrate {
    /// Name of the system: small letters, digits and hyphens; configurations name the plugin by it
    #[arg(value_name = "NAME", value_parser = name)]
    pub name: String,
    /// Where einvoice is: the folder of a checkout, or an address for Git [default: the checkout
    /// around the folder you are in]
    #[arg(long, value_name = "PLACE")]
    pub einvoice: Option<String>,
    /// Folder to make [default: plugins/NAME or transports/NAME in a checkout of einvoice, else NAME]
    #[arg(long, value_name = "DIR")]
    pub path: Option<PathBuf>,
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
    /// For which database: postgres, mysql (MariaDB too), sqlite, sqlserver or oracle
    #[arg(long, value_name = "DIALECT")]
    pub dialect: String,
}

/// Arguments of `new gsp-profile`.
#[derive(Debug, Args)]
pub struct NewGspProfile {
    /// Name of the profile: small letters, digits and hyphens
    #[arg(value_name = "NAME", value_parser = name)]
    pub name: String,
    /// TOML file with answers, as in `crypto = "plain"`; what it does not answer has its default
    #[arg(long, value_name = "FILE")]
    pub answers: Option<PathBuf>,
    /// Answer one question, as in `crypto=plain`; may be repeated
    #[arg(long = "answer", value_name = "KEY=VALUE")]
    pub given: Vec<String>,
    /// Ask nothing: what is not answered has its default
    #[arg(long)]
    pub defaults: bool,
    /// Show the questions with their keys and defaults, and write nothing
    #[arg(long, conflicts_with_all = ["answers", "output", "defaults"])]
    pub questions: bool,
    /// File to write [default: NAME.toml in the present folder]
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Replace an existing file
    #[arg(long)]
    pub yes: bool,
}

fn name(text: &str) -> Result<String, String> {
    let is_plain =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let begins = text.starts_with(|first: char| first.is_ascii_lowercase());
    if begins && text.split('-').all(is_plain) && text.len() <= 40 {
        Ok(text.to_owned())
    } else {
        Err("write a name of small letters, digits and single hyphens, as in `focus-erp`".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_that_cargo_and_configurations_take() {
        for good in ["munim", "focus-erp", "sap4"] {
            assert_eq!(name(good).as_deref(), Ok(good));
        }
        for wrong in ["", "Munim", "4sap", "a--b", "-a", "a-", "a_b", "a/b", "../a", "a b", &"a".repeat(41)] {
            assert!(name(wrong).is_err(), "{wrong}");
        }
    }
}
