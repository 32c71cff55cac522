//! What changes how the goods of a bill travel: vehicle, transporter, validity, trip sheets, several vehicles.

use clap::{Args, Subcommand};
use einvoice_core::ewb::{EwbNumber, ExtensionReason, PartBReason, TransMode, TransitType, TripSheetNumber};
use einvoice_core::number::Quantity;

use super::super::words;
use super::{Acting, CarriageArguments, FromArguments};

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
