//! What is copied: a workbook as it was read, a copy made before, or nothing.

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;
use std::sync::LazyLock;

use einvoice_core::mapping::MappingConfig;
use einvoice_core::spelling;

use super::CopyError;
use super::answer::{Answer, Mark, Place, STATE_HEADING, State};
use super::marks::marks;
use crate::book::{Book, BookError, Line, Take};
use crate::builtin::{self, RESULTS};
use crate::cell::{Cell, Row};
use crate::fields::Fields;
use crate::heading::{self, HEADING_ROWS};

/// Headings of a list of results whose workbook is not there any more.
const LIST_HEADINGS: [&str; 3] = ["Document Type", "Document Number", "Document Date"];
/// Name of the sheet of such a list.
const LIST_SHEET: &str = "Results";
/// Name of the sheet with the pictures, which is drawn anew for each copy.
pub(crate) const QR_SHEET: &str = "QR codes";

/// The columns of the portal's headings, for sheets whose own mapping is not known here.
static PORTAL: LazyLock<Option<Fields>> =
    LazyLock::new(|| Fields::of(&builtin::mapping(), &MappingConfig::default()).ok());

/// What a copy is made of.
#[derive(Debug)]
pub(crate) struct Base {
    book: Option<Book>,
    is_target: bool,
    sheets: Vec<BaseSheet>,
}

/// One sheet of it.
#[derive(Debug)]
pub(crate) struct BaseSheet {
    pub(crate) name: String,
    /// Row of the headings, where it has results or gets some.
    pub(crate) heading_row: Option<u32>,
    /// Headings by column, without the star of what is required.
    pub(crate) headings: Vec<(u32, String)>,
    /// Columns in use.
    width: u32,
    last_row: u32,
    /// What it says about documents, by their first row.
    states: BTreeMap<u32, State>,
    /// Column of each result, and of the program's own at the end.
    results: Vec<Option<u32>>,
}

/// What is to be written over the base, by sheet.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) sheets: HashMap<String, SheetPlan>,
}

/// What is to be written over a sheet.
#[derive(Debug, Default)]
pub(crate) struct SheetPlan {
    pub(crate) heading_row: u32,
    /// Headings that are missing, by column.
    pub(crate) headings: BTreeMap<u32, String>,
    /// Values by row and column.
    pub(crate) values: BTreeMap<u32, BTreeMap<u32, String>>,
    /// Marked cells.
    pub(crate) marks: BTreeMap<(u32, u32), Mark>,
    /// Column of each result, and of the program's own at the end.
    pub(crate) columns: Vec<u32>,
    /// Columns of the document number, for people.
    pub(crate) number_columns: Vec<u32>,
    /// Documents with a new answer.
    fresh: usize,
}

impl Plan {
    /// Whether nothing new is to be written.
    pub(crate) fn is_empty(&self) -> bool {
        self.sheets.values().all(|sheet| sheet.fresh == 0)
    }
}

impl Base {
    /// Looks a workbook through: its width, and what it says about documents.
    pub(crate) fn of(mut book: Book, is_target: bool) -> Result<Self, BookError> {
        let mut sheets = Vec::new();
        for name in book.sheets().into_iter().filter(|name| name != QR_SHEET) {
            sheets.push(BaseSheet::of(&mut book, &name)?);
        }
        Ok(Self { book: Some(book), is_target, sheets })
    }

    /// Nothing but the results.
    pub(crate) fn list() -> Self {
        let headings = LIST_HEADINGS.iter().zip(0..).map(|(text, column)| (column, (*text).to_owned())).collect();
        let sheet = BaseSheet {
            name: LIST_SHEET.to_owned(),
            heading_row: Some(1),
            headings,
            width: 3,
            last_row: 1,
            states: BTreeMap::new(),
            results: vec![None; RESULTS.len() + 1],
        };
        Self { book: None, is_target: false, sheets: vec![sheet] }
    }

    /// Whether it is the copy that is written over.
    pub(crate) fn is_target(&self) -> bool {
        self.is_target
    }

