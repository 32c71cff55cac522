//! The command line: names and meaning are a stable contract.

mod care;
mod ewb;
mod gsp;
mod life;
mod new;
mod onboard;
mod report;
mod resolve;
pub(crate) mod words;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use einvoice_core::portal_code::ErrorClass;

pub use care::{Doctor, Quota};
pub use ewb::{
    Acting, CarriageArguments, Ewb, EwbCancel, EwbClose, EwbConsolidate, EwbExtend, EwbGenerate, EwbList,
    EwbMultiVehicle, EwbPartB, EwbReject, EwbShow, EwbTransporter, EwbTripSheet, FromArguments, ListName,
    MultiVehicleAdd, MultiVehicleChange, MultiVehicleStart,
};
pub use gsp::{Gsp, GspBalance, GspCheck, GspRecord, GspReplay};
pub use life::{At, Cancel, Filter, Going, Jobs, JobsCommand, Lookup, LookupWhat, Retry};
pub use new::{New, NewCrate, NewGspProfile, NewStaging, NewTemplate};
pub use onboard::{Interview, Onboard, OnboardCommand};
pub use report::{Api, TestReport};
pub use resolve::{Resolve, SeenArguments};

/// Registers Indian GST e-invoices: from the books to the portal and back.
///
/// Takes invoices from where they are, checks them against the portal's rules, registers each
/// exactly once, proves the portal's signature, and writes IRN and signed QR back.
#[derive(Debug, Parser)]
#[command(
    name = "einvoice",
    version,
    arg_required_else_help = true,
    after_help = "Exit codes: 0 all well; 1 some documents need a person; 2 usage or configuration; \
                  3 portal unreachable, work is kept; 4 unknown outcomes remain; 70 our own fault."
)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// What every command takes.
    #[command(flatten)]
    pub common: Common,
}

/// What every command takes.
#[derive(Debug, Clone, Default, Args)]
pub struct Common {
    /// Print one JSON object a line on standard output; text for people goes to standard error
    #[arg(long, global = true)]
    pub json: bool,
    /// Configuration file [default: einvoice.toml]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Set one configuration key over file and environment, as in `ledger.path=other.db` or
    /// `route.nic.base_url=...`
    #[arg(long = "set", global = true, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Work in this environment where the routes lead to both; the same as `--set run.environment=...`
    #[arg(long, global = true, value_name = "ENVIRONMENT", value_parser = ["production", "sandbox"])]
    pub environment: Option<String>,
    /// Say more on standard error; twice for how things are done
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
}

/// The commands.
#[derive(Debug, Subcommand)]
#[non_exhaustive]
pub enum Command {
    /// Write a commented starter configuration
    Init(Init),
    /// Be led from nothing to the first registration: portal, credentials, configuration, first login
    Onboard(Onboard),
    /// Fetch, check, register, verify and write back; goes on where a crash left off
    Run(Run),
    /// Check documents against the portal's rules, offline
    Validate(Validate),
    /// Run the cases that say what a mapping makes of a record, offline
    Test(Test),
    /// Prove signed invoices and QR codes, offline
    Verify(Verify),
    /// Show where documents stand; with a key, one document and its whole story
    Status(Status),
    /// Cancel registrations within 24 hours, each with its e-way bill
    Cancel(Cancel),
    /// Ask the portal: registrations, taxpayers, e-way bills
    Lookup(Lookup),
    /// Make and change e-way bills
    #[command(subcommand)]
    Ewb(Ewb),
    /// Settle what is unknown now, and decide conflicts
    Resolve(Resolve),
    /// Carry out failed e-way bills and jobs that are due
    Retry(Retry),
    /// Show what is planned, until when, and what happened
    Jobs(Jobs),
    /// Manage client pairs and API users
    #[command(subcommand)]
    Credentials(Credentials),
    /// Check everything between here and the portal, and say what to do about what is wrong
    Doctor(Doctor),
    /// Show the login and error budgets of each GSTIN and client: used, left, until when
    Quota(Quota),
    /// Say what a portal code or a rule means, where it comes from and what to do
    Explain(Explain),
    /// List the plugins in this program; with a name, its settings and an example
    Plugins(Plugins),
    /// Look codes up: states, units, countries, currencies, ports, PINs, HSN codes, rates
    #[command(subcommand)]
    Masters(crate::commands::masters::Masters),
    /// Make something to begin with: an empty workbook, staging tables, a crate for an adapter of your own
    #[command(subcommand)]
    New(New),
    /// About the configuration file
    #[command(subcommand)]
    Config(Config),
    /// The portal emulator
    #[command(subcommand)]
    Sandbox(Sandbox),
    /// Profiles of providers (GSPs): try them, record what a provider answers, ask for the balance
    #[command(subcommand)]
    Gsp(Gsp),
    /// Print a completion script for a shell
    Completions(Completions),
}

