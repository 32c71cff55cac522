//! Response files: form, merging, names, and what is never overwritten.

use std::collections::BTreeMap;
use std::fs;

use crate::folder::Folder;
use einvoice_core::ewb::{Birth, CancelReason, Movement, Standing};
use einvoice_core::finding::Finding;
use einvoice_core::identifier::Gstin;
use einvoice_core::irn::Irn;
use einvoice_core::job::Cancellation;
use einvoice_core::ledger::LedgerId;
use einvoice_core::operation::{EwayBill, Registration, RegistrationStatus};
use einvoice_core::receipt::Receipt;
use einvoice_core::registry::{BuildContext, Registry};
use einvoice_core::source::SourceRef;
use einvoice_core::state::{DocumentState, EwbState};
use einvoice_core::write_back::{Delivery, WriteBack};
use einvoice_json_file::JsonFileWriteBack;
use einvoice_testkit::small_disk::SmallDisk;
use serde_json::{Value, json};

/// A receipt for a document of `in/x_P.json` that is registered from revision 2 on.
fn receipt(document: u64, revision: u32) -> Receipt {
    let irn: Irn = "5f".repeat(32).parse().unwrap();
    let registration = Registration {
        ack_no: "112610000000001".to_owned(),
        ack_date: "2026-11-05 11:10:00".parse().unwrap(),
        irn,
        status: RegistrationStatus::Active,
        signed_invoice: Some("header.invoice.signature".to_owned()),
        signed_qr: Some("header.qr.signature".to_owned()),
        ewb: Some(EwayBill {
            number: "331000000001".to_owned(),
            date: Some("2026-11-05 11:10:00".parse().unwrap()),
            valid_till: None,
        }),
        remarks: None,
        info: Vec::new(),
        site: None,
    };
    let registered = revision > 1;
    Receipt {
        ledger: Some(LedgerId("books".to_owned())),
        reference_id: i64::try_from(document).unwrap(),
        revision,
        source: "billing".to_owned(),
        reference: SourceRef {
            location: "in/x_P.json".to_owned(),
            position: format!("document {document} (line {document}, column 1)"),
            record_id: format!("record-{document}"),
        },
        attributes: BTreeMap::from([("doc_no".to_owned(), format!("A/{document}"))]),
        label: format!("INV A/{document}"),
        key: None,
        irn: Some(irn),
        state: if registered { DocumentState::Registered } else { DocumentState::Invalid },
        ewb_state: EwbState::None,
        registration: registered.then_some(registration),
        proof: None,
        ewb: None,
        cancellation: None,
        findings: vec![
            Finding::error("totals.ass_val", "ValDtls.AssVal", "the total is not the sum").with_code("2182"),
            Finding::warning("schema.unknown", "Extra", "not sent"),
        ],
    }
}

fn target(folder: &Folder, settings: Value) -> JsonFileWriteBack {
    let context = folder.context();
    JsonFileWriteBack::new(&context, einvoice_core::registry::read_settings(&context, settings).unwrap())
}

async fn deliver(target: &JsonFileWriteBack, receipts: &[Receipt]) {
    let deliveries = target.deliver(receipts).await.unwrap();
    assert!(deliveries.iter().all(|delivery| *delivery == Delivery::Done), "{deliveries:?}");
    assert_eq!(deliveries.len(), receipts.len());
}

fn answers(folder: &Folder, name: &str) -> Vec<Value> {
    serde_json::from_slice(&fs::read(folder.inbox().join(name)).unwrap()).unwrap()
}

fn documents(answers: &[Value]) -> Vec<(u64, u64)> {
    let number = |answer: &Value, member: &str| answer["Reference"][member].as_u64().unwrap();
    answers.iter().map(|answer| (number(answer, "Document"), number(answer, "Revision"))).collect()
}

