//! Rows to documents: which rows belong together, whatever order they stand in, and which row is missing its number.
//!
//! A sheet is read twice. The first pass finds the last row of every document, in a few bytes each; the second hands a
//! document over once that row has come, so that only documents whose rows are scattered are held longer. A row that
//! cannot be read, has an item and no number, or has a number and leaves blank which document of that number it belongs
//! to, keeps the documents back that it may belong to: registering an invoice with an item too few is worse than not
//! registering it.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use einvoice_core::spelling;

use crate::book::Merged;
use crate::cell::{Cell, Row};
use crate::heading::Columns;

/// Most rows of one document: ten times what the portal takes as items.
pub(crate) const ROWS_OF_DOCUMENT_MAX: usize = 10_000;

/// What stands in a row of sums instead of the name of an item, folded.
const TOTALS: [&str; 10] = [
    "total",
    "totals",
    "grandtotal",
    "subtotal",
    "pagetotal",
    "nettotal",
    "totalamount",
    "totalvalue",
    "invoicetotal",
    "sum",
];

/// What a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// Above the headings, or with neither number nor item: titles, totals, remarks.
    Nothing,
    /// Of the document with this mark.
    Of(u64),
    /// An item without a number.
    Orphan,
}

/// Tells rows apart; both passes ask the same questions in the same order.
#[derive(Debug)]
pub(crate) struct Grouper<'c> {
    columns: &'c Columns,
    carry_down: bool,
    merged: Vec<Merged>,
    /// Values of merged cells whose rows are being read, by column.
    open: Vec<(u32, u32, Cell)>,
    last: Option<Last>,
}

#[derive(Debug)]
struct Last {
    number: String,
    series: Vec<Option<String>>,
    /// Of the number alone.
    of_number: u64,
    mark: u64,
}

/// The document of a row: the mark of its number, and what tells documents of that number apart.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Identity<'g> {
    of_number: u64,
    series: &'g [Option<String>],
}

impl<'c> Grouper<'c> {
    pub(crate) fn new(columns: &'c Columns, carry_down: bool, merged: &[Merged]) -> Self {
        let of_head = |column: u32| {
            columns.list.iter().any(|found| found.index == column && found.of_head && !found.of_item)
                || columns.number.contains(&column)
                || columns.series.contains(&column)
        };
        // Only values of the document are meant for all rows they are shown over; an amount is never doubled.
        let merged = merged.iter().filter(|area| area.last.0 > area.first.0 && of_head(area.first.1));
        let mut merged: Vec<Merged> = merged.copied().collect();
        // The next one is taken from the end.
        merged.sort_by_key(|area| Reverse(area.first));
        Self { columns, carry_down, merged, open: Vec::new(), last: None }
    }

    /// What a row is; values of merged cells are filled in.
    pub(crate) fn class(&mut self, row: &mut Row) -> Class {
        if row.number <= self.columns.row {
            return Class::Nothing;
        }
        let has_number =
            |row: &Row| self.columns.number.iter().any(|column| row.get(*column).and_then(Cell::said).is_some());
        let is_of_its_own = has_number(row);
        self.fill(row);
        let text = |column: &u32| row.get(*column).and_then(Cell::said);
        let has_number = self.columns.number.iter().any(|column| text(column).is_some());
        if has_number && !is_of_its_own && self.sign_of_item(row).is_none() {
            // The merged number reaches over a row of sums.
            return Class::Nothing;
        }
        if !has_number {
            return match (&self.last, self.sign_of_item(row).is_some()) {
                (_, false) => Class::Nothing,
                (Some(last), true) if self.carry_down && !self.may_be_total(row) => Class::Of(last.mark),
                _ => Class::Orphan,
            };
        }
        let mut number = String::new();
        for (at, column) in self.columns.number.iter().enumerate() {
            if at > 0 {
                number.push('\u{1f}');
            }
            number.push_str(text(column).as_deref().unwrap_or_default().trim());
        }
        let series = |column: &u32| text(column).map(|text| text.trim().to_uppercase());
        // What is written once for a document counts for the rows below it, as long as its number goes on.
        let above = self.last.as_ref().filter(|last| last.number == number);
        if let Some(above) = above {
            let goes_on = self
                .columns
                .series
                .iter()
                .zip(&above.series)
                .all(|(column, above)| series(column).is_none_or(|own| above.as_ref() == Some(&own)));
            if goes_on {
                return Class::Of(above.mark);
            }
        }
        let mut series: Vec<Option<String>> = self.columns.series.iter().map(series).collect();
        if let Some(above) = above {
            for (own, above) in series.iter_mut().zip(&above.series) {
                if own.is_none() {
                    own.clone_from(above);
                }
            }
        }
        for (own, column) in series.iter_mut().zip(&self.columns.series) {
            // A blank that means what the mapping gives by default is a value of its own and fits no other.
            if own.is_none() && self.columns.defaults.contains(column) {
                *own = Some(String::new());
            }
        }
        let of_number = hash(&number.to_uppercase());
        let mark = hash(&(of_number, &series));
        self.last = Some(Last { number, series, of_number, mark });
        Class::Of(mark)
    }

