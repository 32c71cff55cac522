//! Which rows make a document, and which rows must keep one back: no part of a document is ever handed over as the whole.

use einvoice_core::source::InvoiceSource;
use rust_xlsxwriter::{Format, Workbook};
use serde_json::json;

use crate::common::{Read, document, fill, read_file, sheet};

const HEAD: &[&str] = &[
    "Document Type *",
    "Document Number *",
    "Document Date *",
    "Product Description",
    "HSN Code *",
    "Quantity *",
    "Unit Price *",
    "Taxable value *",
    "GST Rate (%) *",
];

/// Documents with the number of their items.
fn documents(source: &impl InvoiceSource, read: &Read) -> Vec<(String, usize)> {
    let of = |record| match source.map(record) {
        einvoice_core::source::Mapped::Document(mapped) => {
            (mapped.invoice.doc_dtls.no.as_ref().unwrap().to_string(), mapped.invoice.item_list.len())
        }
        other => panic!("{other:?}"),
    };
    read.records.iter().map(of).collect()
}

#[tokio::test]
async fn an_item_without_number_and_hsn_is_no_remark() {
    let rows: &[&[&str]] = &[
        HEAD,
        &["INV", "A/1", "05/11/2026", "Valve", "8481", "=2", "=10", "=20", "=18"],
        &["", "", "", "Gasket", "", "=1", "=5", "=5", "=18"],
        &["INV", "A/2", "05/11/2026", "Valve", "8481", "=2", "=10", "=20", "=18"],
        &["", "", "", "", "", "=3", "=5", "=15", ""],
        &["INV", "A/3", "05/11/2026", "Valve", "8481", "=2", "=10", "=20", "=18"],
        // Sums, with and without a word for them.
        &["", "", "", "", "", "=8", "", "=60", ""],
        &["", "", "", "Grand Total:", "", "=8", "", "=60", "=54"],
    ];
    let (source, read) = read_file("a.xlsx", sheet(rows), json!({})).await;
    assert_eq!(documents(&source, &read), [("A/3".to_owned(), 1)]);
    let no_number = |row: u32| format!("a.xlsx, row {row}: the row has an item and no document number");
    let kept_back = |row: u32, below: u32| {
        format!(
            "a.xlsx, row {row}: the document is not read: row {below} below it has an item and no document number, and may belong to it"
        )
    };
    assert_eq!(read.said(), [kept_back(2, 3), no_number(3), kept_back(4, 5), no_number(5)]);
    let finding = &read.problems[1].findings[0];
    assert_eq!(finding.found.as_deref(), Some("Gasket in column Product Description"));
    assert!(finding.fix.as_deref().is_some_and(|fix| fix.contains("carry_down") && fix.contains("delete the row")));
    let (source, read) = read_file("a.xlsx", sheet(rows), json!({"carry_down": true})).await;
    assert_eq!(read.said(), [""; 0]);
    assert_eq!(documents(&source, &read), [("A/1".to_owned(), 2), ("A/2".to_owned(), 2), ("A/3".to_owned(), 1)]);
}

/// A firm with one service has one code for all rows, and no column for it.
#[tokio::test]
async fn where_the_hsn_is_a_constant_rows_without_a_number_are_items_all_the_same() {
    let rows: &[&[&str]] = &[
        &["Document Type", "Document Number", "Document Date", "Product Description", "Taxable value", "GST Rate (%)"],
        &["INV", "A/1", "05/11/2026", "Retainer", "=100", "=18"],
        &["", "", "", "Travel", "=50", "=18"],
        &["", "", "", "Total", "=150", ""],
    ];
    let settings = |carry_down: bool| json!({"carry_down": carry_down, "mapping": {"set": {"ItemList.HsnCd": {"value": "998314"}}}});
    let (source, read) = read_file("a.xlsx", sheet(rows), settings(true)).await;
    assert_eq!((documents(&source, &read), read.said()), (vec![("A/1".to_owned(), 2)], Vec::new()));
    let (source, read) = read_file("a.xlsx", sheet(rows), settings(false)).await;
    assert_eq!(documents(&source, &read), []);
    assert_eq!(read.said().len(), 2, "{:?}", read.said());
    // What may be a sum is no further item: with the one code of the firm nobody would see that it doubles the document.
    let labelled = [rows[0], rows[1], &["", "", "", "Day's total, paid", "=100", ""]];
    let (source, read) = read_file("a.xlsx", sheet(&labelled), settings(true)).await;
    assert_eq!((documents(&source, &read), read.said().len()), (Vec::new(), 2));
    // Nothing but an amount says that there is an item: then an amount is one.
    let bare: &[&[&str]] = &[
        &["Document Type", "Document Number", "Document Date", "Taxable value"],
        &["INV", "A/1", "05/11/2026", "=100"],
        &["", "", "", "=50"],
    ];
    let (source, read) = read_file("a.xlsx", sheet(bare), settings(false)).await;
    assert_eq!((documents(&source, &read), read.said().len()), (Vec::new(), 2));
}

