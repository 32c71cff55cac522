//! Reading: pages of keys, claimed or not, and the rows that belong to them.

use std::collections::VecDeque;
use std::sync::Arc;

use einvoice_core::finding::Finding;
use einvoice_core::source::{RecordStream, SourceError, SourceItem};
use futures_util::stream;

use crate::claim::{Claims, Due, Start};
use crate::fault::{Fault, Kind};
use crate::plan::Plan;
use crate::pool::{Database, Row};
use crate::record::Maker;
use crate::statement::Statement;

/// How often a page is tried when the connection breaks or another program holds what is needed. A page that was
/// claimed and not read is read by the next run, as it is this worker's.
const TRIES: u32 = 3;

/// Where the next keys come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Rows this worker had claimed before.
    Own,
    Due(Due),
    /// Rows that nobody claims: all there are.
    All,
    Keyless,
    End,
}

/// Whether rows that are due become this worker's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taking {
    Claiming,
    /// They stay as they are: nothing is written at all.
    Looking,
}

/// One reading of a source.
struct Reader {
    database: Database,
    plan: Arc<Plan>,
    taking: Taking,
    stage: Stage,
    after: Option<String>,
    start: Start,
    left: u64,
    waiting: VecDeque<SourceItem>,
}

/// Reads all that is due, page by page: the next page is asked for when the one before is used up.
pub(crate) async fn read(
    database: Database,
    plan: Arc<Plan>,
    claim_max: u64,
    taking: Taking,
) -> Result<RecordStream, Fault> {
    let mut start = Start::default();
    if let Some(claims) = &plan.claims {
        start = begin(&database, claims, taking).await?;
    }
    let stage = if plan.claims.is_some() { Stage::Own } else { Stage::All };
    let (left, waiting) = (claim_max, VecDeque::new());
    let reader = Reader { database, plan, taking, stage, after: None, start, left, waiting };
    Ok(Box::pin(stream::unfold(reader, |mut reader| async {
        let item = reader.next().await?;
        if item.is_err() {
            reader.stage = Stage::End;
        }
        Some((item, reader))
    })))
}

/// The moment from which on rows are claimed once, and a sign of life in all that are this worker's.
async fn begin(database: &Database, claims: &Claims, taking: Taking) -> Result<Start, Fault> {
    let work = async {
        let mut transaction = match taking {
            Taking::Claiming => database.changing().await?,
            Taking::Looking => database.reading().await?,
        };
        let start = claims.start(&mut transaction).await?;
        if taking == Taking::Claiming {
            transaction.execute(&claims.renew()).await?;
        }
        transaction.commit().await?;
        Ok(start)
    };
    database.within(work).await
}

impl Reader {
    async fn next(&mut self) -> Option<Result<SourceItem, SourceError>> {
        loop {
            if let Some(item) = self.waiting.pop_front() {
                return Some(Ok(item));
            }
            if self.stage == Stage::End {
                return None;
            }
            if let Err(fault) = self.page().await {
                return Some(Err(fault.into_source(&format!("{}, {}", self.database.shown, self.plan.place()))));
            }
        }
    }

    /// Gets the next page, or goes on to the next stage.
    async fn page(&mut self) -> Result<(), Fault> {
        if self.stage == Stage::Keyless {
            let plan = Arc::clone(&self.plan);
            let rows = patiently(|| self.database.within(rows_of(&self.database, &plan, Wanted::Keyless))).await?.0;
            let count = rows.first().and_then(|row| row.cell(0)).unwrap_or("0").to_owned();
            if count != "0" {
                self.waiting.push_back(Maker::new(&plan).keyless(&count));
            }
            self.stage = Stage::End;
            return Ok(());
        }
        let keys = patiently(|| self.database.within(self.keys())).await?;
        if keys.is_empty() {
            self.stage = self.stage.next();
            self.after = None;
            return Ok(());
        }
        self.after = keys.last().cloned();
        if let Stage::Due(_) = self.stage {
            self.left = self.left.saturating_sub(u64::try_from(keys.len()).unwrap_or(u64::MAX));
        }
        self.waiting = self.records(&keys).await?.into();
        Ok(())
    }

