//! The heading row: where it is, and what each column is called.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::builtin::{self, BEGINS_TOTALS, IN_BOTH_BLOCKS, TOTAL};
use crate::cell::Row;
use crate::fields::Fields;
use einvoice_core::spelling;

/// Rows among which the heading is looked for.
pub(crate) const HEADING_ROWS: usize = 10;

/// Headings, folded, after which columns belong to an item again.
const BEGINS_ITEMS: [&str; 5] = ["slno", "productdescription", "hsncode", "quantity", "grossamount"];

/// One column that the mapping reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    /// From 0.
    pub(crate) index: u32,
    /// The name by which records have it.
    pub(crate) key: String,
    pub(crate) of_head: bool,
    pub(crate) of_item: bool,
    /// Whether a formula or a table reads it, too.
    pub(crate) is_computed_with: bool,
    pub(crate) holds: Holds,
}

/// What the numbers of a column are, where that changes how they are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holds {
    /// Days, by their serials.
    Days,
    /// Rates of a cess, of which every number may be one.
    CessRates,
    /// Anything else.
    Other,
}

/// The columns of a sheet.
#[derive(Debug, Clone, Default)]
pub(crate) struct Columns {
    /// Number of the heading row.
    pub(crate) row: u32,
    /// Those that the mapping reads, in their order.
    pub(crate) list: Vec<Column>,
    /// Headings as they are spelt, by the name that records have.
    pub(crate) spelt: Arc<HashMap<String, String>>,
    /// Indexes of the columns that hold the number.
    pub(crate) number: Vec<u32>,
    /// Indexes of those that tell documents of one number apart.
    pub(crate) series: Vec<u32>,
    /// Indexes of those that say which goods or services a row has.
    pub(crate) hsn: Vec<u32>,
    /// Indexes of the others by which a row is known to have an item.
    pub(crate) signs: Vec<u32>,
    /// Indexes of amounts and quantities of items: without HSN, a row that has none is no item.
    pub(crate) amounts: Vec<u32>,
    /// Of those that tell documents of one number apart, the indexes of those in which a blank means a default.
    pub(crate) defaults: Vec<u32>,
}

impl Columns {
    /// The columns that tell rows apart, in their order.
    pub(crate) fn keys(&self) -> Vec<u32> {
        let mut keys: Vec<u32> = [&self.number, &self.series, &self.hsn, &self.signs, &self.amounts]
            .into_iter()
            .flatten()
            .copied()
            .collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    /// The columns that the mapping reads, in their order.
    pub(crate) fn read(&self) -> Vec<u32> {
        self.list.iter().map(|column| column.index).collect()
    }
}

/// The heading among the first rows of a sheet: of those that have the number of the document the one with most columns
/// that the mapping reads.
pub(crate) fn find(rows: &[Row], fields: &Fields, wanted: Option<u32>) -> Option<Columns> {
    let candidates = rows.iter().filter(|row| wanted.is_none_or(|wanted| row.number == wanted));
    let mut best: Option<Columns> = None;
    for row in candidates {
        let columns = columns(row, fields);
        if !columns.number.is_empty() && best.as_ref().is_none_or(|best| columns.list.len() > best.list.len()) {
            best = Some(columns);
        }
    }
    best
}

fn columns(row: &Row, fields: &Fields) -> Columns {
    let known = |key: &str| fields.knows(key);
    let mut seen = HashSet::new();
    let mut in_totals = false;
    let mut found = Vec::new();
    let mut spelt = HashMap::new();
    for (index, cell) in &row.cells {
        let heading = cell.text().split_whitespace().collect::<Vec<_>>().join(" ");
        let plain = builtin::key(&heading, &known);
        if plain.is_empty() {
            continue;
        }
        if BEGINS_TOTALS.contains(&plain.as_str()) {
            in_totals = true;
        } else if BEGINS_ITEMS.contains(&plain.as_str()) {
            in_totals = false;
        }
        let again = seen.contains(&plain);
        let key = if IN_BOTH_BLOCKS.contains(&plain.as_str()) && (in_totals || again) {
            spelling::fold(&format!("{TOTAL} {plain}"))
        } else {
            plain.clone()
        };
        // A heading that stands there once more names another column: `Remarks (2)`.
        let mut key = key;
        let mut times = 2;
        while !seen.insert(key.clone()) {
            key = format!("{plain}{times}");
            times += 1;
        }
        if !fields.knows(&key) {
            continue;
        }
        let star = heading.trim_end_matches(['*', ' ']);
        spelt.insert(key.clone(), star.to_owned());
        found.push(Column {
            index: *index,
            of_head: fields.is_of_head(&key),
            of_item: fields.is_of_item(&key),
            is_computed_with: fields.is_computed_with(&key),
            holds: if fields.is_date(&key) {
                Holds::Days
            } else if fields.is_cess_rate(&key) {
                Holds::CessRates
            } else {
                Holds::Other
            },
            key,
        });
    }
    let those = |keys: &[String]| -> Vec<u32> {
        found.iter().filter(|column| keys.contains(&column.key)).map(|column| column.index).collect()
    };
    let hsn = those(&fields.hsn);
    let items: Vec<&Column> = found.iter().filter(|column| column.of_item && !column.of_head).collect();
    let mut signs: Vec<u32> =
        items.iter().filter(|column| fields.is_sign(&column.key)).map(|column| column.index).collect();
    if signs.is_empty() && hsn.is_empty() {
        // A sheet of amounts alone: then an amount is an item.
        signs = items.iter().map(|column| column.index).collect();
    }
    Columns {
        row: row.number,
        number: those(&fields.number),
        series: those(&fields.series),
        hsn,
        signs,
        amounts: items.iter().filter(|column| fields.is_amount(&column.key)).map(|column| column.index).collect(),
        defaults: those(&fields.defaults),
        list: found,
        spelt: Arc::new(spelt),
    }
}

#[cfg(test)]
mod tests {
    use einvoice_core::mapping::MappingConfig;

