//! References, payment terms, export and e-way bill details of a voucher.

use einvoice_core::document::{ContrDtls, EwbDtls, ExpDtls, Field, PayDtls, PrecDocDtls, RefDtls, YesNo};
use einvoice_core::finding::{Finding, Severity};
use einvoice_core::identifier::{DocumentNumber, Gstin};
use einvoice_core::key::DocumentType;
use einvoice_core::number::Whole;

use super::report::Report;
use super::{Context, cut};
use crate::config::EwayBillMode;
use crate::lexical;
use crate::xml::Element;
use einvoice_core::spelling::countries;

/// Preceding documents, orders and remarks.
pub(crate) fn references(context: &Context<'_>, report: &mut Report) -> Option<RefDtls> {
    let element = context.voucher.element;
    let mut references = RefDtls::default();
    if context.doc_type != DocumentType::Invoice {
        references.prec_doc_dtls.extend(preceding(element, report));
        if let Some(reason) = element.get("GSTNATUREOFRETURN").filter(|reason| reason.chars().count() >= 3) {
            references.inv_rm = cut(reason, 100).into();
            report.from("RefDtls.InvRm", "V/GSTNATUREOFRETURN");
        }
    }
    for order in element.all("INVOICEORDERLIST.LIST") {
        let number = order.get("BASICPURCHASEORDERNO").filter(|number| number.len() <= 16 && is_reference(number));
        if let Some(number) = number {
            let date = order.get("BASICORDERDATE").and_then(lexical::date);
            report
                .from(format!("RefDtls.ContrDtls[{}].PORefr", references.contr_dtls.len()), "V/INVOICEORDERLIST.LIST");
            references.contr_dtls.push(ContrDtls {
                po_refr: number.into(),
                po_ref_dt: Field::from_option(date),
                ..ContrDtls::default()
            });
        } else if let Some(text) = order.get("BASICPURCHASEORDERNO") {
            report.add(
                Finding::new(
                    Severity::Info,
                    "tally.order_left_out",
                    "RefDtls.ContrDtls",
                    "an order reference is free text or longer than 16 characters and is left out",
                )
                .with_found(text),
            );
        }
    }
    (references != RefDtls::default()).then_some(references)
}

fn is_reference(text: &str) -> bool {
    text.chars().all(|found| found.is_ascii_alphanumeric() || matches!(found, '/' | '-'))
}

/// The document a note corrects: the reference, else the original invoice's details, else the bill
/// that the note is set off against.
fn preceding(element: &Element<'_>, report: &mut Report) -> Option<PrecDocDtls> {
    let reference = element.get("REFERENCE").zip(element.get("REFERENCEDATE")).map(|pair| (pair, "V/REFERENCE"));
    let original = || {
        element
            .children()
            .iter()
            .filter(|child| matches!(child.name(), "ORIGINVOICEDETAILS.LIST" | "INVOICEDETAILS.LIST"))
            .find_map(|list| {
                let number = list.first(&["REFNUM", "ORIGINVOICENO", "INVOICENO", "BASICORIGINVOICENO", "NUMBER"])?.0;
                let date = list.first(&["DATE", "ORIGINVOICEDATE", "INVOICEDATE"])?.0;
                Some(((number, date), "V/ORIGINVOICEDETAILS.LIST"))
            })
    };
    let bill = || {
        element
            .children()
            .iter()
            .flat_map(Element::children)
            .filter(|list| list.name() == "BILLALLOCATIONS.LIST")
            .find_map(|list| {
                let against = list.get("BILLTYPE").is_some_and(|kind| kind.eq_ignore_ascii_case("Agst Ref"));
                let date =
                    list.first(&["BILLDATE", "DATE"]).map(|(date, _)| date).or_else(|| element.get("REFERENCEDATE"))?;
                Some(((list.get("NAME").filter(|_| against)?, date), "BILLALLOCATIONS.LIST"))
            })
    };
    let ((number, date), origin) = reference.or_else(original).or_else(bill)?;
    let date = lexical::date(date)?;
    if DocumentNumber::parse(number).is_err() || number.len() < 2 {
        report.add(
            Finding::warning(
                "tally.reference_left_out",
                "RefDtls.PrecDocDtls",
                "the number of the original document has a form the portal refuses, so the reference is left out",
            )
            .with_found(number)
            .with_expected("2 to 16 letters, digits, '/' or '-', not beginning with 0, '/' or '-'"),
        );
        return None;
    }
    report.from("RefDtls.PrecDocDtls[0].InvNo", origin);
    Some(PrecDocDtls { inv_no: number.into(), inv_dt: date.into(), ..PrecDocDtls::default() })
}

