//! What is known of one e-way bill.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::window::Window;
use super::{EwbNumber, TransMode, VehicleType};
use crate::date::{DocumentDate, PortalTime};
use crate::identifier::Gstin;
use crate::operation::{EwbDetails, EwbVehicle};
use crate::state::EwbState;

/// How a bill came into the world, which decides where it is cancelled and read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "with an IRN or without one")]
pub enum Birth {
    /// With an IRN, or from one, through the IRP.
    Irn,
    /// In the e-way bill system itself.
    Direct,
}

/// What is known of one e-way bill, as the ledger keeps it and write-back gets it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Its number.
    pub number: EwbNumber,
    /// Where it stands.
    pub state: EwbState,
    /// How it came into the world.
    pub birth: Birth,
    /// Who made it: only this GSTIN may cancel it.
    pub generated_by: Gstin,
    /// Type, number and date of the document it was made for, as far as known.
    pub document: Option<EwbDocument>,
    /// When it was made (IST).
    pub made_at: Option<PortalTime>,
    /// End of its validity (IST); absent while Part B is missing.
    pub valid_till: Option<PortalTime>,
    /// Distance in kilometres, as given or as the portal computed it.
    pub distance_km: Option<u16>,
    /// GSTIN or TRANSIN of the transporter.
    pub transporter: Option<String>,
    /// The latest Part B.
    pub movement: Option<Movement>,
    /// Multi-vehicle group under way: Part B can then no longer be changed, nor the bill consolidated.
    pub group: Option<String>,
    /// The trip sheet it is on, if any.
    pub trip_sheet: Option<String>,
    /// How often its validity was extended.
    pub extended: u32,
    /// When it was cancelled (IST).
    pub cancelled_at: Option<PortalTime>,
    /// On which day its closure was declared.
    pub closed_on: Option<DocumentDate>,
    /// What the portal said beside it: computed distance, differences to its own tables.
    pub alert: Option<String>,
}

/// The document a bill was made for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EwbDocument {
    /// `INV`, `BIL`, `BOE`, `CHL` or `OTH`.
    pub doc_type: String,
    /// Its number as written.
    pub number: String,
    /// Its date.
    pub date: Option<DocumentDate>,
}

/// One Part B: how the goods travel.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Movement {
    /// Mode of transport.
    pub mode: Option<TransMode>,
    /// Vehicle number, capitals without blanks.
    pub vehicle: Option<String>,
    /// Kind of vehicle.
    pub vehicle_type: Option<VehicleType>,
    /// Number of the transport document.
    pub document: Option<String>,
    /// Its date, without which an extension by rail, air or ship is refused (385, 729).
    #[serde(default)]
    pub document_date: Option<DocumentDate>,
    /// When it was entered (IST).
    pub entered_at: Option<PortalTime>,
}

impl Standing {
    /// A bill of which only number and maker are known.
    #[must_use]
    pub const fn new(number: EwbNumber, birth: Birth, generated_by: Gstin, state: EwbState) -> Self {
        Self {
            number,
            state,
            birth,
            generated_by,
            document: None,
            made_at: None,
            valid_till: None,
            distance_km: None,
            transporter: None,
            movement: None,
            group: None,
            trip_sheet: None,
            extended: 0,
            cancelled_at: None,
            closed_on: None,
            alert: None,
        }
    }
    /// A bill as the e-way bill system shows it, with what only we know of it kept. `maker` stands in where neither
    /// names who made it. Whether it has expired by now is told by [`Standing::at`].
    #[must_use]
    pub fn of_details(details: &EwbDetails, known: Option<&Self>, maker: Gstin) -> Self {
        let generated_by = details.generated_by.or(known.map(|known| known.generated_by)).unwrap_or(maker);
        let state = match known.map(|known| known.state) {
            // No read shows a closure.
            Some(EwbState::Closed) => EwbState::Closed,
            _ => Self::state_of(details),
        };
        let new = || Self::new(details.number, Birth::Direct, generated_by, state);
        let mut standing = known.cloned().unwrap_or_else(new);
        standing.state = state;
        standing.generated_by = generated_by;
        standing.document = standing.document.or_else(|| EwbDocument::of_details(details));
        standing.made_at = details.made_at.or(standing.made_at);
        standing.valid_till = details.valid_till.or(standing.valid_till);
        if standing.state == EwbState::PartA && standing.valid_till.is_some() {
            // What has an end of its validity has its Part B, whatever this answer leaves out.
            standing.state = EwbState::Active;
        }
        standing.extended = details.extended.max(standing.extended);
        standing.distance_km = details.distance_km.filter(|km| *km > 0).or(standing.distance_km);
        standing.transporter = filled(details.transporter.as_deref()).or(standing.transporter);
        if let Some(newest) = details.vehicles.first() {
            let vehicle = filled(newest.vehicle.as_deref());
            let document = filled(newest.document.as_deref());
            // The system does not tell the kind of vehicle: it is known as long as the vehicle is the same.
            let before = standing.movement.filter(|before| before.vehicle == vehicle);
            let same_document = before.as_ref().filter(|before| before.document == document);
            standing.movement = Some(Movement {
                mode: newest.mode.as_deref().and_then(TransMode::parse),
                vehicle,
                document_date: newest.document_date.or_else(|| same_document?.document_date),
                vehicle_type: before.and_then(|before| before.vehicle_type),
                document,
                entered_at: newest.entered_at,
            });
            standing.group = newest.group.clone().or(standing.group);
            standing.trip_sheet = newest.trip_sheet.clone().or(standing.trip_sheet);
        }
        standing
    }

