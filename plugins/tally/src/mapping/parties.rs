//! Supplier, recipient, place of dispatch and consignee of a voucher.

use einvoice_core::document::{BuyerDtls, DispDtls, Field, PartyGstin, SellerDtls, ShipDtls};
use einvoice_core::finding::Finding;
use einvoice_core::identifier::{Gstin, StateCode};
use einvoice_core::number::Whole;

use super::report::Report;
use super::{Context, cut};
use crate::config::PlaceConfig;
use crate::lexical;
use crate::masters::{Contact, Masters, Registration};
use crate::names;
use crate::states;
use crate::xml::Element;

/// PIN code that exports state for the recipient (INV-01, recipient's `Pin`).
const EXPORT_PIN: i64 = 999_999;
/// State code and place of supply of exports.
const EXPORT_STATE: u8 = 96;

/// The GSTIN of the supplier: a company may have several registrations, so the voucher speaks first.
pub(crate) fn seller_gstin(element: &Element<'_>, masters: &Masters, context: &super::Settings) -> Option<(String, &'static str)> {
    let registration = element.child("GSTREGISTRATION");
    let attribute = registration.and_then(|found| found.attribute("TAXREGISTRATION"));
    let named = registration.and_then(|found| lexical::value(found.raw_text()));
    if let Some(gstin) = element.get("CMPGSTIN") {
        return Some((gstin.to_owned(), "V/CMPGSTIN"));
    }
    if let Some(gstin) = attribute {
        return Some((gstin.to_owned(), "V/GSTREGISTRATION/@TAXREGISTRATION"));
    }
    if let Some(gstin) = masters.tax_unit_named(named).and_then(|unit| unit.gstin.clone()) {
        return Some((gstin, "M:TAXUNIT/GSTREGNUMBER"));
    }
    match context.config.seller.as_slice() {
        [only] => Some((only.gstin.clone(), "configuration `seller`")),
        _ => None,
    }
}

