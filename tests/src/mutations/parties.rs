//! Faults of the parties and their places, and of what is known of their registrations.

use einvoice_core::document::{DispDtls, Field, PartyGstin, ShipDtls, SupplyType, YesNo};
use einvoice_core::identifier::Gstin;
use einvoice_core::rulebook::{Taxpayer, TaxpayerKind, TaxpayerStatus};
use jiff::civil::{Date, date};

use super::{Case, Mutation, fault, raw, state, stranger, when, whole};

/// What a wrong state of the supplier breaks beside: the kind of tax follows it.
const HOME: &[&str] = &[
    "seller.state",
    "place.pin_state",
    "tran.igst_on_intra",
    "tax.igst_in_intra",
    "tax.cgst_in_inter",
    "tax.cgst_missing",
    "tax.igst_amount",
    "tax.cgst_amount",
];

pub(super) const FAULTS: &[Mutation] = &[
    fault("the supplier's check character is wrong", "gstin.check_digit", "3030", &[], |case, _| {
        case.invoice.seller_dtls.gstin = spoilt(case.invoice.seller_dtls.gstin.get()?)?.into();
        Some(())
    }),
    fault("the recipient's check character is wrong", "gstin.check_digit", "3030", &[], |case, _| {
        case.invoice.buyer_dtls.gstin = PartyGstin::Registered(spoilt(case.recipient()?)?).into();
        Some(())
    }),
    fault("the transporter's check character is wrong", "gstin.check_digit", "3030", &[], |case, _| {
        let ewb = case.invoice.ewb_dtls.as_mut()?;
        ewb.trans_id = spoilt(ewb.trans_id.get()?)?.into();
        Some(())
    }),
    fault("the recipient's GSTIN has the form of no registration", "gstin.form", "3030", &[], |case, _| {
        let prefix = case.recipient()?.as_str().get(..2)?.to_owned();
        case.invoice.buyer_dtls.gstin = PartyGstin::Registered(with_check(&format!("{prefix}AABCM5678K0Z"))?).into();
        Some(())
    }),
    fault(
        "the supplier is URP",
        "seller.urp",
        "2213",
        &["schema.length", "schema.pattern", "schema.type"],
        |case, _| {
            case.invoice.seller_dtls.gstin = raw("\"URP\"");
            Some(())
        },
    ),
    fault("the supplier's state is unknown", "seller.state_known", "2259", HOME, |case, _| {
        case.invoice.seller_dtls.stcd = state(45);
        Some(())
    }),
    fault("the supplier's state is another", "seller.state", "2258", HOME, |case, _| {
        let home = case.invoice.seller_dtls.stcd.get()?.number();
        case.invoice.seller_dtls.stcd = state(if home == 29 { 33 } else { 29 });
        Some(())
    }),
    fault("the recipient's state is unknown", "buyer.state_known", "2260", &["buyer.state"], |case, _| {
        when(!case.is_export())?;
        case.invoice.buyer_dtls.stcd = state(45);
        Some(())
    }),
    fault("the recipient's state is another", "buyer.state", "2265", &["place.pin_state"], |case, _| {
        when(!case.is_export())?;
        let away = case.invoice.buyer_dtls.stcd.get()?.number();
        case.invoice.buyer_dtls.stcd = state(if away == 29 { 33 } else { 29 });
        Some(())
    }),
    fault("the recipient of an export sits in India", "buyer.export_state", "2261", &[], |case, _| {
        when(case.is_export())?;
        case.invoice.buyer_dtls.stcd = state(27);
        Some(())
    }),
    fault("the supplier supplies itself", "buyer.same_gstin", "2211", &["buyer.state"], |case, _| {
        when(!case.is_export())?;
        case.invoice.buyer_dtls.gstin = PartyGstin::Registered(case.invoice.seller_dtls.gstin.get()?).into();
        Some(())
    }),
    fault("the recipient is URP", "buyer.urp", "2212", &[], |case, _| {
        when(!case.is_export() && case.supply()? != SupplyType::DeemedExport)?;
        case.invoice.buyer_dtls.gstin = PartyGstin::Unregistered.into();
        Some(())
    }),
    fault("the recipient of a deemed export is URP", "buyer.deemed_export_urp", "2171", &[], |case, _| {
        when(case.supply()? == SupplyType::DeemedExport)?;
        case.invoice.buyer_dtls.gstin = PartyGstin::Unregistered.into();
        Some(())
    }),
    fault("the recipient of an export has a GSTIN", "buyer.export_urp", "2248", &[], |case, _| {
        when(case.is_export())?;
        let gstin = stranger(case.invoice.seller_dtls.stcd.get(), 7)?;
        case.invoice.buyer_dtls.gstin = PartyGstin::Registered(gstin).into();
        Some(())
    }),
    fault("the recipient's PIN code is left out", "buyer.pin", "2274", &[], |case, _| {
        when(!case.is_export())?;
        case.invoice.buyer_dtls.pin = Field::Absent;
        Some(())
    }),
    fault("the place of supply of an export is a state", "buyer.export_pos", "2229", &[], |case, _| {
        when(case.is_export())?;
        case.invoice.buyer_dtls.pos = state(27);
        Some(())
    }),
    fault("the place of supply is abroad", "buyer.pos", "2242", HOME, |case, _| {
        when(!case.is_export())?;
        case.invoice.buyer_dtls.pos = state(96);
        Some(())
    }),
    fault("the place of supply has been withdrawn", "buyer.pos_known", "2243", HOME, |case, _| {
        when(!case.is_export())?;
        case.invoice.buyer_dtls.pos = state(25);
        Some(())
    }),
    fault("the place of dispatch lies in no state", "place.state_known", "2200", &[], |case, _| {
        case.invoice.disp_dtls = Some(depot(45, 560_001));
        Some(())
    }),
    fault("the ship-to state is unknown", "place.state_known", "2200", &["ship.state"], |case, _| {
        case.invoice.ship_dtls.as_mut()?.stcd = state(45);
        Some(())
    }),
    fault("the supplier's PIN code lies elsewhere", "place.pin_state", "3039", &["ewb.same_pin"], |case, _| {
        let home = case.invoice.seller_dtls.stcd.get()?.number();
        case.invoice.seller_dtls.pin = whole(if home == 29 { 600_001 } else { 560_001 });
        Some(())
    }),
    fault("the recipient's PIN code lies elsewhere", "place.pin_state", "3039", &["ewb.same_pin"], |case, _| {
        when(!case.is_export())?;
        let away = case.invoice.buyer_dtls.stcd.get()?.number();
        case.invoice.buyer_dtls.pin = whole(if away == 29 { 600_001 } else { 560_001 });
        Some(())
    }),
    fault("a PIN code is unknown", "place.pin_unknown", "3038", &[], |case, _| {
        case.invoice.seller_dtls.pin = whole(990_001);
        Some(())
    }),
    fault(
        "the recipient of an export has a PIN code of India",
        "buyer.export_pin",
        "3039",
        &["ewb.same_pin"],
        |case, _| {
            when(case.is_export())?;
            case.invoice.buyer_dtls.pin = whole(560_001);
            Some(())
        },
    ),
    fault(
        "goods are dispatched from nowhere",
        "dispatch.pin",
        "2273",
        &["ewb.dispatch_state", "ewb.dispatch_pin", "ewb.foreign_pin"],
        |case, _| {
            case.invoice.disp_dtls = Some(depot(96, 999_999));
            Some(())
        },
    ),
    fault(
        "an export is shipped to a place abroad",
        "ship.export_place",
        "2236",
        &["ewb.export_ship_state", "ewb.export_ship_pin", "ewb.foreign_pin", "ship.gstin"],
        |case, _| {
            when(case.is_export())?;
            case.invoice.ship_dtls = Some(ShipDtls {
                lgl_nm: "Gulf Traders".into(),
                addr1: "1 Creek Road".into(),
                loc: "Dubai".into(),
                pin: whole(999_999),
                stcd: state(96),
                ..ShipDtls::default()
            });
            Some(())
        },
    ),
];

