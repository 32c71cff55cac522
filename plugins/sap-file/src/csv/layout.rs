//! How the columns of a file are called, and what a row says by them.

use std::collections::{BTreeMap, HashSet};

use einvoice_core::finding::Finding;
use einvoice_core::spelling;

use crate::config::CsvConfig;

/// Columns that tell documents apart, where the configuration names none; all that are there.
const GROUP_BY: [&str; 10] =
    ["DocDtls.Typ", "DocDtls.No", "SellerDtls.Gstin", "SELLER_GSTIN", "BUKRS", "ODN", "XBLNR", "VBELN", "DOC_NO", "No"];

/// Of columns that tell documents apart those that have the number of one. Where none of them is there, every other one may,
/// but those that say whose document or what kind of one it is.
const NUMBERS: [&str; 6] = ["docdtlsno", "odn", "xblnr", "vbeln", "docno", "no"];
const NO_NUMBERS: [&str; 9] =
    ["docdtlstyp", "sellerdtlsgstin", "sellergstin", "bukrs", "gjahr", "vkorg", "werks", "fkart", "kunrg"];

/// Columns by their names, as the file has them and folded.
type Columns = Vec<(String, String)>;

/// How the columns of a file are called.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    columns: Columns,
    /// Columns of rows of a kind, where those differ.
    by_kind: Option<(Columns, Columns)>,
    /// The column that says what a row is.
    pub(super) kind: Option<usize>,
    /// Columns that are the same for all rows of a document.
    group: Vec<usize>,
    /// Which of those have its number: all, where none is known to have something else.
    numbers: Vec<bool>,
}

/// What a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Head,
    Item,
    Both,
}

/// A row that can be used.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) line: u64,
    pub(super) kind: Kind,
    pub(super) key: Vec<String>,
    pub(super) values: BTreeMap<String, String>,
}

/// A row that cannot be used.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) line: u64,
    pub(super) finding: Finding,
    /// The document it belongs to, where that can be read.
    pub(super) key: Option<Vec<String>>,
    /// Nothing behind it can be read.
    pub(super) ends: bool,
}

impl Layout {
    /// The layout of the configuration, or of the first line, which `first` reads where it is needed.
    pub(super) fn new<E>(
        config: &CsvConfig,
        first: impl FnOnce() -> Result<Vec<String>, E>,
    ) -> Result<Result<Self, Finding>, E> {
        let (mut columns, mut by_kind) = (names(&config.columns), None);
        if !config.head_columns.is_empty() {
            by_kind = Some((names(&config.head_columns), names(&config.item_columns)));
        } else if columns.is_empty() {
            columns = names(&first()?);
        }
        let at = |name: &str| columns.iter().position(|(_, folded)| *folded == spelling::fold(name));
        let kind = match (&config.kind_column, &by_kind) {
            (_, Some(_)) => Some(0),
            (None, None) => None,
            (Some(name), None) => {
                let found = at(name);
                if found.is_none() {
                    let message = format!("there is no column {name}, which says what a row is");
                    return Ok(Err(Finding::error("csv.structure", "", message)
                        .with_fix("Correct `csv.kind_column`, or the heading line.")));
                }
                found
            }
        };
        let wanted: Vec<String> = if config.group_by.is_empty() {
            GROUP_BY.iter().map(|name| (*name).to_owned()).collect()
        } else {
            config.group_by.clone()
        };
        let mut group = Vec::new();
        for name in &wanted {
            match at(name) {
                Some(at) if !group.contains(&at) => group.push(at),
                None if !config.group_by.is_empty() => {
                    let message = format!("there is no column {name}, which tells documents apart");
                    return Ok(Err(Finding::error("csv.structure", "", message)
                        .with_fix("Correct `csv.group_by`, or the heading line.")));
                }
                _ => {}
            }
        }
        let name_of = |at: &usize| columns.get(*at).map_or("", |(_, name)| name.as_str());
        let is_named = group.iter().any(|at| NUMBERS.contains(&name_of(at)));
        let has_number =
            |at: &usize| if is_named { NUMBERS.contains(&name_of(at)) } else { !NO_NUMBERS.contains(&name_of(at)) };
        let mut numbers: Vec<bool> = group.iter().map(has_number).collect();
        if !numbers.contains(&true) {
            numbers.fill(true);
        }
        Ok(Ok(Self { columns, by_kind, kind, group, numbers }))
    }

