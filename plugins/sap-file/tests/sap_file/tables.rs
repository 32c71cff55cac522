//! CSV and JSON of a file drop.

use einvoice_core::source::{InvoiceSource, Mapped, MappedDocument};
use serde_json::{Value, json};

use crate::folder::{Folder, document};

const HEAD: &str =
    "DocDtls.Typ;DocDtls.No;FKDAT;STCD3;NAME1;STRAS;ORT01;PSTLZ;BUKRS;VBELN;ARKTX;STEUC;FKIMG;VRKME;NETWR;GstRt";

fn row(number: &str, material: &str, net: &str) -> String {
    let buyer = einvoice_testkit::documents::gstin(27, 2);
    format!(
        "F2;{number};05.11.2026;{buyer};Invented Traders;7 Station Road;Pune;411001;1000;0090000001;{material};84818030;2,000;PCE;{net};18,00"
    )
}

fn seller() -> Value {
    json!({ "seller": [{ "gstin": einvoice_testkit::documents::gstin(29, 1).as_str(), "legal_name": "Invented Valves Private Limited",
        "address1": "Plot 12", "location": "Bengaluru", "pin": 560_058 }], "decimal": "comma" })
}

fn made(invoice: &einvoice_core::document::Invoice) -> Value {
    serde_json::from_str(&invoice.to_json()).unwrap()
}

#[tokio::test]
async fn rows_with_the_names_of_sap_become_a_document_that_passes_the_rules() {
    let text =
        [HEAD.to_owned(), row("A/1", "Valve", "200,00"), row("A/1", "\"Gasket; big\"", "1.000,50-").replace('-', "")]
            .join("\r\n");
    // As it is, with a byte order mark, and with its values filled up with blanks as CHAR fields are.
    let padded = text.replace(';', "   ;").replace("\"Gasket   ; big\"   ", "\"Gasket; big  \"");
    for bytes in [text.clone(), format!("\u{feff}{text}\r\n"), padded] {
        let mapped = document(&Folder::new().with("x.csv", bytes), json!({ "csv": { "mapping": seller() } })).await;
        let shown = made(&mapped.invoice);
        assert_eq!(
            (&shown["DocDtls"]["Dt"], &shown["ItemList"][1]["PrdDesc"]),
            (&json!("05/11/2026"), &json!("Gasket; big"))
        );
        let item = &shown["ItemList"][1];
        assert_eq!((&item["AssAmt"], &item["IgstAmt"], &item["Unit"]), (&json!(1000.5), &json!(180.09), &json!("PCS")));
        assert_eq!(shown["ValDtls"]["TotInvVal"], json!(1416.59));
        let keys = ["BUKRS", "DOCNO", "ODN", "GJAHR"].map(|key| mapped.attributes[key].as_str());
        assert_eq!(keys, ["1000", "0090000001", "A/1", "2026"]);
        assert_eq!(mapped.provenance["ItemList[1].AssAmt"], "column NETWR, line 3");
        let options = einvoice_core::rulebook::CheckOptions::on(einvoice_testkit::invoices::DAY);
        let result = einvoice_core::rulebook::check(mapped.invoice, Vec::new(), &options);
        assert!(result.is_ok(), "{:?}", result.err().map(|rejected| rejected.findings));
    }
}

