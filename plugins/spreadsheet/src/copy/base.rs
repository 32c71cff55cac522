//! What is copied: a workbook as it was read, a copy made before, or nothing.

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::LazyLock;

use einvoice_core::mapping::MappingConfig;
use einvoice_core::spelling;

use super::answer::{Answer, Mark, Place, STATE_HEADING, State};
use super::marks::marks;
use super::package::{Code, Package, QR_SHEET, QR_TITLE};
use super::plan::{self, Fresh, Plan};
use super::{CopyError, CopySettings};
use crate::book::{Book, BookError, COLUMNS_MAX, Line, ROWS_MAX, Take};
use crate::builtin::{self, RESULTS};
use crate::cell::{Cell, Row};
use crate::fields::Fields;
use crate::heading::{self, HEADING_ROWS};

/// Headings of a list of results whose workbook is not there any more.
const LIST_HEADINGS: [&str; 3] = ["Document Type", "Document Number", "Document Date"];
/// Name of the sheet of such a list.
const LIST_SHEET: &str = "Results";
/// Where the acknowledgement number stands among the results.
const ACK_NO: usize = 2;
/// Where the signed text stands among the results.
const SIGNED_QR: usize = 4;
/// The results that stand beside a picture.
const BESIDE_PICTURE: [usize; 5] = [1, 2, 3, 5, 7];

/// The columns of the portal's headings, for sheets whose own mapping is not known here.
static PORTAL: LazyLock<Option<Fields>> =
    LazyLock::new(|| Fields::of(&builtin::mapping(), &MappingConfig::default()).ok());

/// What a copy is made of.
#[derive(Debug)]
pub(crate) struct Base {
    book: Option<Book>,
    is_target: bool,
    sheets: Vec<BaseSheet>,
    /// The file itself, where its parts can be kept.
    package: Option<Package>,
    /// The sheet of pictures that it has from an earlier copy.
    codes_sheet: Option<String>,
}

/// One sheet of it.
#[derive(Debug)]
pub(crate) struct BaseSheet {
    pub(crate) name: String,
    /// Row of the headings, where it has results or gets some.
    pub(crate) heading_row: Option<u32>,
    /// Headings by column, without the star of what is required.
    pub(crate) headings: Vec<(u32, String)>,
    /// Columns in use, where the file is not kept as it is.
    pub(crate) width: u32,
    last_row: u32,
    /// What it says about documents, by their first row.
    states: BTreeMap<u32, State>,
    /// Codes of documents, by their first row.
    codes: BTreeMap<u32, Code>,
    /// Column of each result, and of the program's own at the end.
    results: Vec<Option<u32>>,
}

impl Base {
    /// Looks a workbook through: what it says about documents.
    pub(crate) fn of(mut book: Book, path: &Path, is_target: bool, settings: CopySettings) -> Result<Self, BookError> {
        let package = book.is_package().then(|| Package::open(path)).and_then(|opened| {
            opened.inspect_err(|error| tracing::warn!(file = %path.display(), %error, "its values are copied")).ok()
        });
        let mut sheets = Vec::new();
        let mut codes_sheet = None;
        for name in book.sheets() {
            if name.starts_with(QR_SHEET) && says_first(&mut book, &name, QR_TITLE)? {
                codes_sheet = Some(name);
                continue;
            }
            sheets.push(BaseSheet::of(&mut book, &name, package.is_some(), settings)?);
        }
        Ok(Self { book: Some(book), is_target, sheets, package, codes_sheet })
    }

    /// Nothing but the results.
    pub(crate) fn list() -> Self {
        let headings = LIST_HEADINGS.iter().zip(0..).map(|(text, column)| (column, (*text).to_owned())).collect();
        let sheet = BaseSheet { heading_row: Some(1), headings, width: 3, last_row: 1, ..BaseSheet::named(LIST_SHEET) };
        Self { book: None, is_target: false, sheets: vec![sheet], package: None, codes_sheet: None }
    }