/// Arguments of `init`.
#[derive(Debug, Args)]
pub struct Init {
    /// Plugin that reads the invoices (see `einvoice plugins`)
    #[arg(long, value_name = "PLUGIN", default_value = "json-file")]
    pub source: String,
    /// Plugin that reaches the portal
    #[arg(long, value_name = "PLUGIN", default_value = "sandbox")]
    pub route: String,
    /// Replace an existing file
    #[arg(long)]
    pub yes: bool,
}

/// Arguments of `run`.
#[derive(Debug, Args)]
pub struct Run {
    /// Work through everything once and end; without it, sources that have a schedule are repeated
    #[arg(long)]
    pub once: bool,
    /// Show what would be sent and from which field each value came: everything is read, mapped and
    /// checked; no ledger is opened, nothing is sent and no file is moved
    #[arg(long, conflicts_with = "once")]
    pub dry_run: bool,
    /// Only this source; may be repeated
    #[arg(long = "source", value_name = "NAME")]
    pub sources: Vec<String>,
    /// Of a dry run, only the first records of each source
    #[arg(long, value_name = "COUNT", requires = "dry_run")]
    pub limit: Option<u64>,
}

/// Arguments of `validate`.
#[derive(Debug, Args)]
pub struct Validate {
    /// Files to check: INV-01 JSON (one document, an array, or one a line), or the format of `--plugin`
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Judge by the rules of this day (YYYY-MM-DD or DD/MM/YYYY) [default: today in India]
    #[arg(long, value_name = "DATE", value_parser = day)]
    pub as_of: Option<jiff::civil::Date>,
    /// Leave the check digit of GSTINs out, as the portal's own test numbers have wrong ones
    #[arg(long)]
    pub no_gstin_check_digit: bool,
    /// Source plugin that reads the files
    #[arg(long, value_name = "NAME", default_value = "json-file")]
    pub plugin: String,
    /// Show for each value where it came from, as far as the plugin makes values of others
    #[arg(long)]
    pub provenance: bool,
    /// Form of the result: text; json, one object a line, as --json; html, one page to read and
    /// pass on; csv, a line a finding, for spreadsheets (UTF-8 with a byte order mark, which Excel
    /// needs) [default: text]
    #[arg(long, value_enum, value_name = "FORMAT", hide_possible_values = true)]
    pub format: Option<ReportFormat>,
    /// Write the result to this file, which appears whole or not at all, and not to standard output
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Arguments of `test`.
#[derive(Debug, Args)]
pub struct Test {
    /// Files of cases, or folders of them [default: all in the folder `cases` beside the configuration]
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Only cases whose name has this text
    #[arg(long, value_name = "TEXT")]
    pub case: Option<String>,
}

/// In which form `validate` tells what it found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
#[non_exhaustive]
pub enum ReportFormat {
    /// Text for people
    #[default]
    Text,
    /// One JSON object a document, one a line
    Json,
    /// One HTML page
    Html,
    /// Comma-separated values, one line a finding
    Csv,
}

/// Arguments of `verify`.
#[derive(Debug, Args)]
pub struct Verify {
    /// Files that hold a signed invoice, a signed QR text, a portal reply, or a PNG of a QR code
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Public key or certificate of the portal (PEM); KID=PEM names the key, else the file name or
    /// the certificate does
    #[arg(long = "key", value_name = "[KID=]PEM")]
    pub keys: Vec<String>,
}

/// Arguments of `status`.
#[derive(Debug, Args)]
pub struct Status {
    /// Document key (GSTIN/2026-27/INV/NUMBER), or a part of a number, label or IRN
    #[arg(value_name = "KEY")]
    pub key: Option<String>,
    /// Only documents in this state; may be repeated
    #[arg(long = "state", value_name = "STATE")]
    pub states: Vec<String>,
    /// Only documents of this source
    #[arg(long, value_name = "NAME")]
    pub source: Option<String>,
}

/// Arguments of `explain`.
#[derive(Debug, Args)]
pub struct Explain {
    /// Portal codes, or rules of the check, as in `2172` and `tax.igst_in_intra`
    #[arg(
        value_name = "CODE",
        required_unless_present_any = ["list", "rules"],
        conflicts_with_all = ["list", "rules"],
        value_delimiter = ','
    )]
    pub subjects: Vec<String>,
    /// List all codes, each with its meaning
    #[arg(long)]
    pub list: bool,
    /// List all rules of the check, in the order in which they are checked
    #[arg(long, conflicts_with_all = ["list", "system"])]
    pub rules: bool,
    /// Only codes of this system
    #[arg(long, value_enum)]
    pub system: Option<SystemName>,
    /// Of a list, only codes of this class
    #[arg(long, value_name = "CLASS", requires = "list", value_parser = class)]
    pub class: Option<ErrorClass>,
}

