//! The write-back: receipts to results, findings and the status of rows.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use einvoice_core::receipt::Receipt;
use einvoice_core::registry::{BuildContext, BuildError};
use einvoice_core::source::SourceRef;
use einvoice_core::write_back::{Delivery, WriteBack, WriteBackCapability, WriteBackError, WriteBackWay};

use crate::config::WriteBackConfig;
use crate::fault::Fault;
use crate::login::{Keys, Login};
use crate::pool::Database;
use crate::result::{CAPABILITY, field, no_field};
use crate::statement::Statement;
use crate::target::Target;
use crate::write::{BATCH, Writing, in_environment};

/// How results reach the books; there is no other way.
pub(crate) const WAY: WriteBackWay =
    WriteBackWay { settings: "", note: "result, findings and status of the row in one transaction of its database" };

/// Writes results into a database.
#[derive(Debug)]
pub struct DatabaseWriteBack {
    database: Database,
    config: WriteBackConfig,
    capability: WriteBackCapability,
    /// Made of what the database has; forgotten when a statement fails, as a table may have changed.
    target: Mutex<Option<Arc<Target>>>,
}

impl DatabaseWriteBack {
    /// A target by its settings. Nothing is connected yet.
    ///
    /// # Errors
    /// [`BuildError`] when a setting is wrong.
    pub fn new(context: &BuildContext, config: WriteBackConfig) -> Result<Self, BuildError> {
        let wrong = |key: &str, reason: String| BuildError::new(format!("{}, key `{key}`", context.name), reason);
        for (key, name) in config
            .result_columns
            .keys()
            .map(|name| ("result_columns", name))
            .chain(config.leave_out.iter().map(|name| ("leave_out", name)))
            .chain(config.header_columns.keys().map(|name| ("header_columns", name)))
        {
            if field(name).is_none() {
                return Err(wrong(key, no_field(name)));
            }
        }
        if config.leave_out.iter().any(|name| name == "receipt") {
            return Err(wrong("leave_out", "`receipt` tells which result is there and cannot be left out".to_owned()));
        }
        if config.result_table.is_empty() && !config.header_columns.contains_key("receipt") {
            let reason = "without a result_table the row itself must tell which result it has: name a column of whole \
                          numbers, as in receipt = \"EINV_RECEIPT\"";
            return Err(wrong("header_columns", reason.to_owned()));
        }
        let login = Login::new(
            context,
            Keys {
                address: einvoice_database_login::Keys {
                    url: &config.url,
                    url_env: &config.url_env,
                    password_env: &config.password_env,
                    password_file: &config.password_file,
                },
                connect_seconds: config.connect_seconds,
                answer_seconds: config.answer_seconds,
                dialect: &config.dialect,
            },
        )?;
        let stores = |name: &str| {
            let in_results = !config.result_table.is_empty() && !config.leave_out.iter().any(|left| left == name);
            in_results || config.header_columns.contains_key(name)
        };
        let mut fields: Vec<&'static str> =
            CAPABILITY.iter().filter(|(name, _)| stores(name)).map(|(_, capability)| *capability).collect();
        if !config.error_table.is_empty() {
            fields.push("findings");
        }
        Ok(Self {
            database: Database::new(&login),
            capability: WriteBackCapability::new(false, true, BATCH, fields, WAY.note),
            config,
            target: Mutex::new(None),
        })
    }

