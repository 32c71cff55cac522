//! From the rows of a document to its record, and from the record to the INV-01 document.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use einvoice_core::document::MemberPath;
use einvoice_core::finding::Finding;
use einvoice_core::mapping::{Mapping, Origins, Record, RowPlaces, TableRecord};
use einvoice_core::source::{Mapped, MappedDocument, Skip};

use crate::cell::{Cell, LAST_SERIAL, Row, letters};
use crate::fields::Fields;
use crate::group::ranges;
use crate::heading::{Column, Columns, Holds};

/// What a formula shows that could not be computed.
const FORMULA_ERRORS: [&str; 11] = [
    "#REF!",
    "#N/A",
    "#VALUE!",
    "#DIV/0!",
    "#NAME?",
    "#NULL!",
    "#NUM!",
    "#DATA!",
    "#SPILL!",
    "#CALC!",
    "#GETTING_DATA",
];

/// Rates of GST below one per cent, as documents write them.
const RATES_BELOW_ONE: [&str; 2] = ["0.1", "0.25"];

/// What a list of results says of a document whose workbook is gone.
static SHOWN: LazyLock<Vec<(&str, MemberPath)>> = LazyLock::new(|| {
    let members = [("doc_typ", "DocDtls.Typ"), ("doc_no", "DocDtls.No"), ("doc_dt", "DocDtls.Dt")];
    members.into_iter().filter_map(|(name, path)| Some((name, MemberPath::parse(path).ok()?))).collect()
});

/// How a file speaks of its rows, and what each copy of its results has to know.
#[derive(Debug)]
pub(crate) struct Sheet {
    /// Its name; empty where the file has one only.
    pub(crate) name: String,
    /// Whether the name is worth saying.
    pub(crate) named: bool,
    /// `row`, or `line` in a text file.
    pub(crate) word: &'static str,
    pub(crate) is_1904: bool,
    /// Whether cells that show a number by the hundred are known.
    pub(crate) knows_percent: bool,
    /// How the file looked when it was read.
    pub(crate) file: String,
    pub(crate) columns: Columns,
}

impl Sheet {
    /// Where rows stand, for a person: `sheet Sales, rows 5 to 7`.
    pub(crate) fn place(&self, rows: &[Row]) -> String {
        let numbers: Vec<u32> = rows.iter().map(|row| row.number).collect();
        let many = if numbers.len() > 1 { "s" } else { "" };
        let place = format!("{}{many} {}", self.word, ranges(numbers));
        if self.named { format!("sheet {}, {place}", self.name) } else { place }
    }

    fn row(&self, row: &Row) -> String {
        format!("{} {}", self.word, row.number)
    }

    /// What a copy needs to find the rows again.
    fn attributes(&self, rows: &[Row]) -> impl Iterator<Item = (String, String)> {
        let numbers = rows.iter().map(|row| row.number.to_string()).collect::<Vec<_>>().join(",");
        let keys = self.columns.number.iter().map(|column| letters(*column)).collect::<Vec<_>>().join(",");
        let heading = self.columns.row.to_string();
        [
            ("sheet", self.name.clone()),
            ("heading_row", heading),
            ("rows", numbers),
            ("number_columns", keys),
            ("file", self.file.clone()),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
    }
}

/// The record of the rows of one document: the values of the document once, those of the items by row. A row that says
/// another thing of the document than the first keeps its word, for the mapping to report.
pub(crate) fn record(sheet: &Sheet, rows: &[Row]) -> TableRecord {
    let mut record = TableRecord::default();
    for column in sheet.columns.list.iter().filter(|column| column.of_head) {
        if let Some(value) = rows.iter().find_map(|row| value(sheet, row, column)) {
            record.head.insert(column.key.clone(), value.into_owned());
        }
    }
    record.head_at = rows.first().map(|row| sheet.row(row)).unwrap_or_default();
    for row in rows {
        let own = sheet.columns.list.iter().filter_map(|column| {
            let value = value(sheet, row, column)?;
            let differs = || record.head.get(&column.key).is_none_or(|head| head.trim() != value.trim());
            (column.of_item || differs()).then(|| (column.key.clone(), value.into_owned()))
        });
        record.lines.push(own.collect());
        record.lines_at.push(sheet.row(row));
    }
    record
}

/// The value of a column in a row, where it is not blank.
fn value<'r>(sheet: &Sheet, row: &'r Row, column: &Column) -> Option<Cow<'r, str>> {
    let cell = row.get(column.index)?;
    match cell {
        // A formula was written for what the cell holds, whatever it shows.
        Cell::Percent(part) if column.is_computed_with => Some(Cell::Number(*part).text().into()),
        // A discount of 0 % is none.
        Cell::Percent(part) if *part == 0.0 => Some("0".into()),
        // A rate of GST says by itself which is meant: there are none of 10 % or of 0.18 %.
        Cell::Number(rate)
            if column.holds == Holds::CessRates && !sheet.knows_percent && *rate > 0.0 && *rate < UNCLEAR_BELOW =>
        {
            Some(unclear_rate(*rate).into())
        }
        _ => text_of(cell, column.holds == Holds::Days && sheet.is_1904),
    }
}

