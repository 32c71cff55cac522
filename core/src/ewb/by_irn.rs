//! The request for the bill of a registered document: made again from what the document asked for, and checked.
//!
//! A bill that fails beside a registration leaves the IRN in force. It is asked for again by the IRN, with the same
//! members at the top level of the request; so the rules are those of `EwbDtls`, and not written twice.

#[cfg(test)]
mod tests;

use crate::document::{DispDtls, EwbDtls, Field, Invoice, PartyGstin, ShipDtls, Text};
use crate::ewb::request::{Carriage, EwbByIrn, Place};
use crate::ewb::{TransMode, VehicleType};
use crate::finding::Finding;
use crate::identifier::{Gstin, StateCode};
use crate::irn::Irn;
use crate::number::Whole;
use crate::rulebook::{CheckOptions, LaterShipTo, check_later_ship_to, ewb, schema};

/// What the portal's schema of this request answers for a member that is missing or has another form; with an IRN it
/// is 5002.
const SCHEMA_CODE: &str = "5001";

impl EwbByIrn {
    /// The request again, by the IRN, for a bill that was asked for with the document and not made.
    ///
    /// Addresses are left out: those registered with the document hold. For an export they may be replaced; set
    /// [`ship_to`](Self::ship_to) and [`dispatch_from`](Self::dispatch_from) then.
    ///
    /// # Errors
    /// With the members that are missing or not of their form, named as in the request.
    pub fn from_document(irn: Irn, ewb: &EwbDtls, options: &CheckOptions) -> Result<Self, Vec<Finding>> {
        let findings = form(ewb, "", options);
        let distance_km = ewb.distance.get().and_then(|distance| u16::try_from(distance.units()).ok());
        match distance_km {
            Some(distance_km) if !findings.iter().any(Finding::is_error) => Ok(Self {
                irn,
                distance_km,
                transporter: ewb.trans_id.get().map(|id| id.to_string()),
                transporter_name: words(&ewb.trans_name),
                carriage: Carriage {
                    mode: ewb.trans_mode.as_ref().and_then(|mode| TransMode::parse(mode)),
                    vehicle: words(&ewb.veh_no),
                    vehicle_type: ewb.veh_type.as_ref().and_then(|kind| VehicleType::parse(kind)),
                    document: words(&ewb.trans_doc_no),
                    document_date: ewb.trans_doc_dt.get(),
                },
                ship_to: None,
                dispatch_from: None,
            }),
            _ => Err(findings),
        }
    }

    /// All findings about the request: form, transport, distance, addresses, and the ship-to rule.
    ///
    /// With the `document` it is for, its PIN codes, date, items and addresses are judged too. An error means that the
    /// portal would refuse the request; paths are those of the request (`TransMode`, `ExpShipDtls.Pin`).
    #[must_use]
    pub fn check(&self, document: Option<&Invoice>, options: &CheckOptions) -> Vec<Finding> {
        let ewb = self.members();
        let mut findings = form(&ewb, "", options);
        let mut invoice = document.cloned().unwrap_or_else(Invoice::new);
        invoice.ewb_dtls = Some(ewb);
        if let Some(place) = &self.ship_to {
            let ship = ship_to(place);
            // This request names no legal name of the consignee.
            let given = form(&ship, "ExpShipDtls.", options).into_iter();
            findings.extend(given.filter(|finding| finding.path != "ExpShipDtls.LglNm"));
            invoice.ship_dtls = Some(ship);
        }
        if let Some(place) = &self.dispatch_from {
            let dispatch = dispatch_from(place);
            findings.extend(form(&dispatch, "DispDtls.", options));
            invoice.disp_dtls = Some(dispatch);
        }
        findings.extend(ewb::check_later(&invoice, document.is_some(), options).into_iter().map(renamed));
        if let Some(ship) = invoice.ship_dtls.as_ref().filter(|ship| ship.gstin.malformed().is_none()) {
            let pin = ship.pin.get().and_then(|pin| u32::try_from(pin.units()).ok());
            let address = LaterShipTo::new(ship.gstin.get(), ship.stcd.get(), pin);
            findings.extend(check_later_ship_to(address, invoice.buyer_dtls.gstin.get(), options));
        }
        findings
    }

    /// The request's members as a document has them.
    fn members(&self) -> EwbDtls {
        let Carriage { mode, vehicle, vehicle_type, document, document_date } = &self.carriage;
        EwbDtls {
            trans_id: field::<Gstin>(self.transporter.as_deref()),
            trans_name: given(self.transporter_name.as_deref()),
            trans_mode: given(mode.map(TransMode::code)),
            distance: Whole::from_units(i64::from(self.distance_km)).into(),
            trans_doc_no: given(document.as_deref()),
            trans_doc_dt: Field::from_option(*document_date),
            veh_no: given(vehicle.as_deref()),
            veh_type: given(vehicle_type.map(VehicleType::code)),
            unknown: Vec::new(),
        }
    }
}

/// What the schema says about a section of the request.
fn form(section: &impl crate::document::node::Section, before: &str, options: &CheckOptions) -> Vec<Finding> {
    let mut findings = schema::check_section(section, options);
    for finding in &mut findings {
        finding.path.insert_str(0, before);
        finding.code = finding.code.is_some().then(|| SCHEMA_CODE.into());
        options.settings.regrade(finding);
    }
    findings
}

/// The place as this request names it.
fn renamed(mut finding: Finding) -> Finding {
    if let Some(member) = finding.path.strip_prefix("EwbDtls") {
        finding.path = member.trim_start_matches('.').to_owned();
    } else if finding.path.starts_with("ShipDtls") {
        finding.path.insert_str(0, "Exp");
    }
    finding
}

fn given(text: Option<&str>) -> Field<Text> {
    text.map_or(Field::Absent, Into::into)
}

fn field<T: crate::document::Leaf>(text: Option<&str>) -> Field<T> {
    text.map_or(Field::Absent, Field::from_text)
}

fn words(field: &Field<Text>) -> Option<String> {
    field.as_ref().map(ToString::to_string)
}

fn ship_to(place: &Place) -> ShipDtls {
    ShipDtls {
        gstin: field::<PartyGstin>(place.gstin.as_deref()),
        lgl_nm: given(place.name.as_deref()),
        addr1: place.address1.as_str().into(),
        addr2: given(place.address2.as_deref()),
        loc: place.location.as_str().into(),
        pin: Whole::from_units(i64::from(place.pin)).into(),
        stcd: field::<StateCode>(Some(&place.state)),
        ..ShipDtls::default()
    }
}

fn dispatch_from(place: &Place) -> DispDtls {
    DispDtls {
        nm: given(place.name.as_deref()),
        addr1: place.address1.as_str().into(),
        addr2: given(place.address2.as_deref()),
        loc: place.location.as_str().into(),
        pin: Whole::from_units(i64::from(place.pin)).into(),
        stcd: field::<StateCode>(Some(&place.state)),
        unknown: Vec::new(),
    }
}
