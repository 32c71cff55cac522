//! Item lines: what they are before tax, and the INV-01 items they become.

use einvoice_core::date::DocumentDate;
use einvoice_core::document::{BchDtls, Field, Item, YesNo};
use einvoice_core::finding::{Finding, Severity};
use einvoice_core::identifier::HsnCode;
use einvoice_core::number::{Amount, Quantity, Rate, UnitPrice};
use einvoice_core::source::Place;

use super::compute::{Base, Taxed};
use super::report::{Report, rupees};
use super::voucher::{ItemLine, LedgerLine};
use super::{Context, cut};
use crate::config::DescriptionMode;
use crate::lexical;
use crate::masters::{GstDetails, Rates, Taxability, rates};
use crate::xml::Element;
use einvoice_core::spelling;

/// Largest gross amount that is compared, in paise: a hundred times what the portal takes.
const GROSS_MAX: i64 = 9_999_999_999_999_900;

/// The origin of an HSN that is nothing but a fallback.
const BY_DEFAULT: &str = "configuration `default_hsn`";

/// One line that becomes an item.
#[derive(Debug, Clone)]
pub(crate) struct Source<'v> {
    pub(crate) element: &'v Element<'v>,
    pub(crate) name: &'v str,
    pub(crate) is_stock_item: bool,
    pub(crate) quantity: Option<(Quantity, &'v str)>,
    pub(crate) free: Option<Quantity>,
    pub(crate) price: Option<UnitPrice>,
    /// Discount by percentage that `AMOUNT` is net of, in paise.
    pub(crate) own_discount: i64,
    pub(crate) hsn: Option<(HsnCode, String)>,
    pub(crate) hsn_text: Option<String>,
    pub(crate) is_service: bool,
    pub(crate) rate_origin: &'static str,
    pub(crate) base: Base,
    /// Set when the line was netted into another one.
    pub(crate) netted: bool,
}

/// The line of a stock item.
pub(crate) fn of_item<'v>(line: &ItemLine<'v>, context: &Context<'_>) -> Source<'v> {
    let element = line.element;
    let master = context.masters.item(line.name);
    let groups = master.map(|item| context.masters.stock_groups(item)).unwrap_or_default();
    let allocation = element
        .children()
        .iter()
        .find(|child| child.name() == "ACCOUNTINGALLOCATIONS.LIST" && child.get("LEDGERNAME").is_some());
    let sales = allocation.and_then(|line| line.get("LEDGERNAME")).and_then(|name| context.masters.ledger(name));
    let behind: Vec<&GstDetails> = master
        .map(|item| &item.gst)
        .into_iter()
        .chain(groups.iter().map(|group| &group.gst))
        .chain(sales.map(|ledger| &ledger.gst))
        .collect();
    // A quantity of nought is none: an amount without one.
    let stated =
        |name: &str| element.get(name).and_then(lexical::quantity).filter(|(found, _)| found.thousandths() != 0);
    let quantity = stated("BILLEDQTY").or_else(|| stated("ACTUALQTY"));
    let free = element
        .get("ACTUALQTY")
        .and_then(lexical::quantity)
        .zip(quantity)
        .and_then(|((actual, _), (billed, _))| magnitude(actual).checked_sub(magnitude(billed)))
        .filter(|free| free.thousandths() > 0);
    let lines: Vec<&Element<'_>> = std::iter::once(element).chain(allocation).collect();
    let mut source = common(element, line.name, line.amount, &lines, &behind, context);
    source.is_stock_item = true;
    source.free = free;
    source.quantity = quantity.map(|(quantity, unit)| (magnitude(quantity), unit));
    source.price =
        element.get("RATE").and_then(lexical::price).map(|(price, _)| price).filter(|price| !price.is_negative());
    source.is_service |= master.is_some_and(|item| item.is_service) && element.get("GSTOVRDNTYPEOFSUPPLY").is_none();
    source.base.quantity = source.quantity.map_or(0, |(quantity, _)| quantity.thousandths());
    price_and_discount(&mut source);
    source
}

/// The line of an income ledger, on a bill without stock items or as a charge of its own.
pub(crate) fn of_ledger<'v>(line: &LedgerLine<'v>, context: &Context<'_>) -> Source<'v> {
    let master = context.masters.ledger(line.name);
    let behind: Vec<&GstDetails> = master.map(|ledger| &ledger.gst).into_iter().collect();
    let mut source = common(line.element, line.name, line.amount, &[line.element], &behind, context);
    source.base.quantity = 1000;
    source
}

