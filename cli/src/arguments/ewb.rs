//! The command line of e-way bills.

mod movement;

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};
use einvoice_core::date::DocumentDate;
use einvoice_core::ewb::request::Carriage;
use einvoice_core::ewb::{CancelReason, EwbNumber, TransMode, VehicleType};
use einvoice_core::identifier::Gstin;

use super::life::{At, Going};
use super::words;
pub use movement::{
    EwbConsolidate, EwbExtend, EwbMultiVehicle, EwbPartB, EwbTransporter, EwbTripSheet, MultiVehicleAdd,
    MultiVehicleChange, MultiVehicleStart,
};

/// The commands of `ewb`.
#[derive(Debug, Subcommand)]
#[non_exhaustive]
pub enum Ewb {
    /// Make the e-way bill of registered documents, or bills without an IRN from a file
    Generate(EwbGenerate),
    /// Change vehicle or transport document (Part B)
    PartB(EwbPartB),
    /// Give a bill to another transporter
    Transporter(EwbTransporter),
    /// Extend the validity, from eight hours before its end to eight hours after; asked for earlier, it is
    /// planned for that time
    Extend(EwbExtend),
    /// Put several bills on one vehicle (trip sheet)
    Consolidate(EwbConsolidate),
    /// Make a trip sheet anew for another vehicle; the old one becomes invalid
    TripSheet(EwbTripSheet),
    /// Move the goods of one bill by several vehicles
    #[command(subcommand)]
    MultiVehicle(EwbMultiVehicle),
    /// Reject a bill as the other party, within 72 hours
    Reject(EwbReject),
    /// Cancel a bill that we made, within 24 hours
    Cancel(EwbCancel),
    /// Declare a bill closed (on hold since 29 July 2026)
    Close(EwbClose),
    /// List bills: ours from the ledger, or a list of the portal
    List(EwbList),
    /// Show one bill, or with ten digits a trip sheet
    Show(EwbShow),
}

/// As whom, by which way, and whether to ask.
#[derive(Debug, Clone, Default, Args)]
pub struct Acting {
    /// GSTIN that acts [default: the maker of the bill where there is a login, or the only one with a login]
    #[arg(long, value_name = "GSTIN", value_parser = words::gstin)]
    pub gstin: Option<Gstin>,
    /// Route to take [default: the one the bill was made by]
    #[arg(long, value_name = "NAME")]
    pub route: Option<String>,
    /// How to go about it.
    #[command(flatten)]
    pub going: Going,
}

/// Vehicle or transport document.
#[derive(Debug, Clone, Default, Args)]
pub struct CarriageArguments {
    /// road, rail, air or ship [default: road where a vehicle is given]
    #[arg(long, value_parser = words::mode)]
    pub mode: Option<TransMode>,
    /// Vehicle number; blanks and hyphens are left out
    #[arg(long, value_name = "NUMBER", value_parser = words::vehicle)]
    pub vehicle: Option<String>,
    /// regular or over-dimensional [default: regular for a vehicle by road]
    #[arg(long, value_name = "KIND", value_parser = words::vehicle_type)]
    pub vehicle_type: Option<VehicleType>,
    /// Number of the transport document, at most 15 characters; by rail, air and ship
    #[arg(long, value_name = "NUMBER")]
    pub transport_document: Option<String>,
    /// Its date (YYYY-MM-DD or DD/MM/YYYY)
    #[arg(long, value_name = "DATE", value_parser = words::date)]
    pub transport_date: Option<DocumentDate>,
}

impl CarriageArguments {
    /// As a request has it. A vehicle alone goes by road, and by road it is a regular one.
    #[must_use]
    pub fn carriage(&self) -> Carriage {
        let mode = self.mode.or(self.vehicle.as_ref().map(|_| TransMode::Road));
        let is_on_a_road = mode == Some(TransMode::Road) && self.vehicle.is_some();
        Carriage {
            mode,
            vehicle: self.vehicle.clone(),
            vehicle_type: self.vehicle_type.or(is_on_a_road.then_some(VehicleType::Regular)),
            document: self.transport_document.clone(),
            document_date: self.transport_date,
        }
    }
}

/// Where the goods are, or the journey begins.
#[derive(Debug, Clone, Args)]
pub struct FromArguments {
    /// Place, at most 50 characters
    #[arg(long, value_name = "PLACE")]
    pub from_place: String,
    /// Its state, by the GST code
    #[arg(long, value_name = "CODE", value_parser = words::state)]
    pub from_state: u8,
}

