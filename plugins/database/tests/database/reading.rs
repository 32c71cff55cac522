//! Reading: claims, leases, what becomes of a row, and rows that are bad.

use einvoice_core::number::{Amount, Quantity};
use einvoice_core::registry::read_settings;
use einvoice_core::source::{
    Acknowledgement, Disposition, InvoiceSource, Mapped, MappedDocument, SourceItem, SourceProblem, SourceRecord,
};
use einvoice_database::{DatabaseSource, Dialect};
use einvoice_testkit::documents::Recipe;
use futures_util::StreamExt as _;
use serde_json::json;

use crate::books;
use crate::place::{ALL, POSTGRES, Place, SQLITE};

#[derive(Debug, Default)]
pub(crate) struct Read {
    pub(crate) records: Vec<SourceRecord>,
    pub(crate) problems: Vec<SourceProblem>,
    pub(crate) error: Option<String>,
}

impl Read {
    pub(crate) fn keys(&self) -> Vec<&str> {
        self.records.iter().map(|record| record.reference.record_id.as_str()).collect()
    }
}

pub(crate) async fn read(source: &DatabaseSource) -> Read {
    let mut read = Read::default();
    let mut stream = match source.fetch(None).await {
        Ok(stream) => stream,
        Err(error) => return Read { error: Some(error.to_string()), ..read },
    };
    while let Some(item) = stream.next().await {
        match item {
            Ok(SourceItem::Record(record)) => read.records.push(record),
            Ok(SourceItem::Problem(problem)) => read.problems.push(problem),
            Ok(_) => {}
            Err(error) => read.error = Some(error.to_string()),
        }
    }
    read
}

fn document(source: &DatabaseSource, record: &SourceRecord) -> MappedDocument {
    match source.map(record) {
        Mapped::Document(document) => *document,
        other => panic!("no document: {other:?}"),
    }
}

fn rules(document: &MappedDocument) -> Vec<&str> {
    document.findings.iter().map(|finding| &*finding.rule).collect()
}

async fn tell(source: &DatabaseSource, told: &[(&SourceRecord, Disposition)]) {
    let told: Vec<Acknowledgement> = told
        .iter()
        .map(|(record, disposition)| Acknowledgement { reference: record.reference.clone(), disposition: *disposition })
        .collect();
    source.acknowledge(&told).await.unwrap();
}

fn statuses(place: &Place) -> Vec<String> {
    place.column("status", "einv_header ORDER BY doc_key")
}

#[tokio::test]
async fn a_row_becomes_the_very_document_it_was_written_from() {
    for engine in ALL {
        let Some(place) = Place::staged(engine) else { continue };
        let dialect = place.dialect;
        place.run(&books::numbered(dialect, 3));
        let source = place.source_with(json!({}));
        let read = read(&source).await;
        assert_eq!(read.keys(), ["K00001", "K00002", "K00003"], "{engine:?}");
        for (record, number) in read.records.iter().zip(1..) {
            let document = document(&source, record);
            assert_eq!(document.invoice.to_json(), Recipe::numbered(number).json(), "{engine:?}");
            assert_eq!(document.findings, [], "{engine:?}");
            assert_eq!(document.attributes["rev"], "1");
            let origin = &document.provenance["ItemList[1].HsnCd"];
            assert_eq!(origin, "column hsn_cd, einv_item, sl_no 2");
            assert_eq!(record.reference.to_string(), format!("einv_header, doc_key {}", record.reference.record_id));
        }
    }
}

#[tokio::test]
async fn amounts_keep_every_digit_they_have() {
    for engine in ALL {
        let Some(place) = Place::staged(engine) else { continue };
        let dialect = place.dialect;
        let mut invoice = Recipe::numbered(1).invoice();
        invoice.val_dtls.tot_inv_val = Amount::from_paise(9_999_999_999_999_999).into();
        place.run(&books::insert(dialect, "K1", &invoice));
        let source = place.source_with(json!({}));
        let read = read(&source).await;
        let total = document(&source, &read.records[0]).invoice.val_dtls.tot_inv_val.get().unwrap();
        assert_eq!(total.paise(), 9_999_999_999_999_999, "{engine:?}");
    }
}

