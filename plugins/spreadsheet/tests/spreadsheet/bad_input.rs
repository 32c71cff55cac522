//! What people really put into folders: each a clear error with its place, and the rest goes on.

use std::io::{Read as _, Write as _};

use einvoice_core::source::InvoiceSource;
use einvoice_spreadsheet::testing;
use einvoice_testkit::documents::Recipe;
use futures_util::StreamExt;
use serde_json::json;

use crate::common::{document, read, read_file, sheet, source};

const HEAD: &str = "Document Type,Document Number,Document Date,Buyer GSTIN,Buyer Addr1,HSN Code,Taxable value";

/// A workbook with one of its parts changed.
pub(crate) fn changed(book: &[u8], part: &str, change: impl Fn(String) -> String) -> Vec<u8> {
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(book)).unwrap();
    let mut out = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).unwrap();
        let name = entry.name().unwrap().into_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        let bytes = if name == part { change(String::from_utf8(bytes).unwrap()).into_bytes() } else { bytes };
        out.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        out.write_all(&bytes).unwrap();
    }
    out.finish().unwrap().into_inner()
}

#[tokio::test]
async fn values_with_line_breaks_stay_in_their_row() {
    let text =
        format!("{HEAD}\r\nINV,A/1,05/11/2026,x,\"Plot 14,\r\nPeenya\",8481,10\r\nINV,A/2,05/11/2026,x,y,8481,10\r\n");
    let (source, read) = read_file("a.csv", text, json!({})).await;
    let places: Vec<&str> = read.records.iter().map(|record| record.reference.position.as_str()).collect();
    assert_eq!(places, ["document 1, line 2", "document 2, line 4"]);
    let mapped = document(&source, &read.records[0]);
    assert_eq!(&**mapped.invoice.buyer_dtls.addr1.as_ref().unwrap(), "Plot 14, Peenya");
}

#[tokio::test]
async fn a_quotation_mark_that_is_not_closed_keeps_back_what_it_may_have_taken() {
    let text = format!(
        "{HEAD}\nINV,A/1,05/11/2026,x,y,8481,10\nINV,A/2,05/11/2026,x,\"5 inch,8481,10\nINV,A/3,05/11/2026,x,y,8481,10\n"
    );
    let (_, read) = read_file("a.csv", text, json!({})).await;
    assert_eq!(read.records.len(), 0);
    assert_eq!(
        read.said(),
        [
            "a.csv, line 2: the document is not read: row 3 cannot be read, and belongs to it or may do so",
            "a.csv, line 3: the rest of the file was taken as one row: a quotation mark is not closed",
        ]
    );
}

/// Programs that put texts into quotes and do not double an inch mark at the end of one: the mark is closed by the next
/// text, and the values between have become a part of the first.
#[tokio::test]
async fn an_inch_mark_that_is_closed_in_a_later_row_makes_no_document_of_two() {
    let bare = format!(
        "{HEAD}\nINV,A/1,05/11/2026,x,\"GI PIPE 2\"\",8481,10\nINV,A/2,05/11/2026,x,\"ROD\",8482,20\nINV,A/3,05/11/2026,x,\"y\",8481,10\nINV,A/4,05/11/2026,x,\"y\",8481,10\n"
    );
    let (_, read) = read_file("a.csv", &bare, json!({})).await;
    let numbers: Vec<&str> = read.records.iter().map(|record| record.reference.position.as_str()).collect();
    assert_eq!(numbers, ["document 3, line 5"], "{:?}", read.said());
    assert_eq!(
        read.said(),
        [
            "a.csv, line 2: 2 lines were taken as one row with 7 of 7 values: a quotation mark is not closed",
            "a.csv, line 4: the document is not read: row 2 cannot be read, and belongs to it or may do so",
        ]
    );
    // In the last column, and where all values are in quotes.
    let last =
        "Document Type,Document Number,HSN Code,Buyer Addr1\nINV,A/1,8481,\"GI PIPE 2\"\"\nINV,A/2,8482,\"ROD\"\n";
    let (_, read) = read_file("a.csv", last, json!({})).await;
    assert_eq!((read.records.len(), read.said().len()), (0, 1), "{:?}", read.said());
    let quoted = format!(
        "{HEAD}\nINV,A/1,05/11/2026,x,\"GI PIPE 2\"\",\"8481\",\"10\"\nINV,A/2,05/11/2026,x,y,8481,10\nINV,A/3,05/11/2026,x,y,8481,10\n"
    );
    let (_, read) = read_file("a.csv", quoted, json!({})).await;
    assert_eq!(read.records.len(), 1);
    assert_eq!(
        read.said()[0],
        "a.csv, line 2: the row has 6 of 7 values: a quotation mark is not closed, or not doubled"
    );
}

