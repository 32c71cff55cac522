//! Writing one receipt: its result, its findings and the status of its row, all in one transaction.

use std::collections::HashMap;

use einvoice_core::finding::Finding;
use einvoice_core::ledger::LedgerId;
use einvoice_core::receipt::{Edition, Receipt};

use crate::config::WriteBackConfig;
use crate::dialect::{Dialect, length};
use crate::fault::{Fault, Kind};
use crate::pool::{Row, Transact};
use crate::record::REV;
use crate::result::{Field, origin, value, word};
use crate::statement::Statement;
use crate::table::{Column, Relation};
use crate::target::{Errors, Header, Results, Target};

/// Most receipts in one transaction.
pub(crate) const BATCH: usize = 250;

/// What a row of the documents says before anything is written.
#[derive(Debug, Clone, Default)]
struct Known {
    rev: Option<String>,
    status: Option<String>,
    /// The result it has, where it keeps that itself.
    result: Option<Stored>,
}

/// What is there of a result.
#[derive(Debug, Clone)]
struct Stored {
    edition: Edition,
    /// There is a column for it; an empty one was written by a version that knew of none.
    tells_ledger: bool,
    /// Likewise.
    tells_ack_no: bool,
}

impl Stored {
    /// Whether it has a receipt already. A table that tells neither the ledger nor the acknowledgement is taken to belong
    /// to one ledger.
    fn has(&self, receipt: &Receipt) -> bool {
        let asked = Edition::of(receipt);
        let mut shown = self.edition.clone();
        if !self.tells_ledger && !self.tells_ack_no {
            shown.ledger.clone_from(&asked.ledger);
        }
        if !self.tells_ack_no {
            shown.ack_no.clone_from(&asked.ack_no);
        }
        shown.covers(&asked)
    }
}

/// The columns that tell which result there is.
#[derive(Debug, Clone, Copy)]
struct Told<'t> {
    receipt: &'t Column,
    ledger: Option<&'t Column>,
    ack_no: Option<&'t Column>,
}

impl<'t> Told<'t> {
    /// Among the columns that fields go into; nothing where no result is kept.
    fn by(fields: &'t [(&'static Field, Column)]) -> Option<Self> {
        let of = |name: &str| fields.iter().find(|(field, _)| field.name == name).map(|(_, column)| column);
        Some(Self { receipt: of("receipt")?, ledger: of("ledger"), ack_no: of("ack_no") })
    }

    /// What a row says in three cells from this one on.
    fn read(self, row: &Row, first: usize) -> Option<Stored> {
        let cell = |at: usize| row.cell(at).map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
        let revision = cell(first)?.parse().ok()?;
        let edition = Edition { ledger: cell(first + 1).map(LedgerId), revision, ack_no: cell(first + 2) };
        Some(Stored { edition, tells_ledger: self.ledger.is_some(), tells_ack_no: self.ack_no.is_some() })
    }
}

/// The writing of one batch.
pub(crate) struct Writing<'w> {
    pub(crate) transaction: Transact,
    target: &'w Target,
    config: &'w WriteBackConfig,
    dialect: Dialect,
    /// The result that a key has, or that it has one without saying which.
    stored: HashMap<String, Option<Stored>>,
    rows: HashMap<String, Known>,
}

/// The key of the row that a receipt answers. A record may have got another name in the ledger, where two had one; its
/// position has the key as it is.
pub(crate) fn key_of<'r>(receipt: &'r Receipt, column: &str) -> &'r str {
    let reference = &receipt.reference;
    let position = reference.position.strip_prefix(column).and_then(|rest| rest.strip_prefix(' '));
    position.filter(|key| reference.record_id.starts_with(key)).unwrap_or(&reference.record_id)
}

impl<'w> Writing<'w> {
    pub(crate) fn new(
        transaction: Transact,
        dialect: Dialect,
        target: &'w Target,
        config: &'w WriteBackConfig,
    ) -> Self {
        Self { transaction, target, config, dialect, stored: HashMap::new(), rows: HashMap::new() }
    }

    /// Writes receipts, of which none counts before the transaction is committed.
    pub(crate) async fn write_all(&mut self, receipts: &[Receipt]) -> Result<(), Fault> {
        self.lock(receipts).await?;
        for receipt in receipts {
            self.write(receipt).await?;
        }
        Ok(())
    }