#[tokio::test]
async fn documents_of_a_csv_file_are_told_apart_and_a_bad_row_spoils_its_own() {
    let short = row("A/2", "Valve", "1,00").replace(";84818030", "");
    let text = [
        HEAD.to_owned(),
        row("A/1", "Valve", "1,00"),
        row("A/2", "x", "1,00"),
        short,
        row("A/4", "y", "1,00"),
        row("A/5", "z", "1,00"),
    ]
    .join("\n");
    let (source, items) = Folder::new().with("x.csv", text).read(json!({ "csv": { "mapping": seller() } })).await;
    let labels: Vec<_> = items
        .records()
        .iter()
        .map(|record| match source.map(record) {
            Mapped::Document(document) => document.invoice.label(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(labels, ["INV A/1 of 05/11/2026", "INV A/5 of 05/11/2026"]);
    let places: Vec<_> = items.problems().iter().map(|problem| problem.findings[0].place.clone().unwrap()).collect();
    assert_eq!(places, ["in/x.csv, line 4", "in/x.csv, line 5"]);
    assert!(items.problems()[0].findings[0].message.contains("15 values for 16 columns"));
}

#[tokio::test]
async fn a_file_of_another_separator_or_without_known_columns_is_refused_whole() {
    let text = [HEAD.to_owned(), row("A/1", "Valve", "1,00")].join("\n");
    let (_, items) = Folder::new().with("x.csv", &text).read(json!({ "csv": { "separator": "|" } })).await;
    assert_eq!((items.rules(), items.records().len()), (vec!["csv.structure".to_owned()], 0));
    let finding = &items.problems()[0].findings[0];
    assert!(finding.found.as_deref().is_some_and(|found| found.contains("separated by `|`")), "{finding:?}");
}

#[tokio::test]
async fn pro_forma_rows_are_passed_over() {
    let text = format!("FKART;{HEAD}\nF8;{}", row("A/1", "Valve", "1,00"));
    let (source, items) = Folder::new().with("x.csv", text).read(json!({})).await;
    assert!(matches!(source.map(items.records()[0]), Mapped::Skipped(skip) if skip.reason == "pro_forma"));
}

#[tokio::test]
async fn json_documents_of_a_list_are_read_one_by_one_with_their_keys() {
    let one = |number: u32| einvoice_testkit::documents::Recipe::numbered(number).json();
    let text =
        format!("[{{\"BUKRS\":\"1000\",\"DOCNO\":\"0090000001\",\"transaction\":{}}},\n{},\n17]", one(1), one(2));
    let (source, items) = Folder::new().with("INV1_P.json", text).read(json!({})).await;
    assert_eq!((items.records().len(), items.rules()), (2, vec!["json.structure".to_owned()]));
    assert_eq!(items.problems()[0].findings[0].place.as_deref(), Some("in/INV1_P.json, line 3"));
    let Mapped::Document(first) = source.map(items.records()[0]) else { panic!() };
    assert_eq!(
        (first.invoice.label().as_str(), first.attributes["DOCNO"].as_str()),
        ("INV T/1 of 05/11/2026", "0090000001")
    );
    assert!(items.records()[1].reference.position.starts_with("document 2, line 2"));
}

#[tokio::test]
async fn rows_that_say_different_things_of_one_document_are_an_error_and_blank_ones_say_nothing() {
    let rows = |second: &str| {
        let second =
            second.replacen("A/1;05.11.2026", "A/1;", usize::from(second.contains("blank"))).replace("blank", "y");
        [HEAD.to_owned(), row("A/1", "Valve", "1,00"), second].join("\n")
    };
    let settings = json!({ "csv": { "mapping": seller() } });
    let differing = row("A/1", "y", "1,00").replace("Pune", "Nashik").replace("05.11.2026", "06.11.2026");
    let told = |mapped: &MappedDocument| -> Vec<String> {
        let findings = mapped.findings.iter().filter(|finding| finding.rule == "csv.rows_differ");
        findings
            .map(|finding| {
                assert!(finding.is_error() && finding.fix.is_some(), "{finding}");
                let of = |text: &Option<String>| text.clone().unwrap_or_default();
                format!(
                    "{}: {}, not {}; {}",
                    finding.path,
                    of(&finding.found),
                    of(&finding.expected),
                    of(&finding.place)
                )
            })
            .collect()
    };
    let mapped = document(&Folder::new().with("x.csv", rows(&differing)), settings.clone()).await;
    assert_eq!(
        told(&mapped),
        [
            "DocDtls.Dt: 06.11.2026, not 05.11.2026; column FKDAT, line 3",
            "BuyerDtls.Loc: Nashik, not Pune; column ORT01, line 3"
        ]
    );
    for second in [row("A/1", "blank", "1,00"), row("A/1", "y", "1,00")] {
        let mapped = document(&Folder::new().with("x.csv", rows(&second)), settings.clone()).await;
        assert_eq!((told(&mapped), mapped.invoice.item_list.len()), (Vec::<String>::new(), 2));
    }
    // What the first row leaves blank and a later one says is said of the document.
    let late =
        [HEAD.to_owned(), row("A/1", "y", "1,00").replace("7 Station Road", ""), row("A/1", "y", "1,00")].join("\n");
    let mapped = document(&Folder::new().with("x.csv", late), settings).await;
    assert_eq!(&**mapped.invoice.buyer_dtls.addr1.as_ref().unwrap(), "7 Station Road");
}

#[tokio::test]
async fn an_item_that_leaves_a_cell_blank_has_not_that_of_the_first_row() {
    let text = [
        format!("{HEAD};ItemDiscount"),
        format!("{};10,00", row("A/1", "Valve", "100,00")),
        format!("{};", row("A/1", "Gasket", "200,00").replace("2,000;PCE", ";")),
    ]
    .join("\n");
    let mapped = document(&Folder::new().with("x.csv", text), json!({ "csv": { "mapping": seller() } })).await;
    let shown = made(&mapped.invoice);
    let of = |at: usize| ["Discount", "Qty", "Unit"].map(|member| shown["ItemList"][at][member].clone());
    assert_eq!(of(0), [json!(10), json!(2), json!("PCS")]);
    assert_eq!(of(1), [Value::Null, Value::Null, Value::Null]);
}

#[tokio::test]
async fn a_json_list_that_was_cut_between_two_documents_is_told_and_what_came_is_read() {
    let one = |number: u32| einvoice_testkit::documents::Recipe::numbered(number).json();
    for cut in [format!("[{},\n{}", one(1), one(2)), format!("[{},\n{},\n", one(1), one(2))] {
        let (_, items) = Folder::new().with("x.json", cut).read(json!({})).await;
        assert_eq!((items.records().len(), items.rules()), (2, vec!["json.structure".to_owned()]));
        let finding = &items.problems()[0].findings[0];
        assert!(finding.message.contains("ends before its list is closed"), "{finding}");
        assert!(finding.place.as_deref().is_some_and(|place| place.starts_with("in/x.json, line ")), "{finding}");
    }
}

/// Its second row is a service, which has neither the quantity nor the unit of the goods before it.
#[tokio::test]
async fn the_rows_of_the_example_make_an_invoice_that_passes_the_rules() {
    let rows = include_str!("../../../../examples/sap-drop/inbox/rows.csv").replace("20.11.2026", "05.11.2026");
    let seller = json!({ "gstin": "29AAFCK4821M1Z5", "legal_name": "Kaveri Looms Private Limited",
        "address1": "14 Weavers Road", "location": "Bengaluru", "pin": 560_022 });
    let settings = json!({ "csv": { "mapping": { "seller": [seller] } } });
    let mapped = document(&Folder::new().with("rows.csv", rows), settings).await;
    let shown = made(&mapped.invoice);
    let of = |at: usize| ["Qty", "Unit", "AssAmt"].map(|member| shown["ItemList"][at][member].clone());
    assert_eq!([of(0), of(1)], [[json!(100), json!("MTR"), json!(14_500)], [Value::Null, Value::Null, json!(500)]]);
    let options = einvoice_core::rulebook::CheckOptions::on(einvoice_testkit::invoices::DAY);
    let result = einvoice_core::rulebook::check(mapped.invoice, mapped.findings, &options);
    assert!(result.is_ok(), "{:?}", result.err().map(|rejected| rejected.findings));
}

/// A row may leave out what the row above said, also in the columns that tell documents apart.
#[tokio::test]
async fn rows_that_leave_the_type_and_the_company_blank_go_on_with_the_document_above() {
    let settings = json!({ "csv": { "mapping": seller() } });
    let first = row("A/1", "Valve", "200,00");
    let buyer = einvoice_testkit::documents::gstin(27, 2).to_string();
    let second = row("A/1", "Nut", "100,00")
        .replace("F2;A/1;05.11.2026", ";A/1;")
        .replace(&buyer, "")
        .replace("Invented Traders;7 Station Road;Pune;411001;1000;0090000001", ";;;;;");
    let text = [HEAD.to_owned(), first.clone(), second.clone()].join("\n");
    let mapped = document(&Folder::new().with("x.csv", text), settings.clone()).await;
    assert_eq!((mapped.invoice.item_list.len(), mapped.invoice.label().as_str()), (2, "INV A/1 of 05/11/2026"));
    // Away from it, or before what they leave out is said, nobody can tell whose they are.
    let other = row("A/2", "Valve", "200,00");
    for rows in [[&first, &other, &second], [&second, &first, &other], [&other, &second, &first]] {
        let text = [HEAD, rows[0], rows[1], rows[2]].join("\n");
        let (source, items) = Folder::new().with("x.csv", text).read(settings.clone()).await;
        let labels: Vec<_> = items
            .records()
            .iter()
            .map(|record| match source.map(record) {
                Mapped::Document(document) => document.invoice.label(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(labels, ["INV A/2 of 05/11/2026"]);
        assert_eq!(items.rules(), ["csv.interleaved", "csv.interleaved"]);
    }
    // A row that says no number at all belongs to nobody.
    let nobody = second.replace(";A/1;", ";;");
    let text = [HEAD, &first, &nobody, &other].join("\n");
    let (_, items) = Folder::new().with("x.csv", text).read(settings).await;
    assert_eq!((items.records().len(), items.rules()), (0, vec!["csv.row".to_owned(), "csv.row".to_owned()]));
}

/// Programs that put texts into quotes and do not double an inch mark at the end of one.
#[tokio::test]
async fn an_inch_mark_that_is_closed_in_a_later_row_makes_no_document_of_two() {
    let settings = json!({ "csv": { "mapping": seller() } });
    let inch = row("A/1", "\"GI PIPE 2\"\"", "200,00");
    let rows = [HEAD, &inch, &row("A/2", "\"ROD\"", "100,00"), &row("A/3", "x", "1,00"), &row("A/4", "x", "1,00")];
    let (source, items) = Folder::new().with("x.csv", rows.join("\n")).read(settings.clone()).await;
    let Mapped::Document(only) = source.map(items.records()[0]) else { panic!() };
    assert_eq!((items.records().len(), only.invoice.label().as_str()), (1, "INV A/4 of 05/11/2026"));
    assert_eq!(items.rules(), ["csv.row", "csv.row"]);
    let finding = &items.problems()[0].findings[0];
    assert_eq!(finding.place.as_deref(), Some("in/x.csv, line 2"));
    assert!(finding.message.contains("a quotation mark is not closed"), "{finding}");
    // In the last column, where it takes the rest of the file in.
    let head = "DocDtls.Typ;DocDtls.No;DocDtls.Dt;ItemList.HsnCd;ItemList.PrdDesc";
    let text = format!("{head}\nINV;A/1;05/11/2026;8481;\"PIPE 2\"\"\nINV;A/2;05/11/2026;8481;ROD\n");
    let (_, items) = Folder::new().with("x.csv", text).read(settings).await;
    assert_eq!((items.records().len(), items.rules()), (0, vec!["csv.row".to_owned()]));
}
