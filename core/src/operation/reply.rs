//! What a successful call brings back, typed; tolerant readers in the protocol crate fill these in.

use serde::{Deserialize, Serialize};

#[cfg(doc)]
use super::Operation;
use crate::date::{DocumentDate, PortalTime};
use crate::ewb::{EwbNumber, TripSheetNumber};
use crate::identifier::Gstin;
use crate::irn::Irn;
use crate::portal_code::PortalError;

/// What a successful call brought back. A refusal is a
/// [`TransportError::Refused`](crate::transport::TransportError), never a reply.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reply {
    /// The answer to [`Operation::GenerateIrn`], [`Operation::GetIrn`] and
    /// [`Operation::GetIrnByDocument`].
    Registration(Box<Registration>),
    /// The answer to [`Operation::CancelIrn`].
    IrnCancelled(IrnCancelled),
    /// The answer to [`Operation::RejectedIrns`].
    RejectedIrns(Vec<Irn>),
    /// The answer to [`Operation::GstinDetails`], [`Operation::SyncGstin`] and
    /// [`Operation::EwbGstinDetails`].
    Taxpayer(Box<Taxpayer>),
    /// The answer to [`Operation::GenerateEwbByIrn`], [`Operation::GetEwbByIrn`],
    /// [`Operation::GenerateEwb`] and [`Operation::GetEwbByDocument`].
    EwayBill(Box<MadeEwb>),
    /// The answer to [`Operation::GetEwb`].
    EwbDetails(Box<EwbDetails>),
    /// The answer to every other operation that changes a bill.
    EwbChanged(Box<EwbChanged>),
    /// The answer to [`Operation::ListEwbs`]; empty when there are none (418).
    EwbList(Vec<EwbRow>),
    /// The answer to [`Operation::GetTripSheet`]: its members in the system's own form.
    TripSheet(Box<TripSheet>),
    /// The answer to [`Operation::TransporterDetails`].
    Transporter(Box<Transporter>),
    /// The answer to [`Operation::HsnDetails`]: code and description.
    Hsn {
        /// The code.
        code: String,
        /// What it stands for, verbatim.
        description: String,
    },
    /// The answer to [`Operation::EwbErrorList`].
    ErrorList(Vec<PortalError>),
}

impl Reply {
    /// What came back, in words, for an error about a reply of the wrong kind.
    #[must_use]
    pub const fn words(&self) -> &'static str {
        match self {
            Self::Registration(_) => "a registration",
            Self::IrnCancelled(_) => "the cancellation of an IRN",
            Self::RejectedIrns(_) => "a list of rejected IRNs",
            Self::Taxpayer(_) => "a taxpayer",
            Self::EwayBill(_) => "an e-way bill",
            Self::EwbDetails(_) => "the details of an e-way bill",
            Self::EwbChanged(_) => "a change of an e-way bill",
            Self::EwbList(_) => "a list of e-way bills",
            Self::TripSheet(_) => "a trip sheet",
            Self::Transporter(_) => "a transporter",
            Self::Hsn { .. } => "an HSN code",
            Self::ErrorList(_) => "a list of error codes",
        }
    }
}

/// A cancelled registration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IrnCancelled {
    /// The IRN.
    pub irn: Irn,
    /// When it was cancelled (IST); absent where the reply did not say it readably.
    pub cancelled_at: Option<PortalTime>,
}

/// A bill just made, or found for an IRN or a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeEwb {
    /// Its number.
    pub number: EwbNumber,
    /// When it was made (IST).
    pub made_at: Option<PortalTime>,
    /// End of its validity (IST); absent while Part B is missing.
    pub valid_till: Option<PortalTime>,
    /// `ACT` or `CNL`, where the reply says it.
    pub status: Option<String>,
    /// Who made it, where the reply says it.
    pub generated_by: Option<Gstin>,
    /// What the portal said beside it (`alert`, `Remarks`), verbatim.
    pub alert: Option<String>,
    /// Everything else that was said beside the result.
    pub info: Vec<InfoDetail>,
}

impl MadeEwb {
    /// The distance the portal computed (`EWBPPD`, or the text of remarks and alert), in kilometres.
    #[must_use]
    pub fn computed_km(&self) -> Option<u16> {
        let texts = self.info.iter().map(|info| info.description.as_str());
        texts.chain(self.alert.as_deref()).find_map(kilometres)
    }
}