    /// Locks what is there of these receipts, always in the same order.
    async fn lock(&mut self, receipts: &[Receipt]) -> Result<(), Fault> {
        let (dialect, target, config) = (self.dialect, self.target, self.config);
        if let Some(header) = &target.header {
            let keys: Vec<String> = receipts
                .iter()
                .filter(|receipt| is_of(receipt, &header.table))
                .map(|receipt| key_of(receipt, &config.key).to_owned())
                .collect();
            if !keys.is_empty() {
                let told = Told::by(&header.fields);
                let kept = told.map(|told| told.receipt);
                let ledger = told.and_then(|told| told.ledger);
                let ack_no = told.and_then(|told| told.ack_no);
                let wanted = [Some(&header.key), header.rev.as_ref(), header.status.as_ref(), kept, ledger, ack_no];
                let statement = select(dialect, &header.table, &wanted, &header.key, &keys);
                self.hold(&header.table, header.status.as_ref().or(kept), &header.key, &keys).await?;
                let statement = locking(statement, dialect);
                for row in self.transaction.rows(&statement).await? {
                    let cell = |at| row.cell(at).map(|text| text.trim().to_owned());
                    let known =
                        Known { rev: cell(1), status: cell(2), result: told.and_then(|told| told.read(&row, 3)) };
                    self.rows.insert(row.cell(0).unwrap_or_default().to_owned(), known);
                }
            }
        }
        if let Some(results) = &target.results
            && let Some(told) = Told::by(&results.fields)
        {
            let keys: Vec<String> = receipts.iter().map(|receipt| key_of(receipt, &config.key).to_owned()).collect();
            let wanted = [Some(&results.key), Some(told.receipt), told.ledger, told.ack_no];
            let statement = select(dialect, &results.table, &wanted, &results.key, &keys);
            let statement =
                locking(in_environment(statement, dialect, results.env.as_ref(), &config.environment), dialect);
            for row in self.transaction.rows(&statement).await? {
                self.stored.insert(row.cell(0).unwrap_or_default().to_owned(), told.read(&row, 1));
            }
        }
        Ok(())
    }

    /// Locks rows by writing what they have, where no words for locking are known: an update does it in every database.
    async fn hold(
        &mut self,
        table: &Relation,
        column: Option<&Column>,
        key: &Column,
        keys: &[String],
    ) -> Result<(), Fault> {
        let (Some(column), true) = (column, self.transaction.is_odbc() && self.dialect.locking().is_none()) else {
            return Ok(());
        };
        let name = self.dialect.quote(&column.name);
        let sql = format!("UPDATE {} SET {name} = {name} WHERE {} IN ", table.from, self.dialect.quote(&key.name));
        self.transaction.execute(&Statement::new(self.dialect, sql).list(keys, keys.len(), &key.kind)).await?;
        Ok(())
    }

    /// Writes a receipt, unless the same or a newer one is there.
    async fn write(&mut self, receipt: &Receipt) -> Result<(), Fault> {
        let key = key_of(receipt, &self.config.key).to_owned();
        let target = self.target;
        let header = target.header.as_ref().filter(|header| is_of(receipt, &header.table));
        let row = header.and_then(|_| self.rows.get(&key).cloned());
        let stored = self.stored.get(&key);
        let known = match &target.results {
            Some(_) => stored.and_then(Option::as_ref),
            None => row.as_ref().and_then(|row| row.result.as_ref()),
        };
        if known.is_some_and(|known| known.has(receipt)) {
            return Ok(());
        }
        let is_there = stored.is_some();
        let rev = receipt.attributes.get(REV);
        let changed =
            row.as_ref().and_then(|row| row.rev.as_ref()).zip(rev).is_some_and(|(found, read)| found != read.trim());
        if let Some(results) = &target.results {
            self.store(results, &key, is_there, receipt).await?;
            let stored = Stored { edition: Edition::of(receipt), tells_ledger: true, tells_ack_no: true };
            self.stored.insert(key.clone(), Some(stored));
        }
        if let Some(errors) = &target.errors {
            let mut findings = receipt.findings.clone();
            findings.extend(changed.then(row_changed));
            self.explain(errors, &key, receipt, &findings).await?;
        }
        match (header, row) {
            (Some(header), Some(row)) => self.settle(header, &key, &row, changed, receipt).await?,
            (Some(header), None) if !header.fields.is_empty() => {
                let reason = format!(
                    "{} has no row with {} {key} any more; put it back, or write results into a table of their own",
                    header.table.shown, header.key.name
                );
                return Err(Fault::new(Kind::Data, reason));
            }
            _ => {}
        }
        Ok(())
    }

