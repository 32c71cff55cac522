//! Real exports made by others, read in place where they are at hand.

use crate::common::{config, outcome, read, workspace};
use einvoice_core::irn::{Irn, IrnRule};
use einvoice_core::source::{InvoiceSource, Mapped};
use einvoice_tally::TallySource;
use serde_json::json;

const SAMPLES: &str = "../shared/spec/samples/tally";

/// Every sample there is, each the matter of a test below.
const ALL: [&str; 12] = [
    "README.md",
    "collection-export-response-groups.xml",
    "collection-request-vouchers.xml",
    "custom-report-sale-not-native-shape.xml",
    "daybook-einvoiced-sale-with-masters.xml",
    "daybook-payment-utf16le.xml",
    "import-request-sales-purchase-notes.xml",
    "masters-small-utf16le.xml",
    "masters-utf16le-with-ctrl-refs.xml",
    "object-sale-sez-prime71.xml",
    "purchase-order-voucher-utf16le.xml",
    "response-object-not-found.xml",
];

#[test]
fn no_sample_is_left_out() {
    let folder = workspace().join(SAMPLES);
    let Ok(entries) = std::fs::read_dir(&folder) else {
        eprintln!("skipped: {} is not at hand", folder.display());
        return;
    };
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    assert_eq!(names, ALL);
}

/// Reads one sample; `None` where the samples are not at hand.
async fn sample(name: &str, more: serde_json::Value) -> Option<(TallySource, crate::common::Read)> {
    let folder = workspace().join(SAMPLES);
    if !folder.join(name).exists() {
        eprintln!("skipped: {} is not at hand", folder.join(name).display());
        return None;
    }
    let mut settings = json!({ "path": name });
    settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let source = TallySource::new(folder, config(settings)).unwrap();
    let read = read(&source, None).await;
    Some((source, read))
}

fn outcomes(source: &TallySource, read: &crate::common::Read) -> Vec<String> {
    read.records.iter().map(|record| outcome(&source.map(record))).collect()
}

