//! Copies with results: what stands in them, and that they go round again.

use std::collections::BTreeMap;
use std::path::Path;

use einvoice_core::date::PortalTime;
use einvoice_core::finding::Finding;
use einvoice_core::irn::{Irn, IrnRule};
use einvoice_core::ledger::LedgerId;
use einvoice_core::operation::{EwayBill, Registration, RegistrationStatus};
use einvoice_core::receipt::Receipt;
use einvoice_core::source::{InvoiceSource, SourceRecord, place};
use einvoice_core::state::{DocumentState, EwbState};
use einvoice_core::write_back::{Delivery, WriteBack};
use einvoice_spreadsheet::{SpreadsheetSource, SpreadsheetWriteBack, WriteBackConfig, testing};
use einvoice_testkit::documents::Recipe;
use serde_json::json;

use crate::bad_input::changed;
use crate::common::{context, document, files, letters, part, read, shown, source};

/// A folder with a workbook of three documents of two rows each, its source and its target.
pub(crate) struct Folder {
    pub(crate) home: tempfile::TempDir,
    pub(crate) source: SpreadsheetSource,
    pub(crate) target: SpreadsheetWriteBack,
}

impl Folder {
    pub(crate) fn of(name: &str, content: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("inbox")).unwrap();
        std::fs::write(folder.path().join("inbox").join(name), content).unwrap();
        let source = source(folder.path(), json!({"path": "inbox"}));
        let target = target(folder.path(), WriteBackConfig::default());
        Self { home: folder, source, target }
    }

    fn workbook() -> Self {
        Self::of("sales.xlsx", &testing::workbook(invoices()).unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> std::path::PathBuf {
        self.home.path().join("inbox").join(name)
    }

    pub(crate) fn receipt(
        &self,
        record: &SourceRecord,
        revision: u32,
        state: DocumentState,
        findings: Vec<Finding>,
    ) -> Receipt {
        receipt(&self.source, record, revision, state, findings)
    }

    pub(crate) async fn done(&self, receipts: &[Receipt]) {
        for delivery in delivered(&self.target, receipts).await {
            assert_eq!(delivery, Delivery::Done);
        }
    }
}

/// Hands receipts over and has them shown.
pub(crate) async fn delivered(target: &SpreadsheetWriteBack, receipts: &[Receipt]) -> Vec<Delivery> {
    let kept = target.deliver(receipts).await.unwrap();
    assert_eq!(kept, vec![Delivery::Kept; receipts.len()]);
    let finished = target.finish().await.unwrap();
    let of = |receipt: &Receipt| (receipt.reference_id, receipt.revision);
    assert!(finished.iter().map(|one| (one.reference_id, one.revision)).eq(receipts.iter().map(of)));
    finished.into_iter().map(|one| one.delivery).collect()
}

fn target(folder: &Path, config: WriteBackConfig) -> SpreadsheetWriteBack {
    SpreadsheetWriteBack::new(&context(folder), config)
}

fn invoices() -> Vec<einvoice_core::document::Invoice> {
    (1..=3).map(|number| Recipe { items: 2, ..Recipe::numbered(number) }.invoice()).collect()
}

fn receipt(
    source: &SpreadsheetSource,
    record: &SourceRecord,
    revision: u32,
    state: DocumentState,
    mut findings: Vec<Finding>,
) -> Receipt {
    let mapped = document(source, record);
    place(&mut findings, &record.reference, &mapped.provenance);
    let key = mapped.invoice.document_key().unwrap();
    let irn = Irn::compute(&key, IrnRule::UpperCase);
    let registration = (state == DocumentState::Registered).then(|| Registration {
        ack_no: "112610000000001".to_owned(),
        ack_date: PortalTime::parse("2026-11-05 10:15:00").unwrap(),
        irn,
        status: RegistrationStatus::Active,
        signed_invoice: None,
        signed_qr: Some(format!("eyJhbGciOiJSUzI1NiJ9.{}.c2ln", "cXI".repeat(200))),
        ewb: None,
        remarks: None,
        info: Vec::new(),
        site: None,
    });
    Receipt {
        ledger: Some(LedgerId("books".to_owned())),
        reference_id: 1,
        revision,
        source: "sales".to_owned(),
        reference: record.reference.clone(),
        attributes: mapped.attributes,
        label: mapped.invoice.label(),
        key: Some(key),
        irn: Some(irn),
        state,
        ewb_state: EwbState::None,
        registration,
        proof: None,
        ewb: None,
        cancellation: None,
        findings,
    }
}

fn wrong_hsn(item: usize) -> Finding {
    Finding::error("items.hsn", format!("ItemList[{item}].HsnCd"), "the code is in no list")
        .with_code("2176")
        .with_found("520811")
        .with_fix("Correct the HSN.")
}

/// The column of a heading.
fn column(heading: &str) -> String {
    let at = testing::headings().into_iter().position(|text| text == heading).unwrap();
    letters(u32::try_from(at).unwrap())
}

/// The column of a result, which stand behind the headings.
fn result(name: &str) -> String {
    let names = [
        "Status",
        "IRN",
        "AckNo",
        "AckDate",
        "SignedQRCode",
        "EwbNo",
        "EwbDate",
        "EwbValidTill",
        "EwbStatus",
        "CancelDate",
        "ErrorCode",
        "ErrorMessage",
        "einvoice",
    ];
    let at = testing::headings().len() + names.iter().position(|text| *text == name).unwrap();
    letters(u32::try_from(at).unwrap())
}

#[tokio::test]
async fn a_copy_has_every_row_at_its_place_with_results_marks_and_pictures() {
    let folder = Folder::workbook();
    let records = read(&folder.source).await.records;
    let receipts = [
        folder.receipt(&records[0], 1, DocumentState::Registered, Vec::new()),
        folder.receipt(&records[1], 1, DocumentState::Invalid, vec![wrong_hsn(1)]),
    ];
    folder.done(&receipts).await;
    let copy = folder.path("results/sales_result.xlsx");
    let (before, after) = (shown(&folder.path("sales.xlsx")), shown(&copy));
    for (cell, value) in &before {
        assert_eq!(after.get(cell), Some(value), "{cell}");
    }
    let cell = |column: &str, row: u32| after.get(&format!("Invoices!{column}{row}")).map(String::as_str);
    assert_eq!(cell(&result("Status"), 1), Some("Status"));
    assert_eq!(cell(&result("Status"), 2), Some("IRN_GENERATED"));
    assert_eq!(cell(&result("IRN"), 2), receipts[0].irn.map(|irn| irn.to_string()).as_deref());
    assert_eq!((cell(&result("AckNo"), 2), cell(&result("AckNo"), 3)), (Some("112610000000001"), None));
    assert_eq!((cell(&result("Status"), 4), cell(&result("ErrorCode"), 4)), (Some("INVALID"), Some("2176")));
    assert_eq!(cell(&result("Status"), 6), None);
    // The second item of the second document stands in row 5.
    let comments = part(&copy, "xl/comments1.xml");
    assert!(comments.contains(&format!("ref=\"{}5\"", column("HSN Code *"))), "{comments}");
    assert!(comments.contains("[2176] ItemList[1].HsnCd: the code is in no list (found 520811). Correct the HSN."));
    let styles = part(&copy, "xl/styles.xml");
    assert!(styles.contains("FFFFC7CE"), "{styles}");
    assert!(
        after["QR codes!A2"].contains("INV T/1") && after["QR codes!A2"].contains("AckNo 112610000000001"),
        "{:?}",
        after["QR codes!A2"]
    );
    let mut archive = zip::ZipArchive::new(std::fs::File::open(&copy).unwrap()).unwrap();
    assert!(archive.by_name("xl/media/einvoice-qr-1.png").is_ok());
    // Days stay days and numbers numbers.
    let sheet = part(&copy, "xl/worksheets/sheet1.xml");
    assert!(sheet.contains("<v>46331</v>"), "the day is a serial");
}

#[tokio::test]
async fn a_copy_that_was_corrected_in_place_is_read_again_and_keeps_what_it_knew() {
    let folder = Folder::workbook();
    let records = read(&folder.source).await.records;
    folder
        .done(&[
            folder.receipt(&records[0], 1, DocumentState::Registered, Vec::new()),
            folder.receipt(&records[1], 1, DocumentState::Invalid, vec![wrong_hsn(1)]),
            folder.receipt(&records[2], 1, DocumentState::Invalid, vec![wrong_hsn(0)]),
        ])
        .await;
    std::fs::remove_file(folder.path("sales.xlsx")).unwrap();
    // A person corrects the copy and moves it back.
    let copy = std::fs::read(folder.path("results/sales_result.xlsx")).unwrap();
    std::fs::remove_file(folder.path("results/sales_result.xlsx")).unwrap();
    let corrected = changed(&copy, "xl/worksheets/sheet1.xml", |text| text.replace("520811", "520812"));
    assert_ne!(copy, corrected);
    std::fs::write(folder.path("sales_result.xlsx"), corrected).unwrap();
    let again = read(&folder.source).await;
    assert_eq!(again.said(), [""; 0]);
    let ids = |records: &[SourceRecord]| -> Vec<String> {
        records.iter().map(|record| record.reference.record_id.clone()).collect()
    };
    assert_eq!(ids(&again.records), ids(&records));
    let mapped = document(&folder.source, &again.records[1]);
    assert_eq!(mapped.invoice.item_list[1].hsn_cd.as_ref().unwrap().to_string(), "520812");
    // Only the corrected document has news; the others keep their answers, marks included.
    folder.done(&[folder.receipt(&again.records[1], 2, DocumentState::Registered, Vec::new())]).await;
    let copy = folder.path("results/sales_result.xlsx");
    let after = shown(&copy);
    let status = |row: u32| after[&format!("Invoices!{}{row}", result("Status"))].as_str();
    assert_eq!([status(2), status(4), status(6)], ["IRN_GENERATED", "IRN_GENERATED", "INVALID"]);
    let comments = part(&copy, "xl/comments1.xml");
    assert_eq!(comments.matches("<comment ").count(), 1);
    assert!(comments.contains(&format!("ref=\"{}6\"", column("HSN Code *"))), "{comments}");
    assert!(!after.keys().any(|cell| cell.ends_with("!FA1")), "no second block of results");
}

#[tokio::test]
async fn a_later_result_is_written_into_the_copy_although_its_workbook_was_moved() {
    let folder = Folder::workbook();
    let records = read(&folder.source).await.records;
    let receipts: Vec<Receipt> =
        records.iter().map(|record| folder.receipt(record, 1, DocumentState::Registered, Vec::new())).collect();
    std::fs::create_dir(folder.path("done")).unwrap();
    std::fs::rename(folder.path("sales.xlsx"), folder.path("done/sales-2.xlsx")).unwrap();
    folder.done(&receipts[..1]).await;
    folder.done(&receipts[1..]).await;
    let after = shown(&folder.path("results/sales_result.xlsx"));
    for row in [2, 4, 6] {
        assert_eq!(after[&format!("Invoices!{}{row}", result("Status"))], "IRN_GENERATED");
    }
    assert_eq!(after[&format!("Invoices!{}2", column("Document Number *"))], "T/1");
    let shown = folder.target.read_back(&[records[1].reference.clone()]).await.unwrap();
    assert_eq!(shown[0].as_ref().unwrap()["ack_no"], "112610000000001");
}

#[tokio::test]
async fn another_workbook_of_the_same_name_gets_a_copy_of_its_own_and_foreign_files_stay() {
    let folder = Folder::workbook();
    let first = read(&folder.source).await.records;
    folder.done(&[folder.receipt(&first[0], 1, DocumentState::Registered, Vec::new())]).await;
    std::fs::write(folder.path("results/sales_result_2.xlsx"), "a file of somebody else").unwrap();
    std::fs::write(folder.path("sales.xlsx"), testing::workbook([Recipe::numbered(9).invoice()]).unwrap()).unwrap();
    let second = read(&folder.source).await.records;
    folder.done(&[folder.receipt(&second[0], 1, DocumentState::Registered, Vec::new())]).await;
    let number = format!("Invoices!{}2", column("Document Number *"));
    assert_eq!(shown(&folder.path("results/sales_result.xlsx"))[&number], "T/1");
    assert_eq!(std::fs::read(folder.path("results/sales_result_2.xlsx")).unwrap(), b"a file of somebody else");
    assert_eq!(shown(&folder.path("results/sales_result_3.xlsx"))[&number], "T/9");
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_said_and_the_result_comes_later() {
    let folder = Folder::workbook();
    let records = read(&folder.source).await.records;
    let receipts = [folder.receipt(&records[0], 1, DocumentState::Registered, Vec::new())];
    // A file stands where the folder should be.
    std::fs::write(folder.path("results"), "").unwrap();
    let failed = delivered(&folder.target, &receipts).await;
    assert!(
        matches!(&failed[0], Delivery::Failed { reason } if reason.contains("sales_result.xlsx") && reason.contains("written by the next run")),
        "{failed:?}"
    );
    std::fs::remove_file(folder.path("results")).unwrap();
    folder.done(&receipts).await;
    assert_eq!(files(&folder.path("results")).len(), 1);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn where_nothing_can_be_written_the_copy_stays_as_it_was() {
    let folder = Folder::workbook();
    let records = read(&folder.source).await.records;
    folder.done(&[folder.receipt(&records[0], 1, DocumentState::Registered, Vec::new())]).await;
    let before = std::fs::read(folder.path("results/sales_result.xlsx")).unwrap();
    // In this folder no file can be made, by nobody.
    let nowhere = target(folder.home.path(), WriteBackConfig::default());
    std::fs::rename(folder.path("results"), folder.path("kept")).unwrap();
    std::os::unix::fs::symlink("/proc/self", folder.path("results")).unwrap();
    let failed = delivered(&nowhere, &[folder.receipt(&records[1], 1, DocumentState::Registered, Vec::new())]).await;
    assert!(matches!(&failed[0], Delivery::Failed { .. }), "{failed:?}");
    std::fs::remove_file(folder.path("results")).unwrap();
    std::fs::rename(folder.path("kept"), folder.path("results")).unwrap();
    assert_eq!(std::fs::read(folder.path("results/sales_result.xlsx")).unwrap(), before);
    assert_eq!(files(&folder.path("results")).len(), 1);
}

/// A file system of its own that is full, or cannot be written: only the superuser of Linux may make one.
#[cfg(target_os = "linux")]
struct Mounted(std::path::PathBuf);

#[cfg(target_os = "linux")]
impl Mounted {
    fn new(path: &Path, options: &str) -> Option<Self> {
        let mut mount = std::process::Command::new("mount");
        let mount = mount.args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(path).output();
        let is_mounted = mount.is_ok_and(|output| output.status.success());
        if !is_mounted {
            eprintln!("skipped: only the superuser can mount a small disk");
        }
        is_mounted.then(|| Self(path.to_owned()))
    }

    fn again(&self, options: &str) {
        let mut mount = std::process::Command::new("mount");
        assert!(mount.args(["-o", &format!("remount,{options}")]).arg(&self.0).status().unwrap().success());
    }
}

#[cfg(target_os = "linux")]
impl Drop for Mounted {
    fn drop(&mut self) {
        let _unmounted = std::process::Command::new("umount").arg(&self.0).status();
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_disk_and_a_disk_that_cannot_be_written_are_said_by_file_and_lose_nothing() {
    // Of a workbook that is kept as it is, of one whose values are copied, and of a text file.
    let csv = testing::csv(invoices()).unwrap();
    for (name, content) in
        [("sales.xlsx", testing::workbook(invoices()).unwrap()), ("sales.ods", csv.clone()), ("sales.csv", csv)]
    {
        let folder = Folder::of(name, &content);
        std::fs::create_dir(folder.path("results")).unwrap();
        let Some(disk) = Mounted::new(&folder.path("results"), "size=1m") else { return };
        let records = read(&folder.source).await.records;
        folder.done(&[folder.receipt(&records[0], 1, DocumentState::Registered, Vec::new())]).await;
        let copy = files(&folder.path("results")).remove(0);
        let before = std::fs::read(&copy).unwrap();
        // As much as there is room for, to the last byte.
        let filler = folder.path("results/filler");
        let mut file = std::fs::File::create(&filler).unwrap();
        while std::io::Write::write_all(&mut file, &[0; 512]).is_ok() {}
        let news = [folder.receipt(&records[1], 1, DocumentState::Registered, Vec::new())];
        let said = |failed: &[Delivery], advice: &str| {
            let Delivery::Failed { reason } = &failed[0] else { panic!("{failed:?}") };
            assert!(reason.contains(&*copy.to_string_lossy()) && reason.contains(advice), "{reason}");
            assert!(reason.contains("written by the next run"), "{reason}");
        };
        said(&delivered(&folder.target, &news).await, "make room on that disk");
        assert_eq!(std::fs::read(&copy).unwrap(), before, "what was there stays");
        assert_eq!(files(&folder.path("results")).len(), 1, "nothing half-written stays behind");
        drop(file);
        std::fs::remove_file(&filler).unwrap();
        disk.again("ro");
        said(&delivered(&folder.target, &news).await, "see that its folder can be written");
        disk.again("rw");
        folder.done(&news).await;
        let copy = std::fs::read(&copy).unwrap();
        assert_ne!(copy, before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_workers_on_one_folder_lose_no_result() {
    let folder = Folder::workbook();
    let records = read(&folder.source).await.records;
    let work = records.iter().map(|record| {
        // Each worker has a target of its own, as another process has.
        let worker = target(folder.home.path(), WriteBackConfig::default());
        let receipt = folder.receipt(record, 1, DocumentState::Registered, Vec::new());
        tokio::spawn(async move { delivered(&worker, &[receipt]).await })
    });
    for worker in work.collect::<Vec<_>>() {
        assert_eq!(worker.await.unwrap(), [Delivery::Done]);
    }
    let after = shown(&folder.path("results/sales_result.xlsx"));
    for row in [2, 4, 6] {
        assert_eq!(after[&format!("Invoices!{}{row}", result("Status"))], "IRN_GENERATED");
    }
    assert_eq!(files(&folder.path("results")).len(), 1);
}

#[tokio::test]
async fn a_text_file_is_answered_by_one_in_which_nothing_is_computed() {
    let head = "Document Type;Document Number;Document Date;Seller GSTIN;Buyer Addr1;HSN Code;Other Charges";
    let text = format!(
        "{head}\r\nINV;A/1;05/11/2026;29AAKCD4821F1ZM;\"=cmd|' /C calc'!A0\nsecond line\";=\"0902\";-12.50\r\n\r\n\
         INV;A/2;05/11/2026;29AAKCD4821F1ZM;@SUM(1);8481;\r\n"
    );
    let folder = Folder::of("sales.csv", text.as_bytes());
    let records = read(&folder.source).await.records;
    let places: Vec<&str> = records.iter().map(|record| record.reference.position.as_str()).collect();
    assert_eq!(places, ["document 1, line 2", "document 2, line 5"]);
    let invalid = vec![Finding::error("a.b", "BuyerDtls.Addr1", "wrong").with_fix("Mend it.")];
    folder.done(&[folder.receipt(&records[1], 1, DocumentState::Invalid, invalid)]).await;
    let copy = std::fs::read_to_string(folder.path("results/sales_result.csv")).unwrap();
    let lines: Vec<&str> = copy.lines().collect();
    assert!(lines[0].starts_with(&format!("\u{feff}{head};Status;IRN;")), "{}", lines[0]);
    assert_eq!(lines[1], "INV;A/1;05/11/2026;29AAKCD4821F1ZM;\"'=cmd|' /C calc'!A0");
    assert_eq!(lines[2], "second line\";\"=\"\"0902\"\"\";-12.50");
    assert!(lines[4].starts_with("INV;A/2;05/11/2026;29AAKCD4821F1ZM;'@SUM(1);8481;;INVALID;"), "{}", lines[4]);
    assert!(lines[4].contains("BuyerDtls.Addr1: wrong. Mend it."), "{}", lines[4]);
    // Dropped in again it says the same as before.
    std::fs::write(folder.path("again.csv"), &copy).unwrap();
    std::fs::remove_file(folder.path("sales.csv")).unwrap();
    let again = read(&folder.source).await.records;
    for (one, other) in records.iter().zip(&again) {
        let json = |record| document(&folder.source, record).invoice.to_json();
        assert_eq!(json(one), json(other));
    }
}

#[tokio::test]
async fn what_is_no_document_is_answered_at_its_row_and_what_has_no_row_in_a_list() {
    let text = "Document Number,HSN Code\nA/1,8481\n,8482\n";
    let folder = Folder::of("sales.xlsx", text.as_bytes());
    let read = read(&folder.source).await;
    let receipts: Vec<Receipt> = read
        .problems
        .iter()
        .map(|problem| Receipt {
            reference: problem.reference.clone(),
            label: problem.label.clone(),
            findings: problem.findings.clone(),
            attributes: BTreeMap::default(),
            key: None,
            irn: None,
            ..unread()
        })
        .collect();
    folder.done(&receipts).await;
    let after = shown(&folder.path("results/sales_result.xlsx"));
    let status: Vec<(&String, &String)> = after.iter().filter(|(_, value)| *value == "INVALID").collect();
    assert_eq!(
        status.iter().map(|(cell, _)| cell.as_str()).collect::<Vec<_>>(),
        ["Sheet1!C2", "Sheet1!C3"],
        "{after:?}"
    );
    let folder = Folder::of("broken.xlsx", b"PK\x03\x04 and nothing more");
    let problem = crate::common::read(&folder.source).await.problems.remove(0);
    let lost = Receipt { reference: problem.reference, label: problem.label, findings: problem.findings, ..unread() };
    folder.done(&[lost]).await;
    let after = shown(&folder.path("results/broken_result.xlsx"));
    assert_eq!((after["Results!B2"].as_str(), after["Results!D2"].as_str()), ("the file inbox/broken.xlsx", "INVALID"));
    assert!(after["Results!O2"].contains("the file is no whole workbook"), "{after:?}");
}

#[tokio::test]
async fn a_copy_loses_neither_letters_nor_rows_of_a_text_file() {
    let text = b"Document Type,Document Number,Document Date,Seller GSTIN,Buyer Addr1,HSN Code\n\
        INV,A/1,05/11/2026,29AAKCD4821F1ZM,caf\xe9,8481\nINV,A/2,05/11/2026,29AAKCD4821F1ZM,plain,8481\n";
    let folder = Folder::of("sales.csv", text);
    let records = read(&folder.source).await.records;
    folder.done(&[folder.receipt(&records[0], 1, DocumentState::Registered, Vec::new())]).await;
    let copy = std::fs::read_to_string(folder.path("results/sales_result.csv")).unwrap();
    assert!(copy.contains("29AAKCD4821F1ZM,café,8481"), "{copy}");
    // Rows that nobody can tell apart are not copied: the results stand in a list.
    let open_quote = String::from_utf8_lossy(text).replace("plain", "\"plain").replace('\u{fffd}', "e")
        + "INV,A/3,05/11/2026,29AAKCD4821F1ZM,x,8481\n";
    let folder = Folder::of("sales.csv", open_quote.as_bytes());
    let problem = read(&folder.source).await.problems.remove(0);
    let lost = Receipt { reference: problem.reference, label: problem.label, findings: problem.findings, ..unread() };
    folder.done(&[lost]).await;
    let copy = std::fs::read_to_string(folder.path("results/sales_result.csv")).unwrap();
    assert!(copy.starts_with("\u{feff}Document Type,Document Number,Document Date,Status,"), "{copy}");
}

/// A receipt for what could not be read.
fn unread() -> Receipt {
    Receipt {
        ledger: Some(LedgerId("books".to_owned())),
        reference_id: 1,
        revision: 1,
        source: "sales".to_owned(),
        reference: einvoice_core::source::SourceRef {
            location: String::new(),
            position: String::new(),
            record_id: String::new(),
        },
        attributes: BTreeMap::default(),
        label: String::new(),
        key: None,
        irn: None,
        state: DocumentState::Invalid,
        ewb_state: EwbState::None,
        registration: None,
        proof: None,
        ewb: None,
        cancellation: None,
        findings: Vec::new(),
    }
}

#[tokio::test]
async fn settled_workbooks_are_moved_and_read_no_more() {
    use einvoice_core::source::{Acknowledgement, Disposition};
    let folder = Folder::workbook();
    let records = read(&folder.source).await.records;
    let settled = |disposition| -> Vec<Acknowledgement> {
        records.iter().map(|record| Acknowledgement { reference: record.reference.clone(), disposition }).collect()
    };
    folder.source.acknowledge(&settled(Disposition::Pending)).await.unwrap();
    assert!(folder.path("sales.xlsx").exists());
    folder.source.acknowledge(&settled(Disposition::Done)).await.unwrap();
    assert!(folder.path("done/sales.xlsx").exists());
    assert!(read(&folder.source).await.records.is_empty());
}

#[tokio::test]
async fn long_numbers_in_a_text_file_stay_texts_and_are_read_back_as_they_are() {
    let folder = Folder::of("sales.csv", &testing::csv(invoices()).unwrap());
    let records = read(&folder.source).await.records;
    let mut receipt = folder.receipt(&records[0], 1, DocumentState::Registered, Vec::new());
    let bill = EwayBill { number: "331000000001".to_owned(), date: None, valid_till: None };
    receipt.registration.as_mut().unwrap().ewb = Some(bill);
    folder.done(std::slice::from_ref(&receipt)).await;
    let path = folder.path("results/sales_result.csv");
    let copy = std::fs::read_to_string(&path).unwrap();
    for number in ["112610000000001", "331000000001"] {
        assert!(copy.contains(&format!(",\"=\"\"{number}\"\"\",")), "{copy}");
    }
    let read = folder.target.read_back(&[receipt.reference.clone()]).await.unwrap();
    let read = read[0].as_ref().unwrap();
    assert_eq!((read["ack_no"].as_str(), read["ewb_no"].as_str()), ("112610000000001", "331000000001"));
    let next = folder.receipt(&records[1], 1, DocumentState::Registered, Vec::new());
    folder.done(&[receipt, next]).await;
    let later = std::fs::read_to_string(&path).unwrap();
    assert_eq!(later.matches("\"=\"\"112610000000001\"\"\"").count(), 2, "{later}");
}

#[tokio::test]
async fn a_copy_from_before_ledgers_were_told_apart_is_answered_anew_by_another_registration_alone() {
    let folder = Folder::of("sales.csv", &testing::csv(invoices()).unwrap());
    let records = read(&folder.source).await.records;
    let with = |revision| folder.receipt(&records[0], revision, DocumentState::Registered, Vec::new());
    folder.done(&[with(3)]).await;
    let path = folder.path("results/sales_result.csv");
    let text = || std::fs::read_to_string(&path).unwrap();
    assert!(text().contains("\"\"ledger\"\":\"\"books\"\","), "{}", text());
    let before = text().replace("\"\"ledger\"\":\"\"books\"\",", "");
    std::fs::write(&path, &before).unwrap();
    folder.done(&[with(2)]).await;
    assert_eq!(text(), before);
    let mut other = with(2);
    other.registration.as_mut().unwrap().ack_no = "112610000000077".to_owned();
    folder.done(&[other]).await;
    assert!(text().contains("112610000000077") && !text().contains("112610000000001"), "{}", text());
}
