//! A database of a test's own: made under a unique name, dropped at the end.

use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Once};

use einvoice_core::clock::SystemClock;
use einvoice_core::entropy::SystemEntropy;
use einvoice_core::registry::BuildContext;
use einvoice_database::{DatabaseSource, DatabaseWriteBack, Dialect, tables};
use serde_json::{Value, json};
use sqlx::mysql::MySqlConnection;
use sqlx::postgres::PgConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, Row as _};
use tempfile::TempDir;

/// The dialects a test goes through.
pub(crate) const ALL: [Dialect; 3] = [Dialect::Sqlite, Dialect::Postgres, Dialect::MySql];

static NUMBER: AtomicU32 = AtomicU32::new(1);

/// A database of its own.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) dialect: Dialect,
    pub(crate) url: String,
    server: String,
    name: String,
    folder: TempDir,
}

impl Place {
    /// An empty database; nothing where there is no server to make it on.
    pub(crate) fn empty(dialect: Dialect) -> Option<Self> {
        let folder = TempDir::new().unwrap();
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("einv_test_{}_{number}", std::process::id());
        let server = match dialect {
            Dialect::Sqlite => String::new(),
            Dialect::Postgres => server("EINVOICE_TEST_POSTGRES")?,
            Dialect::MySql => server("EINVOICE_TEST_MYSQL")?,
        };
        let url = match dialect {
            Dialect::Sqlite => "sqlite:books.db".to_owned(),
            Dialect::Postgres => {
                let mark = if server.contains('?') { '&' } else { '?' };
                format!("{server}{mark}application_name={name}&options[search_path]={name}")
            }
            Dialect::MySql => {
                let (start, _) = server.rsplit_once('/').unwrap();
                format!("{start}/{name}")
            }
        };
        let place = Self { dialect, url, server, name, folder };
        match dialect {
            Dialect::Sqlite => drop(std::fs::File::create(place.file()).unwrap()),
            Dialect::Postgres => place.on_server(&format!("CREATE SCHEMA {}", place.name)),
            Dialect::MySql => place.on_server(&format!("CREATE DATABASE {} CHARACTER SET utf8mb4", place.name)),
        }
        Some(place)
    }

    /// With the staging tables.
    pub(crate) fn staged(dialect: Dialect) -> Option<Self> {
        let place = Self::empty(dialect)?;
        place.run(&tables(dialect));
        Some(place)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    fn file(&self) -> std::path::PathBuf {
        self.folder.path().join("books.db")
    }

    pub(crate) fn context(&self, name: &str) -> BuildContext {
        BuildContext::new(name, self.folder.path(), Arc::new(SystemClock), SystemEntropy::shared())
    }

    /// Settings with the address of this place.
    pub(crate) fn settings(&self, more: Value) -> Value {
        let mut settings = json!({"url": self.url, "connect_seconds": 5});
        let (Value::Object(all), Value::Object(more)) = (&mut settings, more) else { panic!("not an object") };
        all.extend(more);
        settings
    }

    pub(crate) fn source_with(&self, more: Value) -> DatabaseSource {
        let config = serde_json::from_value(self.settings(more)).unwrap();
        DatabaseSource::new(&self.context("erp"), config).unwrap()
    }

    pub(crate) fn write_back_with(&self, more: Value) -> DatabaseWriteBack {
        let config = serde_json::from_value(self.settings(more)).unwrap();
        DatabaseWriteBack::new(&self.context("results"), config).unwrap()
    }

    /// Runs statements.
    pub(crate) fn run(&self, sql: &str) {
        execute(self.dialect, &self.address(), sql).unwrap();
    }

    /// Runs statements as another user.
    pub(crate) fn try_run_at(&self, url: &str, sql: &str) -> Result<(), sqlx::Error> {
        execute(self.dialect, url, sql)
    }

    fn on_server(&self, sql: &str) {
        execute(self.dialect, &self.server, sql).unwrap();
    }

    fn address(&self) -> String {
        match self.dialect {
            Dialect::Sqlite => self.file().display().to_string(),
            Dialect::Postgres | Dialect::MySql => self.url.clone(),
        }
    }

    /// Columns of a table as text, ordered by the first of them. NULL is empty.
    pub(crate) fn rows(&self, columns: &[&str], rest: &str) -> Vec<Vec<String>> {
        let text = |column: &&str| match self.dialect {
            Dialect::Postgres => format!("COALESCE({column}::text, '')"),
            Dialect::MySql => format!("COALESCE(CAST({column} AS CHAR), '')"),
            Dialect::Sqlite => format!("COALESCE(CAST({column} AS TEXT), '')"),
        };
        let columns: Vec<String> = columns.iter().map(text).collect();
        let sql = format!("SELECT {} FROM {rest}", columns.join(", "));
        let (dialect, address) = (self.dialect, self.address());
        apart(async move {
            macro_rules! all {
                ($connection:expr) => {{
                    let mut connection = $connection.unwrap();
                    let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut connection).await.unwrap();
                    rows.iter().map(|row| (0..row.len()).map(|at| row.get::<String, usize>(at)).collect()).collect()
                }};
            }
            match dialect {
                Dialect::Postgres => all!(PgConnection::connect(&address).await),
                Dialect::MySql => all!(MySqlConnection::connect(&address).await),
                Dialect::Sqlite => {
                    all!(SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(&address)).await)
                }
            }
        })
    }

    /// The first column of rows.
    pub(crate) fn column(&self, column: &str, rest: &str) -> Vec<String> {
        self.rows(&[column], rest).into_iter().flatten().collect()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        match self.dialect {
            Dialect::Postgres => {
                self.on_server(&format!("SET lock_timeout = '20s'; DROP SCHEMA {} CASCADE", self.name));
            }
            Dialect::MySql => {
                self.on_server(&format!("SET SESSION lock_wait_timeout = 20; DROP DATABASE {}", self.name));
            }
            Dialect::Sqlite => {}
        }
    }
}

/// Says once for each server what is not tested.
static SAID: [Once; 2] = [Once::new(), Once::new()];

/// The address of a server, or a word about what is not tested.
fn server(variable: &str) -> Option<String> {
    let address = std::env::var(variable).ok().filter(|address| !address.is_empty());
    if address.is_none() {
        assert!(std::env::var("EINVOICE_TEST_SERVERS_REQUIRED").is_err(), "{variable} is not set");
        // Past the capture of test output, so that it is seen although the test passes.
        let said = format!("skipped: what needs {variable}, which is not set\n");
        let once = &SAID[usize::from(variable == "EINVOICE_TEST_MYSQL")];
        once.call_once(|| std::io::stderr().write_all(said.as_bytes()).unwrap());
    }
    address
}

fn execute(dialect: Dialect, address: &str, sql: &str) -> Result<(), sqlx::Error> {
    let (address, sql) = (address.to_owned(), AssertSqlSafe(sql.to_owned()));
    apart(async move {
        match dialect {
            Dialect::Postgres => PgConnection::connect(&address).await?.execute(sqlx::raw_sql(sql)).await.map(drop),
            Dialect::MySql => MySqlConnection::connect(&address).await?.execute(sqlx::raw_sql(sql)).await.map(drop),
            Dialect::Sqlite => {
                let options = SqliteConnectOptions::new().filename(&address);
                SqliteConnection::connect_with(&options).await?.execute(sqlx::raw_sql(sql)).await.map(drop)
            }
        }
    })
}

/// On a thread of its own, so that it can be used inside and outside of a runtime.
fn apart<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    std::thread::spawn(|| tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work))
        .join()
        .unwrap()
}