/// The government systems, by the short names that their codes go by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[non_exhaustive]
pub enum SystemName {
    /// The e-invoice system
    #[value(alias = "e-invoice")]
    Irp,
    /// The e-way bill system
    #[value(alias = "e-way-bill")]
    Ewb,
}

/// Arguments of `plugins`.
#[derive(Debug, Args)]
pub struct Plugins {
    /// Show the settings of this plugin
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
}

/// The commands of `config`.
#[derive(Debug, Subcommand)]
#[non_exhaustive]
pub enum Config {
    /// Print a JSON Schema of the configuration file, for editors
    Schema,
    /// Read the configuration and make every part, without doing any work
    Check,
}

/// The commands of `sandbox`.
#[derive(Debug, Subcommand)]
#[non_exhaustive]
pub enum Sandbox {
    /// Serve the emulator over HTTP until it is interrupted
    Serve(SandboxServe),
}

/// Arguments of `sandbox serve`.
#[derive(Debug, Args)]
pub struct SandboxServe {
    /// Address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8088")]
    pub listen: SocketAddr,
    /// Folder that keeps the emulator's books, keys and `connection.json`
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// Give this GSTIN an API user beside the built-in ones; may be repeated
    #[arg(long = "gstin", value_name = "GSTIN")]
    pub gstins: Vec<String>,
    /// Begin from nothing: no accounts but those of `--gstin`; sign up on the emulator's pages
    #[arg(long)]
    pub empty: bool,
    /// Play this provider in front of the emulator: the name of a profile, or the path of one that ends in
    /// `.toml`; may be repeated. Its address and account stand in `connection.json` under `gsp`
    #[arg(long = "gsp", value_name = "PROFILE")]
    pub providers: Vec<String>,
}

/// The commands of `credentials`.
#[derive(Debug, Subcommand)]
#[non_exhaustive]
pub enum Credentials {
    /// Add or replace a client pair or an API user; the secret comes from a prompt, from the
    /// environment (`EINVOICE_SECRET`) or from standard input, never from the command line
    Add(CredentialScopeArguments),
    /// List what the store holds, without secrets
    List,
    /// Log in with the credentials of a GSTIN
    Test(CredentialTest),
    /// Replace a client secret or a password: the new one is kept beside the old, logs in, and only then takes its
    /// place; it comes from where `add` takes it
    Rotate(CredentialRotate),
    /// Show or set the addresses that the portal lists for a client pair
    Addresses(CredentialAddresses),
    /// Remove a client pair or an API user
    Remove(CredentialRemove),
}

