//! Results in the vouchers of a running Tally: what is sent, what is believed, and what stops it.

use std::path::Path;

use einvoice_core::date::PortalTime;
use einvoice_core::ewb::CancelReason;
use einvoice_core::job::Cancellation;
use einvoice_core::operation::EwayBill;
use einvoice_core::receipt::Receipt;
use einvoice_core::source::SourceRef;
use einvoice_core::state::{DocumentState, EwbState};
use einvoice_core::write_back::{Delivery, WriteBack};
use einvoice_tally::TallyLiveWriteBack;
use einvoice_tally::config::TallyWriteBackConfig;
use einvoice_testkit::tally_stand_in::{Asked, Mishap, TallyStandIn};
use serde_json::json;

use crate::live::{COMPANY, day_book, settings, tally};
use crate::write_back;

const GUID: &str = "7b1f0c52-3d94-4b0e-9a61-2f5be0c4d871-00001069";
const ID: u64 = 4201;

fn target(tally: &TallyStandIn, folder: &Path, more: serde_json::Value) -> TallyLiveWriteBack {
    let config: TallyWriteBackConfig = serde_json::from_value(settings(tally, more)).unwrap();
    TallyLiveWriteBack::new(folder, "books", &config).unwrap()
}

/// A receipt of the voucher 4201 (or of those after it) as the source would have described it.
fn receipt(tally: &TallyStandIn, number: u64, state: DocumentState) -> Receipt {
    let mut receipt = write_back::receipt(i64::try_from(number).unwrap(), 1, state);
    let id = ID + number - 1;
    let guid = format!("{}{id:08x}", GUID.get(..37).unwrap());
    let field = |name: &str| tally.field(id, name).unwrap_or_default();
    receipt.attributes = [
        ("master_id", id.to_string()),
        ("guid", guid.clone()),
        ("alter_id", field("ALTERID")),
        ("voucher_type", field("VOUCHERTYPENAME")),
        ("voucher_date", "02/11/2026".to_owned()),
        ("number", field("VOUCHERNUMBER")),
        ("company", COMPANY.to_owned()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect();
    receipt.reference =
        SourceRef { location: COMPANY.to_owned(), position: format!("Master ID {id}"), record_id: guid };
    receipt
}

async fn one(target: &TallyLiveWriteBack, receipt: &Receipt) -> Delivery {
    target.deliver(std::slice::from_ref(receipt)).await.unwrap().remove(0)
}

async fn failure(target: &TallyLiveWriteBack, receipt: &Receipt) -> String {
    match one(target, receipt).await {
        Delivery::Failed { reason } => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_registration_stands_in_the_voucher_and_is_read_back_and_sent_once() {
    for charset in ["utf8", "utf16"] {
        let (tally, folder) = (tally(), tempfile::tempdir().unwrap());
        let target = target(&tally, folder.path(), json!({ "charset": charset }));
        let receipt = receipt(&tally, 1, DocumentState::Registered);
        let before = tally.vouchers();
        assert_eq!(one(&target, &receipt).await, Delivery::Done);
        assert_eq!(tally.take_log(), [Asked::Companies, Asked::Object, Asked::Import, Asked::Object]);
        let irn = receipt.irn.unwrap().to_string();
        let qr = receipt.registration.as_ref().unwrap().signed_qr.clone().unwrap();
        let shown = |name: &str| tally.field(ID, name).unwrap();
        assert_eq!((shown("IRN"), shown("IRNQRCODE")), (irn.clone(), qr));
        assert_eq!((shown("IRNACKNO"), shown("IRNACKDATE")), ("112610000000001".to_owned(), "20261122".to_owned()));
        let after = tally.vouchers();
        let changed: Vec<_> = after.keys().filter(|guid| before.get(*guid) != after.get(*guid)).collect();
        assert_eq!(changed, [GUID], "no other voucher is touched, and none is new");
        assert_eq!(one(&target, &receipt).await, Delivery::Done);
        assert_eq!(tally.take_log(), [Asked::Companies, Asked::Object], "what is there is not sent again");
        let other =
            SourceRef { record_id: format!("{}ffffffff", GUID.get(..37).unwrap()), ..receipt.reference.clone() };
        let read = target.read_back(&[receipt.reference.clone(), other]).await.unwrap();
        let [Some(read), None] = read.as_slice() else { panic!("{read:?}") };
        assert_eq!(read.get("irn"), Some(&irn));
        assert_eq!(tally.most_under_way(), 1);
    }
}

#[tokio::test]
async fn a_restarted_program_reads_back_by_the_guid_alone() {
    let (tally, folder) = (tally(), tempfile::tempdir().unwrap());
    let receipt = receipt(&tally, 1, DocumentState::Registered);
    assert_eq!(one(&target(&tally, folder.path(), json!({})), &receipt).await, Delivery::Done);
    let again = target(&tally, folder.path(), json!({}));
    let read = again.read_back(std::slice::from_ref(&receipt.reference)).await.unwrap();
    assert_eq!(read.first().unwrap().as_ref().unwrap().get("ack_no").unwrap(), "112610000000001");
}

#[tokio::test]
async fn a_field_that_is_ignored_fails_the_delivery_by_its_name_although_tally_says_altered() {
    let (tally, folder) = (tally(), tempfile::tempdir().unwrap());
    let target = target(&tally, folder.path(), json!({}));
    tally.ignore("IRNACKNO");
    let receipt = receipt(&tally, 1, DocumentState::Registered);
    let reason = failure(&target, &receipt).await;
    assert!(reason.contains("IRNACKNO should be \"112610000000001\" and is \"\""), "{reason}");
    assert!(!reason.contains("IRNQRCODE"), "{reason}");
    tally.ignore_nothing();
    assert_eq!(one(&target, &receipt).await, Delivery::Done, "our own change of the voucher is known by its IRN");
}

#[tokio::test]
async fn a_qr_text_that_was_dropped_is_sent_once_more_in_the_order_of_exports() {
    let (tally, folder) = (tally(), tempfile::tempdir().unwrap());
    let target = target(&tally, folder.path(), json!({}));
    tally.be_picky_about_order();
    tally.edit(ID, "CONSIGNEECOUNTRYNAME", "India");
    let receipt = receipt(&tally, 1, DocumentState::Registered);
    assert_eq!(one(&target, &receipt).await, Delivery::Done);
    let imports = tally.take_log().into_iter().filter(|asked| *asked == Asked::Import).count();
    assert_eq!(imports, 2);
    assert!(!tally.field(ID, "IRNQRCODE").unwrap().is_empty());
    // Where that does not help either, the field is named.
    tally.ignore("IRNQRCODE");
    let second = self::receipt(&tally, 2, DocumentState::Registered);
    assert!(failure(&target, &second).await.contains("did not store: IRNQRCODE"));
}

#[tokio::test]
async fn what_does_not_stick_goes_behind_the_narration_or_into_files_where_that_is_configured() {
    let fields = ["IRN", "IRNACKNO", "IRNACKDATE", "IRNQRCODE", "IRNCANCELLED"];
    let (books, folder) = (tally(), tempfile::tempdir().unwrap());
    for field in fields {
        books.ignore(field);
    }
    books.edit(ID, "NARRATION", "by road");
    let into_narration = target(&books, folder.path(), json!({ "fallback": "narration" }));
    assert!(into_narration.capability().note.contains("narration"));
    let first = receipt(&books, 1, DocumentState::Registered);
    assert_eq!(one(&into_narration, &first).await, Delivery::Done);
    let irn = first.irn.unwrap();
    let narration = books.field(ID, "NARRATION").unwrap();
    assert_eq!(narration, format!("by road [IRN {irn}; Ack No 112610000000001; Ack Date 20261122]"));
    books.forget_log();
    assert_eq!(one(&into_narration, &first).await, Delivery::Done);
    assert_eq!(books.take_log(), [Asked::Companies, Asked::Object], "it is there");
    let mut cancelled = receipt(&books, 1, DocumentState::Cancelled);
    cancelled.revision = 2;
    assert_eq!(one(&into_narration, &cancelled).await, Delivery::Done);
    let narration = books.field(ID, "NARRATION").unwrap();
    assert!(narration.starts_with("by road [IRN ") && narration.ends_with("; cancelled]"), "{narration}");
    assert_eq!(narration.matches("[IRN ").count(), 1);

    let into_files = target(&books, folder.path(), json!({ "fallback": "file", "fallback_folder": "results" }));
    assert!(into_files.capability().note.contains("file"));
    let second = receipt(&books, 2, DocumentState::Registered);
    assert_eq!(one(&into_files, &second).await, Delivery::Done);
    let file = std::fs::read_to_string(folder.path().join("results/results-0001.xml")).unwrap();
    assert!(file.contains("TAGVALUE=\"4202\"") && file.contains(&second.irn.unwrap().to_string()));
}

#[tokio::test]
async fn what_is_ignored_goes_into_user_fields_and_is_read_back_from_there() {
    let (tally, folder) = (tally(), tempfile::tempdir().unwrap());
    for field in ["IRN", "IRNACKNO", "IRNACKDATE", "IRNQRCODE", "IRNCANCELLED"] {
        tally.ignore(field);
    }
    let more = json!({ "fallback": "user_fields", "user_fields": {
        "irn": "Einv IRN", "ack_no": "EinvAckNo", "signed_qr": "EinvQr", "cancelled": "Einv_Cancelled",
    }});
    let target = target(&tally, folder.path(), more.clone());
    assert!(target.capability().note.contains("user fields"), "{}", target.capability().note);
    let receipt = receipt(&tally, 1, DocumentState::Registered);
    assert_eq!(one(&target, &receipt).await, Delivery::Done);
    let irn = receipt.irn.unwrap().to_string();
    let voucher = tally.vouchers().remove(GUID).unwrap();
    for wanted in [
        format!(
            "<UDF:EINVIRN.LIST DESC=\"`Einv IRN`\" ISLIST=\"YES\" TYPE=\"String\"><UDF:EINVIRN DESC=\"`Einv IRN`\">{irn}</UDF:EINVIRN></UDF:EINVIRN.LIST>"
        ),
        "<UDF:EINVACKNO DESC=\"`EinvAckNo`\">112610000000001</UDF:EINVACKNO>".to_owned(),
        "<UDF:EINV_CANCELLED DESC=\"`Einv_Cancelled`\">No</UDF:EINV_CANCELLED>".to_owned(),
    ] {
        assert!(voucher.contains(&wanted), "{wanted} in {voucher}");
    }
    assert!(tally.field(ID, "IRN").unwrap_or_default().is_empty());
    // A restarted target finds them, knows its own change by them, and sends nothing.
    tally.forget_log();
    let again = self::target(&tally, folder.path(), more);
    assert_eq!(one(&again, &receipt).await, Delivery::Done);
    assert_eq!(tally.take_log(), [Asked::Companies, Asked::Object]);
    let read = again.read_back(std::slice::from_ref(&receipt.reference)).await.unwrap();
    let read = read.first().unwrap().clone().unwrap();
    assert_eq!((read.get("irn"), read.get("ack_no").map(String::as_str)), (Some(&irn), Some("112610000000001")));
    assert!(read.get("signed_qr").is_some_and(|text| text.len() > 10));
    // A cancellation is another revision, and goes there too.
    let mut cancelled = self::receipt(&tally, 1, DocumentState::Cancelled);
    cancelled.revision = 2;
    assert_eq!(one(&again, &cancelled).await, Delivery::Done);
    assert!(tally.vouchers().remove(GUID).unwrap().contains(">Yes</UDF:EINV_CANCELLED>"));
    // Where the TDL that defines a field is not loaded, that is said with what to do.
    tally.ignore("UDF:EINVQR.LIST");
    let reason = failure(&again, &self::receipt(&tally, 2, DocumentState::Registered)).await;
    assert!(reason.contains("IRN should be") && reason.contains("load the TDL that defines them"), "{reason}");
}

#[tokio::test]
async fn the_narration_is_read_back_where_it_holds_the_registration() {
    let (tally, folder) = (tally(), tempfile::tempdir().unwrap());
    tally.ignore("IRN");
    let target = target(&tally, folder.path(), json!({ "fallback": "narration" }));
    let receipt = receipt(&tally, 1, DocumentState::Registered);
    assert_eq!(one(&target, &receipt).await, Delivery::Done);
    let read = target.read_back(std::slice::from_ref(&receipt.reference)).await.unwrap();
    assert_eq!(read.first().unwrap().as_ref().unwrap().get("irn"), Some(&receipt.irn.unwrap().to_string()));
}

#[tokio::test]
async fn a_second_voucher_is_an_incident_that_stops_the_target_until_a_person_has_cleared_it() {
    let (tally, folder) = (tally(), tempfile::tempdir().unwrap());
    let first = target(&tally, folder.path(), json!({}));
    tally.once(Asked::Import, Mishap::SecondVoucher);
    let receipts = [receipt(&tally, 1, DocumentState::Registered), receipt(&tally, 2, DocumentState::Registered)];
    let deliveries = first.deliver(&receipts).await.unwrap();
    let [Delivery::Failed { reason }, Delivery::Failed { reason: rest }] = deliveries.as_slice() else {
        panic!("{deliveries:?}")
    };
    let second = tally.master_ids().into_iter().max().unwrap();
    let guid = format!("{}{second:08x}", GUID.get(..37).unwrap());
    assert!(reason.contains("second voucher") && reason.contains(&guid), "{reason}");
    assert!(rest.contains("not tried"), "{rest}");
    assert!(tally.field(ID + 1, "IRN").unwrap_or_default().is_empty(), "nothing more was sent");
    // A restart does not forget it.
    let again = target(&tally, folder.path(), json!({}));
    tally.forget_log();
    let error = again.deliver(&receipts).await.unwrap_err().to_string();
    assert!(error.contains(&guid) && error.contains("tally-incident-books.txt"), "{error}");
    assert_eq!(tally.take_log(), [], "Tally is not even asked");
    tally.delete(second);
    std::fs::remove_file(folder.path().join("tally-incident-books.txt")).unwrap();
    assert_eq!(again.deliver(&receipts).await.unwrap(), [Delivery::Done, Delivery::Done]);
    assert!(!tally.master_ids().contains(&second));
}

#[tokio::test]
async fn a_voucher_that_tally_renumbers_is_an_incident_too() {
    let (tally, folder) = (tally(), tempfile::tempdir().unwrap());
    let target = target(&tally, folder.path(), json!({}));
    tally.once(Asked::Import, Mishap::Renumbers);
    let reason = failure(&target, &receipt(&tally, 1, DocumentState::Registered)).await;
    assert!(reason.contains("when it was altered") && reason.contains("renumbering"), "{reason}");
    assert!(folder.path().join("tally-incident-books.txt").exists());
}

#[tokio::test]
async fn behind_a_dialog_a_delivery_is_settled_by_looking_and_never_sent_blindly_again() {
    let (tally, folder) = (tally(), tempfile::tempdir().unwrap());
    let target = target(&tally, folder.path(), json!({ "read_timeout_ms": 300 }));
    let first = receipt(&tally, 1, DocumentState::Registered);
    tally.once(Asked::Import, Mishap::DialogAfterWork);
    let receipts = [first.clone(), receipt(&tally, 2, DocumentState::Registered)];
    let deliveries = target.deliver(&receipts).await.unwrap();
    let [Delivery::Failed { reason }, Delivery::Failed { reason: rest }] = deliveries.as_slice() else {
        panic!("{deliveries:?}")
    };
    assert!(reason.contains("dialog"), "{reason}");
    assert!(rest.contains("not tried"), "{rest}");
    tally.close_dialog();
    tally.forget_log();
    assert_eq!(one(&target, &first).await, Delivery::Done);
    let log = tally.take_log();
    assert_eq!(log.first(), Some(&Asked::Companies), "a small question comes first");
    assert!(!log.contains(&Asked::Import), "the alteration had been done: {log:?}");
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_settled_at_once_by_reading_the_voucher() {
    let (tally, folder) = (tally(), tempfile::tempdir().unwrap());
    let target = target(&tally, folder.path(), json!({}));
    tally.once(Asked::Import, Mishap::BreakOff);
    assert_eq!(one(&target, &receipt(&tally, 1, DocumentState::Registered)).await, Delivery::Done);
    assert_eq!(tally.take_log().into_iter().filter(|asked| *asked == Asked::Import).count(), 1);
}

#[tokio::test]
async fn a_cancellation_is_written_with_day_and_reason_and_no_late_receipt_takes_it_back() {
    let (tally, folder) = (tally(), tempfile::tempdir().unwrap());
    let mut cancelled = receipt(&tally, 1, DocumentState::Cancelled);
    cancelled.revision = 2;
    cancelled.cancellation = Some(Cancellation {
        at: PortalTime::parse("2026-11-23 10:05:00").ok(),
        reason: Some(CancelReason::DataEntryMistake),
        remark: Some("rate <wrong>".to_owned()),
    });
    assert_eq!(one(&target(&tally, folder.path(), json!({})), &cancelled).await, Delivery::Done);
    let shown = |name: &str| tally.field(ID, name).unwrap();
    assert_eq!((shown("IRNCANCELLED"), shown("IRNCANCELDATE")), ("Yes".to_owned(), "20261123".to_owned()));
    assert_eq!(shown("IRNCANCELREASON"), "data entry mistake: rate <wrong>");
    let late = receipt(&tally, 1, DocumentState::Registered);
    assert_eq!(one(&target(&tally, folder.path(), json!({})), &late).await, Delivery::Done);
    assert_eq!(shown("IRNCANCELLED"), "Yes");
}

#[tokio::test]
async fn a_bill_is_put_into_its_list_with_everything_the_list_held() {
    let (tally, folder) = (tally(), tempfile::tempdir().unwrap());
    let list = "<EWAYBILLDETAILS.LIST><SUBTYPE>Old</SUBTYPE><TRANSPORTDETAILS.LIST><DISTANCE>5</DISTANCE></TRANSPORTDETAILS.LIST></EWAYBILLDETAILS.LIST>\
                <EWAYBILLDETAILS.LIST><BILLNUMBER>331000000001</BILLNUMBER><ISCANCELLED>Yes</ISCANCELLED></EWAYBILLDETAILS.LIST></VOUCHER>";
    tally.replace(ID, "</VOUCHER>", list);
    let target = target(&tally, folder.path(), json!({}));
    let mut receipt = receipt(&tally, 1, DocumentState::Registered);
    receipt.ewb_state = EwbState::Active;
    receipt.registration.as_mut().unwrap().ewb = Some(EwayBill {
        number: "331000123456".to_owned(),
        date: PortalTime::parse("2026-11-22 10:15:00").ok(),
        valid_till: PortalTime::parse("2026-11-24 23:59:00").ok(),
    });
    assert_eq!(one(&target, &receipt).await, Delivery::Done);
    let vouchers = tally.vouchers();
    let voucher = vouchers.get(GUID).unwrap();
    for wanted in [
        "<BILLNUMBER>331000123456</BILLNUMBER><VALIDUPTO>20261124</VALIDUPTO>",
        "<TRANSPORTDETAILS.LIST><DISTANCE>5</DISTANCE></TRANSPORTDETAILS.LIST>",
        "<BILLNUMBER>331000000001</BILLNUMBER><ISCANCELLED>Yes</ISCANCELLED>",
    ] {
        assert!(voucher.contains(wanted), "{wanted} in {voucher}");
    }
    tally.forget_log();
    assert_eq!(one(&target, &receipt).await, Delivery::Done);
    assert!(!tally.take_log().contains(&Asked::Import));
}

#[tokio::test]
async fn a_voucher_that_is_not_the_registered_one_is_left_alone_with_the_reason() {
    let (tally, folder) = (tally(), tempfile::tempdir().unwrap());
    let target = target(&tally, folder.path(), json!({}));
    let with = |change: fn(&mut Receipt)| {
        let mut changed = receipt(&tally, 1, DocumentState::Registered);
        change(&mut changed);
        changed
    };
    for (changed, words) in [
        (with(|one| _ = one.attributes.remove("master_id")), "no Master ID"),
        (
            with(|one| _ = one.attributes.insert("master_id".into(), "99999".into())),
            "has no voucher of Master ID 99999",
        ),
        (with(|one| _ = one.attributes.insert("master_id".into(), "4202".into())), "is another voucher in these books"),
        (with(|one| _ = one.attributes.insert("company".into(), "Other".into())), "belongs to the company \"Other\""),
        (with(|one| _ = one.attributes.insert("number".into(), "X/1".into())), "was registered as \"X/1\""),
        (
            with(|one| _ = one.attributes.insert("alter_id".into(), "1".into())),
            "where the source reads exported files, export the day of the voucher again",
        ),
        (
            with(|one| {
                _ = one.attributes.insert("guid".into(), "00000000-3d94-4b0e-9a61-2f5be0c4d871-00001069".into());
            }),
            "other books of the same name",
        ),
    ] {
        let reason = failure(&target, &changed).await;
        assert!(reason.contains(words), "{words}: {reason}");
    }
    assert!(!tally.take_log().contains(&Asked::Import), "nothing was sent");
    tally.edit(ID, "IRN", &"a".repeat(64));
    let reason = failure(&target, &receipt(&tally, 1, DocumentState::Registered)).await;
    assert!(reason.contains("shows another IRN"), "{reason}");
}

#[tokio::test]
async fn a_refusal_is_told_in_tallys_words_and_other_vouchers_are_written() {
    let (tally, folder) = (tally(), tempfile::tempdir().unwrap());
    let target = target(&tally, folder.path(), json!({}));
    tally.once(Asked::Import, Mishap::Refuses("Out of range".to_owned()));
    let receipts = [receipt(&tally, 1, DocumentState::Registered), receipt(&tally, 2, DocumentState::Registered)];
    let deliveries = target.deliver(&receipts).await.unwrap();
    let [Delivery::Failed { reason }, Delivery::Done] = deliveries.as_slice() else { panic!("{deliveries:?}") };
    assert!(reason.contains("Out of range; the date lies outside the books"), "{reason}");
}

#[tokio::test]
async fn another_company_on_the_screen_is_not_written_into_and_a_closed_one_is_named() {
    let (tally, folder) = (tally(), tempfile::tempdir().unwrap());
    tally.open("Somebody Else", &day_book());
    let target = target(&tally, folder.path(), json!({}));
    let receipt = receipt(&tally, 1, DocumentState::Registered);
    assert_eq!(one(&target, &receipt).await, Delivery::Done);
    assert!(!tally.field(ID, "IRN").unwrap().is_empty(), "the first company's voucher shows it");
    tally.close(COMPANY);
    let error = target.deliver(std::slice::from_ref(&receipt)).await.unwrap_err().to_string();
    assert!(error.contains("open: \"Somebody Else\""), "{error}");
}

#[tokio::test]
async fn what_is_not_registered_asks_nothing_of_tally() {
    let (tally, folder) = (tally(), tempfile::tempdir().unwrap());
    let target = target(&tally, folder.path(), json!({}));
    let receipts = [receipt(&tally, 1, DocumentState::Invalid), receipt(&tally, 2, DocumentState::Refused)];
    assert_eq!(target.deliver(&receipts).await.unwrap(), [Delivery::Done, Delivery::Done]);
    assert_eq!(tally.take_log(), []);
}

#[test]
fn settings_that_contradict_each_other_are_refused_by_their_key() {
    let tally = tally();
    let folder = Path::new(".");
    for (more, key) in [
        (json!({ "folder": "x" }), "folder"),
        (json!({ "fallback": "file" }), "fallback_folder"),
        (json!({ "fallback_folder": "x" }), "fallback_folder"),
        (json!({ "fallback": "user_fields" }), "user_fields"),
        (json!({ "user_fields": { "irn": "A" } }), "user_fields"),
        (json!({ "fallback": "user_fields", "user_fields": { "irn": "A<b" } }), "user_fields"),
        (json!({ "fallback": "user_fields", "user_fields": { "irn": "A b", "ack_no": "AB" } }), "user_fields"),
        (json!({ "probe_timeout_ms": 0 }), "probe_timeout_ms"),
    ] {
        let config: TallyWriteBackConfig = serde_json::from_value(settings(&tally, more)).unwrap();
        let text = TallyLiveWriteBack::new(folder, "books", &config).unwrap_err().to_string();
        assert!(text.contains(&format!("`{key}`")), "{text}");
    }
}

#[tokio::test]
async fn the_active_bill_of_another_number_stays_beside_the_new_one() {
    let (tally, folder) = (tally(), tempfile::tempdir().unwrap());
    let other = "<EWAYBILLDETAILS.LIST><BILLNUMBER>331000000001</BILLNUMBER><BILLSTATUS>Generated by others</BILLSTATUS></EWAYBILLDETAILS.LIST>";
    tally.replace(ID, "</VOUCHER>", &format!("{other}</VOUCHER>"));
    let mut receipt = receipt(&tally, 1, DocumentState::Registered);
    receipt.ewb_state = EwbState::Active;
    receipt.registration.as_mut().unwrap().ewb =
        Some(EwayBill { number: "331000123456".to_owned(), date: None, valid_till: None });
    assert_eq!(one(&target(&tally, folder.path(), json!({})), &receipt).await, Delivery::Done);
    let voucher = tally.vouchers().remove(GUID).unwrap();
    assert!(voucher.contains(other) && voucher.contains("<BILLNUMBER>331000123456</BILLNUMBER>"), "{voucher}");
}
