//! The report as a workbook: a cover with the counts, and a sheet for each API.

use rust_xlsxwriter::{
    Color, DocProperties, ExcelDateTime, Format, FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError,
};

use super::report::{ABOUT, COVERAGE, Report, Row, Section, Standing, WANTED};

/// Characters that a cell takes, with room for the mark of a cut.
const CELL_CHARACTERS_MAX: usize = 32_000;
/// The last column of the cover.
const COVER_END: u16 = 7;
/// Widths of its columns.
const COVER_WIDTHS: [u16; 8] = [34, 12, 12, 12, 12, 12, 12, 12];
/// The columns of a sheet of cases, each with its width. The last is for the screen: it is not printed.
const COLUMNS: [(&str, u16); 9] = [
    ("Case", 15),
    ("What is tried", 38),
    ("Sent (IST)", 19),
    ("Expected", 16),
    ("Got", 10),
    ("Outcome", 13),
    ("Message", 46),
    ("IRN", 35),
    ("Request", 90),
];
/// The column with the time.
const SENT: u16 = 2;
/// The column with the outcome.
const OUTCOME: u16 = 5;
/// The column with the request.
const REQUEST: u16 = 8;
/// Points of a line of text, and what a row has beside its lines.
const LINE_POINTS: u32 = 12;
const ROW_POINTS: u32 = 4;
/// Lines after which a row grows no more: a workbook takes no row higher than 409 points.
const LINES_MAX: u32 = 30;

/// The formats of cells.
struct Look {
    title: Format,
    about: Format,
    remark: Format,
    head: Format,
    plain: Format,
    one_line: Format,
    moment: Format,
    number: Format,
    total: Format,
    good: Format,
    bad: Format,
    faint: Format,
}

impl Look {
    fn new() -> Self {
        let text = || Format::new().set_font_size(9).set_align(FormatAlign::Top);
        let cell = || text().set_text_wrap().set_border(FormatBorder::Thin).set_border_color(Color::RGB(0x00C9_CED6));
        let good = Color::RGB(0x00E4_F3E8);
        Self {
            title: Format::new().set_bold().set_font_size(18),
            about: text().set_text_wrap().set_font_color(Color::RGB(0x0043_4C57)),
            remark: cell()
                .set_bold()
                .set_background_color(Color::RGB(0x00FF_F3E8))
                .set_align(FormatAlign::VerticalCenter),
            head: cell()
                .set_bold()
                .set_background_color(Color::RGB(0x0024_3B5E))
                .set_font_color(Color::White)
                .set_align(FormatAlign::VerticalCenter),
            plain: cell(),
            one_line: text().set_font_color(Color::RGB(0x0056_606D)),
            moment: cell().set_num_format("yyyy-mm-dd hh:mm:ss").set_align(FormatAlign::Left),
            number: cell().set_align(FormatAlign::Right),
            total: cell().set_align(FormatAlign::Right).set_bold().set_border_top(FormatBorder::Medium),
            good: cell().set_background_color(good).set_font_color(Color::RGB(0x001A_6B35)),
            bad: cell()
                .set_bold()
                .set_background_color(Color::RGB(0x00FF_D9D6))
                .set_font_color(Color::RGB(0x008C_1D18)),
            faint: cell().set_background_color(Color::RGB(0x00F0_F1F3)).set_font_color(Color::RGB(0x0056_606D)),
        }
    }

    const fn of(&self, standing: Standing) -> &Format {
        match standing {
            Standing::AsExpected => &self.good,
            Standing::Different => &self.bad,
            Standing::NotRun | Standing::LeftOut => &self.faint,
        }
    }
}

/// The workbook's bytes.
pub(super) fn workbook(report: &Report<'_>) -> Result<Vec<u8>, XlsxError> {
    let look = Look::new();
    let mut workbook = Workbook::new();
    let properties = DocProperties::new().set_title("Test report of e-invoice APIs").set_author("einvoice");
    workbook.set_properties(&properties.set_custom_property(COVERAGE, report.coverage()));
    cover(workbook.add_worksheet(), report, &look)?;
    for section in &report.sections {
        cases(workbook.add_worksheet(), section, &look)?;
    }
    workbook.save_to_buffer()
}

fn cover(sheet: &mut Worksheet, report: &Report<'_>, look: &Look) -> Result<(), XlsxError> {
    sheet.set_name("Summary")?;
    page(sheet, "Summary");
    sheet.set_screen_gridlines(false);
    for (column, width) in (0_u16..).zip(COVER_WIDTHS) {
        sheet.set_column_width(column, width)?;
    }
    sheet.write_string_with_format(0, 0, "Test report of e-invoice APIs", &look.title)?;
    sheet.set_row_height(0, 28)?;
    let mut row = 1;
    let remarks = report.remarks().into_iter().map(|remark| (remark, &look.remark));
    for (remark, format) in std::iter::once((ABOUT.to_owned(), &look.about)).chain(remarks) {
        sheet.merge_range(row, 0, row, COVER_END, &remark, format)?;
        let width = COVER_WIDTHS.iter().sum();
        sheet.set_row_height(row, height(lines(&remark, width)))?;
        row += 1;
    }
    row += 1;
    for (name, value) in report.facts() {
        sheet.write_string_with_format(row, 0, name, &look.head)?;
        sheet.merge_range(row, 1, row, COVER_END, &value, &look.plain)?;
        row += 1;
    }
    counts(sheet, row + 1, report, look)
}