/// The supplier.
pub(crate) fn seller(context: &Context<'_>, report: &mut Report) -> SellerDtls {
    let mut seller = SellerDtls::default();
    let Some((gstin, origin)) = &context.seller_gstin else {
        report.add(
            Finding::error("tally.seller_gstin_missing", "SellerDtls.Gstin", "nothing says under which GSTIN the supply was made")
                .with_expected("CMPGSTIN or GSTREGISTRATION on the voucher, one TAXUNIT master, or one `seller` in the configuration")
                .with_fix("Add a `seller` block with the GSTIN to the configuration of the source."),
        );
        return seller;
    };
    seller.gstin = Field::from_text(gstin);
    report.from("SellerDtls.Gstin", *origin);
    let configured = context.settings.config.seller.iter().find(|found| found.gstin == *gstin);
    let company = context.masters.the_company();
    let unit = context.masters.tax_unit(gstin);
    let mut text = |path: &'static str, configured: Option<&String>, choices: &[(Option<&str>, &'static str)]| -> Option<String> {
        let from_config = configured.map(|value| (value.as_str(), "configuration `seller`"));
        let found = from_config.or_else(|| choices.iter().find_map(|(value, origin)| value.map(|value| (value, *origin))));
        found.map(|(value, origin)| {
            report.from(path, origin);
            value.to_owned()
        })
    };
    let formal = company.and_then(|company| company.formal_name.as_deref());
    let plain = company.and_then(|company| company.name.as_deref());
    let name_is_plain = configured.and_then(|found| found.legal_name.as_ref()).is_none() && formal.is_none();
    let name = text("SellerDtls.LglNm", configured.and_then(|found| found.legal_name.as_ref()), &[(formal, "M:COMPANY/BASICCOMPANYFORMALNAME"), (plain, "M:COMPANY/NAME")]);
    seller.trd_nm = field(configured.and_then(|found| found.trade_name.as_deref()));
    let of_unit = unit.map(|unit| &unit.contact).filter(|contact| !contact.address.is_empty());
    let contact = of_unit.or_else(|| company.map(|company| &company.contact));
    let (first, rest) = contact.map(|contact| address(contact.address.iter().map(String::as_str))).unwrap_or_default();
    let own_address = configured.is_some_and(|found| found.address1.is_some());
    let address1 = text("SellerDtls.Addr1", configured.and_then(|found| found.address1.as_ref()), &[(first.as_deref(), "M:COMPANY or M:TAXUNIT ADDRESS.LIST")]);
    let address2 = text("SellerDtls.Addr2", configured.and_then(|found| found.address2.as_ref()), &[(rest.as_deref().filter(|_| !own_address), "M:COMPANY or M:TAXUNIT ADDRESS.LIST")]);
    let place = unit.and_then(|unit| unit.bill_from_place.as_deref());
    let city = contact.and_then(|contact| city_in(contact.address.iter().map(String::as_str)));
    let state = Gstin::parse(gstin).ok().and_then(|gstin| gstin.state());
    let state_name = state.and_then(states::name);
    let location = text("SellerDtls.Loc", configured.and_then(|found| found.location.as_ref()), &[(place, "M:TAXUNIT/GSTEINVBILLFROMPLACE"), (city, "the city in the address"), (state_name, "the state")]);
    let pin = configured.and_then(|found| found.pin).map(i64::from).or_else(|| contact.and_then(|contact| contact.pin.as_deref()).and_then(lexical::pin_in));
    seller.lgl_nm = field(name.as_deref());
    seller.addr1 = field(address1.as_deref());
    seller.addr2 = field(address2.as_deref().filter(|line| line.chars().count() >= 3));
    seller.loc = location.as_deref().map_or(Field::Absent, |text| cut(text, 50).into());
    seller.pin = Field::from_option(pin.map(Whole::from_units));
    seller.stcd = Field::from_option(state);
    seller.ph = Field::from_option(configured.and_then(|found| found.phone.as_deref()).or_else(|| contact.and_then(|contact| contact.phone.as_deref())).and_then(phone).map(Into::into));
    seller.em = Field::from_option(configured.and_then(|found| found.email.as_deref()).or_else(|| contact.and_then(|contact| contact.email.as_deref())).and_then(email).map(Into::into));
    report.from("SellerDtls.Stcd", "the GSTIN");
    if pin.is_some() {
        report.from("SellerDtls.Pin", if configured.is_some_and(|found| found.pin.is_some()) { "configuration `seller`" } else { "M:COMPANY or M:TAXUNIT PINCODE" });
    }
    if let Some(name) = name.filter(|_| name_is_plain) {
        report.add(
            Finding::warning("tally.seller_name_unchecked", "SellerDtls.LglNm", "the legal name is the company's name in Tally, which often carries a year or a branch")
                .with_found(name)
                .with_fix("Set `legal_name` in a `seller` block of the configuration."),
        );
    }
    if seller.lgl_nm.is_absent() || seller.addr1.is_absent() || seller.pin.is_absent() {
        report.add(
            Finding::error("tally.seller_incomplete", "SellerDtls", format!("legal name, address or PIN of supplier {gstin} is nowhere in the export"))
                .with_fix("Add a `seller` block for this GSTIN to the configuration, or export with dependent masters."),
        );
    }
    seller
}

/// What is known of the voucher's party beside the voucher itself.
#[derive(Debug, Default)]
pub(crate) struct Party<'m> {
    pub(crate) registration: Option<&'m Registration>,
    pub(crate) contact: Option<&'m Contact>,
}

