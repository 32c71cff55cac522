//! The command line of e-way bills.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};
use einvoice_core::date::DocumentDate;
use einvoice_core::ewb::request::Carriage;
use einvoice_core::ewb::{
    CancelReason, EwbNumber, ExtensionReason, PartBReason, TransMode, TransitType, TripSheetNumber, VehicleType,
};
use einvoice_core::identifier::Gstin;
use einvoice_core::number::Quantity;

use super::life::{At, Going};
use super::words;

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

/// Arguments of `ewb part-b`.
#[derive(Debug, Args)]
pub struct EwbPartB {
    /// Number of the bill
    #[arg(value_parser = words::ewb_number)]
    pub number: EwbNumber,
    /// The new vehicle or transport document.
    #[command(flatten)]
    pub carriage: CarriageArguments,
    /// Where the goods are.
    #[command(flatten)]
    pub from: FromArguments,
    /// breakdown, transshipment, others or first-time
    #[arg(long, value_parser = words::part_b_reason)]
    pub reason: PartBReason,
    /// Remark, at most 50 characters; without one the reason stands there
    #[arg(long, value_name = "TEXT")]
    pub remark: Option<String>,
    /// As whom.
    #[command(flatten)]
    pub acting: Acting,
}

/// Arguments of `ewb transporter`.
#[derive(Debug, Args)]
pub struct EwbTransporter {
    /// Number of the bill
    #[arg(value_parser = words::ewb_number)]
    pub number: EwbNumber,
    /// GSTIN or TRANSIN of the new transporter
    #[arg(long, value_name = "ID", value_parser = words::transporter)]
    pub transporter: String,
    /// As whom.
    #[command(flatten)]
    pub acting: Acting,
}

/// Arguments of `ewb extend`.
#[derive(Debug, Args)]
pub struct EwbExtend {
    /// Number of the bill
    #[arg(value_parser = words::ewb_number)]
    pub number: EwbNumber,
    /// How the goods travel on.
    #[command(flatten)]
    pub carriage: CarriageArguments,
    /// Where the goods are.
    #[command(flatten)]
    pub from: FromArguments,
    /// PIN code of where the goods are
    #[arg(long, value_name = "PIN", value_parser = words::pin)]
    pub from_pin: u32,
    /// Kilometres that remain
    #[arg(long, value_name = "KM")]
    pub distance: u16,
    /// natural-calamity, law-and-order, transshipment, accident or others
    #[arg(long, value_parser = words::extension_reason)]
    pub reason: ExtensionReason,
    /// Remark, at most 50 characters; without one the reason stands there
    #[arg(long, value_name = "TEXT")]
    pub remark: Option<String>,
    /// The goods lie in transit: road, warehouse or others; --address says where
    #[arg(long, value_name = "WHERE", value_parser = words::transit, requires = "address")]
    pub transit: Option<TransitType>,
    /// A line of the address where they lie in transit, given three times: the portal wants all three lines
    #[arg(long, value_name = "LINE", requires = "transit", value_parser = words::address_line)]
    pub address: Vec<String>,
    /// As whom.
    #[command(flatten)]
    pub acting: Acting,
}

/// Lines that the portal wants of the address where goods lie in transit (706 to 708).
const ADDRESS_LINES: usize = 3;

impl EwbExtend {
    /// What is wrong with the address where the goods lie in transit, as the e-way bill system would say (706 to 708).
    pub(crate) fn wrong_address(&self) -> Option<String> {
        let (given, missing) = match self.address.len() {
            0 if self.transit.is_none() => return None,
            ADDRESS_LINES => return None,
            given if given > ADDRESS_LINES => (given, None),
            0 => (0, Some("706")),
            1 => (1, Some("707")),
            given => (given, Some("708")),
        };
        let code = missing.map(|code| format!(" (code {code})")).unwrap_or_default();
        Some(format!(
            "the address where the goods lie in transit has three lines, and --address is given {given} times{code}; \
             write one --address for each line, as in --address \"Godown 7\" --address \"Hosur Road\" --address Hosur"
        ))
    }
}

/// Arguments of `ewb consolidate`.
#[derive(Debug, Args)]
pub struct EwbConsolidate {
    /// Numbers of the bills
    #[arg(value_name = "NUMBER", required = true, value_parser = words::ewb_number)]
    pub numbers: Vec<EwbNumber>,
    /// The vehicle or transport document.
    #[command(flatten)]
    pub carriage: CarriageArguments,
    /// Where the journey begins.
    #[command(flatten)]
    pub from: FromArguments,
    /// As whom.
    #[command(flatten)]
    pub acting: Acting,
}

