//! The store keeps the promises of `CredentialStore` on every database, and its rows are bound to their places.
//!
//! Servers come from `EINVOICE_TEST_POSTGRES` and `EINVOICE_TEST_MYSQL`; what has no server says that it is skipped, and
//! fails where `EINVOICE_TEST_SERVERS_REQUIRED` is set.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a helper of a test fails the test, and says what it skips"
)]

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use einvoice_core::clock::SystemClock;
use einvoice_core::credential::{ApiUser, CredentialEntry, CredentialError, CredentialStore, UserScope};
use einvoice_core::entropy::SystemEntropy;
use einvoice_core::environment::{Environment, Product, RouteName};
use einvoice_core::identifier::Gstin;
use einvoice_core::registry::{BuildContext, Registry, read_settings};
use einvoice_core::secret::Secret;
use einvoice_core::session::SavedSession;
use einvoice_credentials_database as _;
use einvoice_testkit::credential_suite::CredentialHarness;
use serde_json::json;
use sqlx::mysql::MySqlConnection;
use sqlx::postgres::PgConnection;
use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};

/// Two keys that protect nothing.
const KEY: &str = "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=";
const OTHER_KEY: &str = "IR8eHRwbGhkYFxYVFBMSERAPDg0MCwoJCAcGBQQDAgE=";

static NUMBER: AtomicU32 = AtomicU32::new(1);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Engine {
    Sqlite,
    Postgres,
    MySql,
}

/// A database of its own, gone at the end.
struct Place {
    engine: Engine,
    url: String,
    server: String,
    name: String,
    folder: tempfile::TempDir,
}

fn private(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    #[cfg(unix)]
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
}

fn server(variable: &str) -> Option<String> {
    let found = std::env::var(variable).ok();
    if found.is_none() {
        assert!(std::env::var_os("EINVOICE_TEST_SERVERS_REQUIRED").is_none(), "{variable} is not set");
        println!("skipped: {variable} gives no server");
    }
    found
}

impl Place {
    async fn new(engine: Engine) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        private(&folder.path().join("master.key"), KEY);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("einv_cred_{}_{number}", std::process::id());
        let (server, url) = match engine {
            Engine::Sqlite => (String::new(), "sqlite:credentials.db".to_owned()),
            Engine::Postgres => {
                let server = server("EINVOICE_TEST_POSTGRES")?;
                let mark = if server.contains('?') { '&' } else { '?' };
                let url = format!("{server}{mark}options[search_path]={name}");
                (server, url)
            }
            Engine::MySql => {
                let server = server("EINVOICE_TEST_MYSQL")?;
                let (start, _) = server.rsplit_once('/').unwrap();
                let url = format!("{start}/{name}");
                (server, url)
            }
        };
        let place = Self { engine, url, server, name, folder };
        match engine {
            Engine::Sqlite => {}
            Engine::Postgres => place.on_server(format!("CREATE SCHEMA {}", place.name)).await,
            Engine::MySql => place.on_server(format!("CREATE DATABASE {}", place.name)).await,
        }
        Some(place)
    }

    async fn on_server(&self, sql: String) {
        match self.engine {
            Engine::Sqlite => {}
            Engine::Postgres => {
                let mut connection = PgConnection::connect(&self.server).await.unwrap();
                connection.execute(AssertSqlSafe(sql)).await.unwrap();
            }
            Engine::MySql => {
                let mut connection = MySqlConnection::connect(&self.server).await.unwrap();
                connection.execute(AssertSqlSafe(sql)).await.unwrap();
            }
        }
    }

    /// Does something to the tables, past the store.
    async fn run(&self, sql: &str) {
        let sql = AssertSqlSafe(sql.to_owned());
        match self.engine {
            Engine::Sqlite => {
                let url = format!("sqlite:{}", self.folder.path().join("credentials.db").display());
                SqliteConnection::connect(&url).await.unwrap().execute(sql).await.unwrap();
            }
            Engine::Postgres => drop(PgConnection::connect(&self.url).await.unwrap().execute(sql).await.unwrap()),
            Engine::MySql => drop(MySqlConnection::connect(&self.url).await.unwrap().execute(sql).await.unwrap()),
        }
    }

    async fn store(&self, more: serde_json::Value) -> Arc<dyn CredentialStore> {
        let mut settings = json!({"url": self.url, "master_key_file": "master.key"});
        for (key, value) in more.as_object().unwrap() {
            settings[key] = value.clone();
        }
        built(self.folder.path(), settings).await.unwrap()
    }

    fn write_keys(&self, keys: &[&str]) {
        private(&self.folder.path().join("master.key"), &keys.join("\n"));
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let sql = match self.engine {
            Engine::Sqlite => return,
            Engine::Postgres => format!("DROP SCHEMA {} CASCADE", self.name),
            Engine::MySql => format!("DROP DATABASE {}", self.name),
        };
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(self.on_server(sql));
            });
        });
    }
}