    /// Whether it is the copy that is written over.
    pub(crate) fn is_target(&self) -> bool {
        self.is_target
    }

    /// Whether its parts can be kept as they are.
    pub(crate) fn is_package(&self) -> bool {
        self.package.is_some()
    }

    /// Whether it is a list of results without their workbook.
    pub(crate) fn is_list(&self) -> bool {
        self.book.is_none()
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

    /// The file whose parts are kept, to be written anew.
    pub(super) fn take_package(&mut self) -> Option<Package> {
        self.package.take()
    }

    /// Lets go of the file.
    pub(super) fn close(&mut self) {
        self.book = None;
    }

    /// The sheet of pictures of an earlier copy.
    pub(super) fn codes_sheet(&self) -> Option<&str> {
        self.codes_sheet.as_deref()
    }

    /// Whether the copy has macros, which its name has to say.
    pub(crate) fn has_macros(&self) -> bool {
        self.package.as_ref().is_some_and(Package::has_macros)
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
                own.known.clone_from(&sheet.results);
            }
        }
        let mut known = self.known(&answers);
        // Rows that answers stand in, whether or not the base has them still.
        let mut taken: BTreeMap<String, u32> = BTreeMap::new();
        for place in answers.values().filter_map(|answer| answer.place.as_ref()) {
            let last = taken.entry(place.sheet.clone()).or_default();
            *last = place.rows.iter().copied().chain([*last]).max().unwrap_or_default();
        }
        for (record, mut answer) in answers {
            answer.place = answer.place.filter(|place| {
                self.sheets
                    .iter()
                    .any(|sheet| sheet.name == place.sheet && !sheet.is_list() && sheet.heading_row.is_some())
            });
            let known = known.remove(&record);
            if known.as_ref().is_some_and(|(.., state)| state.edition().covers(&answer.state.edition())) {
                continue;
            }
            let known_place = known.as_ref().map(|(sheet, row, _)| (sheet.as_str(), *row));
            let (name, row) = self.place(&answer, known_place, &taken)?;
            let Some(sheet) = self.sheets.iter().find(|sheet| sheet.name == name) else { continue };
            let own = plan.sheets.entry(name).or_default();
            if let Some((.., state)) = known {
                own.cleared.extend(placed(row, state.marks).map(|(cell, mark)| (cell, mark.was)));
            }
            if let Some(place) = &answer.place
                && !is_text
            {
                answer.state.marks = marks(&answer.findings, place, &sheet.headings);
            }
            own.marks.extend(placed(row, answer.state.marks.clone()));
            let named = sheet.is_list().then(|| answer.named.clone());
            own.fresh.insert(row, Fresh { values: answer.values, state: answer.state, named });
        }
        Ok(plan)
    }

    /// The codes of all documents once the plan is carried out; nothing where they stay as they are.
    pub(super) fn codes(&self, plan: &Plan, settings: CopySettings) -> Option<Vec<Code>> {
        let most = usize::try_from(settings.qr_pictures_max).unwrap_or(usize::MAX);
        let mut all = Vec::new();
        let mut is_new = false;
        for sheet in &self.sheets {
            let mut codes = sheet.codes.clone();
            for (row, fresh) in plan.sheets.get(&sheet.name).into_iter().flat_map(|own| &own.fresh) {
                let code = code(&fresh.state.named, |at| fresh.values.get(at).cloned());
                is_new |= codes.get(row) != code.as_ref();
                codes.remove(row);
                codes.extend(code.map(|code| (*row, code)));
            }
            all.extend(codes.into_values().take(most.saturating_sub(all.len())));
        }
        (is_new && (most > 0 || self.codes_sheet.is_some())).then_some(all)
    }

    /// What the base says already about the records of these answers.
    fn known(&self, answers: &BTreeMap<String, Answer>) -> HashMap<String, (String, u32, State)> {
        let mut known = HashMap::new();
        for sheet in &self.sheets {
            // A person who copies a row copies what it says of its document: the first one counts, as for `find`.
            for (row, state) in sheet.states.iter().filter(|(_, state)| answers.contains_key(&state.record)) {
                known.entry(state.record.clone()).or_insert_with(|| (sheet.name.clone(), *row, state.clone()));
            }
        }
        known
    }

    /// The sheet and the first row of an answer. What has no row of its own stands below the last one.
    fn place(
        &mut self,
        answer: &Answer,
        known: Option<(&str, u32)>,
        taken: &BTreeMap<String, u32>,
    ) -> Result<(String, u32), CopyError> {
        if let Some((sheet, row)) = known {
            return Ok((sheet.to_owned(), row));
        }
        if let Some(Place { sheet, rows, .. }) = &answer.place {
            return Ok((sheet.clone(), rows.first().copied().unwrap_or_default()));
        }
        let sheet = self.sheets.iter_mut().find(|sheet| sheet.heading_row.is_some());
        let sheet = sheet.ok_or_else(|| CopyError::Base("the workbook has no sheet with headings".to_owned()))?;
        if let Some(package) = &mut self.package
            && sheet.last_row == 0
        {
            sheet.last_row = package.extent(&sheet.name, sheet.heading_row.unwrap_or_default())?.last_row;
        }
        let said = sheet.states.keys().next_back().copied().unwrap_or_default();
        let taken = taken.get(&sheet.name).copied().unwrap_or_default();
        sheet.last_row = sheet.last_row.max(said).max(taken);
        if sheet.last_row >= ROWS_MAX {
            return Err(CopyError::Base(format!("sheet {} has no room for another row", sheet.name)));
        }
        sheet.last_row += 1;
        Ok((sheet.name.clone(), sheet.last_row))
    }

    /// Tells the sheets of the places of answers where their headings are.
    ///
    /// # Errors
    /// When a sheet cannot be read to its end: a copy of it could not be made.
    pub(crate) fn learn<'a>(&mut self, places: impl IntoIterator<Item = &'a Place>) -> Result<(), CopyError> {
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
                if let (Some(heading_row), Some(package)) = (sheet.heading_row, &mut self.package) {
                    let found = package.extent(&sheet.name, heading_row)?;
                    (sheet.width, sheet.last_row) = (found.width, found.last_row);
                }
            }
        }
        Ok(())
    }

    /// Whether any sheet has headings.
    pub(crate) fn has_headings(&self) -> bool {
        self.sheets.iter().any(|sheet| sheet.heading_row.is_some())
    }
}

