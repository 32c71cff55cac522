//! What the library for workbooks does not tell of one of `OpenDocument`: which cells are shown as one, and which show their
//! number by the hundred.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Seek};

use quick_xml::Reader;
use quick_xml::escape::unescape;
use quick_xml::events::{BytesStart, Event};

use super::{BookError, Merged, ROWS_MAX};

/// The cells of one sheet that are more than their value.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) merged: Vec<Merged>,
    /// Cells that show their number by the hundred, by the rows they begin in.
    pub(super) percent: Vec<Merged>,
}

/// Looks through an archive; nothing where it is none of `OpenDocument`.
pub(super) fn shown(archive: impl Read + Seek) -> Result<HashMap<String, Shown>, BookError> {
    let unreadable = |error: &dyn std::fmt::Display| {
        BookError::content(format!("the workbook cannot be read: {error}"), super::workbook::SAVE_AGAIN)
    };
    let mut archive = zip::ZipArchive::new(archive).map_err(|error| unreadable(&error))?;
    let Ok(part) = archive.by_name("content.xml") else { return Ok(HashMap::new()) };
    of_content(BufReader::new(part)).map_err(|error| unreadable(&error))
}

fn of_content(content: impl BufRead) -> Result<HashMap<String, Shown>, quick_xml::Error> {
    let mut reader = Reader::from_reader(content);
    reader.config_mut().check_end_names = false;
    reader.config_mut().expand_empty_elements = true;
    let mut sheets = HashMap::new();
    let mut open: Option<(String, Shown)> = None;
    let (mut row, mut rows, mut column) = (0_u32, 1, 0_u32);
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        match reader.read_event_into(&mut buffer)? {
            Event::Start(start) => match start.name().as_ref() {
                "table:table" if open.is_none() => {
                    let name = attribute(&start, "table:name").unwrap_or_default();
                    (open, row) = (Some((name, Shown::default())), 0);
                }
                "table:table-row" => (rows, column) = (count(&start, "table:number-rows-repeated"), 0),
                "table:table-cell" | "table:covered-table-cell" => {
                    let columns = count(&start, "table:number-columns-repeated");
                    if let Some((_, shown)) = &mut open {
                        shown.cell(&start, (row, rows), (column, columns));
                    }
                    column = column.saturating_add(columns);
                }
                _ => {}
            },
            Event::End(end) => match end.name().as_ref() {
                "table:table-row" => row = row.saturating_add(rows),
                "table:table" => sheets.extend(open.take()),
                _ => {}
            },
            Event::Eof => return Ok(sheets),
            _ => {}
        }
    }
}

impl Shown {
    fn cell(&mut self, start: &BytesStart<'_>, (row, rows): (u32, u32), (column, columns): (u32, u32)) {
        let spanned = count(start, "table:number-rows-spanned");
        if spanned > 1 {
            let across = count(start, "table:number-columns-spanned");
            let last = (row.saturating_add(spanned - 1), column.saturating_add(across - 1));
            self.merged.push(Merged { first: (row, column), last });
        }
        if attribute(start, "office:value-type").is_some_and(|kind| kind == "percentage") {
            let last = (row.saturating_add(rows - 1), column.saturating_add(columns - 1));
            self.percent.push(Merged { first: (row, column), last });
        }
    }
}

/// How often, or over how many; once where it does not say.
fn count(start: &BytesStart<'_>, name: &str) -> u32 {
    attribute(start, name).and_then(|text| text.parse().ok()).unwrap_or(1).clamp(1, ROWS_MAX)
}

fn attribute(start: &BytesStart<'_>, name: &str) -> Option<String> {
    let found =
        start.attributes().with_checks(false).filter_map(Result::ok).find(|found| found.key.as_ref() == name)?;
    Some(unescape(&found.value).map_or_else(|_| found.value.to_string(), std::borrow::Cow::into_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_counted_over_what_is_repeated() {
        let text = "<table:table table:name='A &amp; B'><table:table-row table:number-rows-repeated='3'/>\
            <table:table-row><table:table-cell table:number-columns-repeated='2'/>\
            <table:table-cell table:number-rows-spanned='2' table:number-columns-spanned='3'><text:p>x</text:p></table:table-cell>\
            <table:covered-table-cell table:number-columns-repeated='2'/>\
            <table:table-cell office:value-type='percentage' office:value='0.18' table:number-columns-repeated='2'/></table:table-row>\
            </table:table><table:table table:name='C'/>";
        let sheets = of_content(text.as_bytes()).unwrap();
        let shown = &sheets["A & B"];
        assert_eq!(shown.merged, [Merged { first: (3, 2), last: (4, 4) }]);
        assert_eq!(shown.percent, [Merged { first: (3, 5), last: (3, 6) }]);
        assert_eq!(sheets["C"], Shown::default());
    }
}
