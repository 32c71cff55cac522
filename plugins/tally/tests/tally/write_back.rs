//! Results as files: what Tally imports, what people read, and that nothing changes by itself.

use std::collections::BTreeMap;
use std::path::Path;

use einvoice_core::date::PortalTime;
use einvoice_core::ewb::{Birth, CancelReason, EwbNumber, Standing};
use einvoice_core::finding::Finding;
use einvoice_core::identifier::Gstin;
use einvoice_core::irn::{Irn, IrnRule};
use einvoice_core::job::Cancellation;
use einvoice_core::key::DocumentKey;
use einvoice_core::ledger::LedgerId;
use einvoice_core::operation::{EwayBill, Registration, RegistrationStatus};
use einvoice_core::receipt::Receipt;
use einvoice_core::source::SourceRef;
use einvoice_core::state::{DocumentState, EwbState};
use einvoice_core::write_back::{Delivery, WriteBack};
use einvoice_tally::TallyWriteBack;
use einvoice_testkit::small_disk::SmallDisk;
use serde_json::json;

fn target(folder: &Path, settings: &serde_json::Value) -> TallyWriteBack {
    let mut all = json!({ "folder": "unused" });
    all.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
    TallyWriteBack::new(folder, &serde_json::from_value(all).unwrap()).unwrap()
}

pub(crate) fn receipt(id: i64, revision: u32, state: DocumentState) -> Receipt {
    let key: DocumentKey = format!("29AAKCD4821F1ZM/2026-27/INV/DV/{id}").parse().unwrap();
    let irn = Irn::compute(&key, IrnRule::UpperCase);
    let registered = matches!(state, DocumentState::Registered | DocumentState::Cancelled);
    let registration = registered.then(|| Registration {
        ack_no: format!("11261000000{id:04}"),
        ack_date: PortalTime::parse("2026-11-22 10:15:00").unwrap(),
        irn,
        status: RegistrationStatus::Active,
        signed_invoice: Some("a.b.c".to_owned()),
        signed_qr: Some(format!("eyJhbGciOiJSUzI1NiJ9.payload-{id}.signature")),
        ewb: None,
        remarks: None,
        info: Vec::new(),
        site: None,
    });
    let attributes = [
        ("master_id", format!("{}", 4000 + id)),
        ("voucher_type", "Tax <Invoice>".to_owned()),
        ("voucher_date", "05/11/2026".to_owned()),
        ("number", format!("DV/{id}")),
        ("cmp_gst_state", "Karnataka".to_owned()),
        ("company", "Deccan & Co".to_owned()),
    ];
    Receipt {
        ledger: Some(LedgerId("books".to_owned())),
        reference_id: id,
        revision,
        source: "daybook".to_owned(),
        reference: SourceRef {
            location: "daybook.xml".to_owned(),
            position: format!("voucher {id}"),
            record_id: format!("guid-{id}"),
        },
        attributes: attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        label: format!("INV DV/{id}"),
        key: Some(key),
        irn: Some(irn),
        state,
        ewb_state: EwbState::None,
        registration,
        proof: None,
        ewb: None,
        cancellation: None,
        findings: Vec::new(),
    }
}

/// Every file below a folder with its content.
fn snapshot(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_string_lossy().replace('\\', "/");
                files.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    files
}

async fn deliver(target: &TallyWriteBack, receipts: &[Receipt]) {
    let deliveries = target.deliver(receipts).await.unwrap();
    assert!(deliveries.iter().all(|delivery| *delivery == Delivery::Done) && deliveries.len() == receipts.len());
}

