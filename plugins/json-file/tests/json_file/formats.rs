//! GOBL, UBL, any JSON by rules, and rules over INV-01.

use einvoice_core::rulebook::{self, CheckOptions};
use einvoice_core::source::{InvoiceSource, Mapped, MappedDocument};
use jiff::civil::date;
use serde_json::{Value, json};

use crate::folder::{Folder, invoice};

const GOBL: &str = include_str!("samples/gobl.json");
const UBL: &str = include_str!("samples/ubl.xml");

async fn mapped(name: &str, content: &str, settings: Value) -> Vec<Mapped> {
    let folder = Folder::new();
    folder.write(name, content.as_bytes());
    let source = folder.source(settings);
    let items = folder.items(&source).await;
    assert_eq!(items.problems().len(), 0, "{:?}", items.problems());
    let records = items.records();
    // What is mapped from the text alone is what was mapped while it was read.
    let once: Vec<Mapped> = records.iter().map(|record| source.map(record)).collect();
    let again: Vec<Mapped> = records.iter().map(|record| source.map(record)).collect();
    assert_eq!(format!("{once:?}"), format!("{again:?}"));
    once
}

async fn document(name: &str, content: &str, settings: Value) -> MappedDocument {
    match mapped(name, content, settings).await.pop() {
        Some(Mapped::Document(document)) => *document,
        other => panic!("no document: {other:?}"),
    }
}

/// The rules that object, with their paths.
fn objections(document: &MappedDocument) -> Vec<String> {
    let options = CheckOptions::on(date(2026, 11, 5));
    let result = rulebook::check(document.invoice.clone(), document.findings.clone(), &options);
    let findings = match &result {
        Ok(checked) => checked.findings(),
        Err(rejected) => &rejected.findings,
    };
    findings.iter().map(|finding| format!("{} {}", finding.rule, finding.path)).collect()
}

fn amounts(document: &MappedDocument) -> Value {
    let made: Value = serde_json::from_str(&document.invoice.to_json()).unwrap();
    made["ValDtls"].clone()
}

#[tokio::test]
async fn a_gobl_invoice_becomes_a_document_that_every_rule_accepts() {
    let document = document("kv.json", GOBL, json!({})).await;
    assert_eq!(objections(&document), ["mapping.place_of_supply BuyerDtls.Pos"]);
    assert_eq!(document.invoice.label(), "INV KV-0107 of 05/11/2026");
    let item = &document.invoice.item_list[0];
    let shown = (item.unit.as_ref().unwrap().to_string(), item.discount.get().unwrap().paise());
    assert_eq!(shown, ("PCS".to_owned(), 45_000));
    assert_eq!(amounts(&document), json!({"AssVal": 4850, "IgstVal": 873, "TotInvVal": 5723}));
    assert_eq!(document.provenance["ItemList[1].HsnCd"], "lines[1].item.identities[type=HSN].code");
}

#[tokio::test]
async fn a_ubl_invoice_becomes_a_document_that_every_rule_accepts() {
    let document = document("kv.xml", UBL, json!({})).await;
    assert_eq!(objections(&document), Vec::<String>::new());
    let made: Value = serde_json::from_str(&document.invoice.to_json()).unwrap();
    assert_eq!(made["BuyerDtls"]["LglNm"], "Marina Engineering & Co");
    assert_eq!((&made["BuyerDtls"]["Pos"], &made["ShipDtls"]), (&json!("33"), &Value::Null));
    let item = &made["ItemList"][0];
    assert_eq!((&item["UnitPrice"], &item["TotAmt"], &item["Discount"]), (&json!(100), &json!(2000), &json!(100)));
    assert_eq!((&item["IgstAmt"], &item["Unit"], &item["HsnCd"]), (&json!(342), &json!("PCS"), &json!("848410")));
    assert_eq!(made["RefDtls"]["ContrDtls"][0]["PORefr"], "PO-7");
}

#[tokio::test]
async fn any_json_is_mapped_by_rules_and_passed_over_by_rules() {
    let bill = |number: &str, kind: &str| {
        json!({"no": number, "kind": kind, "on": "5-11-2026", "to": {"gst": "27AABCT4432C1ZQ"},
            "rows": [{"code": "8481", "n": 2, "rate": "1,000.50"}]})
    };
    let settings = json!({
        "format": "mapped", "lines": "rows",
        "mapping": {
            "set": {
                "DocDtls.No": "no", "DocDtls.Dt": "on", "DocDtls.Typ": {"value": "INV"}, "TranDtls.SupTyp": {"value": "B2B"},
                "SellerDtls.Gstin": {"value": "29AAKCV7711B1Z9"}, "BuyerDtls.Gstin": "to.gst",
                "ItemList.HsnCd": "code", "ItemList.Qty": "n", "ItemList.UnitPrice": "rate", "ItemList.GstRt": {"value": 18}
            },
            "skip": [{"field": "kind", "in": ["estimate"], "reason": "estimate"}]
        }
    });
    let bills = json!([bill("A/1", "sale"), bill("A/2", "Estimate")]).to_string();
    let mut mapped = mapped("bills.json", &bills, settings).await.into_iter();
    let Some(Mapped::Document(document)) = mapped.next() else { panic!("no document") };
    assert_eq!(amounts(&document), json!({"AssVal": 2001, "IgstVal": 360.18, "TotInvVal": 2361.18}));
    assert_eq!(document.provenance["ItemList[0].UnitPrice"], "rows[0].rate");
    assert!(matches!(mapped.next(), Some(Mapped::Skipped(skip)) if skip.reason == "estimate"));
}

#[tokio::test]
async fn rules_go_over_inv_01_and_leave_the_rest_as_it_stands() {
    let mut text: Value = serde_json::from_str(&invoice("A/1")).unwrap();
    text["Extra"] = json!({"po": "PO 9"});
    let rules = json!({"mapping": {"set": {
        "RefDtls.ContrDtls[0].PORefr": "Extra.po",
        "ItemList.Unit": {"value": "NOS"},
        "SellerDtls.LglNm": {"join": [{"document": "SellerDtls.LglNm"}, {"value": "Limited"}]}
    }}});
    let document = document("a.json", &text.to_string(), rules).await;
    let made: Value = serde_json::from_str(&document.invoice.to_json()).unwrap();
    assert_eq!(made["RefDtls"]["ContrDtls"][0]["PORefr"], "PO 9");
    assert_eq!((&made["ItemList"][0]["Unit"], &made["ItemList"][0]["TotAmt"]), (&json!("NOS"), &Value::Null));
    assert_eq!(made["SellerDtls"]["LglNm"], "Invented Traders Limited");
}

#[tokio::test]
async fn what_is_no_invoice_is_refused_in_words() {
    for (name, content, rule) in [
        ("a.xml", "<Order/>", "ubl.root"),
        ("a.xml", "<Invoice>", "xml.structure"),
        ("a.xml", "", "xml.structure"),
        ("a.json", r#"{"$schema": "https://gobl.org/draft-0/bill/order"}"#, "gobl.schema"),
    ] {
        let folder = Folder::new();
        folder.write(name, content.as_bytes());
        let settings = if name == "a.xml" { json!({"format": "ubl"}) } else { json!({}) };
        let items = folder.items(&folder.source(settings)).await;
        let problems = items.problems();
        let rules: Vec<&str> = problems.iter().map(|problem| &*problem.findings[0].rule).collect();
        assert_eq!(rules, [rule], "{content}");
    }
}
