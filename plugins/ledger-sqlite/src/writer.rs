//! The one writer: calls that wait at the same moment share one transaction and one flush to disk.
//!
//! Each call runs inside a savepoint, so that one that fails leaves the others alone, and each is
//! answered only after the commit. The writer lives on a thread of its own: a caller that goes away,
//! or a runtime that ends, does not cut a transaction in half. Dropping the [`Writer`] waits until
//! everything handed in is committed and the file is closed.

use std::fmt;
use std::thread::JoinHandle;
use std::time::Duration;

use async_trait::async_trait;
use einvoice_core::clock::SharedClock;
use einvoice_core::ledger::LedgerError;
use jiff::Timestamp;
use sqlx::{Connection as _, SqliteConnection};
use tokio::sync::{mpsc, oneshot};

use crate::fault::{Fault, group_error};
use crate::lock::ProcessLock;

/// What a call works with inside the transaction.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) connection: SqliteConnection,
    pub(crate) clock: SharedClock,
    pub(crate) settle_wait: Duration,
    /// Name of the ledger in messages.
    pub(crate) ledger: String,
    /// Released once the connection is closed.
    pub(crate) lock: ProcessLock,
}

impl Desk {
    /// The present moment, as exact as the file keeps it.
    pub(crate) fn now(&self) -> Timestamp {
        let now = self.clock.now();
        Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
    }
}

/// A call that changes the ledger.
#[async_trait]
pub(crate) trait Change: Send + Sync + 'static {
    /// What the caller gets.
    type Answer: Send;

    /// Makes the change. An error undoes what this call did and nothing else.
    async fn apply(&self, desk: &mut Desk) -> Result<Self::Answer, Fault>;
}

/// Each statement costs a change of threads inside `sqlx`, so the frame around a call is one: the
/// savepoint of the next call is opened where that of the last one ends.
const BEGIN: &str = "BEGIN IMMEDIATE; SAVEPOINT change";
const KEEP: &str = "RELEASE change; SAVEPOINT change";
/// The savepoint itself stays, for the next call.
const UNDO: &str = "ROLLBACK TO change";

/// Hands calls to the writing thread.
pub(crate) struct Writer {
    calls: Option<mpsc::Sender<Box<dyn Call>>>,
    thread: Option<JoinHandle<()>>,
    ledger: String,
}

impl fmt::Debug for Writer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Writer").field("ledger", &self.ledger).finish_non_exhaustive()
    }
}

impl Writer {
    /// Starts the writing thread.
    pub(crate) fn start(desk: Desk, group_limit: usize) -> Result<Self, LedgerError> {
        let ledger = desk.ledger.clone();
        let (sender, receiver) = mpsc::channel(group_limit.max(1));
        let failed = |what: &str, error: std::io::Error| LedgerError::Storage {
            ledger: ledger.clone(),
            reason: format!("{what} could not be started: {error}; the system is out of threads or memory"),
            source: Some(Box::new(error)),
        };
        // Without timers and sockets, of which it needs none, it sleeps and wakes for less.
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .map_err(|error| failed("the writer's runtime", error))?;
        let thread = std::thread::Builder::new()
            .name("einvoice-ledger".to_owned())
            .spawn(move || runtime.block_on(write(desk, receiver, group_limit.max(1))))
            .map_err(|error| failed("the writing thread", error))?;
        Ok(Self { calls: Some(sender), thread: Some(thread), ledger })
    }

    /// Makes a change durable and answers after the commit.
    ///
    /// Dropping the future before the call was handed over leaves everything as it was; afterwards
    /// the change happens wholly.
    pub(crate) async fn submit<C: Change>(&self, change: C) -> Result<C::Answer, LedgerError> {
        let (answer, answered) = oneshot::channel();
        let call = Box::new(Pending { change, answer: Some(answer), result: None });
        let Some(calls) = &self.calls else { return Err(self.stopped()) };
        calls.send(call).await.map_err(|_| self.stopped())?;
        answered.await.map_err(|_| self.stopped())?
    }

