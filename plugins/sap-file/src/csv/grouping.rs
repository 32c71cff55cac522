//! Rows of one document together. A row that cannot be trusted spoils its document, and where nobody can tell which one that
//! is, the documents on both sides of it: an invoice with an item less must never be registered.

use std::collections::HashMap;
use std::hash::BuildHasher;

use einvoice_core::finding::Finding;
use einvoice_core::mapping::TableRecord;

use super::layout::{Broken, Kind, Layout, Row};
use super::rows::Document;
use super::table::{Torn, hasher};

/// Most rows of one document: ten times what the portal takes.
const ROWS_MAX: usize = 10_000;

/// The document whose rows are being read.
struct Open {
    line: u64,
    key: Vec<String>,
    record: TableRecord,
    faults: Vec<Finding>,
}

/// Puts rows of one document together.
pub(super) struct Grouping<'f> {
    file: &'f str,
    table: &'f Layout,
    torn: HashMap<u64, Torn>,
    open: Option<Open>,
    /// A row before could not be read and may belong to the next document.
    suspect: bool,
}

impl<'f> Grouping<'f> {
    /// Groups the rows of a file; nobody can tell which rows the documents have whose keys are `torn`.
    pub(super) const fn new(file: &'f str, table: &'f Layout, torn: HashMap<u64, Torn>) -> Self {
        Self { file, table, torn, open: None, suspect: false }
    }

    /// Takes a row in; false when nobody listens any more.
    pub(super) fn row(&mut self, row: Row, take: &mut dyn FnMut(Document) -> bool) -> bool {
        let begins = match row.kind {
            Kind::Head => true,
            Kind::Item => self.open.is_none(),
            Kind::Both => self.open.as_ref().is_none_or(|open| !self.table.goes_on(&open.key, &row.key)),
        };
        let mut listened = true;
        if begins {
            listened = self.finish(take);
            self.begin(row.line, row.key.clone());
            if row.kind == Kind::Item
                && let Some(open) = &mut self.open
            {
                let finding = Finding::error("csv.row", "", "an item stands before the head of its document");
                open.faults.push(
                    finding
                        .with_fix("Write a row of kind H before its rows of kind I.")
                        .with_place(format!("{}, line {}", self.file, row.line)),
                );
            }
        }
        self.suspect = false;
        let Some(open) = &mut self.open else { return listened };
        if matches!(row.kind, Kind::Head | Kind::Both) && open.record.head.is_empty() {
            open.record.head = row.values.clone();
            open.record.head_at = format!("line {}", row.line);
        }
        if matches!(row.kind, Kind::Item | Kind::Both) {
            if open.record.lines.len() < ROWS_MAX {
                open.record.lines.push(row.values);
                open.record.lines_at.push(format!("line {}", row.line));
            } else if open.faults.is_empty() {
                let message = format!("the document has more than {ROWS_MAX} rows");
                open.faults.push(
                    Finding::error("csv.structure", "", message)
                        .with_fix("Split it; an invoice has at most 1,000 items."),
                );
            }
        }
        listened
    }

    fn begin(&mut self, line: u64, key: Vec<String>) {
        let mut record = TableRecord::default();
        record.headings = self.table.headings();
        let mut open = Open { line, key, record, faults: Vec::new() };
        let place = format!("{}, line {line}", self.file);
        if self.suspect {
            let message = "a row before this document cannot be read and may belong to it";
            open.faults.push(
                Finding::error("csv.row", "", message)
                    .with_place(&*place)
                    .with_fix("Correct that row; the document is read again with it."),
            );
        }
        if let Some(torn) = self.torn.get(&hasher().hash_one(&open.key)) {
            let name = open.key.iter().filter(|part| !part.is_empty()).cloned().collect::<Vec<_>>().join(" ");
            let (message, fix) = match torn {
                Torn::Apart => (
                    format!("the rows of document {name} stand at several places of the file"),
                    "Sort the file by document.",
                ),
                Torn::Unclear => (
                    format!(
                        "rows of document {name} and others of its number differ in what they leave blank of the columns \
                         that tell documents apart, so nobody can tell which belong together"
                    ),
                    "Fill those columns in every row, or sort the file so that rows with blanks stand below the full row \
                     of their document.",
                ),
            };
            open.faults.push(Finding::error("csv.interleaved", "", message).with_place(place).with_fix(fix));
        }
        self.open = Some(open);
    }

    /// A row that cannot be used.
    pub(super) fn broken(&mut self, broken: Broken, place: String, take: &mut dyn FnMut(Document) -> bool) -> bool {
        let goes_on = |open: &Open| broken.key.as_ref().is_some_and(|key| self.table.goes_on(&open.key, key));
        let is_own = self.open.as_ref().is_some_and(goes_on);
        let mut listened = true;
        if let (Some(key), false) = (&broken.key, is_own) {
            listened = self.finish(take);
            self.begin(broken.line, key.clone());
        }
        self.suspect = broken.key.is_none();
        if self.open.is_none() {
            return take(Document {
                line: broken.line,
                content: Err(vec![broken.finding.with_place(place)]),
                is_end: false,
            });
        }
        self.spoil(&broken, place);
        listened
    }

    /// Adds what is wrong to the document that is open.
    pub(super) fn spoil(&mut self, broken: &Broken, place: String) {
        if let Some(open) = &mut self.open
            && open.faults.len() < crate::idoc::FAULTS_MAX
        {
            open.faults.push(broken.finding.clone().with_place(place));
        }
    }

    /// Hands over the document that is open.
    pub(super) fn finish(&mut self, take: &mut dyn FnMut(Document) -> bool) -> bool {
        let Some(open) = self.open.take() else { return true };
        let content = if open.faults.is_empty() { Ok(open.record.to_content()) } else { Err(open.faults) };
        take(Document { line: open.line, content, is_end: false })
    }
}
