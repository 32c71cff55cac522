//! Workbooks: what the library for them reads, as rows.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::ops::ControlFlow;

use calamine::{Data, DataRef, Dimensions, ExcelDateTime, Ods, OdsError, Range, Reader, SheetType, SheetVisible};
use calamine::{Xls, XlsError, Xlsb, Xlsx, XlsxError};
use jiff::civil::Date;

use super::open_document::{self, Shown};
use super::{BookError, COLUMNS_MAX, Line, Merged, ROWS_MAX, Take, is_damage, is_wanted};
use crate::cell::{Cell, Row};

/// Most bytes that one part of an archive may have once unpacked: a small file can hold parts of any size, and some are
/// held in memory whole.
const PART_BYTES_MAX: u64 = 1024 * 1024 * 1024;
/// Most bytes of the parts that are held in memory whole: shared texts, styles, and whole workbooks of `OpenDocument`.
const HELD_BYTES_MAX: u64 = 512 * 1024 * 1024;
/// Most cells of a sheet that is held whole.
const CELLS_MAX: usize = 20_000_000;

pub(super) const SAVE_AGAIN: &str = "Open it in a spreadsheet program and save it again as .xlsx.";
const NO_PASSWORD: &str = "Save the workbook without a password, or keep the file itself in a protected folder.";

type Buffered = BufReader<File>;

/// A workbook.
pub(crate) enum Workbook {
    Xlsx(Box<Xlsx<Buffered>>),
    Held(Held),
}

/// A workbook that is held whole.
pub(crate) struct Held {
    sheets: Vec<(String, Range<Data>, Shown)>,
    is_1904: bool,
    /// Whether cells that show their number by the hundred are known.
    knows_percent: bool,
}

/// Refuses archives whose parts would fill the memory, by the sizes that the archive states.
pub(crate) fn limit_archive(reader: impl Read + Seek) -> Result<(), BookError> {
    let mut archive = zip::ZipArchive::new(reader).map_err(|error| {
        BookError::content(
            format!("the file is no whole workbook: {error}"),
            "Copy or export it again; it may have been cut short.",
        )
    })?;
    for index in 0..archive.len() {
        let Ok(part) = archive.by_index_raw(index) else { continue };
        let name = part.name().map(|name| name.to_ascii_lowercase()).unwrap_or_default();
        let held = ["sharedstrings.xml", "styles.xml", "content.xml", "workbook.xml", ".bin"]
            .iter()
            .any(|end| name.ends_with(end));
        let most = if held { HELD_BYTES_MAX } else { PART_BYTES_MAX };
        if part.size() > most {
            let message = format!("its part {name} unpacks to {} bytes; at most {most} are read", part.size());
            return Err(BookError::content(
                message,
                "Split the workbook into smaller ones, or export the sheet as CSV.",
            ));
        }
    }
    Ok(())
}

impl Workbook {
    /// Opens an archive: Excel 2007 and later, the binary form of it, or `OpenDocument`.
    pub(crate) fn archive(open: &dyn Fn() -> io::Result<Buffered>) -> Result<Self, BookError> {
        let error = match Xlsx::new(open()?) {
            Ok(book) => return Ok(Self::Xlsx(Box::new(book))),
            Err(error) => error,
        };
        match Ods::new(open()?) {
            Ok(mut book) => {
                let names = visible(book.sheets_metadata());
                let mut held = Held::of(names, |name| book.worksheet_range(name).map_err(|error| unreadable(&error)))?;
                let mut shown = open_document::shown(open()?)?;
                for (name, _, own) in &mut held.sheets {
                    *own = shown.remove(name).unwrap_or_default();
                }
                held.knows_percent = true;
                return Ok(Self::Held(held));
            }
            Err(OdsError::Password) => return Err(locked()),
            Err(_) => {}
        }
        if let Ok(mut book) = Xlsb::new(open()?) {
            let names = visible(book.sheets_metadata());
            return Held::of(names, |name| book.worksheet_range(name).map_err(|error| unreadable(&error)))
                .map(Self::Held);
        }
        Err(xlsx(error))
    }

    /// Opens a compound file: Excel 97 to 2003, or a later workbook that a password locks.
    pub(crate) fn compound(open: &dyn Fn() -> io::Result<Buffered>) -> Result<Self, BookError> {
        let mut book = match Xls::new(open()?) {
            Ok(book) => book,
            Err(XlsError::Password) => return Err(locked()),
            Err(error) => {
                return Err(match Xlsx::new(open()?) {
                    Err(XlsxError::Password) => locked(),
                    _ => unreadable(&error),
                });
            }
        };
        let is_1904 = book.has_1904_epoch();
        let names = visible(book.sheets_metadata());
        let mut held = Held::of(names, |name| book.worksheet_range(name).map_err(|error| unreadable(&error)))?;
        for (name, _, shown) in &mut held.sheets {
            shown.merged.extend(book.merge_cells_by_sheet_name(name).unwrap_or_default().iter().map(Merged::from));
        }
        held.is_1904 = is_1904;
        Ok(Self::Held(held))
    }

