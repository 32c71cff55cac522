//! Empty workbooks to type invoices into: the headings of the portal's sheet, with lists to choose from and what each
//! column takes.

use einvoice_core::BoxError;
use einvoice_core::document::{Form, Member, MemberPath, Pattern};
use einvoice_core::masters::{DATED, Kind, Masters};
use rust_xlsxwriter::{
    Color, DataValidation, DataValidationErrorStyle, DataValidationRule, DocProperties, ExcelDateTime, Format,
    FormatAlign, FormatBorder, Formula, Note, Workbook, Worksheet, XlsxError,
};

use crate::builtin::{Block, HEADINGS, Heading};

/// Rows that are made ready.
const ROWS: u32 = 5_000;
/// The sheet of invoices.
const SHEET: &str = "Invoices";
/// The sheet of codes to choose from.
const LISTS: &str = "Lists";
/// The sheet that says how to go on.
const ABOUT: &str = "Read me";

/// Columns most invoices need.
pub(crate) fn compact() -> Result<Vec<u8>, BoxError> {
    let columns = HEADINGS.iter().filter(|heading| heading.block == Block::Main);
    Ok(workbook(&columns.collect::<Vec<_>>())?)
}

/// All columns there are, the supplier's details among them.
pub(crate) fn full() -> Result<Vec<u8>, BoxError> {
    Ok(workbook(&HEADINGS.iter().collect::<Vec<_>>())?)
}

fn workbook(columns: &[&Heading]) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    let made = ExcelDateTime::from_ymd(2000, 1, 1)?;
    workbook.set_properties(&DocProperties::new().set_author("einvoice").set_creation_datetime(&made));
    invoices(workbook.add_worksheet(), columns)?;
    lists(workbook.add_worksheet())?;
    about(workbook.add_worksheet())?;
    workbook.save_to_buffer()
}

fn invoices(sheet: &mut Worksheet, columns: &[&Heading]) -> Result<(), XlsxError> {
    sheet.set_name(SHEET)?;
    let head = |fill: u32| {
        Format::new()
            .set_bold()
            .set_text_wrap()
            .set_align(FormatAlign::Top)
            .set_border_bottom(FormatBorder::Thin)
            .set_background_color(Color::RGB(fill))
    };
    let (required, optional) = (head(0x00FF_E699), head(0x00D9_E1F2));
    sheet.set_row_height(0, 45)?;
    sheet.set_freeze_panes(1, 0)?;
    for (heading, column) in columns.iter().zip(0_u16..) {
        let format = if heading.text.ends_with('*') { &required } else { &optional };
        sheet.write_string_with_format(0, column, heading.text, format)?;
        let Ok(path) = MemberPath::parse(heading.path) else { continue };
        let member = path.member();
        sheet.set_column_width(column, width(heading, member))?;
        if let Some(format) = number_format(member) {
            sheet.set_column_format(column, &Format::new().set_num_format(format))?;
        }
        let note = Note::new(help(heading, member)).add_author_prefix(false).set_width(260).set_height(110);
        sheet.insert_note(0, column, &note)?;
        if let Some(validation) = validation(member)? {
            sheet.add_data_validation(1, column, ROWS, column, &validation)?;
        }
    }
    Ok(())
}

fn width(heading: &Heading, member: &Member) -> f64 {
    match member.form {
        Form::Text { max, pattern: Pattern::Free, .. } if max >= 60 => 28.0,
        Form::Text { pattern: Pattern::Gstin | Pattern::GstinOrUrp, .. } => 18.0,
        Form::Text { pattern: Pattern::State, .. } => 20.0,
        _ if heading.text.len() > 24 => 16.0,
        _ => 13.0,
    }
}

/// Texts are kept as such, so that codes keep their leading zeros.
fn number_format(member: &Member) -> Option<&'static str> {
    match member.form {
        Form::Text { pattern: Pattern::Date, .. } => Some("dd/mm/yyyy"),
        Form::Text { .. } => Some("@"),
        Form::Number { decimals: 2, .. } => Some("0.00"),
        Form::Number { decimals: 0, .. } => Some("0"),
        _ => None,
    }
}