    /// Whether the columns are such as can make a document.
    pub(super) fn check(&self, known: &HashSet<String>, separator: u8) -> Result<(), Box<Finding>> {
        if self.by_kind.is_some() {
            return Ok(());
        }
        let found: Vec<&str> = self.columns.iter().map(|(name, _)| name.as_str()).collect();
        let is_known = self.columns.iter().any(|(_, folded)| known.contains(folded));
        let separator = char::from(separator);
        if self.columns.len() < 2 || !is_known {
            let shown: String = found.join(" ").chars().take(120).collect();
            return Err(Box::new(
                Finding::error("csv.structure", "", "the first line names no column that is known")
                    .with_found(if shown.is_empty() {
                        "an empty line".to_owned()
                    } else {
                        format!("{shown} (separated by `{separator}`)")
                    })
                    .with_expected(
                        "names of members such as DocDtls.No, or those of `csv.mapping`, separated by one character",
                    )
                    .with_fix("Write a heading line, name the columns in `csv.columns`, or set `csv.separator`."),
            ));
        }
        if self.group.is_empty() && self.kind.is_none() {
            return Err(Box::new(
                Finding::error("csv.structure", "", "no column tells one document from another")
                    .with_found(found.join(", ").chars().take(400).collect::<String>())
                    .with_expected("a column such as DocDtls.No")
                    .with_fix("Add it, or name it in `csv.group_by`."),
            ));
        }
        Ok(())
    }

    /// What a row says.
    pub(super) fn row(&self, record: &csv::ByteRecord, line: u64) -> Result<Row, Box<Broken>> {
        let cell =
            |at: usize| record.get(at).and_then(|cell| std::str::from_utf8(cell).ok()).unwrap_or_default().trim();
        let kind = match self.kind.map(cell) {
            None => Some(Kind::Both),
            Some(word) if word.eq_ignore_ascii_case("H") => Some(Kind::Head),
            Some(word) if word.eq_ignore_ascii_case("I") => Some(Kind::Item),
            Some(_) => None,
        };
        let columns = match (&self.by_kind, kind) {
            (Some((head, _)), Some(Kind::Head)) => head,
            (Some((_, item)), _) => item,
            (None, _) => &self.columns,
        };
        let key: Vec<String> = self.group.iter().map(|at| cell(*at).to_owned()).collect();
        let has_key = record.len() == columns.len() && self.numbers(&key).next().is_some();
        let broken =
            |finding: Finding| Err(Box::new(Broken { line, finding, key: has_key.then(|| key.clone()), ends: false }));
        let fix = "Put values with separators or line breaks into quotes, and double the quotes inside.";
        if let (Some(at), None) = (self.kind, kind) {
            let finding = Finding::error("csv.row", "", "nothing says what this row is").with_found(cell(at));
            return broken(finding.with_expected("H for a head, I for an item").with_fix(fix));
        }
        if record.len() != columns.len() {
            let message = format!("the row has {} values for {} columns", record.len(), columns.len());
            return broken(Finding::error("csv.row", "", message).with_found(cell(0)).with_fix(fix));
        }
        if let Some(at) = record.iter().position(|cell| std::str::from_utf8(cell).is_err()) {
            let name = columns.get(at).map_or("", |(name, _)| name);
            let message = format!("column {name} is not text in UTF-8");
            let fix =
                "Write the file in UTF-8, or set `encoding = \"windows-1252\"` if it is in that or in ISO 8859-1.";
            return broken(Finding::error("csv.encoding", "", message).with_fix(fix));
        }
        if kind == Some(Kind::Both) && !has_key {
            return broken(
                Finding::error("csv.row", "", "the row does not say which document it belongs to")
                    .with_expected(self.number_names().join(" or "))
                    .with_fix("Write the number of the document in every row."),
            );
        }
        let values = columns.iter().enumerate().map(|(at, (_, folded))| (folded.clone(), cell(at).to_owned()));
        let values = values.filter(|(name, value)| !name.is_empty() && !value.is_empty()).collect();
        Ok(Row { line, kind: kind.unwrap_or(Kind::Both), key, values })
    }

    /// The parts of a key that are numbers of documents and not blank, each with its place.
    pub(super) fn numbers<'k>(&self, key: &'k [String]) -> impl Iterator<Item = (usize, &'k str)> {
        let parts = key.iter().zip(&self.numbers).enumerate();
        parts
            .filter(|(_, (part, is_number))| **is_number && !part.is_empty())
            .map(|(at, (part, _))| (at, part.as_str()))
    }

    /// Whether a row is of the document above it: what the row leaves blank it leaves to that one, as long as it says its
    /// number.
    pub(super) fn goes_on(&self, above: &[String], row: &[String]) -> bool {
        above.len() == row.len()
            && above.iter().zip(row).all(|(above, own)| own.is_empty() || above == own)
            && (above == row || self.numbers(row).next().is_some())
    }

    /// What the columns are called that have the number of the document.
    fn number_names(&self) -> Vec<&str> {
        let named = self.group.iter().zip(&self.numbers).filter(|(_, is_number)| **is_number);
        named.filter_map(|(at, _)| self.columns.get(*at)).map(|(name, _)| name.as_str()).collect()
    }

    /// Columns as the file calls them, by their folded names.
    pub(super) fn headings(&self) -> BTreeMap<String, String> {
        let kinds = self.by_kind.iter().flat_map(|(head, item)| head.iter().chain(item));
        self.columns
            .iter()
            .chain(kinds)
            .filter(|(name, folded)| name != folded)
            .map(|(name, folded)| (folded.clone(), name.clone()))
            .collect()
    }
}

fn names(columns: &[String]) -> Columns {
    columns.iter().map(|name| (name.trim().to_owned(), spelling::fold(name))).collect()
}