    pub(crate) fn sheets(&self) -> Vec<String> {
        match self {
            Self::Xlsx(book) => visible(book.sheets_metadata()),
            Self::Held(held) => held.sheets.iter().map(|(name, ..)| name.clone()).collect(),
        }
    }

    pub(crate) fn is_1904(&self) -> bool {
        match self {
            Self::Xlsx(book) => book.has_1904_epoch(),
            Self::Held(held) => held.is_1904,
        }
    }

    pub(crate) fn knows_percent(&self) -> bool {
        match self {
            Self::Xlsx(_) => true,
            Self::Held(held) => held.knows_percent,
        }
    }

    pub(crate) fn rows(&mut self, sheet: &str, only: Option<&[u32]>, take: Take<'_>) -> Result<(), BookError> {
        match self {
            Self::Xlsx(book) => stream(book, sheet, only, take),
            Self::Held(held) => {
                held.rows(sheet, take);
                Ok(())
            }
        }
    }

    pub(crate) fn merged(&mut self, sheet: &str) -> Result<Vec<Merged>, BookError> {
        match self {
            Self::Xlsx(book) => {
                let merged = book.merge_cells_by_sheet_name(sheet).map_err(xlsx)?;
                Ok(merged.iter().map(Merged::from).collect())
            }
            Self::Held(held) => {
                let found = held.sheets.iter().find(|(name, ..)| name == sheet);
                Ok(found.map(|(.., shown)| shown.merged.clone()).unwrap_or_default())
            }
        }
    }
}

impl From<&Dimensions> for Merged {
    fn from(found: &Dimensions) -> Self {
        Self { first: found.start, last: found.end }
    }
}

impl Held {
    fn of(names: Vec<String>, mut read: impl FnMut(&str) -> Result<Range<Data>, BookError>) -> Result<Self, BookError> {
        let mut sheets = Vec::with_capacity(names.len());
        for name in names {
            let range = read(&name)?;
            let (height, width) = range.get_size();
            if height.saturating_mul(width) > CELLS_MAX {
                let message = format!("sheet {name} has {height} rows of {width} columns, more than is held in memory");
                return Err(BookError::content(message, "Save the workbook as .xlsx, which is read row by row."));
            }
            sheets.push((name, range, Shown::default()));
        }
        Ok(Self { sheets, is_1904: false, knows_percent: false })
    }

    fn rows(&self, sheet: &str, take: Take<'_>) {
        let Some((_, range, shown)) = self.sheets.iter().find(|(name, ..)| name == sheet) else { return };
        let (first_row, first_column) = range.start().unwrap_or_default();
        let mut coming = shown.percent.iter().peekable();
        let mut percent: Vec<&Merged> = Vec::new();
        for (cells, index) in range.rows().zip(first_row..) {
            percent.retain(|area| area.last.0 >= index);
            while let Some(area) = coming.next_if(|area| area.first.0 <= index) {
                percent.push(area);
            }
            let shows_percent = |column: u32| percent.iter().any(|area| (area.first.1..=area.last.1).contains(&column));
            let cells: Vec<(u32, Cell)> = cells
                .iter()
                .zip(first_column..)
                .filter_map(|(value, column)| {
                    Some((
                        column,
                        match of_data(value)? {
                            Cell::Number(part) if shows_percent(column) => Cell::Percent(part),
                            other => other,
                        },
                    ))
                })
                .filter(|(_, cell)| !cell.is_blank())
                .collect();
            if !cells.is_empty() && take(Line::Row(Row { number: index + 1, cells })).is_break() {
                return;
            }
        }
    }
}

/// Reads a sheet cell by cell and hands each row over once it is whole.
fn stream<RS: Read + Seek>(
    book: &mut Xlsx<RS>,
    sheet: &str,
    only: Option<&[u32]>,
    take: Take<'_>,
) -> Result<(), BookError> {
    let is_1904 = book.has_1904_epoch();
    let mut reader = match book.worksheet_cells_reader(sheet) {
        Ok(reader) => reader,
        // A chart on a sheet of its own has no cells.
        Err(XlsxError::NotAWorksheet(_)) => return Ok(()),
        Err(error) => return Err(xlsx(error)),
    };
    let shows_percent: Vec<bool> = reader
        .styles()
        .iter()
        .map(|style| style.number_format.as_ref().is_some_and(|format| is_percent(&format.format_code)))
        .collect();
    let mut row = Row::default();
    while let Some((cell, style)) = reader.next_cell_with_style_id().map_err(xlsx)? {
        let (index, column) = cell.get_position();
        if index >= ROWS_MAX || column >= COLUMNS_MAX {
            return Err(BookError::content("a cell stands outside of what a sheet can hold", SAVE_AGAIN));
        }
        if index + 1 != row.number {
            if index + 1 < row.number {
                return Err(BookError::content("its rows are not in their order", SAVE_AGAIN));
            }
            let whole = std::mem::replace(&mut row, Row { number: index + 1, cells: Vec::new() });
            if !whole.cells.is_empty() && take(Line::Row(whole)).is_break() {
                return Ok(());
            }
        }
        if !is_wanted(only, column) {
            continue;
        }
        if let Some(value) = of_data_ref(cell.get_value(), is_1904).filter(|cell| !cell.is_blank()) {
            let value = match value {
                Cell::Number(part) if shows_percent.get(style) == Some(&true) => Cell::Percent(part),
                other => other,
            };
            match row.cells.last() {
                Some((last, _)) if *last >= column => {
                    return Err(BookError::content("the cells of a row are not in their order", SAVE_AGAIN));
                }
                _ => row.cells.push((column, value)),
            }
        }
    }
    if !row.cells.is_empty() {
        let _flow: ControlFlow<()> = take(Line::Row(row));
    }
    Ok(())
}

