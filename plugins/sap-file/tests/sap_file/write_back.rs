//! Files of results, as a program in SAP reads them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use einvoice_core::date::PortalTime;
use einvoice_core::finding::Finding;
use einvoice_core::irn::{Irn, IrnRule};
use einvoice_core::key::DocumentKey;
use einvoice_core::ledger::LedgerId;
use einvoice_core::operation::{EwayBill, Registration, RegistrationStatus};
use einvoice_core::receipt::Receipt;
use einvoice_core::registry::read_settings;
use einvoice_core::source::SourceRef;
use einvoice_core::state::{DocumentState, EwbState};
use einvoice_core::write_back::{Delivery, WriteBack};
use einvoice_sap_file::SapFileWriteBack;
use einvoice_testkit::small_disk::SmallDisk;
use serde_json::{Value, json};

use crate::folder::Folder;

fn target(folder: &Folder, settings: Value) -> Arc<dyn WriteBack> {
    let context = folder.context();
    Arc::new(SapFileWriteBack::new(&context, read_settings(&context, settings).unwrap()).unwrap())
}

fn receipt(file: &str, document: u32, revision: u32, state: DocumentState) -> Receipt {
    let key: DocumentKey = format!("29AAKCD4821F1ZM/2026-27/INV/S/{document}").parse().unwrap();
    let irn = Irn::compute(&key, IrnRule::UpperCase);
    let bill = EwayBill {
        number: "331000000001".into(),
        date: PortalTime::parse("2026-11-05 12:00:00").ok(),
        valid_till: None,
    };
    let registered = matches!(state, DocumentState::Registered | DocumentState::Cancelled);
    let registration = registered.then(|| Registration {
        ack_no: format!("1126100000{document:05}"),
        ack_date: PortalTime::parse("2026-11-05 11:10:07").unwrap(),
        irn,
        status: RegistrationStatus::Active,
        signed_invoice: Some("i".repeat(700)),
        signed_qr: Some("q".repeat(600)),
        ewb: Some(bill),
        remarks: None,
        info: Vec::new(),
        site: None,
    });
    let finding =
        Finding::error("mapping.hsn", "ItemList[0].HsnCd", "HSN is missing").with_code("2176").with_fix("Fill it.");
    let keys = [
        ("MANDT", "100"),
        ("DOCNUM", "0000000000180001"),
        ("SNDPOR", "SAPPRD"),
        ("SNDPRT", "LS"),
        ("SNDPRN", "PRDCLNT100"),
        ("RCVPOR", "EINV"),
        ("RCVPRN", "EINVOICE"),
        ("BUKRS", "1000"),
        ("DOCNO", "0090000001"),
        ("FKART", "F2"),
        ("GJAHR", "2026"),
        ("ODN", "S/1"),
        ("ODN_DATE", "05/11/2026"),
    ];
    Receipt {
        ledger: Some(LedgerId("books".to_owned())),
        reference_id: i64::from(document),
        revision,
        source: "sap".into(),
        reference: SourceRef {
            location: file.into(),
            position: format!("document {document}, line 1"),
            record_id: key.to_string(),
        },
        attributes: keys
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect::<BTreeMap<_, _>>(),
        label: format!("INV S/{document} of 05/11/2026"),
        key: Some(key),
        irn: Some(irn),
        state,
        ewb_state: EwbState::None,
        registration,
        proof: None,
        ewb: None,
        cancellation: None,
        findings: if registered { Vec::new() } else { vec![finding] },
    }
}

async fn done(target: &Arc<dyn WriteBack>, receipts: &[Receipt]) {
    for delivery in target.deliver(receipts).await.unwrap() {
        assert_eq!(delivery, Delivery::Done);
    }
}

const ALL: [&str; 5] = ["response", "invrefnum", "invrefnum_csv", "portal", "status"];