    /// The document of the row that was looked at last and is of one.
    pub(crate) fn identity(&self) -> Option<Identity<'_>> {
        self.last.as_ref().map(|last| Identity { of_number: last.of_number, series: &last.series })
    }

    /// The column by which a row is known to have an item. Sums below the items have neither a name nor a price.
    pub(crate) fn sign_of_item(&self, row: &Row) -> Option<u32> {
        let said = |column: &u32| row.get(*column).filter(|cell| !is_nought(cell)).and_then(Cell::said);
        let with_code = self.columns.hsn.iter().find(|column| said(column).is_some());
        if with_code.is_some() {
            return with_code.copied();
        }
        let is_total =
            |column: &u32| said(column).is_some_and(|text| TOTALS.contains(&&*spelling::folded(text.trim())));
        let has_amount = |column: &u32| said(column).is_some_and(|text| text.contains(|c| matches!(c, '1'..='9')));
        let has_amounts = self.columns.amounts.is_empty() || self.columns.amounts.iter().any(has_amount);
        if !has_amounts || is_sum(row) || self.columns.signs.iter().chain(&self.columns.series).any(is_total) {
            return None;
        }
        self.columns.signs.iter().find(|column| said(column).is_some()).copied()
    }

    /// Whether a row without a number reads like one of sums although something else stands in it: as a further item it
    /// would double its document.
    fn may_be_total(&self, row: &Row) -> bool {
        let said = |column: &u32| row.get(*column).and_then(Cell::said);
        let names_total = |column: &u32| said(column).is_some_and(|text| spelling::fold(&text).contains("total"));
        !self.columns.hsn.iter().any(|column| said(column).is_some())
            && self.columns.signs.iter().chain(&self.columns.series).any(names_total)
    }

    fn fill(&mut self, row: &mut Row) {
        let index = row.number - 1;
        self.open.retain(|(_, last, _)| *last >= index);
        while let Some(area) = self.merged.pop_if(|area| area.first.0 <= index) {
            if area.first.0 == index
                && let Some(cell) = row.get(area.first.1)
            {
                self.open.push((area.first.1, area.last.0, cell.clone()));
            }
        }
        for (column, _, cell) in &self.open {
            if let Err(at) = row.cells.binary_search_by_key(column, |(column, _)| *column) {
                row.cells.insert(at, (*column, cell.clone()));
            }
        }
    }
}

/// Whether a cell of a prepared row says nothing: formulas that were copied down give these where there is nothing yet.
fn is_nought(cell: &Cell) -> bool {
    match cell {
        Cell::Number(number) | Cell::Percent(number) => *number == 0.0,
        Cell::Error(_) => true,
        _ => false,
    }
}

/// Words before and after `total` in the heading of a sum.
const OF_WHAT: [&str; 8] = ["grand", "g", "sub", "net", "page", "invoice", "bill", "the"];
const OF_WHICH: [&str; 12] =
    ["of", "for", "in", "rs", "inr", "amount", "value", "qty", "quantity", "rupees", "carried", "brought"];

/// Whether the only text of a row is the heading of a sum, as in `Total for November` or `G. Total (Rs.)`. An item of such a
/// name has a unit or another text as well.
fn is_sum(row: &Row) -> bool {
    let mut texts = row.cells.iter().filter_map(|(_, cell)| match cell {
        Cell::Text(text) if text.contains(char::is_alphabetic) => Some(text.to_lowercase()),
        _ => None,
    });
    let (Some(text), None) = (texts.next(), texts.next()) else { return false };
    let mut words = text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
    let first = words.find(|word| !OF_WHAT.contains(word));
    first.is_some_and(|word| word == "total" || word == "totals")
        && words.next().is_none_or(|word| OF_WHICH.contains(&word))
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// One document of a number.
#[derive(Debug, Clone, Copy)]
struct Met {
    mark: u64,
    /// Which of the kept series it has.
    series: usize,
    /// Its first row.
    row: u32,
}

/// What the first pass found.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    /// The first document of each number, and those beside it: few numbers have more than one.
    first: HashMap<u64, Met>,
    further: HashMap<u64, Vec<Met>>,
    /// What tells documents of one number apart, each once: a sheet has few suppliers and types.
    series: HashMap<Vec<Option<String>>, usize>,
    /// Documents whose rows are those of another one.
    same_as: HashMap<u64, u64>,
    /// The last row of each document.
    last: HashMap<u64, u32>,
    /// Documents that must not be read, with the reason.
    spoilt: HashMap<u64, String>,
    previous: Option<u64>,
    /// A row that cannot be read; it may belong to the document before it or to the one after.
    pending: Option<String>,
}

