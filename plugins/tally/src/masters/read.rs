//! Reading masters from their elements.

use einvoice_core::date::DocumentDate;
use einvoice_core::number::Rate;

use super::{
    Company, Contact, Group, GstDetails, Ledger, Masters, Rates, Registration, StockItem, TaxUnit, Taxability,
    VoucherType,
};
use crate::lexical;
use crate::xml::Element;
use einvoice_core::spelling;

impl Masters {
    /// Takes one master in. What has no name or is deleted is passed over.
    pub(crate) fn add(&mut self, element: &Element<'_>) {
        let Some(name) = element.attribute("NAME").or_else(|| element.get("NAME")) else { return };
        if element.is_yes("ISDELETED") {
            return;
        }
        let key = spelling::fold(name);
        match element.name() {
            "LEDGER" => _ = self.ledgers.insert(key, ledger(element)),
            "GROUP" => {
                let reserved = element.attribute("RESERVEDNAME").map(str::to_owned);
                self.groups.insert(key, Group { parent: owned(element, "PARENT"), reserved });
            }
            "STOCKITEM" => _ = self.items.insert(key, stock(element)),
            "STOCKGROUP" => _ = self.stock_groups.insert(key, stock(element)),
            "UNIT" => {
                let dated =
                    element.all("REPORTINGUQCDETAILS.LIST").filter_map(|list| list.get("REPORTINGUQCNAME")).last();
                if let Some(unit) = element.get("GSTREPUOM").or(dated) {
                    self.units.insert(key, unit.to_owned());
                }
            }
            "VOUCHERTYPE" => {
                let reserved = element.attribute("RESERVEDNAME").map(str::to_owned);
                let renumbers =
                    element.get("NUMBERINGSTYLE").is_some_and(|style| spelling::same(style, "Auto Renumber"));
                self.voucher_types.insert(key, VoucherType { reserved, parent: owned(element, "PARENT"), renumbers });
            }
            "TAXUNIT" => self.tax_units.push(tax_unit(element, name)),
            "COMPANY" => {
                let formal_name = owned(element, "BASICCOMPANYFORMALNAME");
                self.company = Some(Company { name: Some(name.to_owned()), formal_name, contact: contact(element) });
            }
            "CURRENCY" => {
                if let Some(code) = element.get("MAILINGNAME").or_else(|| element.get("ISOCURRENCYCODE")) {
                    self.currencies.insert(name.to_owned(), code.to_owned());
                }
            }
            _ => {}
        }
    }
}

fn owned(element: &Element<'_>, name: &str) -> Option<String> {
    element.get(name).map(str::to_owned)
}

fn ledger(element: &Element<'_>) -> Ledger {
    let mut registrations: Vec<_> = element
        .all("LEDGSTREGDETAILS.LIST")
        .map(|list| {
            let registration = Registration {
                gstin: owned(list, "GSTIN"),
                kind: owned(list, "GSTREGISTRATIONTYPE"),
                place_of_supply: owned(list, "PLACEOFSUPPLY"),
            };
            (from(list), registration)
        })
        .collect();
    if registrations.is_empty() {
        // Before release 3 the party's registration stands on the ledger itself.
        let registration = Registration {
            gstin: element.first(&["PARTYGSTIN", "GSTIN"]).map(|(gstin, _)| gstin.to_owned()),
            kind: owned(element, "GSTREGISTRATIONTYPE"),
            place_of_supply: None,
        };
        registrations.push((None, registration));
    }
    let rounding = element.get("ROUNDINGMETHOD").is_some() || element.get("ROUNDTYPE").is_some();
    Ledger {
        parent: owned(element, "PARENT"),
        tax_type: owned(element, "TAXTYPE"),
        duty_head: owned(element, "GSTDUTYHEAD"),
        rounds: rounding,
        appropriate_for_gst: element.get("APPROPRIATEFOR").is_some_and(|value| value.eq_ignore_ascii_case("GST")),
        gst_applicable: gst_applicable(element),
        registrations,
        contact: contact(element),
        gst: gst_details(element),
    }
}

/// `Applicable`, or the word for its opposite, which value reading takes as empty.
fn gst_applicable(element: &Element<'_>) -> Option<bool> {
    let child = element.child("GSTAPPLICABLE")?;
    if child.raw_text().is_empty() {
        return None;
    }
    Some(lexical::value(child.raw_text()).is_some_and(|value| value.eq_ignore_ascii_case("applicable")))
}

fn stock(element: &Element<'_>) -> StockItem {
    let part_number = element
        .all("MAILINGNAME.LIST")
        .flat_map(|list| list.children().iter())
        .find_map(|line| lexical::value(line.raw_text()))
        .or_else(|| element.get("PARTNO"))
        .map(str::to_owned);
    let is_service = element.get("GSTTYPEOFSUPPLY").is_some_and(|kind| kind.eq_ignore_ascii_case("services"));
    StockItem { parent: owned(element, "PARENT"), part_number, is_service, gst: gst_details(element) }
}

fn tax_unit(element: &Element<'_>, name: &str) -> TaxUnit {
    TaxUnit {
        name: name.to_owned(),
        gstin: element.get("GSTREGNUMBER").or_else(|| element.attribute("TAXREGISTRATION")).map(str::to_owned),
        bill_from_place: owned(element, "GSTEINVBILLFROMPLACE"),
        contact: contact(element),
    }
}

