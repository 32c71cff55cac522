//! Recipient, place of dispatch and consignee of a voucher.

use einvoice_core::document::{BuyerDtls, DispDtls, Field, PartyGstin, SellerDtls, ShipDtls};
use einvoice_core::finding::Severity;
use einvoice_core::identifier::{Gstin, StateCode};
use einvoice_core::number::Whole;

use super::address::{address, email, field, phone, town_in};
use super::report::Report;
use super::{Context, cut};
use crate::config::PlaceConfig;
use crate::lexical;
use crate::masters::{Contact, Masters, Registration};
use crate::xml::Element;
use einvoice_core::spelling;
use einvoice_core::spelling::states;

/// PIN code that exports state for the recipient (INV-01, recipient's `Pin`).
const EXPORT_PIN: i64 = 999_999;
/// State code and place of supply of exports.
const EXPORT_STATE: u8 = 96;

/// What is known of the voucher's party beside the voucher itself.
#[derive(Debug, Default)]
pub(crate) struct Party<'m> {
    pub(crate) registration: Option<&'m Registration>,
    pub(crate) contact: Option<&'m Contact>,
}

impl<'m> Party<'m> {
    /// Looks the party up in the masters.
    pub(crate) fn find(
        name: Option<&str>,
        day: Option<einvoice_core::date::DocumentDate>,
        masters: &'m Masters,
    ) -> Self {
        let Some(ledger) = name.and_then(|name| masters.ledger(name)) else { return Self::default() };
        let applies = |from: &Option<einvoice_core::date::DocumentDate>| {
            from.is_none_or(|from| day.is_none_or(|day| from.date() <= day.date()))
        };
        let registration = ledger
            .registrations
            .iter()
            .filter(|(from, _)| applies(from))
            .max_by_key(|(from, _)| from.map(einvoice_core::date::DocumentDate::date));
        Self { registration: registration.map(|(_, found)| found), contact: Some(&ledger.contact) }
    }
}

/// The two address blocks of the invoice form: recipient and consignee.
struct Blocks<'v> {
    buyer: Vec<&'v str>,
    consignee: Vec<&'v str>,
}

/// `BASICBUYERADDRESS.LIST` is commonly the consignee's, despite its name. Where the two blocks
/// differ, the one that matches the party's own address is the recipient's.
fn blocks<'v>(element: &'v Element<'v>, party: &Party<'_>) -> Blocks<'v> {
    let (main, other) = (element.lines("ADDRESS.LIST"), element.lines("BASICBUYERADDRESS.LIST"));
    let joined = |lines: &[&str]| spelling::fold(&lines.join(" "));
    if main.is_empty() || other.is_empty() || joined(&main) == joined(&other) {
        let buyer = if main.is_empty() { other.clone() } else { main };
        return Blocks { consignee: if other.is_empty() { buyer.clone() } else { other }, buyer };
    }
    let own = party.contact.map(|contact| spelling::fold(&contact.address.join(" "))).filter(|own| !own.is_empty());
    let pin = element.get("PARTYPINCODE");
    let matches = |lines: &[&str]| {
        own.as_ref().is_some_and(|own| *own == joined(lines))
            || pin.is_some_and(|pin| lines.iter().any(|line| line.contains(pin)))
    };
    if matches(&other) && !matches(&main) {
        Blocks { buyer: other, consignee: main }
    } else {
        Blocks { buyer: main, consignee: other }
    }
}

/// The recipient.
pub(crate) fn buyer(context: &Context<'_>, report: &mut Report) -> BuyerDtls {
    let element = context.voucher.element;
    let party = &context.party;
    let mut buyer = BuyerDtls::default();
    let export = context.export;
    if export {
        buyer.gstin = PartyGstin::Unregistered.into();
        report.from("BuyerDtls.Gstin", "constant of exports");
    } else if let Some((gstin, origin)) = &context.buyer_gstin {
        buyer.gstin = Field::from_text(gstin);
        report.from("BuyerDtls.Gstin", *origin);
    }
    let own_name = party.contact.and_then(|contact| contact.name.as_deref());
    let named = element.first(&["PARTYMAILINGNAME", "BASICBUYERNAME", "PARTYNAME", "PARTYLEDGERNAME"]);
    if let Some((name, tag)) = named {
        buyer.lgl_nm = cut(name, 100).into();
        report.from("BuyerDtls.LglNm", format!("V/{tag}"));
    } else if let Some(name) = own_name {
        buyer.lgl_nm = cut(name, 100).into();
        report.from("BuyerDtls.LglNm", "M:LEDGER mailing name");
    }
    let lines = blocks(element, party).buyer;
    let from_voucher = address(lines.iter().copied());
    let own = party.contact.map(|contact| address(contact.address.iter().map(String::as_str))).unwrap_or_default();
    let (lines_used, origin) = if from_voucher.0.is_some() {
        (from_voucher, "V/ADDRESS.LIST")
    } else {
        (own, "M:LEDGER/LEDMAILINGDETAILS.LIST")
    };
    buyer.addr1 = field(lines_used.0.as_deref());
    buyer.addr2 = field(lines_used.1.as_deref().filter(|line| line.chars().count() >= 3));
    report.from("BuyerDtls.Addr1", origin);
    buyer_places(&mut buyer, context, &lines, report);
    let contact = party.contact;
    buyer.ph = Field::from_option(contact.and_then(|contact| contact.phone.as_deref()).and_then(phone).map(Into::into));
    buyer.em = Field::from_option(contact.and_then(|contact| contact.email.as_deref()).and_then(email).map(Into::into));
    buyer
}