impl Survey {
    /// Takes a row in; `identity` is that of its document, where it is of one.
    pub(crate) fn row(&mut self, number: u32, class: Class, identity: Option<Identity<'_>>) {
        match class {
            Class::Nothing => {}
            Class::Of(mark) => {
                self.meet(number, mark, identity);
                self.last.insert(mark, number);
                if let Some(reason) = self.pending.take() {
                    self.spoil(mark, reason);
                }
                self.previous = Some(mark);
            }
            Class::Orphan => {
                let reason = format!("row {number} below it has an item and no document number, and may belong to it");
                self.spoil_previous(reason);
            }
        }
    }

    /// Takes a row in that cannot be read; `class` is what could be told of it.
    pub(crate) fn fault(&mut self, number: u32, class: Option<Class>, identity: Option<Identity<'_>>) {
        let reason = format!("row {number} cannot be read, and belongs to it or may do so");
        match class {
            Some(Class::Of(mark)) => {
                self.meet(number, mark, identity);
                self.last.insert(mark, number);
                self.spoil(mark, reason);
                self.previous = Some(mark);
            }
            Some(Class::Nothing) => {}
            Some(Class::Orphan) | None => {
                self.spoil_previous(reason.clone());
                self.pending = Some(reason);
            }
        }
    }

    fn meet(&mut self, row: u32, mark: u64, identity: Option<Identity<'_>>) {
        let Some(identity) = identity.filter(|_| !self.last.contains_key(&mark)) else { return };
        let next = self.series.len();
        let series = match self.series.get(identity.series) {
            Some(known) => *known,
            None => *self.series.entry(identity.series.to_vec()).or_insert(next),
        };
        let met = Met { mark, series, row };
        if let Some(first) = self.first.get(&identity.of_number) {
            self.further.entry(identity.of_number).or_insert_with(|| vec![*first]).push(met);
        } else {
            self.first.insert(identity.of_number, met);
        }
    }

    /// Ends the pass: rows that leave blank what tells documents of their number apart go to the one they fit, and where
    /// they fit several, or only in part, nobody can tell whose they are.
    pub(crate) fn end(&mut self) {
        let mut kept: Vec<&[Option<String>]> = vec![&[]; self.series.len()];
        for (series, at) in &self.series {
            if let Some(slot) = kept.get_mut(*at) {
                *slot = series;
            }
        }
        let (mut same, mut unclear) = (Vec::new(), Vec::new());
        for documents in self.further.values() {
            let series = |met: &Met| kept.get(met.series).copied().unwrap_or_default();
            let within = |less: &Met, more: &Met| less.mark != more.mark && says_no_more(series(less), series(more));
            for own in documents.iter().filter(|own| series(own).contains(&None)) {
                let is_whole = |met: &Met| !documents.iter().any(|other| within(met, other));
                let fits = |met: &&Met| within(own, met) && is_whole(met);
                let half = |met: &&Met| {
                    met.mark != own.mark && agree(series(own), series(met)) && !within(own, met) && !within(met, own)
                };
                let fitting: Vec<&Met> = documents.iter().filter(fits).collect();
                let others: Vec<&Met> = documents.iter().filter(half).collect();
                match (fitting.as_slice(), others.as_slice()) {
                    ([], []) => {}
                    ([only], []) => same.push((own.mark, only.mark)),
                    (fitting, others) => {
                        let all = fitting.iter().chain(others).map(|met| met.mark).chain([own.mark]);
                        unclear.extend(all.map(|mark| (mark, own.row)));
                    }
                }
            }
        }
        for (mark, row) in unclear {
            let reason = format!(
                "row {row} has its number, leaves a column blank that tells documents of one number apart, and may belong \
                 to it"
            );
            self.spoil(mark, reason);
        }
        for (own, other) in same {
            self.same_as.insert(own, other);
            if let Some(row) = self.last.remove(&own) {
                let last = self.last.entry(other).or_insert(row);
                *last = row.max(*last);
            }
            if let Some(reason) = self.spoilt.remove(&own) {
                self.spoil(other, reason);
            }
        }
    }

    /// The document that a row of this mark belongs to.
    pub(crate) fn document(&self, mark: u64) -> u64 {
        self.same_as.get(&mark).copied().unwrap_or(mark)
    }

    fn spoil_previous(&mut self, reason: String) {
        if let Some(mark) = self.previous {
            self.spoil(mark, reason);
        }
    }

    fn spoil(&mut self, mark: u64, reason: String) {
        self.spoilt.entry(mark).or_insert(reason);
    }

    /// The last row of a document.
    pub(crate) fn last_row(&self, mark: u64) -> Option<u32> {
        self.last.get(&mark).copied()
    }

