//! A copy as a workbook: every sheet with its values, results behind them, marks and comments, pictures of the codes.
//!
//! Sheets of data are written row by row, so that a copy takes little memory however long it is. Formulas become their
//! values: a copy computes nothing that came from outside.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use einvoice_core::qr;
use rust_xlsxwriter::{
    Color, DocProperties, ExcelDateTime, Format, FormatAlign, FormatBorder, Image, Note, ObjectMovement, Workbook,
    Worksheet,
};
use tempfile::NamedTempFile;

use super::base::{Base, Plan, QR_SHEET, SheetPlan};
use super::{CopyError, CopySettings};
use crate::book::Line;
use crate::builtin::RESULTS;
use crate::cell::{Cell, Row};

const ERROR_FILL: Color = Color::RGB(0x00FF_C7CE);
const ERROR_INK: Color = Color::RGB(0x009C_0006);
const WARNING_FILL: Color = Color::RGB(0x00FF_EB9C);
const WARNING_INK: Color = Color::RGB(0x007F_6000);
const GOOD_FILL: Color = Color::RGB(0x00C6_EFCE);
const GOOD_INK: Color = Color::RGB(0x0000_6100);
const HEADING_FILL: Color = Color::RGB(0x00D9_E1F2);
const RESULT_FILL: Color = Color::RGB(0x00E2_EFDA);

/// Widths of the columns of results, in characters.
const RESULT_WIDTHS: [f64; RESULTS.len()] = [16.0, 24.0, 18.0, 19.0, 16.0, 15.0, 19.0, 19.0, 11.0, 19.0, 14.0, 60.0];
/// Where the signed text and the status stand among them.
const SIGNED_QR: usize = 4;
const STATUS: usize = 0;

/// Writes the copy into a temporary file.
pub(crate) fn write(
    mut file: NamedTempFile,
    base: &mut Base,
    plan: &Plan,
    settings: CopySettings,
) -> Result<NamedTempFile, CopyError> {
    let mut workbook = Workbook::new();
    // The rows of a long sheet wait on the disk of the copy, whose want of room is then told as such.
    if let Some(folder) = file.path().parent() {
        workbook.set_tempdir(folder)?;
    }
    // The same results make the same file.
    let made = ExcelDateTime::from_ymd(2000, 1, 1)?;
    workbook.set_properties(&DocProperties::new().set_author("einvoice").set_creation_datetime(&made));
    let styles = Styles::new();
    let mut codes = Vec::new();
    let sheets: Vec<_> = base.sheets().map(|sheet| (sheet.name.clone(), sheet.headings.clone())).collect();
    let empty = SheetPlan::default();
    for (name, headings) in sheets {
        let own = plan.sheets.get(&name).unwrap_or(&empty);
        let worksheet = workbook.add_worksheet_with_constant_memory()?;
        // A text file has a sheet without a name.
        if !name.is_empty() {
            worksheet.set_name(&name)?;
        }
        let mut sheet = Sheet { worksheet, plan: own, styles: &styles, next_row: 1 };
        sheet.lay_out(&headings)?;
        let mut failed = None;
        let limit = usize::try_from(settings.qr_pictures_max).unwrap_or(usize::MAX);
        base.rows(&name, &mut |line| {
            let (Line::Row(row) | Line::Fault { readable: Some(row), .. }) = line else {
                return ControlFlow::Continue(());
            };
            match sheet.row(&row) {
                Ok(code) => {
                    codes.extend(code.filter(|_| codes.len() < limit));
                    ControlFlow::Continue(())
                }
                Err(error) => {
                    failed = Some(error);
                    ControlFlow::Break(())
                }
            }
        })?;
        if let Some(error) = failed {
            return Err(error.into());
        }
        for number in own.values.range(sheet.next_row..).map(|(number, _)| *number).collect::<Vec<_>>() {
            let code = sheet.row(&Row { number, cells: Vec::new() })?;
            codes.extend(code.filter(|_| codes.len() < limit));
        }
    }
    if !codes.is_empty() {
        pictures(workbook.add_worksheet(), &codes, &styles)?;
    }
    workbook.save_to_writer(file.as_file_mut())?;
    Ok(file)
}

/// A registered document for the sheet of pictures: its texts, and what the code says.
struct Code {
    texts: Vec<String>,
    signed: String,
}

struct Styles {
    heading: Format,
    result_heading: Format,
    text: Format,
    date: Format,
    moment: Format,
    error: Format,
    warning: Format,
    good: Format,
    title: Format,
}