    async fn store(&mut self, results: &Results, key: &str, is_there: bool, receipt: &Receipt) -> Result<(), Fault> {
        self.fits(&results.table, &results.key, Some(key))?;
        for (field, column) in &results.fields {
            self.fits(&results.table, column, value(receipt, field.name).as_deref())?;
        }
        let statement = if is_there {
            let statement = Statement::new(self.dialect, format!("UPDATE {} SET ", results.table.from));
            let statement = self.assigned(statement, &results.fields, receipt);
            let statement = statement.sql(&format!(" WHERE {} = ", self.dialect.quote(&results.key.name)));
            let statement = statement.value(Some(key), &results.key.kind);
            in_environment(statement, self.dialect, results.env.as_ref(), &self.config.environment)
        } else {
            let mut names = vec![self.dialect.quote(&results.key.name)];
            names.extend(results.env.iter().map(|env| self.dialect.quote(&env.name)));
            names.extend(results.fields.iter().map(|(_, column)| self.dialect.quote(&column.name)));
            let sql = format!("INSERT INTO {} ({}) VALUES (", results.table.from, names.join(", "));
            let mut statement = Statement::new(self.dialect, sql).value(Some(key), &results.key.kind);
            if let Some(env) = &results.env {
                statement = statement.sql(", ").value(Some(&self.config.environment), &env.kind);
            }
            for (field, column) in &results.fields {
                statement = self.placed(statement.sql(", "), field, column, receipt);
            }
            statement.sql(")")
        };
        self.transaction.execute(&statement).await?;
        Ok(())
    }

    /// Says which column is too short for a text, as databases refuse it without a name, or cut it off.
    fn fits(&self, table: &Relation, column: &Column, text: Option<&str>) -> Result<(), Fault> {
        let most =
            length(&column.kind).filter(|_| self.dialect != Dialect::Sqlite && self.dialect.is_text(&column.kind));
        let (Some(most), Some(text)) = (most, text) else { return Ok(()) };
        let found = text.chars().count();
        if u64::try_from(found).is_ok_and(|found| found <= most) {
            return Ok(());
        }
        let reason = format!(
            "{}.{} holds {most} characters, and this text has {found}; make the column wider",
            table.shown, column.name
        );
        Err(Fault::new(Kind::Data, reason))
    }