/// Credit days, where the terms begin with a number.
pub(crate) fn payment(context: &Context<'_>, report: &mut Report) -> Option<PayDtls> {
    let terms = context.voucher.element.get("BASICDUEDATEOFPYMT")?;
    let days: i64 = terms.split_whitespace().next()?.parse().ok().filter(|days| (0..=9999).contains(days))?;
    report.from("PayDtls.CrDay", "V/BASICDUEDATEOFPYMT");
    Some(PayDtls { cr_day: Whole::from_units(days).into(), ..PayDtls::default() })
}

/// Export details.
pub(crate) fn export(context: &Context<'_>, currency: Option<&str>, report: &mut Report) -> Option<ExpDtls> {
    let element = context.voucher.element;
    let country = element.first(&["BASICDESTINATIONCOUNTRY", "CONSIGNEECOUNTRYNAME", "COUNTRYOFRESIDENCE"]);
    let bill = element.get("SHIPPINGBILLNO").filter(|number| number.len() <= 20);
    if !context.export && bill.is_none() {
        return None;
    }
    let mut export = ExpDtls {
        ship_b_no: bill.map_or(Field::Absent, Into::into),
        ship_b_dt: Field::from_option(element.get("SHIPPINGBILLDATE").and_then(lexical::date)),
        port: element.get("PORTCODE").map_or(Field::Absent, |code| code.to_uppercase().into()),
        ..ExpDtls::default()
    };
    if context.export {
        export.for_cur = currency.map_or(Field::Absent, Into::into);
        let names = ["BASICDESTINATIONCOUNTRY", "CONSIGNEECOUNTRYNAME", "COUNTRYOFRESIDENCE"];
        let found = names
            .iter()
            .find_map(|name| element.get(name).and_then(|country| Some((countries::code(country)?, *name))));
        match (found.filter(|(code, _)| *code != "IN"), country) {
            (Some((code, name)), _) => {
                export.cnt_code = code.into();
                report.from("ExpDtls.CntCode", format!("V/{name}"));
            }
            (None, Some((text, _))) => report.add(
                Finding::warning(
                    "tally.country_unknown",
                    "ExpDtls.CntCode",
                    "the country of destination is not in the portal's list under this name",
                )
                .with_found(text)
                .with_fix("Choose the country from Tally's own list."),
            ),
            (None, None) => {}
        }
    }
    report.from("ExpDtls", "V/SHIPPINGBILLNO, V/PORTCODE");
    (export != ExpDtls::default()).then_some(export)
}

/// The ISO code of a currency symbol.
pub(crate) fn currency_code(symbol: &str, context: &Context<'_>) -> Option<String> {
    let by_master = context
        .masters
        .currency(symbol)
        .filter(|code| code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_alphabetic()));
    by_master.map(str::to_uppercase).or_else(|| {
        let known = match symbol {
            "$" | "US$" | "USD" => "USD",
            "€" | "EUR" | "Euro" => "EUR",
            "£" | "GBP" => "GBP",
            "¥" | "JPY" => "JPY",
            "AED" | "Dhs" => "AED",
            "S$" | "SGD" => "SGD",
            "A$" | "AUD" => "AUD",
            _ => return None,
        };
        Some(known.to_owned())
    })
}

/// The logical of a voucher that says whether its user wants the e-way bill together with the IRN.
const WANTED: &str = "ISGSTEINVINCLEWAYBILL";