fn placed(first: u32, marks: Vec<Mark>) -> impl Iterator<Item = ((u32, u32), Mark)> {
    let cells = marks.into_iter().map(move |mark| ((first.saturating_add(mark.down), mark.column), mark));
    // A copy comes back from a person, who may have changed what it remembers.
    cells.filter(|((row, column), _)| *row <= ROWS_MAX && *column < COLUMNS_MAX)
}

/// What the sheet of pictures shows of a document: nothing where no code is signed.
fn code(named: &str, result: impl Fn(usize) -> Option<String>) -> Option<Code> {
    let said = |at: usize| result(at).filter(|text| !text.is_empty());
    let signed = said(SIGNED_QR)?;
    let beside = BESIDE_PICTURE.iter().filter_map(|at| Some(format!("{} {}", RESULTS.get(*at)?, said(*at)?)));
    let named = Some(named.to_owned()).filter(|named| !named.is_empty());
    Some(Code { texts: named.into_iter().chain(beside).collect(), signed })
}

/// Whether the first cell of a sheet says this.
fn says_first(book: &mut Book, sheet: &str, text: &str) -> Result<bool, BookError> {
    let mut says = false;
    book.rows(sheet, &mut |line| {
        says = matches!(line, Line::Row(row) if row.number == 1 && row.get(0).is_some_and(|cell| cell.text() == text));
        ControlFlow::Break(())
    })?;
    Ok(says)
}