#[tokio::test]
async fn an_answer_has_the_portals_bulk_form() {
    let folder = Folder::new();
    let target = target(&folder, json!({}));
    deliver(&target, &[receipt(1, 2), receipt(2, 1)]).await;
    let found = answers(&folder, "x_R.json");
    let registered = &found[0];
    assert_eq!(registered["DocNo"], "A/1");
    assert_eq!(registered["document_status"], "IRN_GENERATED");
    assert_eq!(registered["AckNo"], 112_610_000_000_001_u64);
    assert_eq!(registered["AckDt"], "2026-11-05 11:10:00");
    assert_eq!(registered["Irn"], "5f".repeat(32));
    assert_eq!(registered["SignedQRCode"], "header.qr.signature");
    assert_eq!(registered["Status"], "ACT");
    assert_eq!(registered["EwbNo"], 331_000_000_001_u64);
    assert_eq!(registered["EwbValidTill"], Value::Null);
    let invalid = &found[1];
    assert_eq!(invalid["document_status"], "INVALID");
    assert_eq!(invalid["Irn"], Value::Null, "an IRN that was only computed is no registration");
    assert_eq!(invalid["errors"][0]["code"], "2182");
    assert_eq!(invalid["errors"].as_array().unwrap().len(), 1);
    assert_eq!(invalid["warnings"][0]["code"], "schema.unknown");
}

/// A bill that was made after the registration, and stands otherwise than the reply said.
fn standing(state: EwbState) -> Standing {
    let maker = Gstin::parse("29AAKCD4821F1ZM").unwrap();
    let mut standing = Standing::new("331000000009".parse().unwrap(), Birth::Irn, maker, state);
    standing.made_at = Some("2026-11-06 09:00:00".parse().unwrap());
    standing.valid_till = Some("2026-11-07 23:59:00".parse().unwrap());
    let vehicle = Some("KA01AB1234".to_owned());
    standing.movement = Some(Movement { vehicle, ..Movement::default() });
    standing
}

#[tokio::test]
async fn a_bill_is_shown_as_it_stands_and_not_as_the_registration_had_it() {
    let folder = Folder::new();
    let target = target(&folder, json!({}));
    let mut changed = receipt(1, 2);
    changed.ewb = Some(standing(EwbState::Active));
    deliver(&target, &[changed.clone(), receipt(2, 2)]).await;
    let found = answers(&folder, "x_R.json");
    assert_eq!(found[0]["EwbNo"], 331_000_000_009_u64);
    assert_eq!(found[0]["EwbDt"], "2026-11-06 09:00:00");
    assert_eq!(found[0]["EwbValidTill"], "2026-11-07 23:59:00");
    assert_eq!((&found[0]["EwbStatus"], &found[0]["VehNo"]), (&json!("active"), &json!("KA01AB1234")));
    assert_eq!((&found[1]["EwbNo"], &found[1]["EwbStatus"]), (&json!(331_000_000_001_u64), &Value::Null));
    let read = target.read_back(&[changed.reference]).await.unwrap();
    let read = read[0].as_ref().unwrap();
    assert_eq!((read["ewb_no"].as_str(), read["ewb_vehicle"].as_str()), ("331000000009", "KA01AB1234"));
    assert_eq!(read["ewb_state"], "active");
}

#[tokio::test]
async fn a_cancellation_is_shown_with_day_reason_and_remark() {
    let folder = Folder::new();
    let mut cancelled = receipt(1, 3);
    cancelled.state = DocumentState::Cancelled;
    cancelled.cancellation = Some(Cancellation {
        at: Some("2026-11-05 18:00:00".parse().unwrap()),
        reason: Some(CancelReason::OrderCancelled),
        remark: Some("Order 12 withdrawn".to_owned()),
    });
    let mut elsewhere = receipt(2, 3);
    elsewhere.state = DocumentState::Cancelled;
    elsewhere.cancellation = Some(Cancellation { at: None, reason: None, remark: None });
    deliver(&target(&folder, json!({})), &[cancelled, elsewhere]).await;
    let found = answers(&folder, "x_R.json");
    assert_eq!((&found[0]["Status"], &found[0]["CancelDate"]), (&json!("CNL"), &json!("2026-11-05 18:00:00")));
    assert_eq!((&found[0]["CnlRsn"], &found[0]["CnlRem"]), (&json!("3"), &json!("Order 12 withdrawn")));
    assert_eq!((&found[1]["Status"], &found[1]["CnlRsn"]), (&json!("CNL"), &Value::Null));
}

