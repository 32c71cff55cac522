//! Judged records as CSV (RFC 4180): one line a finding, for a spreadsheet.

use std::borrow::Cow;

use einvoice_core::finding::Finding;

use super::judge::{Judged, verdict};
use crate::output::printable;

/// What Excel on Windows needs to read UTF-8 as such.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Characters of a cell. Excel takes 32,767, some characters count twice there, and what is longer runs
/// into the next lines.
const CELL_CHARACTERS_MAX: usize = 16_000;

/// The columns: a stable contract.
const COLUMNS: [&str; 13] = [
    "file", "document", "irn", "verdict", "rule", "code", "severity", "path", "found", "expected", "message", "fix",
    "place",
];

/// The first line, with the mark before it.
pub(super) fn header() -> Vec<u8> {
    let mut bytes = BYTE_ORDER_MARK.to_vec();
    bytes.extend(lines(|rows| rows.write_record(COLUMNS)));
    bytes
}

/// Lines of documents of a file. A document without findings has one, with nothing in the columns of
/// a finding; what is not to be registered is no document.
pub(super) fn documents(file: &str, judged: &[Judged]) -> Vec<u8> {
    lines(|rows| judged.iter().try_for_each(|judged| document(file, judged, rows)))
}

/// The line of a file that could not be read.
pub(super) fn unreadable(file: &str, message: &str) -> Vec<u8> {
    let cells = [file, "", "", "unreadable", "", "", "error", "", "", "", message, "", ""];
    lines(|rows| rows.write_record(cells.map(|text| cell(text).into_owned())))
}

type Rows<'a> = csv::Writer<&'a mut Vec<u8>>;

fn lines(write: impl FnOnce(&mut Rows<'_>) -> csv::Result<()>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rows = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(&mut bytes);
    // A vector takes everything, and every line has as many cells as the first.
    let _written = write(&mut rows).and_then(|()| Ok(rows.flush()?));
    drop(rows);
    bytes
}

fn document(file: &str, judged: &Judged, rows: &mut Rows<'_>) -> csv::Result<()> {
    let Judged::Document { name, irn, valid, findings, .. } = judged else { return Ok(()) };
    let irn = irn.as_ref().map(ToString::to_string).unwrap_or_default();
    let head = [file, name, &irn, verdict(*valid)].map(cell);
    let head = || head.iter().map(AsRef::as_ref);
    if findings.is_empty() {
        return rows.write_record(head().chain([""; 9]));
    }
    for finding in findings {
        let cells = of_finding(finding);
        rows.write_record(head().chain(cells.iter().map(AsRef::as_ref)))?;
    }
    Ok(())
}

fn of_finding(finding: &Finding) -> [Cow<'_, str>; 9] {
    [
        cell(&finding.rule),
        cell(finding.code.as_deref().unwrap_or_default()),
        Cow::Owned(finding.severity.to_string()),
        cell(&finding.path),
        cell(finding.found.as_deref().unwrap_or_default()),
        cell(finding.expected.as_deref().unwrap_or_default()),
        cell(&finding.message),
        cell(finding.fix.as_deref().unwrap_or_default()),
        cell(finding.place.as_deref().unwrap_or_default()),
    ]
}

/// Text of a document is untrusted: a spreadsheet must not take it for a formula, nor a terminal for
/// a command, nor may it be longer than a cell.
fn cell(text: &str) -> Cow<'_, str> {
    let shown = match text.char_indices().nth(CELL_CHARACTERS_MAX) {
        Some((end, _)) => {
            let start = printable(text.get(..end).unwrap_or_default());
            Cow::Owned(format!("{start} … (the first of {} characters)", text.chars().count()))
        }
        None => printable(text),
    };
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    if formula { Cow::Owned(format!("'{shown}")) } else { shown }
}

#[cfg(test)]
mod tests {
    use einvoice_core::source::SourceRef;

    use super::*;

    fn judged(name: &str, findings: Vec<Finding>) -> Judged {
        let reference = SourceRef { location: "a.json".into(), position: "line 1".into(), record_id: String::new() };
        Judged::Document {
            name: name.to_owned(),
            reference,
            irn: None,
            valid: findings.is_empty(),
            findings,
            provenance: None,
        }
    }

    #[test]
    fn a_spreadsheet_is_given_no_formula() {
        for start in ["=", "+", "-", "@", "\t", "\r", "\n", "＝"] {
            let text = format!("{start}HYPERLINK(\"http://x\")");
            assert!(cell(&text).starts_with('\''), "{text:?}");
        }
        for harmless in ["29AABCE1234F1Z1", "a=b", "", "'x"] {
            assert_eq!(cell(harmless), harmless);
        }
        let finding = Finding::error("=rule", "-path", "+message").with_found("@found").with_expected("\tx");
        let text = String::from_utf8(documents("=cmd|' /C calc'!A0", &[judged("@a", vec![finding])])).unwrap();
        let line = text.lines().next().unwrap();
        assert!(line.split(',').all(|cell| cell.is_empty() || cell.starts_with(['\'', 'i', 'e'])), "{line}");
    }

    #[test]
    fn no_cell_is_longer_than_a_spreadsheet_takes() {
        assert_eq!(cell(&"é".repeat(16_000)), "é".repeat(16_000));
        let cut = cell(&"=".repeat(40_000)).into_owned();
        assert!(cut.starts_with("'=") && cut.ends_with("= … (the first of 40000 characters)"));
        assert!(cut.encode_utf16().count() < 32_767);
    }

    #[test]
    fn commas_quotes_and_line_ends_stay_inside_their_cell() {
        let finding = Finding::error("a.b", "", "one, \"two\"").with_found("three");
        let text =
            String::from_utf8(documents("a,b.json", &[judged("n", vec![finding]), judged("m", vec![])])).unwrap();
        assert_eq!(
            text,
            "\"a,b.json\",n,,invalid,a.b,,error,,three,,\"one, \"\"two\"\"\",,\r\n\"a,b.json\",m,,valid,,,,,,,,,\r\n"
        );
    }

    #[test]
    fn the_first_line_names_the_columns_after_the_mark_that_excel_needs() {
        let text = String::from_utf8(header()).unwrap();
        assert!(text.starts_with("\u{feff}file,document,irn,verdict,rule,"), "{text}");
        assert!(text.ends_with("place\r\n"));
        let cells = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().matches(',').count();
        assert_eq!(cells(header()), cells(unreadable("a", "b")));
    }
}
