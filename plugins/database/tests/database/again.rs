//! Rows that are queued again although they are registered: they are settled by the result that is there, wherever that
//! is, and what cannot tell is refused when the program starts.

use einvoice_core::registry::{Registry, read_settings};
use einvoice_core::source::{Acknowledgement, Disposition, InvoiceSource};
use einvoice_core::state::DocumentState;
use einvoice_core::write_back::{Delivery, WriteBack};
use einvoice_database::{DatabaseSource, DatabaseWriteBack};
use serde_json::{Value, json};

use crate::books;
use crate::place::{ALL, Engine, Place, SQLITE};
use crate::reading::read;
use crate::writing::receipt;

fn statuses(place: &Place) -> Vec<String> {
    place.column("status", "einv_header ORDER BY doc_key")
}

/// Reads what is due and tells of all of it that it is registered.
async fn registered(source: &DatabaseSource) -> Vec<String> {
    let read = read(source).await;
    assert_eq!((read.error.as_ref(), read.problems.len()), (None, 0));
    let told: Vec<Acknowledgement> = read
        .records
        .iter()
        .map(|record| Acknowledgement { reference: record.reference.clone(), disposition: Disposition::Done })
        .collect();
    source.acknowledge(&told).await.unwrap();
    read.keys().into_iter().map(str::to_owned).collect()
}

async fn delivered(target: &DatabaseWriteBack, keys: &[&str]) {
    for key in keys {
        let receipt = receipt(key, 1, DocumentState::Registered);
        assert_eq!(target.deliver(&[receipt]).await.unwrap(), [Delivery::Done], "{key}");
    }
}

/// Three rows are registered and the results of two of them written; then those are queued again.
async fn queued_again(engine: Engine, change: &str, source: &Value, target: &Value) -> Option<Place> {
    let place = Place::staged(engine)?;
    place.run(&books::numbered(place.dialect, 3));
    place.run(change);
    let reads = place.source_with(source.clone());
    assert_eq!(registered(&reads).await, ["K00001", "K00002", "K00003"], "{engine:?}");
    delivered(&place.write_back_with(target.clone()), &["K00001", "K00002"]).await;
    // The result of the third could not be delivered yet.
    assert_eq!(statuses(&place), ["DONE", "DONE", "CLAIMED"], "{engine:?}");
    place.run("UPDATE einv_header SET status = 'RETRY' WHERE doc_key <> 'K00003'");
    // Another process takes it up, as after a restart.
    let again = place.source_with(source.clone());
    let mut keys = registered(&again).await;
    keys.sort();
    assert_eq!(keys, ["K00001", "K00002", "K00003"], "{engine:?}");
    Some(place)
}

#[tokio::test]
async fn a_row_with_its_result_in_itself_is_done_again() {
    let columns = json!({"irn": "IRN_NO", "receipt": "got"});
    let source = json!({"result_table": "", "header_columns": columns});
    let target = json!({"result_table": "", "error_table": "", "header_columns": columns});
    let change = "ALTER TABLE einv_header ADD irn_no varchar(64) DEFAULT ''; ALTER TABLE einv_header ADD got integer";
    for engine in ALL {
        let Some(place) = queued_again(engine, change, &source, &target).await else { continue };
        assert_eq!(statuses(&place), ["DONE", "DONE", "CLAIMED"], "{engine:?}");
        // Its number was taken out by hand: nothing is there that makes it done.
        place.run("UPDATE einv_header SET status = 'RETRY', irn_no = ' ' WHERE doc_key = 'K00002'");
        registered(&place.source_with(source.clone())).await;
        assert_eq!(statuses(&place), ["DONE", "CLAIMED", "CLAIMED"], "{engine:?}");
    }
}

#[tokio::test]
async fn a_row_whose_result_has_a_column_of_another_name_is_done_again() {
    for (change, settings) in [
        ("ALTER TABLE einv_result RENAME COLUMN irn TO einv_irn", json!({"result_columns": {"irn": "EINV_IRN"}})),
        ("ALTER TABLE einv_result RENAME COLUMN irn TO unused", json!({"leave_out": ["irn"]})),
    ] {
        // The source takes over what both have a use for, and the acknowledgement tells where there is no IRN.
        let mut source = settings.clone();
        source.as_object_mut().unwrap().remove("leave_out");
        for engine in ALL {
            let Some(place) = queued_again(engine, change, &source, &settings).await else { continue };
            assert_eq!(statuses(&place), ["DONE", "DONE", "CLAIMED"], "{engine:?}, {change}");
        }
    }
}

#[tokio::test]
async fn a_place_that_can_tell_no_result_is_refused_at_the_start_with_what_to_set() {
    let registry = Registry::linked(Vec::new()).unwrap();
    for engine in ALL {
        let Some(place) = Place::staged(engine) else { continue };
        let build = |more: Value| registry.source("database", place.context("erp"), place.settings(more));
        place.run(
            "ALTER TABLE einv_result RENAME COLUMN irn TO einv_irn; ALTER TABLE einv_result DROP COLUMN ack_no;
             ALTER TABLE einv_result DROP COLUMN signed_qr; ALTER TABLE einv_header ADD irn_no varchar(64)",
        );
        let refused = [
            (json!({}), ["einv_result", "`result_columns`", "irn, ack_no or signed_qr"]),
            (json!({"result_columns": {"irn": "irn_nr"}}), ["einv_result", "irn_nr", "`result_columns`"]),
            (
                json!({"result_table": "elsewhere"}),
                ["there is no table elsewhere", "`result_table`", "`results_elsewhere"],
            ),
            (json!({"result_table": ""}), ["`header_columns`", "irn = ", "`results_elsewhere"]),
            (
                json!({"result_table": "", "header_columns": {"irn": "irn_nr"}}),
                ["einv_header", "irn_nr", "`header_columns`"],
            ),
            (
                json!({"result_table": "", "header_columns": {"receipt": "attempts"}}),
                ["`header_columns`", "irn = ", "row"],
            ),
        ];
        for (settings, parts) in refused {
            let error = build(settings.clone()).await.unwrap_err().to_string();
            for part in parts {
                assert!(error.contains(part), "{engine:?}, {settings}: {part} in {error}");
            }
        }
        for taken in [
            json!({"results_elsewhere": true}),
            json!({"result_columns": {"irn": "einv_irn"}}),
            json!({"header_columns": {"irn": "IRN_NO"}, "result_table": ""}),
            // Nothing is claimed, so nothing has to be settled.
            json!({"query": "SELECT * FROM einv_header", "item_table": "einv_item"}),
        ] {
            build(taken.clone()).await.unwrap_or_else(|error| panic!("{engine:?}, {taken}: {error}"));
        }
        // Looking settles nothing either.
        registry.source("database", place.context("erp").only_looking(), place.settings(json!({}))).await.unwrap();
    }
}

#[test]
fn fields_of_a_result_that_are_none_are_told_by_their_key() {
    let place = Place::empty(SQLITE).unwrap();
    for key in ["result_columns", "header_columns"] {
        let context = place.context("erp");
        let settings = place.settings(json!({key: {"signed_q": "x"}}));
        let built = read_settings(&context, settings).and_then(|config| DatabaseSource::new(&context, config));
        let error = built.unwrap_err().to_string();
        assert!(error.contains(&format!("key `{key}`")) && error.contains("did you mean signed_qr?"), "{error}");
    }
}