/// Address of a ledger, company or registration: the latest mailing details, else its own fields.
fn contact(element: &Element<'_>) -> Contact {
    let dated = element.all("LEDMAILINGDETAILS.LIST").max_by_key(|list| from(list).map(DocumentDate::date));
    let place = dated.unwrap_or(element);
    let text =
        |names: &[&'static str]| place.first(names).or_else(|| element.first(names)).map(|(value, _)| value.to_owned());
    let mut address: Vec<String> = place.lines("ADDRESS.LIST").into_iter().map(str::to_owned).collect();
    if address.is_empty() {
        address = element.lines("ADDRESS.LIST").into_iter().map(str::to_owned).collect();
    }
    Contact {
        name: text(&["MAILINGNAME", "BASICCOMPANYFORMALNAME"]),
        address,
        pin: text(&["PINCODE"]),
        state: text(&["STATE", "STATENAME", "LEDSTATENAME", "PRIORSTATENAME"]),
        phone: text(&["LEDGERMOBILE", "LEDGERPHONE", "PHONENUMBER", "MOBILENO"]),
        email: text(&["EMAIL"]),
    }
}

fn gst_details(element: &Element<'_>) -> GstDetails {
    let mut details = GstDetails::default();
    for list in element.all("HSNDETAILS.LIST") {
        if let Some(code) = list.get("HSNCODE") {
            details.hsn.push((from(list), code.to_owned()));
        }
    }
    for list in element.all("GSTDETAILS.LIST") {
        if let Some(code) = list.get("HSNCODE") {
            details.hsn.push((from(list), code.to_owned()));
        }
        let states = list.all("STATEWISEDETAILS.LIST").map(rates).find(|rates| *rates != Rates::default());
        let found = states.or_else(|| Some(rates(list)).filter(|rates| *rates != Rates::default()));
        if let Some(found) = found {
            details.rates.push((from(list), found));
        }
        // A rate says as much as the word, and an older word must not outlive it.
        let taxed = || found.and_then(|rates| rates.gst()).filter(nonzero).map(|_| Taxability::Taxable);
        if let Some(said) = list.get("TAXABILITY").and_then(Taxability::of_word).or_else(taxed) {
            details.taxability.push((from(list), said));
        }
    }
    details
}

fn from(list: &Element<'_>) -> Option<DocumentDate> {
    list.get("APPLICABLEFROM").and_then(lexical::date)
}

/// Largest per cent believed, in thousandths: compensation cess reaches 290.
const PER_CENT_MAX: i64 = 999_999;

/// The rates in the `RATEDETAILS.LIST`s of a line, allocation or master. An entry with an empty head
/// makes the whole list unknown: importers that used the old head names leave such pairs.
pub(crate) fn rates(element: &Element<'_>) -> Rates {
    let mut found = Rates::default();
    for entry in element.all("RATEDETAILS.LIST") {
        let rate = entry
            .get("GSTRATE")
            .and_then(lexical::rate)
            .filter(|rate| (0..=PER_CENT_MAX).contains(&rate.thousandths()));
        let Some(head) = entry.get("GSTRATEDUTYHEAD") else {
            if rate.is_some_and(|rate| !rate.is_zero()) {
                return Rates::default();
            }
            continue;
        };
        let per_unit = entry.get("GSTRATEPERUNIT").and_then(lexical::rate);
        match duty_head(head) {
            Some(Head::Igst) => found.igst = rate,
            Some(Head::Cgst) => found.cgst = rate,
            Some(Head::Sgst) => found.sgst = rate,
            Some(Head::Cess) => {
                let by_quantity = entry.get("GSTRATEVALUATIONTYPE").is_some_and(|kind| kind.contains("Quantity"));
                let by_value = entry.get("GSTRATEVALUATIONTYPE").is_some_and(|kind| kind.contains("Value"));
                found.cess = rate.filter(|_| by_value).filter(nonzero);
                found.cess_per_unit = per_unit.or(rate.filter(|_| !by_value)).filter(|_| by_quantity).filter(nonzero);
            }
            Some(Head::StateCess) => found.state_cess = rate.filter(nonzero),
            None => {}
        }
    }
    found
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "a filter of options passes a reference")]
fn nonzero(rate: &Rate) -> bool {
    !rate.is_zero()
}

/// A duty head of GST.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Head {
    /// Integrated tax.
    Igst,
    /// Central tax.
    Cgst,
    /// State or union territory tax.
    Sgst,
    /// Compensation cess.
    Cess,
    /// State cess.
    StateCess,
}

/// The head of a name, in the words of release 3 and later or of the older ones.
pub(crate) fn duty_head(name: &str) -> Option<Head> {
    match spelling::fold(name).as_str() {
        "igst" | "integratedtax" => Some(Head::Igst),
        "cgst" | "centraltax" => Some(Head::Cgst),
        "sgst" | "sgstutgst" | "utgst" | "statetax" | "statetaxutgst" => Some(Head::Sgst),
        "cess" | "compensationcess" => Some(Head::Cess),
        "statecess" | "kfc" | "keralafloodcess" => Some(Head::StateCess),
        _ => None,
    }
}
