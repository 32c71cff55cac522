//! Databases in a bad state: tables that vanish between two deliveries, files that may not be written.

use einvoice_core::source::InvoiceSource;
use einvoice_core::state::DocumentState;
use einvoice_core::write_back::{Delivery, WriteBack};
use serde_json::json;

use crate::books;
use crate::place::{ALL, Place, SQLITE};
use crate::reading::read;
use crate::writing::receipt;

#[tokio::test]
async fn a_result_table_that_vanishes_is_named_and_the_result_is_written_when_it_is_back() {
    for engine in ALL {
        let Some(place) = Place::staged(engine) else { continue };
        place.run("INSERT INTO einv_header (doc_key, status) VALUES ('A1', 'CLAIMED'), ('A2', 'CLAIMED')");
        let target = place.write_back_with(json!({}));
        let done = target.deliver(&[receipt("A1", 1, DocumentState::Registered)]).await.unwrap();
        assert_eq!(done, [Delivery::Done], "{engine:?}");
        place.run("ALTER TABLE einv_result RENAME TO einv_elsewhere");
        let second = [receipt("A2", 1, DocumentState::Registered)];
        for _ in 0..2 {
            let error = target.deliver(&second).await.unwrap_err().to_string();
            assert!(error.contains("einv_result") && error.contains("privileges"), "{engine:?}: {error}");
        }
        // Neither half of it was written.
        assert_eq!(place.column("status", "einv_header ORDER BY doc_key"), ["DONE", "CLAIMED"], "{engine:?}");
        place.run("ALTER TABLE einv_elsewhere RENAME TO einv_result");
        assert_eq!(target.deliver(&second).await.unwrap(), [Delivery::Done], "{engine:?}");
        assert_eq!(place.column("status", "einv_header ORDER BY doc_key"), ["DONE", "DONE"], "{engine:?}");
    }
}

#[tokio::test]
async fn a_database_that_may_not_be_written_is_told_and_can_be_read_by_a_query() {
    let Some(place) = Place::staged(SQLITE) else { return };
    place.run(&books::numbered(place.dialect, 2));
    let read_only = json!({"url": "sqlite:books.db?mode=ro"});
    let error = read(&place.source_with(read_only.clone())).await.error.unwrap();
    assert!(error.contains("books.db: attempt to write a readonly database"), "{error}");
    assert!(error.contains("let this user write there") && error.contains("read with `query`"), "{error}");
    let target = place.write_back_with(read_only);
    let error = target.deliver(&[receipt("K00001", 1, DocumentState::Registered)]).await.unwrap_err().to_string();
    assert!(error.contains("readonly") && error.contains("let this user write there"), "{error}");
    assert_eq!(place.column("status", "einv_header"), ["NEW", "NEW"]);
    let query = json!({
        "url": "sqlite:books.db?mode=ro", "query": "SELECT * FROM einv_header", "item_table": "einv_item",
    });
    let source = place.source_with(query);
    assert!(!source.capability().acknowledges);
    assert_eq!(read(&source).await.keys(), ["K00001", "K00002"]);
}