    use super::*;
    use crate::cell::Cell;

    fn row(number: u32, headings: &[&str]) -> Row {
        let cells = headings.iter().zip(0..).filter(|(text, _)| !text.is_empty());
        Row { number, cells: cells.map(|(text, column)| (column, Cell::Text((*text).to_owned()))).collect() }
    }

    fn keys(rows: &[Row]) -> Vec<(u32, String)> {
        let fields = Fields::of(&builtin::mapping(), &MappingConfig::default()).unwrap();
        let found = find(rows, &fields, None).unwrap();
        found.list.into_iter().map(|column| (column.index, column.key)).collect()
    }

    #[test]
    fn the_heading_is_the_fullest_row_that_names_the_document_number() {
        let rows = [
            row(1, &["E-Invoice data, by Document Number"]),
            row(3, &["Document Number", "x"]),
            row(4, &["Document Type *", "DOCUMENT_NUMBER *", "", "Buyer  GSTIN"]),
        ];
        let expected = [(0, "documenttype"), (1, "documentnumber"), (3, "buyergstin")];
        assert_eq!(keys(&rows), expected.map(|(index, key)| (index, key.to_owned())));
        let fields = Fields::of(&builtin::mapping(), &MappingConfig::default()).unwrap();
        assert!(find(&rows[..1], &fields, None).is_none());
        assert_eq!(find(&rows, &fields, Some(3)).map(|found| found.row), Some(3));
    }

    #[test]
    fn headings_of_both_blocks_are_told_apart_by_their_place() {
        let headings = [
            "Document Number *",
            "Discount",
            "Sgst Amt(Rs)",
            "Other Charges",
            "Item Total *",
            "Total Taxable value *",
            "Sgst Amt",
            "Discount",
            "Other charges",
        ];
        let found: Vec<String> = keys(&[row(1, &headings)]).into_iter().map(|(_, key)| key).collect();
        assert_eq!(
            found,
            [
                "documentnumber",
                "discount",
                "sgstamtrs",
                "othercharges",
                "itemtotal",
                "totaltaxablevalue",
                "totalsgstamt",
                "totaldiscount",
                "totalothercharges",
            ]
        );
        // Without the marks of the portal's sheet the second of a name is the document's.
        let found: Vec<String> =
            keys(&[row(1, &["Document No", "Sgst Amt", "Sgst Amt"])]).into_iter().map(|(_, key)| key).collect();
        assert_eq!(found, ["documentno", "sgstamt", "totalsgstamt"]);
        // Totals may stand before the items.
        let before = ["Document No", "Total Taxable value", "Discount", "Sl.No.", "Discount"];
        let found: Vec<String> = keys(&[row(1, &before)]).into_iter().map(|(_, key)| key).collect();
        assert_eq!(found, ["documentno", "totaltaxablevalue", "totaldiscount", "slno", "discount"]);
    }
}