pub(super) const TAXPAYERS: &[Mutation] = &[
    fault("the supplier is a composition taxpayer", "seller.kind", "2300", &[], |case, _| {
        supplier_is(case, TaxpayerKind::Composition)
    }),
    fault("the supplier is an SEZ unit", "seller.sez_unit", "2231", &[], |case, _| {
        supplier_is(case, TaxpayerKind::SezUnit)
    }),
    fault("the recipient is an SEZ unit and the supply is not to one", "buyer.sez", "2246", &[], |case, _| {
        when(!case.is_sez())?;
        recipient_is(case, Some(TaxpayerKind::SezUnit), None, None, None)
    }),
    fault("the recipient is no SEZ unit and the supply is to one", "buyer.not_sez", "2247", &[], |case, _| {
        when(case.is_sez())?;
        recipient_is(case, Some(TaxpayerKind::Regular), None, None, None)
    }),
    fault("a deemed export goes to a composition taxpayer", "buyer.deemed_export_kind", "", &[], |case, _| {
        when(case.supply()? == SupplyType::DeemedExport)?;
        recipient_is(case, Some(TaxpayerKind::Composition), None, None, None)
    }),
    fault(
        "an input service distributor is to pay by reverse charge",
        "buyer.distributor_reverse_charge",
        "",
        &[],
        |case, _| {
            when(case.supply()? == SupplyType::B2b)?;
            case.invoice.tran_dtls.reg_rev = YesNo::Yes.into();
            recipient_is(case, Some(TaxpayerKind::InputServiceDistributor), None, None, None)
        },
    ),
    fault("the portal does not know the recipient", "gstin.unknown", "3028", &[], |case, _| {
        recipient_is(case, None, Some(TaxpayerStatus::Unknown), None, None)
    }),
    fault("the recipient is inactive", "gstin.inactive", "3029", &[], |case, _| {
        recipient_is(case, None, Some(TaxpayerStatus::Inactive), None, None)
    }),
    fault("the document follows the cancellation", "gstin.cancelled", "3074", &[], |case, _| {
        recipient_is(case, None, Some(TaxpayerStatus::Cancelled), Some(EARLY), Some(date(2026, 10, 1)))
    }),
    fault("the day of cancellation is not known", "gstin.cancelled_undated", "3075", &[], |case, _| {
        recipient_is(case, None, Some(TaxpayerStatus::Cancelled), Some(EARLY), None)
    }),
    fault("an active recipient was registered later", "gstin.before_registration", "3079", &[], |case, _| {
        recipient_is(case, None, Some(TaxpayerStatus::Active), Some(LATE), None)
    }),
    fault("a cancelled recipient was registered later", "gstin.cancelled_before", "3077", &[], |case, _| {
        recipient_is(case, None, Some(TaxpayerStatus::Cancelled), Some(LATE), Some(date(2026, 12, 2)))
    }),
    fault("the day of registration is not known", "gstin.cancelled_unregistered", "3078", &[], |case, _| {
        recipient_is(case, None, Some(TaxpayerStatus::Cancelled), None, Some(LATE))
    }),
];

