//! What tests, benchmarks and fuzz targets need: sheets made of documents, and entry points for arbitrary bytes.

pub mod copies;

use std::io::Cursor;
use std::ops::ControlFlow;

use einvoice_core::BoxError;
use einvoice_core::document::{Form, Invoice, MemberPath, Pattern};
use einvoice_file_drop::Encoding;
use rust_xlsxwriter::{Format, Workbook, Worksheet};

use crate::book::{Book, Line, TextSettings};
use crate::builtin::HEADINGS;
use crate::heading;
use crate::source::mapper;

/// One value of a sheet.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "tests match on it")]
pub enum Value {
    /// A text.
    Text(String),
    /// A number.
    Number(f64),
    /// A day, as serial.
    Day(f64),
}

/// The headings of all columns.
#[must_use]
pub fn headings() -> Vec<&'static str> {
    HEADINGS.iter().map(|heading| heading.text).collect()
}

/// The rows of a document, one an item, each value in the column of its heading.
#[must_use]
pub fn rows(invoice: &Invoice) -> Vec<Vec<Option<Value>>> {
    let paths: Vec<Option<MemberPath>> = HEADINGS.iter().map(|heading| MemberPath::parse(heading.path).ok()).collect();
    let value = |path: &MemberPath, item: usize| {
        let text = invoice.shown(path, item)?;
        Some(match path.member().form {
            Form::Number { .. } => Value::Number(text.parse().ok()?),
            Form::Text { pattern: Pattern::Date, .. } => Value::Day(serial(&text)?),
            _ => Value::Text(text),
        })
    };
    (0..invoice.item_list.len().max(1))
        .map(|item| paths.iter().map(|path| value(path.as_ref()?, item)).collect())
        .collect()
}

fn serial(text: &str) -> Option<f64> {
    let [day, month, year] = text.split('/').collect::<Vec<_>>().try_into().ok()?;
    let date = jiff::civil::Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()?;
    let days = jiff::civil::date(1899, 12, 30).until(date).ok()?.get_days();
    Some(f64::from(days))
}

/// A workbook of documents with all headings in its first row, texts in the cells.
///
/// # Errors
/// When it has more than a sheet can hold.
pub fn workbook(invoices: impl IntoIterator<Item = Invoice>) -> Result<Vec<u8>, BoxError> {
    let mut workbook = Workbook::new();
    fill(workbook.add_worksheet_with_constant_memory()?, invoices)?;
    Ok(workbook.save_to_buffer()?)
}

/// The same as Excel saves it: each text once, in a table that the cells share.
///
/// # Errors
/// As [`workbook`].
pub fn shared_workbook(invoices: impl IntoIterator<Item = Invoice>) -> Result<Vec<u8>, BoxError> {
    let mut workbook = Workbook::new();
    fill(workbook.add_worksheet(), invoices)?;
    Ok(workbook.save_to_buffer()?)
}

fn fill(sheet: &mut Worksheet, invoices: impl IntoIterator<Item = Invoice>) -> Result<(), BoxError> {
    sheet.set_name("Invoices")?;
    let day = Format::new().set_num_format("dd/mm/yyyy");
    for (heading, column) in headings().into_iter().zip(0..) {
        sheet.write_string(0, column, heading)?;
    }
    let mut number = 0;
    for invoice in invoices {
        for row in rows(&invoice) {
            number += 1;
            for (value, column) in row.into_iter().zip(0..) {
                match value {
                    Some(Value::Text(text)) => sheet.write_string(number, column, text)?,
                    Some(Value::Number(found)) => sheet.write_number(number, column, found)?,
                    Some(Value::Day(serial)) => sheet.write_number_with_format(number, column, serial, &day)?,
                    None => continue,
                };
            }
        }
    }
    Ok(())
}

/// The same as a CSV file: days as DD/MM/YYYY.
///
/// # Errors
/// Never, but for want of memory.
pub fn csv(invoices: impl IntoIterator<Item = Invoice>) -> Result<Vec<u8>, BoxError> {
    let mut writer = csv::Writer::from_writer(Cursor::new(Vec::new()));
    writer.write_record(headings())?;
    let paths: Vec<Option<MemberPath>> = HEADINGS.iter().map(|heading| MemberPath::parse(heading.path).ok()).collect();
    for invoice in invoices {
        for item in 0..invoice.item_list.len().max(1) {
            let shown = |path: &Option<MemberPath>| invoice.shown(path.as_ref()?, item);
            writer.write_record(paths.iter().map(|path| shown(path).unwrap_or_default()))?;
        }
    }
    Ok(writer.into_inner().map_err(|error| error.to_string())?.into_inner())
}

