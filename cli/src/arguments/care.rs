//! The command line of looking after the account and the way to the portal.

use clap::Args;
use einvoice_core::identifier::Gstin;

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
