//! A connection and its thread.

use std::sync::mpsc::{Receiver, Sender, channel};

use odbc_api::handles::ColumnDescription;
use odbc_api::parameter::{VarWCharBox, WithDataType};
use odbc_api::{ConnectionOptions, Cursor as _, DataType, Error, ResultSetMetadata as _};
use tokio::sync::oneshot;

use super::kinds;
use super::login::Options;
use crate::fault::{Fault, Kind};
use crate::pool::Row;
use crate::statement::Statement;
use crate::table::Column;

pub(super) type Connection = odbc_api::Connection<'static>;

type Job = Box<dyn FnOnce(&Connection) + Send>;

/// A connection that does one job after the other, until it is dropped.
pub(super) struct Worker {
    jobs: Sender<Job>,
}

impl Worker {
    /// Connects, on a thread that lives as long as the connection.
    pub(super) async fn start(options: &Options) -> Result<Self, Fault> {
        let (jobs, todo) = channel();
        let (connected, answer) = oneshot::channel();
        let own = options.clone();
        std::thread::Builder::new()
            .name("odbc".to_owned())
            .spawn(move || match connect(&own) {
                Ok(connection) => {
                    if connected.send(Ok(())).is_ok() {
                        work(&connection, &todo);
                    }
                }
                // Nobody waits any more: then nobody wants to know.
                Err(error) => drop(connected.send(Err(error))),
            })
            .map_err(|error| Fault::new(Kind::Broken, format!("no thread for a connection: {error}")))?;
        match answer.await {
            Ok(Ok(())) => Ok(Self { jobs }),
            Ok(Err(error)) => Err(options.without_password(Fault::from(error).of_connecting())),
            Err(_) => Err(driver_failed()),
        }
    }

    /// Has a job done and waits for its answer. Dropped before, the job is done and its answer lost.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Fault> {
        let (tell, answer) = oneshot::channel();
        let sent = self.send(move |connection| {
            drop(tell.send(work(connection)));
            Ok(())
        });
        if !sent {
            return Err(driver_failed());
        }
        answer.await.map_err(|_| driver_failed())?.map_err(Fault::from)
    }

    /// Has a job done of which nobody wants to know the end. `false` where the thread has ended.
    pub(super) fn send(&self, work: impl FnOnce(&Connection) -> Result<(), Error> + Send + 'static) -> bool {
        let job = move |connection: &Connection| {
            if let Err(error) = work(connection) {
                let fault = Fault::from(error);
                tracing::debug!(reason = fault.reason, "a transaction was not undone; the server does it");
            }
        };
        self.jobs.send(Box::new(job)).is_ok()
    }
}

fn driver_failed() -> Fault {
    Fault::new(Kind::Broken, "the ODBC driver failed inside; the next run tries again with a new connection")
}

fn connect(options: &Options) -> Result<Connection, Error> {
    let environment = odbc_api::environment()?;
    let text = options.connection_string();
    let connection =
        environment.connect_with_connection_string(text.trim_end_matches('\0'), ConnectionOptions::default())?;
    // From here on a transaction lasts until it is ended.
    connection.set_autocommit(false)?;
    Ok(connection)
}

fn work(connection: &Connection, todo: &Receiver<Job>) {
    while let Ok(job) = todo.recv() {
        job(connection);
    }
}

/// A text with a zero behind its end. The length of a statement is told, yet a driver was seen to read on until there is
/// a zero (MariaDB's 3.1.15).
struct Terminated(String);

impl Terminated {
    fn new(text: &str) -> Self {
        let mut whole = String::with_capacity(text.len() + 1);
        whole.push_str(text);
        whole.push('\0');
        Self(whole)
    }

    fn text(&self) -> &str {
        self.0.trim_end_matches('\0')
    }
}

/// What has to be done to a value that a driver gives as text.
#[derive(Clone, Copy)]
enum Form {
    AsItIs,
    /// Filled up with blanks.
    Padded,
    ExactNumber,
}

impl Form {
    fn of(kind: DataType) -> Self {
        match kind {
            DataType::Char { .. } | DataType::WChar { .. } => Self::Padded,
            DataType::Numeric { .. } | DataType::Decimal { .. } => Self::ExactNumber,
            _ => Self::AsItIs,
        }
    }

    fn apply(self, mut text: String) -> String {
        match self {
            Self::AsItIs => text,
            Self::Padded => {
                text.truncate(text.trim_end_matches(' ').len());
                text
            }
            Self::ExactNumber => kinds::with_leading_zero(text),
        }
    }
}

/// Values as text in UTF-16, the one encoding that drivers of all systems share; the driver makes of them what the column
/// is.
fn parameters(statement: &Statement) -> Vec<WithDataType<VarWCharBox>> {
    let of = |(at, value): (usize, &Option<String>)| {
        let kind = statement.kinds.get(at).map_or("", String::as_str);
        let length = value.as_ref().map_or(0, |text| text.encode_utf16().count());
        let value = value.as_deref().map_or_else(VarWCharBox::null, VarWCharBox::from_str_slice);
        WithDataType::new(value, kinds::to_driver(kind, length))
    };
    statement.values.iter().enumerate().map(of).collect()
}

pub(super) fn rows(connection: &Connection, statement: &Statement) -> Result<Vec<Row>, Error> {
    let parameters = parameters(statement);
    let sql = Terminated::new(&statement.sql);
    let Some(mut cursor) = connection.execute(sql.text(), parameters.as_slice(), None)? else {
        return Ok(Vec::new());
    };
    let columns = u16::try_from(cursor.num_result_cols()?).unwrap_or_default();
    let mut forms = Vec::new();
    for column in 1..=columns {
        forms.push(Form::of(cursor.col_data_type(column)?));
    }
    let mut read = Vec::new();
    let mut text = Vec::new();
    while let Some(mut row) = cursor.next_row()? {
        let mut cells = Row { cells: Vec::with_capacity(forms.len()), broken: None };
        for (column, form) in (1..=columns).zip(&forms) {
            let cell = match row.get_wide_text(column, &mut text)?.then(|| String::from_utf16(&text)) {
                Some(Ok(text)) => Some(form.apply(text)),
                Some(Err(_)) => {
                    cells.broken.get_or_insert(usize::from(column) - 1);
                    None
                }
                None => None,
            };
            cells.cells.push(cell);
        }
        read.push(cells);
    }
    Ok(read)
}

pub(super) fn execute(connection: &Connection, statement: &Statement) -> Result<u64, Error> {
    let parameters = parameters(statement);
    let mut prepared = connection.preallocate()?;
    let sql = Terminated::new(&statement.sql);
    drop(prepared.execute(sql.text(), parameters.as_slice())?);
    Ok(prepared.row_count()?.and_then(|count| u64::try_from(count).ok()).unwrap_or_default())
}

pub(super) fn describe(connection: &Connection, sql: &str) -> Result<Vec<Column>, Error> {
    let sql = Terminated::new(sql);
    let Some(mut cursor) = connection.execute(sql.text(), (), None)? else { return Ok(Vec::new()) };
    let columns = u16::try_from(cursor.num_result_cols()?).unwrap_or_default();
    let mut described = Vec::new();
    for column in 1..=columns {
        let mut found = ColumnDescription::default();
        cursor.describe_col(column, &mut found)?;
        described.push(Column { name: cursor.col_name(column)?, kind: kinds::of_driver(found.data_type) });
    }
    Ok(described)
}
