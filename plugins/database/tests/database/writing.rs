//! Writing back: results and status together, what was changed meanwhile, and targets that do not fit.

use std::collections::BTreeMap;

use einvoice_core::date::PortalTime;
use einvoice_core::finding::Finding;
use einvoice_core::irn::{Irn, IrnRule};
use einvoice_core::key::DocumentKey;
use einvoice_core::ledger::LedgerId;
use einvoice_core::operation::{Registration, RegistrationStatus};
use einvoice_core::receipt::Receipt;
use einvoice_core::source::SourceRef;
use einvoice_core::state::{DocumentState, EwbState};
use einvoice_core::write_back::{Delivery, WriteBack};
use einvoice_database::DatabaseWriteBack;
use serde_json::json;

use crate::place::{ALL, MYSQL, POSTGRES, Place};

pub(crate) fn receipt(key: &str, revision: u32, state: DocumentState) -> Receipt {
    let document: DocumentKey = format!("29AAKCD4821F1ZM/2026-27/INV/{key}").parse().unwrap();
    let irn = Irn::compute(&document, IrnRule::UpperCase);
    let registration = (state == DocumentState::Registered).then(|| Registration {
        ack_no: "112610000000001".to_owned(),
        ack_date: PortalTime::parse("2026-11-22 10:15:00").unwrap(),
        irn,
        status: RegistrationStatus::Active,
        signed_invoice: Some("s".repeat(100_000)),
        signed_qr: Some("q".repeat(952)),
        ewb: None,
        remarks: None,
        info: Vec::new(),
        site: Some("NIC1".to_owned()),
    });
    let findings = match state {
        DocumentState::Invalid => vec![Finding::error("schema.length", "ItemList[0].Unit", "Unit is too short")],
        DocumentState::Refused => vec![Finding::error("portal.refused", "", "Duplicate IRN").with_code("2150")],
        _ => Vec::new(),
    };
    Receipt {
        ledger: Some(LedgerId("books".to_owned())),
        reference_id: 1,
        revision,
        source: "erp".to_owned(),
        reference: SourceRef {
            location: "einv_header".to_owned(),
            position: format!("doc_key {key}"),
            record_id: key.to_owned(),
        },
        attributes: BTreeMap::from([("rev".to_owned(), "1".to_owned())]),
        label: key.to_owned(),
        key: Some(document),
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

async fn done(target: &DatabaseWriteBack, receipts: &[Receipt]) {
    let deliveries = target.deliver(receipts).await.unwrap();
    assert!(deliveries.iter().all(|delivery| *delivery == Delivery::Done), "{deliveries:?}");
}

fn claimed(place: &Place, keys: &[&str]) {
    for key in keys {
        place.run(&format!("INSERT INTO einv_header (doc_key, status, claimed_by) VALUES ('{key}', 'CLAIMED', 'me')"));
    }
}

#[tokio::test]
async fn result_findings_and_status_are_written_together() {
    for engine in ALL {
        let Some(place) = Place::staged(engine) else { continue };
        claimed(&place, &["A1", "A2", "A3", "A4"]);
        let target = place.write_back_with(json!({"environment": "sandbox"}));
        let receipts = [
            receipt("A1", 1, DocumentState::Registered),
            receipt("A2", 1, DocumentState::Invalid),
            receipt("A3", 1, DocumentState::Refused),
            receipt("A4", 1, DocumentState::Unknown),
        ];
        done(&target, &receipts).await;
        let status = place.rows(&["status", "claimed_by"], "einv_header ORDER BY doc_key");
        let expected = [["DONE", ""], ["FAILED", ""], ["FAILED", ""], ["SENT", ""]];
        assert_eq!(status, expected, "{engine:?}");
        let columns = ["env", "rev", "ack_no", "irp", "length(signed_qr)", "length(signed_invoice)", "is_cancelled"];
        let result = place.rows(&columns, "einv_result WHERE doc_key = 'A1'");
        assert_eq!(result, [["sandbox", "1", "112610000000001", "NIC1", "952", "100000", "0"]], "{engine:?}");
        let errors = place.rows(&["doc_key", "source", "code", "rule", "field_path"], "einv_error ORDER BY doc_key");
        let expected = [
            ["A2", "validation", "", "schema.length", "ItemList[0].Unit"],
            ["A3", "irp", "2150", "portal.refused", ""],
        ];
        assert_eq!(errors, expected, "{engine:?}");
    }
}

#[tokio::test]
async fn a_row_that_was_changed_meanwhile_keeps_its_word_and_the_result_says_so() {
    for engine in ALL {
        let Some(place) = Place::staged(engine) else { continue };
        claimed(&place, &["A1", "A2", "A3"]);
        place.run("UPDATE einv_header SET rev = 2 WHERE doc_key = 'A1'");
        place.run("UPDATE einv_header SET rev = 2, status = 'NEW' WHERE doc_key = 'A2'");
        place.run("UPDATE einv_header SET status = 'RETRY' WHERE doc_key = 'A3'");
        let target = place.write_back_with(json!({}));
        let receipts = ["A1", "A2"].map(|key| receipt(key, 1, DocumentState::Registered));
        done(&target, &receipts).await;
        done(&target, &[receipt("A3", 1, DocumentState::Invalid)]).await;
        assert_eq!(place.column("status", "einv_header ORDER BY doc_key"), ["CLAIMED", "NEW", "RETRY"], "{engine:?}");
        assert_eq!(place.column("doc_key", "einv_result WHERE irn IS NOT NULL ORDER BY 1"), ["A1", "A2"]);
        let said = place.column("doc_key", "einv_error WHERE rule = 'database.row_changed' ORDER BY 1");
        assert_eq!(said, ["A1", "A2"], "{engine:?}");
    }
}

#[tokio::test]
async fn one_result_that_does_not_fit_does_not_hold_up_the_others() {
    for engine in [POSTGRES, MYSQL] {
        let Some(place) = Place::staged(engine) else { continue };
        claimed(&place, &["A1", "A2"]);
        let long = format!("K{}", "0".repeat(200));
        let mut misfit = receipt("A3", 1, DocumentState::Invalid);
        misfit.reference = SourceRef { location: "elsewhere".to_owned(), position: String::new(), record_id: long };
        let receipts =
            [receipt("A1", 1, DocumentState::Registered), misfit, receipt("A2", 1, DocumentState::Registered)];
        let deliveries = place.write_back_with(json!({})).deliver(&receipts).await.unwrap();
        let [Delivery::Done, Delivery::Failed { reason }, Delivery::Done] = deliveries.as_slice() else {
            panic!("{deliveries:?}");
        };
        assert!(reason.contains("einv_result.doc_key holds 128 characters, and this text has 201"), "{reason}");
        assert_eq!(place.column("status", "einv_header ORDER BY doc_key"), ["DONE", "DONE"], "{engine:?}");
    }
}

#[tokio::test]
async fn results_go_into_columns_of_the_row_itself_where_it_is_asked_for() {
    for engine in ALL {
        let Some(place) = Place::empty(engine) else { continue };
        place.run(
            "CREATE TABLE einv_header (doc_key varchar(20) PRIMARY KEY, state varchar(20), irn_no varchar(64), qr text, got integer);
             INSERT INTO einv_header (doc_key, state) VALUES ('A1', 'P');",
        );
        let settings = json!({
            "result_table": "", "error_table": "", "columns": {"status": "state"}, "status": {"done": "Y", "claimed": "P"},
            "header_columns": {"irn": "irn_no", "signed_qr": "QR", "receipt": "got"},
        });
        let target = place.write_back_with(settings.clone());
        let mut older = receipt("A1", 1, DocumentState::Registered);
        done(&target, &[receipt("A1", 2, DocumentState::Registered)]).await;
        older.registration = None;
        done(&target, &[older]).await;
        let irn = receipt("A1", 1, DocumentState::Registered).irn.unwrap().to_string();
        let rows = place.rows(&["state", "irn_no", "length(qr)", "got"], "einv_header");
        assert_eq!(rows, [["Y", irn.as_str(), "952", "2"]], "{engine:?}");
        let read = target.read_back(&[receipt("A1", 1, DocumentState::Registered).reference]).await.unwrap();
        assert_eq!(read[0].as_ref().unwrap()["irn"], irn);
        let gone = target.deliver(&[receipt("B9", 1, DocumentState::Registered)]).await.unwrap();
        let Delivery::Failed { reason } = &gone[0] else { panic!("{gone:?}") };
        assert!(reason.contains("einv_header has no row with doc_key B9"), "{reason}");
    }
}

/// What a ledger brings that is not the one of `receipt`.
fn of_another_ledger(key: &str, revision: u32, ack_no: &str) -> Receipt {
    let mut receipt = receipt(key, revision, DocumentState::Registered);
    receipt.ledger = Some(LedgerId("trial".to_owned()));
    ack_no.clone_into(&mut receipt.registration.as_mut().unwrap().ack_no);
    receipt
}

#[tokio::test]
async fn a_table_made_before_ledgers_were_told_apart_goes_by_the_acknowledgement() {
    for engine in ALL {
        let Some(place) = Place::staged(engine) else { continue };
        place.run("ALTER TABLE einv_result DROP COLUMN ledger");
        claimed(&place, &["A1"]);
        let target = place.write_back_with(json!({}));
        done(&target, &[of_another_ledger("A1", 3, "992610000000001")]).await;
        done(&target, &[receipt("A1", 1, DocumentState::Registered)]).await;
        let rows = || place.rows(&["receipt", "ack_no"], "einv_result");
        assert_eq!(rows(), [["1", "112610000000001"]], "{engine:?}");
        done(&target, &[receipt("A1", 2, DocumentState::Registered)]).await;
        done(&target, &[receipt("A1", 1, DocumentState::Registered)]).await;
        assert_eq!(rows(), [["2", "112610000000001"]], "{engine:?}");
    }
}

#[tokio::test]
async fn a_result_that_was_stored_before_ledgers_were_told_apart_is_replaced_by_another_registration_alone() {
    for engine in ALL {
        let Some(place) = Place::staged(engine) else { continue };
        claimed(&place, &["A1"]);
        let target = place.write_back_with(json!({}));
        done(&target, &[receipt("A1", 3, DocumentState::Registered)]).await;
        place.run("UPDATE einv_result SET ledger = NULL");
        done(&target, &[receipt("A1", 2, DocumentState::Registered)]).await;
        let rows = || place.rows(&["receipt", "ledger", "ack_no"], "einv_result");
        assert_eq!(rows(), [["3", "", "112610000000001"]], "{engine:?}");
        done(&target, &[of_another_ledger("A1", 1, "992610000000001")]).await;
        assert_eq!(rows(), [["1", "trial", "992610000000001"]], "{engine:?}");
    }
}

#[tokio::test]
async fn a_row_with_its_own_columns_tells_ledgers_apart_where_it_has_one_for_them() {
    for engine in ALL {
        let Some(place) = Place::empty(engine) else { continue };
        place.run(
            "CREATE TABLE einv_header (doc_key varchar(20) PRIMARY KEY, irn_no varchar(64), ack varchar(20), got integer,
             got_from varchar(64));
             INSERT INTO einv_header (doc_key) VALUES ('A1');",
        );
        let settings = json!({
            "result_table": "", "error_table": "",
            "header_columns": {"irn": "irn_no", "ack_no": "ack", "receipt": "got", "ledger": "got_from"},
        });
        let target = place.write_back_with(settings);
        done(&target, &[of_another_ledger("A1", 3, "992610000000001")]).await;
        done(&target, &[receipt("A1", 1, DocumentState::Registered)]).await;
        let rows = place.rows(&["got", "got_from", "ack"], "einv_header");
        assert_eq!(rows, [["1", "books", "112610000000001"]], "{engine:?}");
    }
}

#[tokio::test]
async fn the_state_of_a_bill_is_told_where_there_is_no_bill_yet() {
    for engine in ALL {
        let Some(place) = Place::staged(engine) else { continue };
        claimed(&place, &["A1", "A2", "A3"]);
        let with =
            |key: &str, state: EwbState| Receipt { ewb_state: state, ..receipt(key, 1, DocumentState::Registered) };
        let receipts = [with("A1", EwbState::Failed), with("A2", EwbState::Unknown), with("A3", EwbState::None)];
        done(&place.write_back_with(json!({})), &receipts).await;
        let rows = place.rows(&["ewb_state", "ewb_no"], "einv_result ORDER BY doc_key");
        assert_eq!(rows, [["failed", ""], ["unknown", ""], ["", ""]], "{engine:?}");
    }
}

#[tokio::test]
async fn columns_too_narrow_for_a_result_are_found_at_the_start_with_the_statement_that_widens_them() {
    for (engine, narrow) in [
        (
            POSTGRES,
            "ALTER TABLE einv_result ALTER COLUMN signed_qr TYPE varchar(255);
            ALTER TABLE einv_result DROP COLUMN irp; ALTER TABLE einv_result ALTER COLUMN irn TYPE char(32)",
        ),
        #[cfg(feature = "odbc")]
        (
            crate::place::POSTGRES_ODBC,
            "ALTER TABLE einv_result ALTER COLUMN signed_qr TYPE varchar(250);
            ALTER TABLE einv_result DROP COLUMN irp; ALTER TABLE einv_result ALTER COLUMN irn TYPE char(32)",
        ),
        (
            MYSQL,
            "ALTER TABLE einv_result MODIFY signed_qr varchar(255);
            ALTER TABLE einv_result DROP COLUMN irp; ALTER TABLE einv_result MODIFY irn char(32)",
        ),
    ] {
        let Some(place) = Place::staged(engine) else { continue };
        place.run(narrow);
        let error =
            place.write_back_with(json!({})).deliver(&[receipt("A1", 1, DocumentState::Invalid)]).await.unwrap_err();
        assert!(error.reason.contains("too narrow for 2000 characters"), "{error}");
        let (_, statements) = error.reason.split_once("; run: ").unwrap();
        // What it says to run is what mends it.
        place.run(statements);
        done(&place.write_back_with(json!({})), &[receipt("A1", 1, DocumentState::Registered)]).await;
    }
}