#[tokio::test]
async fn a_registered_voucher_becomes_the_smallest_alteration() {
    let folder = tempfile::tempdir().unwrap();
    let mut with_bill = receipt(2, 1, DocumentState::Registered);
    with_bill.ewb_state = EwbState::Active;
    with_bill.attributes.insert(
        "eway_bill_details".to_owned(),
        "<SUBTYPE>Old</SUBTYPE><TRANSPORTDETAILS.LIST><DISTANCE>5</DISTANCE></TRANSPORTDETAILS.LIST>".to_owned(),
    );
    with_bill.registration.as_mut().unwrap().ewb = Some(EwayBill {
        number: "331000123456".to_owned(),
        date: PortalTime::parse("2026-11-22 10:15:00").ok(),
        valid_till: PortalTime::parse("2026-11-24 23:59:00").ok(),
    });
    let mut refused = receipt(3, 1, DocumentState::Invalid);
    refused.findings = vec![Finding::error("x.y", "ItemList[0].HsnCd", "wrong").with_fix("=HYPERLINK(1)")];
    refused.attributes.insert("number".to_owned(), "=cmd()".to_owned());
    let receipts =
        [receipt(1, 1, DocumentState::Registered), with_bill, refused, receipt(4, 1, DocumentState::Cancelled)];
    deliver(&target(folder.path(), &json!({})), &receipts).await;
    let files = snapshot(folder.path());
    let text = |name: &str| String::from_utf8(files.get(name).unwrap().clone()).unwrap().replace("\r\n", "\n");
    insta::assert_snapshot!("import_file", text("results-0001.xml"));
    insta::assert_snapshot!("list", text("results-0001.csv"));
}

#[tokio::test]
async fn a_bill_is_written_as_it_stands_and_a_cancellation_with_day_and_reason() {
    let folder = tempfile::tempdir().unwrap();
    let time = |text: &str| PortalTime::parse(text).ok();
    let bill = |state| {
        let maker = Gstin::parse("29AAKCD4821F1ZM").unwrap();
        let mut standing = Standing::new(EwbNumber::parse("331000000009").unwrap(), Birth::Irn, maker, state);
        standing.made_at = time("2026-11-23 09:00:00");
        standing.valid_till = time("2026-11-25 23:59:00");
        standing
    };
    let mut changed = receipt(1, 1, DocumentState::Registered);
    changed.registration.as_mut().unwrap().ewb =
        Some(EwayBill { number: "331000123456".to_owned(), date: time("2026-11-22 10:15:00"), valid_till: None });
    changed.ewb = Some(bill(EwbState::Active));
    let mut cancelled = receipt(2, 1, DocumentState::Cancelled);
    let mut standing = bill(EwbState::Cancelled);
    standing.cancelled_at = time("2026-11-23 10:00:00");
    cancelled.ewb = Some(standing);
    cancelled.cancellation = Some(Cancellation {
        at: time("2026-11-23 10:05:00"),
        reason: Some(CancelReason::DataEntryMistake),
        remark: Some("rate <wrong>".to_owned()),
    });
    deliver(&target(folder.path(), &json!({})), &[changed, cancelled]).await;
    let files = snapshot(folder.path());
    let text = |name: &str| String::from_utf8(files.get(name).unwrap().clone()).unwrap().replace("\r\n", "\n");
    let xml = text("results-0001.xml");
    for wanted in [
        "<BILLDATE>20261123</BILLDATE>",
        "<BILLNUMBER>331000000009</BILLNUMBER>",
        "<VALIDUPTO>20261125</VALIDUPTO>",
        "<ISCANCELLED>Yes</ISCANCELLED>\n      <CANCELDATE>20261123</CANCELDATE>",
        "<IRNCANCELLED>Yes</IRNCANCELLED>",
        "<IRNCANCELDATE>20261123</IRNCANCELDATE>\n     <IRNCANCELREASON>data entry mistake: rate &lt;wrong&gt;</IRNCANCELREASON>",
    ] {
        assert!(xml.contains(wanted), "{wanted} in {xml}");
    }
    assert!(!xml.contains("331000123456"), "the registration's bill is not the one that stands");
    assert_eq!(xml.matches("<IRNCANCELDATE>").count(), 1);
    let csv = text("results-0001.csv");
    assert!(csv.contains(",cancelled,,2026-11-23 10:05:00,data_entry_mistake,rate <wrong>,"), "{csv}");
}

