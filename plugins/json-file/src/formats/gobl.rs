//! GOBL invoices (<https://gobl.org>, regime IN): taken out of their envelope, with what follows from their amounts.

use einvoice_core::mapping::{Tree, TreeRecord};

use super::derived::{self, Adjustment, Line, Supply};
use super::{NotMapped, fault, json};

/// Where the lines stand.
const LINES: &str = "lines";

/// GOBL says what it is by its schema, in the envelope or in the invoice itself.
pub(super) fn is_gobl(text: &str) -> bool {
    let start = text.get(..text.floor_char_boundary(4096)).unwrap_or(text);
    start.contains("gobl.org/") && start.contains("\"$schema\"")
}

/// Reads a document.
pub(super) fn record(text: &str) -> Result<TreeRecord<'_>, NotMapped> {
    let mut root = json(text)?;
    if let Tree::Map(members) = &mut root
        && let Some(document) = members.remove("doc")
    {
        root = document;
    }
    let schema = text_at(&root, "$schema").unwrap_or_default();
    if !schema.is_empty() && !schema.ends_with("/bill/invoice") {
        let finding = fault("gobl.schema", "this GOBL document is no invoice", "Put bill/invoice documents here.");
        return Err(NotMapped::Wrong(Box::new(finding.with_found(schema))));
    }
    derived::rupees([("currency", text_at(&root, "currency"))])?;
    let entries = root.at(LINES).map(Tree::entries).unwrap_or_default();
    let lines: Vec<Line> = entries.iter().map(line).collect();
    let mut members = supply(&root, &lines).members();
    let ship_to = text_at(&root, "delivery.receiver.name").is_some();
    if ship_to && members.iter().any(|(name, _)| *name == "#home") {
        members.push(("#ship_to", "yes".to_owned()));
    }
    let adjustments: Vec<Adjustment> = adjustments(&root, false).chain(adjustments(&root, true)).collect();
    let stated = derived::amount(text_at(&root, "totals.sum"));
    derived::amounts(&mut root, LINES, stated, &lines, &adjustments)?;
    derived::insert(&mut root, members.into_iter().map(|(name, text)| (name, Some(text))));
    Ok(TreeRecord::new(root, LINES))
}

fn text_at<'t>(tree: &'t Tree<'_>, path: &str) -> Option<&'t str> {
    tree.at(path).and_then(Tree::text)
}

/// The entries at a path; none where there is nothing.
fn entries<'t, 'd>(tree: &'t Tree<'d>, path: &str) -> &'t [Tree<'d>] {
    tree.at(path).map(Tree::entries).unwrap_or_default()
}

fn supply<'t>(root: &'t Tree<'_>, lines: &[Line]) -> Supply<'t> {
    let tagged = |path: &str| root.at(path).is_some();
    let country = root.at("customer.tax_id.country").or_else(|| root.at("customer.addresses[0].country"));
    Supply {
        country: country.and_then(Tree::text),
        // The number of a recipient is a GSTIN where its country is India.
        registered: text_at(root, "customer.tax_id.country").is_some_and(|code| code == "IN"),
        export: tagged("$tags[=export]") || tagged("tax.tags[=export]"),
        taxed: lines.iter().any(|line| line.rate.is_some_and(|rate| !rate.is_zero())),
    }
}

fn rate(tree: &Tree<'_>) -> Option<einvoice_core::number::Rate> {
    derived::rate(entries(tree, "taxes").iter().map(|tax| (text_at(tax, "cat"), text_at(tax, "percent"))))
}

fn line(line: &Tree<'_>) -> Line {
    Line {
        value: derived::amount(text_at(line, "total")),
        allowances: derived::sum(entries(line, "discounts").iter().map(|entry| text_at(entry, "amount"))),
        rate: rate(line),
    }
}

fn adjustments(root: &Tree<'_>, charge: bool) -> impl Iterator<Item = Adjustment> {
    let list = if charge { "charges" } else { "discounts" };
    entries(root, list).iter().map(move |entry| Adjustment {
        charge,
        amount: derived::amount(text_at(entry, "amount")),
        rate: rate(entry),
    })
}