/// The counts of each API, and their sums.
fn counts(sheet: &mut Worksheet, first: u32, report: &Report<'_>, look: &Look) -> Result<(), XlsxError> {
    let reached = format!("{WANTED} and {WANTED} reached");
    let headings =
        ["API", "Succeeded", "Failed as expected", "Distinct codes", "Different", "Not run", "Left out", &reached];
    for (column, heading) in (0_u16..).zip(headings) {
        sheet.write_string_with_format(first, column, heading, &look.head)?;
    }
    sheet.set_row_height(first, height(2))?;
    let mut row = first + 1;
    for section in &report.sections {
        let counts = &section.counts;
        sheet.write_string_with_format(row, 0, section.api.title(), &look.plain)?;
        let numbers = counts.in_a_row();
        for (column, number) in (1_u16..).zip(numbers) {
            let format = match column {
                4 if number > 0 => &look.bad,
                5 | 6 if number > 0 => &look.faint,
                _ => &look.number,
            };
            sheet.write_number_with_format(row, column, u32::try_from(number).unwrap_or(u32::MAX), format)?;
        }
        let (word, format) = if counts.is_enough() { ("yes", &look.good) } else { ("no", &look.bad) };
        sheet.write_string_with_format(row, COVER_END, word, format)?;
        row += 1;
    }
    sheet.write_string_with_format(row, 0, "All", &look.total)?;
    let [succeeded, failed, different, not_run, left_out] = report.totals();
    for (column, number) in [(1, succeeded), (2, failed), (4, different), (5, not_run), (6, left_out)] {
        sheet.write_number_with_format(row, column, u32::try_from(number).unwrap_or(u32::MAX), &look.total)?;
    }
    for column in [3, COVER_END] {
        sheet.write_blank(row, column, &look.total)?;
    }
    Ok(())
}

fn cases(sheet: &mut Worksheet, section: &Section<'_>, look: &Look) -> Result<(), XlsxError> {
    sheet.set_name(section.api.title())?;
    page(sheet, section.api.title());
    sheet.set_freeze_panes(1, 1)?;
    sheet.set_repeat_rows(0, 0)?;
    for (column, (heading, width)) in (0_u16..).zip(COLUMNS) {
        sheet.write_string_with_format(0, column, heading, &look.head)?;
        sheet.set_column_width(column, width)?;
    }
    sheet.set_row_height(0, height(2))?;
    for (number, row) in (1_u32..).zip(&section.rows) {
        line(sheet, number, row, look)?;
    }
    let last = u32::try_from(section.rows.len()).unwrap_or(u32::MAX);
    sheet.autofilter(0, 0, last, REQUEST)?;
    // A request is as long as a page; who prints the evidence wants the table.
    sheet.set_print_area(0, 0, last, REQUEST - 1)?;
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
    let mut highest = 1;
    for ((column, cell), (_, width)) in (0_u16..).zip(cells).zip(COLUMNS) {
        let text: String = cell.chars().take(CELL_CHARACTERS_MAX).collect();
        let format = match column {
            REQUEST => &look.one_line,
            OUTCOME => look.of(standing),
            _ if evidence.is_none() => look.of(standing),
            _ => &look.plain,
        };
        if column != REQUEST {
            highest = highest.max(lines(&text, width));
        }
        match (column, ExcelDateTime::parse_from_str(&text)) {
            (SENT, Ok(moment)) => sheet.write_datetime_with_format(number, column, &moment, &look.moment)?,
            // Always text, so that nothing the portal says is taken for a formula.
            _ => sheet.write_string_with_format(number, column, text, format)?,
        };
    }
    sheet.set_row_height(number, height(highest))?;
    Ok(())
}

/// Lines that a text fills in a column of so many characters. Programs do not agree on whether they measure this
/// themselves, and one that does not would print lines over one another.
fn lines(text: &str, width: u16) -> u32 {
    // Words do not fill a line to its end.
    let room = usize::from(width).saturating_sub(2).max(1);
    let of_part = |part: &str| part.chars().count().div_ceil(room).max(1);
    u32::try_from(text.lines().map(of_part).sum::<usize>()).unwrap_or(LINES_MAX).clamp(1, LINES_MAX)
}

/// The height of a row with so many lines, in points.
const fn height(lines: u32) -> u32 {
    lines * LINE_POINTS + ROW_POINTS
}

/// How a sheet is printed: on A4 across, as wide as the paper.
fn page(sheet: &mut Worksheet, title: &str) {
    sheet.set_landscape().set_paper_size(9).set_print_fit_to_pages(1, 0);
    sheet.set_margins(0.4, 0.4, 0.5, 0.6, 0.3, 0.3);
    sheet.set_footer(format!("&L{title}&RPage &P of &N"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_as_high_as_its_longest_cell_needs_and_no_higher_than_a_workbook_takes() {
        assert_eq!([lines("", 10), lines("eight ch", 10), lines("nine char", 10), lines("a\nb\nc", 10)], [1, 1, 2, 3]);
        assert!(height(lines(&"x".repeat(100_000), 10)) <= 409);
    }
}
