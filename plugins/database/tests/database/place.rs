//! A database of a test's own: made under a unique name, dropped at the end.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

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

/// A database and the way to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Engine {
    pub(crate) dialect: Dialect,
    /// Over ODBC, with the driver of this name.
    pub(crate) driver: Option<&'static str>,
}

pub(crate) const SQLITE: Engine = Engine { dialect: Dialect::Sqlite, driver: None };
pub(crate) const POSTGRES: Engine = Engine { dialect: Dialect::Postgres, driver: None };
pub(crate) const MYSQL: Engine = Engine { dialect: Dialect::MySql, driver: None };
#[cfg(feature = "odbc")]
pub(crate) const SQLITE_ODBC: Engine = Engine { dialect: Dialect::Sqlite, driver: Some("SQLite3") };
#[cfg(feature = "odbc")]
pub(crate) const POSTGRES_ODBC: Engine = Engine { dialect: Dialect::Postgres, driver: Some("PostgreSQL Unicode") };
#[cfg(feature = "odbc")]
pub(crate) const MYSQL_ODBC: Engine = Engine { dialect: Dialect::MySql, driver: Some("MariaDB Unicode") };

/// What a test goes through.
#[cfg(not(feature = "odbc"))]
pub(crate) const ALL: [Engine; 3] = [SQLITE, POSTGRES, MYSQL];
#[cfg(feature = "odbc")]
pub(crate) const ALL: [Engine; 6] = [SQLITE, POSTGRES, MYSQL, SQLITE_ODBC, POSTGRES_ODBC, MYSQL_ODBC];

static NUMBER: AtomicU32 = AtomicU32::new(1);

/// A database of its own.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) dialect: Dialect,
    driver: Option<&'static str>,
    /// Its address without ODBC.
    pub(crate) url: String,
    server: String,
    name: String,
    folder: TempDir,
}

impl Place {
    /// An empty database; nothing where there is no server to make it on.
    pub(crate) fn empty(engine: Engine) -> Option<Self> {
        let Engine { dialect, driver } = engine;
        if !driver.is_none_or(crate::is_installed) {
            return None;
        }
        let folder = TempDir::new().unwrap();
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("einv_test_{}_{number}", std::process::id());
        let server = match dialect {
            Dialect::Sqlite => String::new(),
            Dialect::Postgres => server("EINVOICE_TEST_POSTGRES")?,
            _ => server("EINVOICE_TEST_MYSQL")?,
        };
        let url = match dialect {
            Dialect::Sqlite => "sqlite:books.db".to_owned(),
            Dialect::Postgres => {
                let mark = if server.contains('?') { '&' } else { '?' };
                format!("{server}{mark}application_name={name}&options[search_path]={name}")
            }
            _ => {
                let (start, _) = server.rsplit_once('/').unwrap();
                format!("{start}/{name}")
            }
        };
        let place = Self { dialect, driver, url, server, name, folder };
        match dialect {
            Dialect::Sqlite => drop(std::fs::File::create(place.file()).unwrap()),
            Dialect::Postgres => place.on_server(&format!("CREATE SCHEMA {}", place.name)),
            _ => place.on_server(&format!("CREATE DATABASE {} CHARACTER SET utf8mb4", place.name)),
        }
        Some(place)
    }

    /// With the staging tables.
    pub(crate) fn staged(engine: Engine) -> Option<Self> {
        let place = Self::empty(engine)?;
        place.run(&tables(engine.dialect));
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
        if let Some(driver) = self.driver {
            settings["url"] = json!(format!("odbc:Driver={{{driver}}};{}", self.attributes()));
            // PostgreSQL and MariaDB stand for the databases of which nothing is known but the standard.
            settings["dialect"] = json!(if self.dialect == Dialect::Sqlite { "sqlite" } else { "standard" });
        }
        let (Value::Object(all), Value::Object(more)) = (&mut settings, more) else { panic!("not an object") };
        all.extend(more);
        settings
    }