#[tokio::test]
async fn the_same_receipt_twice_and_an_older_one_later_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let target = target(folder.path(), &json!({ "qr": "png" }));
    deliver(&target, &[receipt(1, 2, DocumentState::Registered)]).await;
    let first = snapshot(folder.path());
    assert!(first.contains_key("qr/29AAKCD4821F1ZM-2026-27-INV-DV_1.png"), "{:?}", first.keys());
    deliver(&target, &[receipt(1, 2, DocumentState::Registered)]).await;
    deliver(&target, &[receipt(1, 1, DocumentState::Invalid)]).await;
    assert_eq!(snapshot(folder.path()), first);
    deliver(&target, &[receipt(1, 3, DocumentState::Cancelled)]).await;
    let now = snapshot(folder.path());
    assert!(String::from_utf8_lossy(now.get("results-0001.xml").unwrap()).contains("<IRNCANCELLED>Yes<"));
}

#[tokio::test]
async fn the_qr_picture_holds_the_signed_text_unchanged() {
    let folder = tempfile::tempdir().unwrap();
    deliver(&target(folder.path(), &json!({ "qr": "png" })), &[receipt(7, 1, DocumentState::Registered)]).await;
    let picture = std::fs::read(folder.path().join("qr/29AAKCD4821F1ZM-2026-27-INV-DV_7.png")).unwrap();
    assert_eq!(einvoice_core::qr::decode_png(&picture).unwrap(), "eyJhbGciOiJSUzI1NiJ9.payload-7.signature");
}

#[tokio::test]
async fn results_are_kept_in_parts_and_later_ones_do_not_touch_earlier_ones() {
    let folder = tempfile::tempdir().unwrap();
    let target = target(folder.path(), &json!({ "vouchers_max": 2 }));
    let receipts: Vec<Receipt> = (1..=5).map(|id| receipt(id, 1, DocumentState::Registered)).collect();
    deliver(&target, &receipts).await;
    let first = snapshot(folder.path());
    let parts: Vec<_> = first.keys().filter(|name| name.contains(".xml")).cloned().collect();
    assert_eq!(parts, ["results-0001.xml", "results-0002.xml", "results-0003.xml"]);
    let count = |name: &str| String::from_utf8_lossy(first.get(name).unwrap()).matches("<VOUCHER ").count();
    assert_eq!((count("results-0001.xml"), count("results-0003.xml")), (2, 1));
    deliver(&target, &[receipt(6, 1, DocumentState::Registered)]).await;
    assert_eq!(snapshot(folder.path()).get("results-0001.xml"), first.get("results-0001.xml"));
}

#[tokio::test]
async fn vouchers_of_two_companies_never_share_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let mut other = receipt(2, 1, DocumentState::Registered);
    other.attributes.insert("company".to_owned(), "Other".to_owned());
    deliver(&target(folder.path(), &json!({})), &[receipt(1, 1, DocumentState::Registered), other]).await;
    let files = snapshot(folder.path());
    assert!(String::from_utf8_lossy(files.get("results-0001.xml").unwrap()).contains("Deccan &amp; Co"));
    assert!(String::from_utf8_lossy(files.get("results-0001-company-2.xml").unwrap()).contains("Other"));
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_a_failed_delivery_and_no_crash() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("not-a-folder");
    std::fs::write(&file, b"x").unwrap();
    let deliveries = target(&file, &json!({})).deliver(&[receipt(1, 1, DocumentState::Registered)]).await.unwrap();
    assert!(
        matches!(deliveries.as_slice(), [Delivery::Failed { reason }] if reason.contains("not-a-folder")),
        "{deliveries:?}"
    );
}