    async fn keys(&self) -> Result<Vec<String>, Fault> {
        match (self.stage, &self.plan.claims) {
            (Stage::Due(due), Some(claims)) if self.left > 0 => {
                let after = self.after.as_deref();
                match self.taking {
                    Taking::Claiming => claims.claim(&self.database, due, &self.start, after).await,
                    Taking::Looking => self.listed(&claims.due_keys(due, &self.start, after)).await,
                }
            }
            (Stage::Own, Some(claims)) => self.listed(&claims.own_keys(self.after.as_deref())).await,
            (Stage::All, _) => self.listed(&self.plan.next_keys(self.after.as_deref())).await,
            _ => Ok(Vec::new()),
        }
    }

    async fn listed(&self, statement: &Statement) -> Result<Vec<String>, Fault> {
        let mut transaction = self.database.reading().await?;
        let rows = transaction.rows(statement).await?;
        transaction.commit().await?;
        Ok(rows.into_iter().filter_map(|row| row.cells.into_iter().next()?).collect())
    }

    /// The records of these keys. Where one value makes the database refuse the whole page, the documents are read one
    /// by one, and only that one is reported.
    async fn records(&self, keys: &[String]) -> Result<Vec<SourceItem>, Fault> {
        let maker = Maker::new(&self.plan);
        match patiently(|| self.database.within(rows_of(&self.database, &self.plan, Wanted::Keys(keys)))).await {
            Ok((heads, items)) => return Ok(maker.items(keys, heads, items)),
            Err(fault) if fault.kind != Kind::Data => return Err(fault),
            Err(_) => {}
        }
        let mut found = Vec::with_capacity(keys.len());
        for key in keys.chunks(1) {
            match patiently(|| self.database.within(rows_of(&self.database, &self.plan, Wanted::Keys(key)))).await {
                Ok((heads, items)) => found.extend(maker.items(key, heads, items)),
                Err(fault) if fault.kind == Kind::Data => {
                    let finding =
                        Finding::error("database.unreadable", "", format!("a value cannot be read: {}", fault.reason))
                            .with_fix("Correct the row, and queue it again.");
                    found.push(maker.problem(key.first().map_or("", String::as_str), finding));
                }
                Err(fault) => return Err(fault),
            }
        }
        Ok(found)
    }
}

impl Stage {
    const fn next(self) -> Self {
        match self {
            Self::Own => Self::Due(Due::New),
            Self::Due(Due::New) => Self::Due(Due::Retry),
            Self::Due(Due::Retry) => Self::Due(Due::Abandoned),
            Self::All => Self::Keyless,
            Self::Due(Due::Abandoned) | Self::Keyless | Self::End => Self::End,
        }
    }
}

/// What is read in one state of the database.
#[derive(Debug, Clone, Copy)]
enum Wanted<'k> {
    Keys(&'k [String]),
    Keyless,
}

/// The rows of documents and of their items.
async fn rows_of(database: &Database, plan: &Plan, wanted: Wanted<'_>) -> Result<(Vec<Row>, Vec<Row>), Fault> {
    let mut transaction = database.reading().await?;
    let (heads, items) = match wanted {
        Wanted::Keyless => (transaction.rows(&plan.keyless()).await?, Vec::new()),
        Wanted::Keys(keys) => {
            let heads = transaction.rows(&plan.head_rows(keys)).await?;
            let items = match plan.item_rows(keys) {
                Some(statement) => transaction.rows(&statement).await?,
                None => Vec::new(),
            };
            (heads, items)
        }
    };
    transaction.commit().await?;
    Ok((heads, items))
}

/// Tries again at once where the trouble may be over: a broken connection is replaced, a deadlock has ended.
async fn patiently<T, F: Future<Output = Result<T, Fault>>>(mut work: impl FnMut() -> F) -> Result<T, Fault> {
    let mut tries = 0;
    loop {
        tries += 1;
        match work().await {
            Err(fault) if tries < TRIES && fault.try_at_once() => {
                tracing::debug!(reason = fault.reason, tries, "a page of rows is asked for again");
            }
            result => return result,
        }
    }
}

/// The records of these keys, read in one go.
pub(crate) async fn records(database: &Database, plan: &Plan, keys: &[String]) -> Result<Vec<SourceItem>, Fault> {
    let (heads, items) = rows_of(database, plan, Wanted::Keys(keys)).await?;
    Ok(Maker::new(plan).items(keys, heads, items))
}
