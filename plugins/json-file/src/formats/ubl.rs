//! UBL 2.1 invoices and credit notes: what stands in several elements at once is brought together for the rules.
//!
//! Taxes are those of [`ubl_taxes`](super::ubl_taxes), the rest is in [`derived`](super::derived).

use einvoice_core::mapping::{Tree, TreeRecord};

use super::derived::{self, Adjustment, Line, Supply};
use super::ubl_taxes::{self, Tax, Taxes};
use super::{NotMapped, fault, wrong, xml};

/// Categories of tax (UNCL 5305): reverse charge, and export without tax.
const REVERSE_CHARGE: &str = "AE";
const EXPORT: &str = "G";

const BUYER: &str = "AccountingCustomerParty.Party";

/// Reads a document.
pub(super) fn record(text: &str) -> Result<TreeRecord<'_>, NotMapped> {
    let mut root = xml::tree(text).map_err(|fault| {
        wrong("xml.structure", format!("the XML cannot be read: {fault}"), "Export the file again, whole.")
    })?;
    let list = match root.at(xml::ROOT).and_then(Tree::text) {
        Some("Invoice") => "InvoiceLine",
        Some("CreditNote") => "CreditNoteLine",
        other => {
            let fix = "Put UBL 2.1 Invoice or CreditNote documents here.";
            let finding = fault("ubl.root", "the XML is no UBL invoice or credit note", fix);
            return Err(NotMapped::Wrong(Box::new(finding.with_found(other.unwrap_or_default()))));
        }
    };
    currencies(&root, list)?;
    let entries = root.at(list).map(Tree::entries).unwrap_or_default();
    let lines: Vec<Line> = entries.iter().map(line).collect();
    let mut taxes: Vec<Taxes> = entries.iter().map(|line| Taxes::of(&line_taxes(line))).collect();
    let of_document = Taxes::of(&subtotals(&root));
    let mut members = supply(&root, entries, &lines, &of_document)?.members();
    let ship_to = text_at(&root, "Delivery.DeliveryLocation.Address.StreetName").is_some();
    if ship_to && members.iter().any(|(name, _)| *name == "#home") {
        members.push(("#ship_to", "yes".to_owned()));
    }
    let adjustments = adjustments(&root);
    let stated = derived::amount(text_at(&root, "LegalMonetaryTotal.LineExtensionAmount"));
    derived::amounts(&mut root, list, stated, &lines, &adjustments)?;
    let values: Vec<_> =
        self::entries(&root, list).iter().map(|line| derived::amount(text_at(line, "#taxable"))).collect();
    ubl_taxes::spread(&of_document, &mut taxes, &values)?;
    for (at, taxes) in taxes.into_iter().enumerate() {
        if let Some(line) = derived::entry(&mut root, list, at) {
            taxes.put(line);
        }
    }
    of_document.put(&mut root);
    derived::insert(&mut root, members.into_iter().map(|(name, text)| (name, Some(text))));
    Ok(TreeRecord::new(root, list))
}

fn text_at<'t>(tree: &'t Tree<'_>, path: &str) -> Option<&'t str> {
    tree.at(path).and_then(Tree::text)
}

/// The entries at a path; none where there is nothing.
fn entries<'t, 'd>(tree: &'t Tree<'d>, path: &str) -> &'t [Tree<'d>] {
    tree.at(path).map(Tree::entries).unwrap_or_default()
}

fn currencies(root: &Tree<'_>, list: &str) -> Result<(), NotMapped> {
    let head = [
        "DocumentCurrencyCode",
        "LegalMonetaryTotal.LineExtensionAmount.@currencyID",
        "LegalMonetaryTotal.PayableAmount.@currencyID",
    ];
    let line = ["LineExtensionAmount.@currencyID", "Price.PriceAmount.@currencyID"];
    let of_lines = entries(root, list).iter().flat_map(|entry| line.map(|path| (path, text_at(entry, path))));
    derived::rupees(head.map(|path| (path, text_at(root, path))).into_iter().chain(of_lines))
}