#[tokio::test]
async fn qr_pictures_stand_beside_the_response_and_hold_the_signed_text() {
    let folder = Folder::new();
    let target = target(&folder, json!({ "qr": "png" }));
    let mut registered = receipt(1, 2);
    registered.key = Some("29AAKCD4821F1ZM/2026-27/INV/A/1".parse().unwrap());
    deliver(&target, &[registered.clone(), receipt(2, 1)]).await;
    let found = answers(&folder, "x_R.json");
    assert_eq!(found[0]["QrFile"], "qr/29AAKCD4821F1ZM-2026-27-INV-A_1.png");
    assert_eq!(found[1].get("QrFile"), None, "an invalid document has no code");
    let path = folder.inbox().join("qr/29AAKCD4821F1ZM-2026-27-INV-A_1.png");
    let picture = fs::read(&path).unwrap();
    assert_eq!(einvoice_core::qr::decode_png(&picture).unwrap(), "header.qr.signature");
    let modified = fs::metadata(&path).unwrap().modified().unwrap();
    deliver(&target, &[registered]).await;
    assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), modified);
}

#[tokio::test]
async fn a_qr_picture_can_be_an_svg() {
    let folder = Folder::new();
    let mut registered = receipt(1, 2);
    registered.key = Some("29AAKCD4821F1ZM/2026-27/INV/A/1".parse().unwrap());
    deliver(&target(&folder, json!({ "qr": "svg" })), &[registered]).await;
    let picture = fs::read_to_string(folder.inbox().join("qr/29AAKCD4821F1ZM-2026-27-INV-A_1.svg")).unwrap();
    assert_eq!(picture, einvoice_core::qr::svg("header.qr.signature").unwrap());
}

#[tokio::test]
async fn numbers_are_text_when_configured() {
    let folder = Folder::new();
    deliver(&target(&folder, json!({ "numbers_as_text": true })), &[receipt(1, 2)]).await;
    assert_eq!(answers(&folder, "x_R.json")[0]["AckNo"], "112610000000001");
}

#[tokio::test]
async fn answers_are_merged_in_the_order_of_the_request() {
    let folder = Folder::new();
    let target = target(&folder, json!({}));
    deliver(&target, &[receipt(5, 1), receipt(2, 1)]).await;
    deliver(&target, &[receipt(3, 1), receipt(1, 2), receipt(5, 2), receipt(7, 1)]).await;
    assert_eq!(documents(&answers(&folder, "x_R.json")), [(1, 2), (2, 1), (3, 1), (5, 2), (7, 1)]);
}

#[tokio::test]
async fn the_same_receipts_again_leave_the_file_byte_for_byte_as_it_is() {
    let folder = Folder::new();
    let target = target(&folder, json!({}));
    deliver(&target, &[receipt(1, 2), receipt(2, 1)]).await;
    let path = folder.inbox().join("x_R.json");
    let (bytes, modified) = (fs::read(&path).unwrap(), fs::metadata(&path).unwrap().modified().unwrap());
    deliver(&target, &[receipt(2, 1), receipt(1, 2)]).await;
    deliver(&target, &[receipt(1, 1)]).await;
    assert_eq!(fs::read(&path).unwrap(), bytes);
    assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), modified);
    assert_eq!(folder.names(), ["x_R.json"], "no temporary file is left");
}

#[tokio::test]
async fn within_one_delivery_the_latest_revision_counts_whatever_the_order() {
    let folder = Folder::new();
    deliver(&target(&folder, json!({})), &[receipt(1, 2), receipt(1, 1)]).await;
    assert_eq!(documents(&answers(&folder, "x_R.json")), [(1, 2)]);
}

#[tokio::test]
async fn another_record_at_the_same_number_replaces_the_one_that_was_edited_away() {
    let folder = Folder::new();
    let target = target(&folder, json!({}));
    deliver(&target, &[receipt(1, 1), receipt(2, 2)]).await;
    let mut edited = receipt(2, 1);
    edited.reference.record_id = "an-earlier-name".to_owned();
    deliver(&target, &[edited]).await;
    let found = answers(&folder, "x_R.json");
    assert_eq!(documents(&found), [(1, 1), (2, 1)]);
    assert_eq!(found[1]["Reference"]["Record"], "an-earlier-name");
}