/// The request for an e-way bill together with the IRN: only for invoices of goods, only with
/// transport details, and never when the voucher has an e-way bill already or says no to one.
pub(crate) fn eway_bill(context: &Context<'_>, has_goods: bool, report: &mut Report) -> Option<EwbDtls> {
    let element = context.voucher.element;
    if context.settings.config.eway_bill == EwayBillMode::Never
        || context.doc_type != DocumentType::Invoice
        || !has_goods
    {
        return None;
    }
    let lists: Vec<&Element<'_>> = element.all("EWAYBILLDETAILS.LIST").collect();
    if lists.iter().any(|list| list.get("BILLNUMBER").is_some()) {
        return None;
    }
    let transport =
        lists.iter().flat_map(|list| list.all("TRANSPORTDETAILS.LIST")).find(|list| !list.children().is_empty());
    let wanted = element.is_yes(WANTED);
    let vehicle = transport
        .and_then(|list| list.get("VEHICLENUMBER"))
        .or_else(|| element.get("BASICSHIPVESSELNO").filter(|_| wanted || transport.is_some()));
    let field = |name: &str| transport.and_then(|list| list.get(name));
    let id = field("TRANSPORTERID");
    let mode = field("TRANSPORTMODE").and_then(mode_code).or_else(|| vehicle.map(|_| "1"));
    if id.is_none() && vehicle.is_none() && field("DOCUMENTNUMBER").is_none() && field("TRANSPORTMODE").is_none() {
        return None;
    }
    if element.is_no(WANTED) {
        report.add(
            Finding::new(
                Severity::Info,
                "tally.eway_bill_not_asked",
                "EwbDtls",
                format!("the voucher has transport details and says no to an e-way bill with the IRN ({WANTED}), so none is asked for"),
            )
            .with_found("No")
            .with_fix("Nothing, if the bill is made elsewhere. To have it made with the IRN, choose so on the voucher in Tally and export it again, or make it later with `einvoice ewb`."),
        );
        return None;
    }
    let document = field("DOCUMENTNUMBER")
        .or_else(|| element.first(&["BASICSHIPDOCUMENTNO", "BILLOFLADINGNO"]).map(|(number, _)| number))
        .filter(|number| number.len() <= 15 && is_reference(number));
    let document_date = field("DOCUMENTDATE").or_else(|| element.get("BILLOFLADINGDATE")).and_then(lexical::date);
    let distance =
        field("DISTANCE").and_then(lexical::quantity).map_or(0, |(distance, _)| distance.thousandths() / 1000);
    let name =
        field("TRANSPORTERNAME").or_else(|| element.get("BASICSHIPPEDBY")).filter(|name| name.chars().count() >= 3);
    report.from("EwbDtls", "V/EWAYBILLDETAILS.LIST/TRANSPORTDETAILS.LIST");
    Some(EwbDtls {
        trans_id: id.map_or(Field::Absent, Field::<Gstin>::from_text),
        trans_name: name.map_or(Field::Absent, |name| cut(name, 100).into()),
        trans_mode: mode.map_or(Field::Absent, Into::into),
        distance: Whole::from_units(distance).into(),
        trans_doc_no: document.map_or(Field::Absent, Into::into),
        trans_doc_dt: Field::from_option(document_date.filter(|_| document.is_some())),
        veh_no: vehicle.map_or(Field::Absent, |number| vehicle_number(number).into()),
        veh_type: vehicle.map_or(Field::Absent, |_| vehicle_type(field("VEHICLETYPE")).into()),
        ..EwbDtls::default()
    })
}

fn mode_code(mode: &str) -> Option<&'static str> {
    let folded = mode.to_lowercase();
    let number = folded.split('-').next().unwrap_or_default().trim();
    ["1", "2", "3", "4"].into_iter().find(|code| *code == number).or_else(|| {
        [("road", "1"), ("rail", "2"), ("air", "3"), ("ship", "4")]
            .into_iter()
            .find(|(word, _)| folded.contains(word))
            .map(|(_, code)| code)
    })
}

fn vehicle_type(kind: Option<&str>) -> &'static str {
    let over = kind.is_some_and(|kind| kind.trim_start().starts_with(['O', 'o']));
    if over { "O" } else { "R" }
}

fn vehicle_number(number: &str) -> String {
    number.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_uppercase()
}

/// Whether the supply is by reverse charge.
pub(crate) fn reverse_charge(context: &Context<'_>) -> YesNo {
    let on_line = |line: &Element<'_>| {
        line.get("GSTOVRDNISREVCHARGEAPPL").is_some_and(|value| value.eq_ignore_ascii_case("applicable"))
    };
    let element = context.voucher.element;
    YesNo::from(element.is_yes("ISREVERSECHARGEAPPLICABLE") || element.children().iter().any(on_line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transport_modes_and_vehicles_are_read_in_both_spellings() {
        assert_eq!(mode_code("1 - Road"), Some("1"));
        assert_eq!(mode_code("Ship"), Some("4"));
        assert_eq!(mode_code("Bullock cart"), None);
        assert_eq!(vehicle_type(Some("O - Over Dimensional Cargo")), "O");
        assert_eq!(vehicle_type(Some("R - Regular")), "R");
        assert_eq!(vehicle_number("ka-01 ab 1234"), "KA01AB1234");
    }
}
