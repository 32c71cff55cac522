//! What a write-back finds in its database: the tables and columns that results go into.

use crate::check::Faults;
use crate::config::WriteBackConfig;
use crate::dialect::Dialect;
use crate::fault::{Fault, Kind};
use crate::pool::{Database, Transact};
use crate::result::{FIELDS, Field, field};
use crate::table::{Column, Relation};

/// A table and the columns that fields go into.
#[derive(Debug)]
pub(crate) struct Results {
    pub(crate) table: Relation,
    pub(crate) key: Column,
    pub(crate) env: Option<Column>,
    pub(crate) fields: Vec<(&'static Field, Column)>,
}

/// The table of findings.
#[derive(Debug)]
pub(crate) struct Errors {
    pub(crate) table: Relation,
    pub(crate) key: Column,
    pub(crate) env: Option<Column>,
    /// Those of its columns that can be filled.
    pub(crate) columns: Vec<Column>,
}

/// The table of documents, whose status is set.
#[derive(Debug)]
pub(crate) struct Header {
    pub(crate) table: Relation,
    pub(crate) key: Column,
    pub(crate) status: Option<Column>,
    pub(crate) rev: Option<Column>,
    pub(crate) claimed_by: Option<Column>,
    pub(crate) claimed_at: Option<Column>,
    pub(crate) fields: Vec<(&'static Field, Column)>,
}

/// Where results go.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) results: Option<Results>,
    pub(crate) errors: Option<Errors>,
    pub(crate) header: Option<Header>,
}

/// Columns of the table of findings, beside the key and the environment.
pub(crate) const ERROR_COLUMNS: [&str; 14] = [
    "seq",
    "receipt",
    "rev",
    "at",
    "severity",
    "source",
    "code",
    "rule",
    "field_path",
    "found",
    "expected",
    "message",
    "fix",
    "place",
];

impl Target {
    pub(crate) async fn find(database: &Database, config: &WriteBackConfig) -> Result<Self, Fault> {
        let dialect = database.dialect;
        let mut transaction = database.reading().await?;
        let mut faults = Faults::default();
        let results = results(&mut transaction, dialect, config, &mut faults).await?;
        let errors = errors(&mut transaction, dialect, config).await?;
        let header = header(&mut transaction, dialect, config, &mut faults).await?;
        transaction.commit().await?;
        match faults.into_reason() {
            Some(reason) => Err(Fault::new(Kind::Setup, reason)),
            None => Ok(Self { results, errors, header }),
        }
    }
}

async fn results(
    transaction: &mut Transact,
    dialect: Dialect,
    config: &WriteBackConfig,
    faults: &mut Faults,
) -> Result<Option<Results>, Fault> {
    if config.result_table.is_empty() {
        return Ok(None);
    }
    let table = Relation::table(transaction, dialect, &config.result_table).await?;
    let mut fields = Vec::new();
    for field in FIELDS.iter().filter(|field| !config.leave_out.iter().any(|name| name == field.name)) {
        let name = config.result_columns.get(field.name).map_or(field.name, String::as_str);
        match table.column(name) {
            Some(column) => {
                faults.check(dialect, &table, column, field);
                fields.push((field, column.clone()));
            }
            None if field.is_optional && !config.result_columns.contains_key(field.name) => {}
            None => faults.missing(dialect, &table, name, field),
        }
    }
    let key = table.required(&config.key)?.clone();
    let env = table.column("env").cloned();
    Ok(Some(Results { table, key, env, fields }))
}

async fn errors(
    transaction: &mut Transact,
    dialect: Dialect,
    config: &WriteBackConfig,
) -> Result<Option<Errors>, Fault> {
    if config.error_table.is_empty() {
        return Ok(None);
    }
    let table = Relation::table(transaction, dialect, &config.error_table).await?;
    table.required("message")?;
    let columns = ERROR_COLUMNS.iter().filter_map(|name| table.column(name).cloned()).collect();
    Ok(Some(Errors { key: table.required(&config.key)?.clone(), env: table.column("env").cloned(), columns, table }))
}

async fn header(
    transaction: &mut Transact,
    dialect: Dialect,
    config: &WriteBackConfig,
    faults: &mut Faults,
) -> Result<Option<Header>, Fault> {
    let wanted = !config.header_columns.is_empty();
    let found = match config.header_table.as_str() {
        "" => None,
        name if wanted => Some(Relation::table(transaction, dialect, name).await?),
        name => Relation::find(transaction, dialect, name).await?,
    };
    let Some(table) = found else { return Ok(None) };
    let names = &config.columns;
    let status = table.optional(names.status.as_deref(), "status")?.cloned();
    if status.is_none() && !wanted {
        return Ok(None);
    }
    let mut fields = Vec::new();
    for (name, column) in &config.header_columns {
        let Some(field) = field(name) else { continue };
        let column = table.required(column)?;
        faults.check(dialect, &table, column, field);
        fields.push((field, column.clone()));
    }
    Ok(Some(Header {
        key: table.required(&config.key)?.clone(),
        status,
        rev: table.optional(names.rev.as_deref(), "rev")?.cloned(),
        claimed_by: table.optional(names.claimed_by.as_deref(), "claimed_by")?.cloned(),
        claimed_at: table.optional(names.claimed_at.as_deref(), "claimed_at")?.cloned(),
        fields,
        table,
    }))
}
