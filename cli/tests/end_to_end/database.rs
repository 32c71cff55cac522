//! From the tables of a database to the portal and back, killed between registration and result.
//!
//! Aim: each row is registered once, and its result stands in the database once, whatever a kill
//! cut off. Method: PostgreSQL, MariaDB and SQLite as they are, the emulator and the program as
//! processes of their own; the program is killed at moments drawn from a seed, and once more as soon
//! as the portal has taken documents whose results are not written. Bounded: a fixed number of kills
//! and documents, loopback only. Servers are those of `EINVOICE_TEST_POSTGRES` and
//! `EINVOICE_TEST_MYSQL`; what has none is skipped with a word.

use std::collections::BTreeMap;
use std::time::Duration;

use einvoice_core::identifier::Gstin;
use einvoice_database::Dialect;
use einvoice_testkit::documents::Recipe;
use serde_json::json;

use crate::assert_registered_once;
use crate::books;
use crate::place::{Engine, MYSQL, POSTGRES, Place, SQLITE};
use crate::process::{Emulator, Installation, Moments};

/// Documents for each supplier.
const DOCUMENTS: u32 = 30;
/// Runs that are killed at any moment.
const KILLS: u32 = 6;

/// IRN by key, as the database shows it; a result without an IRN is none.
fn results(place: &Place) -> BTreeMap<String, String> {
    let rows = place.rows(&["doc_key", "irn"], "einv_result WHERE irn IS NOT NULL ORDER BY 1");
    let count = rows.len();
    let results: BTreeMap<String, String> =
        rows.into_iter().map(|row| (row[0].clone(), row[1].trim().to_owned())).collect();
    assert_eq!(results.len(), count, "a row has two results");
    results
}

fn killed_in_between(engine: Engine) {
    let Some(place) = Place::staged(engine) else { return };
    let mut moments = Moments::from_environment();
    let emulator = Emulator::start();
    let mut rows = String::new();
    let mut keys = 0;
    for supplier in emulator.suppliers() {
        let supplier = Gstin::parse(&supplier).unwrap();
        for number in 1..=DOCUMENTS {
            keys += 1;
            let invoice = Recipe::numbered(number).by(supplier).invoice();
            rows.push_str(&books::insert(place.dialect, &format!("K{keys:05}"), &invoice));
        }
    }
    place.run(&format!("BEGIN; {rows} COMMIT;"));
    let url = match place.dialect {
        Dialect::Sqlite => format!("sqlite:{}", place.folder().join("books.db").display()),
        _ => place.url.clone(),
    };
    let installation = Installation::direct(&emulator).over_database(&url);

    let mut killed = 0;
    for _ in 0..KILLS {
        killed += u32::from(installation.run_and_kill(moments.next_within(Duration::from_millis(700))));
    }
    // The answers of some wait, so that a kill comes after the portal has taken them and before anybody knows.
    emulator.fault("generate_irn", &json!({"kind": "delay", "ms": 3_600_000}), 3);
    let before = emulator.calls("generate_irn");
    if results(&place).len() < keys && emulator.books().len() < keys {
        let mut run = installation.start_with(&[]);
        emulator.wait_for_calls("generate_irn", before + 1);
        run.kill().unwrap();
        run.wait().unwrap();
        killed += 1;
    }
    emulator.clear_faults();
    let (taken, shown) = (emulator.books().len(), results(&place).len());
    println!("{engine:?}: {killed} runs were killed; {taken} of {keys} registered and {shown} shown by then");
    assert!(killed > 0, "no run was killed: the moments are drawn too late");

    // Whatever the kills left is settled by asking, the rest is sent, and every result is written.
    let mut answer = installation.run();
    for _ in 0..3 {
        if answer.code == 0 {
            break;
        }
        answer = installation.run();
    }
    assert_eq!(answer.code, 0, "{engine:?}: {}", answer.text);
    assert_registered_once(&emulator, &installation, keys);
    let expected: Vec<String> = emulator.books().iter().map(|line| line["irn"].as_str().unwrap().to_owned()).collect();
    let mut shown: Vec<String> = results(&place).into_values().collect();
    shown.sort_unstable();
    let mut expected = expected;
    expected.sort_unstable();
    assert_eq!(shown, expected, "{engine:?}: the results are those that the portal holds");
    let statuses = place.rows(&["status", "count(*)"], "einv_header GROUP BY status");
    assert_eq!(statuses, [["DONE".to_owned(), keys.to_string()]], "{engine:?}");

    // One more run changes nothing.
    let sent = emulator.calls("generate_irn");
    assert_eq!(installation.run().code, 0);
    assert_eq!(emulator.calls("generate_irn"), sent, "{engine:?}: nothing is sent again");
}

#[test]
fn killed_between_registration_and_result_each_row_of_sqlite_has_its_result_once() {
    killed_in_between(SQLITE);
}

#[test]
fn killed_between_registration_and_result_each_row_of_postgresql_has_its_result_once() {
    killed_in_between(POSTGRES);
}

#[test]
fn killed_between_registration_and_result_each_row_of_mysql_has_its_result_once() {
    killed_in_between(MYSQL);
}