#[tokio::test]
async fn the_registered_sale_maps_to_what_its_signed_qr_says() {
    let seller = json!([{ "gstin": "09AAACU4543P1ZT", "legal_name": "Seller", "address1": "Plot", "location": "Agra", "pin": 282_007 }]);
    let more = json!({ "include_registered": true, "seller": seller });
    let Some((source, read)) = sample("daybook-einvoiced-sale-with-masters.xml", more).await else { return };
    assert_eq!(read.problems, []);
    let documents: Vec<_> = read
        .records
        .iter()
        .filter_map(|record| if let Mapped::Document(document) = source.map(record) { Some(document) } else { None })
        .collect();
    let [sale] = documents.as_slice() else { panic!("{} documents", documents.len()) };
    let errors: Vec<_> = sale.findings.iter().filter(|finding| finding.is_error()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    let invoice = &sale.invoice;
    let totals = &invoice.val_dtls;
    assert_eq!(totals.ass_val.get().unwrap().to_string(), "40755");
    assert_eq!(totals.igst_val.get().unwrap().to_string(), "7335.9");
    assert_eq!(totals.rnd_off_amt.get().unwrap().to_string(), "0.1");
    assert_eq!(totals.tot_inv_val.get().unwrap().to_string(), "48091");
    assert_eq!(invoice.item_list.len(), 2);
    let first = invoice.item_list.first().unwrap();
    assert_eq!(first.hsn_cd.as_ref().unwrap().to_string(), "64062000");
    assert_eq!(
        (first.qty.get().unwrap().to_string(), first.unit.as_ref().unwrap().to_string()),
        ("670".to_owned(), "PRS".to_owned())
    );
    assert_eq!(invoice.buyer_dtls.pin.get().unwrap().to_string(), "122001");
    assert!(invoice.ship_dtls.is_none() && invoice.ewb_dtls.is_none());
    let key = invoice.document_key().unwrap();
    assert_eq!(
        Irn::compute(&key, IrnRule::UpperCase).to_string(),
        "16f6950cf763504ebaecc1dfaf1546b192fa637b45f6d2f642c0c140865e2fc4"
    );
    assert_eq!(sale.attributes.get("master_id").unwrap(), "11544");
    assert_eq!(sale.provenance.get("ItemList[0].HsnCd").unwrap(), "I/GSTHSNNAME");
}

#[tokio::test]
async fn a_registered_sale_is_never_sent_again_and_purchases_are_passed_over() {
    let Some((source, read)) = sample("daybook-einvoiced-sale-with-masters.xml", json!({})).await else { return };
    let reasons: Vec<String> =
        outcomes(&source, &read).iter().map(|line| line.rsplit(' ').next().unwrap().to_owned()).collect();
    assert_eq!(reasons, ["purchase", "purchase", "purchase", "already_registered"]);
}

#[tokio::test]
async fn payments_and_orders_are_passed_over() {
    for name in ["daybook-payment-utf16le.xml", "purchase-order-voucher-utf16le.xml"] {
        let Some((source, read)) = sample(name, json!({})).await else { return };
        assert_eq!(read.problems, [], "{name}");
        let outcomes = outcomes(&source, &read);
        assert!(
            !outcomes.is_empty() && outcomes.iter().all(|line| line.starts_with("skipped")),
            "{name}: {outcomes:?}"
        );
    }
}

#[tokio::test]
async fn masters_and_collections_hold_no_vouchers() {
    for name in
        ["masters-small-utf16le.xml", "masters-utf16le-with-ctrl-refs.xml", "collection-export-response-groups.xml"]
    {
        let Some((_, read)) = sample(name, json!({})).await else { return };
        assert!(read.records.is_empty() && read.problems.is_empty(), "{name}: {:?}", read.problems);
        assert!(read.cursor.is_some());
    }
}

#[tokio::test]
async fn an_object_export_of_a_sale_to_an_sez_is_a_document() {
    let Some((source, read)) = sample("object-sale-sez-prime71.xml", json!({})).await else { return };
    let [record] = read.records.as_slice() else { panic!("{}", read.records.len()) };
    let Mapped::Document(document) = source.map(record) else { panic!("{}", outcome(&source.map(record))) };
    let invoice = &document.invoice;
    assert_eq!(invoice.tran_dtls.sup_typ.get().unwrap().code(), "SEZWP");
    assert_eq!(invoice.val_dtls.tot_inv_val.get().unwrap().to_string(), "177000");
    let item = invoice.item_list.first().unwrap();
    assert_eq!(item.igst_amt.get().unwrap().to_string(), "27000");
    assert_eq!(item.hsn_cd.as_ref().unwrap().to_string(), "8471");
}

#[tokio::test]
async fn an_error_answer_and_a_broken_request_are_problems() {
    let Some((_, read)) = sample("response-object-not-found.xml", json!({})).await else { return };
    let problem = read.problems.first().unwrap();
    assert!(read.records.is_empty());
    assert!(problem.findings.first().unwrap().found.as_ref().unwrap().contains("Could not find Voucher:ID:5023"));
    let Some((_, read)) = sample("collection-request-vouchers.xml", json!({})).await else { return };
    let [problem] = read.problems.as_slice() else { panic!("{:?}", read.problems) };
    let finding = problem.findings.first().unwrap();
    assert!(finding.rule.starts_with("tally.") && read.records.is_empty(), "{finding:?}");
    assert!(finding.message.contains("well-formed") || finding.message.contains("never closed"), "{finding:?}");
}

#[tokio::test]
async fn a_custom_report_is_declared_unsupported() {
    let Some((source, read)) = sample("custom-report-sale-not-native-shape.xml", json!({})).await else { return };
    assert_eq!(outcomes(&source, &read), ["unmappable Sales 1: tally.unsupported_shape"]);
}

#[tokio::test]
async fn another_programs_import_request_is_read_line_by_line() {
    let more = json!({ "default_hsn": "3306", "seller": [{ "gstin": "32AAACV5492Q1ZR" }] });
    let Some((source, read)) = sample("import-request-sales-purchase-notes.xml", more).await else { return };
    assert_eq!(read.problems, []);
    assert_eq!(read.records.len(), 70);
    let outcomes = outcomes(&source, &read);
    let count =
        |start: &str, end: &str| outcomes.iter().filter(|line| line.starts_with(start) && line.ends_with(end)).count();
    assert_eq!(count("skipped Purchase", "purchase"), 28);
    assert_eq!(count("skipped Debit Note", "debit_note_not_to_customer"), 5);
    let first = source.map(read.records.first().unwrap());
    let Mapped::Document(document) = first else { panic!("{}", outcome(&first)) };
    let unexpected: Vec<_> =
        document.findings.iter().filter(|finding| finding.is_error() && !finding.rule.contains("seller")).collect();
    assert!(unexpected.is_empty(), "{unexpected:?}");
    // The discount belongs to the first item by its own allocation, and the tax proves it.
    let item = document.invoice.item_list.first().unwrap();
    assert_eq!(item.discount.get().unwrap().to_string(), "45.6");
    assert_eq!(item.ass_amt.get().unwrap().to_string(), "1474.4");
    assert_eq!(document.invoice.val_dtls.cgst_val.get().unwrap().to_string(), "1092.62");
    assert_eq!(outcomes.iter().filter(|line| line.starts_with("document")).count(), 13);
    // Four of them state a rate on a shipping or service line that their own tax ledger does not bear.
    assert_eq!(outcomes.iter().filter(|line| line.contains("tax_mismatch")).count(), 4);
}
