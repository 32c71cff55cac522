//! The values of a file as a workbook, for files whose parts cannot be kept: old and binary workbooks, those of
//! `OpenDocument`, tables of HTML, text files, and lists of results whose workbook is gone.
//!
//! Rows stand at their places, dates are dates, texts texts whatever they begin with. Sheets are written row by row, so
//! that they take little memory however long they are.

use std::io::BufWriter;
use std::ops::ControlFlow;

use rust_xlsxwriter::{
    Color, DocProperties, ExcelDateTime, Format, FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError,
};
use tempfile::NamedTempFile;

use super::CopyError;
use super::base::Base;
use super::quiet::Quiet;
use crate::book::Line;
use crate::cell::{Cell, Row};

const HEADING_FILL: Color = Color::RGB(0x00D9_E1F2);
/// Most characters of a text in a cell.
const TEXT_MAX: usize = 32_767;

/// Writes the values of all sheets into a temporary file.
pub(super) fn write(file: NamedTempFile, base: &mut Base) -> Result<NamedTempFile, CopyError> {
    let mut workbook = Workbook::new();
    // The rows of a long sheet wait on the disk of the copy, whose want of room is then told as such.
    if let Some(folder) = file.path().parent() {
        workbook.set_tempdir(folder)?;
    }
    // The same values make the same file.
    let made = ExcelDateTime::from_ymd(2000, 1, 1)?;
    workbook.set_properties(&DocProperties::new().set_author("einvoice").set_creation_datetime(&made));
    let styles = Styles::new();
    let sheets: Vec<_> =
        base.sheets().map(|sheet| (sheet.name.clone(), sheet.heading_row, sheet.headings.clone())).collect();
    for (name, heading_row, headings) in sheets {
        let worksheet = workbook.add_worksheet_with_constant_memory()?;
        // A text file has a sheet without a name.
        if !name.is_empty() {
            worksheet.set_name(&name)?;
        }
        lay_out(worksheet, heading_row, &headings)?;
        let mut written = Ok(());
        base.rows(&name, &mut |line| {
            let (Line::Row(row) | Line::Fault { readable: Some(row), .. }) = line else {
                return ControlFlow::Continue(());
            };
            written = write_row(worksheet, &row, heading_row == Some(row.number), &styles);
            if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        written?;
    }
    let mut out = Quiet::new(BufWriter::new(file));
    let saved = workbook.save_to_writer(&mut out);
    let out = out.into_inner()?;
    saved?;
    Ok(out.into_inner().map_err(std::io::IntoInnerError::into_error)?)
}

struct Styles {
    heading: Format,
    text: Format,
    date: Format,
    moment: Format,
}

impl Styles {
    fn new() -> Self {
        let head =
            Format::new().set_bold().set_text_wrap().set_align(FormatAlign::Top).set_border_bottom(FormatBorder::Thin);
        Self {
            heading: head.set_background_color(HEADING_FILL),
            text: Format::new().set_num_format("@"),
            date: Format::new().set_num_format("dd/mm/yyyy"),
            moment: Format::new().set_num_format("dd/mm/yyyy hh:mm:ss"),
        }
    }

    /// The look of a cell by what it holds.
    fn of(&self, cell: &Cell) -> Option<&Format> {
        match cell {
            Cell::Text(text) if looks_like_a_number(text) => Some(&self.text),
            Cell::Date(serial) if serial.fract() == 0.0 => Some(&self.date),
            Cell::Date(_) => Some(&self.moment),
            _ => None,
        }
    }
}

/// Digits that a spreadsheet program would make a number of once the cell is edited.
fn looks_like_a_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b',' | b'-' | b'/' | b'E' | b'e' | b'+'))
}

fn lay_out(sheet: &mut Worksheet, heading_row: Option<u32>, headings: &[(u32, String)]) -> Result<(), XlsxError> {
    for (column, text) in headings {
        let letters = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
        sheet.set_column_width(index(*column), f64::from((letters + 3).clamp(10, 26)))?;
    }
    if let Some(row) = heading_row {
        sheet.set_freeze_panes(row, 0)?;
    }
    Ok(())
}

fn write_row(sheet: &mut Worksheet, row: &Row, is_heading: bool, styles: &Styles) -> Result<(), XlsxError> {
    let at = row.number - 1;
    for (column, cell) in &row.cells {
        let format = if is_heading { Some(&styles.heading) } else { styles.of(cell) };
        write_cell(sheet, at, index(*column), cell, format)?;
    }
    // No height is set: the library writes a row twice that has one and is the last.
    Ok(())
}

fn write_cell(
    sheet: &mut Worksheet,
    row: u32,
    column: u16,
    cell: &Cell,
    format: Option<&Format>,
) -> Result<(), XlsxError> {
    match (cell, format) {
        // A text is written as one, whatever it begins with: nothing in it is computed.
        (Cell::Text(text) | Cell::Error(text), Some(format)) => {
            sheet.write_string_with_format(row, column, shortened(text), format)?
        }
        (Cell::Text(text) | Cell::Error(text), None) => sheet.write_string(row, column, shortened(text))?,
        (Cell::Percent(number), None) => sheet.write_number_with_format(row, column, *number, &percent())?,
        (Cell::Number(number) | Cell::Date(number) | Cell::Percent(number), Some(format)) => {
            sheet.write_number_with_format(row, column, *number, format)?
        }
        (Cell::Number(number) | Cell::Date(number), None) => sheet.write_number(row, column, *number)?,
        (Cell::Bool(yes), Some(format)) => sheet.write_boolean_with_format(row, column, *yes, format)?,
        (Cell::Bool(yes), None) => sheet.write_boolean(row, column, *yes)?,
    };
    Ok(())
}

/// As parts of one were shown, with as many decimals as rates have.
fn percent() -> Format {
    Format::new().set_num_format("0.###%")
}

/// A text that fits into a cell.
fn shortened(text: &str) -> &str {
    let end = text.char_indices().nth(TEXT_MAX).map_or(text.len(), |(at, _)| at);
    text.get(..end).unwrap_or(text)
}

/// A column as the library counts it; sheets have no more than 16,384.
fn index(column: u32) -> u16 {
    u16::try_from(column).unwrap_or(u16::MAX)
}