fn buyer_places(buyer: &mut BuyerDtls, context: &Context<'_>, lines: &[&str], report: &mut Report) {
    let element = context.voucher.element;
    let party = &context.party;
    let own_lines =
        party.contact.map(|contact| contact.address.iter().map(String::as_str).collect::<Vec<_>>()).unwrap_or_default();
    let state = element
        .get("STATENAME")
        .and_then(|name| states::code(name).map(|code| (code, "V/STATENAME")))
        .or_else(|| {
            party
                .contact
                .and_then(|contact| contact.state.as_deref())
                .and_then(states::code)
                .map(|code| (code, "M:LEDGER state"))
        })
        .or_else(|| {
            context
                .buyer_gstin
                .as_ref()
                .and_then(|(gstin, _)| Gstin::parse(gstin).ok())
                .and_then(|gstin| gstin.state())
                .map(|code| (code, "the GSTIN"))
        });
    if let Some((code, "the GSTIN")) = state.filter(|_| !context.export) {
        report.inferred(Severity::Info, format!("state {code} of the buyer (the GSTIN)"));
    }
    let supply = element
        .get("PLACEOFSUPPLY")
        .and_then(|name| states::code(name).map(|code| (code, "V/PLACEOFSUPPLY")))
        .or_else(|| {
            party
                .registration
                .and_then(|found| found.place_of_supply.as_deref())
                .and_then(states::code)
                .map(|code| (code, "M:LEDGER place of supply"))
        })
        .or_else(|| {
            let (code, origin) = state?;
            if !context.export {
                report
                    .inferred(Severity::Warning, format!("place of supply {code} (the buyer's state, from {origin})"));
            }
            Some((code, origin))
        });
    let abroad = StateCode::from_number(EXPORT_STATE).map(|code| (code, "constant of exports"));
    let (state, supply) = if context.export { (abroad, abroad) } else { (state, supply) };
    if let Some((code, origin)) = state {
        buyer.stcd = code.into();
        report.from("BuyerDtls.Stcd", origin);
    }
    if let Some((code, origin)) = supply {
        buyer.pos = code.into();
        report.from("BuyerDtls.Pos", origin);
    } else if let Some(name) = element.get("PLACEOFSUPPLY") {
        buyer.pos = Field::Malformed(name.into());
    }
    let country = element.get("COUNTRYOFRESIDENCE").filter(|_| context.export);
    let place = element
        .get("BILLTOPLACE")
        .map(|place| (place, "V/BILLTOPLACE"))
        .or_else(|| {
            let town = town_in(lines.iter().copied()).or_else(|| town_in(own_lines.iter().copied()))?;
            Some((town.of("the buyer", report), "the city in the address"))
        })
        .or_else(|| country.map(|country| (country, "V/COUNTRYOFRESIDENCE")))
        .or_else(|| state.and_then(|(code, _)| states::name(code)).map(|name| (name, "the state")));
    if let Some((place, origin)) = place {
        buyer.loc = cut(place, 100).into();
        report.from("BuyerDtls.Loc", origin);
    }
    buyer_pin(buyer, context, lines, report);
}

fn buyer_pin(buyer: &mut BuyerDtls, context: &Context<'_>, lines: &[&str], report: &mut Report) {
    if context.export {
        buyer.pin = Whole::from_units(EXPORT_PIN).into();
        report.from("BuyerDtls.Pin", "constant of exports");
        return;
    }
    let stated = context.voucher.element.get("PARTYPINCODE").map(|text| (text, "V/PARTYPINCODE"));
    let own = context
        .party
        .contact
        .and_then(|contact| contact.pin.as_deref())
        .map(|text| (text, "M:LEDGER/LEDMAILINGDETAILS.LIST/PINCODE"));
    if let Some((text, origin)) = stated.or(own) {
        let digits: String = text.chars().filter(|found| !found.is_whitespace()).collect();
        buyer.pin = Field::from_text(&digits);
        report.from("BuyerDtls.Pin", origin);
    } else if let Some(pin) = lines.iter().find_map(|line| lexical::pin_in(line)) {
        buyer.pin = Whole::from_units(pin).into();
        report.from("BuyerDtls.Pin", "a six-digit number in the address");
        report.inferred(Severity::Warning, format!("PIN {pin} of the buyer (a six-digit number in the address)"));
    }
}

