//! The source: rows to documents, and word to the rows of what became of them.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use einvoice_core::finding::Finding;
use einvoice_core::mapping::{Record, TableRecord};
use einvoice_core::registry::{BuildContext, BuildError};
use einvoice_core::source::{
    Acknowledgement, Cursor, Disposition, InvoiceSource, Mapped, MappedDocument, RecordStream, SourceCapability,
    SourceError, SourceItem, SourceRecord, SourceRef,
};
use futures_util::StreamExt as _;
use tokio::task::AbortHandle;

use crate::claim::Claims;
use crate::config::SourceConfig;
use crate::fault::{Fault, Kind};
use crate::listen::Ear;
use crate::login::{Keys, Login, range};
use crate::plan::{Plan, Rules};
use crate::pool::Database;
use crate::proof::{self, Proof};
use crate::reader::{self, Taking};
use crate::record::{Kept, REV};
use crate::statement::Statement;

/// Rows that are told of in one statement.
const TOLD: usize = 500;

/// Reads documents from a database.
#[derive(Debug)]
pub struct DatabaseSource {
    database: Database,
    config: SourceConfig,
    rules: Rules,
    /// Made of what the database has; forgotten when a statement fails, as a table may have changed.
    plan: Mutex<Option<Arc<Plan>>>,
    keeper: Mutex<Option<Keeper>>,
    ear: Ear,
    /// Nothing is claimed: what is due is looked at.
    only_looks: bool,
}

/// Renews claims as long as the source lives.
#[derive(Debug)]
struct Keeper(AbortHandle);

impl Drop for Keeper {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl DatabaseSource {
    /// A source by its settings. Nothing is connected yet.
    ///
    /// # Errors
    /// [`BuildError`] when a setting is wrong.
    pub fn new(context: &BuildContext, mut config: SourceConfig) -> Result<Self, BuildError> {
        let wrong = |key: &str, reason: String| BuildError::new(format!("{}, key `{key}`", context.name), reason);
        for (key, found, least, most) in [
            ("lease_seconds", config.lease_seconds, 60, 86_400),
            ("page_rows", config.page_rows, 1, 5_000),
            ("claim_max", config.claim_max, 1, 100_000_000),
        ] {
            range(key, found, least, most).map_err(|reason| wrong(key, reason))?;
        }
        if config.query.is_none() && config.item_query.is_none() && config.item_table.as_deref() == Some("") {
            return Err(wrong("item_table", "is empty: name the table of the items, or leave it out".to_owned()));
        }
        proof::check(&config).map_err(|(key, reason)| wrong(key, reason))?;
        let rules = Rules::new(&config).map_err(|error| wrong("mapping", error.to_string()))?;
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
        if login.dialect().is_typed_by_driver() {
            // Oracle takes lists of 1,000 values, SQL Server 2,100 values in all.
            range("page_rows", config.page_rows, 1, 900).map_err(|reason| wrong("page_rows", reason))?;
        }
        let ear = Ear::new(&config.notify_channel);
        config.worker.get_or_insert_with(|| worker(&context.name));
        Ok(Self {
            database: Database::new(&login),
            config,
            rules,
            plan: Mutex::new(None),
            keeper: Mutex::new(None),
            ear,
            only_looks: context.only_looks,
        })
    }