impl Styles {
    fn new() -> Self {
        let head = || {
            Format::new().set_bold().set_text_wrap().set_align(FormatAlign::Top).set_border_bottom(FormatBorder::Thin)
        };
        let marked = |fill, ink| Format::new().set_background_color(fill).set_font_color(ink);
        Self {
            heading: head().set_background_color(HEADING_FILL),
            result_heading: head().set_background_color(RESULT_FILL),
            text: Format::new().set_num_format("@"),
            date: Format::new().set_num_format("dd/mm/yyyy"),
            moment: Format::new().set_num_format("dd/mm/yyyy hh:mm:ss"),
            error: marked(ERROR_FILL, ERROR_INK),
            warning: marked(WARNING_FILL, WARNING_INK),
            good: marked(GOOD_FILL, GOOD_INK),
            title: Format::new().set_bold().set_font_size(14),
        }
    }

    /// The look of a cell: what it holds, and its mark.
    fn of(&self, cell: &Cell, mark: Option<bool>) -> Option<Format> {
        let plain = match cell {
            Cell::Text(text) if looks_like_a_number(text) => Some(&self.text),
            Cell::Date(serial) if serial.fract() == 0.0 => Some(&self.date),
            Cell::Date(_) => Some(&self.moment),
            _ => None,
        };
        let marked = mark.map(|error| if error { &self.error } else { &self.warning });
        match (plain, marked) {
            (Some(plain), Some(marked)) => Some(plain.merge(marked)),
            (plain, marked) => plain.or(marked).cloned(),
        }
    }
}

/// Digits that a spreadsheet program would make a number of once the cell is edited.
fn looks_like_a_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b',' | b'-' | b'/' | b'E' | b'e' | b'+'))
}

struct Sheet<'w> {
    worksheet: &'w mut Worksheet,
    plan: &'w SheetPlan,
    styles: &'w Styles,
    next_row: u32,
}

impl Sheet<'_> {
    fn lay_out(&mut self, headings: &[(u32, String)]) -> Result<(), rust_xlsxwriter::XlsxError> {
        for (column, text) in headings {
            let letters = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
            self.worksheet.set_column_width(index(*column), f64::from((letters + 3).clamp(10, 26)))?;
        }
        for (column, width) in self.plan.columns.iter().zip(RESULT_WIDTHS) {
            self.worksheet.set_column_width(index(*column), width)?;
        }
        if let [.., own] = self.plan.columns.as_slice()
            && self.plan.columns.len() > RESULTS.len()
        {
            self.worksheet.set_column_hidden(index(*own))?;
        }
        if self.plan.heading_row > 0 {
            self.worksheet.set_freeze_panes(self.plan.heading_row, 0)?;
        }
        Ok(())
    }

    /// Writes a row with what is planned for it; gives what the sheet of pictures shows of it.
    fn row(&mut self, row: &Row) -> Result<Option<Code>, rust_xlsxwriter::XlsxError> {
        self.next_row = row.number + 1;
        let mut cells: BTreeMap<u32, Cell> = row.cells.iter().cloned().collect();
        let heading = row.number == self.plan.heading_row;
        let text = |(column, text): (&u32, &String)| (*column, Cell::Text(text.clone()));
        if heading {
            cells.extend(self.plan.headings.iter().map(text));
        }
        if let Some(values) = self.plan.values.get(&row.number) {
            cells.extend(values.iter().map(text));
        }
        let at = row.number - 1;
        for ((_, column), _) in self.plan.marks.range((row.number, 0)..(row.number + 1, 0)) {
            // A cell that is missing is marked too.
            cells.entry(*column).or_insert_with(|| Cell::Text(String::new()));
        }
        for (column, cell) in &cells {
            let mark = self.plan.marks.get(&(row.number, *column));
            let format = self.look(*column, cell, heading, mark.map(|mark| mark.error));
            self.cell(at, index(*column), cell, format.as_ref())?;
            if let Some(mark) = mark {
                let note =
                    Note::new(&mark.text).add_author_prefix(false).set_width(320).set_height(note_height(&mark.text));
                self.worksheet.insert_note(at, index(*column), &note)?;
            }
        }
        if heading {
            self.worksheet.set_row_height(at, 30)?;
        }
        Ok(if heading { None } else { self.code(&cells) })
    }

    fn look(&self, column: u32, cell: &Cell, heading: bool, mark: Option<bool>) -> Option<Format> {
        let result = self.plan.columns.iter().position(|own| *own == column);
        if heading {
            return Some(if result.is_some() { &self.styles.result_heading } else { &self.styles.heading }.clone());
        }
        if result == Some(STATUS) && mark.is_none() {
            return Some(match cell.text().as_str() {
                "IRN_GENERATED" => self.styles.good.clone(),
                "INVALID" | "REFUSED" | "CONFLICT" | "BURNT" => self.styles.error.clone(),
                "" => return None,
                _ => self.styles.warning.clone(),
            });
        }
        self.styles.of(cell, mark)
    }

    fn cell(
        &mut self,
        row: u32,
        column: u16,
        cell: &Cell,
        format: Option<&Format>,
    ) -> Result<(), rust_xlsxwriter::XlsxError> {
        let sheet = &mut *self.worksheet;
        match (cell, format) {
            (Cell::Text(text), Some(format)) if text.is_empty() => sheet.write_blank(row, column, format)?,
            // A text is written as one, whatever it begins with: nothing in it is computed.
            (Cell::Text(text) | Cell::Error(text), Some(format)) => {
                sheet.write_string_with_format(row, column, shortened(text), format)?
            }
            (Cell::Text(text) | Cell::Error(text), None) => sheet.write_string(row, column, shortened(text))?,
            (Cell::Number(number) | Cell::Date(number), Some(format)) => {
                sheet.write_number_with_format(row, column, *number, format)?
            }
            (Cell::Number(number) | Cell::Date(number), None) => sheet.write_number(row, column, *number)?,
            (Cell::Bool(yes), Some(format)) => sheet.write_boolean_with_format(row, column, *yes, format)?,
            (Cell::Bool(yes), None) => sheet.write_boolean(row, column, *yes)?,
        };
        Ok(())
    }

    /// What the sheet of pictures shows of a row: nothing where no code is signed.
    fn code(&self, cells: &BTreeMap<u32, Cell>) -> Option<Code> {
        let result = |at: usize| cells.get(self.plan.columns.get(at)?).map(Cell::text).filter(|text| !text.is_empty());
        let signed = result(SIGNED_QR)?;
        let own = |at: usize| result(at).map(|text| format!("{} {text}", RESULTS.get(at).copied().unwrap_or_default()));
        let texts = [1, 2, 3, 5, 7].into_iter().filter_map(own);
        let number = self.plan.number_of(cells);
        Some(Code { texts: number.into_iter().chain(texts).collect(), signed })
    }
}