/// Arguments of `ewb generate`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("which").args(["keys", "file"]).required(true))]
pub struct EwbGenerate {
    /// Registered documents: keys, numbers or IRNs
    #[arg(value_name = "KEY")]
    pub keys: Vec<String>,
    /// JSON file with bills without an IRN, in the members of the e-way bill system
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["mode", "vehicle", "vehicle_type", "transport_document", "transport_date", "distance",
                              "transporter", "transporter_name"]
    )]
    pub file: Option<PathBuf>,
    /// How the goods travel; left out for Part A alone.
    #[command(flatten)]
    pub carriage: CarriageArguments,
    /// Kilometres, 0 to 4000; 0 has the portal compute them
    #[arg(long, value_name = "KM", default_value_t = 0)]
    pub distance: u16,
    /// GSTIN or TRANSIN of the transporter; needed for Part A alone
    #[arg(long, value_name = "ID", value_parser = words::transporter)]
    pub transporter: Option<String>,
    /// Name of the transporter
    #[arg(long, value_name = "NAME")]
    pub transporter_name: Option<String>,
    /// As whom.
    #[command(flatten)]
    pub acting: Acting,
}

/// Arguments of `ewb reject`.
#[derive(Debug, Args)]
pub struct EwbReject {
    /// Number of the bill
    #[arg(value_parser = words::ewb_number)]
    pub number: EwbNumber,
    /// As whom.
    #[command(flatten)]
    pub acting: Acting,
}

/// Arguments of `ewb cancel`.
#[derive(Debug, Args)]
pub struct EwbCancel {
    /// Number of the bill
    #[arg(value_parser = words::ewb_number)]
    pub number: EwbNumber,
    /// Why: duplicate, data-entry-mistake, order-cancelled or others
    #[arg(long, value_parser = words::reason)]
    pub reason: CancelReason,
    /// Remark, at most 50 characters
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub remark: String,
    /// As whom.
    #[command(flatten)]
    pub acting: Acting,
}

/// Arguments of `ewb close`.
#[derive(Debug, Args)]
pub struct EwbClose {
    /// Number of the bill
    #[arg(value_parser = words::ewb_number)]
    pub number: EwbNumber,
    /// Day of delivery or the day after [default: today in India]
    #[arg(long, value_parser = words::date)]
    pub date: Option<DocumentDate>,
    /// Remark
    #[arg(long, value_name = "TEXT")]
    pub remark: String,
    /// As whom.
    #[command(flatten)]
    pub acting: Acting,
}

/// A list of the e-way bill system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the lists that the e-way bill system has")]
pub enum ListName {
    /// Made by the caller.
    Own,
    /// Given to the caller as transporter.
    ForTransporter,
    /// The same, of one maker.
    ForTransporterOf(Gstin),
    /// The same, of the makers of one state.
    ForTransporterIn(u8),
    /// By the day of assignment, in one state.
    AssignedIn(u8),
    /// That name the caller as the other party.
    OfOtherParty,
    /// The caller's own that others rejected.
    RejectedByOthers,
}

/// Arguments of `ewb list`.
#[derive(Debug, Args)]
pub struct EwbList {
    /// Only bills that can still change
    #[arg(long, conflicts_with = "portal")]
    pub open: bool,
    /// Only bills of this document number
    #[arg(long, value_name = "NUMBER", conflicts_with = "portal")]
    pub document: Option<String>,
    /// Ask the e-way bill system
    #[arg(long, requires = "date")]
    pub portal: bool,
    /// Day of the portal's list (YYYY-MM-DD or DD/MM/YYYY); the present one may be refused
    #[arg(long, requires = "portal", value_parser = words::date)]
    pub date: Option<DocumentDate>,
    /// own, for-transporter, for-transporter-of=GSTIN, for-transporter-in=STATE, assigned-in=STATE,
    /// of-other-party or rejected-by-others
    #[arg(long, requires = "portal", value_parser = words::list, default_value = "own")]
    pub list: ListName,
    /// As whom.
    #[command(flatten)]
    pub at: At,
}

/// Arguments of `ewb show`.
#[derive(Debug, Args)]
pub struct EwbShow {
    /// Number of a bill (12 digits) or of a trip sheet (10 digits)
    pub number: String,
    /// Ask the e-way bill system, and compare with the ledger
    #[arg(long)]
    pub portal: bool,
    /// As whom.
    #[command(flatten)]
    pub at: At,
}
