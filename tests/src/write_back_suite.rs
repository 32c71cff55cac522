//! The conformance suite of [`WriteBack`].
//!
//! ```ignore
//! einvoice_testkit::write_back_conformance!(|| async {
//!     let folder = tempfile::tempdir().unwrap();
//!     let path = folder.path().to_owned();
//!     WriteBackFixture::new(target, move || write_back_suite::files_below(&path)).keeping(folder)
//! });
//! ```

#![expect(clippy::expect_used, clippy::missing_panics_doc, reason = "a suite reports a broken promise by panicking")]

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

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

/// What stands at a target: a name for each place, and its content.
pub type Shown = BTreeMap<String, Vec<u8>>;

/// A fresh, empty target and a way to see everything in it.
pub struct WriteBackFixture {
    target: Arc<dyn WriteBack>,
    look: Box<dyn Fn() -> Shown + Send + Sync>,
    reopen: Option<Box<dyn Fn() -> Arc<dyn WriteBack> + Send + Sync>>,
    attributes: BTreeMap<String, String>,
    location: String,
    kept: Vec<Box<dyn Any + Send>>,
}

impl fmt::Debug for WriteBackFixture {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("WriteBackFixture").field("target", &self.target).finish_non_exhaustive()
    }
}

impl WriteBackFixture {
    /// A fixture of an empty target; `look` shows everything that is delivered there.
    pub fn new(target: Arc<dyn WriteBack>, look: impl Fn() -> Shown + Send + Sync + 'static) -> Self {
        Self {
            target,
            look: Box::new(look),
            reopen: None,
            attributes: BTreeMap::new(),
            location: "inbox/invoices".to_owned(),
            kept: Vec::new(),
        }
    }

    /// How to open the same target again, as a restarted program does.
    #[must_use]
    pub fn reopened_by(mut self, reopen: impl Fn() -> Arc<dyn WriteBack> + Send + Sync + 'static) -> Self {
        self.reopen = Some(Box::new(reopen));
        self
    }