    /// The same at a moment: an active bill whose validity is over has expired.
    #[must_use]
    pub fn at(mut self, now: Timestamp) -> Self {
        if self.state == EwbState::Active && !Window::ewb_valid(self.valid_till).is_open(now) {
            self.state = EwbState::Expired;
        }
        self
    }

    fn state_of(details: &EwbDetails) -> EwbState {
        match details.status.trim().to_ascii_uppercase().as_str() {
            "CNL" => EwbState::Cancelled,
            _ if details.is_rejected => EwbState::RejectedByParty,
            // An end that cannot be read is no missing Part B.
            _ if details.valid_till.is_none() && !details.vehicles.iter().any(has_part_b) => EwbState::PartA,
            _ => EwbState::Active,
        }
    }
}

impl EwbDocument {
    /// The document that a bill names, in the system's own members.
    #[must_use]
    pub fn of_details(details: &EwbDetails) -> Option<Self> {
        let content: serde_json::Value = serde_json::from_str(&details.content).ok()?;
        let text = |name: &str| filled(content.get(name)?.as_str());
        let date = text("docDate").and_then(|date| DocumentDate::parse(&date).ok());
        Some(Self { doc_type: text("docType")?, number: text("docNo")?, date })
    }
}

/// Whether an entry of the list of vehicles names a vehicle or a transport document.
fn has_part_b(entry: &EwbVehicle) -> bool {
    filled(entry.vehicle.as_deref()).or_else(|| filled(entry.document.as_deref())).is_some()
}