#[tokio::test]
async fn two_workers_never_claim_the_same_row_and_together_all() {
    for engine in ALL {
        let Some(place) = Place::staged(engine) else { continue };
        let dialect = place.dialect;
        place.run(&books::numbered(dialect, 40));
        let worker = |name: &str| place.source_with(json!({"worker": name, "page_rows": 3}));
        let (first, second) = (worker("first"), worker("second"));
        let (one, two) = tokio::join!(read(&first), read(&second));
        assert_eq!((&one.error, &two.error), (&None, &None), "{engine:?}");
        let mut keys = [one.keys(), two.keys()].concat();
        keys.sort_unstable();
        let all: Vec<String> = (1..=40).map(|number| format!("K{number:05}")).collect();
        assert_eq!(keys, all, "{engine:?}");
        assert!(statuses(&place).iter().all(|status| status == "CLAIMED"));
        // Neither sees the other's rows, and each its own again after a restart.
        let again = read(&worker("first")).await;
        let mut before = one.keys();
        before.sort_unstable();
        assert_eq!(again.keys(), before, "{engine:?}");
    }
}

#[tokio::test]
async fn rows_of_a_dead_worker_are_claimed_after_the_lease_and_not_before() {
    for engine in ALL {
        let Some(place) = Place::staged(engine) else { continue };
        let dialect = place.dialect;
        place.run(&books::numbered(dialect, 2));
        assert_eq!(read(&place.source_with(json!({"worker": "dead"}))).await.records.len(), 2);
        let other = place.source_with(json!({"worker": "other", "lease_seconds": 60}));
        assert_eq!(read(&other).await.keys(), [""; 0], "{engine:?}");
        place.run("UPDATE einv_header SET claimed_at = '2026-01-01 00:00:00' WHERE doc_key = 'K00002'");
        assert_eq!(read(&other).await.keys(), ["K00002"], "{engine:?}");
        assert_eq!(place.column("attempts", "einv_header ORDER BY doc_key"), ["1", "2"]);
    }
}

#[tokio::test]
async fn a_worker_shows_a_sign_of_life_in_the_rows_it_reads_again() {
    for engine in ALL {
        let Some(place) = Place::staged(engine) else { continue };
        let dialect = place.dialect;
        place.run(&books::numbered(dialect, 1));
        let source = place.source_with(json!({}));
        read(&source).await;
        place.run("UPDATE einv_header SET claimed_at = '2026-01-01 00:00:00'");
        assert_eq!(read(&source).await.keys(), ["K00001"]);
        assert_ne!(place.column("claimed_at", "einv_header"), ["2026-01-01 00:00:00"], "{engine:?}");
    }
}

#[tokio::test]
async fn only_rows_that_are_due_are_claimed() {
    for engine in ALL {
        let Some(place) = Place::staged(engine) else { continue };
        let dialect = place.dialect;
        place.run(&books::numbered(dialect, 6));
        place.run(
            "UPDATE einv_header SET status = 'DONE' WHERE doc_key = 'K00001';
             UPDATE einv_header SET status = 'RETRY', next_try_at = '2026-01-01 00:00:00' WHERE doc_key = 'K00002';
             UPDATE einv_header SET status = 'RETRY', next_try_at = '2099-01-01 00:00:00' WHERE doc_key = 'K00003';
             UPDATE einv_header SET status = 'SENT' WHERE doc_key = 'K00004';
             UPDATE einv_header SET status = 'CANCEL_REQ' WHERE doc_key = 'K00005';",
        );
        let source = place.source_with(json!({"claim_max": 1}));
        assert_eq!(read(&source).await.keys(), ["K00006"], "{engine:?}");
        // What one run may claim is used up; the next goes on.
        assert_eq!(read(&source).await.keys(), ["K00006", "K00002"], "{engine:?}");
    }
}

