//! Mapping by rules: a table record, a GOBL and a UBL document, six lines each.

use std::hint::black_box;
use std::sync::Arc;

use divan::Bencher;
use einvoice_core::clock::ManualClock;
use einvoice_core::entropy::SystemEntropy;
use einvoice_core::mapping::{Mapping, MappingConfig, Names, TableRecord};
use einvoice_core::registry::{BuildContext, read_settings};
use einvoice_core::source::{InvoiceSource, Mapped, SourceRecord, SourceRef};
use einvoice_json_file::JsonFileSource;
use serde_json::{Value, json};

const LINES: usize = 6;

fn rules() -> MappingConfig {
    serde_json::from_value(json!({
        "set": {
            "TranDtls.SupTyp": {"value": "B2B"}, "DocDtls.Typ": "Type", "DocDtls.No": "Number", "DocDtls.Dt": "Date",
            "SellerDtls.Gstin": "Seller GSTIN", "SellerDtls.LglNm": "Seller", "SellerDtls.Addr1": "Seller address",
            "SellerDtls.Loc": "Seller city", "SellerDtls.Pin": "Seller pin",
            "BuyerDtls.Gstin": "Buyer GSTIN", "BuyerDtls.LglNm": "Buyer", "BuyerDtls.Addr1": "Buyer address",
            "BuyerDtls.Loc": "Buyer city", "BuyerDtls.Pin": "Buyer pin", "BuyerDtls.Pos": "Place of supply",
            "ItemList.PrdDesc": "Item", "ItemList.HsnCd": "HSN", "ItemList.Qty": "Qty",
            "ItemList.Unit": {"from": "Unit", "table": "units", "keep": true},
            "ItemList.UnitPrice": "Rate", "ItemList.TotAmt": {"formula": "Qty * Rate"}, "ItemList.GstRt": "GST %",
        },
        "tables": {"units": {"each": "NOS"}},
    }))
    .unwrap()
}

fn table() -> String {
    let line = json!({"item": "Gate valve 25 mm", "hsn": "84818030", "qty": "10", "unit": "each", "rate": "1,450.50", "gst": "18"});
    let head = json!({
        "type": "Tax Invoice", "number": "KV/107", "date": "05-11-2026",
        "sellergstin": "29AAKCV7711B1Z9", "seller": "Kaveri Valves Private Limited", "selleraddress": "14 Peenya",
        "sellercity": "Bengaluru", "sellerpin": "560058", "buyergstin": "27AABCT4432C1ZQ", "buyer": "Bhima Traders LLP",
        "buyeraddress": "7 Laxmi Road", "buyercity": "Pune", "buyerpin": "411030", "placeofsupply": "Maharashtra",
    });
    json!({"head": head, "lines": vec![line; LINES], "head_at": "row 5", "lines_at": vec!["row 5"; LINES]}).to_string()
}

#[divan::bench]
fn a_table_record_of_six_lines(bencher: Bencher<'_, '_>) {
    let mapping = Mapping::new(&MappingConfig::default(), &rules(), Names::Folded).unwrap();
    let content = table();
    let mapped = mapping.map(&TableRecord::parse(&content).unwrap()).unwrap();
    assert!(mapped.findings.is_empty() && mapped.invoice.item_list.len() == LINES, "{:?}", mapped.findings);
    bencher.bench(|| mapping.map(&TableRecord::parse(black_box(&content)).unwrap()).unwrap());
}

/// The fixture with its first line six times.
fn gobl() -> String {
    let mut document: Value =
        serde_json::from_str(include_str!("../../../plugins/json-file/tests/json_file/samples/gobl.json")).unwrap();
    let line = document["doc"]["lines"][0].clone();
    document["doc"]["lines"] = Value::Array(vec![line; LINES]);
    document.to_string()
}

fn ubl() -> String {
    let text = include_str!("../../../plugins/json-file/tests/json_file/samples/ubl.xml");
    let (start, end) = (text.find("  <cac:InvoiceLine>").unwrap(), text.find("</Invoice>").unwrap());
    format!("{}{}</Invoice>", &text[..start], text[start..end].repeat(LINES))
}

fn of_source(bencher: Bencher<'_, '_>, text: String) {
    let clock = Arc::new(ManualClock::new("2026-11-05T06:30:00Z".parse().unwrap()));
    let context = BuildContext::new("bench", ".", clock, SystemEntropy::shared());
    let settings = read_settings(&context, json!({"path": "."})).unwrap();
    let source = JsonFileSource::new(&context, settings).unwrap();
    let reference = SourceRef { location: "a".into(), position: "document 1".into(), record_id: "a#1".into() };
    let record = SourceRecord { reference, content: text, context: None };
    let Mapped::Document(document) = source.map(&record) else { panic!("the fixture is no document") };
    assert_eq!(document.invoice.item_list.len(), LINES);
    bencher.bench(|| source.map(black_box(&record)));
}

#[divan::bench]
fn a_gobl_document_of_six_lines(bencher: Bencher<'_, '_>) {
    of_source(bencher, gobl());
}

#[divan::bench]
fn a_ubl_document_of_six_lines(bencher: Bencher<'_, '_>) {
    of_source(bencher, ubl());
}