/// Arguments of `ewb trip-sheet`.
#[derive(Debug, Args)]
pub struct EwbTripSheet {
    /// Number of the trip sheet, 10 digits
    #[arg(value_parser = words::trip_sheet)]
    pub number: TripSheetNumber,
    /// The new vehicle or transport document.
    #[command(flatten)]
    pub carriage: CarriageArguments,
    /// Where the goods are.
    #[command(flatten)]
    pub from: FromArguments,
    /// breakdown, transshipment, others or first-time
    #[arg(long, value_parser = words::part_b_reason)]
    pub reason: PartBReason,
    /// Remark, at most 50 characters; without one the reason stands there
    #[arg(long, value_name = "TEXT")]
    pub remark: Option<String>,
    /// As whom.
    #[command(flatten)]
    pub acting: Acting,
}

/// The commands of `ewb multi-vehicle`.
#[derive(Debug, Subcommand)]
#[non_exhaustive]
pub enum EwbMultiVehicle {
    /// Begin: the whole quantity, from where to where
    Start(MultiVehicleStart),
    /// Add a vehicle to the group
    Add(MultiVehicleAdd),
    /// Change a vehicle of the group
    Change(MultiVehicleChange),
}

/// Arguments of `ewb multi-vehicle start`.
#[derive(Debug, Args)]
pub struct MultiVehicleStart {
    /// Number of the bill
    #[arg(value_parser = words::ewb_number)]
    pub number: EwbNumber,
    /// Where the movement begins.
    #[command(flatten)]
    pub from: FromArguments,
    /// Place where it ends
    #[arg(long, value_name = "PLACE")]
    pub to_place: String,
    /// Its state, by the GST code
    #[arg(long, value_name = "CODE", value_parser = words::state)]
    pub to_state: u8,
    /// road, rail, air or ship
    #[arg(long, value_parser = words::mode, default_value = "road")]
    pub mode: TransMode,
    /// All of the quantity that is moved
    #[arg(long, value_parser = words::quantity)]
    pub quantity: Quantity,
    /// Its unit (`einvoice masters search` finds it)
    #[arg(long)]
    pub unit: String,
    /// breakdown, transshipment, others or first-time
    #[arg(long, value_parser = words::part_b_reason)]
    pub reason: PartBReason,
    /// Remark, at most 50 characters; without one the reason stands there
    #[arg(long, value_name = "TEXT")]
    pub remark: Option<String>,
    /// As whom.
    #[command(flatten)]
    pub acting: Acting,
}

/// Arguments of `ewb multi-vehicle add`.
#[derive(Debug, Args)]
pub struct MultiVehicleAdd {
    /// Number of the bill
    #[arg(value_parser = words::ewb_number)]
    pub number: EwbNumber,
    /// Number of the group [default: the one the ledger has]
    #[arg(long)]
    pub group: Option<String>,
    /// The vehicle.
    #[command(flatten)]
    pub carriage: CarriageArguments,
    /// What this vehicle carries
    #[arg(long, value_parser = words::quantity)]
    pub quantity: Quantity,
    /// As whom.
    #[command(flatten)]
    pub acting: Acting,
}

/// Arguments of `ewb multi-vehicle change`.
#[derive(Debug, Args)]
pub struct MultiVehicleChange {
    /// Number of the bill
    #[arg(value_parser = words::ewb_number)]
    pub number: EwbNumber,
    /// Number of the group [default: the one the ledger has]
    #[arg(long)]
    pub group: Option<String>,
    /// Vehicle until then
    #[arg(long, value_name = "NUMBER", value_parser = words::vehicle)]
    pub old_vehicle: Option<String>,
    /// Transport document until then
    #[arg(long, value_name = "NUMBER")]
    pub old_transport_document: Option<String>,
    /// The vehicle from then on.
    #[command(flatten)]
    pub carriage: CarriageArguments,
    /// Where the goods are.
    #[command(flatten)]
    pub from: FromArguments,
    /// breakdown, transshipment, others or first-time
    #[arg(long, value_parser = words::part_b_reason)]
    pub reason: PartBReason,
    /// Remark, at most 50 characters; without one the reason stands there
    #[arg(long, value_name = "TEXT")]
    pub remark: Option<String>,
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