fn supply<'t>(
    root: &'t Tree<'_>,
    lines: &[Tree<'_>],
    derived: &[Line],
    of_document: &Taxes,
) -> Result<Supply<'t>, NotMapped> {
    let is = |line: &Tree<'_>, category: &str| {
        entries(line, "Item.ClassifiedTaxCategory").iter().any(|found| text_at(found, "ID") == Some(category))
    };
    for (category, what) in [(REVERSE_CHARGE, "reverse charge"), (EXPORT, "an export")] {
        let count = lines.iter().filter(|line| is(line, category)).count();
        if count > 0 && count < lines.len() {
            let message = format!("{count} of {} lines have the tax category {category}, {what}", lines.len());
            let fix = "Make two documents of it: INV-01 has one kind of supply for all lines.";
            return Err(wrong("ubl.mixed_categories", message, fix));
        }
    }
    let number = entries(root, &format!("{BUYER}.PartyTaxScheme"))
        .iter()
        .any(|scheme| text_at(scheme, "TaxScheme.ID") == Some("GST") && text_at(scheme, "CompanyID").is_some());
    Ok(Supply {
        country: root.at(&format!("{BUYER}.PostalAddress.Country.IdentificationCode")).and_then(Tree::text),
        registered: number,
        export: lines.iter().any(|line| is(line, EXPORT)),
        taxed: of_document.is_charged() || derived.iter().any(|line| line.rate.is_some_and(|rate| !rate.is_zero())),
    })
}

fn line(line: &Tree<'_>) -> Line {
    let allowances = entries(line, "AllowanceCharge").iter().filter(|entry| !is_charge(entry));
    Line {
        value: derived::amount(text_at(line, "LineExtensionAmount")),
        allowances: derived::sum(allowances.map(|entry| text_at(entry, "Amount"))),
        rate: derived::rate(line_taxes(line).iter().map(|tax| (tax.scheme, tax.percent))),
    }
}

fn is_charge(entry: &Tree<'_>) -> bool {
    text_at(entry, "ChargeIndicator").is_some_and(|text| text.eq_ignore_ascii_case("true") || text == "1")
}

fn adjustments(root: &Tree<'_>) -> Vec<Adjustment> {
    let rate = |entry: &Tree<'_>| {
        let categories = entries(entry, "TaxCategory").iter();
        derived::rate(categories.map(|found| (text_at(found, "TaxScheme.ID"), text_at(found, "Percent"))))
    };
    let made = |entry: &Tree<'_>| Adjustment {
        charge: is_charge(entry),
        amount: derived::amount(text_at(entry, "Amount")),
        rate: rate(entry),
    };
    entries(root, "AllowanceCharge").iter().map(made).collect()
}

/// The subtotals of all tax totals.
fn subtotals<'t>(tree: &'t Tree<'_>) -> Vec<Tax<'t>> {
    let subtotals = entries(tree, "TaxTotal").iter().flat_map(|total| entries(total, "TaxSubtotal"));
    subtotals
        .map(|found| Tax {
            scheme: text_at(found, "TaxCategory.TaxScheme.ID"),
            percent: text_at(found, "TaxCategory.Percent").or_else(|| text_at(found, "Percent")),
            amount: text_at(found, "TaxAmount"),
            taxable: text_at(found, "TaxableAmount"),
            category: text_at(found, "TaxCategory.ID"),
        })
        .collect()
}

/// The taxes of a line: its own subtotals, else the categories of its item.
fn line_taxes<'t>(line: &'t Tree<'_>) -> Vec<Tax<'t>> {
    let own = subtotals(line);
    if own.iter().any(|tax| tax.percent.is_some()) {
        return own;
    }
    let categories = entries(line, "Item.ClassifiedTaxCategory").iter();
    let of_item = categories.map(|found| Tax {
        scheme: text_at(found, "TaxScheme.ID"),
        percent: text_at(found, "Percent"),
        category: text_at(found, "ID"),
        ..Tax::default()
    });
    of_item.chain(own).collect()
}