async fn built(folder: &Path, settings: serde_json::Value) -> Result<Arc<dyn CredentialStore>, String> {
    let registry = Registry::linked(Vec::new()).unwrap();
    let context = BuildContext::new("credentials", folder, SystemClock::shared(), SystemEntropy::shared());
    registry.credential_store("credentials-database", context, settings).await.map_err(|error| error.to_string())
}

struct Harness(Option<Place>);

#[async_trait]
impl CredentialHarness for Harness {
    async fn open(&self) -> Arc<dyn CredentialStore> {
        match &self.0 {
            Some(place) => place.store(json!({})).await,
            // Where there is no server, the promise is kept on SQLite once more, and the test has said so.
            None => panic!("there is no server"),
        }
    }

    async fn provide(&self, entry: CredentialEntry) {
        self.open().await.put(entry).await.unwrap();
    }
}

mod on_sqlite {
    use super::{Engine, Harness, Place};
    einvoice_testkit::credential_conformance!(Harness(Place::new(Engine::Sqlite).await));
}

mod on_postgres {
    use super::{Engine, Harness, Place};
    einvoice_testkit::credential_conformance!(match Place::new(Engine::Postgres).await {
        None => return Err(einvoice_testkit::promise::NotApplicable::because("there is no PostgreSQL")),
        place => Harness(place),
    });
}

mod on_mysql {
    use super::{Engine, Harness, Place};
    einvoice_testkit::credential_conformance!(match Place::new(Engine::MySql).await {
        None => return Err(einvoice_testkit::promise::NotApplicable::because("there is no MySQL")),
        place => Harness(place),
    });
}

fn scope(gstin: &str) -> UserScope {
    UserScope {
        gstin: Gstin::parse(gstin).unwrap(),
        product: Product::EInvoice,
        environment: Environment::Sandbox,
        route: RouteName::new("nic"),
    }
}

fn ours() -> UserScope {
    scope("29AAKCS4321Q1ZP")
}

fn entry(of: UserScope, password: &str) -> CredentialEntry {
    CredentialEntry::User(of, ApiUser { user_name: Secret::from("someone"), password: Secret::from(password) })
}

#[tokio::test]
async fn neither_names_nor_secrets_stand_in_the_tables() {
    let place = Place::new(Engine::Sqlite).await.unwrap();
    let store = place.store(json!({})).await;
    store.put(entry(ours(), "pass-word-77")).await.unwrap();
    let session = SavedSession {
        token: Secret::from("token-Vb55Rt"),
        sek: Secret::new(b"sek-of-thirty-two-bytes-Vb55Rt-x".to_vec()),
        app_key: Secret::new(vec![2; 32]),
        expires_at: "2026-11-05T12:00:00Z".parse().unwrap(),
        provider: None,
    };
    store.save_session(&ours(), &session).await.unwrap();
    let bytes = fs::read(place.folder.path().join("credentials.db")).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    assert!(text.contains("29AAKCS4321Q1ZP"), "the name of the row is what a row is found by");
    for hidden in ["someone", "pass-word", "Vb55Rt", KEY] {
        assert!(!text.contains(hidden), "{hidden} stands in the file");
    }
}

#[tokio::test]
async fn a_row_that_was_moved_or_brought_back_does_not_open() {
    for engine in [Engine::Sqlite, Engine::Postgres, Engine::MySql] {
        let Some(place) = Place::new(engine).await else { continue };
        let store = place.store(json!({})).await;
        store.put(entry(ours(), "first")).await.unwrap();
        let name = "user.sandbox.e_invoice.29AAKCS4321Q1ZP.nic";
        let other = name.replace("29AAKCS4321Q1ZP", "27AAKCS4321Q1ZT");
        let columns = "version, key_id, data_key, sealed";
        place.run(&format!("INSERT INTO einv_credential_entry (name, {columns}) SELECT '{other}', {columns} FROM einv_credential_entry")).await;
        let error = store.api_user(&scope("27AAKCS4321Q1ZT")).await.unwrap_err();
        assert!(matches!(error, CredentialError::Damaged { .. }), "{engine:?}: {error}");
        store.put(entry(ours(), "second")).await.unwrap();
        place.run(&format!("DELETE FROM einv_credential_entry WHERE name = '{name}'")).await;
        place.run(&format!("INSERT INTO einv_credential_entry (name, {columns}) SELECT '{name}', 2, key_id, data_key, sealed FROM einv_credential_entry")).await;
        let error = store.api_user(&ours()).await.unwrap_err();
        assert!(matches!(error, CredentialError::Damaged { .. }), "{engine:?}: an old version opened: {error}");
    }
}