    /// Attributes that every receipt carries, as the source would have given them.
    #[must_use]
    pub fn with_attribute(mut self, name: &str, value: &str) -> Self {
        self.attributes.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Where the records of the receipts stand.
    #[must_use]
    pub fn at(mut self, location: &str) -> Self {
        location.clone_into(&mut self.location);
        self
    }

    /// Keeps something alive as long as the fixture.
    #[must_use]
    pub fn keeping(mut self, kept: impl Any + Send) -> Self {
        self.kept.push(Box::new(kept));
        self
    }

    fn receipt(&self, id: i64, revision: u32, state: DocumentState) -> Receipt {
        let key: DocumentKey = format!("29AAKCD4821F1ZM/2026-27/INV/W/{id}").parse().expect("a key");
        let irn = Irn::compute(&key, IrnRule::UpperCase);
        let registration =
            matches!(state, DocumentState::Registered | DocumentState::Cancelled).then(|| Registration {
                ack_no: format!("1126100000{id:05}"),
                ack_date: PortalTime::parse("2026-11-22 10:15:00").expect("a time"),
                irn,
                status: if state == DocumentState::Cancelled {
                    RegistrationStatus::Cancelled
                } else {
                    RegistrationStatus::Active
                },
                signed_invoice: Some(format!("eyJhbGciOiJSUzI1NiJ9.aW52b2ljZS0{id}.c2ln")),
                signed_qr: Some(format!("eyJhbGciOiJSUzI1NiJ9.cXI{id}.c2ln")),
                ewb: None,
                remarks: None,
                info: Vec::new(),
                site: None,
            });
        let invalid = state == DocumentState::Invalid;
        let finding = Finding::error("schema.length", "ItemList[0].Unit", "Unit is too short")
            .with_fix("Write the unit quantity code.");
        Receipt {
            ledger: Some(LedgerId("books".to_owned())),
            reference_id: id,
            revision,
            source: "suite".to_owned(),
            reference: SourceRef {
                location: self.location.clone(),
                position: format!("record {id}"),
                record_id: format!("record-{id}"),
            },
            attributes: self.attributes.clone(),
            label: format!("INV W/{id} of 05/11/2026"),
            key: Some(key),
            irn: Some(irn),
            state,
            ewb_state: EwbState::None,
            registration,
            proof: None,
            ewb: None,
            cancellation: None,
            findings: if invalid { vec![finding] } else { Vec::new() },
        }
    }

    async fn deliver(&self, receipts: &[Receipt]) -> Vec<Delivery> {
        let mut deliveries = self.target.deliver(receipts).await.expect("the target can be written");
        assert_eq!(deliveries.len(), receipts.len(), "one delivery for each receipt");
        let finished = self.target.finish().await.expect("the target can be written");
        let mut finished: BTreeMap<(i64, u32), Delivery> =
            finished.into_iter().map(|one| ((one.reference_id, one.revision), one.delivery)).collect();
        let kept = receipts.iter().zip(&mut deliveries).filter(|(_, delivery)| **delivery == Delivery::Kept);
        for (receipt, delivery) in kept {
            let shown = finished.remove(&(receipt.reference_id, receipt.revision));
            *delivery = shown.expect("each receipt that was kept is finished");
            assert_ne!(*delivery, Delivery::Kept, "what is finished is shown or not");
        }
        assert!(finished.is_empty(), "nothing else is finished");
        deliveries
    }

    async fn done(&self, receipts: &[Receipt]) {
        for delivery in self.deliver(receipts).await {
            assert_eq!(delivery, Delivery::Done);
        }
    }

    fn shows(&self, text: &str) -> bool {
        (self.look)().values().any(|content| String::from_utf8_lossy(content).contains(text))
    }
}

/// Every file below a folder with its content: what most targets show.
#[must_use]
pub fn files_below(folder: &Path) -> Shown {
    let mut files = Shown::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&next) else { continue };
        for path in entries.map(|entry| entry.expect("an entry").path()) {
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap_or(&path).to_string_lossy().replace('\\', "/");
                files.insert(name, std::fs::read(&path).expect("a readable file"));
            }
        }
    }
    files
}

/// A registration reaches the target with its IRN and acknowledgement.
pub async fn a_registration_shows_its_irn_and_acknowledgement(fixture: WriteBackFixture) {
    let receipt = fixture.receipt(1, 1, DocumentState::Registered);
    fixture.done(std::slice::from_ref(&receipt)).await;
    let irn = receipt.irn.map(|irn| irn.to_string()).unwrap_or_default();
    assert!(fixture.shows(&irn), "the IRN is shown");
    assert!(fixture.shows("112610000000001"), "the acknowledgement number is shown");
}

/// An e-way bill is shown as it stands, whatever the reply to the registration said of it.
pub async fn a_bill_is_shown_as_it_stands(fixture: WriteBackFixture) {
    let mut receipt = fixture.receipt(1, 1, DocumentState::Registered);
    let bill = |number: &str| EwayBill { number: number.to_owned(), date: None, valid_till: None };
    if let Some(registration) = receipt.registration.as_mut() {
        registration.ewb = Some(bill("331000000001"));
    }
    let maker = Gstin::parse("29AAKCD4821F1ZM").expect("a GSTIN");
    let number = EwbNumber::parse("331000000002").expect("a number");
    receipt.ewb = Some(Standing::new(number, Birth::Irn, maker, EwbState::Active));
    receipt.ewb_state = EwbState::Active;
    fixture.done(std::slice::from_ref(&receipt)).await;
    // A target that stores no bills shows neither.
    let stores = fixture.target.capability().fields.contains(&"ewb_no");
    assert_eq!(fixture.shows("331000000002"), stores, "the bill that stands is shown");
    assert!(!fixture.shows("331000000001") || receipt_is_kept_whole(&fixture), "the bill of the reply is not shown");
}

/// Whether the only place that still has the reply's bill is the target's own memory of receipts.
fn receipt_is_kept_whole(fixture: &WriteBackFixture) -> bool {
    (fixture.look)()
        .iter()
        .filter(|(_, content)| String::from_utf8_lossy(content).contains("331000000001"))
        .all(|(name, _)| name.starts_with("state/"))
}

