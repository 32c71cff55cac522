//! Sheets that are right: what becomes of them.

use einvoice_core::document::Invoice;
use einvoice_core::rulebook::{self, CheckOptions};
use einvoice_core::source::{InvoiceSource, Mapped};
use einvoice_spreadsheet::testing;
use einvoice_testkit::documents::Recipe;
use rust_xlsxwriter::{Format, Workbook};
use serde_json::json;

use crate::common::{document, read, read_file, sheet, source};

const HEAD: &[&str] = &[
    "Document Type *",
    "Document Number *",
    "Document Date (DD/MM/YYYY) *",
    "Buyer GSTIN *",
    "HSN Code *",
    "Quantity *",
    "Unit Price *",
    "GST Rate (%) *",
];

/// Documents as a sheet carries them: an attribute it has no column for cannot come back.
fn recipes() -> Vec<Invoice> {
    let mut other = Recipe::numbered(2);
    other.inter_state = false;
    other.items = 1;
    vec![Recipe::numbered(1).invoice(), other.invoice(), Recipe::numbered(3).invoice()]
}

#[tokio::test]
async fn documents_written_to_a_sheet_come_back_the_same_from_every_form() {
    let invoices = recipes();
    let book = testing::workbook(invoices.clone()).unwrap();
    let text = testing::csv(invoices.clone()).unwrap();
    let with_mark = [b"\xef\xbb\xbf".as_slice(), &text].concat();
    let utf16: Vec<u8> = [0xff, 0xfe]
        .into_iter()
        .chain(String::from_utf8(text.clone()).unwrap().encode_utf16().flat_map(u16::to_le_bytes))
        .collect();
    for (name, content) in
        [("a.xlsx", book.clone()), ("a.csv", with_mark), ("unicode.txt", utf16), ("wrong-name.csv", book)]
    {
        let (source, read) = read_file(name, content, json!({})).await;
        assert_eq!(read.said(), [""; 0], "{name}");
        let found: Vec<String> =
            read.records.iter().map(|record| document(&source, record).invoice.to_json()).collect();
        let expected: Vec<String> = invoices.iter().map(Invoice::to_json).collect();
        assert_eq!(found, expected, "{name}");
    }
}

#[tokio::test]
async fn a_document_knows_its_rows_and_every_value_its_cell() {
    let (source, read) = read_file("a.xlsx", testing::workbook(recipes()).unwrap(), json!({})).await;
    let places: Vec<String> = read.records.iter().map(|record| record.reference.to_string()).collect();
    assert_eq!(
        places,
        ["a.xlsx, document 1, rows 2 to 7", "a.xlsx, document 2, row 8", "a.xlsx, document 3, rows 9 to 14"]
    );
    let ids: Vec<&str> = read.records.iter().map(|record| record.reference.record_id.as_str()).collect();
    assert_eq!(ids[0], "29EIMCQ0001K1ZV/2026-27/INV/T/1");
    let mapped = document(&source, &read.records[0]);
    assert_eq!(mapped.provenance["ItemList[2].HsnCd"], "column HSN Code, row 4");
    assert_eq!(mapped.provenance["DocDtls.Dt"], "column Document Date (DD/MM/YYYY), row 2");
    assert_eq!(mapped.attributes["rows"], "2,3,4,5,6,7");
    assert_eq!((mapped.attributes["sheet"].as_str(), mapped.attributes["doc_no"].as_str()), ("Invoices", "T/1"));
    let options = CheckOptions::on(jiff::civil::date(2026, 11, 6));
    rulebook::check(mapped.invoice, mapped.findings, &options).unwrap();
}