    fn assigned(&self, mut statement: Statement, fields: &[(&'static Field, Column)], receipt: &Receipt) -> Statement {
        for (at, (field, column)) in fields.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            statement = statement.sql(&format!("{comma}{} = ", self.dialect.quote(&column.name)));
            statement = self.placed(statement, field, column, receipt);
        }
        statement
    }

    /// A value, or the server's own moment.
    fn placed(&self, statement: Statement, field: &Field, column: &Column, receipt: &Receipt) -> Statement {
        if field.name == "updated_at" {
            return statement.sql(self.dialect.now());
        }
        statement.value(value(receipt, field.name).as_deref(), &column.kind)
    }

    /// Findings are those of the latest receipt; older ones are history, which the ledger keeps.
    async fn explain(
        &mut self,
        errors: &Errors,
        key: &str,
        receipt: &Receipt,
        findings: &[Finding],
    ) -> Result<(), Fault> {
        let name = self.dialect.quote(&errors.key.name);
        let statement = Statement::new(self.dialect, format!("DELETE FROM {} WHERE {name} = ", errors.table.from));
        let statement = statement.value(Some(key), &errors.key.kind);
        self.transaction
            .execute(&in_environment(statement, self.dialect, errors.env.as_ref(), &self.config.environment))
            .await?;
        for (at, finding) in findings.iter().enumerate() {
            let mut names = vec![name.clone()];
            names.extend(errors.env.iter().chain(&errors.columns).map(|column| self.dialect.quote(&column.name)));
            let sql = format!("INSERT INTO {} ({}) VALUES (", errors.table.from, names.join(", "));
            let mut statement = Statement::new(self.dialect, sql).value(Some(key), &errors.key.kind);
            if let Some(env) = &errors.env {
                statement = statement.sql(", ").value(Some(&self.config.environment), &env.kind);
            }
            for column in &errors.columns {
                statement = statement.sql(", ");
                statement = match column.name.to_ascii_lowercase().as_str() {
                    "at" => statement.sql(self.dialect.now()),
                    name => {
                        let text = said(finding, receipt, at, name);
                        let most = length(&column.kind).filter(|_| self.dialect.is_text(&column.kind));
                        statement.value(text.map(|text| cut(text, most)).as_deref(), &column.kind)
                    }
                };
            }
            self.transaction.execute(&statement.sql(")")).await?;
        }
        Ok(())
    }

    /// Sets the status of a row, unless it was changed since it was read or waits for being read again: then the word
    /// it has is the newer one.
    async fn settle(
        &mut self,
        header: &Header,
        key: &str,
        row: &Known,
        changed: bool,
        receipt: &Receipt,
    ) -> Result<(), Fault> {
        let words = &self.config.status;
        let waits = [&words.new, &words.retry, &words.cancel_requested];
        let waits = row.status.as_ref().is_some_and(|status| waits.contains(&status));
        let word = word(receipt.state, words).filter(|_| !changed && !waits);
        let status = header.status.as_ref().zip(word);
        if status.is_none() && header.fields.is_empty() {
            return Ok(());
        }
        for (field, column) in &header.fields {
            self.fits(&header.table, column, value(receipt, field.name).as_deref())?;
        }
        let statement = Statement::new(self.dialect, format!("UPDATE {} SET ", header.table.from));
        let mut statement = self.assigned(statement, &header.fields, receipt);
        if let Some((column, word)) = status {
            let comma = if header.fields.is_empty() { "" } else { ", " };
            statement = statement.sql(&format!("{comma}{} = ", self.dialect.quote(&column.name)));
            statement = statement.value(Some(word), &column.kind);
            for column in header.claimed_by.iter().chain(&header.claimed_at) {
                statement = statement.sql(&format!(", {} = NULL", self.dialect.quote(&column.name)));
            }
        }
        let statement = statement.sql(&format!(" WHERE {} = ", self.dialect.quote(&header.key.name)));
        self.transaction.execute(&statement.value(Some(key), &header.key.kind)).await?;
        Ok(())
    }
}

/// Whether a receipt is that of a row of this table.
fn is_of(receipt: &Receipt, table: &Relation) -> bool {
    receipt.reference.location.eq_ignore_ascii_case(&table.shown)
}

fn select(dialect: Dialect, table: &Relation, columns: &[Option<&Column>], key: &Column, keys: &[String]) -> Statement {
    let texts = columns.iter().map(|column| match column {
        Some(column) => dialect.text(&dialect.quote(&column.name), &column.kind),
        None => "NULL".to_owned(),
    });
    let texts: Vec<String> = texts.collect();
    let hint = dialect.locking().map_or("", |(hint, _)| hint);
    let sql = format!("SELECT {} FROM {}{hint} WHERE {} IN ", texts.join(", "), table.from, dialect.quote(&key.name));
    // Two lengths, so that the server prepares two statements.
    let length = if keys.len() == 1 { 1 } else { BATCH };
    Statement::new(dialect, sql).list(keys, length, &key.kind)
}

fn locking(statement: Statement, dialect: Dialect) -> Statement {
    statement.sql(dialect.locking().map_or("", |(_, end)| end))
}

/// Adds that a result is of an environment, where the table tells.
pub(crate) fn in_environment(
    statement: Statement,
    dialect: Dialect,
    env: Option<&Column>,
    environment: &str,
) -> Statement {
    match env {
        Some(env) => {
            statement.sql(&format!(" AND {} = ", dialect.quote(&env.name))).value(Some(environment), &env.kind)
        }
        None => statement,
    }
}

fn row_changed() -> Finding {
    Finding::warning(
        "database.row_changed",
        "",
        "the row was changed after it had been read; this result is that of the row as it was",
    )
    .with_fix("A registered document cannot be amended: undo the change, or cancel it and issue a new number.")
}

fn said(finding: &Finding, receipt: &Receipt, at: usize, column: &str) -> Option<String> {
    Some(match column {
        "seq" => (at + 1).to_string(),
        "receipt" => receipt.revision.to_string(),
        "rev" => receipt.attributes.get(REV)?.clone(),
        "severity" => finding.severity.to_string(),
        "source" => origin(&finding.rule).to_owned(),
        "code" => finding.code.as_ref()?.to_string(),
        "rule" => finding.rule.to_string(),
        "field_path" => finding.path.clone(),
        "found" => finding.found.clone()?,
        "expected" => finding.expected.clone()?,
        "message" => finding.message.clone(),
        "fix" => finding.fix.clone()?,
        "place" => finding.place.clone()?,
        _ => return None,
    })
}

/// A sentence for people, cut to what its column holds.
fn cut(text: String, most: Option<u64>) -> String {
    let most = most.and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX);
    match text.char_indices().nth(most) {
        Some((end, _)) => text.get(..end).unwrap_or_default().to_owned(),
        None => text,
    }
}