/// What decides is which mark the headings stand between, not how many commas amounts and addresses have.
#[tokio::test]
async fn the_mark_between_values_is_not_that_within_amounts_and_addresses() {
    let head = format!("{HEAD},Gross Amount,Igst Amt,Total Taxable value,Total Igst Amt,Total Invoice value");
    let row = |number: u32| {
        let amounts = "1,23,456.00~12,34,567.00~1,23,456.00~12,34,567.00~13,58,023.00";
        format!("INV~A/{number}~05/11/2026~x~Plot 4, Phase 2, Peenya, Bengaluru; Karnataka~8481~1,23,456.00~{amounts}")
    };
    for mark in ["\t", ";", "|", ","] {
        let rows: Vec<String> = (1..4)
            .map(|number| match mark {
                "," => format!("\"{}\"", row(number).replace('~', "\",\"")),
                ";" => row(number)
                    .replace("Plot 4, Phase 2, Peenya, Bengaluru; Karnataka", "\"Peenya, Bengaluru; Karnataka\"")
                    .replace('~', mark),
                _ => row(number).replace('~', mark),
            })
            .collect();
        // Programs that leave out the empty values at the end of a row.
        let ragged =
            "INV~A/4~05/11/2026~x~a, b, c, d, e, f, g, h, i, j, k, l, m, n~8481~1,23,456.00".replace('~', mark);
        let title = "Sales, November; 2026";
        let mut text = format!("{title}\n{}\n{}\n", head.replace(',', mark), rows.join("\n"));
        let wanted = if mark == "," {
            3
        } else {
            text.push_str(&ragged);
            4
        };
        let (source, read) = read_file("a.csv", text, json!({})).await;
        assert_eq!((read.records.len(), read.said()), (wanted, Vec::new()), "{mark:?}");
        let invoice: serde_json::Value =
            serde_json::from_str(&document(&source, &read.records[0]).invoice.to_json()).unwrap();
        assert_eq!(invoice["ValDtls"]["TotInvVal"], json!(1_358_023), "{mark:?}");
    }
}

#[tokio::test]
async fn the_mark_between_values_is_found_and_a_wrong_one_is_said() {
    let text = format!("{HEAD}\nINV,A/1,05/11/2026,x,y,8481,10\n").replace(',', ";");
    let (_, read) = read_file("a.csv", &text, json!({})).await;
    assert_eq!(read.records.len(), 1);
    let (_, read) = read_file("a.csv", &text, json!({"delimiter": ","})).await;
    assert_eq!(read.said().len(), 1);
    assert!(read.said()[0].starts_with("a.csv: it has no heading for the number of the document"), "{:?}", read.said());
    assert!(read.said()[0].contains("its fullest row begins with: Document Type;Document Number"), "{:?}", read.said());
}

#[tokio::test]
async fn a_row_in_another_encoding_keeps_only_its_own_document_back() {
    let head = HEAD.as_bytes();
    let rows =
        b"\nINV,A/1,05/11/2026,x,caf\xe9,8481,10\nINV,A/1,05/11/2026,x,cafe,8481,10\nINV,A/2,05/11/2026,x,y,8481,10\n";
    let (_, read) = read_file("a.csv", [head, rows].concat(), json!({})).await;
    assert_eq!(read.records.len(), 1);
    assert_eq!(
        read.said(),
        [
            "a.csv, line 2: the value in column E is not in the encoding of the file",
            "a.csv, line 3: the document is not read: row 2 cannot be read, and belongs to it or may do so",
        ]
    );
    let (source, read) = read_file("a.csv", [head, rows].concat(), json!({"encoding": "windows-1252"})).await;
    assert_eq!((read.records.len(), read.said()), (2, Vec::new()));
    let mapped = document(&source, &read.records[0]);
    // The rows of one document say different things about its buyer.
    let said: Vec<(&str, Option<&str>)> =
        mapped.findings.iter().map(|finding| (&*finding.rule, finding.place.as_deref())).collect();
    assert!(
        said.contains(&(
            "spreadsheet.rows_differ",
            Some("a.csv, document 1, lines 2 to 3, column Buyer Addr1, line 3")
        )),
        "{said:?}"
    );
}