#[tokio::test]
async fn every_form_of_result_is_written_beside_the_request_under_a_response_name() {
    let folder = Folder::new();
    let target = target(&folder, json!({ "results": ALL, "chunk": 255 }));
    let receipts = [
        receipt("in/INV1_P.idoc", 1, 1, DocumentState::Registered),
        receipt("in/INV1_P.idoc", 2, 1, DocumentState::Invalid),
        receipt("in/INV1_P.idoc", 3, 1, DocumentState::Unknown),
    ];
    done(&target, &receipts).await;
    let names: Vec<String> = folder.names().into_iter().filter(|name| !name.starts_with("state/")).collect();
    assert_eq!(
        names,
        ["INV1_INVREFNUM_R.csv", "INV1_INVREFNUM_R.json", "INV1_PORTAL_R.json", "INV1_R.json", "INV1_STATUS_R.xml"]
    );
    let read = |name: &str| fs::read_to_string(folder.inbox().join(name)).unwrap();
    let response: Value = serde_json::from_str(&read("INV1_R.json")).unwrap();
    assert_eq!(response[0]["document_status"], "IRN_GENERATED");
    assert_eq!(
        (&response[0]["govt_response"]["AckNo"], &response[0]["errors"]),
        (&json!(112_610_000_000_001_u64), &Value::Null)
    );
    assert_eq!(
        (&response[1]["govt_response"], &response[1]["errors"][0]["error_code"]),
        (&Value::Null, &json!("2176"))
    );
    assert_eq!(response[0]["govt_response"]["SignedQRCode_03"].as_str().map(str::len), Some(90));
    let portal: Value = serde_json::from_str(&read("INV1_PORTAL_R.json")).unwrap();
    assert_eq!((portal.as_array().map(Vec::len), &portal[0]["EwbNo"]), (Some(1), &json!(331_000_000_001_u64)));
    let rows: Value = serde_json::from_str(&read("INV1_INVREFNUM_R.json")).unwrap();
    for (column, wanted) in [
        ("BUKRS", json!("1000")),
        ("DOC_YEAR", json!("2026")),
        ("ODN_DATE", json!("20261105")),
        ("ACK_DATE", json!("2026-11-05 11:10:07")),
        ("ACK_DAY", json!("20261105")),
        ("ACK_TIME", json!("111007")),
        ("IRN_STATUS", json!("ACT")),
        ("ERNAM", json!("EINVOICE")),
        ("ERDAT", json!("20261105")),
        ("ERZET", json!("120000")),
        ("EBILLNO", json!(331_000_000_001_u64)),
    ] {
        assert_eq!(rows[0][column], wanted, "{column}");
    }
    let states: Vec<&Value> = (0..3).map(|row| &rows[row]["IRN_STATUS"]).collect();
    assert_eq!(states, ["ACT", "ERR", "PND"]);
    assert_eq!((&rows[1]["IRN"], &rows[1]["ERROR_CODE"]), (&json!(""), &json!("2176")));
    let csv = read("INV1_INVREFNUM_R.csv");
    let lines: Vec<&str> = csv.split("\r\n").collect();
    assert!(
        lines[0].starts_with("BUKRS;DOCNO;DOC_YEAR;")
            && lines[0].ends_with("SIGNED_QRCODE_01;SIGNED_QRCODE_02;SIGNED_QRCODE_03")
    );
    assert!(lines[1].ends_with(&format!("{0};{0};{1}", "q".repeat(255), "q".repeat(90))) && lines.len() == 5);
    insta::assert_snapshot!(read("INV1_STATUS_R.xml"));
}