#[tokio::test]
async fn prepared_rows_and_rows_of_sums_keep_no_document_back() {
    let head: &[&str] = &[
        "Document Type *",
        "Document Number *",
        "Document Date *",
        "Product Description",
        "HSN Code *",
        "Unit",
        "Quantity *",
        "Unit Price *",
        "Taxable value *",
        "GST Rate (%) *",
    ];
    let item: &[&str] = &["INV", "A/1", "05/11/2026", "Valve", "8481", "NOS", "=2", "=10", "=20", "=18"];
    for below in [
        ["", "", "", "", "", "NOS", "", "", "", "=18"],
        ["", "", "", "", "", "NOS", "=0", "=0", "=0", "=18"],
        ["", "", "", "", "", "", "", "#N/A", "#N/A", ""],
        ["", "", "", "Total (Rs.)", "", "", "=2", "=10", "=20", ""],
        ["", "", "", "G. Total", "", "", "=2", "", "=20", ""],
        ["", "", "", "Total for November", "", "", "=2", "", "=20", ""],
        ["Total", "", "", "", "", "", "=2", "=10", "=20", ""],
        ["", "", "", "E. & O. E.", "", "", "", "", "", ""],
    ] {
        for carry_down in [false, true] {
            let rows: &[&[&str]] = &[head, item, &below];
            let (source, read) = read_file("a.xlsx", sheet(rows), json!({"carry_down": carry_down})).await;
            let found = (documents(&source, &read), read.said());
            assert_eq!(found, (vec![("A/1".to_owned(), 1)], Vec::new()), "{below:?}, {carry_down}");
        }
    }
    // Goods of such a name are goods.
    for below in [
        ["", "", "", "Total station", "", "", "=1", "=10", "=10", "=18"],
        ["", "", "", "Total", "", "NOS", "=1", "=10", "=10", ""],
    ] {
        let rows: &[&[&str]] = &[head, item, &below];
        let (source, read) = read_file("a.xlsx", sheet(rows), json!({})).await;
        let is_refused = documents(&source, &read).is_empty();
        assert_eq!(is_refused, below[3] == "Total station", "{below:?}: {:?}", read.said());
    }
}

#[tokio::test]
async fn a_blank_that_means_a_default_fits_no_other_document_of_its_number() {
    let row = |kind: &'static str, number: &'static str| {
        [kind, number, "05/11/2026", "Valve", "8481", "=2", "=10", "=20", "=18"]
    };
    let rows = [row("", "5"), row("INV", "6"), row("CRN", "5")];
    let rows: Vec<&[&str]> = std::iter::once(HEAD).chain(rows.iter().map(<[&str; 9]>::as_slice)).collect();
    let typ = json!({"from": ["Document Type", "Document Type *"], "default": "INV"});
    let settings = json!({"mapping": {"set": {"DocDtls.Typ": typ}}});
    let (source, read) = read_file("a.xlsx", sheet(&rows), settings).await;
    let found = documents(&source, &read);
    assert_eq!(found, [("5".to_owned(), 1), ("6".to_owned(), 1), ("5".to_owned(), 1)], "{:?}", read.said());
}

#[tokio::test]
async fn a_scattered_row_that_leaves_the_type_blank_goes_to_the_only_document_of_its_number() {
    let row = |kind: &'static str, number: &'static str| {
        [kind, number, "05/11/2026", "Valve", "8481", "=2", "=10", "=20", "=18"]
    };
    let said = async |rows: &[[&str; 9]]| {
        let rows: Vec<&[&str]> = std::iter::once(HEAD).chain(rows.iter().map(<[&str; 9]>::as_slice)).collect();
        let (source, read) = read_file("a.xlsx", sheet(&rows), json!({})).await;
        (documents(&source, &read), read.said())
    };
    let (found, problems) = said(&[row("INV", "A/1"), row("INV", "A/2"), row("", "a/1")]).await;
    assert_eq!((found, problems), (vec![("A/2".to_owned(), 1), ("A/1".to_owned(), 2)], Vec::new()));
    // Before it as well, and with no row between.
    let (found, problems) = said(&[row("", "A/1"), row("INV", "A/1")]).await;
    assert_eq!((found, problems), (vec![("A/1".to_owned(), 2)], Vec::new()));
    // An invoice and a credit note of that number: nobody can tell whose row it is.
    let (found, problems) =
        said(&[row("INV", "A/1"), row("CRN", "A/1"), row("INV", "A/2"), row("", "A/1"), row("INV", "A/3")]).await;
    assert_eq!(found, [("A/2".to_owned(), 1), ("A/3".to_owned(), 1)]);
    let reason = "the document is not read: row 5 has its number, leaves a column blank that tells documents of one number apart, and may belong to it";
    assert_eq!(problems, [2, 3, 5].map(|row| format!("a.xlsx, row {row}: {reason}")),);
}