/// The place of dispatch, where it is whole and not the supplier's address.
pub(crate) fn dispatch(context: &Context<'_>, seller: &SellerDtls, report: &mut Report) -> Option<DispDtls> {
    let element = context.voucher.element;
    let name = element.get("DISPATCHFROMNAME")?;
    let (first, rest) = address(element.lines("DISPATCHFROMADDRESS.LIST").into_iter());
    let first = first?;
    let place = element.get("DISPATCHFROMPLACE")?;
    let pin = element.get("DISPATCHFROMPINCODE").and_then(lexical::pin_in)?;
    let state = element.get("DISPATCHFROMSTATENAME").and_then(states::code)?;
    let same_pin = seller.pin.get().is_some_and(|own| own.units() == pin);
    let same_address = seller.addr1.as_ref().is_some_and(|own| spelling::same(own, &first));
    if same_pin && same_address {
        return None;
    }
    report.from("DispDtls", "V/DISPATCHFROM*");
    Some(DispDtls {
        nm: cut(name, 100).into(),
        addr1: cut(&first, 100).into(),
        addr2: field(rest.as_deref().filter(|line| line.chars().count() >= 3)),
        loc: cut(place, 100).into(),
        pin: Whole::from_units(pin).into(),
        stcd: state.into(),
        ..DispDtls::default()
    })
}

/// The consignee, where something of it differs from the recipient.
pub(crate) fn consignee(context: &Context<'_>, buyer: &BuyerDtls, report: &mut Report) -> Option<ShipDtls> {
    let element = context.voucher.element;
    if context.export {
        let port = context.settings.config.export_ship_to.as_ref()?;
        report.from("ShipDtls", "configuration `export_ship_to`");
        return Some(port_of(port));
    }
    let gstin = element.get("CONSIGNEEGSTIN");
    let name = element.get("CONSIGNEEMAILINGNAME");
    let pin = element.get("CONSIGNEEPINCODE").and_then(lexical::pin_in);
    let (first, rest) = address(blocks(element, &context.party).consignee.into_iter());
    let other = |stated: Option<&str>, own: Option<&str>| {
        stated.is_some_and(|stated| own.is_some_and(|own| !spelling::same(stated, own)))
    };
    let own_gstin = buyer.gstin.get().map(|own| own.to_string());
    let differs = other(gstin, own_gstin.as_deref())
        || pin.is_some_and(|pin| buyer.pin.get().is_some_and(|own| own.units() != pin))
        || other(name, buyer.lgl_nm.as_ref().map(|own| &**own))
        || other(first.as_deref(), buyer.addr1.as_ref().map(|own| &**own));
    if !differs {
        return None;
    }
    let state = element.get("CONSIGNEESTATENAME").and_then(states::code).or_else(|| buyer.stcd.get());
    if let Some(code) = state.filter(|_| element.get("CONSIGNEESTATENAME").and_then(states::code).is_none()) {
        report.inferred(Severity::Warning, format!("state {code} of the consignee (the buyer's)"));
    }
    if let Some(own) = buyer.pin.get().filter(|_| pin.is_none()) {
        report.inferred(Severity::Warning, format!("PIN {own} of the consignee (the buyer's)"));
    }
    let place = element
        .get("SHIPTOPLACE")
        .or_else(|| Some(first.as_deref().and_then(|line| town_in(std::iter::once(line)))?.of("the consignee", report)))
        .or_else(|| state.and_then(states::name));
    report.from("ShipDtls", "V/CONSIGNEE* and V/BASICBUYERADDRESS.LIST");
    Some(ShipDtls {
        gstin: gstin.map_or(Field::Absent, Field::from_text),
        lgl_nm: name.map_or_else(|| buyer.lgl_nm.clone(), |name| cut(name, 100).into()),
        addr1: first.map_or_else(|| buyer.addr1.clone(), |line| cut(&line, 100).into()),
        addr2: field(rest.as_deref().filter(|line| line.chars().count() >= 3)),
        loc: place.map_or_else(|| buyer.loc.clone(), |place| cut(place, 100).into()),
        pin: Field::from_option(pin.map(Whole::from_units).or_else(|| buyer.pin.get())),
        stcd: Field::from_option(state),
        ..ShipDtls::default()
    })
}

fn port_of(port: &PlaceConfig) -> ShipDtls {
    ShipDtls {
        lgl_nm: port.name.as_str().into(),
        addr1: port.address1.as_str().into(),
        loc: port.location.as_str().into(),
        pin: Whole::from_units(i64::from(port.pin)).into(),
        stcd: states::code(&port.state).map_or_else(|| Field::Malformed(port.state.as_str().into()), Into::into),
        ..ShipDtls::default()
    }
}
