//! Any database with an ODBC driver: SQL Server, Oracle and the rest.
//!
//! A driver blocks its caller, and some tie a connection to one thread. So each connection has a thread of its own that
//! does one job after the other, and the asynchronous side waits for answers only.

mod fault;
mod kinds;
mod login;
mod worker;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub(crate) use login::{Options, shown};

use crate::fault::{Fault, Kind};
use crate::pool::Row;
use crate::statement::Statement;
use crate::table::Column;
use worker::{Connection, Worker};

/// Connections that are made when they are needed and kept for the next.
#[derive(Clone)]
pub(crate) struct Pool(Arc<Shared>);

struct Shared {
    options: Options,
    connect: Duration,
    permits: Arc<Semaphore>,
    idle: Mutex<Vec<Worker>>,
}

impl fmt::Debug for Pool {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Pool").finish_non_exhaustive()
    }
}

impl Pool {
    pub(crate) fn new(options: &Options, connections: u32, connect: Duration) -> Self {
        let permits = usize::try_from(connections).unwrap_or(1);
        Self(Arc::new(Shared {
            options: options.clone(),
            connect,
            permits: Arc::new(Semaphore::new(permits)),
            idle: Mutex::new(Vec::new()),
        }))
    }

    /// A connection of one's own, in which the next statement begins a transaction.
    pub(crate) async fn begin(&self) -> Result<Work, Fault> {
        let late = || {
            let seconds = self.0.connect.as_secs();
            let reason = format!("no connection within {seconds} s (`connect_seconds`); the next run tries again");
            Fault::new(Kind::Unreachable, reason)
        };
        let begun = async {
            let permit = Arc::clone(&self.0.permits).acquire_owned().await;
            let permit = permit.map_err(|_| Fault::new(Kind::Broken, "the connections are closed"))?;
            let idle = self.0.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let worker = match idle {
                Some(worker) => worker,
                None => Worker::start(&self.0.options).await?,
            };
            Ok(Work { worker: Some(worker), shared: Arc::clone(&self.0), _permit: permit })
        };
        tokio::time::timeout(self.0.connect, begun).await.unwrap_or_else(|_| Err(late()))
    }
}

/// A transaction: dropped without [`Work::commit`] it is rolled back.
pub(crate) struct Work {
    worker: Option<Worker>,
    shared: Arc<Shared>,
    _permit: OwnedSemaphorePermit,
}

impl Work {
    pub(crate) async fn rows(&mut self, statement: &Statement) -> Result<Vec<Row>, Fault> {
        let statement = statement.clone();
        self.ask(move |connection| worker::rows(connection, &statement)).await
    }

    pub(crate) async fn execute(&mut self, statement: &Statement) -> Result<u64, Fault> {
        let statement = statement.clone();
        self.ask(move |connection| worker::execute(connection, &statement)).await
    }

    /// The columns of a query. Some databases refuse all that follows a statement that failed, so that one ends the
    /// transaction; nothing was written in it.
    pub(crate) async fn describe(&mut self, sql: &str) -> Result<Vec<Column>, Fault> {
        let sql = format!("SELECT * FROM ({sql}) einv_rows WHERE 1 = 0");
        let described = self.ask(move |connection| worker::describe(connection, &sql)).await;
        if described.as_ref().is_err_and(|fault| fault.kind != Kind::Broken) {
            self.ask(Connection::rollback).await?;
        }
        described
    }

    pub(crate) async fn commit(mut self) -> Result<(), Fault> {
        self.ask(Connection::commit).await?;
        self.give_back();
        Ok(())
    }

    pub(crate) async fn rollback(mut self) -> Result<(), Fault> {
        self.ask(Connection::rollback).await?;
        self.give_back();
        Ok(())
    }

    async fn ask<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&Connection) -> Result<T, odbc_api::Error> + Send + 'static,
    ) -> Result<T, Fault> {
        let Some(worker) = &self.worker else {
            return Err(Fault::new(Kind::Broken, "the connection broke; the next run tries again"));
        };
        let answer = worker.ask(work).await.map_err(|fault| self.shared.options.without_password(fault));
        if answer.as_ref().is_err_and(|fault| fault.kind == Kind::Broken) {
            // Those that were opened before are likely broken too: the server may have been started again.
            self.worker = None;
            self.shared.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
        answer
    }

    fn give_back(&mut self) {
        if let Some(worker) = self.worker.take() {
            self.shared.idle.lock().unwrap_or_else(PoisonError::into_inner).push(worker);
        }
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        let Some(worker) = &self.worker else { return };
        // What the driver is doing goes on, and is undone before anybody else has the connection.
        if worker.send(Connection::rollback) {
            self.give_back();
        }
    }
}
