//! The command line of what comes after a registration, but for e-way bills.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};
use einvoice_core::date::DocumentDate;
use einvoice_core::ewb::{CancelReason, EwbNumber};
use einvoice_core::identifier::{DocumentNumber, Gstin};
use einvoice_core::irn::Irn;
use einvoice_core::job::JobState;
use einvoice_core::key::DocumentType;
use einvoice_core::state::DocumentState;

use super::words;

/// A condition on documents.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "documents are chosen by these three")]
pub enum Filter {
    /// In this state.
    State(DocumentState),
    /// Of this source.
    Source(String),
    /// Whose key, label or IRN holds this text.
    Text(String),
}

/// Arguments of `cancel`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("which").args(["keys", "file", "query"]).required(true))]
pub struct Cancel {
    /// Document keys (GSTIN/2026-27/INV/NUMBER), numbers or IRNs
    #[arg(value_name = "KEY")]
    pub keys: Vec<String>,
    /// CSV file with the columns key, reason and remark; --reason and --remark stand for empty cells
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// All documents with source=NAME, text=PART or state=STATE; several, separated by commas, hold together
    #[arg(long, value_name = "FILTER", value_delimiter = ',', value_parser = words::filter)]
    pub query: Vec<Filter>,
    /// Why: duplicate, data-entry-mistake, order-cancelled or others
    #[arg(long, value_parser = words::reason, required_unless_present = "file")]
    pub reason: Option<CancelReason>,
    /// Remark, 1 to 100 characters; the first 50 go with the e-way bill
    #[arg(long, value_name = "TEXT", required_unless_present = "file")]
    pub remark: Option<String>,
    /// Cancel the e-way bill only; the registration stands
    #[arg(long)]
    pub ewb: bool,
    /// How to go about it.
    #[command(flatten)]
    pub going: Going,
}

/// Whether to ask, and whether to do anything.
#[derive(Debug, Clone, Copy, Default, Args)]
#[expect(clippy::exhaustive_structs, reason = "the two switches of every command that changes something")]
pub struct Going {
    /// Do it without asking
    #[arg(long)]
    pub yes: bool,
    /// Show what would be done, and do nothing
    #[arg(long, conflicts_with = "yes")]
    pub plan_only: bool,
}

/// Arguments of `lookup`.
#[derive(Debug, Args)]
#[command(
    after_help = "What is read of a registration or e-way bill of ours, and was not known, the ledger learns: a \
                        cancellation, a rejection, where a bill stands. The command says so, and ends with 1 where the \
                        portal's word differs from what was known."
)]
pub struct Lookup {
    /// What to look up.
    #[command(subcommand)]
    pub what: LookupWhat,
    /// Whom to ask, and as whom.
    #[command(flatten)]
    pub at: At,
}

/// As whom a portal is asked, and by which way.
#[derive(Debug, Clone, Default, Args)]
pub struct At {
    /// GSTIN whose login is used [default: that of the ledger's document, or the only one with a login]
    #[arg(long = "gstin", id = "login", global = true, value_name = "GSTIN", value_parser = words::gstin)]
    pub login: Option<Gstin>,
    /// Route to ask by [default: the one the document went by, or the first that can]
    #[arg(long, global = true, value_name = "NAME")]
    pub route: Option<String>,
}

/// What can be looked up.
#[derive(Debug, Subcommand)]
#[non_exhaustive]
pub enum LookupWhat {
    /// A registration, by its IRN
    Irn {
        /// The IRN, 64 hexadecimal digits
        #[arg(value_parser = words::irn)]
        irn: Irn,
    },
    /// A registration, by the document
    Document {
        /// INV, CRN or DBN
        #[arg(value_name = "TYPE", value_parser = words::document_type)]
        doc_type: DocumentType,
        /// Its number
        #[arg(value_parser = words::document_number)]
        number: DocumentNumber,
        /// Its date (YYYY-MM-DD or DD/MM/YYYY)
        #[arg(value_parser = words::date)]
        date: DocumentDate,
    },
    /// A taxpayer, in the e-invoice portal's copy of the master or in that of the e-way bill system
    Gstin {
        /// The taxpayer
        #[arg(value_name = "GSTIN", value_parser = words::gstin)]
        taxpayer: Gstin,
        /// Have the e-invoice portal fetch the details anew from the GST common portal
        #[arg(long)]
        sync: bool,
        /// Ask the e-way bill system, which keeps a copy of its own
        #[arg(long, conflicts_with = "sync")]
        from_ewb: bool,
    },
    /// An e-way bill, by its number
    Ewb {
        /// Its number, 12 digits
        #[arg(value_parser = words::ewb_number)]
        number: EwbNumber,
    },
    /// The IRNs of a day that the GST system rejected because another portal had registered the document before
    Rejected {
        /// The day (YYYY-MM-DD or DD/MM/YYYY)
        #[arg(value_parser = words::date)]
        date: DocumentDate,
    },
    /// A transporter, by GSTIN or TRANSIN, at the e-way bill system
    Transporter {
        /// GSTIN or TRANSIN
        #[arg(value_parser = words::transporter)]
        id: String,
    },
    /// What an HSN code stands for at the e-way bill system
    Hsn {
        /// The code
        code: String,
    },
    /// The e-way bill system's own list of error codes, beside what `einvoice explain` knows of each
    EwbErrors {
        /// Only these codes
        #[arg(value_name = "CODE", value_delimiter = ',')]
        codes: Vec<String>,
        /// Only codes that `einvoice explain` does not know
        #[arg(long)]
        unknown: bool,
    },
}

/// Arguments of `retry`.
#[derive(Debug, Args)]
pub struct Retry {
    /// Document keys, numbers or IRNs [default: every failed e-way bill, and all jobs that are due]
    #[arg(value_name = "KEY")]
    pub keys: Vec<String>,
    /// How to go about it.
    #[command(flatten)]
    pub going: Going,
}

/// Arguments of `jobs`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Jobs {
    /// Only this one, with everything that happened to it
    #[arg(value_name = "ID")]
    pub id: Option<i64>,
    /// Only jobs in this state; may be repeated
    #[arg(long = "state", value_name = "STATE", value_parser = words::job_state)]
    pub states: Vec<JobState>,
    /// What to do with one.
    #[command(subcommand)]
    pub command: Option<JobsCommand>,
}

/// What can be done with a job.
#[derive(Debug, Subcommand)]
#[non_exhaustive]
pub enum JobsCommand {
    /// Take a planned job back; steps that were done stand
    Withdraw {
        /// Its number
        #[arg(value_name = "ID")]
        id: i64,
        /// Why, for the audit trail
        #[arg(long, value_name = "TEXT", default_value = "withdrawn on the command line")]
        reason: String,
        /// Do it without asking
        #[arg(long)]
        yes: bool,
    },
}
