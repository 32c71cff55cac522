//! Rows as a shelf: a row for each part of an entry, changed by comparing its version.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use einvoice_core::credential::shelf::{Part, Shelf, ShelfStore, Shelved};
use einvoice_core::credential::{CredentialError, CredentialStore};
use einvoice_core::entropy::SharedEntropy;
use einvoice_core::registry::{BuildContext, BuildError};
use sqlx::{AssertSqlSafe, Row as _};
use std::path::PathBuf;
use tokio::sync::OnceCell;

use crate::config::DatabaseConfig;
use crate::envelope::{MasterKeys, OpenError, Place, Sealed};
use crate::login::{Login, Pool};
use crate::tables::{self, Trouble};

/// Longest name that the tables hold.
const NAME_CHARACTERS_MAX: usize = 255;

/// Credentials in two tables.
pub struct DatabaseShelf {
    pool: Pool,
    shown: String,
    answer: Duration,
    create_tables: bool,
    master_key_file: Option<PathBuf>,
    master_key_env: String,
    entropy: SharedEntropy,
    keys: OnceCell<MasterKeys>,
    ready: OnceCell<()>,
}

impl fmt::Debug for DatabaseShelf {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The pool shows its options, and with them the password.
        formatter.debug_struct("DatabaseShelf").field("shown", &self.shown).finish_non_exhaustive()
    }
}

/// Runs a statement on whichever database it is. `$1` stands for the first value, as in PostgreSQL; the others write `?`.
macro_rules! on_pool {
    ($pool:expr, $sql:expr, [$($value:expr),*], $run:ident) => {{
        let sql: String = $sql;
        match $pool {
            Pool::Postgres(pool) => {
                let done = sqlx::query(AssertSqlSafe(sql))$(.bind($value))*.$run(pool).await;
                done.and_then(|done| on_pool!(@read $run, done))
            }
            Pool::MySql(pool) => {
                let done = sqlx::query(AssertSqlSafe(marks(&sql)))$(.bind($value))*.$run(pool).await;
                done.and_then(|done| on_pool!(@read $run, done))
            }
            Pool::Sqlite(pool) => {
                let done = sqlx::query(AssertSqlSafe(marks(&sql)))$(.bind($value))*.$run(pool).await;
                done.and_then(|done| on_pool!(@read $run, done))
            }
        }
    }};
    (@read execute, $done:expr) => { Ok($done.rows_affected()) };
    (@read fetch_optional, $done:expr) => {
        $done
            .map(|row| {
                Ok(Stored {
                    version: row.try_get(0)?,
                    sealed: Sealed { key_id: row.try_get(1)?, data_key: row.try_get(2)?, content: row.try_get(3)? },
                })
            })
            .transpose()
    };
    (@read fetch_all, $done:expr) => { $done.iter().map(|row| row.try_get(0)).collect::<Result<Vec<String>, _>>() };
}

/// Marks of values as MySQL and `SQLite` write them; no statement here has another dollar sign.
fn marks(sql: &str) -> String {
    (1..=6).fold(sql.to_owned(), |sql, number| sql.replace(&format!("${number}"), "?"))
}

struct Stored {
    version: i64,
    sealed: Sealed,
}

const fn table(part: Part) -> &'static str {
    match part {
        Part::Entry => "einv_credential_entry",
        Part::State => "einv_credential_state",
    }
}

impl DatabaseShelf {
    /// A shelf as configured; nothing is connected, and no master key is read before it is needed.
    ///
    /// # Errors
    /// Which key is wrong and what to write.
    pub fn new(context: &BuildContext, config: &DatabaseConfig) -> Result<Self, BuildError> {
        let Login { pool, shown } = Login::new(context, config)?;
        Ok(Self {
            pool,
            shown,
            answer: Duration::from_secs(config.answer_seconds),
            create_tables: config.create_tables,
            master_key_file: config.master_key_file.as_ref().map(|file| context.path(file)),
            master_key_env: config.master_key_env.clone(),
            entropy: Arc::clone(&context.entropy),
            keys: OnceCell::new(),
            ready: OnceCell::new(),
        })
    }

    async fn keys(&self) -> Result<&MasterKeys, CredentialError> {
        self.keys.get_or_try_init(|| async { self.read_keys() }).await
    }

    fn read_keys(&self) -> Result<MasterKeys, CredentialError> {
        let locked = |reason: String| CredentialError::Locked { store: self.shown(), reason };
        let keys = match &self.master_key_file {
            Some(file) => {
                let text = einvoice_secret_file::text(file, "file with the master key").map_err(locked)?;
                MasterKeys::read(&text, Arc::clone(&self.entropy))
            }
            None => {
                let text = einvoice_secret_file::from_file_or_variable(None, &self.master_key_env, "master key");
                MasterKeys::read(text.map_err(locked)?.expose(), Arc::clone(&self.entropy))
            }
        };
        keys.map_err(locked)
    }

    /// Makes sure that the tables are there, once, and bounds the time that a piece of work may take.
    async fn within<T>(&self, work: impl Future<Output = Result<T, sqlx::Error>> + Send) -> Result<T, CredentialError> {
        let late = || CredentialError::Unreachable {
            store: self.shown(),
            reason: format!("no answer within {} s; the next run tries again", self.answer.as_secs()),
        };
        // Once to connect and once to answer.
        let bounded = tokio::time::timeout(self.answer * 2, async {
            self.ready
                .get_or_try_init(|| tables::ready(&self.pool, self.create_tables))
                .await
                .map_err(|trouble| self.trouble(trouble))?;
            work.await.map_err(|error| self.fault(&error))
        });
        bounded.await.unwrap_or_else(|_| Err(late()))
    }