impl<'m> Party<'m> {
    /// Looks the party up in the masters.
    pub(crate) fn find(name: Option<&str>, day: Option<einvoice_core::date::DocumentDate>, masters: &'m Masters) -> Self {
        let Some(ledger) = name.and_then(|name| masters.ledger(name)) else { return Self::default() };
        let applies = |from: &Option<einvoice_core::date::DocumentDate>| from.is_none_or(|from| day.is_none_or(|day| from.date() <= day.date()));
        let registration = ledger.registrations.iter().filter(|(from, _)| applies(from)).max_by_key(|(from, _)| from.map(|from| from.date()));
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
    let joined = |lines: &[&str]| names::fold(&lines.join(" "));
    if main.is_empty() || other.is_empty() || joined(&main) == joined(&other) {
        let buyer = if main.is_empty() { other.clone() } else { main };
        return Blocks { consignee: if other.is_empty() { buyer.clone() } else { other }, buyer };
    }
    let own = party.contact.map(|contact| names::fold(&contact.address.join(" "))).filter(|own| !own.is_empty());
    let pin = element.get("PARTYPINCODE");
    let matches = |lines: &[&str]| {
        own.as_ref().is_some_and(|own| *own == joined(lines)) || pin.is_some_and(|pin| lines.iter().any(|line| line.contains(pin)))
    };
    if matches(&other) && !matches(&main) { Blocks { buyer: other, consignee: main } } else { Blocks { buyer: main, consignee: other } }
}

/// The recipient.
pub(crate) fn buyer<'v>(context: &Context<'v>, report: &mut Report) -> BuyerDtls {
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
    let (lines_used, origin) = if from_voucher.0.is_some() { (from_voucher, "V/ADDRESS.LIST") } else { (own, "M:LEDGER/LEDMAILINGDETAILS.LIST") };
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
    let own_lines = party.contact.map(|contact| contact.address.iter().map(String::as_str).collect::<Vec<_>>()).unwrap_or_default();
    let state = element
        .get("STATENAME")
        .and_then(|name| states::code(name).map(|code| (code, "V/STATENAME")))
        .or_else(|| party.contact.and_then(|contact| contact.state.as_deref()).and_then(states::code).map(|code| (code, "M:LEDGER state")))
        .or_else(|| context.buyer_gstin.as_ref().and_then(|(gstin, _)| Gstin::parse(gstin).ok()).and_then(|gstin| gstin.state()).map(|code| (code, "the GSTIN")));
    let supply = element
        .get("PLACEOFSUPPLY")
        .and_then(|name| states::code(name).map(|code| (code, "V/PLACEOFSUPPLY")))
        .or_else(|| party.registration.and_then(|found| found.place_of_supply.as_deref()).and_then(states::code).map(|code| (code, "M:LEDGER place of supply")))
        .or(state);
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
        .or_else(|| city_in(lines.iter().copied()).map(|city| (city, "the city in the address")))
        .or_else(|| city_in(own_lines.iter().copied()).map(|city| (city, "the city in the address")))
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
    let own = context.party.contact.and_then(|contact| contact.pin.as_deref()).map(|text| (text, "M:LEDGER/LEDMAILINGDETAILS.LIST/PINCODE"));
    if let Some((text, origin)) = stated.or(own) {
        let digits: String = text.chars().filter(|found| !found.is_whitespace()).collect();
        buyer.pin = Field::from_text(&digits);
        report.from("BuyerDtls.Pin", origin);
    } else if let Some(pin) = lines.iter().find_map(|line| lexical::pin_in(line)) {
        buyer.pin = Whole::from_units(pin).into();
        report.from("BuyerDtls.Pin", "a six-digit number in the address");
        report.add(
            Finding::warning("tally.pin_from_address", "BuyerDtls.Pin", "the PIN code was taken from the address text")
                .with_found(pin)
                .with_fix("Enter the PIN code in its own field of the party's ledger."),
        );
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
    let same_address = seller.addr1.as_ref().is_some_and(|own| names::same(own, &first));
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
    let other = |stated: Option<&str>, own: Option<&str>| stated.is_some_and(|stated| own.is_some_and(|own| !names::same(stated, own)));
    let own_gstin = buyer.gstin.get().map(|own| own.to_string());
    let differs = other(gstin, own_gstin.as_deref())
        || pin.is_some_and(|pin| buyer.pin.get().is_some_and(|own| own.units() != pin))
        || other(name, buyer.lgl_nm.as_ref().map(|own| &**own))
        || other(first.as_deref(), buyer.addr1.as_ref().map(|own| &**own));
    if !differs {
        return None;
    }
    let state = element.get("CONSIGNEESTATENAME").and_then(states::code).or_else(|| buyer.stcd.get());
    let place = element.get("SHIPTOPLACE").or_else(|| first.as_deref().and_then(|line| city_in(std::iter::once(line)))).or_else(|| state.and_then(states::name));
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

/// First address line, and the others joined. Lines that are only a phone number, a GSTIN or an
/// e-mail address are no address.
fn address<'a>(lines: impl Iterator<Item = &'a str>) -> (Option<String>, Option<String>) {
    let mut kept = lines.map(str::trim).filter(|line| !line.is_empty() && !is_contact(line)).map(|line| line.trim_end_matches(',').to_owned());
    let first = kept.next().map(|line| cut(&line, 100));
    let rest: Vec<String> = kept.collect();
    (first, (!rest.is_empty()).then(|| cut(&rest.join(", "), 100)))
}

fn is_contact(line: &str) -> bool {
    let folded = names::fold(line);
    let number_only = !folded.is_empty() && folded.chars().all(|found| found.is_ascii_digit()) && folded.len() >= 8;
    let labelled = ["mob", "phone", "ph", "tel", "contact", "gstin", "gstno", "email", "fax", "cell"].iter().any(|word| {
        folded.strip_prefix(word).is_some_and(|rest| rest.chars().filter(char::is_ascii_digit).count() >= 6)
    });
    number_only || labelled || (line.contains('@') && !line.contains(' '))
}

/// Large cities, to find a place in an address that names it nowhere else.
const CITIES: [&str; 64] = [
    "Mumbai", "Delhi", "Bengaluru", "Bangalore", "Hyderabad", "Ahmedabad", "Chennai", "Kolkata", "Surat", "Pune",
    "Jaipur", "Lucknow", "Kanpur", "Nagpur", "Indore", "Thane", "Bhopal", "Visakhapatnam", "Patna", "Vadodara",
    "Ghaziabad", "Ludhiana", "Agra", "Nashik", "Faridabad", "Meerut", "Rajkot", "Varanasi", "Srinagar", "Aurangabad",
    "Dhanbad", "Amritsar", "Navi Mumbai", "Prayagraj", "Howrah", "Ranchi", "Gwalior", "Jabalpur", "Coimbatore",
    "Vijayawada", "Jodhpur", "Madurai", "Raipur", "Kota", "Guwahati", "Chandigarh", "Solapur", "Hubballi", "Tiruppur",
    "Mysuru", "Mysore", "Gurugram", "Gurgaon", "Noida", "Kochi", "Thiruvananthapuram", "Bhubaneswar", "Dehradun",
    "Jamshedpur", "Salem", "Warangal", "Guntur", "Panipat", "Vapi",
];

fn city_in<'a>(lines: impl Iterator<Item = &'a str>) -> Option<&'static str> {
    let text: String = lines.collect::<Vec<_>>().join(" ").to_lowercase();
    let words: Vec<&str> = text.split(|found: char| !found.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    CITIES.iter().rev().copied().find(|city| {
        let wanted: Vec<String> = city.to_lowercase().split(' ').map(str::to_owned).collect();
        words.windows(wanted.len()).any(|window| window == wanted.as_slice())
    })
}