/// Rates of a cess that may be written by the hundred: the highest is 290 %.
const UNCLEAR_BELOW: f64 = 3.0;

/// What stands between the two readings of a rate.
const UNCLEAR: &str = " or ";

/// A rate that may mean two things, so that no rule takes it for one.
fn unclear_rate(rate: f64) -> String {
    format!("{}%{UNCLEAR}{}", Cell::Number(rate).text(), Cell::Percent(rate).text())
}

/// The text of a cell; a bare number in a column of days is one of the workbook's own calendar.
fn text_of(cell: &Cell, is_day_of_1904: bool) -> Option<Cow<'_, str>> {
    match cell {
        Cell::Number(serial) if is_day_of_1904 && (1.0..LAST_SERIAL).contains(serial) => {
            Some(Cell::date(*serial, true).text().into())
        }
        other => other.said(),
    }
}

/// What goes with a record beside its content: the spelling of headings, and the document, which was mapped to know the
/// record's identity. It is given away when the record is mapped; who maps it once more has it mapped again.
pub(crate) struct Kept {
    spelt: Arc<HashMap<String, String>>,
    attributes: Vec<(String, String)>,
    mapped: Mutex<Option<Mapped>>,
}

impl Kept {
    fn take(&self) -> Option<Mapped> {
        self.mapped.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// A record with the headings of its sheet.
struct Headed<'r> {
    record: &'r TableRecord,
    spelt: Option<&'r Arc<HashMap<String, String>>>,
}

impl Record for Headed<'_> {
    fn lines(&self) -> usize {
        self.record.lines()
    }

    fn value(&self, line: Option<usize>, name: &str) -> Option<Cow<'_, str>> {
        self.record.value(line, name)
    }

    fn origin(&self, line: Option<usize>, name: &str) -> String {
        let Some(heading) = self.spelt.and_then(|spelt| spelt.get(name)) else {
            return self.record.origin(line, name);
        };
        self.record.places().column(heading, line)
    }

    fn list<'r>(&'r self, line: Option<usize>, take: &mut dyn FnMut(&'r str, &'r str)) -> bool {
        self.record.list(line, take)
    }

    fn origins(&self) -> Option<Arc<dyn Origins>> {
        let Some(spelt) = self.spelt else { return self.record.origins() };
        Some(Arc::new(Spelt { places: self.record.places(), spelt: Arc::clone(spelt) }))
    }
}

/// Where the values of a record stood, by the headings of its sheet.
#[derive(Debug)]
struct Spelt {
    places: RowPlaces,
    spelt: Arc<HashMap<String, String>>,
}

impl Origins for Spelt {
    fn origin(&self, line: Option<usize>, name: &str) -> String {
        self.places.column(self.spelt.get(name).map_or(name, String::as_str), line)
    }
}

/// The mapping with what it says about columns.
#[derive(Debug)]
pub(crate) struct Mapper {
    pub(crate) mapping: Mapping,
    pub(crate) fields: Fields,
}

impl Mapper {
    /// Maps the rows of a document once: its record, and what goes with it.
    pub(crate) fn keep(&self, sheet: &Sheet, rows: &[Row]) -> (TableRecord, Kept) {
        let record = record(sheet, rows);
        let attributes: Vec<_> = sheet.attributes(rows).collect();
        let spelt = Arc::clone(&sheet.columns.spelt);
        let mapped = self.map(&record, Some(&spelt), &attributes);
        (record, Kept { spelt, attributes, mapped: Mutex::new(Some(mapped)) })
    }

