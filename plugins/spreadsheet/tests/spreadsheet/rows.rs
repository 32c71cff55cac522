//! Which rows make a and which rows must keep one back: no part of a document is ever handed over as the whole.

use einvoice_core::source::InvoiceSource;
use serde_json::json;

use crate::common::{Read, read_file, sheet};

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