#[tokio::test]
async fn hundreds_of_columns_are_read_by_their_headings() {
    let wide: Vec<String> = (0..300).map(|column| format!("Extra {column}")).collect();
    let mut head: Vec<&str> = wide.iter().map(String::as_str).collect();
    let mut row = vec!["x"; 300];
    for (at, heading, value) in
        [(7, "Document Type", "INV"), (150, "Document Number", "A/1"), (299, "HSN Code", "8481")]
    {
        (head[at], row[at]) = (heading, value);
    }
    let (source, read) = read_file("a.xlsx", sheet(&[&head, &row]), json!({})).await;
    let mapped = document(&source, &read.records[0]);
    assert_eq!(mapped.invoice.item_list[0].hsn_cd.as_ref().unwrap().to_string(), "8481");
    assert_eq!(mapped.attributes["number_columns"], "EU");
}

#[tokio::test]
async fn cells_that_databases_export_for_no_value_are_empty() {
    let text = format!(
        "{HEAD},Buyer Addr2,Buyer Trade Name\nINV,A/1,05/11/2026,x,Plot 1,8481,10,NULL,(null)\n\
         null,\\N,,,NULL,,NULL,,Total\nINV,A/2,05/11/2026,x,NULL Bazar,8481,10,<NULL>,NA\n"
    );
    let (source, read) = read_file("a.csv", text, json!({})).await;
    assert_eq!((read.records.len(), read.said()), (2, Vec::new()));
    let said = |at: usize| {
        let buyer = document(&source, &read.records[at]).invoice.buyer_dtls;
        [buyer.addr1, buyer.addr2, buyer.trd_nm]
            .map(|field| field.as_ref().map(ToString::to_string).unwrap_or_default())
    };
    assert_eq!(said(0), ["Plot 1", "", ""]);
    assert_eq!(said(1), ["NULL Bazar", "", "NA"]);
}

#[tokio::test]
async fn days_are_read_from_serials_of_1900_and_from_text_alike() {
    let rows: &[&[&str]] = &[
        &["Document Type", "Document Number", "Document Date", "HSN Code"],
        &["INV", "A/1", "=46331", "8481"],
        &["INV", "A/2", "05/11/2026", "8481"],
        &["INV", "A/3", "2026-11-05", "8481"],
        &["INV", "A/4", "5-Nov-26", "8481"],
        &["INV", "A/5", "05.11.2026", "8481"],
    ];
    let (source, read) = read_file("a.xlsx", sheet(rows), json!({})).await;
    let days: Vec<String> = read
        .records
        .iter()
        .map(|record| document(&source, record).invoice.doc_dtls.dt.get().unwrap().to_string())
        .collect();
    assert_eq!(days, ["05/11/2026"; 5]);
}

#[tokio::test]
async fn a_page_of_html_that_calls_itself_xls_is_read_as_what_it_is() {
    let cells = |row: &str| format!("<td>{}</td>", row.replace(',', "</td><td>"));
    let page = format!(
        "<html><head><meta charset=\"windows-1252\"></head><body><table><tr>{}</tr><tr>{}</tr></table></body></html>",
        cells(HEAD),
        cells("INV,A/1,05/11/2026,x,M &amp; Co,8481,\"1")
    );
    let (source, read) = read_file("export.xls", page, json!({})).await;
    let mapped = document(&source, &read.records[0]);
    assert_eq!(&**mapped.invoice.buyer_dtls.addr1.as_ref().unwrap(), "M & Co");
}

#[tokio::test]
async fn numbers_that_lost_their_digits_and_formulas_that_failed_are_errors_at_their_cells() {
    let rows: &[&[&str]] = &[
        &["Document Type", "Document Number", "Document Date", "HSN Code", "Product Description"],
        &["INV", "=1.12345678901234567e17", "05/11/2026", "8.48E+7", "#REF!"],
    ];
    let (source, read) = read_file("a.xlsx", sheet(rows), json!({})).await;
    let mapped = document(&source, &read.records[0]);
    let mut said: Vec<String> = mapped
        .findings
        .iter()
        .filter(|finding| finding.is_error())
        .map(|finding| format!("{} {} {}", finding.rule, finding.path, finding.found.as_deref().unwrap_or_default()))
        .collect();
    said.sort();
    assert_eq!(
        said,
        [
            "mapping.digits_lost DocDtls.No 1.12345678901235E+17",
            "mapping.digits_lost ItemList[0].HsnCd 8.48E+7",
            "spreadsheet.formula ItemList[0].PrdDesc #REF!",
        ]
    );
}

