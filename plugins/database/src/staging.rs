//! The staging tables: statements that make them, for each dialect.

use std::fmt::Write as _;

use einvoice_core::document::{Form, MemberPath, Pattern};

use crate::builtin::{HEADER, ITEM, Mapped};
use crate::dialect::Dialect;
use crate::result::{self, FIELDS};

/// Characters of a key: long enough for a GUID with its braces or a compound key.
const KEY: u64 = 64;

/// Characters of a key among the results, where several databases may come together.
const RESULT_KEY: u64 = 128;

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
        Dialect::SqlServer => {
            "-- Staging tables of einvoice for SQL Server, from 2016 on. Nobody has tried them there yet.\n"
        }
        Dialect::Oracle => "-- Staging tables of einvoice for Oracle, from 12c on. Nobody has tried them there yet.\n",
        Dialect::Standard => {
            "-- Staging tables of einvoice in standard SQL. Change `clob` and `timestamp` where they have other names.\n"
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

fn text(dialect: Dialect, length: u64) -> String {
    result::Form::Text { least: 0, ddl: Some(length) }.ddl(dialect)
}

fn long(dialect: Dialect) -> String {
    result::Form::Long.ddl(dialect)
}

fn moment(dialect: Dialect) -> String {
    result::Form::Moment.ddl(dialect)
}

fn header(dialect: Dialect) -> Vec<String> {
    let moment = moment(dialect);
    let mut columns = vec![
        format!("doc_key {} NOT NULL PRIMARY KEY", text(dialect, KEY)),
        "rev integer DEFAULT 1 NOT NULL".to_owned(),
        format!("status {} DEFAULT 'NEW' NOT NULL", text(dialect, 16)),
        format!("claimed_by {}", text(dialect, 100)),
        format!("claimed_at {moment}"),
        "attempts integer DEFAULT 0 NOT NULL".to_owned(),
        format!("next_try_at {moment}"),
        "item_count integer".to_owned(),
    ];
    columns.extend(HEADER.iter().map(|column| member(dialect, column)));
    columns
}

fn items(dialect: Dialect) -> Vec<String> {
    let mut columns = vec![format!("doc_key {} NOT NULL", text(dialect, KEY))];
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
        Some(Form::Text { max, .. }) => text(dialect, u64::try_from(max).unwrap_or(u64::MAX)),
        Some(Form::Number { decimals: 0, .. }) => "integer".to_owned(),
        Some(Form::Number { .. }) if dialect == Dialect::Sqlite => "text".to_owned(),
        Some(Form::Number { decimals, max, .. }) => format!("decimal({}, {decimals})", max.to_string().len()),
        _ => long(dialect),
    };
    format!("{column} {kind}")
}

fn results(dialect: Dialect) -> Vec<String> {
    let mut columns =
        vec![format!("doc_key {} NOT NULL", text(dialect, RESULT_KEY)), format!("env {} NOT NULL", text(dialect, 16))];
    columns.extend(FIELDS.iter().map(|field| format!("{} {}", field.name, field.form.ddl(dialect))));
    columns.push("PRIMARY KEY (doc_key, env)".to_owned());
    columns
}

fn errors(dialect: Dialect) -> Vec<String> {
    let of = |name: &str, length: u64| format!("{name} {}", text(dialect, length));
    // A word of its own in SQL Server.
    let rule = if dialect == Dialect::SqlServer { "[rule]" } else { "rule" };
    vec![
        format!("{} NOT NULL", of("doc_key", RESULT_KEY)),
        format!("{} NOT NULL", of("env", 16)),
        "seq integer NOT NULL".to_owned(),
        "receipt integer NOT NULL".to_owned(),
        of("rev", 64),
        format!("at {}", moment(dialect)),
        of("severity", 16),
        of("source", 16),
        of("code", 16),
        of(rule, 64),
        of("field_path", 100),
        of("found", 500),
        of("expected", 500),
        format!("message {}", long(dialect)),
        format!("fix {}", long(dialect)),
        of("place", 500),
        "PRIMARY KEY (doc_key, env, seq)".to_owned(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Types that a dialect does not know, as the vendors' references list them.
    #[test]
    fn every_dialect_has_its_own_words_for_types() {
        for (dialect, has, has_not) in [
            (Dialect::Postgres, "signed_invoice text", " nvarchar"),
            (Dialect::MySql, "signed_invoice mediumtext", " timestamp"),
            (Dialect::Sqlite, "tot_inv_val text", " decimal"),
            (Dialect::SqlServer, "signed_invoice nvarchar(max)", " timestamp"),
            (Dialect::SqlServer, "[rule] nvarchar(64)", " varchar"),
            (Dialect::Oracle, "signed_invoice clob", " text"),
            (Dialect::Oracle, "buyer_gstin varchar2(15 char)", " varchar("),
        ] {
            let sql = tables(dialect);
            let statements: String = sql.lines().filter(|line| !line.starts_with("--")).collect();
            assert!(sql.contains(has) && !statements.contains(has_not), "{dialect:?}: {sql}");
        }
    }
}
