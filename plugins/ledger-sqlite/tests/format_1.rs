//! A ledger that a program of format 1 left is brought up to date and goes on.
#![expect(clippy::unwrap_used, reason = "the helpers of a test fail as the test does")]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use einvoice_core::clock::ManualClock;
use einvoice_core::date::PortalTime;
use einvoice_core::ewb::{Birth, EwbNumber};
use einvoice_core::irn::{Irn, IrnRule};
use einvoice_core::job::{BillQuery, Cancellation, JobBook as _};
use einvoice_core::key::DocumentKey;
use einvoice_core::ledger::{AttemptOutcome, ClaimRequest, DocumentId, Ledger as _, Query, Work, WorkerId};
use einvoice_core::operation::{EwayBill, Registration, RegistrationStatus};
use einvoice_core::state::{DocumentState, EwbState};
use einvoice_core::verify::Proof;
use einvoice_ledger_sqlite::{IntegrityCheck, LedgerConfig, SqliteLedger};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection};

const FORMAT_1: &str = include_str!("../migrations/0001_ledger.sql");
const NUMBER: &str = "391009149369";

fn key(number: u32) -> DocumentKey {
    format!("{}/2026-27/INV/a/{number}", einvoice_testkit::documents::gstin(27, 1)).parse().unwrap()
}

fn time(text: &str) -> Option<PortalTime> {
    PortalTime::parse(text).ok()
}

fn outcome(number: u32, ewb: Option<EwayBill>) -> String {
    let registration = Box::new(Registration {
        ack_no: "112610000000001".to_owned(),
        ack_date: time("2026-11-05 12:00:30").unwrap(),
        irn: Irn::compute(&key(number), IrnRule::UpperCase),
        status: RegistrationStatus::Active,
        signed_invoice: None,
        signed_qr: None,
        ewb,
        remarks: None,
        info: Vec::new(),
        site: Some("NIC2".to_owned()),
    });
    let proof = Proof::Verified { kid: "AB12".to_owned() };
    serde_json::to_string(&AttemptOutcome::Registered { registration, proof }).unwrap()
}

/// Documents 1 and 2 are registered, the first with a bill; 3 was on its way when the program ended; 4 is ready.
async fn leave_a_ledger_of_format_1(path: &Path) {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
    let mut file = SqliteConnection::connect_with(&options).await.unwrap();
    let make = format!("BEGIN; {FORMAT_1} PRAGMA application_id = 1699311222; PRAGMA user_version = 1; COMMIT;");
    sqlx::raw_sql(AssertSqlSafe(make)).execute(&mut file).await.unwrap();
    sqlx::query("INSERT INTO subscription (target, source) VALUES ('books', '')").execute(&mut file).await.unwrap();
    for number in 1..5_u32 {
        let key = key(number);
        sqlx::query(
            "INSERT INTO document (id, source, label, document_key, key_upper, supplier, irn, search, state, revision, \
             content_hash, findings, received_at, changed_at, event) \
             VALUES (?1, 's', 'INV', ?2, ?3, ?4, ?5, '', 'ready', 1, x'01', '[]', 1, 1, 'received')",
        )
        .bind(number)
        .bind(key.to_string())
        .bind(key.to_string().to_uppercase())
        .bind(key.supplier.as_str())
        .bind(Irn::compute(&key, IrnRule::UpperCase).to_string())
        .execute(&mut file)
        .await
        .unwrap();
        sqlx::query(
            "INSERT INTO revision (document_id, number, content_hash, ready, payload_hash, findings, at, payload) \
             VALUES (?1, 1, x'01', 1, zeroblob(32), '[]', 1, CAST('{}' AS BLOB))",
        )
        .bind(number)
        .execute(&mut file)
        .await
        .unwrap();
        sqlx::query(
            "INSERT INTO reference (id, document_id, source, record_id, location, position, content_hash, attributes) \
             VALUES (?1, ?1, 's', ?1, 'day-book', '', x'01', '{}')",
        )
        .bind(number)
        .execute(&mut file)
        .await
        .unwrap();
    }
    for number in 1..4_u32 {
        sqlx::query(
            "INSERT INTO attempt (id, document_id, number, worker, route, site, gstin, payload_hash, at) \
             VALUES (?1, ?1, 1, 'w', 'nic', 'NIC1', ?2, zeroblob(32), 1)",
        )
        .bind(number)
        .bind(key(number).supplier.as_str())
        .execute(&mut file)
        .await
        .unwrap();
        let sent = "UPDATE document SET state = 'sent', last_attempt = id, events = 2, event = 'sent' WHERE id = ?1";
        sqlx::query(sent).bind(number).execute(&mut file).await.unwrap();
    }
    let valid_till = time("2026-11-06 23:59:00");
    let bill = EwayBill { number: NUMBER.to_owned(), date: time("2026-11-05 12:00:30"), valid_till };
    for (number, bill, state) in [(1, Some(bill), "active"), (2, None, "none")] {
        let reply =
            "INSERT INTO reply (id, document_id, attempt_id, kind, at, body) VALUES (?1, ?1, ?1, 'outcome', 1, ?2)";
        sqlx::query(reply).bind(number).bind(outcome(number, bill)).execute(&mut file).await.unwrap();
        sqlx::query(
            "UPDATE document SET state = 'registered', ewb_state = ?2, registration_reply = id, events = 3, \
             event = 'registered', receipt_revision = 1, receipt_state = 'registered' WHERE id = ?1",
        )
        .bind(number)
        .bind(state)
        .execute(&mut file)
        .await
        .unwrap();
    }
    let delivery = "INSERT INTO delivery (reference_id, target, revision, at) VALUES (1, 'archive', 1, 1)";
    sqlx::query(delivery).execute(&mut file).await.unwrap();
    file.close().await.unwrap();
}