/// What a column takes, as a comment at its heading.
fn help(heading: &Heading, member: &Member) -> String {
    let takes = match member.form {
        Form::Text { pattern: Pattern::Date, .. } => "a day, DD/MM/YYYY".to_owned(),
        Form::Text { pattern: Pattern::State, .. } => "a state: choose it, or write its name or code".to_owned(),
        Form::Text { pattern, .. } if pattern.is_list() || matches!(pattern, Pattern::Gstin | Pattern::GstinOrUrp) => {
            pattern.expected()
        }
        Form::Text { min, max, pattern } => {
            let length = if min == max { format!("{min} characters") } else { format!("{min} to {max} characters") };
            if pattern == Pattern::Free { length } else { format!("{length}: {}", pattern.expected()) }
        }
        Form::Number { decimals, .. } if decimals > 0 => format!("a number with at most {decimals} decimals"),
        _ => "a whole number".to_owned(),
    };
    let needed = if heading.text.ends_with('*') { "Required. " } else { "" };
    format!("{needed}{}\nTakes {takes}.\nINV-01: {}", member.meaning, heading.path)
}

fn validation(member: &Member) -> Result<Option<DataValidation>, XlsxError> {
    let plain = DataValidation::new;
    let about = |validation: DataValidation, title: &str, message: &str, style| {
        validation.set_error_title(title)?.set_error_message(message).map(|found| found.set_error_style(style))
    };
    let choose = |words: &[&str]| {
        let list = plain().allow_list_strings(words)?;
        about(list, "Not in the list", "Choose one of the list.", DataValidationErrorStyle::Stop).map(Some)
    };
    let listed = |column: char, kind: Kind| {
        let last = Masters::builtin().on(DATED).all(kind).len() + 1;
        let choice = plain().allow_list_formula(Formula::new(format!("={LISTS}!${column}$2:${column}${last}")));
        // Names and codes in other spellings are read too.
        about(
            choice,
            "Not in the list",
            "This is not in the list. Keep it all the same?",
            DataValidationErrorStyle::Warning,
        )
        .map(Some)
    };
    match member.form {
        Form::Text { pattern: Pattern::OneOf(words) | Pattern::OneOfAnyCase(words), .. } => match member.name {
            "Typ" => choose(&["INV-Tax Invoice", "CRN-Credit Note", "DBN-Debit Note"]),
            "TransMode" => choose(&["1-Road", "2-Rail", "3-Air", "4-Ship"]),
            "VehType" => choose(&["R-Regular", "O-Over dimensional"]),
            "IsServc" => choose(&["N-Goods", "Y-Service"]),
            _ => choose(words),
        },
        Form::Text { pattern: Pattern::State, .. } => listed('A', Kind::State),
        Form::Text { .. } if member.name == "Unit" => listed('B', Kind::Uqc),
        Form::Text { .. } if member.name == "CntCode" || member.name == "OrgCntry" => listed('C', Kind::Country),
        Form::Text { .. } if member.name == "ForCur" => listed('D', Kind::Currency),
        Form::Text { .. } if member.name == "Port" => listed('E', Kind::Port),
        Form::Text { pattern: Pattern::Date, .. } => {
            let (first, last) = (ExcelDateTime::from_ymd(2017, 7, 1)?, ExcelDateTime::from_ymd(2029, 12, 31)?);
            let rule = plain().allow_date(DataValidationRule::Between(first, last));
            about(rule, "Not a day", "Write a day as DD/MM/YYYY.", DataValidationErrorStyle::Warning).map(Some)
        }
        Form::Text { min, max, .. } => {
            let count = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
            let rule = plain().allow_text_length(DataValidationRule::Between(count(min), count(max)));
            let message = format!("The e-invoice form takes {min} to {max} characters here.");
            about(rule, "Too short or too long", &message, DataValidationErrorStyle::Warning).map(Some)
        }
        Form::Number { decimals, min, max } => {
            let rule = DataValidationRule::Between(scaled(min, decimals), scaled(max, decimals));
            let rule = plain().allow_decimal_number(rule);
            about(rule, "Not a number", "Write a number.", DataValidationErrorStyle::Stop).map(Some)
        }
        _ => Ok(None),
    }
}