/// Which entry of the credential store.
#[derive(Debug, Clone, Args)]
pub struct CredentialScopeArguments {
    /// A client pair (id and secret) or an API user (name and password)
    #[arg(value_enum)]
    pub kind: CredentialKind,
    /// GSTIN of an API user
    #[arg(long)]
    pub gstin: Option<String>,
    /// PAN that holds a client pair for direct access
    #[arg(long)]
    pub pan: Option<String>,
    /// Account at a provider that holds a client pair
    #[arg(long, conflicts_with = "pan")]
    pub account: Option<String>,
    /// Route the entry is for; its environment is taken from the configuration
    #[arg(long)]
    pub route: String,
    /// Government system the entry is for [default: e-invoice for an API user, both for a client pair]
    #[arg(long, value_enum)]
    pub product: Option<ProductName>,
    /// Client id or user name; asked for when absent
    #[arg(long)]
    pub name: Option<String>,
}

/// Arguments of `credentials remove`.
#[derive(Debug, Args)]
pub struct CredentialRemove {
    /// Which entry.
    #[command(flatten)]
    pub scope: CredentialScopeArguments,
    /// Really remove it
    #[arg(long)]
    pub yes: bool,
}

/// Arguments of `credentials rotate`.
#[derive(Debug, Args)]
pub struct CredentialRotate {
    /// Which entry; a client pair is tried with a login for `--gstin`.
    #[command(flatten)]
    pub scope: CredentialScopeArguments,
    /// Go on with a new secret that was kept by an earlier try
    #[arg(long, conflicts_with_all = ["forget", "name"])]
    pub resume: bool,
    /// Forget a new secret that was kept by an earlier try; the old one stays in use
    #[arg(long)]
    pub forget: bool,
}

/// Arguments of `credentials addresses`.
#[derive(Debug, Args)]
pub struct CredentialAddresses {
    /// Up to four public IPv4 addresses, which take the place of those known before; none shows them
    pub addresses: Vec<String>,
    /// PAN that holds the client pair
    #[arg(long)]
    pub pan: Option<String>,
    /// A GSTIN of that PAN
    #[arg(long, conflicts_with = "pan")]
    pub gstin: Option<String>,
    /// Account at a provider that holds the client pair
    #[arg(long, conflicts_with_all = ["pan", "gstin"])]
    pub account: Option<String>,
    /// Route whose environment the pair is for
    #[arg(long)]
    pub route: String,
    /// Government system the pair is for, where the provider issues one for each
    #[arg(long, value_enum)]
    pub product: Option<ProductName>,
    /// Forget all of them
    #[arg(long, conflicts_with = "addresses")]
    pub none: bool,
}

/// Arguments of `credentials test`.
#[derive(Debug, Args)]
pub struct CredentialTest {
    /// GSTIN to log in for
    #[arg(long)]
    pub gstin: String,
    /// Route to log in by [default: the first]
    #[arg(long)]
    pub route: Option<String>,
    /// Government system to log in to
    #[arg(long, value_enum, default_value = "e-invoice")]
    pub product: ProductName,
}

/// The two kinds of credentials the portal issues.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[expect(clippy::exhaustive_enums, reason = "the portal issues these two kinds of credentials")]
pub enum CredentialKind {
    /// Client id and secret
    Client,
    /// User name and password
    User,
}

/// The government systems, as written on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[non_exhaustive]
pub enum ProductName {
    /// The e-invoice system
    EInvoice,
    /// The e-way bill system
    EWayBill,
}

/// Arguments of `completions`.
#[derive(Debug, Args)]
pub struct Completions {
    /// Which shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

pub(crate) fn day(text: &str) -> Result<jiff::civil::Date, String> {
    if let Ok(date) = einvoice_core::date::DocumentDate::parse(text) {
        return Ok(date.date());
    }
    text.parse().map_err(|_| "write a day as YYYY-MM-DD or DD/MM/YYYY".to_owned())
}

fn class(text: &str) -> Result<ErrorClass, String> {
    ErrorClass::from_name(text).ok_or_else(|| {
        let known: Vec<&str> = ErrorClass::ALL.iter().map(|class| class.name()).collect();
        format!("classes are {}", known.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_day_is_read_in_both_spellings() {
        assert_eq!(day("2026-11-05"), day("05/11/2026"));
        assert!(day("31/02/2026").is_err());
    }
}
