//! Rules of the configuration over what is mapped here.

use einvoice_core::clock::SystemClock;
use einvoice_core::entropy::SystemEntropy;
use einvoice_core::finding::Finding;
use einvoice_core::registry::BuildContext;
use einvoice_core::source::{InvoiceSource, Mapped, SourceRecord};
use einvoice_tally::TallySource;
use serde_json::json;

use crate::common::{config, folder_with, read, source};
use crate::vouchers::{fixture, mapped, valid};

fn batches() -> String {
    let narration = "<NARRATION>Sent by road&#13;&#10;Order K/7</NARRATION><VOUCHERNUMBER>";
    fixture("batches.xml").replacen("<VOUCHERNUMBER>", narration, 1)
}

#[tokio::test]
async fn a_rule_reads_elements_of_the_voucher_and_of_the_line_and_says_so() {
    let before = mapped(&batches(), json!({})).await;
    let rules = json!({ "mapping": { "set": {
        "RefDtls.InvRm": { "from": "V/NARRATION", "steps": ["first_line"] },
        "ItemList.PrdDesc": { "join": ["I/STOCKITEMNAME", "I/BATCHALLOCATIONS.LIST/BATCHNAME"], "with": ", batch " },
        "BuyerDtls.TrdNm": { "document": "BuyerDtls.LglNm" },
    }}});
    let document = mapped(&batches(), rules).await;
    let origin = |path: &str| document.provenance.get(path).map(String::as_str);
    assert_eq!(origin("RefDtls.InvRm"), Some("V/NARRATION"));
    assert_eq!(origin("ItemList[0].PrdDesc"), Some("I/STOCKITEMNAME and I/BATCHALLOCATIONS.LIST/BATCHNAME"));
    assert_eq!(origin("ItemList[0].HsnCd"), before.provenance.get("ItemList[0].HsnCd").map(String::as_str));
    let (before, after) = (valid(before), valid(document));
    assert_eq!(after["RefDtls"]["InvRm"], "Sent by road");
    assert_eq!(after["BuyerDtls"]["TrdNm"], before["BuyerDtls"]["LglNm"]);
    let (name, batch) = (&before["ItemList"][0]["PrdDesc"], &before["ItemList"][0]["BchDtls"]["Nm"]);
    assert_eq!(
        after["ItemList"][0]["PrdDesc"],
        format!("{}, batch {}", name.as_str().unwrap(), batch.as_str().unwrap())
    );
    assert_eq!(after["ValDtls"], before["ValDtls"]);
}

#[tokio::test]
async fn what_a_rule_sets_is_not_said_to_be_missing() {
    let rules = |finding: &Finding| finding.rule == "tally.hsn_missing";
    let text = fixture("reverse-charge.xml");
    // No masters here, so that nothing gives an HSN.
    let map = async |more: serde_json::Value| {
        let folder = folder_with("voucher.xml", text.as_bytes());
        let mut settings = json!({ "path": "voucher.xml" });
        settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let source = source(folder.path(), settings);
        let record = read(&*source, None).await.records.remove(0);
        match source.map(&record) {
            Mapped::Document(document) => *document,
            other => panic!("{other:?}"),
        }
    };
    assert!(map(json!({})).await.findings.iter().any(rules));
    let own = json!({ "mapping": {
        "set": { "ItemList.HsnCd": { "from": "I/LEDGERNAME", "table": "hsn", "default": "" } },
        "tables": { "hsn": { "Goods transport": "996511" } },
    }});
    let set = map(own).await;
    assert!(!set.findings.iter().any(rules), "{:?}", set.findings);
    assert_eq!(set.invoice.item_list[0].hsn_cd.get().unwrap().to_string(), "996511");
}

#[tokio::test]
async fn a_voucher_is_passed_over_by_a_rule_and_cases_need_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let skip = json!({ "path": "nowhere/*.xml", "mapping": { "skip": [
        { "field": "I/GODOWNNAME", "in": ["On approval"], "reason": "on_approval" },
        { "field": "V/NARRATION", "in": ["job work"], "reason": "job_work" },
    ]}});
    let source = source(folder.path(), skip);
    let text = batches();
    let voucher = &text[text.find("<VOUCHER ").unwrap()..text.find("</VOUCHER>").unwrap()];
    let map = |narration: &str| {
        let content = format!("\n{}</VOUCHER>\n", voucher.replace("Sent by road&#13;&#10;Order K/7", narration));
        source.map(&SourceRecord::of_text("a case", content))
    };
    assert!(matches!(map("Sale"), Mapped::Document(_)));
    match map("JOB WORK") {
        Mapped::Skipped(skip) => {
            assert_eq!((skip.reason.as_str(), skip.label.starts_with("Sales")), ("job_work", true));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_rule_that_has_no_meaning_here_is_refused() {
    let error = |mapping: serde_json::Value| {
        let context = BuildContext::new("tally", ".", SystemClock::shared(), SystemEntropy::shared());
        let config = config(json!({ "path": "*.xml", "mapping": mapping }));
        TallySource::new(context.directory, config).unwrap_err().to_string()
    };
    let seller = error(json!({ "seller": [{ "gstin": "29AAFCL9047G1Z5" }] }));
    assert_eq!(
        seller,
        "tally, key `mapping`: seller: supplier details have a table of their own here: [[source.seller]]"
    );
    assert!(error(json!({ "complete": false })).contains("those of the voucher"));
    assert!(error(json!({ "set": { "DocDtls.Nr": "V/X" } })).contains("INV-01 has no member Nr in DocDtls"));
}