#[tokio::test]
async fn a_ledger_of_format_1_keeps_everything_and_can_do_what_is_new() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    leave_a_ledger_of_format_1(&path).await;
    let config = LedgerConfig { path, integrity_check: IntegrityCheck::Full, ..LedgerConfig::default() };
    let clock = ManualClock::new("2026-11-05T06:30:00Z".parse().unwrap());
    let ledger = SqliteLedger::open(&config, Arc::new(clock.clone())).await.unwrap();
    let all = ledger.query(Query::default()).await.unwrap();
    let states: Vec<_> = all.iter().map(|one| (one.state, one.ewb_state)).collect();
    assert_eq!(
        states,
        [
            (DocumentState::Registered, EwbState::Active),
            (DocumentState::Registered, EwbState::None),
            (DocumentState::Unknown, EwbState::None),
            (DocumentState::Ready, EwbState::None),
        ]
    );
    // The bill that came with the registration is one to work on.
    let bills = ledger.bills(BillQuery { doc_no: Some("a/1".to_owned()), ..BillQuery::default() }).await.unwrap();
    let bill = bills.first().unwrap();
    let standing = &bill.standing;
    assert_eq!((bills.len(), standing.number), (1, EwbNumber::parse(NUMBER).unwrap()));
    assert_eq!((standing.state, standing.birth), (EwbState::Active, Birth::Irn));
    assert_eq!((standing.generated_by, standing.valid_till), (key(1).supplier, time("2026-11-06 23:59:00")));
    assert_eq!(standing.document.as_ref().map(|of| of.number.as_str()), Some("a/1"));
    assert_eq!((bill.document, bill.site.as_deref()), (Some(DocumentId(1)), Some("NIC2")));
    assert_eq!(all.first().unwrap().ewb.as_ref(), Some(standing));
    // Receipts and trails are what they were.
    let owed = ledger.pending_write_back("books", &[], 10).await.unwrap();
    assert_eq!(owed.iter().map(|one| (one.reference_id, one.revision)).collect::<Vec<_>>(), [(1, 1), (2, 1)]);
    let archived = ledger.pending_write_back("archive", &[], 10).await.unwrap();
    assert_eq!(archived.iter().map(|one| one.reference_id).collect::<Vec<_>>(), [2], "it has the first one");
    assert_eq!(ledger.audit(DocumentId(1)).await.unwrap().len(), 3);
    // And life goes on.
    let cancellation = Cancellation { at: None, reason: None, remark: None };
    ledger.learn_cancellation(DocumentId(1), cancellation).await.unwrap();
    assert_eq!(ledger.query(Query::default()).await.unwrap().first().unwrap().ewb_state, EwbState::Unknown);
    clock.advance(Duration::from_mins(10));
    let wish = |work| ClaimRequest {
        worker: WorkerId("w".to_owned()),
        work,
        limit: 9,
        lease: Duration::from_mins(1),
        skip_suppliers: std::collections::BTreeSet::new(),
    };
    assert_eq!(ledger.claim(wish(Work::Settle)).await.unwrap().first().unwrap().id, DocumentId(3));
    assert_eq!(ledger.claim(wish(Work::Send)).await.unwrap().first().unwrap().id, DocumentId(4));
}
