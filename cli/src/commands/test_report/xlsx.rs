//! The report as a workbook: a sheet with the counts, and one for each API.

use rust_xlsxwriter::{Color, DocProperties, Format, FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError};

use super::report::{ABOUT, COVERAGE, REHEARSAL, Report, Row, Section, Standing, WANTED};

/// Characters that a cell takes, with room for the mark of a cut.
const CELL_CHARACTERS_MAX: usize = 32_000;

/// The formats of cells.
struct Look {
    title: Format,
    head: Format,
    plain: Format,
    number: Format,
    good: Format,
    bad: Format,
    faint: Format,
}

impl Look {
    fn new() -> Self {
        let cell = || Format::new().set_align(FormatAlign::Top).set_text_wrap().set_border(FormatBorder::Hair);
        Self {
            title: Format::new().set_bold().set_font_size(14),
            head: cell().set_bold().set_background_color(Color::RGB(0x00D9_E1F2)).set_border_bottom(FormatBorder::Thin),
            plain: cell(),
            number: cell().set_align(FormatAlign::Right),
            good: cell().set_font_color(Color::RGB(0x001A_6B35)),
            bad: cell().set_bold().set_background_color(Color::RGB(0x00FF_D9D6)),
            faint: cell().set_font_color(Color::RGB(0x0056_606D)),
        }
    }

    const fn of(&self, standing: Standing) -> &Format {
        match standing {
            Standing::AsExpected => &self.good,
            Standing::Different => &self.bad,
            Standing::NotRun => &self.faint,
        }
    }
}

/// The workbook's bytes.
pub(super) fn workbook(report: &Report<'_>) -> Result<Vec<u8>, XlsxError> {
    let look = Look::new();
    let mut workbook = Workbook::new();
    let properties = DocProperties::new().set_title("Test report of e-invoice APIs").set_author("einvoice");
    workbook.set_properties(&properties.set_custom_property(COVERAGE, report.coverage()));
    summary(workbook.add_worksheet(), report, &look)?;
    for section in &report.sections {
        cases(workbook.add_worksheet(), section, &look)?;
    }
    workbook.save_to_buffer()
}

fn summary(sheet: &mut Worksheet, report: &Report<'_>, look: &Look) -> Result<(), XlsxError> {
    sheet.set_name("Summary")?;
    page(sheet, "Summary");
    sheet.write_string_with_format(0, 0, "Test report of e-invoice APIs", &look.title)?;
    let facts = [
        ("GSTIN", &report.gstin),
        ("Route and site", &format!("{} ({})", report.route, report.site)),
        ("Run", &report.run),
        ("Begun (IST)", &report.started),
        ("Written (IST)", &report.written),
    ];
    for (row, (name, value)) in (1_u32..).zip(facts) {
        sheet.write_string_with_format(row, 0, name, &look.head)?;
        sheet.write_string_with_format(row, 1, value, &look.plain)?;
    }
    sheet.merge_range(6, 0, 6, 6, ABOUT, &look.plain)?;
    sheet.set_row_height(6, 62)?;
    if report.rehearsal {
        sheet.merge_range(7, 0, 7, 6, REHEARSAL, &look.bad)?;
        sheet.set_row_height(7, 32)?;
    }
    let reached = format!("{WANTED} and {WANTED} reached");
    let headings = ["API", "Succeeded", "Failed as expected", "Distinct codes", "Different", "Not run", &reached];
    for (column, heading) in (0_u16..).zip(headings) {
        sheet.write_string_with_format(8, column, heading, &look.head)?;
    }
    for (row, section) in (9_u32..).zip(&report.sections) {
        let counts = &section.counts;
        sheet.write_string_with_format(row, 0, section.api.title(), &look.plain)?;
        let numbers =
            [counts.succeeded, counts.failed_as_expected, counts.distinct_codes, counts.different, counts.not_run];
        for (column, number) in (1_u16..).zip(numbers) {
            let format = if column == 4 && number > 0 { &look.bad } else { &look.number };
            sheet.write_number_with_format(row, column, u32::try_from(number).unwrap_or(u32::MAX), format)?;
        }
        let (word, format) = if counts.is_enough() { ("yes", &look.good) } else { ("no", &look.bad) };
        sheet.write_string_with_format(row, 6, word, format)?;
    }
    for (column, width) in (0_u16..).zip([32, 22, 14, 14, 12, 12, 14]) {
        sheet.set_column_width(column, width)?;
    }
    Ok(())
}

fn cases(sheet: &mut Worksheet, section: &Section<'_>, look: &Look) -> Result<(), XlsxError> {
    sheet.set_name(section.api.title())?;
    page(sheet, section.api.title());
    sheet.set_freeze_panes(1, 1)?;
    sheet.set_repeat_rows(0, 0)?;
    let headings = ["Case", "What is tried", "Sent (IST)", "Expected", "Got", "Outcome", "Message", "IRN", "Request"];
    for (column, heading) in (0_u16..).zip(headings) {
        sheet.write_string_with_format(0, column, heading, &look.head)?;
    }
    for (number, row) in (1_u32..).zip(&section.rows) {
        line(sheet, number, row, look)?;
    }
    for (column, width) in (0_u16..).zip([14, 34, 19, 18, 12, 13, 44, 34, 70]) {
        sheet.set_column_width(column, width)?;
    }
    let last = u32::try_from(section.rows.len()).unwrap_or(u32::MAX);
    sheet.autofilter(0, 0, last, 8)?;
    Ok(())
}

fn line(sheet: &mut Worksheet, number: u32, row: &Row<'_>, look: &Look) -> Result<(), XlsxError> {
    let standing = row.standing();
    let evidence = row.result.as_ref().ok();
    let cells = [
        row.case.id.clone(),
        row.case.title.to_string(),
        evidence.map(|evidence| evidence.at.clone()).unwrap_or_default(),
        row.case.expected.in_words(),
        row.got(),
        standing.in_words().to_owned(),
        row.said(),
        evidence.and_then(|evidence| evidence.irn.clone()).unwrap_or_default(),
        evidence.map(|evidence| evidence.request.clone()).unwrap_or_default(),
    ];
    for (column, cell) in (0_u16..).zip(cells) {
        let format = if column == 5 || standing == Standing::NotRun { look.of(standing) } else { &look.plain };
        let text: String = cell.chars().take(CELL_CHARACTERS_MAX).collect();
        // Always text, so that nothing the portal says is taken for a formula.
        sheet.write_string_with_format(number, column, text, format)?;
    }
    Ok(())
}

/// How a sheet is printed: on A4 across, as wide as the paper.
fn page(sheet: &mut Worksheet, title: &str) {
    sheet.set_landscape().set_paper_size(9).set_print_fit_to_pages(1, 0);
    sheet.set_footer(format!("&L{title}&RPage &P of &N"));
}