/// `x.json`, `x.xml` and `x_P.json` are all answered by `x_R.json`.
#[tokio::test]
async fn requests_that_share_a_response_keep_their_answers() {
    let folder = Folder::new();
    let target = target(&folder, json!({}));
    let at = |name: &str, record: &str, revision| {
        let mut receipt = receipt(1, revision);
        receipt.reference.location = format!("in/{name}");
        receipt.reference.record_id = record.to_owned();
        receipt
    };
    deliver(&target, &[at("x.json", "one", 1), at("x.xml", "two", 1)]).await;
    deliver(&target, &[at("x_P.json", "three", 1), at("x.json", "one", 2)]).await;
    let found = answers(&folder, "x_R.json");
    let records: Vec<_> = found.iter().map(|answer| answer["Reference"]["Record"].as_str().unwrap()).collect();
    assert_eq!(records, ["one", "three", "two"]);
    assert_eq!(found[0]["Reference"]["Revision"], 2);
}

#[tokio::test]
async fn requests_of_lines_are_answered_in_lines_and_long_ones_in_parts() {
    let folder = Folder::new();
    let target = target(&folder, json!({ "documents_max": 2, "folder": "out" }));
    let receipts: Vec<_> = (1..=3)
        .map(|document| {
            let mut receipt = receipt(document, 1);
            receipt.reference.location = "in/day.jsonl".to_owned();
            receipt
        })
        .collect();
    deliver(&target, &receipts[1..]).await;
    deliver(&target, &receipts).await;
    let lines = |name: &str| fs::read_to_string(folder.root().join("out").join(name)).unwrap().lines().count();
    assert_eq!((lines("day_R.jsonl"), lines("day_R_2.jsonl")), (2, 1));
}

#[tokio::test]
async fn records_without_numbers_stand_side_by_side() {
    let folder = Folder::new();
    let target = target(&folder, json!({}));
    for record in ["b", "a", "c"] {
        let mut receipt = receipt(1, 1);
        receipt.reference.position = "voucher".to_owned();
        receipt.reference.record_id = record.to_owned();
        deliver(&target, &[receipt]).await;
    }
    assert_eq!(answers(&folder, "x_R.json").len(), 3);
}

#[tokio::test]
async fn a_file_of_somebody_else_is_never_overwritten() {
    let folder = Folder::new();
    let target = target(&folder, json!({}));
    for foreign in ["[{\"mine\":1}]", "not json", "[{}"] {
        folder.write("x_R.json", foreign.as_bytes());
        let mut elsewhere = receipt(1, 1);
        elsewhere.reference.location = "in/y.json".to_owned();
        let deliveries = target.deliver(&[receipt(1, 1), elsewhere]).await.unwrap();
        let [Delivery::Failed { reason }, Delivery::Done] = deliveries.as_slice() else { panic!("{deliveries:?}") };
        assert!(reason.contains("x_R.json") && reason.contains("move it away"), "{reason}");
        assert_eq!(fs::read_to_string(folder.inbox().join("x_R.json")).unwrap(), foreign);
    }
}

#[tokio::test]
async fn what_was_written_is_read_back() {
    let folder = Folder::new();
    let target = target(&folder, json!({}));
    deliver(&target, &[receipt(1, 1), receipt(2, 2)]).await;
    let references = [receipt(2, 2).reference, receipt(9, 1).reference, receipt(1, 1).reference];
    let found = target.read_back(&references).await.unwrap();
    assert_eq!(found[0].as_ref().unwrap()["irn"], "5f".repeat(32));
    assert_eq!(found[0].as_ref().unwrap()["ack_no"], "112610000000001");
    assert_eq!(found[1], None);
    assert_eq!(found[2].as_ref().unwrap().get("irn"), None);
}