    /// Whether the copy answers the workbook that looked like this.
    pub(crate) fn answers(&self, file: &str) -> bool {
        self.sheets.iter().flat_map(|sheet| sheet.states.values()).any(|state| state.file == file)
    }

    /// What it says about a record: the sheet, the row and the state.
    pub(crate) fn find(&self, record: &str) -> Option<(&BaseSheet, u32, &State)> {
        self.sheets.iter().find_map(|sheet| {
            let (row, state) = sheet.states.iter().find(|(_, state)| state.record == record)?;
            Some((sheet, *row, state))
        })
    }

    pub(crate) fn sheets(&self) -> impl Iterator<Item = &BaseSheet> {
        self.sheets.iter()
    }

    /// The mark between values where it is a text file.
    pub(crate) fn delimiter(&self) -> u8 {
        match &self.book {
            Some(Book::Text(file)) => file.delimiter(),
            _ => b',',
        }
    }

    /// Hands out the rows of a sheet.
    pub(crate) fn rows(&mut self, sheet: &str, take: Take<'_>) -> Result<(), CopyError> {
        if let Some(book) = &mut self.book {
            return Ok(book.rows(sheet, take)?);
        }
        if let Some(list) = self.sheets.first() {
            let cells = list.headings.iter().map(|(column, text)| (*column, Cell::Text(text.clone()))).collect();
            let _flow: ControlFlow<()> = take(Line::Row(Row { number: 1, cells }));
        }
        Ok(())
    }

    /// Says what is to be written for these answers, by record. An answer that the base has already is left out.
    pub(crate) fn plan(&mut self, answers: BTreeMap<String, Answer>) -> Result<Plan, CopyError> {
        let mut plan = Plan::default();
        // Text has no colours: what is wrong stands in its column.
        let is_text = matches!(self.book, Some(Book::Text(_)));
        for sheet in &self.sheets {
            if let Some(heading_row) = sheet.heading_row {
                let own = plan.sheets.entry(sheet.name.clone()).or_default();
                own.heading_row = heading_row;
                own.columns = sheet.columns();
                own.number_columns = sheet.number_columns();
                own.marks = sheet.states.iter().flat_map(|(row, state)| placed(*row, &state.marks)).collect();
            }
        }
        let mut known = self.known(&answers);
        for (record, mut answer) in answers {
            answer.place = answer.place.filter(|place| {
                self.sheets
                    .iter()
                    .any(|sheet| sheet.name == place.sheet && !sheet.is_list() && sheet.heading_row.is_some())
            });
            let known = known.remove(&record);
            if known.as_ref().is_some_and(|(.., state)| state.revision >= answer.state.revision) {
                continue;
            }
            let (name, row) = self.place(&answer, known.as_ref().map(|(sheet, row, _)| (sheet.as_str(), *row)))?;
            let Some(sheet) = self.sheets.iter().find(|sheet| sheet.name == name) else { continue };
            let own = plan.sheets.entry(name).or_default();
            if let Some((.., state)) = known {
                for (cell, _) in placed(row, &state.marks) {
                    own.marks.remove(&cell);
                }
            }
            if let Some(place) = &answer.place
                && !is_text
            {
                answer.state.marks = marks(&answer.findings, place, &sheet.headings);
            }
            own.marks.extend(placed(row, &answer.state.marks));
            let state = answer.state.to_text();
            let values = answer.values.iter().cloned().chain([state]);
            let cells = own.values.entry(row).or_default();
            if sheet.is_list() {
                cells.extend((0..).zip(answer.named.iter().cloned()));
            }
            cells.extend(own.columns.iter().copied().zip(values));
            own.fresh += 1;
        }
        for sheet in &self.sheets {
            if let Some(own) = plan.sheets.get_mut(&sheet.name).filter(|own| own.fresh > 0) {
                let missing = sheet.results.iter().zip(&own.columns).zip(RESULTS.iter().chain([&STATE_HEADING]));
                let missing = missing.filter(|((known, _), _)| known.is_none());
                own.headings = missing.map(|((_, column), text)| (*column, (*text).to_owned())).collect();
            }
        }
        Ok(plan)
    }

