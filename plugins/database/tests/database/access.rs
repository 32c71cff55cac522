//! Getting in: wrong passwords, servers that are not there, connections that break, and the least of privileges.

use einvoice_core::registry::read_settings;
use einvoice_core::source::{Acknowledgement, Disposition, InvoiceSource};
use einvoice_core::state::DocumentState;
use einvoice_core::write_back::{Delivery, WriteBack};
use einvoice_database::{DatabaseSource, DatabaseWriteBack, Dialect};
use serde_json::{Value, json};

use crate::books;
use crate::place::{ALL, MYSQL, POSTGRES, Place, SQLITE};
use crate::reading::read;
use crate::writing::receipt;

const PASSWORD: &str = "a Secret of 26 letters";

/// The same database for another user, whose password stands in a file.
fn settings_of(place: &Place, user: &str, password: &str) -> Value {
    let (scheme, rest) = place.url.split_once("://").unwrap();
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    std::fs::write(place.folder().join("password"), password).unwrap();
    json!({"url": format!("{scheme}://{user}@{host}"), "password_file": "password", "connect_seconds": 2})
}

fn source(place: &Place, settings: Value) -> DatabaseSource {
    let context = place.context("erp");
    let config = read_settings(&context, settings).unwrap();
    DatabaseSource::new(&context, config).unwrap()
}

