//! Faults of export details, e-way bill and ship-to.

use einvoice_core::document::{DispDtls, EwbDtls, Field, PartyGstin, ShipDtls, YesNo};
use einvoice_core::key::DocumentType;
use einvoice_core::rulebook::ShipToGstin;

use super::{Case, Mutation, date, day, fault, state, stranger, when, whole};
use crate::invoices::DAY;

pub(super) const FAULTS: &[Mutation] = &[
    fault("an export names no country", "export.country_missing", "", &[], |case, _| {
        when(case.is_export())?;
        case.invoice.exp_dtls.as_mut()?.cnt_code = Field::Absent;
        Some(())
    }),
    fault("the country of export is not in the master", "export.country", "2202", &[], |case, _| {
        case.invoice.exp_dtls.as_mut()?.cnt_code = "ZZ".into();
        Some(())
    }),
    fault("the currency is not in the master", "export.currency", "2203", &[], |case, _| {
        case.invoice.exp_dtls.as_mut()?.for_cur = "ZZZ".into();
        Some(())
    }),
    fault("the port is not in the master", "export.port", "2201", &[], |case, _| {
        case.invoice.exp_dtls.as_mut()?.port = "INXXX9".into();
        Some(())
    }),
    fault("a note asks for an e-way bill", "ewb.document", "4010", &[], |case, _| {
        case.invoice.ewb_dtls.as_ref()?;
        case.invoice.doc_dtls.typ = DocumentType::CreditNote.into();
        Some(())
    }),
    fault("services ask for an e-way bill", "ewb.goods", "4009", &["items.service"], |case, _| {
        case.invoice.ewb_dtls.as_ref()?;
        case.invoice.item_list.iter_mut().for_each(|item| item.is_servc = YesNo::Yes.into());
        Some(())
    }),
    fault("neither mode nor transporter is given", "ewb.mode", "4019", &[], |case, _| {
        let ewb = case.invoice.ewb_dtls.as_mut()?;
        *ewb = EwbDtls { distance: ewb.distance.clone(), ..EwbDtls::default() };
        Some(())
    }),
    fault("a vehicle comes without a mode", "ewb.mode_missing", "4028", &[], |case, _| {
        let ewb = case.invoice.ewb_dtls.as_mut()?;
        ewb.trans_mode = Field::Absent;
        ewb.veh_no = "KA12KA1234".into();
        Some(())
    }),
    fault("the road has no vehicle", "ewb.vehicle", "4011", &[], |case, _| {
        moved_by(case, "1")?.veh_no = Field::Absent;
        Some(())
    }),
    fault("the vehicle has no type", "ewb.vehicle_type", "4022", &[], |case, _| {
        let ewb = moved_by(case, "1")?;
        (ewb.veh_no, ewb.veh_type) = ("KA12KA1234".into(), Field::Absent);
        Some(())
    }),
    fault("the vehicle number is none", "ewb.vehicle_form", "4014", &[], |case, _| {
        let ewb = moved_by(case, "1")?;
        (ewb.veh_no, ewb.veh_type) = ("12KA1234".into(), "R".into());
        Some(())
    }),
    fault("the railway has no receipt", "ewb.document_number", "4012", &[], |case, _| {
        let ewb = moved_by(case, "2")?;
        ewb.veh_type = Field::Absent;
        (ewb.trans_doc_no, ewb.trans_doc_dt) = (Field::Absent, day(DAY));
        Some(())
    }),
    fault("the airway bill has no date", "ewb.document_date", "4023", &[], |case, _| {
        let ewb = moved_by(case, "3")?;
        ewb.veh_type = Field::Absent;
        (ewb.trans_doc_no, ewb.trans_doc_dt) = ("AWB-1".into(), Field::Absent);
        Some(())
    }),
    fault("the ship has neither vehicle nor document", "ewb.ship", "4040", &[], |case, _| {
        let ewb = moved_by(case, "4")?;
        (ewb.veh_no, ewb.veh_type, ewb.trans_doc_no) = (Field::Absent, Field::Absent, Field::Absent);
        Some(())
    }),
    fault("a regular vehicle goes by ship", "ewb.ship_vehicle_type", "4039", &[], |case, _| {
        let ewb = moved_by(case, "4")?;
        (ewb.veh_no, ewb.veh_type) = ("KA12KA1234".into(), "R".into());
        Some(())
    }),
    fault("an over-dimensional vehicle goes by rail", "ewb.odc", "4024", &[], |case, _| {
        let ewb = moved_by(case, "2")?;
        (ewb.trans_doc_no, ewb.trans_doc_dt, ewb.veh_type) = ("RR-1".into(), day(DAY), "O".into());
        Some(())
    }),
    fault("the transport document is of tomorrow", "ewb.document_future", "4016", &[], |case, _| {
        case.invoice.ewb_dtls.as_mut()?.trans_doc_dt = date("23/11/2026");
        Some(())
    }),
    fault("the transport document precedes the invoice", "ewb.document_early", "4021", &[], |case, _| {
        case.invoice.ewb_dtls.as_mut()?.trans_doc_dt = date("23/10/2026");
        Some(())
    }),
    fault("the journey has no length within one PIN code", "ewb.same_pin", "4029", &[], |case, _| {
        case.invoice.ewb_dtls.as_mut()?.distance = whole(0);
        let buyer = (&case.invoice.buyer_dtls.pin, &case.invoice.buyer_dtls.stcd);
        let (pin, stcd) = case.invoice.ship_dtls.as_ref().map_or(buyer, |ship| (&ship.pin, &ship.stcd));
        let depot = DispDtls { pin: pin.clone(), stcd: stcd.clone(), ..depot() };
        case.invoice.disp_dtls = Some(depot);
        Some(())
    }),
    fault(
        "the portal is to find the way to nowhere",
        "ewb.foreign_pin",
        "4034",
        &["ewb.export_ship_pin"],
        |case, _| {
            case.invoice.ewb_dtls.as_mut()?.distance = whole(0);
            case.invoice.ship_dtls = Some(ShipDtls { pin: whole(999_999), stcd: state(97), ..port() });
            Some(())
        },
    ),
    fault("an export's e-way bill has no port", "ewb.export_ship", "4031", &["ewb.same_pin"], |case, _| {
        when(case.is_export() && case.invoice.ewb_dtls.is_some())?;
        case.invoice.ship_dtls = None;
        Some(())
    }),
    fault("an export's port is abroad", "ewb.export_ship_state", "4032", ABROAD, |case, _| port_abroad(case)),
    fault("an export's port has no PIN code", "ewb.export_ship_pin", "4033", ABROAD, |case, _| port_abroad(case)),
    fault("the e-way bill begins abroad", "ewb.dispatch_state", "4035", NOWHERE, |case, _| depot_abroad(case)),
    fault("the e-way bill begins at no PIN code", "ewb.dispatch_pin", "4036", NOWHERE, |case, _| depot_abroad(case)),
    fault("the ship-to has no GSTIN", "ship.gstin", "5002", &[], |case, _| {
        shipped(case)?.gstin = Field::Absent;
        Some(())
    }),
    fault("the ship-to is the recipient", "ship.same_gstin", "2323", &["ship.state"], |case, _| {
        let recipient = case.recipient()?;
        shipped(case)?.gstin = PartyGstin::Registered(recipient).into();
        Some(())
    }),
    fault("the ship-to's state is not of its GSTIN", "ship.state", "2325", &[], |case, _| {
        let ship = shipped(case)?;
        let elsewhere = if ship.stcd == state(29) { state(33) } else { state(29) };
        ship.gstin = PartyGstin::Registered(stranger(elsewhere.get(), 7)?).into();
        Some(())
    }),
];