#[tokio::test]
async fn what_became_of_a_row_is_written_into_its_status() {
    for engine in ALL {
        let Some(place) = Place::staged(engine) else { continue };
        let dialect = place.dialect;
        place.run(&books::numbered(dialect, 5));
        place.run("UPDATE einv_header SET inv_rm = 'Pro forma' WHERE doc_key = 'K00003'");
        place.run(
            "INSERT INTO einv_result (doc_key, env, receipt, irn) VALUES ('K00004', 'production', 1, 'an irn'),
             ('K00005', 'production', 1, NULL)",
        );
        let skip = json!([{"field": "inv_rm", "in": ["pro forma"], "reason": "pro_forma"}]);
        let source = place.source_with(json!({"mapping": {"skip": skip}}));
        let read = read(&source).await;
        let told: Vec<(&SourceRecord, Disposition)> = read
            .records
            .iter()
            .zip([
                Disposition::NeedsPerson,
                Disposition::Pending,
                Disposition::Done,
                Disposition::Done,
                Disposition::Done,
            ])
            .collect();
        tell(&source, &told).await;
        // The second is not settled; the result of the fifth could not be delivered yet: both are read again.
        let expected = ["FAILED", "CLAIMED", "SKIPPED", "DONE", "CLAIMED"];
        assert_eq!(statuses(&place), expected, "{engine:?}");
        tell(&source, &told).await;
        assert_eq!(statuses(&place), expected, "{engine:?}");
        let elsewhere = place.source_with(json!({"results_elsewhere": true}));
        tell(&elsewhere, &told[4..]).await;
        assert_eq!(statuses(&place)[4], "DONE", "{engine:?}");
    }
}

#[tokio::test]
async fn a_result_of_another_environment_settles_no_row() {
    for engine in ALL {
        let Some(place) = Place::staged(engine) else { continue };
        place.run(&books::numbered(place.dialect, 2));
        place.run(
            "INSERT INTO einv_result (doc_key, env, receipt, irn) VALUES ('K00001', 'sandbox', 1, 'an irn'),
             ('K00002', 'production', 1, 'an irn')",
        );
        let source = place.source_with(json!({}));
        let read = read(&source).await;
        let told: Vec<(&SourceRecord, Disposition)> =
            read.records.iter().map(|record| (record, Disposition::Done)).collect();
        tell(&source, &told).await;
        assert_eq!(statuses(&place), ["CLAIMED", "DONE"], "{engine:?}");
        tell(&place.source_with(json!({"environment": "sandbox"})), &told).await;
        assert_eq!(statuses(&place), ["DONE", "DONE"], "{engine:?}");
    }
}

#[tokio::test]
async fn what_is_due_can_be_looked_at_and_every_row_stays_as_it_is() {
    for engine in ALL {
        let Some(place) = Place::staged(engine) else { continue };
        place.run(&books::numbered(place.dialect, 5));
        place.run(
            "UPDATE einv_header SET status = 'DONE' WHERE doc_key = 'K00002';
             UPDATE einv_header SET status = 'RETRY' WHERE doc_key = 'K00003';
             UPDATE einv_header SET status = 'CLAIMED', claimed_by = 'gone', attempts = 1 WHERE doc_key = 'K00004';
             UPDATE einv_header SET status = 'CLAIMED', claimed_by = 'me', attempts = 1 WHERE doc_key = 'K00005';",
        );
        let columns = ["doc_key", "status", "claimed_by", "claimed_at", "attempts", "rev"];
        let rows = || place.rows(&columns, "einv_header ORDER BY doc_key");
        let before = rows();
        let config = read_settings(&place.context("erp"), place.settings(json!({"page_rows": 2, "worker": "me"})));
        let source = DatabaseSource::new(&place.context("erp").only_looking(), config.unwrap()).unwrap();
        let seen = read(&source).await;
        assert_eq!((seen.error.as_ref(), seen.problems.len()), (None, 0), "{engine:?}");
        // As a run would read them: its own, new ones, those to be tried again, those of a worker that is gone.
        assert_eq!(seen.keys(), ["K00005", "K00001", "K00003", "K00004"], "{engine:?}");
        tell(&source, &[(&seen.records[0], Disposition::NeedsPerson)]).await;
        assert_eq!(rows(), before, "{engine:?}");
        let claiming = place.source_with(json!({"worker": "me"}));
        assert_eq!(read(&claiming).await.keys(), seen.keys(), "{engine:?}");
        assert_ne!(rows(), before, "{engine:?}");
    }
}