impl BaseSheet {
    fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            heading_row: None,
            headings: Vec::new(),
            width: 0,
            last_row: 0,
            states: BTreeMap::new(),
            codes: BTreeMap::new(),
            results: vec![None; RESULTS.len() + 1],
        }
    }

    /// Of a sheet that is kept as it is only what an earlier copy says is read; of others all rows, to know how far they go.
    fn of(book: &mut Book, name: &str, is_kept: bool, settings: CopySettings) -> Result<Self, BookError> {
        let mut sheet = Self::named(name);
        let first_rows = u32::try_from(HEADING_ROWS).unwrap_or(u32::MAX);
        book.rows(name, &mut |line| {
            let (Line::Row(row) | Line::Fault { readable: Some(row), .. }) = line else {
                return ControlFlow::Continue(());
            };
            if row.number > first_rows {
                return ControlFlow::Break(());
            }
            if row.cells.iter().any(|(_, cell)| cell.text().trim() == STATE_HEADING) {
                sheet.take_headings(&row);
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        })?;
        if is_kept && sheet.heading_row.is_none() {
            return Ok(sheet);
        }
        let mut results: Vec<u32> = sheet.results.iter().flatten().copied().collect();
        results.sort_unstable();
        results.dedup();
        let only = is_kept.then_some(results.as_slice());
        let most = usize::try_from(settings.qr_pictures_max).unwrap_or(usize::MAX);
        let mut lost = None;
        book.columns(name, only, &mut |line| {
            let row = match line {
                Line::Row(row) | Line::Fault { readable: Some(row), .. } => row,
                Line::Fault { message, fix, number, .. } => {
                    lost = Some(BookError::Content { message, fix, after_row: Some(number) });
                    return ControlFlow::Break(());
                }
            };
            if !is_kept {
                sheet.width = sheet.width.max(row.cells.last().map_or(0, |(column, _)| column + 1));
                sheet.last_row = row.number;
            }
            sheet.take_state(&row, most);
            ControlFlow::Continue(())
        })?;
        // A copy without a row that is there would lose it once the copy takes the place of the file.
        match lost {
            Some(error) => Err(error),
            None => Ok(sheet),
        }
    }

    /// What an earlier copy says in a row.
    fn take_state(&mut self, row: &Row, codes_max: usize) {
        if self.heading_row.is_none_or(|heading| row.number <= heading) {
            return;
        }
        let column = self.results.last().copied().flatten();
        let text = column.and_then(|column| row.get(column)).map(Cell::text);
        let Some(mut state) = text.as_deref().map(unescaped).and_then(State::parse) else { return };
        let result = |at: usize| Some(unescaped(&row.get((*self.results.get(at)?)?)?.text()).to_owned());
        state.ack_no = result(ACK_NO).filter(|text| !text.is_empty());
        if self.codes.len() < codes_max {
            self.codes.extend(code(&state.named, result).map(|code| (row.number, code)));
        }
        self.states.insert(row.number, state);
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
        for (known, wanted) in self.results.iter_mut().zip(plan::headings()) {
            // From behind: a sheet may have a `Status` of its own.
            let found = self.headings.iter().rev().find(|(_, text)| spelling::same(text, wanted));
            *known = found.map(|(column, _)| *column);
        }
        // Results are ours only where our own column stands behind them.
        if self.results.last().copied().flatten().is_none() {
            self.results.fill(None);
        }
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

/// Without the apostrophe that keeps a spreadsheet program from computing what a text file says, and without the `="12"`
/// that keeps digits as they are.
fn unescaped(text: &str) -> &str {
    let digits = text.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"'));
    digits.or_else(|| text.strip_prefix('\'')).unwrap_or(text)
}