#[tokio::test]
async fn what_a_sheet_leaves_out_and_can_only_be_one_way_is_computed() {
    let seller = json!({"mapping": {"seller": [{
        "gstin": "29AAKCD4821F1ZM", "legal_name": "Deccan Valves Private Limited", "address1": "Plot 14",
        "location": "Bengaluru", "pin": 560_058}],
        "set": {"TranDtls.SupTyp": {"value": "B2B"}}}});
    let rows: &[&[&str]] = &[
        &["GST invoices of November"],
        &[],
        HEAD,
        &["INV-Tax Invoice", "DV/1", "5-11-26", "27aaaci1234e1z6", "902", "=2", "1,23,456.50", "=18"],
        &["", "DV/1", "", "", "8481.80.20", "=12.300000000000001", "₹ 10.00", "18 %"],
        &["", "", "", "", "", "", "Total", "=400000"],
    ];
    let (source, read) = read_file("a.xlsx", sheet(rows), seller).await;
    assert_eq!(read.said(), [""; 0]);
    let mapped = document(&source, &read.records[0]);
    let invoice = &mapped.invoice;
    let items: Vec<String> = invoice
        .item_list
        .iter()
        .map(|item| {
            let (hsn, quantity) = (item.hsn_cd.as_ref().unwrap(), item.qty.as_ref().unwrap());
            format!("{hsn} {quantity} {} {}", item.tot_amt.as_ref().unwrap(), item.igst_amt.as_ref().unwrap())
        })
        .collect();
    assert_eq!(items, ["0902 2 246913 44444.34", "84818020 12.3 123 22.14"]);
    assert_eq!(invoice.val_dtls.tot_inv_val.get().unwrap().to_string(), "291502.48");
    assert_eq!(invoice.seller_dtls.lgl_nm.as_ref().unwrap().to_string(), "Deccan Valves Private Limited");
}

#[tokio::test]
async fn rows_of_a_document_may_stand_anywhere_and_totals_below_them_are_no_row() {
    let rows: &[&[&str]] = &[
        HEAD,
        &["INV", "A/1", "05/11/2026", "27AAACI1234E1Z6", "8481", "=1", "=10", "=18"],
        &["INV", "A/2", "05/11/2026", "27AAACI1234E1Z6", "8481", "=1", "=10", "=18"],
        &["INV", "a/1", "05/11/2026", "27AAACI1234E1Z6", "8482", "=1", "=10", "=18"],
        &["", "", "", "", "", "", "Total", "=30"],
    ];
    let (source, read) = read_file("a.xlsx", sheet(rows), json!({})).await;
    let found: Vec<(String, usize)> = read
        .records
        .iter()
        .map(|record| (record.reference.position.clone(), document(&source, record).invoice.item_list.len()))
        .collect();
    assert_eq!(found, [("document 1, row 3".to_owned(), 1), ("document 2, rows 2 and 4".to_owned(), 2)]);
}

#[tokio::test]
async fn every_sheet_with_headings_is_read_and_others_are_left_alone() {
    let mut workbook = Workbook::new();
    for (name, number) in [("North", Some("A/1")), ("Notes", None), ("South", Some("A/2"))] {
        let sheet = workbook.add_worksheet().set_name(name).unwrap();
        match number {
            Some(number) => crate::common::fill(sheet, &[HEAD, &["INV", number, "05/11/2026", "x", "8481"]]),
            None => crate::common::fill(sheet, &[&["Only words"]]),
        }
    }
    let book = workbook.save_to_buffer().unwrap();
    let (_, read) = read_file("a.xlsx", book.clone(), json!({})).await;
    let places: Vec<&str> = read.records.iter().map(|record| record.reference.position.as_str()).collect();
    assert_eq!(places, ["document 1, sheet North, row 2", "document 2, sheet South, row 2"]);
    let (_, read) = read_file("a.xlsx", book.clone(), json!({"sheet": "south"})).await;
    assert_eq!(read.records.len(), 1);
    let (_, read) = read_file("a.xlsx", book, json!({"sheet": "East"})).await;
    assert_eq!(read.said(), ["a.xlsx: it has no visible sheet East; its sheets are North, Notes, South"]);
}

#[tokio::test]
async fn merged_numbers_count_for_all_their_rows_and_blank_ones_only_when_told_to() {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    let rows: &[&[&str]] = &[
        HEAD,
        &["INV", "", "05/11/2026", "x", "8481"],
        &["", "", "", "", "8482"],
        &["INV", "A/2", "05/11/2026", "x", "8481"],
        &["", "", "", "", "8482"],
    ];
    crate::common::fill(sheet, rows);
    sheet.merge_range(1, 1, 2, 1, "A/1", &Format::new()).unwrap();
    let book = workbook.save_to_buffer().unwrap();
    let (source, read) = read_file("a.xlsx", book.clone(), json!({})).await;
    assert_eq!(document(&source, &read.records[0]).invoice.item_list.len(), 2);
    assert_eq!(
        read.said(),
        [
            "a.xlsx, row 4: the document is not read: row 5 below it has an item and no document number, and may belong to it",
            "a.xlsx, row 5: the row has an item and no document number",
        ]
    );
    let (source, read) = read_file("a.xlsx", book, json!({"carry_down": true})).await;
    let counts: Vec<usize> =
        read.records.iter().map(|record| document(&source, record).invoice.item_list.len()).collect();
    assert_eq!((counts, read.said()), (vec![2, 2], Vec::new()));
}

