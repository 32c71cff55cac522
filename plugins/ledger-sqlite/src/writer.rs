//! The one writer: calls that wait at the same moment share one transaction and one flush to disk.
//!
//! A group is sorted by kind, and each kind is carried out by few statements over all of its calls. A
//! call that the contract forbids is found out before anything of it is written, gets its own error,
//! and leaves the others alone. Only when something unforeseen fails is the group undone and carried
//! out again call by call. Everyone is answered after the commit.
//!
//! The writer lives on a thread of its own: a caller that goes away, or a runtime that ends, does not
//! cut a transaction in half. Dropping the [`Writer`] waits until everything handed in is committed
//! and the file is closed.

use std::fmt;
use std::thread::JoinHandle;

use einvoice_core::ledger::LedgerError;
use sqlx::Connection as _;
use tokio::sync::{mpsc, oneshot};

use crate::desk::Desk;
use crate::fault::{Fault, group_error};
use crate::group::{Change, Group};

/// A call on its way to the writer: joins the group that is made up next.
type Call = Box<dyn FnOnce(&mut Group) + Send>;

/// Hands calls to the writing thread.
pub(crate) struct Writer {
    calls: Option<mpsc::Sender<Call>>,
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
    /// the change happens wholly or, when nobody waits for it any more, not at all.
    pub(crate) async fn submit<C: Change>(&self, change: C) -> Result<C::Answer, LedgerError> {
        let (answer, answered) = oneshot::channel();
        let Some(calls) = &self.calls else { return Err(self.stopped()) };
        let call: Call = Box::new(move |group| C::lane(group).add(change, answer));
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

async fn write(mut desk: Desk, mut calls: mpsc::Receiver<Call>, limit: usize) {
    let mut waiting = Vec::new();
    while calls.recv_many(&mut waiting, limit).await > 0 {
        let mut group = Group::default();
        waiting.drain(..).for_each(|join| join(&mut group));
        match run_together(&mut desk, &mut group).await {
            Ok(()) => group.answer(&desk.ledger),
            Err(fault) => {
                desk.undo().await;
                match fault {
                    Fault::Sql(error) if concerns_all(&error) => {
                        group.fail(&|| group_error(&desk.ledger, &error));
                    }
                    _ => group.run_each_alone(&mut desk).await,
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

async fn run_together(desk: &mut Desk, group: &mut Group) -> Result<(), Fault> {
    desk.begin().await?;
    group.run(desk).await?;
    desk.commit().await
}

/// Whether a failure concerns disk, lock or memory, so that other calls of the group would meet it
/// too (<https://www.sqlite.org/rescode.html>).
fn concerns_all(error: &sqlx::Error) -> bool {
    match crate::fault::primary_code(error) {
        // Generic, internal, damaged page, too big, constraint, mismatch, misuse, out of range.
        Some(code) => !matches!(code, 1 | 2 | 11 | 18 | 19 | 20 | 21 | 25),
        None => matches!(error, sqlx::Error::WorkerCrashed | sqlx::Error::Io(_)),
    }
}
