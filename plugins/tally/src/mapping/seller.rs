//! The supplier of a voucher: from configuration, else from the company and registration masters.

use einvoice_core::document::{Field, SellerDtls};
use einvoice_core::finding::{Finding, Severity};
use einvoice_core::identifier::{Gstin, StateCode};
use einvoice_core::number::Whole;

use super::address::{address, email, field, is_same_town, phone, town_in};
use super::report::Report;
use super::{Context, Settings, cut};
use crate::config::SellerConfig;
use crate::lexical;
use crate::masters::{Company, Contact, Masters, TaxUnit};
use crate::xml::Element;
use einvoice_core::spelling::{self, states};

const CONFIGURED: &str = "configuration `seller`";
const BY_ADDRESS: &str = "M:COMPANY or M:TAXUNIT ADDRESS.LIST";
const IN_ADDRESS: &str = "the city in the address";
const SUPPLIER: &str = "the supplier";

/// Whether an address is said to be in another state than a registration: then it is another office's.
fn lies_elsewhere(contact: &Contact, state: Option<StateCode>) -> bool {
    let own = contact.state.as_deref().and_then(states::code);
    own.zip(state).is_some_and(|(own, state)| own != state)
}

/// A part that is configured and one of the masters' address that contradicts it.
fn mixed(member: &str, what: &str, configured: &str, own: &str) -> Finding {
    let message =
        format!("the {what} of the supplier is configured, and its street comes from a master whose {what} is another");
    Finding::error("tally.seller_address_mixed", format!("SellerDtls.{member}"), message)
        .with_found(format!("{configured} in the configuration, {own} in the company's or the registration's master"))
        .with_expected("one whole address")
        .with_fix("Set `address1`, `location` and `pin` together in the `seller` block, or none of them, and correct the address in Tally.")
}

/// The GSTIN of the supplier: a company may have several registrations, so the voucher speaks first.
pub(crate) fn seller_gstin(
    element: &Element<'_>,
    masters: &Masters,
    settings: &Settings,
) -> Option<(String, &'static str)> {
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
    match settings.config.seller.as_slice() {
        [only] => Some((only.gstin.clone(), "configuration `seller`")),
        _ => None,
    }
}

/// What is known of a supplier.
struct Known<'c> {
    state: Option<StateCode>,
    configured: Option<&'c SellerConfig>,
    company: Option<&'c Company>,
    unit: Option<&'c TaxUnit>,
    /// Whose address is taken, where none is configured.
    contact: Option<&'c Contact>,
}

/// The supplier.
pub(crate) fn seller(context: &Context<'_>, report: &mut Report) -> SellerDtls {
    let mut seller = SellerDtls::default();
    let Some((gstin, origin)) = &context.seller_gstin else {
        report.add(
            Finding::error(
                "tally.seller_gstin_missing",
                "SellerDtls.Gstin",
                "nothing says under which GSTIN the supply was made",
            )
            .with_expected(
                "CMPGSTIN or GSTREGISTRATION on the voucher, one TAXUNIT master, or one `seller` in the configuration",
            )
            .with_fix("Add a `seller` block with the GSTIN to the configuration of the source."),
        );
        return seller;
    };
    seller.gstin = Field::from_text(gstin);
    report.from("SellerDtls.Gstin", *origin);
    let known = Known::of(context, gstin);
    known.name(&mut seller, report);
    known.place(&mut seller, report);
    known.reach(&mut seller);
    known.incomplete(&seller, gstin, report);
    seller
}

impl<'c> Known<'c> {
    fn of(context: &'c Context<'_>, gstin: &str) -> Self {
        let company = context.masters.the_company();
        let unit = context.masters.tax_unit(gstin);
        let state = Gstin::parse(gstin).ok().and_then(|gstin| gstin.state());
        let of_unit = unit.map(|unit| &unit.contact).filter(|contact| !contact.address.is_empty());
        let of_company = company.map(|company| &company.contact).filter(|contact| !lies_elsewhere(contact, state));
        Self {
            state,
            configured: context.settings.config.seller.iter().find(|found| found.gstin == *gstin),
            company,
            unit,
            contact: of_unit.or(of_company),
        }
    }