/// A cancelled registration is shown with the day it was cancelled on, where the target stores it.
pub async fn a_cancellation_is_shown_with_its_day(fixture: WriteBackFixture) {
    let mut receipt = fixture.receipt(1, 2, DocumentState::Cancelled);
    let at = PortalTime::parse("2026-11-23 09:05:00").expect("a time");
    let reason = Some(CancelReason::OrderCancelled);
    receipt.cancellation = Some(Cancellation { at: Some(at), reason, remark: None });
    fixture.done(std::slice::from_ref(&receipt)).await;
    let stores = fixture.target.capability().fields.contains(&"cancelled_at");
    assert_eq!(fixture.shows("2026-11-23 09:05:00"), stores, "the day of the cancellation is shown");
}

/// Delivering the same receipt again changes nothing.
pub async fn delivering_the_same_receipt_twice_changes_nothing(fixture: WriteBackFixture) {
    let receipts = [fixture.receipt(1, 1, DocumentState::Registered), fixture.receipt(2, 1, DocumentState::Invalid)];
    fixture.done(&receipts).await;
    let first = (fixture.look)();
    fixture.done(&receipts).await;
    assert!((fixture.look)() == first, "the target changed");
}

/// A newer revision replaces an older one.
pub async fn a_newer_revision_replaces_an_older_one(fixture: WriteBackFixture) {
    fixture.done(&[fixture.receipt(1, 1, DocumentState::Invalid)]).await;
    fixture.done(&[fixture.receipt(1, 2, DocumentState::Registered)]).await;
    assert!(fixture.shows("112610000000001"), "the newer one is shown");
    assert!(!fixture.shows("Unit is too short"), "the older one is gone");
}

/// An older revision after a newer one is reported as delivered and ignored.
pub async fn an_older_revision_after_a_newer_one_is_ignored(fixture: WriteBackFixture) {
    fixture.done(&[fixture.receipt(1, 2, DocumentState::Registered)]).await;
    let first = (fixture.look)();
    fixture.done(&[fixture.receipt(1, 1, DocumentState::Invalid)]).await;
    assert!((fixture.look)() == first, "the target changed");
}

/// A ledger that was begun anew counts its revisions and its records from 1 again: what it brings replaces what another
/// brought of the same records, whatever the numbers.
pub async fn a_result_of_another_ledger_replaces_one_of_a_later_revision(mut fixture: WriteBackFixture) {
    let trial = |id: i64, revision: u32| {
        let mut receipt = fixture.receipt(id, revision, DocumentState::Registered);
        receipt.ledger = Some(LedgerId("trial".to_owned()));
        if let Some(registration) = receipt.registration.as_mut() {
            registration.ack_no = format!("9926100000{id:05}");
        }
        receipt
    };
    let receipts = [trial(1, 3), trial(2, 3)];
    fixture.done(&receipts).await;
    assert!(fixture.shows("992610000000001") && fixture.shows("992610000000002"), "the first ledger's are shown");
    if let Some(reopen) = &fixture.reopen {
        fixture.target = reopen();
    }
    let mut second = fixture.receipt(2, 1, DocumentState::Registered);
    second.reference_id = 1;
    let mut first = fixture.receipt(1, 1, DocumentState::Registered);
    first.reference_id = 2;
    fixture.done(&[second, first]).await;
    assert!(fixture.shows("112610000000001") && fixture.shows("112610000000002"), "the second ledger's are shown");
    assert!(!fixture.shows("9926100000"), "the first ledger's are gone");
}

/// A document that is not registered is never shown with a registration.
pub async fn an_unregistered_document_is_never_shown_as_registered(fixture: WriteBackFixture) {
    fixture.done(&[fixture.receipt(1, 1, DocumentState::Invalid), fixture.receipt(2, 1, DocumentState::Refused)]).await;
    assert!(!fixture.shows("\"registered\"") && !fixture.shows(",registered,"), "no state says registered");
    assert!(!fixture.shows("1126100000"), "no acknowledgement is shown");
}

