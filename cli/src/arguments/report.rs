//! Arguments of `onboard test-report`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use einvoice_core::identifier::Gstin;
use einvoice_core::irn::Irn;
use serde::{Deserialize, Serialize};

/// Arguments of `onboard test-report`.
#[derive(Debug, Args)]
#[command(after_help = "Runs against a sandbox only: a route to production is refused. NIC's sandbox knows its own \
                        test taxpayers alone; name some that it shows after its login with --buyer and --sez-buyer.\n\n\
                        A run that was interrupted goes on where it stopped when the same command is given again. A \
                        case that came out DIFFERENT keeps its outcome until --again names it.")]
pub struct TestReport {
    /// Only cases of this API; may be repeated. Cases that these need are made first
    #[arg(long = "only", value_enum, value_name = "API")]
    pub only: Vec<Api>,
    /// The APIs of the e-way bill system instead of those of the e-invoice system
    #[arg(long, conflicts_with = "only")]
    pub e_way_bill: bool,
    /// List the cases, and send nothing
    #[arg(long)]
    pub list: bool,
    /// Route to the sandbox [default: the first]
    #[arg(long, value_name = "NAME")]
    pub route: Option<String>,
    /// GSTIN whose sandbox account is used [default: the only one there is]
    #[arg(long, value_name = "GSTIN")]
    pub gstin: Option<Gstin>,
    /// A taxpayer that the sandbox knows, to sell to [default: an invented one, for the emulator in this program]
    #[arg(long, value_name = "GSTIN")]
    pub buyer: Option<Gstin>,
    /// A unit or developer of an SEZ that the sandbox knows; without one, cases that need it are left out
    #[arg(long, value_name = "GSTIN")]
    pub sez_buyer: Option<Gstin>,
    /// A taxpayer that the sandbox knows as cancelled or inactive: adds the case of 3029
    #[arg(long, value_name = "GSTIN")]
    pub inactive_buyer: Option<Gstin>,
    /// An IRN of the same account, registered more than three days ago and not cancelled: adds the cases of 2270 and 2283
    #[arg(long, value_name = "IRN")]
    pub old_irn: Option<Irn>,
    /// Calls a minute; 0 waits for nothing [default: 20; for the emulator in this program 0]
    #[arg(long, value_name = "CALLS")]
    pub pace: Option<u32>,
    /// Logins in 15 minutes; 0 waits for nothing [default: 4, as a provider quotes NIC with 5; for the emulator in
    /// this program 0]
    #[arg(long, value_name = "LOGINS")]
    pub login_pace: Option<u32>,
    /// Folder for the report and for what is remembered of it [default: `onboard` beside the configuration]
    #[arg(long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// Begin anew, with new document numbers; what an earlier run left is kept under another name
    #[arg(long)]
    pub restart: bool,
    /// Send once more what came out otherwise, and keep the rest: a case, or `different` for every such case; may be
    /// repeated
    #[arg(long, value_name = "CASE", conflicts_with = "restart")]
    pub again: Vec<String>,
}

/// The APIs that NIC wants tested before production, in the order in which they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Api {
    /// Authentication
    Auth,
    /// Details of a GSTIN
    Gstin,
    /// Details of a GSTIN, fetched anew from the common portal
    SyncGstin,
    /// Generate IRN
    Generate,
    /// Get IRN by IRN
    GetIrn,
    /// Get IRN by document
    GetByDocument,
    /// Generate e-way bill by IRN
    GenerateEwb,
    /// Get e-way bill by IRN
    GetEwb,
    /// Cancel IRN
    Cancel,
    /// Rejected IRNs of a day
    Rejected,
    /// E-way bill system: make a bill
    EwbGenerate,
    /// E-way bill system: change the vehicle of a bill
    EwbPartB,
    /// E-way bill system: read a bill
    EwbRead,
    /// E-way bill system: cancel a bill
    EwbCancel,
}