/// The kilometres in a text such as `Pin-Pin calc distance: 2467KM`: the number before the first `KM` that has one,
/// without what stands behind its point.
#[must_use]
pub fn kilometres(text: &str) -> Option<u16> {
    let upper = text.to_ascii_uppercase();
    upper.match_indices("KM").find_map(|(at, _)| {
        let before = upper.get(..at)?.trim_end();
        let digits = before.trim_end_matches(|letter: char| letter.is_ascii_digit() || letter == '.').len();
        let number = before.get(digits..)?.trim_start_matches('.');
        number.split('.').next()?.parse().ok()
    })
}

/// A bill as the e-way bill system holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EwbDetails {
    /// Number.
    pub number: EwbNumber,
    /// When it was made (IST).
    pub made_at: Option<PortalTime>,
    /// End of its validity (IST).
    pub valid_till: Option<PortalTime>,
    /// `ACT`, `CNL`, verbatim.
    pub status: String,
    /// Who made it.
    pub generated_by: Option<Gstin>,
    /// Whether the other party rejected it (`rejectStatus` `Y`).
    pub is_rejected: bool,
    /// How often it was extended.
    pub extended: u32,
    /// Distance in kilometres.
    pub distance_km: Option<u16>,
    /// Transporter.
    pub transporter: Option<String>,
    /// Every Part B it had, newest first.
    pub vehicles: Vec<EwbVehicle>,
    /// The whole reply as JSON, to compare with what was sent.
    pub content: String,
}

/// One entry of `VehiclListDetails`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "an entry is written by naming what it holds")]
pub struct EwbVehicle {
    /// Vehicle number.
    pub vehicle: Option<String>,
    /// Mode of transport, the portal's code.
    pub mode: Option<String>,
    /// Number of the transport document.
    pub document: Option<String>,
    /// Its date.
    #[serde(default)]
    pub document_date: Option<DocumentDate>,
    /// From which place it went.
    pub from_place: Option<String>,
    /// When it was entered (IST).
    pub entered_at: Option<PortalTime>,
    /// Number of the multi-vehicle group; absent for `0`.
    pub group: Option<String>,
    /// Trip sheet; absent for `0`.
    pub trip_sheet: Option<String>,
}

/// What an action on a bill brought: each member only where the action's reply has it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "a reply is written by naming what it holds")]
pub struct EwbChanged {
    /// The bill.
    pub number: Option<EwbNumber>,
    /// When it was done (IST).
    pub at: Option<PortalTime>,
    /// End of the validity after it.
    pub valid_till: Option<PortalTime>,
    /// The transporter it was given to.
    pub transporter: Option<String>,
    /// The group it made or belongs to.
    pub group: Option<String>,
    /// The trip sheet it made.
    pub trip_sheet: Option<TripSheetNumber>,
    /// The bills on that trip sheet, where the reply names them.
    #[serde(default)]
    pub bills: Vec<EwbNumber>,
    /// What the portal said beside it, verbatim.
    pub alert: Option<String>,
}

/// One row of a list of bills.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EwbRow {
    /// Number.
    pub number: EwbNumber,
    /// When it was made (IST).
    pub made_at: Option<PortalTime>,
    /// `ACT`, `CNL`, verbatim.
    pub status: Option<String>,
    /// Who made it.
    pub generated_by: Option<String>,
    /// Number of its document.
    pub doc_no: Option<String>,
    /// Date of its document, verbatim.
    pub doc_date: Option<String>,
    /// Where it goes.
    pub place: Option<String>,
    /// End of the validity (IST).
    pub valid_till: Option<PortalTime>,
    /// Whether the other party rejected it.
    pub is_rejected: bool,
}

/// A consolidated e-way bill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TripSheet {
    /// Its number.
    pub number: TripSheetNumber,
    /// Vehicle.
    pub vehicle: Option<String>,
    /// The bills on it.
    pub bills: Vec<EwbNumber>,
    /// The whole reply as JSON.
    pub content: String,
}

/// A transporter as the e-way bill system knows it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "a reply is written by naming what it holds")]
pub struct Transporter {
    /// GSTIN or TRANSIN.
    pub id: String,
    /// Legal name.
    pub legal_name: Option<String>,
    /// Trade name.
    pub trade_name: Option<String>,
    /// Address, empty parts left out.
    pub address: Vec<String>,
    /// State code.
    pub state_code: Option<String>,
    /// PIN code.
    pub pin: Option<String>,
}