    /// Looks at the database: whether it lets us in and has what the settings name.
    pub(crate) async fn look(&self) -> Result<Arc<Plan>, Fault> {
        if let Some(plan) = &*self.plan.lock().unwrap_or_else(PoisonError::into_inner) {
            return Ok(Arc::clone(plan));
        }
        let plan = self.database.within(Plan::make(&self.database, &self.config, &self.rules)).await?;
        for column in &plan.floats {
            tracing::warn!(column, "a column holds binary fractions, which cannot keep a paisa; make it a decimal");
        }
        let plan = Arc::new(plan);
        *self.plan.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&plan));
        Ok(plan)
    }

    fn forget(&self) {
        *self.plan.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn failed(&self, fault: Fault) -> SourceError {
        self.forget();
        fault.into_source(&self.database.shown)
    }

    /// From the first claim on, claims are renewed as long as this source lives.
    fn keep(&self, plan: &Arc<Plan>) {
        let (database, plan) = (self.database.clone(), Arc::clone(plan));
        let every = Duration::from_secs(self.config.lease_seconds / 3);
        let renewing = tokio::spawn(async move {
            let mut ticks = tokio::time::interval(every);
            ticks.tick().await;
            loop {
                ticks.tick().await;
                let Some(claims) = &plan.claims else { return };
                if let Err(fault) = database.within(renew(&database, claims)).await {
                    tracing::warn!(reason = fault.reason, "claims could not be renewed; another worker may take them");
                }
            }
        });
        let mut keeper = self.keeper.lock().unwrap_or_else(PoisonError::into_inner);
        *keeper = Some(Keeper(renewing.abort_handle()));
    }

    async fn tell(&self, plan: &Plan, claims: &Claims, settled: &[Acknowledgement]) -> Result<(), Fault> {
        let of = |disposition: Disposition| -> Vec<String> {
            let told = settled.iter().filter(|told| told.disposition == disposition);
            told.map(|told| told.reference.record_id.clone()).collect()
        };
        let words = &claims.words;
        self.settle(claims, &of(Disposition::NeedsPerson), &words.failed).await?;
        // What is still claimed has no result: it is passed over by a rule, or its results go elsewhere, or it was queued
        // again although its result is there, or the result could not be delivered and the row waits for it.
        let mut open = Vec::new();
        for keys in of(Disposition::Done).chunks(TOLD) {
            open.extend(self.keys(&claims.still_own(keys)).await?);
        }
        let skipped = self.skipped(plan, &open).await?;
        self.settle(claims, &skipped.iter().cloned().collect::<Vec<_>>(), &words.skipped).await?;
        open.retain(|key| !skipped.contains(key));
        if self.config.results_elsewhere {
            return self.settle(claims, &open, &words.done).await;
        }
        let mut shown = Vec::new();
        for keys in open.chunks(TOLD) {
            shown.extend(self.with_results(claims, keys).await?);
        }
        self.settle(claims, &shown, &words.done).await
    }

    /// Which of these rows a rule of the mapping passes over.
    async fn skipped(&self, plan: &Plan, keys: &[String]) -> Result<HashSet<String>, Fault> {
        let mut skipped = HashSet::new();
        for keys in keys.chunks(plan.page) {
            for item in reader::records(&self.database, plan, keys).await? {
                if let SourceItem::Record(record) = item
                    && let Mapped::Skipped(_) = self.map(&record)
                {
                    skipped.insert(record.reference.record_id);
                }
            }
        }
        Ok(skipped)
    }

    async fn settle(&self, claims: &Claims, keys: &[String], word: &str) -> Result<(), Fault> {
        for keys in keys.chunks(TOLD) {
            let mut transaction = self.database.changing().await?;
            transaction.execute(&claims.settle(keys, word)).await?;
            transaction.commit().await?;
        }
        Ok(())
    }

    async fn keys(&self, statement: &Statement) -> Result<Vec<String>, Fault> {
        let mut transaction = self.database.reading().await?;
        let rows = transaction.rows(statement).await?;
        transaction.commit().await?;
        Ok(rows.into_iter().filter_map(|row| row.cells.into_iter().next()?).collect())
    }

    /// Which of these have a registration among the results of this environment. It is looked for anew each time, as the
    /// table may have been away meanwhile; where nothing can tell, the rows wait.
    async fn with_results(&self, claims: &Claims, keys: &[String]) -> Result<Vec<String>, Fault> {
        let dialect = self.database.dialect;
        let mut transaction = self.database.reading().await?;
        let shown = match Proof::find(&mut transaction, dialect, &self.config, &claims.table).await {
            Ok(proof) => proof.shown(&mut transaction, dialect, &self.config, keys).await?,
            Err(fault) if fault.kind == Kind::Setup => {
                tracing::warn!(rows = keys.len(), reason = fault.reason, "registered rows stay claimed");
                Vec::new()
            }
            Err(fault) => return Err(fault),
        };
        transaction.commit().await?;
        Ok(shown)
    }

    /// Whether rows that are queued again can be settled later on.
    async fn can_settle(&self, plan: &Plan) -> Result<(), Fault> {
        let Some(claims) = plan.claims.as_ref().filter(|_| !self.only_looks && !self.config.results_elsewhere) else {
            return Ok(());
        };
        let look = async {
            let mut transaction = self.database.reading().await?;
            Proof::find(&mut transaction, self.database.dialect, &self.config, &claims.table).await?;
            transaction.commit().await
        };
        self.database.within(look).await
    }

    fn document(&self, reference: &SourceRef, record: &dyn Record, rev: Option<String>, said: Said<'_>) -> Mapped {
        let label = reference.to_string();
        let mut mapped = match self.rules.mapping.map(record) {
            Ok(mapped) => mapped,
            Err(mut skip) => {
                skip.label = label;
                return Mapped::Skipped(skip);
            }
        };
        say(&mut mapped, record, said);
        if let Some(rev) = rev {
            mapped.attributes = BTreeMap::from([(REV.to_owned(), rev)]);
        }
        Mapped::Document(Box::new(mapped))
    }
}

