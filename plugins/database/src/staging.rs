//! The staging tables: statements that make them, for each dialect.

use std::fmt::Write as _;

use einvoice_core::document::{Form, MemberPath, Pattern};

use crate::builtin::{HEADER, ITEM, Mapped};
use crate::dialect::Dialect;
use crate::result::FIELDS;

/// Characters of a key: long enough for a GUID with its braces or a compound key.
const KEY: &str = "varchar(64)";

/// The statements that make the staging tables, their indexes, and for `PostgreSQL` the trigger that tells of new rows.
///
/// Types follow INV-01: texts as long as the member may be, amounts as decimals with the member's digits.
#[must_use]
pub fn tables(dialect: Dialect) -> String {
    let mut sql = String::new();
    sql.push_str(intro(dialect));
    table(
        &mut sql,
        dialect,
        "einv_header",
        "one row a document; write it last, or in one transaction with its items",
        &header(dialect),
    );
    table(&mut sql, dialect, "einv_item", "one row an item", &items(dialect));
    table(
        &mut sql,
        dialect,
        "einv_result",
        "one row a document and environment, written by einvoice",
        &results(dialect),
    );
    table(&mut sql, dialect, "einv_error", "the findings of the latest result, written by einvoice", &errors(dialect));
    sql.push_str("\nCREATE INDEX einv_header_due ON einv_header (status, doc_key);\n");
    sql.push_str("CREATE INDEX einv_result_irn ON einv_result (irn);\n");
    if dialect == Dialect::Postgres {
        sql.push_str(NOTIFY);
    }
    sql
}

fn intro(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Postgres => "-- Staging tables of einvoice for PostgreSQL.\n",
        Dialect::MySql => "-- Staging tables of einvoice for MySQL and MariaDB.\n",
        Dialect::Sqlite => {
            "-- Staging tables of einvoice for SQLite. Amounts are texts, as SQLite would keep a decimal as a binary\n\
             -- fraction.\n"
        }
    }
}

/// Tells einvoice that there is work, once the transaction that wrote it is committed.
const NOTIFY: &str = "
CREATE FUNCTION einv_header_is_due() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NOTIFY einv_header;
    RETURN NULL;
END $$;
CREATE TRIGGER einv_header_is_new AFTER INSERT ON einv_header
    FOR EACH STATEMENT EXECUTE FUNCTION einv_header_is_due();
CREATE TRIGGER einv_header_is_queued AFTER UPDATE OF status ON einv_header
    FOR EACH ROW WHEN (NEW.status IN ('NEW', 'RETRY')) EXECUTE FUNCTION einv_header_is_due();
";

fn table(sql: &mut String, dialect: Dialect, name: &str, meaning: &str, columns: &[String]) {
    let end = if dialect == Dialect::MySql { " DEFAULT CHARACTER SET utf8mb4" } else { "" };
    let written = write!(sql, "\n-- {meaning}\nCREATE TABLE {name} (\n    {}\n){end};\n", columns.join(",\n    "));
    debug_assert!(written.is_ok(), "writing to memory cannot fail");
}

fn moment(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Postgres => "timestamp",
        Dialect::MySql => "datetime",
        Dialect::Sqlite => "text",
    }
}

fn header(dialect: Dialect) -> Vec<String> {
    let moment = moment(dialect);
    let mut columns = vec![
        format!("doc_key {KEY} NOT NULL PRIMARY KEY"),
        "rev integer NOT NULL DEFAULT 1".to_owned(),
        "status varchar(16) NOT NULL DEFAULT 'NEW'".to_owned(),
        "claimed_by varchar(100)".to_owned(),
        format!("claimed_at {moment}"),
        "attempts integer NOT NULL DEFAULT 0".to_owned(),
        format!("next_try_at {moment}"),
        "item_count integer".to_owned(),
    ];
    columns.extend(HEADER.iter().map(|column| member(dialect, column)));
    columns
}

fn items(dialect: Dialect) -> Vec<String> {
    let mut columns = vec![format!("doc_key {KEY} NOT NULL")];
    columns.extend(ITEM.iter().map(|column| match column {
        // Lines are put in order by it, so it is a number.
        ("sl_no", _) => "sl_no integer NOT NULL".to_owned(),
        column => member(dialect, column),
    }));
    columns.push("PRIMARY KEY (doc_key, sl_no)".to_owned());
    columns
}

/// A column as its member has it.
fn member(dialect: Dialect, (column, path): &Mapped) -> String {
    let form = MemberPath::parse(path).map(|path| path.member().form).ok();
    let kind = match form {
        Some(Form::Text { pattern: Pattern::Date, .. }) if dialect != Dialect::Sqlite => "date".to_owned(),
        Some(Form::Text { pattern: Pattern::Date, .. }) => "text".to_owned(),
        Some(Form::Text { max, .. }) => format!("varchar({max})"),
        Some(Form::Number { decimals: 0, .. }) => "integer".to_owned(),
        Some(Form::Number { .. }) if dialect == Dialect::Sqlite => "text".to_owned(),
        Some(Form::Number { decimals, max, .. }) => format!("decimal({}, {decimals})", max.to_string().len()),
        _ => "text".to_owned(),
    };
    format!("{column} {kind}")
}

fn results(dialect: Dialect) -> Vec<String> {
    let mut columns = vec!["doc_key varchar(128) NOT NULL".to_owned(), "env varchar(16) NOT NULL".to_owned()];
    columns.extend(FIELDS.iter().map(|field| format!("{} {}", field.name, field.form.ddl(dialect))));
    columns.push("PRIMARY KEY (doc_key, env)".to_owned());
    columns
}

fn errors(dialect: Dialect) -> Vec<String> {
    let moment = moment(dialect);
    vec![
        "doc_key varchar(128) NOT NULL".to_owned(),
        "env varchar(16) NOT NULL".to_owned(),
        "seq integer NOT NULL".to_owned(),
        "receipt integer NOT NULL".to_owned(),
        "rev varchar(64)".to_owned(),
        format!("at {moment}"),
        "severity varchar(16)".to_owned(),
        "source varchar(16)".to_owned(),
        "code varchar(16)".to_owned(),
        "rule varchar(64)".to_owned(),
        "field_path varchar(100)".to_owned(),
        "found varchar(500)".to_owned(),
        "expected varchar(500)".to_owned(),
        "message text".to_owned(),
        "fix text".to_owned(),
        "place varchar(500)".to_owned(),
        "PRIMARY KEY (doc_key, env, seq)".to_owned(),
    ]
}