#[tokio::test]
async fn merged_numbers_of_open_document_and_of_pages_count_for_all_their_rows() {
    let page = "<table><tr><td>Document Type<td>Document Number<td>HSN Code<td>Taxable value</tr>\
        <tr><td rowspan=2>INV<td rowspan=2>A/1<td>8481<td rowspan=2>10</tr><tr><td>8482</tr>\
        <tr><td>INV<td>A/2<td>8483<td>10</tr></table>";
    let excel_2003 = "<?xml version=\"1.0\"?><Workbook xmlns:ss=\"x\"><Worksheet ss:Name=\"S\"><Table>\
        <Row><Cell><Data>Document Type</Data></Cell><Cell><Data>Document Number</Data></Cell><Cell><Data>HSN Code</Data></Cell></Row>\
        <Row ss:Index=\"4\"><Cell ss:MergeDown=\"1\"><Data>INV</Data></Cell><Cell ss:MergeDown=\"1\"><Data>A/1</Data></Cell><Cell><Data>8481</Data></Cell></Row>\
        <Row><Cell ss:Index=\"3\"><Data>8482</Data></Cell></Row>\
        <Row><Cell><Data>INV</Data></Cell><Cell><Data>A/2</Data></Cell><Cell><Data>8483</Data></Cell></Row></Table></Worksheet></Workbook>";
    let cell = |text: &str| {
        format!("<table:table-cell office:value-type=\"string\"><text:p>{text}</text:p></table:table-cell>")
    };
    let spanned =
        |text: &str| cell(text).replacen("<table:table-cell ", "<table:table-cell table:number-rows-spanned=\"2\" ", 1);
    let covered = |many: u32| format!("<table:covered-table-cell table:number-columns-repeated=\"{many}\"/>");
    let lines = [
        ["Document Type", "Document Number", "HSN Code"].map(cell).concat(),
        [spanned("INV"), spanned("A/1"), cell("8481")].concat(),
        [covered(2), cell("8482")].concat(),
        ["INV", "A/2", "8483"].map(cell).concat(),
    ];
    let gap = "<table:table-row table:number-rows-repeated=\"3\"><table:table-cell/></table:table-row>";
    let [head, rest @ ..] = lines.map(|cells| format!("<table:table-row>{cells}</table:table-row>"));
    let content = format!(
        "<?xml version=\"1.0\"?><office:document-content xmlns:office=\"urn:oasis:names:tc:opendocument:xmlns:office:1.0\" \
         xmlns:table=\"urn:oasis:names:tc:opendocument:xmlns:table:1.0\" xmlns:text=\"urn:oasis:names:tc:opendocument:xmlns:text:1.0\">\
         <office:body><office:spreadsheet><table:table table:name=\"S\">{head}{gap}{}</table:table></office:spreadsheet></office:body>\
         </office:document-content>",
        rest.concat()
    );
    let ods = einvoice_spreadsheet::testing::ods_of(content.as_bytes()).unwrap();
    for (name, content) in [("a.xls", page.as_bytes().to_vec()), ("b.xls", excel_2003.into()), ("c.ods", ods)] {
        let (source, read) = read_file(name, content, json!({})).await;
        assert_eq!(read.said(), [""; 0], "{name}");
        assert_eq!(documents(&source, &read), [("A/1".to_owned(), 2), ("A/2".to_owned(), 1)], "{name}");
        let first = document(&source, &read.records[0]);
        // An amount is never doubled.
        let amounts: Vec<bool> = first.invoice.item_list.iter().map(|item| item.ass_amt.as_ref().is_some()).collect();
        assert!(!amounts[1], "{name}");
    }
}

const RATE_HEAD: [&str; 4] = ["Document Type", "Document Number", "HSN Code", "Cess Rate (%)"];

fn percentage_in_ods(rate: &str) -> Vec<u8> {
    let text = |text: &str| {
        format!("<table:table-cell office:value-type=\"string\"><text:p>{text}</text:p></table:table-cell>")
    };
    let rate = format!(
        "<table:table-cell office:value-type=\"percentage\" office:value=\"{rate}\"><text:p>x</text:p></table:table-cell>"
    );
    let rows = [RATE_HEAD.map(text).concat(), ["INV", "A/1", "8481"].map(text).concat() + &rate];
    let rows = rows.map(|cells| format!("<table:table-row>{cells}</table:table-row>")).concat();
    let content = format!(
        "<office:document-content xmlns:office=\"o\" xmlns:table=\"t\" xmlns:text=\"x\"><office:body><office:spreadsheet>\
         <table:table table:name=\"S\">{rows}</table:table></office:spreadsheet></office:body></office:document-content>"
    );
    einvoice_spreadsheet::testing::ods_of(content.as_bytes()).unwrap()
}

