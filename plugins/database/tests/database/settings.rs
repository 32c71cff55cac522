//! Settings: the examples are read, and mistakes are told by their key.

use einvoice_core::registry::{Registry, read_settings};
use einvoice_database::{DatabaseSource, DatabaseWriteBack, Dialect, WriteBackConfig};
use serde_json::{Value, json};

use crate::books;
use crate::place::{ALL, Place, SQLITE};

/// The settings of an example, without what the program itself reads.
fn example(text: &str, table: &str) -> Value {
    let all: Value = toml::from_str(text).unwrap();
    let mut settings = all[table][0].clone();
    for key in ["name", "plugin", "schedule"] {
        settings.as_object_mut().unwrap().remove(key);
    }
    settings
}

#[tokio::test]
async fn the_examples_work_as_they_stand_over_tables_as_they_are_printed() {
    let place = Place::staged(SQLITE).unwrap();
    place.run(&books::numbered(Dialect::Sqlite, 1));
    let registry = Registry::linked(Vec::new()).unwrap();
    let overview = registry.overview();
    let of = |table: &str| overview.iter().find(|line| line.name == "database" && line.role.table() == table).unwrap();
    let source = example(of("source").example, "source");
    registry.source("database", place.context("erp"), source).await.unwrap();
    let target = example(of("write_back").example, "write_back");
    registry.write_back("database", place.context("results"), target).await.unwrap();
}

#[tokio::test]
async fn a_database_that_lacks_what_the_settings_name_is_told_when_the_program_starts() {
    let registry = Registry::linked(Vec::new()).unwrap();
    for engine in ALL {
        let Some(place) = Place::empty(engine) else { continue };
        let build = |more| registry.source("database", place.context("erp"), place.settings(more));
        let error = build(json!({})).await.unwrap_err().to_string();
        assert!(error.contains("there is no table einv_header"), "{engine:?}: {error}");
        place.run("CREATE TABLE einv_header (doc_key varchar(20), status varchar(16), doc_no varchar(16))");
        place.run("CREATE TABLE einv_item (doc_key varchar(20), hsn_cd varchar(8))");
        let error = build(json!({})).await.unwrap_err().to_string();
        assert!(error.contains("has no column claimed_by") && error.contains("ALTER TABLE"), "{engine:?}: {error}");
        let statement = error.rsplit_once(": ").unwrap().1;
        place.run(&place.in_own_quotes(statement));
        let error = build(json!({"columns": {"rev": "edition"}})).await.unwrap_err().to_string();
        assert!(error.contains("claimed_at") || error.contains("edition"), "{engine:?}: {error}");
        let error = build(json!({"query": "SELECT nothing FROM einv_header"})).await.unwrap_err().to_string();
        assert!(error.contains("`query`") && error.contains("nothing"), "{engine:?}: {error}");
        let error = registry.write_back("database", place.context("results"), place.settings(json!({}))).await;
        assert!(error.unwrap_err().to_string().contains("there is no table einv_result"), "{engine:?}");
    }
}

#[test]
fn mistakes_are_told_by_their_key() {
    let place = Place::empty(SQLITE).unwrap();
    let source = |more: Value| {
        let context = place.context("erp");
        let built =
            read_settings(&context, place.settings(more)).and_then(|config| DatabaseSource::new(&context, config));
        built.unwrap_err().to_string()
    };
    let target = |more: Value| {
        let context = place.context("results");
        let config: WriteBackConfig = read_settings(&context, place.settings(more)).unwrap();
        DatabaseWriteBack::new(&context, config).unwrap_err().to_string()
    };
    assert_eq!(source(json!({"lease_seconds": 1})), "erp, key `lease_seconds`: found 1: write 60 to 86400");
    assert!(source(json!({"mapping": {"set": {"DocDtls.Nr": "x"}}})).contains("has no member Nr in DocDtls"));
    assert!(source(json!({"tables": "x"})).contains("unknown field `tables`"));
    assert!(target(json!({"leave_out": ["signed_q"]})).contains("did you mean signed_qr?"));
    assert!(target(json!({"leave_out": ["receipt"]})).contains("cannot be left out"));
    assert!(target(json!({"result_table": ""})).contains("receipt = \"EINV_RECEIPT\""));
}