impl SheetPlan {
    /// What names a document: the first values of its row are type, number and date in the portal's sheet and in lists.
    fn number_of(&self, cells: &BTreeMap<u32, Cell>) -> Option<String> {
        let number = self.number_columns.iter().filter_map(|column| cells.get(column)).map(Cell::text);
        let text = number.collect::<Vec<_>>().join(" ");
        (!text.is_empty()).then_some(text)
    }
}

/// A text that fits into a cell.
fn shortened(text: &str) -> &str {
    const MOST: usize = 32_767;
    if text.chars().count() <= MOST {
        return text;
    }
    let end = text.char_indices().nth(MOST).map_or(text.len(), |(at, _)| at);
    text.get(..end).unwrap_or(text)
}

/// Room for a comment, in pixels.
fn note_height(text: &str) -> u32 {
    let lines: usize = text.lines().map(|line| line.chars().count() / 48 + 1).sum();
    u32::try_from(lines).unwrap_or(1).saturating_mul(16).clamp(48, 400) + 16
}

/// A sheet of its own for the codes, each at its size for paper beside what it belongs to.
fn pictures(sheet: &mut Worksheet, codes: &[Code], styles: &Styles) -> Result<(), CopyError> {
    sheet.set_name(QR_SHEET)?;
    // Together as wide as paper.
    sheet.set_column_width(0, 44)?;
    sheet.set_column_width(1, 28)?;
    sheet.write_string_with_format(0, 0, "Signed QR codes, at their size for paper", &styles.title)?;
    let wrapped = Format::new().set_text_wrap().set_align(FormatAlign::Top);
    for (code, row) in codes.iter().zip(1..) {
        sheet.write_string_with_format(row, 0, code.texts.join("\n"), &wrapped)?;
        let Ok(placement) = qr::placement(&code.signed) else { continue };
        let bytes = qr::png(&code.signed).map_err(|error| CopyError::Base(error.to_string()))?;
        // A row as high as the picture and a margin: a millimetre is 72 / 25.4 points.
        let points = f64::from(placement.micrometres) / 1000.0 * 72.0 / 25.4;
        sheet.set_row_height(row, points + 8.0)?;
        let image = Image::new_from_buffer(&bytes)?
            .set_object_movement(ObjectMovement::MoveButDontSizeWithCells)
            .set_alt_text("Signed QR code");
        sheet.insert_image_with_offset(row, 1, &image, 4, 4)?;
    }
    Ok(())
}

/// A column as the library counts it; sheets have no more than 16,384.
fn index(column: u32) -> u16 {
    u16::try_from(column).unwrap_or(u16::MAX)
}