    /// The address as a connection string.
    fn attributes(&self) -> String {
        if self.dialect == Dialect::Sqlite {
            return format!("Database={};Timeout=10000", self.file().display());
        }
        let (_, rest) = self.url.split_once("://").unwrap();
        let (user, rest) = rest.rsplit_once('@').unwrap();
        let (server, database) = rest.split_once('/').unwrap();
        let database = database.split('?').next().unwrap();
        let (host, port) = server.split_once(':').unwrap_or((server, ""));
        let (user, password) = user.split_once(':').unwrap_or((user, ""));
        let port = match (port, self.dialect) {
            ("", Dialect::Postgres) => "5432",
            ("", _) => "3306",
            (port, _) => port,
        };
        assert_eq!(password, "", "tests over ODBC log in without a password");
        let whole = format!("Server={host};Port={port};Database={database};UID={user}");
        match self.dialect {
            Dialect::Postgres => {
                let name = &self.name;
                format!("{whole};ConnSettings={{SET search_path TO {name};SET application_name TO '{name}'}}")
            }
            // Names in double quotes, as the standard has them.
            _ => format!("{whole};INITSTMT=SET SESSION sql_mode=CONCAT(@@sql_mode,',ANSI_QUOTES')"),
        }
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

    /// A statement in standard SQL, in quotes that the database knows without being told to.
    pub(crate) fn in_own_quotes(&self, sql: &str) -> String {
        if self.dialect == Dialect::MySql { sql.replace('"', "`") } else { sql.to_owned() }
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
            _ => self.url.clone(),
        }
    }

    /// Columns of a table as text, ordered by the first of them. NULL is empty.
    pub(crate) fn rows(&self, columns: &[&str], rest: &str) -> Vec<Vec<String>> {
        let text = |column: &&str| match self.dialect {
            Dialect::Postgres => format!("COALESCE({column}::text, '')"),
            Dialect::Sqlite => format!("COALESCE(CAST({column} AS TEXT), '')"),
            _ => format!("COALESCE(CAST({column} AS CHAR), '')"),
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
                Dialect::Sqlite => {
                    all!(SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(&address)).await)
                }
                _ => all!(MySqlConnection::connect(&address).await),
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
            Dialect::Sqlite => {}
            _ => {
                self.on_server(&format!("SET SESSION lock_wait_timeout = 20; DROP DATABASE {}", self.name));
            }
        }
    }
}

/// The address of a server, or a word about what is not tested.
fn server(variable: &str) -> Option<String> {
    let address = std::env::var(variable).ok().filter(|address| !address.is_empty());
    if address.is_none() {
        skipped("EINVOICE_TEST_SERVERS_REQUIRED", &format!("{variable}, which is not set"));
    }
    address
}

/// Says once what is not tested; fails where a variable asks for all.
pub(crate) fn skipped(required: &str, what: &str) {
    static SAID: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    assert!(std::env::var(required).is_err(), "a test needs {what}");
    if SAID.lock().unwrap().insert(what.to_owned()) {
        // Past the capture of test output, so that it is seen although the test passes.
        std::io::stderr().write_all(format!("skipped: what needs {what}\n").as_bytes()).unwrap();
    }
}

fn execute(dialect: Dialect, address: &str, sql: &str) -> Result<(), sqlx::Error> {
    let (address, sql) = (address.to_owned(), AssertSqlSafe(sql.to_owned()));
    apart(async move {
        match dialect {
            Dialect::Postgres => PgConnection::connect(&address).await?.execute(sqlx::raw_sql(sql)).await.map(drop),
            Dialect::Sqlite => {
                let options = SqliteConnectOptions::new().filename(&address);
                SqliteConnection::connect_with(&options).await?.execute(sqlx::raw_sql(sql)).await.map(drop)
            }
            _ => MySqlConnection::connect(&address).await?.execute(sqlx::raw_sql(sql)).await.map(drop),
        }
    })
}

/// On a thread of its own, so that it can be used inside and outside of a runtime.
fn apart<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    std::thread::spawn(|| tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work))
        .join()
        .unwrap()
}