    /// Why a document must not be read, if so.
    pub(crate) fn spoilt(&self, mark: u64) -> Option<&str> {
        self.spoilt.get(&mark).map(String::as_str)
    }
}

/// Whether a series says nothing but what another one says too.
fn says_no_more(less: &[Option<String>], more: &[Option<String>]) -> bool {
    less.iter().zip(more).all(|(less, more)| less.is_none() || less == more)
}

/// Whether two series contradict each other nowhere.
fn agree(left: &[Option<String>], right: &[Option<String>]) -> bool {
    left.iter().zip(right).all(|(left, right)| left.is_none() || right.is_none() || left == right)
}

/// Numbers of rows as people write them: `5`, `5 to 7`, `5, 7 and 9`.
pub(crate) fn ranges(rows: impl IntoIterator<Item = u32>) -> String {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for row in rows {
        match ranges.last_mut() {
            Some((_, last)) if row == *last + 1 => *last = row,
            _ => ranges.push((row, row)),
        }
    }
    let shown: Vec<String> = ranges
        .iter()
        .map(|(first, last)| if first == last { first.to_string() } else { format!("{first} to {last}") })
        .collect();
    match shown.as_slice() {
        [before @ .., last] if !before.is_empty() => format!("{} and {last}", before.join(", ")),
        all => all.join(""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(number: u32, cells: &[(u32, &str)]) -> Row {
        Row { number, cells: cells.iter().map(|(column, text)| (*column, Cell::Text((*text).to_owned()))).collect() }
    }

    /// Number in A, type in B, HSN in C, headings in row 1.
    fn columns() -> Columns {
        Columns { row: 1, number: vec![0], series: vec![1], hsn: vec![2], ..Columns::default() }
    }

    fn marks(carry_down: bool, merged: &[Merged], rows: Vec<Row>) -> Vec<String> {
        let columns = columns();
        let mut grouper = Grouper::new(&columns, carry_down, merged);
        let mut names: Vec<u64> = Vec::new();
        rows.into_iter()
            .map(|mut row| match grouper.class(&mut row) {
                Class::Nothing => "-".to_owned(),
                Class::Orphan => "?".to_owned(),
                Class::Of(mark) => {
                    let at = names.iter().position(|known| *known == mark).unwrap_or_else(|| {
                        names.push(mark);
                        names.len() - 1
                    });
                    at.to_string()
                }
            })
            .collect()
    }

    #[test]
    fn rows_belong_together_by_number_and_type() {
        let rows = vec![
            row(1, &[(0, "heading")]),
            row(2, &[(0, "A/1"), (1, "INV"), (2, "8481")]),
            row(3, &[(0, "a/1"), (1, "INV"), (2, "8481")]),
            row(4, &[(0, "A/1"), (1, "CRN"), (2, "8481")]),
            row(5, &[(0, "A/1"), (2, "8482")]),
            row(6, &[(2, "8483")]),
            row(7, &[(3, "Total 500.00")]),
            row(9, &[(0, "A/1"), (1, "INV")]),
        ];
        assert_eq!(marks(false, &[], rows.clone()), ["-", "0", "0", "1", "1", "?", "-", "0"]);
        assert_eq!(marks(true, &[], rows), ["-", "0", "0", "1", "1", "1", "-", "0"]);
    }

    #[test]
    fn a_merged_number_counts_for_all_rows_it_is_shown_over() {
        let rows = vec![row(2, &[(0, "A/1"), (1, "INV"), (2, "8481")]), row(3, &[(2, "8482")]), row(4, &[(2, "8483")])];
        let merged = [Merged { first: (1, 0), last: (2, 0) }];
        assert_eq!(marks(false, &merged, rows), ["0", "0", "?"]);
    }

    #[test]
    fn a_row_that_cannot_be_read_keeps_back_what_it_may_belong_to() {
        let mut survey = Survey::default();
        survey.row(2, Class::Of(1), None);
        survey.fault(3, None, None);
        survey.row(4, Class::Of(2), None);
        survey.row(5, Class::Of(3), None);
        survey.row(6, Class::Orphan, None);
        survey.row(7, Class::Of(4), None);
        survey.fault(8, Some(Class::Of(5)), None);
        let spoilt: Vec<bool> = (1..=5).map(|mark| survey.spoilt(mark).is_some()).collect();
        assert_eq!(spoilt, [true, true, true, false, true]);
        assert_eq!((survey.last_row(1), survey.last_row(5), survey.last_row(9)), (Some(2), Some(8), None));
    }

    #[test]
    fn rows_are_named_as_people_write_them() {
        assert_eq!(ranges([5]), "5");
        assert_eq!(ranges([5, 6, 7]), "5 to 7");
        assert_eq!(ranges([5, 7, 8, 12]), "5, 7 to 8 and 12");
    }
}