#[tokio::test]
async fn a_row_that_somebody_queued_again_meanwhile_keeps_its_word() {
    for engine in ALL {
        let Some(place) = Place::staged(engine) else { continue };
        let dialect = place.dialect;
        place.run(&books::numbered(dialect, 1));
        let source = place.source_with(json!({}));
        let read = read(&source).await;
        place.run("UPDATE einv_header SET status = 'NEW', rev = 2");
        tell(&source, &[(&read.records[0], Disposition::NeedsPerson)]).await;
        assert_eq!(statuses(&place), ["NEW"], "{engine:?}");
    }
}

#[tokio::test]
async fn a_document_without_items_is_an_error_that_names_the_table_and_the_rest_goes_on() {
    for engine in ALL {
        let Some(place) = Place::staged(engine) else { continue };
        let dialect = place.dialect;
        place.run(&books::numbered(dialect, 2));
        place.run("DELETE FROM einv_item WHERE doc_key = 'K00001'");
        let source = place.source_with(json!({}));
        let read = read(&source).await;
        let bare = document(&source, &read.records[0]);
        assert_eq!(rules(&bare), ["database.no_items"], "{engine:?}");
        assert_eq!(bare.findings[0].message, "einv_item has no row for this document");
        assert_eq!(rules(&document(&source, &read.records[1])), [""; 0]);
    }
}

#[tokio::test]
async fn nulls_are_absent_and_padded_columns_lose_their_padding() {
    for engine in ALL {
        let Some(place) = Place::empty(engine) else { continue };
        place.run(
            "CREATE TABLE heads (id char(12) PRIMARY KEY, status char(10), claimed_by varchar(60), claimed_at timestamp NULL,
                bill char(16), day char(10), buyer_gstin char(20), trade char(30));
             CREATE TABLE bodies (id char(12), line integer, hsn_cd char(8), qty decimal(18, 6));
             INSERT INTO heads VALUES ('A 1', 'NEW', NULL, NULL, 'T/1   ', '05.11.26', '27AAACI1234E1Z6', '          ');
             INSERT INTO bodies VALUES ('A 1', 2, '8481', 1.500000);
             INSERT INTO bodies VALUES ('A 1', 1, '  ', NULL);",
        );
        let source = place.source_with(json!({
            "header_table": "heads", "item_table": "bodies", "key": "id", "line": "line",
            "mapping": {"set": {"DocDtls.No": "Bill", "DocDtls.Dt": "DAY", "BuyerDtls.TrdNm": "trade"}, "complete": false},
        }));
        let read = read(&source).await;
        assert_eq!(read.error, None, "{engine:?}");
        assert_eq!(read.keys(), ["A 1"], "{engine:?}");
        let invoice = document(&source, &read.records[0]).invoice;
        assert_eq!(invoice.doc_dtls.no.as_ref().unwrap().as_str(), "T/1", "{engine:?}");
        assert_eq!(invoice.doc_dtls.dt.get().unwrap().to_string(), "05/11/2026", "{engine:?}");
        assert!(invoice.buyer_dtls.trd_nm.is_absent() && invoice.item_list[0].qty.is_absent());
        assert_eq!(invoice.item_list[1].qty.get().unwrap().thousandths(), 1_500, "{engine:?}");
        tell(&source, &[(&read.records[0], Disposition::NeedsPerson)]).await;
        assert_eq!(place.column("status", "heads")[0].trim(), "FAILED", "{engine:?}");
    }
}