    fn trouble(&self, trouble: Trouble) -> CredentialError {
        match trouble {
            Trouble::Sql(error) => self.fault(&error),
            Trouble::Told(reason) => CredentialError::Locked { store: self.shown(), reason },
        }
    }

    fn fault(&self, error: &sqlx::Error) -> CredentialError {
        let store = self.shown();
        match error {
            sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::WorkerCrashed => CredentialError::Unreachable {
                store,
                reason: format!("{error}; whoever runs the database sees to it, and the next run goes on"),
            },
            sqlx::Error::Database(said) => {
                let code = said.code().unwrap_or_default();
                let is_login = code.starts_with("28") || ["3D000", "42501", "1044", "1045", "1142"].contains(&&*code);
                // The server is starting or going down.
                if code.starts_with("57P") {
                    return CredentialError::Unreachable { store, reason: said.message().to_owned() };
                }
                if is_login {
                    let reason = format!("{}: correct user, password or rights", said.message());
                    return CredentialError::Locked { store, reason };
                }
                CredentialError::Io { store, reason: said.message().to_owned(), source: None }
            }
            other => CredentialError::Io { store, reason: other.to_string(), source: None },
        }
    }

    fn open_error(&self, name: &str, error: OpenError) -> CredentialError {
        match error {
            OpenError::OtherKey(id) => CredentialError::Locked {
                store: self.shown(),
                reason: format!(
                    "{name} is locked with the master key {id}, which is not among those given; add it as a further line of \
                     the file with the master key"
                ),
            },
            OpenError::Damaged => CredentialError::Damaged {
                store: self.shown(),
                reason: format!("{name} is not what was written there: it was changed, moved or brought back by hand"),
            },
        }
    }

    fn fits(&self, name: &str) -> Result<(), CredentialError> {
        if name.len() <= NAME_CHARACTERS_MAX {
            return Ok(());
        }
        let reason = format!("{name} has more than {NAME_CHARACTERS_MAX} characters: give the route a shorter name");
        Err(CredentialError::Io { store: self.shown(), reason, source: None })
    }
}

#[async_trait]
impl Shelf for DatabaseShelf {
    fn shown(&self) -> String {
        format!("credential tables of {}", self.shown)
    }

    fn encrypted_at_rest(&self) -> bool {
        true
    }

    async fn read(&self, part: Part, name: &str) -> Result<Option<Shelved>, CredentialError> {
        let keys = self.keys().await?;
        let sql = format!("SELECT version, key_id, data_key, sealed FROM {} WHERE name = $1", table(part));
        let found = self.within(async { on_pool!(&self.pool, sql, [name], fetch_optional) }).await?;
        let Some(Stored { version, sealed }) = found else { return Ok(None) };
        let version = u64::try_from(version).map_err(|_| self.open_error(name, OpenError::Damaged))?;
        let opened = keys.open(Place { part, name, version }, &sealed);
        Ok(Some(Shelved { bytes: opened.map_err(|error| self.open_error(name, error))?, version }))
    }

    async fn write(&self, part: Part, name: &str, bytes: &[u8], seen: Option<u64>) -> Result<bool, CredentialError> {
        self.fits(name)?;
        let keys = self.keys().await?;
        let version = seen.unwrap_or_default() + 1;
        let locked = keys.lock(Place { part, name, version }, bytes);
        let failed = |reason| CredentialError::Io { store: self.shown(), reason, source: None };
        let Sealed { key_id, data_key, content } = locked.map_err(failed)?;
        let table = table(part);
        let (Ok(next), Ok(before)) = (i64::try_from(version), i64::try_from(seen.unwrap_or_default())) else {
            return Ok(false);
        };
        let done = self
            .within(async {
                let done = if seen.is_some() {
                    let sql = format!(
                        "UPDATE {table} SET version = $1, key_id = $2, data_key = $3, sealed = $4, changed_at = \
                         CURRENT_TIMESTAMP WHERE name = $5 AND version = $6"
                    );
                    on_pool!(&self.pool, sql, [next, &key_id, &data_key, &content, name, before], execute)
                } else {
                    let sql = format!(
                        "INSERT INTO {table} (version, key_id, data_key, sealed, name) VALUES ($1, $2, $3, $4, $5)"
                    );
                    on_pool!(&self.pool, sql, [next, &key_id, &data_key, &content, name], execute)
                };
                match done {
                    // Somebody else was first.
                    Err(sqlx::Error::Database(error)) if error.is_unique_violation() => Ok(0),
                    done => done,
                }
            })
            .await?;
        Ok(done == 1)
    }

    async fn delete(&self, part: Part, name: &str) -> Result<bool, CredentialError> {
        let sql = format!("DELETE FROM {} WHERE name = $1", table(part));
        let done = self.within(async { on_pool!(&self.pool, sql, [name], execute) }).await?;
        Ok(done > 0)
    }

    async fn names(&self, part: Part) -> Result<Vec<String>, CredentialError> {
        let sql = format!("SELECT name FROM {}", table(part));
        self.within(async { on_pool!(&self.pool, sql, [], fetch_all) }).await
    }
}

/// Makes the store of a configuration.
#[expect(clippy::unused_async, reason = "the registry awaits every build")]
pub(crate) async fn build(
    context: BuildContext,
    config: DatabaseConfig,
) -> Result<Arc<dyn CredentialStore>, BuildError> {
    let shelf = DatabaseShelf::new(&context, &config)?;
    Ok(Arc::new(ShelfStore::new(shelf, context.clock)))
}