    /// What the base says already about the records of these answers.
    fn known(&self, answers: &BTreeMap<String, Answer>) -> HashMap<String, (String, u32, State)> {
        let of = |sheet: &BaseSheet, row: u32, state: &State| {
            answers
                .contains_key(&state.record)
                .then(|| (state.record.clone(), (sheet.name.clone(), row, state.clone())))
        };
        let states =
            self.sheets.iter().flat_map(|sheet| sheet.states.iter().map(move |(row, state)| (sheet, *row, state)));
        states.filter_map(|(sheet, row, state)| of(sheet, row, state)).collect()
    }

    /// The sheet and the first row of an answer. What has no row of its own stands below the last one.
    fn place(&mut self, answer: &Answer, known: Option<(&str, u32)>) -> Result<(String, u32), CopyError> {
        if let Some((sheet, row)) = known {
            return Ok((sheet.to_owned(), row));
        }
        if let Some(Place { sheet, rows, .. }) = &answer.place {
            return Ok((sheet.clone(), rows.first().copied().unwrap_or_default()));
        }
        let sheet = self.sheets.iter_mut().find(|sheet| sheet.heading_row.is_some());
        let sheet = sheet.ok_or_else(|| CopyError::Base("the workbook has no sheet with headings".to_owned()))?;
        sheet.last_row += 1;
        Ok((sheet.name.clone(), sheet.last_row))
    }

    /// Tells the sheets of the places of answers where their headings are.
    pub(crate) fn learn<'a>(&mut self, places: impl IntoIterator<Item = &'a Place>) -> Result<(), BookError> {
        let mut rows: BTreeMap<&str, u32> = BTreeMap::new();
        for place in places {
            rows.insert(&place.sheet, place.heading_row);
        }
        for sheet in &mut self.sheets {
            if let Some(row) = rows.get(sheet.name.as_str())
                && sheet.heading_row.is_none()
                && let Some(book) = &mut self.book
            {
                sheet.read_headings(book, *row)?;
            }
        }
        Ok(())
    }

    /// Whether any sheet has headings.
    pub(crate) fn has_headings(&self) -> bool {
        self.sheets.iter().any(|sheet| sheet.heading_row.is_some())
    }
}

fn placed(first: u32, marks: &[Mark]) -> impl Iterator<Item = ((u32, u32), Mark)> {
    marks.iter().map(move |mark| ((first.saturating_add(mark.down), mark.column), mark.clone()))
}

impl BaseSheet {
    fn of(book: &mut Book, name: &str) -> Result<Self, BookError> {
        let mut sheet = Self {
            name: name.to_owned(),
            heading_row: None,
            headings: Vec::new(),
            width: 0,
            last_row: 0,
            states: BTreeMap::new(),
            results: vec![None; RESULTS.len() + 1],
        };
        let first_rows = u32::try_from(HEADING_ROWS).unwrap_or(u32::MAX);
        let mut state_column = None;
        let mut lost = None;
        book.rows(name, &mut |line| {
            let row = match line {
                Line::Row(row) | Line::Fault { readable: Some(row), .. } => row,
                Line::Fault { message, fix, number, .. } => {
                    lost = Some(BookError::Content { message, fix, after_row: Some(number) });
                    return ControlFlow::Break(());
                }
            };
            sheet.width = sheet.width.max(row.cells.last().map_or(0, |(column, _)| column + 1));
            sheet.last_row = row.number;
            if let Some(column) = state_column {
                let text = row.get(column).map(Cell::text);
                if let Some(state) = text.as_deref().map(unescaped).and_then(State::parse) {
                    sheet.states.insert(row.number, state);
                }
            } else if row.number <= first_rows {
                let own = row.cells.iter().find(|(_, cell)| cell.text().trim() == STATE_HEADING);
                if let Some((column, _)) = own {
                    state_column = Some(*column);
                    sheet.take_headings(&row);
                }
            }
            ControlFlow::Continue(())
        })?;
        // A copy without a row that is there would lose it once the copy takes the place of the file.
        match lost {
            Some(error) => Err(error),
            None => Ok(sheet),
        }
    }