    /// The identity of a document: its key in capitals.
    pub(crate) fn key(kept: &Kept) -> Option<String> {
        match &*kept.mapped.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(Mapped::Document(mapped)) => {
                let key = mapped.invoice.document_key()?;
                Some(format!("{}/{}/{}/{}", key.supplier, key.year, key.doc_type, key.number.to_upper()))
            }
            _ => None,
        }
    }

    /// The document of a record: the one that was kept, or mapped anew from its content.
    pub(crate) fn document(&self, content: &str, kept: Option<&Kept>) -> Result<Mapped, serde_json::Error> {
        if let Some(mapped) = kept.and_then(Kept::take) {
            return Ok(mapped);
        }
        let record = TableRecord::parse(content)?;
        let attributes = kept.map(|kept| kept.attributes.as_slice()).unwrap_or_default();
        Ok(self.map(&record, kept.map(|kept| &kept.spelt), attributes))
    }

    fn map(
        &self,
        record: &TableRecord,
        spelt: Option<&Arc<HashMap<String, String>>>,
        attributes: &[(String, String)],
    ) -> Mapped {
        let headed = Headed { record, spelt };
        match self.mapping.map(&headed) {
            Ok(mut mapped) => {
                self.contradictions(record, &headed, &mut mapped);
                self.formula_errors(record, &headed, &mut mapped);
                self.unclear_rates(record, &headed, &mut mapped);
                rates_as_fractions(&mut mapped);
                mapped.attributes.extend(attributes.iter().cloned());
                for (name, path) in SHOWN.iter() {
                    if let Some(value) = mapped.invoice.shown(path, 0) {
                        mapped.attributes.insert((*name).to_owned(), value);
                    }
                }
                Mapped::Document(Box::new(mapped))
            }
            Err(skip) => {
                let number = self.fields.number.iter().find_map(|key| record.head.get(key));
                let label = number.cloned().unwrap_or_else(|| record.head_at.clone());
                Mapped::Skipped(Skip { label, ..skip })
            }
        }
    }

    /// Rows that say different things about one document.
    fn contradictions(&self, record: &TableRecord, headed: &Headed<'_>, mapped: &mut MappedDocument) {
        for (index, line) in record.lines.iter().enumerate() {
            for (key, value) in line.iter().filter(|(key, _)| !self.fields.is_of_item(key)) {
                let Some(first) = record.head.get(key) else { continue };
                mapped.findings.push(
                    Finding::error(
                        "spreadsheet.rows_differ",
                        self.fields.path(key, None),
                        "the rows of one document say different things about it",
                    )
                    .with_found(value)
                    .with_expected(first)
                    .with_fix(
                        "Write the same in every row of the document, or leave the cells of the further rows blank.",
                    )
                    .with_place(headed.origin(Some(index), key)),
                );
            }
        }
    }

    /// Rates of a cess whose cells may show them by the hundred.
    fn unclear_rates(&self, record: &TableRecord, headed: &Headed<'_>, mapped: &mut MappedDocument) {
        for (index, line) in record.lines.iter().enumerate() {
            let rates = line.iter().filter(|(key, _)| self.fields.is_cess_rate(key));
            for (key, value) in rates.filter(|(_, value)| value.contains(UNCLEAR)) {
                mapped.findings.push(
                    Finding::error(
                        "spreadsheet.rate_unclear",
                        self.fields.path(key, Some(index)),
                        "whether the cell shows its number by the hundred cannot be read in a workbook of this form",
                    )
                    .with_found(value)
                    .with_expected("one rate")
                    .with_fix("Write the rate as text with its sign, such as '12%, or save the workbook as .xlsx.")
                    .with_place(headed.origin(Some(index), key)),
                );
            }
        }
    }

    /// Formulas that show an error where a value should be.
    fn formula_errors(&self, record: &TableRecord, headed: &Headed<'_>, mapped: &mut MappedDocument) {
        let lines = record.lines.iter().enumerate().map(|(index, line)| (Some(index), line));
        for (line, values) in std::iter::once((None, &record.head)).chain(lines) {
            let broken = values.iter().filter(|(_, value)| value.starts_with('#'));
            for (key, value) in broken.filter(|(_, value)| FORMULA_ERRORS.contains(&value.trim())) {
                mapped.findings.push(
                    Finding::error(
                        "spreadsheet.formula",
                        self.fields.path(key, line),
                        "the formula of this cell could not be computed",
                    )
                    .with_found(value.trim())
                    .with_fix("Repair the formula in the workbook, or write the value itself.")
                    .with_place(headed.origin(line, key)),
                );
            }
        }
    }
}

/// Rates of GST that stand there as a part of one: no rate below 1 % is that of 0.18.
fn rates_as_fractions(mapped: &mut MappedDocument) {
    static RATE: LazyLock<Option<MemberPath>> = LazyLock::new(|| MemberPath::parse("ItemList.GstRt").ok());
    let Some(path) = &*RATE else { return };
    for item in 0..mapped.invoice.item_list.len() {
        let Some(text) = mapped.invoice.shown(path, item) else { continue };
        let Some(rate) = text.parse::<f64>().ok().filter(|rate| *rate > 0.0 && *rate < 1.0) else { continue };
        if RATES_BELOW_ONE.contains(&text.as_str()) {
            continue;
        }
        let member = format!("ItemList[{item}].GstRt");
        let hundredfold = Cell::Number(rate * 100.0).text();
        let mut finding = Finding::error(
            "spreadsheet.rate_as_fraction",
            &*member,
            format!("{text} % is no GST rate; a cell that shows {hundredfold}% holds {text}"),
        )
        .with_found(&*text)
        .with_expected(format!("{hundredfold}, where {hundredfold} % is meant"))
        .with_fix("Write the rate as a number without a sign, or with one and the percent format of the cell.");
        if let Some(place) = mapped.provenance.get(&member) {
            finding = finding.with_place(place.clone());
        }
        mapped.findings.push(finding);
    }
}