/// Later deliveries keep what earlier ones wrote.
pub async fn later_deliveries_keep_what_earlier_ones_wrote(fixture: WriteBackFixture) {
    fixture.done(&[fixture.receipt(1, 1, DocumentState::Registered)]).await;
    fixture.done(&[fixture.receipt(2, 1, DocumentState::Registered)]).await;
    assert!(fixture.shows("112610000000001") && fixture.shows("112610000000002"));
}

/// Nothing to deliver is nothing done.
pub async fn delivering_nothing_is_nothing_done(fixture: WriteBackFixture) {
    let before = (fixture.look)();
    assert!(fixture.deliver(&[]).await.is_empty());
    assert!((fixture.look)() == before);
}

/// A restarted program knows what was delivered.
pub async fn what_was_delivered_survives_a_restart(mut fixture: WriteBackFixture) {
    fixture.done(&[fixture.receipt(1, 2, DocumentState::Registered)]).await;
    let first = (fixture.look)();
    let Some(reopen) = &fixture.reopen else { return };
    fixture.target = reopen();
    fixture
        .done(&[fixture.receipt(1, 1, DocumentState::Invalid), fixture.receipt(1, 2, DocumentState::Registered)])
        .await;
    assert!((fixture.look)() == first, "the target changed after a restart");
}

/// Reading back works exactly where the capability says so.
pub async fn reading_back_works_only_where_the_capability_says_so(fixture: WriteBackFixture) {
    let receipt = fixture.receipt(1, 1, DocumentState::Registered);
    fixture.done(std::slice::from_ref(&receipt)).await;
    let unknown = SourceRef { record_id: "nowhere".to_owned(), ..receipt.reference.clone() };
    let result = fixture.target.read_back(&[receipt.reference, unknown]).await;
    assert_eq!(result.is_ok(), fixture.target.capability().reads_back);
    if let Ok(read) = result {
        assert!(matches!(read.as_slice(), [Some(_), None]), "{read:?}");
    }
    assert!(fixture.target.capability().batch_max > 0 && !fixture.target.capability().note.is_empty());
}

/// Runs the suite against a write-back target: one named test for each promise. Takes a closure that
/// gives a future of a [`WriteBackFixture`] with an empty target, or of an `Option` that is empty where
/// a test needs a server that is not there. The crate needs `tokio` for its tests.
#[macro_export]
macro_rules! write_back_conformance {
    ($fixture:expr) => { $crate::write_back_conformance! { $fixture, fill_in: [] } };
    ($fixture:expr, fill_in: $to_fill_in:tt) => {
        $crate::write_back_conformance! { @tests $fixture; $to_fill_in;
            a_registration_shows_its_irn_and_acknowledgement,
            a_bill_is_shown_as_it_stands,
            a_cancellation_is_shown_with_its_day,
            delivering_the_same_receipt_twice_changes_nothing,
            a_newer_revision_replaces_an_older_one,
            an_older_revision_after_a_newer_one_is_ignored,
            a_result_of_another_ledger_replaces_one_of_a_later_revision,
            an_unregistered_document_is_never_shown_as_registered,
            later_deliveries_keep_what_earlier_ones_wrote,
            delivering_nothing_is_nothing_done,
            what_was_delivered_survives_a_restart,
            reading_back_works_only_where_the_capability_says_so,
        }
    };
    (@tests $fixture:expr; $to_fill_in:tt; $($name:ident,)+) => {
        mod write_back_conformance {
            use super::*;
            $crate::mark_promises! { write_back_promise, write_back_suite, $to_fill_in }
            $(write_back_promise! { $name
                #[tokio::test]
                async fn $name() {
                    let fixture: Option<$crate::write_back_suite::WriteBackFixture> = ($fixture)().await.into();
                    if let Some(fixture) = fixture {
                        let shown = $crate::write_back_suite::$name(fixture).await;
                        $crate::promise::told(stringify!($name), shown);
                    }
                }
            })+
        }
    };
}