#[tokio::test]
async fn a_new_master_key_takes_over_while_the_old_one_still_opens() {
    let place = Place::new(Engine::Sqlite).await.unwrap();
    place.store(json!({})).await.put(entry(ours(), "p")).await.unwrap();
    place.write_keys(&[OTHER_KEY]);
    let error = place.store(json!({})).await.api_user(&ours()).await.unwrap_err();
    assert!(matches!(error, CredentialError::Locked { .. }) && error.to_string().contains("further line"), "{error}");
    place.write_keys(&[OTHER_KEY, KEY]);
    let store = place.store(json!({})).await;
    assert_eq!(store.api_user(&ours()).await.unwrap().password, Secret::from("p"));
    store.put(entry(ours(), "q")).await.unwrap();
    place.write_keys(&[OTHER_KEY]);
    assert_eq!(place.store(json!({})).await.api_user(&ours()).await.unwrap().password, Secret::from("q"));
}

#[tokio::test]
async fn a_database_that_is_gone_is_a_matter_of_time_and_a_wrong_login_is_not() {
    let folder = tempfile::tempdir().unwrap();
    private(&folder.path().join("master.key"), KEY);
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for scheme in ["postgres", "mysql"] {
        let url = format!("{scheme}://nobody@127.0.0.1:{port}/books");
        let settings = json!({"url": url, "master_key_file": "master.key", "answer_seconds": 1});
        let error = built(folder.path(), settings).await.unwrap().api_user(&ours()).await.unwrap_err();
        assert!(matches!(error, CredentialError::Unreachable { .. }), "{error:?}");
        assert!(error.to_string().contains("books on 127.0.0.1"), "{error}");
    }
}

#[tokio::test]
async fn tables_are_not_made_where_that_is_not_wanted() {
    for engine in [Engine::Sqlite, Engine::Postgres, Engine::MySql] {
        let Some(place) = Place::new(engine).await else { continue };
        if engine == Engine::Sqlite {
            fs::write(place.folder.path().join("credentials.db"), "").unwrap();
        }
        let wary = place.store(json!({"create_tables": false})).await;
        let error = wary.list().await.unwrap_err();
        assert!(error.to_string().contains("create_tables"), "{engine:?}: {error}");
        place.store(json!({})).await.put(entry(ours(), "p")).await.unwrap();
        assert_eq!(wary.list().await.unwrap().len(), 1, "{engine:?}");
        place.run("UPDATE einv_credential_format SET format = 9").await;
        let error = place.store(json!({})).await.list().await.unwrap_err();
        assert!(error.to_string().contains("format 9"), "{engine:?}: {error}");
    }
}

#[tokio::test]
async fn workers_that_start_together_on_an_empty_database_all_work() {
    for engine in [Engine::Sqlite, Engine::Postgres, Engine::MySql] {
        let Some(place) = Place::new(engine).await else { continue };
        let mut workers = Vec::new();
        for number in 0..4 {
            let store = place.store(json!({})).await;
            let of = UserScope { route: RouteName::new(format!("route-{number}")), ..ours() };
            workers.push(tokio::spawn(async move { store.put(entry(of, "p")).await }));
        }
        for worker in workers {
            worker.await.unwrap().unwrap();
        }
        assert_eq!(place.store(json!({})).await.list().await.unwrap().len(), 4, "{engine:?}");
    }
}

#[tokio::test]
async fn what_opens_it_is_told_with_its_name_and_never_shown() {
    let place = Place::new(Engine::Sqlite).await.unwrap();
    place.write_keys(&["hunter2"]);
    let store = place.store(json!({})).await;
    let error = store.put(entry(ours(), "p")).await.unwrap_err().to_string();
    assert!(error.contains("no base64") && error.contains("openssl rand") && !error.contains("hunter2"), "{error}");
    for (settings, told) in [
        (json!({"url": "postgres://u:hunter2@h/d"}), "password_env"),
        (json!({"url": "oracle://h/d"}), "no address of a database"),
        (json!({"url": "sqlite:x", "answer_seconds": 0}), "answer_seconds"),
        (json!({}), "url"),
    ] {
        let error = built(place.folder.path(), settings).await.unwrap_err();
        assert!(error.contains(told) && !error.contains("hunter2"), "{error}");
    }
}

#[test]
fn the_example_is_a_configuration() {
    let table: toml::Table = toml::from_str(include_str!("../../examples/credentials.toml")).unwrap();
    let mut settings = table["credentials"].clone();
    settings.as_table_mut().unwrap().remove("plugin");
    let settings = serde_json::to_value(settings).unwrap();
    let context = BuildContext::new("credentials", ".", SystemClock::shared(), SystemEntropy::shared());
    read_settings::<einvoice_credentials_database::DatabaseConfig>(&context, settings).unwrap();
}