    /// Whether it is a list of results and nothing else.
    fn is_list(&self) -> bool {
        self.heading_row == Some(1)
            && (self.headings.len() == LIST_HEADINGS.len()
                || self.headings.len() == LIST_HEADINGS.len() + RESULTS.len() + 1)
            && self.headings.iter().zip(LIST_HEADINGS).all(|((_, own), listed)| own == listed)
    }

    /// Reads the headings of a row; 0 asks for the row that has the portal's.
    fn read_headings(&mut self, book: &mut Book, wanted: u32) -> Result<(), BookError> {
        let name = self.name.clone();
        if wanted == 0 {
            let mut rows = Vec::new();
            book.rows(&name, &mut |line| {
                if let Line::Row(row) = line {
                    rows.push(row);
                }
                if rows.len() < HEADING_ROWS { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            })?;
            let found = PORTAL.as_ref().and_then(|fields| heading::find(&rows, fields, None));
            if let Some(row) = found.and_then(|found| rows.into_iter().find(|row| row.number == found.row)) {
                self.take_headings(&row);
            }
            return Ok(());
        }
        book.rows(&name, &mut |line| {
            let (Line::Row(row) | Line::Fault { readable: Some(row), .. }) = line else {
                return ControlFlow::Continue(());
            };
            if row.number == wanted {
                self.take_headings(&row);
            }
            if row.number < wanted { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })
    }

    fn take_headings(&mut self, row: &Row) {
        self.heading_row = Some(row.number);
        let spelt = |cell: &Cell| cell.text().split_whitespace().collect::<Vec<_>>().join(" ");
        let headings = row.cells.iter().map(|(column, cell)| (*column, spelt(cell)));
        self.headings = headings.map(|(column, text)| (column, text.trim_end_matches(['*', ' ']).to_owned())).collect();
        for (known, wanted) in self.results.iter_mut().zip(RESULTS.iter().chain([&STATE_HEADING])) {
            // From behind: a sheet may have a `Status` of its own.
            let found = self.headings.iter().rev().find(|(_, text)| spelling::same(text, wanted));
            *known = found.map(|(column, _)| *column);
        }
        // Results are ours only where our own column stands behind them.
        if self.results.last().copied().flatten().is_none() {
            self.results.fill(None);
        }
    }

    /// Column of each result, and of the program's own: where they are, else behind the last in use.
    fn columns(&self) -> Vec<u32> {
        let mut next = self.width;
        self.results
            .iter()
            .map(|known| {
                known.unwrap_or_else(|| {
                    let column = next;
                    next += 1;
                    column
                })
            })
            .collect()
    }

    /// The columns that name a document to people, where they have the portal's headings.
    fn number_columns(&self) -> Vec<u32> {
        let named = |path: &str| {
            let heading = builtin::heading_of(path)?;
            let known = |key: &str| {
                std::iter::once(heading.text)
                    .chain(heading.also.iter().copied())
                    .any(|text| spelling::fold(text) == key)
            };
            let found = self.headings.iter().find(|(_, text)| known(&builtin::key(text, &known)))?;
            Some(found.0)
        };
        ["DocDtls.Typ", "DocDtls.No", "DocDtls.Dt", "BuyerDtls.LglNm"].into_iter().filter_map(named).collect()
    }

    /// What a row shows, by the names of results.
    pub(crate) fn shown<'s>(&'s self, row: &'s Row) -> impl Iterator<Item = (&'static str, String)> + 's {
        RESULTS.iter().zip(&self.results).filter_map(|(name, column)| {
            let text = row.get((*column)?)?.text();
            let text = unescaped(&text);
            (!text.is_empty()).then(|| (*name, text.to_owned()))
        })
    }
}

/// Without the apostrophe that keeps a spreadsheet program from computing what a text file says.
fn unescaped(text: &str) -> &str {
    text.strip_prefix('\'').unwrap_or(text)
}