    fn stopped(&self) -> LedgerError {
        LedgerError::Storage {
            ledger: self.ledger.clone(),
            reason: "its writer has stopped by a fault of its own; start the program again and please report this"
                .to_owned(),
            source: None,
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.calls.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!(ledger = %self.ledger, "the ledger's writer stopped by a fault of its own");
        }
    }
}

async fn write(mut desk: Desk, mut calls: mpsc::Receiver<Box<dyn Call>>, limit: usize) {
    let mut group = Vec::new();
    while calls.recv_many(&mut group, limit).await > 0 {
        match run_group(&mut desk, &mut group, &mut calls, limit).await {
            Ok(()) => group.drain(..).for_each(|call| call.answer(Ok(()))),
            Err(error) => {
                // A full disk may have ended the transaction already, and then there is none to undo.
                let _undone = sqlx::raw_sql("ROLLBACK").execute(&mut desk.connection).await;
                for call in group.drain(..) {
                    call.answer(Err(group_error(&desk.ledger, &error)));
                }
            }
        }
    }
    let Desk { connection, lock, ledger, .. } = desk;
    if let Err(error) = connection.close().await {
        tracing::warn!(%ledger, %error, "the ledger file was not closed cleanly");
    }
    drop(lock);
}

/// Runs the calls of a group, and those that arrive meanwhile, and commits them together.
async fn run_group(
    desk: &mut Desk,
    group: &mut Vec<Box<dyn Call>>,
    calls: &mut mpsc::Receiver<Box<dyn Call>>,
    limit: usize,
) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(BEGIN).execute(&mut desk.connection).await?;
    let mut next = 0;
    loop {
        while let Some(call) = group.get_mut(next) {
            call.run(desk).await?;
            next += 1;
        }
        match calls.try_recv() {
            Ok(call) if group.len() < limit => group.push(call),
            Ok(call) => {
                // One above the limit, since it is out of the queue already.
                group.push(call);
                if let Some(call) = group.get_mut(next) {
                    call.run(desk).await?;
                }
                break;
            }
            Err(_) => break,
        }
    }
    // Ends the open savepoint too.
    sqlx::raw_sql("COMMIT").execute(&mut desk.connection).await?;
    Ok(())
}

/// A [`Change`] with somebody waiting for it, whatever its answer is.
#[async_trait]
trait Call: Send {
    /// Runs it inside a savepoint. An error here means that the whole transaction is lost.
    async fn run(&mut self, desk: &mut Desk) -> Result<(), sqlx::Error>;

    /// Tells the caller, once the fate of the transaction is known.
    fn answer(self: Box<Self>, commit: Result<(), LedgerError>);
}

struct Pending<C: Change> {
    change: C,
    answer: Option<oneshot::Sender<Result<C::Answer, LedgerError>>>,
    result: Option<Result<C::Answer, LedgerError>>,
}

#[async_trait]
impl<C: Change> Call for Pending<C> {
    async fn run(&mut self, desk: &mut Desk) -> Result<(), sqlx::Error> {
        if self.answer.as_ref().is_none_or(oneshot::Sender::is_closed) {
            return Ok(());
        }
        let result = self.change.apply(desk).await;
        let end = if result.is_ok() { KEEP } else { UNDO };
        sqlx::query(end).execute(&mut desk.connection).await?;
        self.result = Some(result.map_err(|fault| fault.into_error(&desk.ledger)));
        Ok(())
    }

    fn answer(self: Box<Self>, commit: Result<(), LedgerError>) {
        let (Some(answer), result) = (self.answer, self.result) else { return };
        let result = match (commit, result) {
            (Err(error), _) => Err(error),
            (Ok(()), Some(result)) => result,
            // It was skipped because nobody waited any more.
            (Ok(()), None) => return,
        };
        // A caller that went away does not want to know.
        let _heard = answer.send(result);
    }
}