#[tokio::test]
async fn a_wrong_password_is_told_without_telling_it() {
    for engine in [POSTGRES, MYSQL] {
        let Some(place) = Place::staged(engine) else { continue };
        let source = source(&place, settings_of(&place, "einv_nobody", PASSWORD));
        let error = read(&source).await.error.unwrap();
        assert!(error.contains("check user, password and database"), "{engine:?}: {error}");
        assert!(!error.contains(PASSWORD) && !format!("{source:?}").contains(PASSWORD), "{error}");
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_tried_again_by_the_next_run() {
    let Some(place) = Place::empty(SQLITE) else { return };
    for scheme in ["postgres", "mysql"] {
        // Nobody listens at port 1.
        let source = source(&place, json!({"url": format!("{scheme}://me@127.0.0.1:1/erp"), "connect_seconds": 1}));
        let error = read(&source).await.error.unwrap();
        assert!(error.contains("the next run tries again"), "{error}");
        let context = place.context("results");
        let config =
            read_settings(&context, json!({"url": format!("{scheme}://me@127.0.0.1:1/erp"), "connect_seconds": 1}));
        let target = DatabaseWriteBack::new(&context, config.unwrap()).unwrap();
        let error = target.deliver(&[receipt("A1", 1, DocumentState::Registered)]).await.unwrap_err();
        assert!(error.to_string().contains("the next run tries again"), "{error}");
    }
    let missing = source(&place, json!({"url": "sqlite:nowhere.db"}));
    let error = read(&missing).await.error.unwrap();
    assert!(error.contains("nowhere.db") && error.contains("unable to open database file"), "{error}");
}

#[tokio::test]
async fn a_server_that_went_away_between_two_pages_is_asked_again() {
    for engine in ALL.into_iter().filter(|engine| engine.dialect != Dialect::Sqlite) {
        let Some(place) = Place::staged(engine) else { continue };
        let dialect = place.dialect;
        place.run(&books::numbered(dialect, 6));
        let source = place.source_with(json!({"page_rows": 2}));
        let mut stream = source.fetch(None).await.unwrap();
        let mut seen = 0;
        while let Some(item) = futures_util::StreamExt::next(&mut stream).await {
            item.unwrap();
            seen += 1;
            if seen == 1 {
                end_connections(&place);
            }
        }
        assert_eq!(seen, 6, "{engine:?}");
        end_connections(&place);
        let target = place.write_back_with(json!({}));
        let done = target.deliver(&[receipt("K00001", 1, DocumentState::Registered)]).await.unwrap();
        assert_eq!(done, [Delivery::Done]);
        end_connections(&place);
        let done = target.deliver(&[receipt("K00002", 1, DocumentState::Registered)]).await.unwrap();
        assert_eq!(done, [Delivery::Done], "{engine:?}");
    }
}

#[cfg(feature = "odbc")]
#[tokio::test]
async fn a_wrong_login_over_odbc_is_told_without_the_password() {
    for engine in [crate::place::POSTGRES_ODBC, crate::place::MYSQL_ODBC] {
        let Some(place) = Place::staged(engine) else { continue };
        std::fs::write(place.folder().join("password"), PASSWORD).unwrap();
        let mut settings = place.settings(json!({"password_file": "password"}));
        let url = settings["url"].as_str().unwrap();
        let (start, rest) = url.split_once("UID=").unwrap();
        let (_, rest) = rest.split_once(';').unwrap();
        settings["url"] = json!(format!("{start}UID=einv_nobody;{rest}"));
        let source = source(&place, settings);
        let error = read(&source).await.error.unwrap();
        assert!(error.contains("check user, password and database"), "{engine:?}: {error}");
        assert!(!error.contains(PASSWORD) && !format!("{source:?}").contains(PASSWORD), "{error}");
    }
}

#[cfg(feature = "odbc")]
#[tokio::test]
async fn over_odbc_a_server_that_is_not_there_and_a_driver_that_is_not_are_told_apart() {
    let Some(place) = Place::empty(crate::place::POSTGRES_ODBC) else { return };
    let error = |driver: &str| {
        let url = format!("odbc:Driver={{{driver}}};Server=127.0.0.1;Port=1;Database=erp;UID=me");
        let source = source(&place, json!({"url": url, "dialect": "standard"}));
        async move { read(&source).await.error.unwrap() }
    };
    let away = error("PostgreSQL Unicode").await;
    assert!(away.contains("the next run tries again"), "{away}");
    let missing = error("No Such Driver").await;
    assert!(missing.contains("install the driver") && missing.contains("odbcinst -q -d"), "{missing}");
}

/// Ends every connection into this place, as a server does that is started again.
fn end_connections(place: &Place) {
    if place.dialect == Dialect::Postgres {
        let own = "pg_terminate_backend(pid)";
        let of = format!("pg_stat_activity WHERE pid <> pg_backend_pid() AND application_name = '{}'", place.name());
        assert!(!place.column(own, &of).is_empty(), "there was a connection to end");
        return;
    }
    let own = format!("information_schema.processlist WHERE db = '{}' AND id <> connection_id()", place.name());
    let ids = place.column("id", &own);
    assert!(!ids.is_empty(), "there was a connection to end");
    for id in ids {
        // One that ended by itself meanwhile cannot be ended.
        let _ended = place.try_run_at(&place.url, &format!("KILL {id}"));
    }
}

/// A dry run asks for nothing but to read.
#[tokio::test]
async fn what_is_due_can_be_looked_at_by_one_who_may_only_read() {
    for engine in [SQLITE, POSTGRES, MYSQL] {
        let Some(place) = Place::staged(engine) else { continue };
        place.run(&books::numbered(place.dialect, 3));
        let (user, name) = (format!("r{}", place.name()), place.name());
        let settings = match place.dialect {
            Dialect::Sqlite => json!({"url": "sqlite:books.db?mode=ro"}),
            Dialect::Postgres => {
                place.run(&format!(
                    "CREATE ROLE {user} LOGIN PASSWORD '{PASSWORD}'; GRANT USAGE ON SCHEMA {name} TO {user};
                     GRANT SELECT ON einv_header, einv_item TO {user}"
                ));
                settings_of(&place, &user, PASSWORD)
            }
            _ => {
                place.run(&format!(
                    "CREATE USER '{user}'@'%' IDENTIFIED BY '{PASSWORD}'; GRANT SELECT ON {name}.* TO '{user}'@'%'"
                ));
                settings_of(&place, &user, PASSWORD)
            }
        };
        let context = place.context("erp").only_looking();
        let looking = DatabaseSource::new(&context, read_settings(&context, settings.clone()).unwrap()).unwrap();
        let seen = read(&looking).await;
        assert_eq!((seen.error, seen.records.len()), (None, 3), "{engine:?}");
        let claiming = source(&place, settings);
        assert!(read(&claiming).await.error.is_some(), "{engine:?} lets a reader claim");
        drop((looking, claiming));
        match place.dialect {
            Dialect::Sqlite => {}
            Dialect::Postgres => place.run(&format!("DROP OWNED BY {user}; DROP ROLE {user}")),
            _ => place.run(&format!("DROP USER '{user}'@'%'")),
        }
    }
}

/// The privileges that the README lists, and not one more.
#[tokio::test]
async fn the_privileges_that_are_documented_are_enough() {
    for engine in [POSTGRES, MYSQL] {
        let Some(place) = Place::staged(engine) else { continue };
        let dialect = place.dialect;
        place.run(&books::numbered(dialect, 3));
        let (user, name) = (format!("u{}", place.name()), place.name());
        let readme = include_str!("../../README.md");
        let block = match dialect {
            Dialect::Postgres => "<!-- postgres -->",
            _ => "<!-- mysql -->",
        };
        let grants = readme.split_once(block).unwrap().1.split_once("```sql").unwrap().1.split_once("```").unwrap().0;
        match dialect {
            Dialect::Postgres => place.run(&format!(
                "CREATE ROLE {user} LOGIN PASSWORD '{PASSWORD}'; {}",
                grants.replace("SCHEMA erp", &format!("SCHEMA {name}")).replace("einvoice;", &format!("{user};"))
            )),
            _ => place.run(&format!(
                "CREATE USER '{user}'@'%' IDENTIFIED BY '{PASSWORD}'; {}",
                grants.replace("erp.", &format!("{name}.")).replace("'einvoice'", &format!("'{user}'"))
            )),
        }
        let settings = settings_of(&place, &user, PASSWORD);
        let source = source(&place, settings.clone());
        let read = read(&source).await;
        assert_eq!((read.error, read.records.len()), (None, 3), "{engine:?}");
        let context = place.context("results");
        let target = DatabaseWriteBack::new(&context, read_settings(&context, settings.clone()).unwrap()).unwrap();
        for revision in 1..=2 {
            let receipts = [
                receipt("K00001", revision, DocumentState::Registered),
                receipt("K00002", revision, DocumentState::Invalid),
            ];
            let done = target.deliver(&receipts).await.unwrap();
            assert_eq!(done, [Delivery::Done, Delivery::Done], "{engine:?}");
        }
        let reference = read.records[2].reference.clone();
        source.acknowledge(&[Acknowledgement { reference, disposition: Disposition::NeedsPerson }]).await.unwrap();
        assert_eq!(place.column("status", "einv_header ORDER BY doc_key"), ["DONE", "FAILED", "FAILED"], "{engine:?}");
        let url = settings["url"].as_str().unwrap().replace('@', &format!(":{}@", PASSWORD.replace(' ', "%20")));
        place.try_run_at(&url, "SELECT 1 FROM einv_header").unwrap();
        for forbidden in [
            "DELETE FROM einv_header",
            "UPDATE einv_header SET doc_no = 'X'",
            "UPDATE einv_item SET qty = 1",
            "DELETE FROM einv_result",
        ] {
            assert!(place.try_run_at(&url, forbidden).is_err(), "{engine:?} allows {forbidden}");
        }
        drop((source, target));
        match dialect {
            Dialect::Postgres => place.run(&format!("DROP OWNED BY {user}; DROP ROLE {user}")),
            _ => place.run(&format!("DROP USER '{user}'@'%'")),
        }
    }
}