#[tokio::test]
async fn columns_of_binary_fractions_are_rounded_and_said() {
    for engine in ALL {
        let Some(place) = Place::staged(engine) else { continue };
        let dialect = place.dialect;
        place.run(&books::numbered(dialect, 1));
        place.run(match dialect {
            Dialect::Postgres => {
                "ALTER TABLE einv_item ALTER COLUMN tot_amt TYPE double precision;
                 ALTER TABLE einv_item ALTER COLUMN qty TYPE real;
                 UPDATE einv_item SET tot_amt = 0.1::float8 + 0.2::float8, qty = 16777.217"
            }
            Dialect::Sqlite => {
                "ALTER TABLE einv_item DROP COLUMN tot_amt; ALTER TABLE einv_item DROP COLUMN qty;
                 ALTER TABLE einv_item ADD COLUMN tot_amt double; ALTER TABLE einv_item ADD COLUMN qty real;
                 UPDATE einv_item SET tot_amt = 0.1 + 0.2, qty = 16777.217"
            }
            _ => {
                "ALTER TABLE einv_item MODIFY tot_amt double; ALTER TABLE einv_item MODIFY qty float;
                 UPDATE einv_item SET tot_amt = 0.1e0 + 0.2e0, qty = 16777.217"
            }
        });
        let source = place.source_with(json!({}));
        let read = read(&source).await;
        let document = document(&source, &read.records[0]);
        let item = &document.invoice.item_list[0];
        assert_eq!(item.tot_amt.get().map(Amount::paise), Some(30), "{engine:?} {:?}", item.tot_amt);
        assert_eq!(item.qty.get().map(Quantity::thousandths), Some(16_777_217), "{engine:?} {:?}", item.qty);
        let said = document.findings.iter().find(|finding| finding.rule == "database.float_column").unwrap();
        let found = said.found.as_deref().unwrap();
        assert!(found.contains("einv_item.tot_amt") && found.contains("einv_item.qty"), "{found}");
        assert!(!said.is_error());
    }
}

#[tokio::test]
async fn a_table_that_vanishes_is_named_and_the_rows_are_there_when_it_is_back() {
    for engine in ALL {
        let Some(place) = Place::staged(engine) else { continue };
        let dialect = place.dialect;
        place.run(&books::numbered(dialect, 4));
        let source = place.source_with(json!({"page_rows": 2}));
        let mut stream = source.fetch(None).await.unwrap();
        assert!(matches!(stream.next().await, Some(Ok(SourceItem::Record(_)))));
        place.run("ALTER TABLE einv_item RENAME TO einv_elsewhere");
        let error = loop {
            match stream.next().await {
                Some(Ok(_)) => {}
                Some(Err(error)) => break error.to_string(),
                None => panic!("the end of the stream hides the fault"),
            }
        };
        assert!(error.contains("einv_item") && error.contains("check the name and the privileges"), "{error}");
        assert!(stream.next().await.is_none(), "an error ends the stream");
        let gone = read(&source).await;
        assert!(gone.records.is_empty() && gone.error.is_some(), "{engine:?}");
        place.run("ALTER TABLE einv_elsewhere RENAME TO einv_item");
        assert_eq!(read(&source).await.records.len(), 4, "{engine:?}");
    }
}

#[tokio::test]
async fn a_value_that_is_no_text_is_reported_with_its_column_and_the_rest_is_read() {
    let Some(place) = Place::staged(SQLITE) else { return };
    place.run(&books::numbered(Dialect::Sqlite, 3));
    place.run("UPDATE einv_header SET buyer_lgl_nm = CAST(x'C328' AS TEXT) WHERE doc_key = 'K00002'");
    let source = place.source_with(json!({}));
    let read = read(&source).await;
    assert_eq!(read.keys(), ["K00001", "K00003"]);
    let finding = &read.problems[0].findings[0];
    assert_eq!(
        finding.to_string(),
        "einv_header, doc_key K00002: the value of einv_header.buyer_lgl_nm is no text in UTF-8 [database.unreadable]"
    );
}

#[tokio::test]
async fn a_value_that_makes_the_database_refuse_a_page_costs_one_document() {
    let Some(place) = Place::staged(POSTGRES) else { return };
    place.run(&books::numbered(Dialect::Postgres, 3));
    let query = "SELECT *, CASE WHEN doc_key = 'K00002' THEN (1 / (rev - 1))::text END AS bad FROM einv_header";
    let source = place.source_with(json!({
        "query": query, "item_table": "einv_item", "mapping": {"set": {"RefDtls.InvRm": "bad"}},
    }));
    let read = read(&source).await;
    assert_eq!((read.keys(), &read.error), (vec!["K00001", "K00003"], &None));
    assert!(read.problems[0].findings[0].message.contains("division by zero"), "{:?}", read.problems);
}