const EARLY: Date = date(2017, 7, 1);
const LATE: Date = date(2026, 12, 1);

fn supplier_is(case: &mut Case, kind: TaxpayerKind) -> Option<()> {
    let gstin = case.invoice.seller_dtls.gstin.get()?.into();
    let taxpayer = Taxpayer { gstin, kind: Some(kind), status: None, registered: None, cancelled: None };
    case.settings.taxpayer.push(taxpayer);
    Some(())
}

fn recipient_is(
    case: &mut Case,
    kind: Option<TaxpayerKind>,
    status: Option<TaxpayerStatus>,
    registered: Option<Date>,
    cancelled: Option<Date>,
) -> Option<()> {
    let gstin = case.recipient()?.into();
    case.settings.taxpayer.push(Taxpayer { gstin, kind, status, registered, cancelled });
    Some(())
}

fn depot(code: u8, pin: i64) -> DispDtls {
    DispDtls {
        nm: "Aruna Depot".into(),
        addr1: "1 Depot Road".into(),
        loc: "Hosur".into(),
        pin: whole(pin),
        stcd: state(code),
        ..DispDtls::default()
    }
}

/// The same number with another check character.
fn spoilt(gstin: Gstin) -> Option<Gstin> {
    let (first, last) = gstin.as_str().split_at(14);
    Gstin::parse(&format!("{first}{}", if last == "7" { '8' } else { '7' })).ok()
}

fn with_check(first: &str) -> Option<Gstin> {
    let bytes: [u8; 14] = first.as_bytes().try_into().ok()?;
    Gstin::parse(&format!("{first}{}", Gstin::check_character(&bytes)?)).ok()
}
