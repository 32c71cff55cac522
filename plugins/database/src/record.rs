//! Rows to records: what is kept of a document, and what is said of rows that are none.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use einvoice_core::finding::Finding;
use einvoice_core::mapping::{Origins, Record, RowPlaces, TableRecord};
use einvoice_core::source::{SourceItem, SourceProblem, SourceRecord, SourceRef};

use crate::plan::{Plan, Selected};
use crate::pool::Row;

/// Under which name the revision of a row is kept.
pub(crate) const REV: &str = "rev";

/// Where the columns of a document begin: behind key, revision and number of items.
const HEAD: usize = 3;
/// Where the columns of an item begin: behind key and line.
const ITEM: usize = 2;

/// What mapping needs of a record: it is read once, and names columns as the database spells them.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) record: TableRecord,
    headings: Arc<BTreeMap<String, String>>,
    /// What people call the table of the items.
    pub(crate) lines: Arc<str>,
    /// Columns of binary fractions.
    pub(crate) floats: Arc<[String]>,
}

impl Record for Kept {
    fn lines(&self) -> usize {
        self.record.lines()
    }

    fn value(&self, line: Option<usize>, name: &str) -> Option<Cow<'_, str>> {
        self.record.value(line, name)
    }

    fn origin(&self, line: Option<usize>, name: &str) -> String {
        let heading = self.headings.get(name).map_or(name, String::as_str);
        match line.and_then(|line| self.record.lines_at.get(line)) {
            Some(place) => format!("column {heading}, {place}"),
            None => format!("column {heading}"),
        }
    }

    fn list<'r>(&'r self, line: Option<usize>, take: &mut dyn FnMut(&'r str, &'r str)) -> bool {
        self.record.list(line, take)
    }

    fn origins(&self) -> Option<Arc<dyn Origins>> {
        Some(Arc::new(Spelt { places: self.record.places(), headings: Arc::clone(&self.headings) }))
    }
}

/// Where the values of a record stood, by the columns of the database. Heads have no place of their own.
#[derive(Debug)]
struct Spelt {
    places: RowPlaces,
    headings: Arc<BTreeMap<String, String>>,
}

impl Origins for Spelt {
    fn origin(&self, line: Option<usize>, name: &str) -> String {
        self.places.column(self.headings.get(name).map_or(name, String::as_str), line)
    }
}

/// Makes records of the rows of one page.
pub(crate) struct Maker<'p> {
    plan: &'p Plan,
    lines: Arc<str>,
    floats: Arc<[String]>,
}

impl<'p> Maker<'p> {
    pub(crate) fn new(plan: &'p Plan) -> Self {
        let lines = plan.items.as_ref().unwrap_or(&plan.heads).shown.as_str();
        Self { plan, lines: lines.into(), floats: plan.floats.clone().into() }
    }

    /// One item of the stream for each key, in the order of the database.
    pub(crate) fn items(&self, keys: &[String], heads: Vec<Row>, items: Vec<Row>) -> Vec<SourceItem> {
        let mut lines: HashMap<String, Vec<Row>> = HashMap::new();
        for row in items {
            lines.entry(row.cell(0).unwrap_or_default().to_owned()).or_default().push(row);
        }
        let mut order: Vec<String> = Vec::with_capacity(keys.len());
        let mut grouped: HashMap<String, Vec<Row>> = HashMap::new();
        for row in heads {
            let key = row.cell(0).unwrap_or_default().to_owned();
            let group = grouped.entry(key.clone()).or_default();
            if group.is_empty() {
                order.push(key);
            }
            group.push(row);
        }
        // A row that was claimed and is not there any more is told of, and never silently left out.
        let gone = keys.iter().filter(|key| !grouped.contains_key(*key));
        let gone: Vec<SourceItem> = gone.map(|key| self.gone(key)).collect();
        let made = order.into_iter().map(|key| {
            let heads = grouped.remove(&key).unwrap_or_default();
            let items = lines.remove(&key);
            self.item(&key, heads, items)
        });
        made.chain(gone).collect()
    }