#[tokio::test]
async fn the_examples_build_and_wrong_settings_name_their_key() {
    let folder = Folder::new();
    let registry = Registry::linked(Vec::new()).unwrap();
    let settings = |example: &str| {
        let mut tables: BTreeMap<String, Vec<serde_json::Map<String, Value>>> = toml::from_str(example).unwrap();
        let mut settings = tables.pop_first().unwrap().1.remove(0);
        settings.remove("name");
        assert_eq!(settings.remove("plugin").unwrap(), "json-file");
        Value::from(settings)
    };
    let context = || -> BuildContext { folder.context() };
    let source = registry.sources.find("json-file", &[]).unwrap();
    (source.build)(context(), settings(source.example)).await.unwrap();
    let write_back = registry.write_backs.find("json-file", &[]).unwrap();
    (write_back.build)(context(), settings(write_back.example)).await.unwrap();
    for (wrong, key) in [
        (json!({}), "path"),
        (json!({ "path": "" }), "path"),
        (json!({ "path": "in/[*.json" }), "path"),
        (json!({ "path": "in", "settle_ms": 600_001 }), "settle_ms"),
        (json!({ "path": "in", "response_suffix": "" }), "response_suffix"),
        (json!({ "path": "in", "trigger_suffix": "/" }), "trigger_suffix"),
        (json!({ "path": "in", "encoding": "latin" }), "encoding"),
        (json!({ "path": "in", "unknown": 1 }), "unknown"),
    ] {
        let error = (source.build)(context(), wrong).await.unwrap_err().to_string();
        assert!(error.contains(key), "{key}: {error}");
    }
    for (wrong, key) in
        [(json!({ "response_suffix": "_P" }), "response_suffix"), (json!({ "documents_max": 0 }), "documents_max")]
    {
        let error = (write_back.build)(context(), wrong).await.unwrap_err().to_string();
        assert!(error.contains(key), "{key}: {error}");
    }
}

#[tokio::test]
async fn a_file_from_before_ledgers_were_told_apart_is_answered_anew_by_another_registration_alone() {
    for numbers_as_text in [false, true] {
        let folder = Folder::new();
        let target = target(&folder, json!({ "numbers_as_text": numbers_as_text }));
        deliver(&target, &[receipt(1, 3)]).await;
        let path = folder.inbox().join("x_R.json");
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains("\"Ledger\":\"books\","), "{text}");
        fs::write(&path, text.replace("\"Ledger\":\"books\",", "")).unwrap();
        deliver(&target, &[receipt(1, 2)]).await;
        assert_eq!(documents(&answers(&folder, "x_R.json")), [(1, 3)]);
        let mut other = receipt(1, 2);
        other.registration.as_mut().unwrap().ack_no = "112610000000077".to_owned();
        deliver(&target, &[other]).await;
        assert_eq!(documents(&answers(&folder, "x_R.json")), [(1, 2)]);
        assert!(fs::read_to_string(&path).unwrap().contains("112610000000077"));
    }
}

#[tokio::test]
async fn a_full_disk_is_said_and_the_answer_comes_once_there_is_room() {
    let folder = Folder::new();
    fs::create_dir(folder.root().join("out")).unwrap();
    let Some(disk) = SmallDisk::at(&folder.root().join("out")) else { return };
    let target = target(&folder, json!({ "folder": "out" }));
    deliver(&target, &[receipt(1, 1)]).await;
    let path = folder.root().join("out/x_R.json");
    let before = fs::read(&path).unwrap();
    let filler = disk.fill();
    for _ in 0..2 {
        let deliveries = target.deliver(&[receipt(1, 2), receipt(2, 2)]).await.unwrap();
        assert_eq!(deliveries.len(), 2);
        for delivery in deliveries {
            let Delivery::Failed { reason } = delivery else { panic!("{delivery:?}") };
            for word in [path.to_str().unwrap(), "No space left", "tried again"] {
                assert!(reason.contains(word), "{reason}");
            }
        }
        assert_eq!(fs::read(&path).unwrap(), before, "what was there stays whole");
    }
    assert_eq!(fs::read_dir(folder.root().join("out")).unwrap().count(), 2, "no half file stays");
    fs::remove_file(filler).unwrap();
    deliver(&target, &[receipt(1, 2), receipt(2, 2)]).await;
    let found: Vec<Value> = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    assert_eq!(documents(&found), [(1, 2), (2, 2)]);
}