#[tokio::test]
async fn a_full_disk_is_said_and_what_was_delivered_stays_whole_until_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    std::fs::create_dir(&out).unwrap();
    let Some(disk) = SmallDisk::at(&out) else { return };
    let target = target(&out, &json!({ "qr": "svg" }));
    let first = receipt(1, 1, DocumentState::Registered);
    deliver(&target, std::slice::from_ref(&first)).await;
    let filler = disk.fill();
    let before = snapshot(&out);
    let more = [receipt(1, 2, DocumentState::Cancelled), receipt(2, 1, DocumentState::Registered)];
    for _ in 0..2 {
        let deliveries = target.deliver(&more).await.unwrap();
        assert_eq!(deliveries.len(), more.len());
        for delivery in deliveries {
            let Delivery::Failed { reason } = delivery else { panic!("{delivery:?}") };
            for part in [out.to_str().unwrap(), "No space left", "make room", "tried again"] {
                assert!(reason.contains(part), "{part} in {reason}");
            }
        }
        assert_eq!(snapshot(&out), before, "no half file stays, and no new one beside an old one");
    }
    std::fs::remove_file(filler).unwrap();
    deliver(&target, &more).await;
    let xml = std::fs::read_to_string(out.join("results-0001.xml")).unwrap();
    assert!(xml.contains("<IRNCANCELLED>Yes<") && xml.contains("TAGVALUE=\"4002\""), "{xml}");
    let list = std::fs::read_to_string(out.join("results-0001.csv")).unwrap();
    assert!(list.contains("DV/1") && list.contains("DV/2"), "{list}");
}

#[tokio::test]
async fn a_bill_finds_its_list_by_number_and_what_was_said_in_tally_stays() {
    let bill = |number: &str, more: &str| {
        format!(
            "<EWAYBILLDETAILS.LIST>{number}<DOCUMENTTYPE>Bill of Supply</DOCUMENTTYPE><SUBTYPE>Job Work</SUBTYPE>{more}</EWAYBILLDETAILS.LIST>"
        )
    };
    let other = "<BILLNUMBER>331000000001</BILLNUMBER>";
    let own = "<BILLNUMBER>331000123456</BILLNUMBER>";
    // Its own list, one that waits for a number, and none: the bill of another number is left as it is.
    for (lists, shown) in [
        (
            vec![bill(other, ""), bill(own, "<BILLSTATUS>Generated by others</BILLSTATUS>")],
            ["Bill of Supply", "Job Work"],
        ),
        (vec![bill(other, ""), bill("", "")], ["Bill of Supply", "Job Work"]),
        (vec![bill(other, "")], ["Tax Invoice", "Supply"]),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut receipt = receipt(1, 1, DocumentState::Registered);
        receipt.attributes.insert("eway_bill_details".to_owned(), lists.concat());
        receipt.registration.as_mut().unwrap().ewb =
            Some(EwayBill { number: "331000123456".to_owned(), date: None, valid_till: None });
        receipt.ewb_state = EwbState::Active;
        deliver(&target(folder.path(), &json!({})), &[receipt]).await;
        let xml = std::fs::read_to_string(folder.path().join("results-0001.xml")).unwrap();
        assert!(xml.contains(&bill(other, "")), "{xml}");
        let (_, of_bill) = xml.split_once("     <EWAYBILLDETAILS.LIST>\r\n").unwrap();
        let of_bill = of_bill.split("</EWAYBILLDETAILS.LIST>").next().unwrap();
        let [kind, supply] = shown;
        for wanted in [own, &format!("<DOCUMENTTYPE>{kind}<"), &format!("<SUBTYPE>{supply}<")] {
            assert_eq!(of_bill.matches(wanted).count(), 1, "{wanted} in {of_bill}");
        }
        assert_eq!(of_bill.matches("<BILLSTATUS>").count(), 1, "{of_bill}");
        assert_eq!(of_bill.contains("Generated by others"), lists.len() == 2 && lists[1].contains("BILLSTATUS"));
    }
}
