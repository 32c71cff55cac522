//! The supplier of a voucher: from configuration, else from the company and registration masters.

use einvoice_core::document::{Field, SellerDtls};
use einvoice_core::finding::Finding;
use einvoice_core::identifier::Gstin;
use einvoice_core::number::Whole;

use super::address::{address, email, field, phone, town_in};
use super::report::Report;
use super::{Context, Settings, cut};
use crate::config::SellerConfig;
use crate::lexical;
use crate::masters::{Company, Contact, Masters, TaxUnit};
use crate::xml::Element;
use einvoice_core::spelling::states;

const CONFIGURED: &str = "configuration `seller`";
const BY_ADDRESS: &str = "M:COMPANY or M:TAXUNIT ADDRESS.LIST";

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
    gstin: &'c str,
    configured: Option<&'c SellerConfig>,
    company: Option<&'c Company>,
    unit: Option<&'c TaxUnit>,
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
    let company = context.masters.the_company();
    let unit = context.masters.tax_unit(gstin);
    let of_unit = unit.map(|unit| &unit.contact).filter(|contact| !contact.address.is_empty());
    let known = Known {
        gstin,
        configured: context.settings.config.seller.iter().find(|found| found.gstin == *gstin),
        company,
        unit,
        contact: of_unit.or_else(|| company.map(|company| &company.contact)),
    };
    known.name(&mut seller, report);
    known.place(&mut seller, report);
    known.reach(&mut seller);
    // One finding a field, at the field's own path: the rulebook then needs not say it again.
    for (member, key, what, missing) in [
        ("LglNm", "legal_name", "legal name", seller.lgl_nm.is_absent()),
        ("Addr1", "address1", "address", seller.addr1.is_absent()),
        ("Loc", "location", "town", seller.loc.is_absent()),
        ("Pin", "pin", "PIN", seller.pin.is_absent()),
    ] {
        if missing {
            report.add(
                Finding::error(
                    "tally.seller_incomplete",
                    format!("SellerDtls.{member}"),
                    format!("the {what} of supplier {gstin} is nowhere in the export"),
                )
                .with_fix(format!(
                    "Set `{key}` in a `seller` block for this GSTIN in the configuration, or export with dependent masters."
                )),
            );
        }
    }
    seller
}

impl<'c> Known<'c> {
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

    fn place(&self, seller: &mut SellerDtls, report: &mut Report) {
        let lines = || self.contact.map(|contact| contact.address.iter().map(String::as_str));
        // An address is taken whole from one place, never half configured and half from masters.
        if let Some(first) = self.setting(|config| config.address1.as_deref()) {
            seller.addr1 = field(Some(first));
            seller.addr2 = field(self.setting(|config| config.address2.as_deref()));
            report.from("SellerDtls.Addr1", CONFIGURED);
        } else {
            let (first, rest) = lines().map(address).unwrap_or_default();
            seller.addr1 = field(first.as_deref());
            seller.addr2 = field(rest.as_deref().filter(|line| line.chars().count() >= 3));
            report.from("SellerDtls.Addr1", BY_ADDRESS);
        }
        let state = Gstin::parse(self.gstin).ok().and_then(|gstin| gstin.state());
        seller.stcd = Field::from_option(state);
        report.from("SellerDtls.Stcd", "the GSTIN");
        let set = self.setting(|config| config.location.as_deref()).map(|place| (place, CONFIGURED));
        let location = set
            .or_else(|| {
                self.unit
                    .and_then(|unit| unit.bill_from_place.as_deref())
                    .map(|place| (place, "M:TAXUNIT/GSTEINVBILLFROMPLACE"))
            })
            .or_else(|| Some((lines().and_then(town_in)?.of("the supplier", report), "the city in the address")))
            .or_else(|| state.and_then(states::name).map(|name| (name, "the state")));
        if let Some((place, origin)) = location {
            seller.loc = cut(place, 50).into();
            report.from("SellerDtls.Loc", origin);
        }
        let set = self.configured.and_then(|config| config.pin).map(|pin| (i64::from(pin), CONFIGURED));
        let own = || self.contact.and_then(|contact| contact.pin.as_deref()).and_then(lexical::pin_in);
        if let Some((pin, origin)) = set.or_else(|| own().map(|pin| (pin, "M:COMPANY or M:TAXUNIT PINCODE"))) {
            seller.pin = Whole::from_units(pin).into();
            report.from("SellerDtls.Pin", origin);
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