    async fn look(&self) -> Result<Arc<Target>, Fault> {
        if let Some(target) = &*self.target.lock().unwrap_or_else(PoisonError::into_inner) {
            return Ok(Arc::clone(target));
        }
        let target = self.database.within(Target::find(&self.database, &self.config)).await?;
        let target = Arc::new(target);
        *self.target.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&target));
        Ok(target)
    }

    fn failed(&self, fault: Fault) -> WriteBackError {
        *self.target.lock().unwrap_or_else(PoisonError::into_inner) = None;
        fault.into_write_back(&self.database.shown)
    }

    /// Writes receipts in one transaction: all of them or none.
    async fn write(&self, target: &Target, receipts: &[Receipt]) -> Result<(), Fault> {
        let work = async {
            let transaction = self.database.changing().await?;
            let dialect = self.database.dialect;
            let mut writing = Writing::new(transaction, dialect, target, &self.config);
            let result = writing.write_all(receipts).await;
            // Waited for, so that the locks are gone when the next transaction begins.
            match result {
                Ok(()) => writing.transaction.commit().await,
                Err(fault) => {
                    // A database without room has undone everything by itself, and says so; the first reason is the one.
                    if let Err(undone) = writing.transaction.rollback().await {
                        tracing::debug!(reason = undone.reason, "a transaction could not be undone once more");
                    }
                    Err(fault)
                }
            }
        };
        self.database.within(work).await
    }

    /// What the results hold of these keys, by field name of the capability.
    async fn stored(
        &self,
        target: &Target,
        keys: &[String],
    ) -> Result<HashMap<String, BTreeMap<String, String>>, Fault> {
        let dialect = self.database.dialect;
        let (table, key, env, fields) = match (&target.results, &target.header) {
            (Some(results), _) => (&results.table, &results.key, results.env.as_ref(), &results.fields),
            (None, Some(header)) => (&header.table, &header.key, None, &header.fields),
            (None, None) => return Ok(HashMap::new()),
        };
        let named: Vec<_> = fields
            .iter()
            .filter_map(|(field, column)| {
                let (_, name) = CAPABILITY.iter().find(|(found, _)| *found == field.name)?;
                Some((*name, dialect.text(&dialect.quote(&column.name), &column.kind)))
            })
            .collect();
        let quoted = dialect.quote(&key.name);
        let mut sql = format!("SELECT {}", dialect.text(&quoted, &key.kind));
        for (_, column) in &named {
            sql.push_str(", ");
            sql.push_str(column);
        }
        let statement = Statement::new(dialect, sql).sql(&format!(" FROM {} WHERE {quoted} IN ", table.from)).list(
            keys,
            keys.len(),
            &key.kind,
        );
        let statement = in_environment(statement, dialect, env, &self.config.environment);
        let mut transaction = self.database.reading().await?;
        let rows = transaction.rows(&statement).await?;
        transaction.commit().await?;
        let read = rows.into_iter().map(|row| {
            let shown = named.iter().enumerate().filter_map(|(at, (name, _))| {
                row.cell(at + 1).map(|text| ((*name).to_owned(), text.trim().to_owned()))
            });
            (row.cell(0).unwrap_or_default().to_owned(), shown.collect())
        });
        Ok(read.collect())
    }
}

#[async_trait]
impl WriteBack for DatabaseWriteBack {
    fn capability(&self) -> &WriteBackCapability {
        &self.capability
    }

    async fn deliver(&self, receipts: &[Receipt]) -> Result<Vec<Delivery>, WriteBackError> {
        if receipts.is_empty() {
            return Ok(Vec::new());
        }
        let target = self.look().await.map_err(|fault| self.failed(fault))?;
        let mut deliveries = Vec::with_capacity(receipts.len());
        for batch in receipts.chunks(BATCH) {
            match self.write(&target, batch).await {
                Ok(()) => deliveries.extend(batch.iter().map(|_| Delivery::Done)),
                Err(fault) if fault.stops_all() => return Err(self.failed(fault)),
                // One of them does not fit, or somebody was in the way: each gets a transaction of its own.
                Err(_) => {
                    for receipt in batch {
                        deliveries.push(match self.write(&target, std::slice::from_ref(receipt)).await {
                            Ok(()) => Delivery::Done,
                            Err(fault) if fault.stops_all() => return Err(self.failed(fault)),
                            Err(fault) => {
                                let place = format!("{}, {}", self.database.shown, receipt.reference.position);
                                Delivery::Failed { reason: format!("{place}: {}", fault.reason) }
                            }
                        });
                    }
                }
            }
        }
        Ok(deliveries)
    }

    async fn read_back(
        &self,
        references: &[SourceRef],
    ) -> Result<Vec<Option<BTreeMap<String, String>>>, WriteBackError> {
        let target = self.look().await.map_err(|fault| self.failed(fault))?;
        let mut read = Vec::with_capacity(references.len());
        for page in references.chunks(BATCH) {
            let keys: Vec<String> = page.iter().map(|reference| reference.record_id.clone()).collect();
            let found = self.database.within(self.stored(&target, &keys)).await.map_err(|fault| self.failed(fault))?;
            read.extend(keys.iter().map(|key| found.get(key).cloned()));
        }
        Ok(read)
    }
}

