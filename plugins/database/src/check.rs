//! Start-up check: whether the columns that results go into can hold them, with the statements that make them so.

use crate::dialect::{Dialect, base, length};
use crate::result::{Field, Form};
use crate::table::{Column, Relation};

/// Digits of an acknowledgement number, the longest number there is.
const DIGITS: u64 = 15;

/// Characters of a moment: `2026-11-22 10:15:00`.
const MOMENT: u64 = 19;

/// What is wrong with the columns of a table, collected so that all is said at once.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    said: Vec<String>,
    statements: Vec<String>,
}

impl Faults {
    /// Checks the column of a field.
    pub(crate) fn check(&mut self, dialect: Dialect, table: &Relation, column: &Column, field: &Field) {
        let Some(reason) = fault(dialect, &column.kind, field) else { return };
        self.said.push(format!("{}.{} is {}, {reason}", table.shown, column.name, column.kind));
        let (name, kind) = (dialect.quote(&column.name), field.form.ddl(dialect));
        self.statements.push(match dialect {
            Dialect::MySql => format!("ALTER TABLE {} MODIFY COLUMN {name} {kind};", table.from),
            Dialect::Postgres | Dialect::Sqlite => {
                format!("ALTER TABLE {} ALTER COLUMN {name} TYPE {kind};", table.from)
            }
            Dialect::SqlServer => format!("ALTER TABLE {} ALTER COLUMN {name} {kind};", table.from),
            // A text that is no CLOB cannot be made one in place.
            Dialect::Oracle if kind == "clob" => {
                let (from, new) = (&table.from, dialect.quote(&format!("{}_new", column.name)));
                format!(
                    "ALTER TABLE {from} ADD {new} clob; UPDATE {from} SET {new} = {name}; ALTER TABLE {from} DROP COLUMN \
                     {name}; ALTER TABLE {from} RENAME COLUMN {new} TO {name};"
                )
            }
            Dialect::Oracle => format!("ALTER TABLE {} MODIFY {name} {kind};", table.from),
            Dialect::Standard => format!("ALTER TABLE {} ALTER COLUMN {name} SET DATA TYPE {kind};", table.from),
        });
    }

    /// A column that is not there.
    pub(crate) fn missing(&mut self, dialect: Dialect, table: &Relation, name: &str, field: &Field) {
        self.said.push(format!("{} has no column {name}", table.shown));
        let kind = field.form.ddl(dialect);
        let add = if matches!(dialect, Dialect::SqlServer | Dialect::Oracle) { "ADD" } else { "ADD COLUMN" };
        self.statements.push(format!("ALTER TABLE {} {add} {} {kind};", table.from, dialect.quote(name)));
    }

    /// All in one sentence, if there is anything.
    pub(crate) fn into_reason(self) -> Option<String> {
        if self.said.is_empty() {
            return None;
        }
        Some(format!("{}; run: {}", self.said.join("; "), self.statements.join(" ")))
    }
}

/// Why a column of this type cannot hold a field. SQLite keeps whatever is put into a column.
fn fault(dialect: Dialect, kind: &str, field: &Field) -> Option<String> {
    if dialect == Dialect::Sqlite {
        return None;
    }
    let kind = kind.to_ascii_lowercase();
    if dialect.is_float(&kind) {
        return Some("whose digits are not exact".to_owned());
    }
    match field.form {
        Form::Text { least, .. } if dialect.is_text(&kind) => too_narrow(dialect, &kind, least),
        Form::Text { .. } if ["ack_no", "ewb_no"].contains(&field.name) => number(&kind, DIGITS),
        Form::Text { .. } if field.name == "rev" => None,
        Form::Long if dialect.is_text(&kind) => match dialect {
            // Sixty-four kilobytes are less than a signed invoice with many items.
            Dialect::MySql if !["mediumtext", "longtext"].contains(&base(&kind)) => {
                Some("too narrow for a signed invoice with many items".to_owned())
            }
            _ => length(&kind).map(|_| "too narrow for a signed invoice with many items".to_owned()),
        },
        Form::Text { .. } | Form::Long => Some("which holds no text".to_owned()),
        Form::Moment if dialect.is_text(&kind) => too_narrow(dialect, &kind, MOMENT),
        Form::Moment if base(&kind) == "date" => Some("which loses the time of day".to_owned()),
        Form::Moment | Form::Number => None,
    }
}

