//! What can be asked about a bill: one struct for each action, with the field's words.
//!
//! These are wishes, not wire forms: the protocol crate writes them as each system spells them (the IRP's
//! `TransDocNo` is the e-way bill system's `transDocNo`). Source of each field: NIC, e-way bill API 1.03, and
//! "Generate e-way bill by IRN" 1.03.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    ConsignmentStatus, EwbNumber, ExtensionReason, PartBReason, TransMode, TransitType, TripSheetNumber, VehicleType,
};
use crate::date::DocumentDate;
use crate::identifier::Gstin;
use crate::irn::Irn;
use crate::number::Quantity;

/// Vehicle or transport document: the part of a request that makes Part B.
///
/// By road a vehicle number is needed; by rail and air number and date of the transport document; by ship
/// the vehicle number or the document.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "a request is written by naming what it holds")]
pub struct Carriage {
    /// Mode of transport; absent for Part A alone.
    pub mode: Option<TransMode>,
    /// Vehicle number, 7 to 15 characters without blanks and hyphens.
    pub vehicle: Option<String>,
    /// Kind of vehicle; over-dimensional only by road or ship.
    pub vehicle_type: Option<VehicleType>,
    /// Number of the transport document, at most 15 characters.
    pub document: Option<String>,
    /// Its date; not before the document's own.
    pub document_date: Option<DocumentDate>,
}

/// E-way bill for a registered document (IRP, `POST /eiewb/v1.03/ewaybill`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "a request is written by naming what it holds")]
pub struct EwbByIrn {
    /// The registration.
    pub irn: Irn,
    /// Kilometres, 0 to 4,000; 0 lets the portal compute them, not for two equal PINs.
    pub distance_km: u16,
    /// Transporter (GSTIN or TRANSIN); needed for Part A alone.
    pub transporter: Option<String>,
    /// Transporter's name, 3 to 100 characters.
    pub transporter_name: Option<String>,
    /// Part B, as far as known.
    pub carriage: Carriage,
    /// Ship-to address; for exports it replaces that of the document.
    pub ship_to: Option<Place>,
    /// Dispatch address.
    pub dispatch_from: Option<Place>,
}

/// An address inside [`EwbByIrn`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "a request is written by naming what it holds")]
pub struct Place {
    /// Name of the place of dispatch.
    #[serde(default)]
    pub name: Option<String>,
    /// GSTIN, or `URP`, of a ship-to party: only while the ship-to rule is in force.
    #[serde(default)]
    pub gstin: Option<String>,
    /// First line, 1 to 100 characters.
    pub address1: String,
    /// Second line.
    #[serde(default)]
    pub address2: Option<String>,
    /// Town, 3 to 100 characters.
    pub location: String,
    /// PIN code.
    pub pin: u32,
    /// Two digits of the state code.
    pub state: String,
}

/// Change Part B (`VEHEWB`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "a request is written by naming what it holds")]
pub struct PartB {
    /// The bill.
    pub number: EwbNumber,
    /// The new vehicle or transport document.
    pub carriage: Carriage,
    /// Where the goods are, at most 50 characters.
    pub from_place: String,
    /// State they are in, by its code.
    pub from_state: u8,
    /// Why it changes.
    pub reason: PartBReason,
    /// Remark, at most 50 characters.
    pub remark: String,
}

/// Extend the validity (`EXTENDVALIDITY`): from eight hours before the end to eight hours after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "a request is written by naming what it holds")]
pub struct Extension {
    /// The bill.
    pub number: EwbNumber,
    /// How the goods travel on.
    pub carriage: Carriage,
    /// Where the goods are, at most 50 characters.
    pub from_place: String,
    /// State they are in, by its code.
    pub from_state: u8,
    /// PIN code of where they are.
    pub from_pin: u32,
    /// Kilometres that remain.
    pub remaining_km: u16,
    /// Why.
    pub reason: ExtensionReason,
    /// Remark.
    pub remark: String,
    /// On the way or lying in transit.
    pub status: ConsignmentStatus,
    /// Where they lie in transit.
    pub transit: Option<TransitType>,
    /// Address where they lie in transit, up to three lines.
    pub address: Vec<String>,
}

