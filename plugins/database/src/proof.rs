//! What shows that a row which was queued again has its result: a column of a result that only a registration fills, in
//! the table of results or in the row itself.

use std::collections::BTreeMap;

use crate::config::SourceConfig;
use crate::dialect::Dialect;
use crate::fault::{Fault, Kind};
use crate::pool::Transact;
use crate::result::{field, no_field};
use crate::statement::Statement;
use crate::table::{Column, Relation};
use crate::write::in_environment;

/// Where results are looked for when nothing else is said.
const RESULT_TABLE: &str = "einv_result";

/// Fields that only a registration has, the likeliest first.
const SHOWING: [&str; 3] = ["irn", "ack_no", "signed_qr"];

/// Where results are, and by which column they are told.
#[derive(Debug)]
pub(crate) struct Proof {
    table: Relation,
    key: Column,
    shows: Column,
    env: Option<Column>,
}

/// Checks that fields of a result are named.
///
/// # Errors
/// The key of the setting and the reason.
pub(crate) fn check(config: &SourceConfig) -> Result<(), (&'static str, String)> {
    for (key, columns) in [("result_columns", &config.result_columns), ("header_columns", &config.header_columns)] {
        if let Some(name) = columns.keys().find(|name| field(name).is_none()) {
            return Err((key, no_field(name)));
        }
    }
    Ok(())
}

impl Proof {
    /// Looks for what can tell. `claimed` is the table whose rows are claimed.
    ///
    /// # Errors
    /// A fault of kind [`Kind::Setup`] that says what to set, where nothing can tell; any other where nobody answers.
    pub(crate) async fn find(
        transaction: &mut Transact,
        dialect: Dialect,
        config: &SourceConfig,
        claimed: &Relation,
    ) -> Result<Self, Fault> {
        if config.result_table.as_deref() == Some("") {
            return Self::in_row(config, claimed);
        }
        let name = config.result_table.as_deref().unwrap_or(RESULT_TABLE);
        let Some(table) = Relation::find(transaction, dialect, name).await? else {
            return Err(nothing_tells(&format!(
                "there is no table {name}, or this user may not see it: name the one of the write-back in `result_table`"
            )));
        };
        let key = table.required(&config.key).map_err(|fault| {
            nothing_tells(&format!("{}: name the table of the write-back in `result_table`", fault.reason))
        })?;
        let shows = showing(&table, &config.result_columns, "result_columns")?.or_else(|| {
            let renamed = |name: &&&str| config.result_columns.contains_key(**name);
            SHOWING.iter().filter(|name| !renamed(name)).find_map(|name| table.column(name))
        });
        let Some(shows) = shows else {
            return Err(nothing_tells(&format!(
                "{name} has no column {}: set `result_columns` as in the write-back, with irn = \"...\"",
                in_words()
            )));
        };
        let (key, shows, env) = (key.clone(), shows.clone(), table.column("env").cloned());
        Ok(Self { table, key, shows, env })
    }

    fn in_row(config: &SourceConfig, claimed: &Relation) -> Result<Self, Fault> {
        let Some(shows) = showing(claimed, &config.header_columns, "header_columns")? else {
            let reason = format!(
                "`result_table` is empty, so the row itself has to tell: set `header_columns` as in the write-back, with irn = \
                 \"...\" (or one of {})",
                in_words()
            );
            return Err(nothing_tells(&reason));
        };
        let (key, shows) = (claimed.required(&config.key)?.clone(), shows.clone());
        Ok(Self { table: claimed.clone(), key, shows, env: None })
    }

    /// Which of these keys have a result of this environment.
    pub(crate) async fn shown(
        &self,
        transaction: &mut Transact,
        dialect: Dialect,
        config: &SourceConfig,
        keys: &[String],
    ) -> Result<Vec<String>, Fault> {
        let text = |column: &Column| dialect.text(&dialect.quote(&column.name), &column.kind);
        let sql = format!(
            "SELECT {}, {} FROM {} WHERE {} IN ",
            text(&self.key),
            text(&self.shows),
            self.table.from,
            dialect.quote(&self.key.name)
        );
        let statement = Statement::new(dialect, sql).list(keys, keys.len(), &self.key.kind);
        let statement = statement.sql(&format!(" AND {} IS NOT NULL", dialect.quote(&self.shows.name)));
        let statement = in_environment(statement, dialect, self.env.as_ref(), &config.environment);
        let rows = transaction.rows(&statement).await?;
        // A column of the accounting system's own may hold blanks where there is nothing.
        let has_value = |cell: Option<&str>| cell.is_some_and(|text| !text.trim().is_empty());
        let shown = rows.into_iter().filter(|row| has_value(row.cell(1)));
        Ok(shown.filter_map(|row| row.cells.into_iter().next()?).collect())
    }
}

/// The first column that a setting names for a field which shows a registration.
fn showing<'t>(
    table: &'t Relation,
    columns: &BTreeMap<String, String>,
    setting: &str,
) -> Result<Option<&'t Column>, Fault> {
    let named = SHOWING.iter().find_map(|name| columns.get(*name));
    named
        .map(|name| {
            table.required(name).map_err(|fault| nothing_tells(&format!("{}: correct `{setting}`", fault.reason)))
        })
        .transpose()
}

fn in_words() -> String {
    let [first, second, third] = SHOWING;
    format!("{first}, {second} or {third}")
}

fn nothing_tells(reason: &str) -> Fault {
    Fault::new(
        Kind::Setup,
        format!(
            "nothing tells whether a row that is queued again has its result, and it would stay claimed for good: {reason}; or \
             set `results_elsewhere = true` where results are not written into this database"
        ),
    )
}