/// A text that says something.
fn filled(text: Option<&str>) -> Option<String> {
    text.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAKER: &str = "29AAACI1234E1Z2";
    const OTHER: &str = "27AAPFU0939F1ZV";

    fn gstin(text: &str) -> Gstin {
        Gstin::parse(text).unwrap()
    }

    fn time(text: &str) -> PortalTime {
        PortalTime::parse(text).unwrap()
    }

    fn details(status: &str, valid_till: Option<&str>) -> EwbDetails {
        EwbDetails {
            number: EwbNumber::parse("391009149369").unwrap(),
            made_at: None,
            valid_till: valid_till.map(time),
            status: status.into(),
            generated_by: None,
            is_rejected: false,
            extended: 1,
            distance_km: Some(120),
            transporter: Some(" ".into()),
            vehicles: Vec::new(),
            content: r#"{"docType":"INV","docNo":"A/1","docDate":"05/11/2026"}"#.into(),
        }
    }

    fn read(details: &EwbDetails) -> Standing {
        Standing::of_details(details, None, gstin(MAKER))
    }

    #[test]
    fn where_a_bill_stands_is_told_by_status_end_and_rejection() {
        let now = time("2026-11-05 14:00:00").to_timestamp().unwrap();
        let state = |status, till| read(&details(status, till)).at(now).state;
        assert_eq!(state("ACT", Some("2026-11-06 23:59:00")), EwbState::Active);
        assert_eq!(state("ACT", None), EwbState::PartA);
        assert_eq!(state("ACT", Some("2026-11-04 23:59:00")), EwbState::Expired);
        assert_eq!(state(" cnl", None), EwbState::Cancelled);
        let rejected = EwbDetails { is_rejected: true, ..details("ACT", Some("2026-11-06 23:59:00")) };
        assert_eq!(read(&rejected).state, EwbState::RejectedByParty);
        let closed = Standing { state: EwbState::Closed, ..read(&rejected) };
        assert_eq!(Standing::of_details(&rejected, Some(&closed), gstin(MAKER)).state, EwbState::Closed);
    }

    #[test]
    fn a_bill_with_a_vehicle_is_active_though_its_end_cannot_be_read() {
        let entry = |vehicle: &str| EwbVehicle { vehicle: Some(vehicle.into()), ..EwbVehicle::default() };
        let with = |vehicle| read(&EwbDetails { vehicles: vec![entry(vehicle)], ..details("ACT", None) }).state;
        assert_eq!((with("KA01AB1234"), with(" ")), (EwbState::Active, EwbState::PartA));
    }

    #[test]
    fn the_date_of_the_transport_document_is_kept_with_its_number() {
        let date = DocumentDate::from_ymd(2026, 11, 5);
        let entry = |number: &str, document_date| EwbVehicle {
            document: Some(number.into()),
            document_date,
            mode: Some("2".into()),
            ..EwbVehicle::default()
        };
        let by = |entry| EwbDetails { vehicles: vec![entry], ..details("ACT", Some("2026-11-06 23:59:00")) };
        let known = read(&by(entry("123456789", date)));
        let again =
            |entry| Standing::of_details(&by(entry), Some(&known), gstin(MAKER)).movement.unwrap().document_date;
        assert_eq!(known.movement.as_ref().unwrap().document_date, date);
        assert_eq!(again(entry("123456789", None)), date, "a reply without it");
        assert_eq!(again(entry("987654321", None)), None, "another document");
    }

    #[test]
    fn a_bill_counts_as_valid_through_the_last_minute_of_its_day() {
        let till = read(&details("ACT", Some("2026-11-06 23:59:00")));
        let at = |text| till.clone().at(time(text).to_timestamp().unwrap()).state;
        assert_eq!(at("2026-11-06 23:59:59"), EwbState::Active);
        assert_eq!(at("2026-11-07 00:00:00"), EwbState::Expired);
    }

    #[test]
    fn a_bill_that_nobody_knew_has_maker_and_document_from_the_system() {
        let named = EwbDetails { generated_by: Some(gstin(OTHER)), ..details("ACT", None) };
        let found = read(&named);
        assert_eq!((found.generated_by.as_str(), found.birth, found.transporter), (OTHER, Birth::Direct, None));
        assert_eq!(found.document.unwrap().number, "A/1");
        assert_eq!(read(&details("ACT", None)).generated_by.as_str(), MAKER);
    }

    #[test]
    fn what_a_read_leaves_out_stays_and_another_vehicle_has_another_kind() {
        let mut known = Standing::new(details("ACT", None).number, Birth::Irn, gstin(MAKER), EwbState::Active);
        known.transporter = Some(OTHER.into());
        let vehicle_type = Some(VehicleType::OverDimensional);
        known.movement = Some(Movement {
            mode: Some(TransMode::Road),
            vehicle: Some("KA01AB1234".into()),
            vehicle_type,
            ..Movement::default()
        });
        let by = |vehicle: &str| {
            let entry = EwbVehicle { vehicle: Some(vehicle.into()), mode: Some("1".into()), ..EwbVehicle::default() };
            let found = EwbDetails { vehicles: vec![entry], ..details("ACT", Some("2026-11-06 23:59:00")) };
            Standing::of_details(&found, Some(&known), gstin(OTHER))
        };
        let same = by("KA01AB1234");
        assert_eq!(
            (same.birth, same.generated_by.as_str(), same.transporter.as_deref()),
            (Birth::Irn, MAKER, Some(OTHER))
        );
        assert_eq!(same.movement.unwrap().vehicle_type, vehicle_type);
        assert_eq!(by("KA01AB9999").movement.unwrap().vehicle_type, None);
    }
}