/// Makes the target of a configuration. A column too narrow for a result is a mistake to correct now; a database that
/// does not answer may do so later.
pub(crate) async fn build(context: BuildContext, config: WriteBackConfig) -> Result<Arc<dyn WriteBack>, BuildError> {
    let target = DatabaseWriteBack::new(&context, config)?;
    match target.look().await {
        Ok(_) => {}
        Err(fault) if fault.may_pass() => {
            tracing::warn!(target = context.name, reason = fault.reason, "the database does not answer yet");
        }
        Err(fault) => {
            let part = format!("{}, {}", context.name, target.database.shown);
            return Err(BuildError::new(part, fault.reason));
        }
    }
    Ok(Arc::new(target))
}

#[cfg(test)]
mod tests {
    use einvoice_core::clock::SystemClock;
    use einvoice_core::entropy::SystemEntropy;
    use einvoice_core::finding::Finding;
    use einvoice_core::ledger::LedgerId;
    use einvoice_core::state::{DocumentState, EwbState};
    use sqlx::sqlite::SqliteConnectOptions;
    use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _};

    use super::*;
    use crate::dialect::Dialect;
    use crate::login::Options;

    fn receipt(key: &str) -> Receipt {
        Receipt {
            ledger: Some(LedgerId("books".to_owned())),
            reference_id: 1,
            revision: 1,
            source: "erp".to_owned(),
            reference: SourceRef {
                location: "einv_header".to_owned(),
                position: format!("doc_key {key}"),
                record_id: key.to_owned(),
            },
            attributes: BTreeMap::new(),
            label: key.to_owned(),
            key: None,
            irn: None,
            state: DocumentState::Invalid,
            ewb_state: EwbState::None,
            registration: None,
            proof: None,
            ewb: None,
            cancellation: None,
            findings: vec![Finding::error("schema.length", "DocDtls.No", "x".repeat(20_000))],
        }
    }

    /// The limit of pages stands for a disk: SQLite reports both in the same way.
    #[tokio::test]
    async fn a_full_disk_is_told_and_nothing_of_the_result_stays() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("books.db");
        let options = SqliteConnectOptions::new().filename(&file).create_if_missing(true);
        let mut connection = options.connect().await.unwrap();
        connection.execute(sqlx::raw_sql(AssertSqlSafe(crate::tables(Dialect::Sqlite)))).await.unwrap();
        connection.execute("INSERT INTO einv_header (doc_key, status) VALUES ('A1', 'CLAIMED')").await.unwrap();
        let pages: i64 = sqlx::query_scalar("PRAGMA page_count").fetch_one(&mut connection).await.unwrap();
        let context = BuildContext::new("results", folder.path(), Arc::new(SystemClock), SystemEntropy::shared());
        let config: WriteBackConfig = serde_json::from_value(serde_json::json!({"url": "sqlite:books.db"})).unwrap();
        let mut target = DatabaseWriteBack::new(&context, config).unwrap();
        let full = SqliteConnectOptions::new().filename(&file).pragma("max_page_count", pages.to_string());
        let login = Login {
            options: Options::Sqlite(Box::new(full)),
            shown: "books.db".to_owned(),
            connect: std::time::Duration::from_secs(5),
            answer: std::time::Duration::from_secs(5),
        };
        target.database = Database::new(&login);
        for _ in 0..2 {
            let error = target.deliver(&[receipt("A1")]).await.unwrap_err().to_string();
            assert!(error.contains("database or disk is full") && error.contains("make room on its disk"), "{error}");
        }
        let rows = |sql: &'static str| sqlx::query_scalar::<_, i64>(sql);
        let status = "SELECT count(*) FROM einv_header WHERE status = 'CLAIMED'";
        assert_eq!(rows(status).fetch_one(&mut connection).await.unwrap(), 1);
        assert_eq!(rows("SELECT count(*) FROM einv_error").fetch_one(&mut connection).await.unwrap(), 0);
        // With room again the same receipt is written.
        let roomy = Login { options: Options::Sqlite(Box::new(SqliteConnectOptions::new().filename(&file))), ..login };
        target.database = Database::new(&roomy);
        assert_eq!(target.deliver(&[receipt("A1")]).await.unwrap(), [Delivery::Done]);
        assert_eq!(rows("SELECT count(*) FROM einv_error").fetch_one(&mut connection).await.unwrap(), 1);
        connection.close().await.unwrap();
    }
}
