//! Reading one file: its sheets, their headings, their documents one after the other.

use std::collections::HashMap;
use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;

use einvoice_core::finding::Finding;
use einvoice_file_drop::{Entries, Format, Found};

use crate::book::{Book, BookError, Line, Merged, TextSettings};
use crate::cell::Row;
use crate::config::RecordId;
use crate::group::{Class, Grouper, ROWS_OF_DOCUMENT_MAX, Survey};
use crate::heading::{self, Columns, HEADING_ROWS};
use crate::record::{Mapper, Sheet};

/// How files are read.
#[derive(Debug)]
pub(crate) struct Reading {
    pub(crate) text: TextSettings,
    pub(crate) sheet: Option<String>,
    pub(crate) heading_row: Option<u32>,
    pub(crate) carry_down: bool,
    pub(crate) record_id: RecordId,
}

/// Files of sheets.
#[derive(Debug)]
pub(crate) struct Sheets {
    reading: Reading,
    mapper: Arc<Mapper>,
}

/// What ended the reading of a file before its end.
enum Stop {
    /// Nobody listens any more.
    Deaf,
    /// It cannot be read.
    Failed(BookError),
}

impl From<BookError> for Stop {
    fn from(error: BookError) -> Self {
        Self::Failed(error)
    }
}

impl Format for Sheets {
    fn read(&self, file: &Found, entries: &mut Entries<'_>) -> io::Result<()> {
        match self.file(file, entries) {
            Ok(()) | Err(Stop::Deaf) => Ok(()),
            Err(Stop::Failed(BookError::Io(error))) => Err(error),
            Err(Stop::Failed(BookError::Content { message, fix, .. })) => {
                entries.fault("", format!("the file {}", file.shown), vec![fault(&message, fix, &file.shown)]);
                Ok(())
            }
        }
    }
}

impl Sheets {
    pub(crate) fn new(reading: Reading, mapper: Arc<Mapper>) -> Self {
        Self { reading, mapper }
    }

    fn file(&self, file: &Found, entries: &mut Entries<'_>) -> Result<(), Stop> {
        let mut book = Book::open(&file.path, self.reading.text)?;
        let names = book.sheets();
        let wanted: Vec<String> = match &self.reading.sheet {
            Some(wanted) if !book.has_lines() => {
                let found: Vec<_> = names.iter().filter(|name| name.eq_ignore_ascii_case(wanted)).cloned().collect();
                if found.is_empty() {
                    let message = format!("it has no visible sheet {wanted}; its sheets are {}", names.join(", "));
                    let fix = "Correct the key `sheet` of this source, or the name of the sheet.";
                    return Err(BookError::Content { message, fix, after_row: None }.into());
                }
                found
            }
            _ => names.clone(),
        };
        let mut with_headings = 0;
        let mut seen = Vec::new();
        for name in &wanted {
            match self.headings(&mut book, name)? {
                Ok(columns) => {
                    with_headings += 1;
                    let sheet = Sheet {
                        name: name.clone(),
                        named: names.len() > 1,
                        word: if book.has_lines() { "line" } else { "row" },
                        is_1904: book.is_1904(),
                        knows_percent: book.knows_percent(),
                        file: look(file),
                        columns,
                    };
                    self.sheet(&mut book, &sheet, file, entries)?;
                }
                Err(texts) => seen.push(texts),
            }
        }
        if with_headings == 0 {
            return Err(self.no_headings(&seen).into());
        }
        Ok(())
    }

    /// The columns of a sheet, or what its first rows say instead.
    fn headings(&self, book: &mut Book, sheet: &str) -> Result<Result<Columns, String>, BookError> {
        let last = self.reading.heading_row.unwrap_or_default().max(u32::try_from(HEADING_ROWS).unwrap_or(u32::MAX));
        let mut rows: Vec<Row> = Vec::new();
        book.rows(sheet, &mut |line| {
            let (Line::Row(row) | Line::Fault { readable: Some(row), .. }) = line else {
                return ControlFlow::Continue(());
            };
            if row.number > last {
                return ControlFlow::Break(());
            }
            rows.push(row);
            ControlFlow::Continue(())
        })?;
        Ok(heading::find(&rows, &self.mapper.fields, self.reading.heading_row).ok_or_else(|| {
            let fullest = rows.iter().rev().max_by_key(|row| row.cells.len());
            let texts = fullest.map(|row| row.cells.iter().take(8).map(|(_, cell)| cell.text()).collect::<Vec<_>>());
            texts.unwrap_or_default().join(", ")
        }))
    }