fn field(text: Option<&str>) -> Field<einvoice_core::document::Text> {
    text.map_or(Field::Absent, |text| cut(text, 100).into())
}

fn phone(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    (6..=12).contains(&digits.len()).then_some(digits)
}

fn email(text: &str) -> Option<String> {
    let first = text.split([',', ';', ' ']).map(str::trim).find(|part| part.contains('@'))?;
    let (user, host) = first.split_once('@')?;
    let allowed = |text: &str, more: &str| !text.is_empty() && text.chars().all(|found| found.is_ascii_alphanumeric() || more.contains(found));
    ((6..=100).contains(&first.len()) && allowed(user, "+_.-") && allowed(host, ".-")).then(|| first.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_only_reach_somebody_are_no_address() {
        let lines = ["Plot No. 702, Pace City-II,", "Mob:9871099788", "Sector-37, Gurgaon-122001", "a@b.in", "GSTIN 29ABCDE1234F1Z5"];
        let (first, rest) = address(lines.into_iter());
        assert_eq!(first.as_deref(), Some("Plot No. 702, Pace City-II"));
        assert_eq!(rest.as_deref(), Some("Sector-37, Gurgaon-122001"));
        assert!(!is_contact("Phoenix Mall, 4th floor"));
    }

    #[test]
    fn a_city_is_found_as_a_whole_word_only() {
        assert_eq!(city_in(["12, MG Road", "Navi Mumbai 400703"].into_iter()), Some("Navi Mumbai"));
        assert_eq!(city_in(["Punepet Lane"].into_iter()), None);
    }

    #[test]
    fn phones_and_addresses_that_the_portal_would_refuse_are_left_out() {
        assert_eq!(phone("+91-98765 43210").as_deref(), Some("919876543210"));
        assert_eq!(phone("12"), None);
        assert_eq!(email("sales@example.in, x@y.in").as_deref(), Some("sales@example.in"));
        assert_eq!(email("not an address"), None);
    }
}