const ABROAD: &[&str] = &["ship.export_place", "ewb.export_ship_state", "ewb.export_ship_pin", "ewb.foreign_pin"];
const NOWHERE: &[&str] = &["dispatch.pin", "ewb.dispatch_state", "ewb.dispatch_pin", "ewb.foreign_pin"];

/// The e-way bill, by this mode of transport.
fn moved_by<'a>(case: &'a mut Case, mode: &str) -> Option<&'a mut EwbDtls> {
    let ewb = case.invoice.ewb_dtls.as_mut()?;
    ewb.trans_mode = mode.into();
    Some(ewb)
}

/// The ship-to of an e-way bill, with the rule about its GSTIN in force.
fn shipped(case: &mut Case) -> Option<&mut ShipDtls> {
    case.invoice.ewb_dtls.as_ref()?;
    case.settings.ship_to_gstin = ShipToGstin::InForce { from: DAY };
    case.invoice.ship_dtls.as_mut()
}

fn port_abroad(case: &mut Case) -> Option<()> {
    when(case.is_export() && case.invoice.ewb_dtls.is_some())?;
    case.invoice.ship_dtls = Some(ShipDtls { pin: whole(999_999), stcd: state(96), ..port() });
    Some(())
}

fn depot_abroad(case: &mut Case) -> Option<()> {
    case.invoice.ewb_dtls.as_ref()?;
    case.invoice.disp_dtls = Some(DispDtls { pin: whole(999_999), stcd: state(96), ..depot() });
    Some(())
}

fn depot() -> DispDtls {
    DispDtls { nm: "Depot".into(), addr1: "1 Depot Road".into(), loc: "Hosur".into(), ..DispDtls::default() }
}

fn port() -> ShipDtls {
    ShipDtls {
        gstin: PartyGstin::Unregistered.into(),
        lgl_nm: "Port".into(),
        addr1: "1 Quay".into(),
        loc: "Quay".into(),
        ..ShipDtls::default()
    }
}