    fn setting(&self, pick: fn(&SellerConfig) -> Option<&str>) -> Option<&'c str> {
        self.configured.and_then(pick)
    }

    /// The company's name in Tally often carries a financial year or a branch, so it is the last
    /// choice and said to be.
    fn name(&self, seller: &mut SellerDtls, report: &mut Report) {
        let set = self.setting(|config| config.legal_name.as_deref()).map(|name| (name, CONFIGURED));
        let formal = self
            .company
            .and_then(|company| company.formal_name.as_deref())
            .map(|name| (name, "M:COMPANY/BASICCOMPANYFORMALNAME"));
        if let Some((name, origin)) = set.or(formal) {
            seller.lgl_nm = field(Some(name));
            report.from("SellerDtls.LglNm", origin);
        } else if let Some(name) = self.company.and_then(|company| company.name.as_deref()) {
            seller.lgl_nm = field(Some(name));
            report.from("SellerDtls.LglNm", "M:COMPANY/NAME");
            report.add(
                Finding::warning(
                    "tally.seller_name_unchecked",
                    "SellerDtls.LglNm",
                    "the legal name is the company's name in Tally, which often carries a year or a branch",
                )
                .with_found(name)
                .with_fix("Set `legal_name` in a `seller` block of the configuration."),
            );
        }
        seller.trd_nm = field(self.setting(|config| config.trade_name.as_deref()));
    }

    /// An address is taken whole from one place, never half configured and half from masters, and never the street of one
    /// office with the PIN of another.
    fn place(&self, seller: &mut SellerDtls, report: &mut Report) {
        seller.stcd = Field::from_option(self.state);
        report.from("SellerDtls.Stcd", "the GSTIN");
        if let Some(first) = self.setting(|config| config.address1.as_deref()) {
            self.configured_place(first, seller, report);
        } else {
            self.place_of_masters(seller, report);
        }
    }

    fn configured_place(&self, first: &str, seller: &mut SellerDtls, report: &mut Report) {
        let rest = self.setting(|config| config.address2.as_deref());
        seller.addr1 = field(Some(first));
        seller.addr2 = field(rest);
        report.from("SellerDtls.Addr1", CONFIGURED);
        let set = self.setting(|config| config.location.as_deref()).map(|place| (place, CONFIGURED));
        let named = || Some((town_in(std::iter::once(first).chain(rest))?.of(SUPPLIER, report), IN_ADDRESS));
        if let Some((place, origin)) = set.or_else(named) {
            seller.loc = cut(place, 50).into();
            report.from("SellerDtls.Loc", origin);
        }
        if let Some(pin) = self.configured.and_then(|config| config.pin) {
            seller.pin = Whole::from_units(i64::from(pin)).into();
            report.from("SellerDtls.Pin", CONFIGURED);
        }
    }

    fn place_of_masters(&self, seller: &mut SellerDtls, report: &mut Report) {
        let lines = || self.contact.into_iter().flat_map(|contact| contact.address.iter().map(String::as_str));
        let (first, rest) = address(lines());
        seller.addr1 = field(first.as_deref());
        seller.addr2 = field(rest.as_deref().filter(|line| line.chars().count() >= 3));
        report.from("SellerDtls.Addr1", BY_ADDRESS);
        let named = town_in(lines());
        let set = self.setting(|config| config.location.as_deref());
        // A part of a city stands in the address beside it, and either is a right location.
        let is_written = |place: &str| lines().any(|line| spelling::fold(line).contains(&*spelling::fold(place)));
        let differs = |set: &str, named: &str| !is_same_town(set, named) && !is_written(set);
        if let Some((set, named)) = set.zip(named).filter(|(set, named)| differs(set, named.name)) {
            report.add(mixed("Loc", "town", set, named.name));
        }
        let location = set
            .map(|place| (place, CONFIGURED))
            .or_else(|| self.place_of_unit(named.is_some(), report))
            .or_else(|| Some((named?.of(SUPPLIER, report), IN_ADDRESS)))
            .or_else(|| self.state.and_then(states::name).map(|name| (name, "the state")));
        if let Some((place, origin)) = location {
            seller.loc = cut(place, 50).into();
            report.from("SellerDtls.Loc", origin);
        }
        let set = self.configured.and_then(|config| config.pin).map(i64::from);
        let own = self.contact.and_then(|contact| contact.pin.as_deref()).and_then(lexical::pin_in);
        // Within a sorting district a PIN may be newer than the master's; the first three digits are the district.
        if let Some((set, own)) = set.zip(own).filter(|(set, own)| set / 1_000 != own / 1_000) {
            report.add(mixed("Pin", "PIN", &set.to_string(), &own.to_string()));
        }
        let set = set.map(|pin| (pin, CONFIGURED));
        if let Some((pin, origin)) = set.or_else(|| own.map(|pin| (pin, "M:COMPANY or M:TAXUNIT PINCODE"))) {
            seller.pin = Whole::from_units(pin).into();
            report.from("SellerDtls.Pin", origin);
        }
    }

    /// The place that Tally itself sends for a registration: where the address is the registration's own, or there is none,
    /// or the company's, which names no town.
    fn place_of_unit(&self, address_names_town: bool, report: &mut Report) -> Option<(&'c str, &'static str)> {
        let unit = self.unit?;
        let place = unit.bill_from_place.as_deref()?;
        let is_beside_company = self.contact.is_some() && unit.contact.address.is_empty();
        if is_beside_company && address_names_town {
            return None;
        }
        if is_beside_company {
            let what = format!("town {place} of the supplier (that of the registration, with the company's address)");
            report.inferred(Severity::Warning, what);
        }
        Some((place, "M:TAXUNIT/GSTEINVBILLFROMPLACE"))
    }

    /// One finding a field, at the field's own path: the rulebook then needs not say it again.
    fn incomplete(&self, seller: &SellerDtls, gstin: &str, report: &mut Report) {
        let is_configured = self.setting(|config| config.address1.as_deref()).is_some();
        let elsewhere =
            self.company.map(|company| &company.contact).filter(|contact| lies_elsewhere(contact, self.state));
        for (member, key, what, missing) in [
            ("LglNm", "legal_name", "legal name", seller.lgl_nm.is_absent()),
            ("Addr1", "address1", "address", seller.addr1.is_absent()),
            ("Loc", "location", "town", seller.loc.is_absent()),
            ("Pin", "pin", "PIN", seller.pin.is_absent()),
        ] {
            if !missing {
                continue;
            }
            let path = format!("SellerDtls.{member}");
            let of_place = member != "LglNm";
            let message = if of_place && is_configured {
                format!(
                    "the street of supplier {gstin} is configured and its {what} is not, which is then taken from no other address"
                )
            } else {
                format!("the {what} of supplier {gstin} is nowhere in the export")
            };
            let finding = Finding::error("tally.seller_incomplete", path, message).with_fix(format!(
                "Set `{key}` in a `seller` block for this GSTIN in the configuration, or export with dependent masters."
            ));
            let state = elsewhere.filter(|_| of_place && !is_configured).and_then(|contact| contact.state.as_deref());
            report.add(match state {
                Some(state) => finding
                    .with_found(format!("the company's address, in {state}, which is not that of this registration"))
                    .with_expected("the address of the registration (TAXUNIT), or a whole one in the configuration"),
                None => finding,
            });
        }
    }

    fn reach(&self, seller: &mut SellerDtls) {
        let by_phone = self
            .setting(|config| config.phone.as_deref())
            .or_else(|| self.contact.and_then(|contact| contact.phone.as_deref()));
        let by_mail = self
            .setting(|config| config.email.as_deref())
            .or_else(|| self.contact.and_then(|contact| contact.email.as_deref()));
        seller.ph = Field::from_option(by_phone.and_then(phone).map(Into::into));
        seller.em = Field::from_option(by_mail.and_then(email).map(Into::into));
    }
}