#[tokio::test]
async fn files_that_are_no_workbook_are_said_and_the_others_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let book = testing::workbook([Recipe::numbered(1).invoice()]).unwrap();
    let write = |name: &str, content: &[u8]| std::fs::write(folder.path().join(name), content).unwrap();
    write("a-cut-short.xlsx", &book[..book.len() / 2]);
    write("b-empty.xlsx", b"");
    write("c-picture.xls", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0");
    write("d-compound.xls", &[b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".as_slice(), &[0; 600]].concat());
    write("e-no-headings.csv", b"a,b\n1,2\n");
    write("f-archive.xlsx", &changed(&book, "xl/workbook.xml", |_| "<broken".to_owned()));
    let long = testing::workbook((1..9).map(|number| Recipe::numbered(number).invoice())).unwrap();
    write(
        "g-sheet.xlsx",
        &changed(&long, "xl/worksheets/sheet1.xml", |text| text.chars().take(text.len() * 9 / 10).collect()),
    );
    write("h-good.xlsx", &book);
    let source = source(folder.path(), json!({"path": "."}));
    let read = read(&source).await;
    assert_eq!(read.records.len(), 1);
    assert_eq!(read.records[0].reference.location, "h-good.xlsx");
    let files: Vec<&str> = read.problems.iter().map(|problem| problem.reference.location.as_str()).collect();
    assert_eq!(
        files,
        [
            "a-cut-short.xlsx",
            "b-empty.xlsx",
            "c-picture.xls",
            "d-compound.xls",
            "e-no-headings.csv",
            "f-archive.xlsx",
            "g-sheet.xlsx",
        ]
    );
    for problem in &read.problems {
        assert!(problem.findings[0].fix.as_ref().is_some_and(|fix| fix.len() > 10), "{problem:?}");
    }
    assert!(read.said()[6].contains("nothing of it was taken"), "{}", read.said()[6]);
}

#[tokio::test]
async fn a_part_that_would_fill_the_memory_is_refused_by_its_stated_size() {
    let mut bomb = testing::workbook([Recipe::numbered(1).invoice()]).unwrap();
    // The list of parts at the end of the archive: a part's unpacked size stands 22 bytes before its name.
    let name = b"xl/styles.xml";
    let at = bomb.windows(name.len()).rposition(|found| found == name).unwrap();
    bomb[at - 22..at - 18].copy_from_slice(&629_145_600_u32.to_le_bytes());
    let (_, read) = read_file("a.xlsx", bomb, json!({})).await;
    assert_eq!(read.said(), ["a.xlsx: its part xl/styles.xml unpacks to 629145600 bytes; at most 536870912 are read"]);
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_an_error_that_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let source = source(folder.path(), json!({"path": "nowhere"}));
    let error = match source.fetch(None).await {
        Err(error) => error.to_string(),
        Ok(mut stream) => stream.next().await.unwrap().unwrap_err().to_string(),
    };
    assert!(error.contains("there is no such folder"), "{error}");
}

#[test]
fn settings_that_make_no_sense_are_refused_by_their_key() {
    use crate::common::context;
    use einvoice_core::registry::read_settings;
    use einvoice_spreadsheet::SpreadsheetSource;
    let context = context(std::path::Path::new("."));
    let error = |settings: serde_json::Value| {
        SpreadsheetSource::new(&context, &read_settings(&context, settings).unwrap()).unwrap_err().to_string()
    };
    assert_eq!(error(json!({"path": ""})), "test, key `path`: is empty: name a folder, a file or a pattern");
    assert!(error(json!({"path": "x", "delimiter": "x"})).contains("key `delimiter`: found `x`"));
    assert!(error(json!({"path": "x", "heading_row": 0})).contains("rows are counted from 1"));
    assert!(error(json!({"path": "x", "mapping": {"set": {"DocDtls.Nr": "x"}}})).contains("INV-01 has no member Nr"));
    let constant = json!({"path": "x", "mapping": {"set": {"DocDtls.No": {"value": "1"}}}});
    assert!(error(constant).contains("no column says which number"));
}