/// A registration as the portal states it; nothing in it is believed before it has been verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    /// Acknowledgement number: 15 digits, kept as text since some providers send text.
    pub ack_no: String,
    /// Acknowledgement time (IST). The outer reply rounds it to the minute, the copy inside the
    /// signed invoice keeps seconds, so the two are never compared for equality.
    pub ack_date: PortalTime,
    /// The IRN the portal assigned.
    pub irn: Irn,
    /// Status word of the portal: `ACT`, or `CNL` once cancelled.
    pub status: RegistrationStatus,
    /// Signed copy of the document, a compact JWT. Absent when the portal no longer hands it out.
    pub signed_invoice: Option<String>,
    /// Signed QR text, a compact JWT: exactly what the printed QR code must hold.
    pub signed_qr: Option<String>,
    /// The e-way bill, when one was made with the IRN.
    pub ewb: Option<EwayBill>,
    /// The portal's remarks, verbatim.
    pub remarks: Option<String>,
    /// Everything the portal said beside the result, known or not, verbatim.
    pub info: Vec<InfoDetail>,
    /// The site that issued it, as far as known: everything later about this IRN goes there. No reply says
    /// it; whoever asked notes whom he asked.
    #[serde(default)]
    pub site: Option<String>,
}

/// Whether a registration stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RegistrationStatus {
    /// `ACT`: it stands.
    Active,
    /// `CNL`: it was cancelled.
    Cancelled,
    /// A word we do not know, verbatim.
    Other(String),
}

/// An e-way bill number and its dates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EwayBill {
    /// Twelve digits, kept as text.
    pub number: String,
    /// When it was made (IST).
    pub date: Option<PortalTime>,
    /// End of its validity (IST); absent while Part B is missing.
    pub valid_till: Option<PortalTime>,
}

/// One entry of `InfoDtls`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InfoDetail {
    /// `InfCd`, verbatim; empty when the portal sent bare text.
    pub code: String,
    /// `Desc` as JSON text, or the bare text, verbatim.
    pub description: String,
    /// The earlier registration named by `DUPIRN` and `DUPIRNGLP`.
    pub duplicate: Option<DuplicateInfo>,
    /// The errors named by `EWBERR`.
    pub errors: Vec<PortalError>,
}

/// The registration that a duplicate refusal points at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DuplicateInfo {
    /// IRN of the earlier registration.
    pub irn: Irn,
    /// Its acknowledgement number.
    pub ack_no: Option<String>,
    /// Its acknowledgement time, where the portal gave one (`-` occurs).
    pub ack_date: Option<PortalTime>,
    /// The other portal that registered it (`RegIrp` of `DUPIRNGLP`).
    pub registered_by: Option<String>,
}

/// A taxpayer's entry in the portal's master.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taxpayer {
    /// The GSTIN.
    pub gstin: String,
    /// Legal name.
    pub legal_name: Option<String>,
    /// Trade name.
    pub trade_name: Option<String>,
    /// Address as the portal's parts, in their order, empty ones left out.
    pub address: Vec<String>,
    /// State code as text.
    pub state_code: Option<String>,
    /// PIN code as text; absent when the portal says 0.
    pub pin: Option<String>,
    /// Taxpayer type: `REG`, `SEZ`, `COM`, `TCS` and others, verbatim.
    pub taxpayer_type: Option<String>,
    /// Status: `ACT`, `CNL`, `INA`, `PRO` and others, verbatim.
    pub status: Option<String>,
    /// Block status: `U` unblocked, `B` blocked, verbatim.
    pub block_status: Option<String>,
    /// Registration date, verbatim (`yyyy-MM-dd`).
    pub registered_on: Option<String>,
    /// De-registration date, verbatim.
    pub deregistered_on: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kilometres_of_a_text_are_the_number_before_km() {
        for (text, expected) in [
            ("Pin-Pin calc distance: 2467KM", Some(2467)),
            ("distance 12 km", Some(12)),
            ("distance: 12.5 KM", Some(12)),
            ("by road no KM 7 to B, 140 km", Some(140)),
            ("no distance", None),
            ("KM", None),
            ("é KM", None),
            ("70000KM", None),
        ] {
            assert_eq!(kilometres(text), expected, "{text}");
        }
    }
}