/// What is said about a record beyond what its mapping says.
#[derive(Debug, Clone, Copy)]
struct Said<'k> {
    lines: &'k str,
    floats: &'k [String],
}

fn say(mapped: &mut MappedDocument, record: &dyn Record, said: Said<'_>) {
    if record.lines() == 0 {
        let message = format!("{} has no row for this document", said.lines);
        mapped.findings.push(
            Finding::error("database.no_items", "ItemList", message)
                .with_fix("Write the document and its items in one transaction, or the document last."),
        );
    }
    if !said.floats.is_empty() {
        let message = "amounts or quantities come from columns of binary fractions, which cannot keep a paisa; they were \
                       rounded";
        mapped.findings.push(
            Finding::warning("database.float_column", "", message).with_found(said.floats.join(", ")).with_fix(
                "Make them columns of decimals, with two places for amounts and three for quantities and prices.",
            ),
        );
    }
}

#[async_trait]
impl InvoiceSource for DatabaseSource {
    fn capability(&self) -> SourceCapability {
        let claims = self.config.query.is_none() || self.config.claim_table.is_some();
        SourceCapability::new(false, claims)
    }

    async fn fetch(&self, _cursor: Option<&Cursor>) -> Result<RecordStream, SourceError> {
        let plan = self.look().await.map_err(|fault| self.failed(fault))?;
        let taking = if self.only_looks { Taking::Looking } else { Taking::Claiming };
        if taking == Taking::Claiming {
            // Before reading, so that whatever is written from now on is heard of.
            self.ear.open(&self.database).await;
        }
        let stream = reader::read(self.database.clone(), Arc::clone(&plan), self.config.claim_max, taking)
            .await
            .map_err(|fault| self.failed(fault))?;
        if plan.claims.is_some() && taking == Taking::Claiming {
            self.keep(&plan);
        }
        Ok(stream.boxed())
    }

    fn map(&self, record: &SourceRecord) -> Mapped {
        let kept = record.context.as_ref().and_then(|context| context.downcast_ref::<Kept>());
        if let Some(kept) = kept {
            let rev = kept.record.head.get(REV).cloned();
            return self.document(&record.reference, kept, rev, Said { lines: &kept.lines, floats: &kept.floats });
        }
        match TableRecord::parse(&record.content) {
            Ok(parsed) => {
                let rev = parsed.head.get(REV).cloned();
                self.document(&record.reference, &parsed, rev, Said { lines: "the record", floats: &[] })
            }
            Err(error) => {
                let finding = Finding::error("database.record", "", format!("it is no record of a table: {error}"))
                    .with_fix("Read it from the database again.");
                Mapped::Unmappable { label: record.reference.to_string(), findings: vec![finding] }
            }
        }
    }

    async fn acknowledge(&self, settled: &[Acknowledgement]) -> Result<(), SourceError> {
        if settled.is_empty() || self.only_looks || !self.capability().acknowledges {
            return Ok(());
        }
        let plan = self.look().await.map_err(|fault| self.failed(fault))?;
        let Some(claims) = &plan.claims else { return Ok(()) };
        self.database.within(self.tell(&plan, claims, settled)).await.map_err(|fault| self.failed(fault))
    }

    async fn changed(&self) {
        self.ear.heard().await;
    }
}

async fn renew(database: &Database, claims: &Claims) -> Result<(), Fault> {
    let mut transaction = database.changing().await?;
    transaction.execute(&claims.renew()).await?;
    transaction.commit().await
}

/// The name of the source and of the machine: the same after a restart, another on another machine.
fn worker(name: &str) -> String {
    let variable = ["HOSTNAME", "COMPUTERNAME"].iter().find_map(|name| std::env::var(name).ok());
    let kernel = || std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let machine = variable.or_else(kernel).map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
    machine.map_or_else(|| name.to_owned(), |machine| format!("{name}@{machine}"))
}

/// Makes the source of a configuration. A database that lets us in and lacks what the settings name is a mistake to
/// correct now; one that does not answer may do so later.
pub(crate) async fn build(context: BuildContext, config: SourceConfig) -> Result<Arc<dyn InvoiceSource>, BuildError> {
    let source = DatabaseSource::new(&context, config)?;
    if context.only_maps {
        return Ok(Arc::new(source));
    }
    let looked = async {
        let plan = source.look().await?;
        source.can_settle(&plan).await
    };
    match looked.await {
        Ok(()) => {}
        Err(fault) if fault.may_pass() => {
            tracing::warn!(source = context.name, reason = fault.reason, "the database does not answer yet");
        }
        Err(fault) => {
            let part = format!("{}, {}", context.name, source.database.shown);
            return Err(BuildError::new(part, fault.reason));
        }
    }
    Ok(Arc::new(source))
}