#[tokio::test]
async fn days_of_the_1904_calendar_are_the_days_the_workbook_shows() {
    let book = testing::workbook([Recipe::numbered(1).invoice()]).unwrap();
    let shifted = crate::bad_input::changed(&book, "xl/workbook.xml", |text| {
        text.replace("<workbookPr ", "<workbookPr date1904=\"1\" ")
    });
    let (source, read) = read_file("a.xlsx", shifted, json!({})).await;
    // 5 November 2026 in the one calendar is 6 November 2030 in the other.
    let mapped = document(&source, &read.records[0]);
    assert_eq!(mapped.invoice.doc_dtls.dt.get().unwrap().to_string(), "06/11/2030");
}

#[tokio::test]
async fn a_corrected_document_is_the_same_record_in_whatever_file_it_comes() {
    let folder = tempfile::tempdir().unwrap();
    let mut ids = Vec::new();
    for name in ["first.xlsx", "second.xlsx"] {
        std::fs::write(folder.path().join(name), testing::workbook([Recipe::numbered(1).invoice()]).unwrap()).unwrap();
        let read = read(&source(folder.path(), json!({"path": name}))).await;
        ids.push(read.records[0].reference.record_id.clone());
    }
    assert_eq!(ids[0], ids[1]);
}

#[tokio::test]
async fn headings_of_ones_own_are_a_mapping() {
    let settings = json!({"heading_row": 2, "mapping": {
        "dates": "month_first",
        "set": {
            "DocDtls.No": {"join": ["Series", "Bill"], "with": "/"},
            "DocDtls.Typ": {"value": "INV"},
            "ItemList.HsnCd": ["HSN", {"from": "Item", "table": "hsn"}],
        },
        "tables": {"hsn": {"Brass valve": "84818020"}},
        "skip": [{"field": "Kind", "in": ["Estimate"], "reason": "estimate"}],
    }});
    let rows: &[&[&str]] = &[
        &["Bill", "Item", "Kind"],
        &["Series", "Bill", "Invoice Date", "Item", "HSN", "Kind"],
        &["S", "=1", "11/05/2026", "brass valve", "", ""],
        &["S", "=2", "11/05/2026", "brass valve", "", "estimate"],
    ];
    let (source, read) = read_file("a.xlsx", sheet(rows), settings).await;
    let mapped = document(&source, &read.records[0]);
    assert_eq!(mapped.invoice.doc_dtls.no.as_ref().unwrap().as_str(), "S/1");
    assert_eq!(mapped.invoice.doc_dtls.dt.get().unwrap().to_string(), "05/11/2026");
    match source.map(&read.records[1]) {
        Mapped::Skipped(skip) => assert_eq!((skip.label.as_str(), skip.reason.as_str()), ("2", "estimate")),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn old_workbooks_and_those_of_open_document_are_read_alike() {
    let kept = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fuzz/corpus");
    let xls = std::fs::read(kept.join("spreadsheet_xls/two-rows.xls")).unwrap();
    let ods = testing::ods_of(&std::fs::read(kept.join("spreadsheet_ods/two-rows.xml")).unwrap()).unwrap();
    for (name, content) in [("a.xls", xls), ("a.ods", ods)] {
        let (source, read) = read_file(name, content, json!({})).await;
        assert_eq!(read.said(), [""; 0], "{name}");
        let mapped = document(&source, &read.records[0]);
        assert_eq!(mapped.invoice.doc_dtls.dt.get().unwrap().to_string(), "05/11/2026", "{name}");
        let items: Vec<_> = mapped
            .invoice
            .item_list
            .iter()
            .map(|item| format!("{} {}", item.hsn_cd.as_ref().unwrap(), item.ass_amt.as_ref().unwrap()))
            .collect();
        assert_eq!(items, ["8481 123456.5", "8482 1"], "{name}");
    }
}
