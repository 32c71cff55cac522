#![doc = include_str!("../README.md")]

mod builtin;
mod check;
mod claim;
mod config;
mod dialect;
mod fault;
mod listen;
mod login;
#[cfg(feature = "odbc")]
mod odbc;
mod plan;
mod pool;
mod proof;
mod reader;
mod record;
mod result;
mod source;
mod staging;
mod statement;
mod table;
mod target;
mod write;
mod write_back;

pub use config::{ColumnNames, SourceConfig, StatusWords, WriteBackConfig};
pub use dialect::Dialect;
pub use source::DatabaseSource;
pub use staging::tables;
pub use write_back::DatabaseWriteBack;

/// Columns of a staging table, each with the member of INV-01 that it becomes.
pub type Columns = &'static [(&'static str, &'static str)];

/// The columns of the staging tables that become members of INV-01: those of the document, then those of an item.
#[must_use]
pub const fn columns() -> (Columns, Columns) {
    (builtin::HEADER, builtin::ITEM)
}

einvoice_core::register_source! {
    name: "database",
    summary: "Rows of PostgreSQL, MySQL, MariaDB or SQLite: staging tables, or any schema by a query and a column map",
    config: SourceConfig,
    example: include_str!("../examples/source.toml"),
    build: source::build,
}

einvoice_core::register_write_back! {
    name: "database",
    summary: "Results, findings and status into tables, in one transaction",
    config: WriteBackConfig,
    example: include_str!("../examples/write_back.toml"),
    ways: &[write_back::WAY],
    build: write_back::build,
}

einvoice_core::register_template! {
    plugin: "database",
    variant: "postgres",
    summary: "the statements that make the staging tables, for PostgreSQL",
    file_name: "staging-postgres.sql",
    make: || Ok(tables(Dialect::Postgres).into_bytes()),
}

einvoice_core::register_template! {
    plugin: "database",
    variant: "mysql",
    summary: "the statements that make the staging tables, for MySQL and MariaDB",
    file_name: "staging-mysql.sql",
    make: || Ok(tables(Dialect::MySql).into_bytes()),
}

einvoice_core::register_template! {
    plugin: "database",
    variant: "sqlite",
    summary: "the statements that make the staging tables, for SQLite",
    file_name: "staging-sqlite.sql",
    make: || Ok(tables(Dialect::Sqlite).into_bytes()),
}

einvoice_core::register_template! {
    plugin: "database",
    variant: "sqlserver",
    summary: "the statements that make the staging tables, for SQL Server (read over ODBC)",
    file_name: "staging-sqlserver.sql",
    make: || Ok(tables(Dialect::SqlServer).into_bytes()),
}

einvoice_core::register_template! {
    plugin: "database",
    variant: "oracle",
    summary: "the statements that make the staging tables, for Oracle (read over ODBC)",
    file_name: "staging-oracle.sql",
    make: || Ok(tables(Dialect::Oracle).into_bytes()),
}