    fn item(&self, key: &str, mut heads: Vec<Row>, items: Option<Vec<Row>>) -> SourceItem {
        if key.trim().is_empty() {
            let message =
                format!("column {} is empty, so that nothing tells this document from others", self.plan.key.name);
            return self
                .problem(key, Finding::error("database.key", "", message).with_fix("Give the row a key of its own."));
        }
        let flat = self.plan.items.is_none();
        if !flat && heads.len() > 1 {
            let message = format!(
                "{} gives {} rows with this {}, where each document has one",
                self.plan.heads.shown,
                heads.len(),
                self.plan.key.name
            );
            let fix =
                "Join the items in `item_query`, or leave `item_query` and `item_table` out where each row is an item.";
            return self
                .problem(key, Finding::error("database.key", "", message).with_found(heads.len()).with_fix(fix));
        }
        let lines = if flat { std::mem::take(&mut heads) } else { items.unwrap_or_default() };
        let head = if flat { lines.first().cloned() } else { heads.pop() }.unwrap_or_default();
        let first_of_item = if flat { HEAD + self.plan.head_columns.len() + 1 } else { ITEM };
        let broken = self.broken(&head, &lines, first_of_item);
        if let Some(finding) = broken.or_else(|| self.miscounted(&head, lines.len())) {
            return self.problem(key, finding);
        }
        let mut record = TableRecord::default();
        record.head = values(&self.plan.head_columns, &head, HEAD);
        if let Some(rev) = self.plan.rev.as_ref().and_then(|_| head.cell(1)) {
            record.head.insert(REV.to_owned(), rev.to_owned());
        }
        for row in &lines {
            record.lines.push(values(&self.plan.item_columns, row, first_of_item));
            record.lines_at.push(self.line_place(row, first_of_item));
        }
        let content = record.to_content();
        let kept = Kept {
            record,
            headings: Arc::clone(&self.plan.headings),
            lines: Arc::clone(&self.lines),
            floats: Arc::clone(&self.floats),
        };
        SourceItem::Record(SourceRecord { reference: self.reference(key), content, context: Some(Arc::new(kept)) })
    }

    fn line_place(&self, row: &Row, first_of_item: usize) -> String {
        match (&self.plan.line, row.cell(first_of_item.saturating_sub(1))) {
            (Some(line), Some(number)) => format!("{}, {} {number}", self.lines, line.name),
            _ => self.lines.to_string(),
        }
    }

    fn reference(&self, key: &str) -> SourceRef {
        SourceRef {
            location: self.plan.place().to_owned(),
            position: format!("{} {key}", self.plan.key.name),
            record_id: if key.trim().is_empty() { format!("empty {}", self.plan.key.name) } else { key.to_owned() },
        }
    }

    pub(crate) fn problem(&self, key: &str, finding: Finding) -> SourceItem {
        let reference = self.reference(key);
        let finding = if finding.place.is_some() { finding } else { finding.with_place(reference.to_string()) };
        SourceItem::Problem(SourceProblem { label: reference.to_string(), reference, findings: vec![finding] })
    }

    fn gone(&self, key: &str) -> SourceItem {
        let message = format!("the row was claimed, and {} does not have it", self.plan.heads.shown);
        let fix = "Put it back, or delete it from the claimed table too.";
        self.problem(key, Finding::error("database.row_gone", "", message).with_fix(fix))
    }

    /// Rows without a key belong to no document.
    pub(crate) fn keyless(&self, rows: &str) -> SourceItem {
        let column = &self.plan.key.name;
        let message = format!("{rows} rows of {} have no {column} and were not read", self.plan.heads.shown);
        let finding =
            Finding::error("database.key", "", message).with_found(rows).with_fix("Give each row a key of its own.");
        let reference = SourceRef {
            location: self.plan.place().to_owned(),
            position: format!("no {column}"),
            record_id: format!("no {column}"),
        };
        let label = reference.to_string();
        SourceItem::Problem(SourceProblem { reference, label, findings: vec![finding] })
    }

    fn broken(&self, head: &Row, lines: &[Row], first_of_item: usize) -> Option<Finding> {
        let broken = |row: &Row, table: &str, columns: &[Selected], first: usize| {
            let at = row.broken?;
            let column = at.checked_sub(first).and_then(|at| columns.get(at));
            let name = column.map_or("a column", |selected| selected.column.name.as_str());
            Some(
                Finding::error("database.unreadable", "", format!("the value of {table}.{name} is no text in UTF-8"))
                    .with_fix("Write it again in the encoding of the database."),
            )
        };
        broken(head, &self.plan.heads.shown, &self.plan.head_columns, HEAD)
            .or_else(|| lines.iter().find_map(|row| broken(row, &self.lines, &self.plan.item_columns, first_of_item)))
    }

    fn miscounted(&self, head: &Row, lines: usize) -> Option<Finding> {
        let column = self.plan.item_count.as_ref()?;
        let expected = head.cell(2)?.trim();
        let number = expected.split('.').next().unwrap_or(expected);
        if number.parse() == Ok(lines) {
            return None;
        }
        let message = format!(
            "column {} says how many items there are, and {} has another number of rows",
            column.name, self.lines
        );
        Some(
            Finding::error("database.item_count", "ItemList", message)
                .with_found(lines)
                .with_expected(expected)
                .with_fix("Write the document and its items in one transaction, or the document last."),
        )
    }
}

fn values(columns: &[Selected], row: &Row, first: usize) -> BTreeMap<String, String> {
    let mut values = BTreeMap::new();
    for (at, selected) in columns.iter().enumerate() {
        // Columns of a fixed length are filled up with blanks.
        let Some(value) = row.cell(first + at).map(str::trim).filter(|value| !value.is_empty()) else { continue };
        for name in &selected.names {
            values.insert(name.clone(), value.to_owned());
        }
    }
    values
}