fn magnitude(quantity: Quantity) -> Quantity {
    quantity.checked_abs().unwrap_or_default()
}

fn common<'v>(
    element: &'v Element<'v>,
    name: &'v str,
    amount: Amount,
    lines: &[&Element<'_>],
    behind: &[&GstDetails],
    context: &Context<'_>,
) -> Source<'v> {
    let (hsn, hsn_text) = hsn_of(name, lines, behind, context);
    let (found, rate_origin) = rates_of(lines, behind, context.day);
    let supply = lines.iter().find_map(|line| line.get("GSTOVRDNTYPEOFSUPPLY"));
    let exempt = is_exempt(lines, behind, context.day);
    let allocated = element
        .all("EXPENSEALLOCATIONS.LIST")
        .filter_map(|list| {
            Some((spelling::fold(list.get("LEDGERNAME")?), lexical::amount(list.get("VATASSESSABLEAMOUNT")?)?.paise()))
        })
        .collect();
    let overridden = element.is_yes("ISGSTASSESSABLEVALUEOVERRIDDEN");
    let assessable = element.get("GSTOVRDNASSESSABLEVALUE").filter(|_| overridden).and_then(lexical::amount);
    Source {
        element,
        name,
        is_stock_item: false,
        quantity: None,
        free: None,
        price: None,
        own_discount: 0,
        is_service: supply.is_some_and(|kind| kind.eq_ignore_ascii_case("services"))
            || hsn.as_ref().is_some_and(|(code, _)| code.is_service()),
        hsn,
        hsn_text,
        rate_origin,
        base: Base {
            value: amount.paise(),
            rates: found,
            exempt,
            quantity: 0,
            allocated,
            assessable: assessable.and_then(Amount::checked_abs).map(Amount::paise),
        },
        netted: false,
    }
}