#[tokio::test]
async fn numbers_are_written_as_the_reader_can_hold_them() {
    for (form, ack, text) in [
        ("number", json!(112_610_000_000_001_u64), Value::Null),
        ("text", json!("112610000000001"), Value::Null),
        ("both", json!(112_610_000_000_001_u64), json!("112610000000001")),
    ] {
        let folder = Folder::new();
        let target = target(&folder, json!({ "numbers": form }));
        done(&target, &[receipt("in/a.json", 1, 1, DocumentState::Registered)]).await;
        let response: Value = serde_json::from_slice(&fs::read(folder.inbox().join("a_R.json")).unwrap()).unwrap();
        let answer = &response[0]["govt_response"];
        assert_eq!((&answer["AckNo"], &answer["AckNo_TEXT"]), (&ack, &text), "{form}");
    }
}

#[tokio::test]
async fn a_file_that_was_not_written_here_is_never_replaced() {
    let folder = Folder::new().with("a_R.json", "somebody's own");
    let target = target(&folder, json!({}));
    let deliveries = target.deliver(&[receipt("in/a.json", 1, 1, DocumentState::Registered)]).await.unwrap();
    assert!(
        matches!(&deliveries[0], Delivery::Failed { reason } if reason.contains("a_R.json") && reason.contains("move it away"))
    );
    assert_eq!(fs::read_to_string(folder.inbox().join("a_R.json")).unwrap(), "somebody's own");
}

