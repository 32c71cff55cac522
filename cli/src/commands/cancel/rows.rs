//! The CSV file of a bulk cancellation: key, reason, remark.

use std::path::Path;

use csv::{ReaderBuilder, StringRecord, Trim};
use einvoice_core::ewb::CancelReason;

use super::super::desk::refusal::Refusal;
use crate::arguments::words;
use crate::error::CliError;

/// Largest file that is read: some hundred thousand lines.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// One line: which document, and why; or what is wrong with the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) key: String,
    pub(super) wish: Result<(CancelReason, String), Refusal>,
    place: Option<String>,
}

impl Row {
    /// Of the command line.
    pub(super) const fn new(key: String, reason: CancelReason, remark: String) -> Self {
        Self { key, wish: Ok((reason, remark)), place: None }
    }

    /// What it is about, with its place in the file.
    pub(super) fn about(&self) -> String {
        self.place.as_ref().map_or_else(|| self.key.clone(), |place| format!("{} ({place})", self.key))
    }
}

/// Reads a file. A line that is wrong is a row of its own with what is wrong, so that the others are still done.
///
/// # Errors
/// When the file cannot be read, is no CSV, or lacks the column `key`.
pub(super) fn read(file: &Path, reason: Option<CancelReason>, remark: Option<&str>) -> Result<Vec<Row>, CliError> {
    let failed = |error| CliError::File { path: file.to_path_buf(), action: "read", error };
    if std::fs::metadata(file).map_err(failed)?.len() > FILE_BYTES_MAX {
        return Err(CliError::Usage(format!("{} is larger than {FILE_BYTES_MAX} bytes", file.display())));
    }
    let bytes = std::fs::read(file).map_err(failed)?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        CliError::Usage(format!("{} is not UTF-8 text (byte {at}): save it as CSV UTF-8", file.display()))
    })?;
    rows(&text, &file.display().to_string(), reason, remark)
}

fn rows(text: &str, file: &str, reason: Option<CancelReason>, remark: Option<&str>) -> Result<Vec<Row>, CliError> {
    let text = text.trim_start_matches('\u{feff}');
    // Spreadsheets of some countries separate by semicolons.
    let heading = text.lines().next().unwrap_or_default();
    let separator = if heading.contains(';') && !heading.contains(',') { b';' } else { b',' };
    let mut reader =
        ReaderBuilder::new().flexible(true).trim(Trim::All).delimiter(separator).from_reader(text.as_bytes());
    let wrong = |error: csv::Error| CliError::Usage(format!("{file}: {error}"));
    let headings = reader.headers().map_err(wrong)?.clone();
    let column = |name: &str| headings.iter().position(|heading| heading.eq_ignore_ascii_case(name));
    let Some(key) = column("key").or_else(|| column("document")) else {
        let found: Vec<&str> = headings.iter().collect();
        return Err(CliError::Usage(format!(
            "{file}: the first line must name the columns key, reason and remark; found: {}",
            found.join(", ")
        )));
    };
    let columns = Columns { key, reason: column("reason"), remark: column("remark") };
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(wrong)?;
        let line = record.position().map_or(0, |position| line_of(text, position));
        if record.iter().any(|cell| !cell.is_empty()) {
            rows.push(columns.row(&record, format!("{file}, line {line}"), reason, remark));
        }
    }
    Ok(rows)
}

/// The line on which a record stands; the reader counts from the end of the one before, blank lines included.
fn line_of(text: &str, position: &csv::Position) -> u64 {
    let from = usize::try_from(position.byte()).ok().and_then(|byte| text.as_bytes().get(byte..)).unwrap_or_default();
    let blank = from.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).filter(|byte| **byte == b'\n').count();
    position.line() + u64::try_from(blank).unwrap_or_default()
}

#[derive(Debug)]
struct Columns {
    key: usize,
    reason: Option<usize>,
    remark: Option<usize>,
}

impl Columns {
    fn row(&self, record: &StringRecord, place: String, reason: Option<CancelReason>, remark: Option<&str>) -> Row {
        let cell = |column: Option<usize>| {
            column.and_then(|column| record.get(column)).map(str::trim).filter(|cell| !cell.is_empty())
        };
        let key = cell(Some(self.key)).unwrap_or("(no key)").to_owned();
        let told = |message: String, fix: &str| Err(Refusal::new(message, fix));
        let reason = match cell(self.reason) {
            Some(text) => words::reason(text).map(Some),
            None => Ok(reason),
        };
        let wish = match (reason, cell(self.remark).or(remark)) {
            _ if cell(Some(self.key)).is_none() => {
                told("the line names no document".to_owned(), "Fill the cell `key`, or take the line out.")
            }
            (Err(message), _) => told(message, "Correct the cell; the other lines do not wait for it."),
            (Ok(Some(reason)), Some(remark)) => Ok((reason, remark.to_owned())),
            (Ok(None), _) => told("the line has no reason".to_owned(), "Fill the cell, or pass --reason for all."),
            (_, None) => told("the line has no remark".to_owned(), "Fill the cell, or pass --remark for all."),
        };
        Row { key, wish, place: Some(place) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<Row> {
        rows(text, "a.csv", None, None).unwrap()
    }

    #[test]
    fn a_file_names_documents_with_reason_and_remark_in_any_order_of_columns() {
        let found = read(
            "\u{feff}Remark,KEY,Reason\nentered twice,A/1,duplicate\n\n\"wrong, total\", A/2 ,data entry mistake\n",
        );
        let wishes: Vec<_> = found.iter().map(|row| (row.key.as_str(), row.wish.clone().unwrap())).collect();
        let expected = [
            ("A/1", (CancelReason::Duplicate, "entered twice".to_owned())),
            ("A/2", (CancelReason::DataEntryMistake, "wrong, total".to_owned())),
        ];
        assert_eq!(wishes, expected);
        assert_eq!(found[1].about(), "A/2 (a.csv, line 4)");
        assert_eq!(read("key;reason;remark\nA/1;others;x\n")[0].wish, Ok((CancelReason::Others, "x".to_owned())));
    }

    #[test]
    fn a_number_in_place_of_a_reason_is_refused_with_the_ground_and_the_other_lines_stand() {
        let found = read("key,reason,remark\nA/1,2,x\nA/2,others,x\n");
        let refusal = found[0].wish.as_ref().unwrap_err();
        assert!(refusal.message.contains("2 is a data entry mistake for the e-invoice system"), "{refusal:?}");
        assert!(found[1].wish.is_ok());
    }

    #[test]
    fn an_empty_cell_takes_what_the_command_line_says_and_is_told_without_it() {
        let text = "key,reason,remark\nA/1,,\n";
        let with = rows(text, "a.csv", Some(CancelReason::Others), Some("all")).unwrap();
        assert_eq!(with[0].wish, Ok((CancelReason::Others, "all".to_owned())));
        assert!(read(text)[0].wish.as_ref().unwrap_err().message.contains("no reason"));
        assert!(read("key,reason\nA/1,others\n")[0].wish.as_ref().unwrap_err().message.contains("no remark"));
    }

    #[test]
    fn a_file_without_the_column_of_keys_is_told() {
        let told = rows("number,why\n1,2\n", "a.csv", None, None).unwrap_err().to_string();
        assert!(told.contains("found: number, why"), "{told}");
    }
}