/// A bound for a spreadsheet program, which computes in binary.
fn scaled(units: i64, decimals: u32) -> f64 {
    let text = format!("{units}e-{decimals}");
    text.parse().unwrap_or_default()
}

/// The codes to choose from: each as `29-KARNATAKA`, which is read as the code.
fn lists(sheet: &mut Worksheet) -> Result<(), XlsxError> {
    sheet.set_name(LISTS)?;
    let masters = Masters::builtin().on(DATED);
    let bold = Format::new().set_bold();
    let kinds = [
        ("States", Kind::State),
        ("Units", Kind::Uqc),
        ("Countries", Kind::Country),
        ("Currencies", Kind::Currency),
        ("Ports", Kind::Port),
    ];
    for ((title, kind), column) in kinds.into_iter().zip(0_u16..) {
        sheet.set_column_width(column, 34)?;
        sheet.write_string_with_format(0, column, title, &bold)?;
        for (entry, row) in masters.all(kind).iter().zip(1..) {
            // Only states and units are read with their names; of the others the code alone is the value.
            let text = match kind {
                Kind::State => format!("{:0>2}-{}", entry.code, entry.name),
                Kind::Uqc | Kind::Country => format!("{}-{}", entry.code, entry.name),
                _ => entry.code.clone(),
            };
            sheet.write_string(row, column, text)?;
        }
    }
    Ok(())
}

fn about(sheet: &mut Worksheet) -> Result<(), XlsxError> {
    const LINES: [&str; 9] = [
        "One row for each item; the rows of one document say the same about it, or leave it blank after the first.",
        "The document number stands in every row of its document.",
        "Columns with a yellow heading are required; the comment at a heading says what it takes.",
        "What can only be one way may be left blank: serial numbers, gross amounts, taxes from rate and place of supply, totals.",
        "Columns may be moved, left out and added: they are known by their headings.",
        "Check the file without sending anything: einvoice validate FILE --plugin spreadsheet",
        "Put it into the folder that your source reads; a copy with the results appears in the folder `results`.",
        "In the copy, red cells have an error and yellow ones a warning, with a comment that says what to do.",
        "Correct the copy in place and put it into the folder again: what is registered already stays as it is.",
    ];
    sheet.set_name(ABOUT)?;
    sheet.set_column_width(0, 120)?;
    let wrapped = Format::new().set_text_wrap();
    for (line, row) in LINES.iter().zip(0..) {
        sheet.write_string_with_format(row, 0, *line, &wrapped)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use calamine::{Data, Reader, Xlsx};

    use super::*;

    #[test]
    fn every_column_of_the_templates_has_its_heading_a_comment_and_a_rule() {
        for (bytes, count) in [(compact().unwrap(), 82), (full().unwrap(), HEADINGS.len())] {
            let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes.clone())).unwrap();
            let range = book.worksheet_range(SHEET).unwrap();
            assert_eq!((range.height(), range.width()), (1, count));
            assert_eq!(
                bytes,
                if count == 82 { compact().unwrap() } else { full().unwrap() },
                "the same file each time"
            );
        }
    }

    #[test]
    fn lists_hold_what_is_read_as_its_code() {
        let mut book: Xlsx<_> = Xlsx::new(Cursor::new(compact().unwrap())).unwrap();
        let range = book.worksheet_range(LISTS).unwrap();
        let texts: Vec<String> =
            range.used_cells().filter(|(row, ..)| *row > 0).map(|(.., cell)| cell.to_string()).collect();
        for (path, listed) in
            [("BuyerDtls.Pos", "29-Karnataka"), ("ItemList.Unit", "NOS-NUMBERS"), ("ExpDtls.ForCur", "USD")]
        {
            assert!(texts.iter().any(|text| text == listed), "{path}: {listed}");
        }
        assert!(!range.used_cells().any(|(.., cell)| matches!(cell, Data::Empty)));
    }
}