#[tokio::test]
async fn a_result_that_was_lost_or_cut_off_before_it_was_whole_is_made_again() {
    let folder = Folder::new();
    let target = target(&folder, json!({ "results": ALL }));
    let receipts = [receipt("in/a.json", 1, 1, DocumentState::Registered)];
    done(&target, &receipts).await;
    let whole = fs::read(folder.inbox().join("a_R.json")).unwrap();
    fs::remove_file(folder.inbox().join("a_INVREFNUM_R.csv")).unwrap();
    fs::write(folder.inbox().join("a_R.json"), "[").unwrap();
    done(&target, &receipts).await;
    assert_eq!(fs::read(folder.inbox().join("a_R.json")).unwrap(), whole);
    assert!(folder.inbox().join("a_INVREFNUM_R.csv").exists());
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_said_and_the_result_comes_once_it_can() {
    let folder = Folder::new();
    fs::write(folder.root().join("out"), "a file in the way").unwrap();
    let target = target(&folder, json!({ "folder": "out" }));
    let receipts = [receipt("in/a.json", 1, 1, DocumentState::Registered)];
    let deliveries = target.deliver(&receipts).await.unwrap();
    assert!(
        matches!(&deliveries[0], Delivery::Failed { reason } if reason.contains("a_R") && reason.contains("tried again"))
    );
    fs::remove_file(folder.root().join("out")).unwrap();
    done(&target, &receipts).await;
    assert!(folder.root().join("out/a_R.json").exists());
}

#[tokio::test]
async fn many_answers_go_to_several_files_and_a_folder_may_be_named() {
    let folder = Folder::new();
    let target = target(&folder, json!({ "documents_max": 2, "folder": "out", "results": ["invrefnum"] }));
    let receipts: Vec<Receipt> =
        (1..=5).map(|number| receipt("in/day.idoc", number, 1, DocumentState::Registered)).collect();
    done(&target, &receipts).await;
    let count = |name: &str| {
        let rows: Value = serde_json::from_slice(&fs::read(folder.root().join("out").join(name)).unwrap()).unwrap();
        rows.as_array().map(Vec::len)
    };
    assert_eq!(
        ["day_INVREFNUM_R.json", "day_INVREFNUM_R_2.json", "day_INVREFNUM_R_3.json"].map(count),
        [Some(2), Some(2), Some(1)]
    );
}

#[tokio::test]
async fn a_document_that_was_edited_takes_the_place_of_the_one_before() {
    let folder = Folder::new();
    let target = target(&folder, json!({}));
    done(&target, &[receipt("in/a.json", 1, 1, DocumentState::Invalid)]).await;
    let mut edited = receipt("in/a.json", 1, 1, DocumentState::Registered);
    edited.reference.record_id = "another".into();
    done(&target, &[edited.clone()]).await;
    let response: Value = serde_json::from_slice(&fs::read(folder.inbox().join("a_R.json")).unwrap()).unwrap();
    assert_eq!(
        (response.as_array().map(Vec::len), &response[0]["document_status"]),
        (Some(1), &json!("IRN_GENERATED"))
    );
    let read = target.read_back(&[edited.reference]).await.unwrap();
    assert_eq!(read[0].as_ref().unwrap()["status"], "ACT");
}

#[test]
fn settings_that_make_no_sense_are_refused_by_their_key() {
    let folder = Folder::new();
    let context = folder.context();
    for (settings, key) in [
        (json!({ "response_suffix": "" }), "response_suffix"),
        (json!({ "response_suffix": "_P" }), "response_suffix"),
        (json!({ "results": [] }), "results"),
        (json!({ "documents_max": 0 }), "documents_max"),
        (json!({ "chunk": 10 }), "chunk"),
        (json!({ "separator": "x" }), "separator"),
    ] {
        let error =
            SapFileWriteBack::new(&context, read_settings(&context, settings).unwrap()).unwrap_err().to_string();
        assert!(error.contains(&format!("key `{key}`")), "{error}");
    }
    for (settings, key) in [
        (json!({ "mapping": { "set": { "DocDtls.No": "E1EDK02.belnr" } } }), "mapping"),
        (json!({ "mapping": { "set": { "DocDtls.No": "@buyer.number" } } }), "mapping"),
        (json!({ "csv": { "mapping": { "set": { "DocDtls.Number": "X" } } } }), "csv.mapping"),
        (json!({ "keys": { "X": "nothing" } }), "keys"),
        (json!({ "definitions": ["absent.xml"] }), "definitions"),
        (json!({ "settle_ms": 700_000 }), "settle_ms"),
        (json!({ "conditions": { "currency_units": { "JPY": 150 } } }), "conditions.currency_units"),
    ] {
        let mut all = json!({ "path": "in" });
        for (key, value) in settings.as_object().unwrap() {
            all[key] = value.clone();
        }
        let config = read_settings(&context, all).unwrap();
        let error = einvoice_sap_file::SapFileSource::new(&context, config).unwrap_err().to_string();
        assert!(error.contains(&format!("key `{key}`")), "{error}");
    }
}

#[tokio::test]
async fn a_full_disk_at_write_back_is_said_and_the_answer_comes_once_there_is_room() {
    let folder = Folder::new();
    fs::create_dir(folder.root().join("out")).unwrap();
    let Some(disk) = SmallDisk::at(&folder.root().join("out")) else { return };
    let target = target(&folder, json!({ "folder": "out", "results": ["response", "invrefnum_csv"] }));
    done(&target, &[receipt("in/INV1_P.idoc", 1, 1, DocumentState::Unknown)]).await;
    let out = |name: &str| folder.root().join("out").join(name);
    let before = fs::read(out("INV1_R.json")).unwrap();
    let filler = disk.fill();
    let answer = receipt("in/INV1_P.idoc", 1, 2, DocumentState::Registered);
    for _ in 0..2 {
        let deliveries = target.deliver(std::slice::from_ref(&answer)).await.unwrap();
        let [Delivery::Failed { reason }] = deliveries.as_slice() else { panic!("{deliveries:?}") };
        let shown = Path::new("out").join("INV1_R").display().to_string();
        for word in [shown.as_str(), "No space left", "tried again"] {
            assert!(reason.contains(word), "{reason}");
        }
        assert_eq!(fs::read(out("INV1_R.json")).unwrap(), before, "what was there stays whole");
    }
    let left: Vec<_> = fs::read_dir(folder.root().join("out")).unwrap().map(|it| it.unwrap().file_name()).collect();
    assert_eq!(left.len(), 4, "no half file stays: {left:?}");
    fs::remove_file(filler).unwrap();
    done(&target, &[answer]).await;
    let response: Value = serde_json::from_slice(&fs::read(out("INV1_R.json")).unwrap()).unwrap();
    assert_eq!(
        (response.as_array().map(Vec::len), &response[0]["document_status"]),
        (Some(1), &json!("IRN_GENERATED"))
    );
}

#[tokio::test]
async fn an_answer_to_a_later_file_of_a_name_survives_a_change_of_an_earlier_one() {
    let folder = Folder::new();
    let target = target(&folder, json!({}));
    let at_first_place = |document: u32, revision: u32, state: DocumentState| {
        let mut receipt = receipt("in/today.idoc", document, revision, state);
        receipt.reference.position = "document 1, line 1".into();
        receipt
    };
    let statuses = || {
        let response: Value = serde_json::from_slice(&fs::read(folder.inbox().join("today_R.json")).unwrap()).unwrap();
        let all = response.as_array().unwrap().iter();
        all.map(|one| format!("{} {}", one["document"], one["document_status"])).collect::<Vec<_>>()
    };
    done(&target, &[at_first_place(1, 1, DocumentState::Registered)]).await;
    done(&target, &[at_first_place(2, 1, DocumentState::Registered)]).await;
    assert_eq!(statuses(), [r#""INV S/2 of 05/11/2026" "IRN_GENERATED""#], "the file was written anew");
    done(&target, &[at_first_place(1, 2, DocumentState::Cancelled)]).await;
    assert!(statuses().contains(&r#""INV S/2 of 05/11/2026" "IRN_GENERATED""#.to_owned()), "{:?}", statuses());
    assert_eq!(statuses().len(), 2);
}

#[tokio::test]
async fn requests_whose_answers_share_a_file_are_all_answered_in_it() {
    for (files, folder_setting, result) in [
        (["in/1000/INV1.idoc", "in/2000/INV1.idoc"], json!({ "folder": "out" }), "out/INV1_R.json"),
        (["in/INV1.idoc", "in/INV1.json"], json!({}), "in/INV1_R.json"),
    ] {
        let folder = Folder::new();
        let target = target(&folder, folder_setting);
        let answers = |number: u32, file: &str, revision: u32, state: DocumentState| {
            let mut receipt = receipt(file, number, revision, state);
            receipt.reference.position = "document 1, line 1".into();
            receipt
        };
        let both =
            [answers(1, files[0], 1, DocumentState::Registered), answers(2, files[1], 1, DocumentState::Registered)];
        for receipt in &both {
            done(&target, std::slice::from_ref(receipt)).await;
        }
        // The second document in the first request too, and a later change of it in the other.
        let mut again = answers(2, files[0], 1, DocumentState::Registered);
        again.reference.position = "document 2, line 9".into();
        done(&target, &[again]).await;
        done(&target, &[answers(2, files[1], 2, DocumentState::Cancelled)]).await;
        let response: Value = serde_json::from_slice(&fs::read(folder.root().join(result)).unwrap()).unwrap();
        let statuses: Vec<_> = response
            .as_array()
            .unwrap()
            .iter()
            .map(|one| format!("{} {}", one["document"], one["document_status"]))
            .collect();
        let documents = |number: u32, status: &str| format!("\"INV S/{number} of 05/11/2026\" \"{status}\"");
        assert_eq!(statuses.len(), 3, "{statuses:?}");
        for wanted in [documents(1, "IRN_GENERATED"), documents(2, "IRN_GENERATED"), documents(2, "IRN_CANCELLED")] {
            assert!(statuses.contains(&wanted), "{wanted}: {statuses:?}");
        }
        let references = [both[0].reference.clone(), both[1].reference.clone()];
        let read = target.read_back(&references).await.unwrap();
        let status = |at: usize| read[at].as_ref().map(|fields| fields["status"].clone());
        assert_eq!((status(0).as_deref(), status(1).as_deref()), (Some("ACT"), Some("CNL")));
    }
}