/// A line without tax: exempt, nil rated, outside GST. The voucher speaks first, then the masters behind the line, nearest
/// first.
fn is_exempt(lines: &[&Element<'_>], behind: &[&GstDetails], day: Option<DocumentDate>) -> bool {
    let words = lines.iter().filter_map(|line| line.get("GSTOVRDNTAXABILITY").and_then(Taxability::of_word));
    let natures = lines.iter().filter_map(|line| line.get("GSTOVRDNNATURE").and_then(Taxability::of_nature));
    let said: Vec<Taxability> = words.chain(natures).collect();
    if !said.is_empty() {
        return said.contains(&Taxability::Exempt);
    }
    if lines.iter().any(|line| rates(line).gst().is_some_and(|rate| !rate.is_zero())) {
        return false;
    }
    behind.iter().find_map(|details| details.taxability_on(day)) == Some(Taxability::Exempt)
}

fn hsn_of(
    name: &str,
    lines: &[&Element<'_>],
    behind: &[&GstDetails],
    context: &Context<'_>,
) -> (Option<(HsnCode, String)>, Option<String>) {
    let on_line = lines
        .iter()
        .find_map(|line| line.first(&["GSTHSNNAME", "HSNMASTERNAME", "GSTHSNSACCODE", "HSNCODE"]))
        .map(|(text, tag)| (text, format!("I/{tag}")));
    let configured = || context.settings.hsn(name).map(|text| (text, "configuration `hsn`".to_owned()));
    let by_master = || {
        behind
            .iter()
            .enumerate()
            .find_map(|(index, details)| details.hsn_on(context.day).map(|text| (text, index)))
            .map(|(text, index)| {
                (
                    text,
                    if index == 0 {
                        "M:HSNDETAILS.LIST/HSNCODE"
                    } else {
                        "M:HSNDETAILS.LIST/HSNCODE of the group or ledger"
                    }
                    .to_owned(),
                )
            })
    };
    let default = || context.settings.config.default_hsn.as_deref().map(|text| (text, BY_DEFAULT.to_owned()));
    let Some((text, origin)) = on_line.or_else(configured).or_else(by_master).or_else(default) else {
        return (None, None);
    };
    let digits: String = text.chars().filter(|found| !found.is_whitespace() && *found != '.').collect();
    match HsnCode::parse(&digits) {
        Ok(code) => (Some((code, origin)), None),
        Err(_) => (None, Some(text.to_owned())),
    }
}

fn rates_of(
    lines: &[&Element<'_>],
    behind: &[&GstDetails],
    day: Option<DocumentDate>,
) -> (Option<Rates>, &'static str) {
    let known = |rates: &Rates| rates.gst().is_some_and(|rate| !rate.is_zero());
    let on_lines: Vec<Rates> = lines.iter().map(|line| rates(line)).collect();
    if let Some(found) = on_lines.iter().find(|rates| known(rates)) {
        return (Some(*found), "I/RATEDETAILS.LIST");
    }
    if let Some(found) = behind.iter().filter_map(|details| details.rates_on(day)).find(known) {
        return (Some(found), "M:GSTDETAILS.LIST");
    }
    let stated = on_lines.into_iter().find(|rates| rates.gst().is_some());
    (stated.filter(|rates| rates.igst.is_some()), "I/RATEDETAILS.LIST")
}

/// `DISCOUNT` is a percentage that `AMOUNT` is net of already. Where quantity, rate and amount do not
/// agree within a rupee, the amount is the truth: the rate may include tax.
fn price_and_discount(source: &mut Source<'_>) {
    let Some(((quantity, _), price)) = source.quantity.zip(source.price) else {
        source.price = None;
        return;
    };
    let Some(gross) = quantity.times(price).map(Amount::paise).filter(|gross| *gross <= GROSS_MAX) else {
        source.price = None;
        return;
    };
    let net = source.base.value.abs();
    let percent = source.element.get("DISCOUNT").and_then(lexical::rate).filter(|rate| !rate.is_zero());
    let expected =
        percent.map_or(gross, |percent| gross - percent.of(Amount::from_paise(gross)).unwrap_or_default().paise());
    if (expected - net).abs() > 100 {
        source.price = None;
    } else if percent.is_some() && gross > net {
        source.own_discount = gross - net;
    }
}

/// Nets lines of returned goods against other lines of the same item kind, since INV-01 has no
/// negative lines.
pub(crate) fn net(sources: &mut Vec<Source<'_>>, report: &mut Report) {
    let key = |source: &Source<'_>| {
        (
            source.hsn.as_ref().map(|(code, _)| *code),
            source.base.rates.and_then(|rates| rates.gst()),
            source.base.exempt,
        )
    };
    while let Some(index) = sources.iter().position(|source| source.base.value < 0 && !source.netted) {
        let Some(negative) = sources.get(index).cloned() else { return };
        let target = sources
            .iter_mut()
            .enumerate()
            .filter(|(at, source)| {
                *at != index && key(source) == key(&negative) && source.base.value + negative.base.value >= 0
            })
            .max_by_key(|(_, source)| (spelling::same(source.name, negative.name), source.base.value));
        let Some((_, target)) = target else {
            report.add(
                Finding::error(
                    "tally.negative_item",
                    "ItemList",
                    format!(
                        "the line of \"{}\" is negative and no other line of the same HSN and rate can take it up",
                        negative.name
                    ),
                )
                .with_found(rupees(Amount::from_paise(negative.base.value)))
                .with_expected("lines that are positive, or a line of the same HSN and rate to net it with")
                .with_fix("Take the returned goods out of this bill and issue a credit note for them."),
            );
            if let Some(source) = sources.get_mut(index) {
                source.netted = true;
            }
            continue;
        };
        target.base.value += negative.base.value;
        target.own_discount = 0;
        target.price = None;
        if let (Some((quantity, unit)), Some((less, other))) = (target.quantity, negative.quantity)
            && spelling::same(unit, other)
            && let Some(left) = quantity.checked_sub(less).filter(|left| left.thousandths() > 0)
        {
            target.quantity = Some((left, unit));
        }
        report.add(
            Finding::repaired(
                "tally.negative_item_netted",
                "ItemList",
                format!("the negative line of \"{}\" was netted with the line of \"{}\"", negative.name, target.name),
            )
            .with_found(rupees(Amount::from_paise(negative.base.value))),
        );
        sources.remove(index);
    }
}

/// The INV-01 item of a line and its taxes.
pub(crate) fn to_item(
    position: usize,
    source: &Source<'_>,
    taxed: &Taxed,
    context: &Context<'_>,
    report: &mut Report,
) -> Item {
    let at = |member: &'static str| Place::OfItem(member, position);
    let mut item = Item { sl_no: (position + 1).to_string().into(), ..Item::default() };
    let description = describe(source, context.settings.config.description);
    if description.chars().count() >= 3 {
        item.prd_desc = cut(&description, 300).into();
        report.from(at("PrdDesc"), if source.is_stock_item { "I/STOCKITEMNAME" } else { "L/LEDGERNAME" });
    }
    item.is_servc = YesNo::from(source.is_service).into();
    report.from(
        at("IsServc"),
        if source.element.get("GSTOVRDNTYPEOFSUPPLY").is_some() { "I/GSTOVRDNTYPEOFSUPPLY" } else { "the HSN" },
    );
    match (&source.hsn, &source.hsn_text) {
        (Some((code, origin)), _) => {
            item.hsn_cd = (*code).into();
            if origin == BY_DEFAULT {
                report.inferred(Severity::Warning, format!("HSN {code} of \"{}\" ({origin})", source.name));
            }
            report.from(at("HsnCd"), origin.clone());
        }
        (None, Some(text)) => item.hsn_cd = Field::Malformed(text.as_str().into()),
        (None, None) => report.add(
            Finding::error("tally.hsn_missing", at("HsnCd").to_string(), format!("nothing gives the HSN of \"{}\"", source.name))
                .with_expected("an HSN on the line, its item, its group or its ledger")
                .with_fix("Enter the HSN in the item's master in Tally and export with dependent masters, or name it under `hsn` in the configuration."),
        ),
    }
    if let Some(part) = context
        .masters
        .item(source.name)
        .and_then(|item| item.part_number.as_deref())
        .filter(|part| (3..=30).contains(&part.chars().count()))
    {
        item.barcde = part.into();
        report.from(at("Barcde"), "M:STOCKITEM part number");
    }
    quantities(&mut item, position, source, context, report);
    money(&mut item, position, source, taxed, report);
    item.bch_dtls = batch(source.element, at("BchDtls"), report);
    item
}

fn describe(source: &Source<'_>, mode: DescriptionMode) -> String {
    let lines = source.element.lines("BASICUSERDESCRIPTION.LIST");
    if mode == DescriptionMode::ItemAndLines && !lines.is_empty() {
        return format!("{} {}", source.name, lines.join(" "));
    }
    source.name.to_owned()
}

fn quantities(item: &mut Item, position: usize, source: &Source<'_>, context: &Context<'_>, report: &mut Report) {
    let at = |member: &'static str| Place::OfItem(member, position);
    if let Some((quantity, unit)) = source.quantity {
        item.qty = quantity.into();
        item.free_qty = Field::from_option(source.free);
        report.from(at("Qty"), "I/BILLEDQTY");
        let (code, origin) = context.unit(unit);
        let doubt = match origin {
            super::UNIT_UNKNOWN => Some(Severity::Warning),
            super::UNIT_ALIAS => Some(Severity::Info),
            _ => None,
        };
        if let Some(severity) = doubt {
            report.inferred(severity, format!("unit {code} for \"{unit}\" ({origin})"));
        }
        item.unit = code.into();
        report.from(at("Unit"), origin);
        return;
    }
    item.qty = Quantity::from_thousandths(1000).into();
    item.unit = "OTH".into();
    report.from(at("Qty"), "1, as the line has no quantity");
    report.from(at("Unit"), "OTH, as the line has no quantity");
    if !source.is_service {
        report.add(
            Finding::warning(
                "tally.quantity_assumed",
                at("Qty").to_string(),
                format!("\"{}\" is goods but the voucher has no quantity; 1 OTH is sent", source.name),
            )
            .with_fix("Bill goods as an item invoice with quantities."),
        );
    }
}

fn money(item: &mut Item, position: usize, source: &Source<'_>, taxed: &Taxed, report: &mut Report) {
    let at = |member: &'static str| Place::OfItem(member, position);
    let spread = taxed.charges != 0;
    let discount = source.own_discount + taxed.discount;
    let mut gross = source.base.value + source.own_discount + taxed.charges;
    let mut reduction = discount;
    if source.base.assessable.is_some() {
        gross = gross.max(taxed.taxable);
        reduction = gross - taxed.taxable;
        report.from(at("AssAmt"), "I/GSTOVRDNASSESSABLEVALUE");
    } else {
        report.from(at("AssAmt"), if spread { "I/AMOUNT with its share of charges" } else { "I/AMOUNT" });
    }
    let paise = Amount::from_paise;
    item.tot_amt = paise(gross).into();
    report.from(at("TotAmt"), "I/AMOUNT with discount and charges");
    if reduction != 0 {
        item.discount = paise(reduction).into();
        report.from(at("Discount"), if taxed.discount == 0 { "I/DISCOUNT" } else { "discount ledger, by value" });
    }
    let kept = source.price.filter(|_| !spread && source.base.assessable.is_none());
    let (price, origin) = match kept {
        Some(price) => (price, "I/RATE"),
        None => (price_of(gross, source.quantity.map_or(1000, |(quantity, _)| quantity.thousandths())), "TotAmt / Qty"),
    };
    item.unit_price = price.into();
    report.from(at("UnitPrice"), origin);
    item.ass_amt = paise(taxed.taxable).into();
    item.gst_rt = Field::from_option(taxed.rate);
    if let Some(rate) = taxed.rate.filter(|_| taxed.rate_by_ratio) {
        let what = format!("GST rate {rate}% of \"{}\" (the tax ledgers against the value)", source.name);
        report.inferred(Severity::Warning, what);
    }
    report.from(
        at("GstRt"),
        if taxed.rate_by_ratio {
            "the tax ledgers against the value"
        } else if source.base.exempt {
            "exempt or nil rated"
        } else {
            source.rate_origin
        },
    );
    let some = |value: i64| if value == 0 { Field::Absent } else { Field::Value(paise(value)) };
    item.igst_amt = some(taxed.igst);
    item.cgst_amt = some(taxed.cgst);
    item.sgst_amt = some(taxed.sgst);
    item.ces_rt = Field::from_option(taxed.cess_rate.filter(|rate: &Rate| !rate.is_zero()));
    item.ces_amt = some(taxed.cess);
    item.ces_non_advl_amt = some(taxed.cess_specific);
    item.state_ces_rt = Field::from_option(taxed.state_cess_rate.filter(|rate: &Rate| !rate.is_zero()));
    item.state_ces_amt = some(taxed.state_cess);
    report.from(at("taxes"), "AssAmt x GstRt, reconciled with the tax ledgers");
}

/// A price with three decimals, half up.
fn price_of(gross: i64, thousandths: i64) -> UnitPrice {
    let quantity = i128::from(thousandths.max(1));
    let price = (i128::from(gross) * 10_000 + quantity / 2) / quantity;
    UnitPrice::from_thousandths(i64::try_from(price).unwrap_or_default().max(0))
}

/// The batch of a line. Several batches are one line still, and INV-01 names one batch a line.
fn batch(element: &Element<'_>, place: Place, report: &mut Report) -> Option<BchDtls> {
    let named: Vec<(&str, &Element<'_>)> = element
        .all("BATCHALLOCATIONS.LIST")
        .filter_map(|list| Some((list.get("BATCHNAME")?, list)))
        .filter(|(name, _)| !spelling::same(name, "Primary Batch"))
        .collect();
    let (name, list) = match named.as_slice() {
        [] => return None,
        [(name, list)] if (3..=20).contains(&name.chars().count()) => (*name, *list),
        _ => {
            let found: Vec<&str> = named.iter().map(|(name, _)| *name).collect();
            report.add(
                Finding::new(
                    Severity::Info,
                    "tally.batch_left_out",
                    place.to_string(),
                    "INV-01 takes one batch a line, with a name of 3 to 20 characters, so none is stated",
                )
                .with_found(found.join(", ")),
            );
            return None;
        }
    };
    let expiry = list.child("EXPIRYPERIOD").and_then(|stated| {
        let text = stated.raw_text();
        lexical::date(text).or_else(|| lexical::period_end(stated.attribute("JD")?, text))
    });
    report.from(place, "I/BATCHALLOCATIONS.LIST");
    Some(BchDtls { nm: name.into(), exp_dt: Field::from_option(expiry), ..BchDtls::default() })
}