/// Reads bytes as a file would be read, maps every document, and says how many there are. Nothing but an answer may come
/// of it, whatever the bytes are.
#[must_use]
pub fn documents(bytes: &[u8]) -> usize {
    let Ok(file) = tempfile::NamedTempFile::new() else { return 0 };
    if std::fs::write(file.path(), bytes).is_err() {
        return 0;
    }
    let settings = TextSettings { encoding: Encoding::Auto, delimiter: None };
    let (Ok(mut book), Some(mapper)) = (Book::open(file.path(), settings), mapper()) else { return 0 };
    let mut found = 0;
    for sheet in book.sheets() {
        let _merged = book.merged(&sheet);
        let mut rows = Vec::new();
        let _read = book.rows(&sheet, &mut |line| {
            match line {
                Line::Row(row) => rows.push(row),
                Line::Fault { message, .. } => assert!(!message.is_empty(), "a fault says what is wrong"),
            }
            if rows.len() < 1_000 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        assert!(rows.windows(2).all(|pair| pair.first().map(|row| row.number) < pair.last().map(|row| row.number)));
        let first = rows.get(..heading::HEADING_ROWS.min(rows.len())).unwrap_or_default();
        let Some(columns) = heading::find(first, &mapper.fields, None) else { continue };
        let sheet = crate::record::Sheet {
            name: sheet,
            named: true,
            word: "row",
            is_1904: book.is_1904(),
            knows_percent: book.knows_percent(),
            file: String::new(),
            columns,
        };
        for row in rows.iter().filter(|row| row.number > sheet.columns.row) {
            let (record, kept) = mapper.keep(&sheet, std::slice::from_ref(row));
            let content = record.to_content();
            let first = mapper.document(&content, Some(&kept));
            let again = mapper.document(&content, Some(&kept));
            assert_eq!(format!("{first:?}"), format!("{again:?}"), "a kept document is the one of its record");
            found += 1;
        }
    }
    found
}

/// A workbook around the XML of its only sheet.
///
/// # Errors
/// Never, but for want of memory.
pub fn xlsx_of(sheet: &[u8]) -> Result<Vec<u8>, BoxError> {
    const TYPES: &str = "<?xml version=\"1.0\"?><Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\">\
        <Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>\
        <Default Extension=\"xml\" ContentType=\"application/xml\"/></Types>";
    const ROOT: &str = "<?xml version=\"1.0\"?><Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">\
        <Relationship Id=\"rId1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument\" \
        Target=\"xl/workbook.xml\"/></Relationships>";
    const BOOK: &str = "<?xml version=\"1.0\"?><workbook xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\" \
        xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\"><sheets><sheet name=\"S\" sheetId=\"1\" \
        r:id=\"rId1\"/></sheets></workbook>";
    const RELATIONS: &str = "<?xml version=\"1.0\"?><Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">\
        <Relationship Id=\"rId1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet\" \
        Target=\"worksheets/sheet1.xml\"/></Relationships>";
    archive(&[
        ("[Content_Types].xml", TYPES.as_bytes()),
        ("_rels/.rels", ROOT.as_bytes()),
        ("xl/workbook.xml", BOOK.as_bytes()),
        ("xl/_rels/workbook.xml.rels", RELATIONS.as_bytes()),
        ("xl/worksheets/sheet1.xml", sheet),
    ])
}

/// A workbook of `OpenDocument` around its content.
///
/// # Errors
/// Never, but for want of memory.
pub fn ods_of(content: &[u8]) -> Result<Vec<u8>, BoxError> {
    const MANIFEST: &str = "<?xml version=\"1.0\"?><manifest:manifest \
        xmlns:manifest=\"urn:oasis:names:tc:opendocument:xmlns:manifest:1.0\"/>";
    archive(&[
        ("mimetype", b"application/vnd.oasis.opendocument.spreadsheet"),
        ("META-INF/manifest.xml", MANIFEST.as_bytes()),
        ("content.xml", content),
    ])
}

fn archive(parts: &[(&str, &[u8])]) -> Result<Vec<u8>, BoxError> {
    use std::io::Write as _;

    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, content) in parts {
        writer.start_file(*name, options)?;
        writer.write_all(content)?;
    }
    Ok(writer.finish()?.into_inner())
}