/// Put several bills on one vehicle (`GENCEWB`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "a request is written by naming what it holds")]
pub struct Consolidation {
    /// The bills.
    pub bills: Vec<EwbNumber>,
    /// The vehicle or transport document.
    pub carriage: Carriage,
    /// Where the journey begins.
    pub from_place: String,
    /// State it begins in, by its code.
    pub from_state: u8,
}

/// Make a trip sheet anew for another vehicle (`REGENTRIPSHEET`); the old one becomes invalid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "a request is written by naming what it holds")]
pub struct Regeneration {
    /// The trip sheet.
    pub trip_sheet: TripSheetNumber,
    /// The new vehicle or transport document.
    pub carriage: Carriage,
    /// Where the goods are.
    pub from_place: String,
    /// State they are in, by its code.
    pub from_state: u8,
    /// Why.
    pub reason: PartBReason,
    /// Remark.
    pub remark: String,
}

/// Start moving one bill's goods by several vehicles (`MULTIVEHMOVINT`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "a request is written by naming what it holds")]
pub struct MultiVehicle {
    /// The bill.
    pub number: EwbNumber,
    /// Why.
    pub reason: PartBReason,
    /// Remark.
    pub remark: String,
    /// Where the movement begins.
    pub from_place: String,
    /// State it begins in, by its code.
    pub from_state: u8,
    /// Where it ends.
    pub to_place: String,
    /// State it ends in, by its code.
    pub to_state: u8,
    /// Mode of transport.
    pub mode: TransMode,
    /// All of the quantity that is moved.
    #[serde(with = "quantity")]
    pub quantity: Quantity,
    /// Its unit (UQC).
    pub unit: String,
}

/// Add a vehicle to a multi-vehicle group (`MULTIVEHADD`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "a request is written by naming what it holds")]
pub struct AddVehicle {
    /// The bill.
    pub number: EwbNumber,
    /// Number of the group.
    pub group: String,
    /// The vehicle or transport document.
    pub carriage: Carriage,
    /// What this vehicle carries.
    #[serde(with = "quantity")]
    pub quantity: Quantity,
}

/// Change a vehicle of a multi-vehicle group (`MULTIVEHUPD`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "a request is written by naming what it holds")]
pub struct ChangeVehicle {
    /// The bill.
    pub number: EwbNumber,
    /// Number of the group.
    pub group: String,
    /// Vehicle or transport document until then.
    pub old: Carriage,
    /// Vehicle or transport document from then on.
    pub new: Carriage,
    /// Where the goods are.
    pub from_place: String,
    /// State they are in, by its code.
    pub from_state: u8,
    /// Why.
    pub reason: PartBReason,
    /// Remark.
    pub remark: String,
}

/// Declare a bill closed (`CLSEWB`). **On hold since 29 July 2026** together with the ship-to rule; refused before
/// sending until `rules.ship_to_gstin` names a day. The names of its members were not found in any public source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "a request is written by naming what it holds")]
pub struct Closure {
    /// The bill.
    pub number: EwbNumber,
    /// Day of delivery or the day after.
    pub date: DocumentDate,
    /// Remark; needed.
    pub remark: String,
}

/// Which list of bills to read (GET, NIC e-way bill API 1.03). Lists hold active bills only, and the present
/// day may be refused (366).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EwbList {
    /// `GetEwayBillsByDate`: made by the caller.
    Own,
    /// `GetEwayBillsForTransporter`: given to the caller as transporter.
    ForTransporter,
    /// `GetEwayBillsForTransporterByGstin`: the same, of one maker.
    ForTransporterOf {
        /// The maker.
        #[schemars(with = "String")]
        generator: Gstin,
    },
    /// `GetEwayBillsForTransporterByState`: the same, of the makers of one state. Limited in rate.
    ForTransporterInState {
        /// State code.
        state: u8,
    },
    /// `GetEwayBillReportByTransporterassignedDate`: by the day of assignment. Limited in rate.
    AssignedInState {
        /// State code.
        state: u8,
    },
    /// `GetEwayBillsofOtherParty`: that name the caller as the other party.
    OfOtherParty,
    /// `GetEwayBillsRejectedByOthers`: the caller's own that others rejected.
    RejectedByOthers,
}

/// Quantities as exact text in stored requests.
mod quantity {
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::number::Quantity;

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature serde asks for")]
    pub(super) fn serialize<S: Serializer>(quantity: &Quantity, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(quantity)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Quantity, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
