//! What a table or a query has: its columns, by the names the database gives them.

use crate::dialect::Dialect;
use crate::fault::{Fault, Kind};
use crate::pool::{Row, Transact};
use crate::statement::Statement;

/// A column and its type, in the words of the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) kind: String,
}

/// A table or a query that stands for one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Relation {
    /// What people know it by.
    pub(crate) shown: String,
    /// What stands behind `FROM`.
    pub(crate) from: String,
    pub(crate) columns: Vec<Column>,
}

impl Relation {
    /// A table; nothing where there is none of this name.
    pub(crate) async fn find(transaction: &mut Transact, dialect: Dialect, name: &str) -> Result<Option<Self>, Fault> {
        for spelling in dialect.spellings(name) {
            let from = dialect.quote_table(&spelling);
            let columns = match columns_of(dialect, &spelling) {
                Some(statement) => transaction.rows(&statement).await?.iter().filter_map(column).collect(),
                None => described(transaction, &from).await?,
            };
            if !columns.is_empty() {
                return Ok(Some(Self { shown: name.to_owned(), from, columns }));
            }
        }
        Ok(None)
    }

    /// A table that must be there.
    pub(crate) async fn table(transaction: &mut Transact, dialect: Dialect, name: &str) -> Result<Self, Fault> {
        Self::find(transaction, dialect, name).await?.ok_or_else(|| {
            let reason = format!(
                "there is no table {name}, or this user may not see it; `einvoice new staging` prints the tables, and \
                 the plugin's README lists the privileges"
            );
            Fault::new(Kind::Setup, reason)
        })
    }

    /// A query in brackets.
    pub(crate) async fn query(transaction: &mut Transact, key: &str, sql: &str) -> Result<Self, Fault> {
        let sql = sql.trim().trim_end_matches(';').trim();
        let columns = transaction.describe(sql).await.map_err(|mut fault| {
            fault.reason = format!("`{key}`: {}", fault.reason);
            fault
        })?;
        Ok(Self { shown: key.to_owned(), from: format!("({sql})"), columns })
    }

    /// A column by its name, in any case.
    pub(crate) fn column(&self, name: &str) -> Option<&Column> {
        let exact = self.columns.iter().find(|column| column.name == name);
        exact.or_else(|| self.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name)))
    }

    /// A column that must be there.
    pub(crate) fn required(&self, name: &str) -> Result<&Column, Fault> {
        self.column(name).ok_or_else(|| {
            let names: Vec<&str> = self.columns.iter().map(|column| column.name.as_str()).collect();
            Fault::new(Kind::Setup, format!("{} has no column {name}; it has {}", self.shown, names.join(", ")))
        })
    }

    /// A column that a setting names, or that has the default name; the latter may be missing.
    pub(crate) fn optional(&self, named: Option<&str>, default: &str) -> Result<Option<&Column>, Fault> {
        match named {
            Some(name) => self.required(name).map(Some),
            None => Ok(self.column(default)),
        }
    }
}

fn column(row: &Row) -> Option<Column> {
    Some(Column { name: row.cell(0)?.to_owned(), kind: row.cell(1).unwrap_or_default().to_owned() })
}

/// What a driver says of a table; no columns where there is no such table, or where it may not be seen.
async fn described(transaction: &mut Transact, from: &str) -> Result<Vec<Column>, Fault> {
    match transaction.describe(&format!("SELECT * FROM {from}")).await {
        Err(fault) if fault.kind == Kind::Setup => Ok(Vec::new()),
        other => other,
    }
}

/// The statement that lists the columns of a table, where the dialect has one.
fn columns_of(dialect: Dialect, name: &str) -> Option<Statement> {
    let mut statement = Statement::new(dialect, dialect.columns()?);
    let (schema, table) = match name.rsplit_once('.') {
        Some((schema, table)) => (Some(schema.to_owned()), table.to_owned()),
        None => (None, name.to_owned()),
    };
    statement.values = match dialect {
        Dialect::Postgres => vec![Some(dialect.quote_table(name))],
        Dialect::MySql => vec![schema, Some(table)],
        _ => vec![Some(table)],
    };
    Some(statement)
}