fn number_in_xml(rate: &str) -> Vec<u8> {
    let cell = |text: &str| format!("<Cell><Data ss:Type=\"String\">{text}</Data></Cell>");
    let rate = format!("<Cell><Data ss:Type=\"Number\">{rate}</Data></Cell>");
    let rows = [RATE_HEAD.map(cell).concat(), ["INV", "A/1", "8481"].map(cell).concat() + &rate];
    let rows = rows.map(|cells| format!("<Row>{cells}</Row>")).concat();
    format!("<?xml version=\"1.0\"?><Workbook><Worksheet ss:Name=\"S\"><Table>{rows}</Table></Worksheet></Workbook>")
        .into_bytes()
}

/// A workbook of Open Document says which cells show their number by the hundred; an old one does not.
#[tokio::test]
async fn a_cess_rate_that_may_mean_two_things_is_refused_where_its_format_is_not_known() {
    let contents =
        |format: &str, rate: &str| if format == "ods" { percentage_in_ods(rate) } else { number_in_xml(rate) };
    for (format, rate, expected, unclear) in [
        ("ods", "0.12", "12", false),
        ("xls", "12", "12", false),
        ("xls", "0.12", "\"0.12% or 12%\"", true),
        ("xls", "2.9", "\"2.9% or 290%\"", true),
    ] {
        let (source, read) = read_file(&format!("a.{format}"), contents(format, rate), json!({})).await;
        let mapped = document(&source, &read.records[0]);
        let invoice: serde_json::Value = serde_json::from_str(&mapped.invoice.to_json()).unwrap();
        assert_eq!(invoice["ItemList"][0]["CesRt"].to_string(), expected, "{format} {rate}");
        let told =
            mapped.findings.iter().any(|finding| finding.rule == "spreadsheet.rate_unclear" && finding.is_error());
        assert_eq!(told, unclear, "{format} {rate}");
    }
}

#[tokio::test]
async fn a_rate_is_what_its_cell_shows() {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    let rows: &[&[&str]] = &[
        &["Document Type", "Document Number", "HSN Code", "Taxable value", "GST Rate (%)", "Cess Rate (%)", "Discount"],
        &["INV", "A/1", "8481", "=100", "18 %", "=0.5", ""],
        &["INV", "A/2", "8481", "=100", "=18", "", "10%"],
        &["INV", "A/3", "8481", "=100"],
        &["INV", "A/4", "8481", "=100"],
        &["INV", "A/5", "8481", "=100", "=0.18"],
    ];
    fill(sheet, rows);
    let percent = |format: &str| Format::new().set_num_format(format);
    sheet.write_number_with_format(3, 4, 0.18, &percent("0%")).unwrap();
    sheet.write_number_with_format(3, 5, 0.12, &percent("0.00%")).unwrap();
    sheet.write_number_with_format(4, 4, 0.0025, &percent("0.00 %")).unwrap();
    sheet.write_number_with_format(4, 6, 0.1, &percent("0%")).unwrap();
    // A sign in quotes is only shown: the number is as it stands.
    sheet.write_number_with_format(4, 5, 12, &percent("0\"%\"")).unwrap();
    let book = workbook.save_to_buffer().unwrap();
    let (source, read) = read_file("a.xlsx", book, json!({})).await;
    assert_eq!(read.said(), [""; 0]);
    let shown = |at: usize| {
        let mapped = document(&source, &read.records[at]);
        let invoice: serde_json::Value = serde_json::from_str(&mapped.invoice.to_json()).unwrap();
        ["GstRt", "CesRt", "Discount"].map(|member| invoice["ItemList"][0][member].to_string())
    };
    assert_eq!(shown(0), ["18", "0.5", "null"]);
    // A part of the price is no amount: it stays as it stands, which the rules refuse.
    assert_eq!(shown(1), ["18", "null", "\"10%\""]);
    assert_eq!(shown(2), ["18", "12", "null"]);
    assert_eq!(shown(3), ["0.25", "12", "\"10%\""]);
    assert_eq!(shown(4), ["0.18", "null", "null"]);
    let hint = document(&source, &read.records[4]).findings;
    let hint = hint.iter().find(|finding| finding.rule == "spreadsheet.rate_as_fraction").unwrap();
    assert!(hint.is_error() && hint.path == "ItemList[0].GstRt", "{hint}");
    assert_eq!(hint.expected.as_deref(), Some("18, where 18 % is meant"));
}
