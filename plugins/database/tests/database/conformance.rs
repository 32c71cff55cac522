//! The contracts of source and write-back, kept by each database.

use std::future::{Ready, ready};
use std::sync::Arc;

use einvoice_testkit::source_suite::SourceFixture;
use einvoice_testkit::write_back_suite::{Shown, WriteBackFixture};
use serde_json::json;

use crate::books;
use crate::place::{Engine, MYSQL, POSTGRES, Place, SQLITE};

/// Two documents, and one that says it has more items than there are.
fn two_documents_and_a_torn_one(engine: Engine) -> Ready<Option<SourceFixture>> {
    let Some(place) = Place::staged(engine) else { return ready(None) };
    place.run(&books::numbered(engine.dialect, 3));
    place.run("UPDATE einv_header SET item_count = 7 WHERE doc_key = 'K00002'");
    let source = place.source_with(json!({"page_rows": 2}));
    ready(Some(SourceFixture::new(Arc::new(source), 2, 1).keeping(place)))
}

/// Everything that results have brought, by table and key.
fn shown(place: &Place) -> Shown {
    let results = [
        "doc_key",
        "env",
        "rev",
        "receipt",
        "ledger",
        "state",
        "irn",
        "ack_no",
        "ack_dt",
        "signed_qr",
        "signed_invoice",
        "ewb_no",
        "ewb_dt",
        "ewb_state",
        "is_cancelled",
        "cancel_dt",
        "cancel_reason",
        "updated_at",
    ];
    let errors = ["doc_key", "env", "seq", "receipt", "at", "severity", "rule", "field_path", "message", "fix"];
    let header = ["doc_key", "status", "claimed_by", "claimed_at"];
    let mut shown = Shown::new();
    for (table, columns) in [("einv_result", &results[..]), ("einv_error", &errors), ("einv_header", &header)] {
        for row in place.rows(columns, &format!("{table} ORDER BY 1")) {
            shown.insert(format!("{table}/{}/{}", row[0], row[2]), row.join("|").into_bytes());
        }
    }
    shown
}

fn an_empty_place(engine: Engine) -> Ready<Option<WriteBackFixture>> {
    let Some(place) = Place::staged(engine) else { return ready(None) };
    place.run("INSERT INTO einv_header (doc_key, status) VALUES ('record-1', 'CLAIMED'), ('record-2', 'CLAIMED')");
    let place = Arc::new(place);
    let (looked_at, reopened) = (Arc::clone(&place), Arc::clone(&place));
    let fixture = WriteBackFixture::new(Arc::new(place.write_back_with(json!({}))), move || shown(&looked_at))
        .reopened_by(move || Arc::new(reopened.write_back_with(json!({}))))
        .at("einv_header");
    ready(Some(fixture.keeping(place)))
}

macro_rules! conformance {
    ($name:ident, $engine:ident) => {
        mod $name {
            use super::*;

            einvoice_testkit::source_conformance!(|| two_documents_and_a_torn_one($engine));
            einvoice_testkit::write_back_conformance!(|| an_empty_place($engine));
        }
    };
}

conformance!(sqlite, SQLITE);
conformance!(postgres, POSTGRES);
conformance!(mysql, MYSQL);

#[cfg(feature = "odbc")]
mod odbc {
    use super::*;
    use crate::place::{MYSQL_ODBC, POSTGRES_ODBC, SQLITE_ODBC};

    conformance!(sqlite, SQLITE_ODBC);
    conformance!(postgres, POSTGRES_ODBC);
    conformance!(mysql, MYSQL_ODBC);
}
