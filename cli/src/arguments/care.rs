//! The command line of looking after the account and the way to the portal.

use clap::Args;
use einvoice_core::identifier::Gstin;

/// Arguments of `doctor`.
#[derive(Debug, Args)]
#[command(
    after_help = "Each line is one check: ok, warn, fail, or `--` where it was not tried. A failed check says what \
                        to do next and whose move it is, and what depends on it is not tried. A login is only sent \
                        where no session is kept, and within the budget."
)]
pub struct Doctor {
    /// Only checks that need no network: configuration, keys, credentials, ledger, budgets
    #[arg(long)]
    pub offline: bool,
    /// Only this route; may be repeated
    #[arg(long = "route", value_name = "NAME")]
    pub routes: Vec<String>,
    /// Log in for these GSTINs only; may be repeated [default: every API user in the store]
    #[arg(long = "gstin", value_name = "GSTIN", value_parser = super::words::gstin)]
    pub gstins: Vec<Gstin>,
}

/// Arguments of `quota`.
#[derive(Debug, Args)]
#[command(after_help = "Counted are the logins and refusals of every command and process that works with this \
                        configuration. No portal publishes its limits: five logins in 15 minutes is what one GSP \
                        quotes of NIC for e-way bill users, and the figures for refusals are settings of `[quota]`.")]
pub struct Quota {
    /// Only this GSTIN
    #[arg(long, value_name = "GSTIN", value_parser = super::words::gstin)]
    pub gstin: Option<Gstin>,
    /// Only this route
    #[arg(long, value_name = "NAME")]
    pub route: Option<String>,
}