#[tokio::test]
async fn a_query_reads_any_schema_with_one_row_an_item() {
    for engine in ALL {
        let Some(place) = Place::empty(engine) else { continue };
        place.run(
            "CREATE TABLE sales (bill varchar(16), pos integer, hsn varchar(8), discount decimal(10, 2), sold varchar(10));
             INSERT INTO sales VALUES ('B/2', 2, '8481', NULL, '05/11/2026'), ('B/1', 1, '8482', 1, '05/11/2026'),
                ('B/2', 1, '8483', 2.5, '05/11/2026'), (NULL, 1, '8484', 3, '05/11/2026'), ('B/3', 1, '8485', 4, NULL);",
        );
        let source = place.source_with(json!({
            "query": "SELECT bill, pos, hsn, discount, sold FROM sales;", "key": "bill", "line": "pos", "page_rows": 1,
            "mapping": {"set": {"DocDtls.No": "bill", "DocDtls.Dt": "sold", "ItemList.HsnCd": "hsn"}, "complete": false},
        }));
        assert!(!source.capability().acknowledges);
        let read = read(&source).await;
        assert_eq!((&read.error, read.keys()), (&None, vec!["B/1", "B/2", "B/3"]), "{engine:?}");
        let invoice = document(&source, &read.records[1]).invoice;
        let lines: Vec<_> = invoice
            .item_list
            .iter()
            .map(|item| (item.hsn_cd.get().unwrap().to_string(), item.discount.get().map(Amount::paise)))
            .collect();
        // The second line has no discount, and does not take that of the first.
        assert_eq!(lines, [("8483".to_owned(), Some(250)), ("8481".to_owned(), None)], "{engine:?}");
        assert_eq!(invoice.val_dtls.discount.get(), None);
        let keyless = &read.problems[0].findings[0];
        assert_eq!(keyless.message, "1 rows of query have no bill and were not read", "{engine:?}");
    }
}

#[tokio::test]
async fn a_query_over_a_join_is_claimed_through_a_table_and_repeated_keys_are_said() {
    for engine in ALL {
        let Some(place) = Place::staged(engine) else { continue };
        let dialect = place.dialect;
        place.run(&books::numbered(dialect, 2));
        place.run(
            "CREATE TABLE party (doc_key varchar(20), nick varchar(50));
                   INSERT INTO party VALUES ('K00001', 'Malgudi'), ('K00002', 'one'), ('K00002', 'two')",
        );
        let source = place.source_with(json!({
            "query": "SELECT h.*, p.nick FROM einv_header h JOIN party p ON p.doc_key = h.doc_key",
            "item_table": "einv_item", "claim_table": "einv_header",
            "mapping": {"set": {"SellerDtls.TrdNm": "nick"}},
        }));
        let read = read(&source).await;
        assert_eq!((&read.error, read.keys()), (&None, vec!["K00001"]), "{engine:?}");
        assert_eq!(
            document(&source, &read.records[0]).invoice.seller_dtls.trd_nm.as_ref().map(|name| &**name),
            Some("Malgudi")
        );
        assert!(read.problems[0].findings[0].message.starts_with("query gives 2 rows with this doc_key"));
        assert_eq!(read.problems[0].reference.location, "einv_header");
        assert_eq!(statuses(&place), ["CLAIMED", "CLAIMED"], "{engine:?}");
    }
}

#[tokio::test]
async fn a_row_that_is_written_is_heard_of_and_one_that_was_written_during_a_reading_too() {
    let Some(place) = Place::staged(POSTGRES) else { return };
    // Channels belong to the whole database, so each test has one of its own.
    let trigger = place.column("pg_get_functiondef('einv_header_is_due'::regproc)", "(SELECT 1) AS one").remove(0);
    place.run(&trigger.replace("NOTIFY einv_header", &format!("NOTIFY {}", place.name())));
    let source = place.source_with(json!({"notify_channel": place.name()}));
    let heard = || tokio::time::timeout(std::time::Duration::from_secs(20), source.changed());
    read(&source).await;
    place.run(&books::numbered(Dialect::Postgres, 3));
    heard().await.unwrap();
    assert_eq!(read(&source).await.keys(), ["K00001", "K00002", "K00003"]);
    place.run(&books::insert(Dialect::Postgres, "K00004", &Recipe::numbered(4).invoice()));
    assert_eq!(read(&source).await.keys().len(), 4);
    heard().await.unwrap();
    // What einvoice itself writes into the rows is no news; nothing is waiting.
    let silent = tokio::time::timeout(std::time::Duration::from_millis(300), source.changed()).await;
    assert!(silent.is_err());
}