    fn no_headings(&self, seen: &[String]) -> BookError {
        let wanted = self.mapper.fields.number_spelt.join(" or ");
        let shown: String = seen.iter().filter(|text| !text.is_empty()).max_by_key(|text| text.len()).map_or_else(
            || "there is nothing in it".to_owned(),
            |text| format!("its fullest row begins with: {}", text.chars().take(200).collect::<String>()),
        );
        let place = self
            .reading
            .heading_row
            .map_or_else(|| format!("in its first {HEADING_ROWS} rows"), |row| format!("in row {row}"));
        let message = format!("it has no heading for the number of the document ({wanted}) {place}; {shown}");
        let fix = "Head the column `Document Number`, map your own heading to `DocDtls.No`, or set `heading_row` or \
                   `delimiter`.";
        BookError::Content { message, fix, after_row: None }
    }

    /// Reads a sheet twice: to know where documents end, and to hand them over.
    fn sheet(&self, book: &mut Book, sheet: &Sheet, file: &Found, entries: &mut Entries<'_>) -> Result<(), Stop> {
        let read = book.merged(&sheet.name).and_then(|merged| {
            let survey = self.survey(book, sheet, &merged)?;
            Ok((merged, survey))
        });
        let (merged, survey) = match read {
            Ok(read) => read,
            Err(BookError::Content { message, fix, after_row }) => {
                let place = after_row.map(|row| format!("after {} {row}", sheet.word)).unwrap_or_default();
                let message = format!("{message}; nothing of it was taken, as documents may go on behind that place");
                let at = if place.is_empty() { file.shown.clone() } else { format!("{}, {place}", file.shown) };
                let label = format!("sheet {} of {}", sheet.name, file.shown);
                return if entries.fault(&place, label, vec![fault(&message, fix, &at)]) {
                    Ok(())
                } else {
                    Err(Stop::Deaf)
                };
            }
            Err(error) => return Err(error.into()),
        };
        let mut grouper = Grouper::new(&sheet.columns, self.reading.carry_down, &merged);
        let mut open: HashMap<u64, Vec<Row>> = HashMap::new();
        let mut deaf = false;
        book.columns(&sheet.name, Some(&sheet.columns.read()), &mut |line| {
            let goes_on = match line {
                Line::Row(mut row) => match grouper.class(&mut row) {
                    Class::Nothing => true,
                    Class::Orphan => orphan(&row, grouper.sign_of_item(&row), sheet, file, entries),
                    Class::Of(mark) => {
                        let mark = survey.document(mark);
                        let number = row.number;
                        let rows = open.entry(mark).or_default();
                        if rows.len() <= ROWS_OF_DOCUMENT_MAX {
                            rows.push(row);
                        }
                        if survey.last_row(mark).is_none_or(|last| last <= number) {
                            let rows = open.remove(&mark).unwrap_or_default();
                            self.document(&rows, survey.spoilt(mark), sheet, file, entries)
                        } else {
                            true
                        }
                    }
                },
                Line::Fault { number, readable, message, fix } => {
                    if number <= sheet.columns.row {
                        true
                    } else {
                        let mut goes_on = unreadable(number, &message, fix, sheet, file, entries);
                        let mark = match readable.map(|mut row| grouper.class(&mut row)) {
                            Some(Class::Of(mark)) => Some(survey.document(mark)),
                            _ => None,
                        };
                        if let Some(mark) = mark
                            && survey.last_row(mark).is_none_or(|last| last <= number)
                            && let Some(rows) = open.remove(&mark)
                        {
                            goes_on = goes_on && self.document(&rows, survey.spoilt(mark), sheet, file, entries);
                        }
                        goes_on
                    }
                }
            };
            deaf = !goes_on;
            if goes_on { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        if deaf { Err(Stop::Deaf) } else { Ok(()) }
    }

    fn survey(&self, book: &mut Book, sheet: &Sheet, merged: &[Merged]) -> Result<Survey, BookError> {
        let mut grouper = Grouper::new(&sheet.columns, self.reading.carry_down, merged);
        let mut survey = Survey::default();
        book.columns(&sheet.name, Some(&sheet.columns.keys()), &mut |line| {
            match line {
                Line::Row(mut row) => {
                    let class = grouper.class(&mut row);
                    survey.row(row.number, class, grouper.identity());
                }
                Line::Fault { number, .. } if number <= sheet.columns.row => {}
                Line::Fault { number, readable, .. } => {
                    let class = readable.map(|mut row| grouper.class(&mut row));
                    survey.fault(number, class, grouper.identity());
                }
            }
            ControlFlow::Continue(())
        })?;
        survey.end();
        Ok(survey)
    }

    /// Hands a document over, or says why it is kept back.
    fn document(
        &self,
        rows: &[Row],
        spoilt: Option<&str>,
        sheet: &Sheet,
        file: &Found,
        entries: &mut Entries<'_>,
    ) -> bool {
        let place = sheet.place(rows);
        let kept_back = match spoilt {
            Some(reason) => Some((reason.to_owned(), "Correct that row; this document is read once it is right.")),
            None if rows.len() > ROWS_OF_DOCUMENT_MAX => Some((
                format!("the document has more than {ROWS_OF_DOCUMENT_MAX} rows; the portal takes 1,000 items"),
                "Check the column of the document number: it seems to say the same in every row.",
            )),
            None => None,
        };
        if let Some((reason, fix)) = kept_back {
            let number = rows.iter().flat_map(|row| sheet.columns.number.iter().filter_map(|at| row.get(*at))).next();
            let label = number.map_or_else(|| place.clone(), crate::cell::Cell::text);
            let finding = Finding::error("spreadsheet.kept_back", "", format!("the document is not read: {reason}"))
                .with_fix(fix)
                .with_place(format!("{}, {place}", file.shown));
            return entries.problem(&place, label, vec![finding]);
        }
        let (record, kept) = self.mapper.keep(sheet, rows);
        let content = record.to_content();
        let id = match self.reading.record_id {
            RecordId::Document => Mapper::key(&kept),
            RecordId::Position => None,
        };
        if let Some(id) = id {
            return entries.record(&place, id, content, Some(Arc::new(kept)));
        }
        let row = rows.first().map(|row| row.number).unwrap_or_default();
        let id = format!("{}#{}!{row}", file.shown, sheet.name);
        entries.positioned(&place, id, content, Some(Arc::new(kept)))
    }
}

/// By what a copy knows the file again wherever it was moved.
pub(crate) fn look(file: &Found) -> String {
    let modified = file.modified.map(jiff::Timestamp::as_millisecond).unwrap_or_default();
    format!("{}-{modified}", file.size)
}

fn fault(message: &str, fix: &str, place: &str) -> Finding {
    Finding::error("spreadsheet.file", "", message).with_fix(fix).with_place(place)
}

fn orphan(row: &Row, sign: Option<u32>, sheet: &Sheet, file: &Found, entries: &mut Entries<'_>) -> bool {
    let place = sheet.place(std::slice::from_ref(row));
    let shown = sign.and_then(|column| {
        let text = row.get(column)?.text();
        let key = &sheet.columns.list.iter().find(|found| found.index == column)?.key;
        Some(format!("{} in column {}", text.trim(), sheet.columns.spelt.get(key)?))
    });
    let mut finding =
        Finding::error("spreadsheet.no_number", "DocDtls.No", "the row has an item and no document number");
    if let Some(shown) = shown {
        finding = finding.with_found(shown);
    }
    let finding = finding
        .with_expected("the number of its document")
        .with_fix(
            "Write the document number in every row, or set `carry_down = true` where it is left out on purpose; delete the \
             row where it is no item. Merged cells of a binary workbook (.xlsb) are not read: save it as .xlsx.",
        )
        .with_place(format!("{}, {place}", file.shown));
    entries.problem(&place, format!("{place} of {}", file.shown), vec![finding])
}

fn unreadable(number: u32, message: &str, fix: &str, sheet: &Sheet, file: &Found, entries: &mut Entries<'_>) -> bool {
    let place = sheet.place(&[Row { number, cells: Vec::new() }]);
    let finding =
        Finding::error("spreadsheet.row", "", message).with_fix(fix).with_place(format!("{}, {place}", file.shown));
    entries.problem(&place, format!("{place} of {}", file.shown), vec![finding])
}