fn too_narrow(dialect: Dialect, kind: &str, least: u64) -> Option<String> {
    let most = match (dialect, base(kind)) {
        (Dialect::MySql, "tinytext") => Some(255),
        (_, "text" | "mediumtext" | "longtext") => None,
        // Without a length a text of PostgreSQL is as long as it likes, but for one type, which is then one character.
        (Dialect::Postgres, "character" | "char") => Some(length(kind).unwrap_or(1)),
        _ => length(kind),
    };
    most.filter(|most| *most < least).map(|_| format!("too narrow for {least} characters"))
}

fn number(kind: &str, digits: u64) -> Option<String> {
    let fits = match base(kind) {
        "bigint" | "bigint unsigned" => true,
        "numeric" | "decimal" => length(kind).is_none_or(|length| length >= digits),
        _ => false,
    };
    (!fits).then(|| format!("too narrow for {digits} digits"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result::field;

    fn said(dialect: Dialect, name: &str, kind: &str) -> Option<String> {
        fault(dialect, kind, field(name).unwrap())
    }

    #[test]
    fn narrow_columns_are_found_and_wide_ones_are_not() {
        use Dialect::{MySql, Postgres, Sqlite};
        for (dialect, name, kind) in [
            (Postgres, "signed_qr", "character varying(255)"),
            (MySql, "signed_qr", "varchar(255)"),
            (MySql, "signed_qr", "tinytext"),
            (MySql, "signed_invoice", "text"),
            (Postgres, "signed_invoice", "character varying(4000)"),
            (Postgres, "irn", "character(32)"),
            (Postgres, "ack_no", "integer"),
            (MySql, "ack_no", "int(11)"),
            (MySql, "ack_no", "double"),
            (Postgres, "ack_no", "numeric(10,0)"),
            (Postgres, "ack_dt", "date"),
            (MySql, "ack_dt", "varchar(10)"),
            (Postgres, "irn", "bytea"),
        ] {
            assert!(said(dialect, name, kind).is_some(), "{dialect:?} {name} {kind}");
        }
        for (dialect, name, kind) in [
            (Postgres, "signed_qr", "text"),
            (Postgres, "signed_qr", "character varying"),
            (MySql, "signed_qr", "text"),
            (MySql, "signed_invoice", "mediumtext"),
            (Postgres, "irn", "character(64)"),
            (Postgres, "ack_no", "bigint"),
            (MySql, "ack_no", "bigint(20) unsigned"),
            (MySql, "ack_no", "decimal(15,0)"),
            (Postgres, "ack_dt", "timestamp with time zone"),
            (Sqlite, "signed_qr", "varchar(10)"),
        ] {
            assert_eq!(said(dialect, name, kind), None, "{dialect:?} {name} {kind}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_at_once_with_the_statements_that_mend_it() {
        let column = Column { name: "QR".to_owned(), kind: "varchar(255)".to_owned() };
        let table =
            Relation { shown: "results".to_owned(), from: "`results`".to_owned(), columns: vec![column.clone()] };
        let mut faults = Faults::default();
        faults.check(Dialect::MySql, &table, &column, field("signed_qr").unwrap());
        faults.missing(Dialect::MySql, &table, "irn", field("irn").unwrap());
        assert_eq!(
            faults.into_reason().unwrap(),
            "results.QR is varchar(255), too narrow for 2000 characters; results has no column irn; run: \
             ALTER TABLE `results` MODIFY COLUMN `QR` text; ALTER TABLE `results` ADD COLUMN `irn` varchar(64);"
        );
    }
}