/// Whether a number format shows a number by the hundred: it has a sign for it that is no text.
fn is_percent(format: &str) -> bool {
    let mut signs = format.chars();
    let mut in_quotes = false;
    while let Some(sign) = signs.next() {
        match sign {
            '"' => in_quotes = !in_quotes,
            _ if in_quotes => {}
            // What follows is shown as it stands, as a width, or again and again.
            '\\' | '_' | '*' => _ = signs.next(),
            ';' => return false,
            '%' => return true,
            _ => {}
        }
    }
    false
}

fn visible(sheets: &[calamine::Sheet]) -> Vec<String> {
    let shown =
        |sheet: &&calamine::Sheet| sheet.visible == SheetVisible::Visible && matches!(sheet.typ, SheetType::WorkSheet);
    sheets.iter().filter(shown).map(|sheet| sheet.name.clone()).collect()
}

fn of_data(value: &Data) -> Option<Cell> {
    Some(match value {
        Data::Empty => return None,
        Data::Int(number) => Cell::Text(number.to_string()),
        Data::Float(number) => Cell::Number(*number),
        Data::String(text) => Cell::Text(text.clone()),
        Data::Bool(yes) => Cell::Bool(*yes),
        Data::DateTime(date) => of_date(*date, None),
        Data::DateTimeIso(text) | Data::DurationIso(text) => of_iso(text),
        Data::Error(error) => Cell::Error(error.to_string()),
    })
}

fn of_data_ref(value: &DataRef<'_>, is_1904: bool) -> Option<Cell> {
    Some(match value {
        DataRef::Empty => return None,
        DataRef::Int(number) => Cell::Text(number.to_string()),
        DataRef::Float(number) => Cell::Number(*number),
        DataRef::String(text) => Cell::Text(text.clone()),
        DataRef::SharedString(text) => Cell::Text((*text).to_owned()),
        DataRef::Bool(yes) => Cell::Bool(*yes),
        DataRef::DateTime(date) => of_date(*date, Some(is_1904)),
        DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => of_iso(text),
        DataRef::Error(error) => Cell::Error(error.to_string()),
    })
}

/// A date in the calendar of its workbook. Where the caller does not know the calendar, the library's own reading of
/// the year tells it.
fn of_date(date: ExcelDateTime, is_1904: Option<bool>) -> Cell {
    let serial = date.as_f64();
    if date.is_duration() {
        return Cell::Number(serial);
    }
    let is_1904 = is_1904.unwrap_or_else(|| {
        let plain = ExcelDateTime::new(serial, calamine::ExcelDateTimeType::DateTime, false);
        plain.to_ymd_hms_milli() != date.to_ymd_hms_milli()
    });
    Cell::date(serial, is_1904)
}

/// A day in ISO form as a serial, so that a copy shows it as a date; anything else as it stands.
fn of_iso(text: &str) -> Cell {
    const FIRST: Date = Date::constant(1899, 12, 30);
    let day = text.strip_suffix("T00:00:00").unwrap_or(text);
    let days = day.parse::<Date>().ok().and_then(|day| FIRST.until(day).ok()).map(|span| span.get_days());
    match days {
        // The calendar of workbooks counts a day too many before 1 March 1900; no document is that old.
        Some(days) if days > 60 => Cell::Date(f64::from(days)),
        _ => Cell::Text(text.to_owned()),
    }
}

fn locked() -> BookError {
    BookError::content("the workbook is locked by a password", NO_PASSWORD)
}

fn xlsx(error: XlsxError) -> BookError {
    match error {
        XlsxError::Password => locked(),
        XlsxError::Io(error) if !is_damage(&error) => BookError::Io(error),
        other => unreadable(&other),
    }
}

fn unreadable(error: &impl std::fmt::Display) -> BookError {
    BookError::content(format!("the workbook cannot be read: {error}"), SAVE_AGAIN)
}
