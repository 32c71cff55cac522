//! What the dialects of SQL write differently.
//!
//! Every value travels as text: the database itself turns a column into text and a text into the column's type, so that
//! a decimal keeps all its digits and a date its day, whatever the driver makes of such types. The dialects that are
//! spoken over ODBC alone leave both to the driver, as ODBC defines what a decimal and a date look like as text.

/// A dialect of SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the databases this plugin speaks to")]
pub enum Dialect {
    /// `PostgreSQL`.
    Postgres,
    /// MySQL and MariaDB.
    MySql,
    /// SQLite.
    Sqlite,
    /// SQL Server, over ODBC.
    SqlServer,
    /// Oracle, over ODBC.
    Oracle,
    /// What the SQL standard and ODBC define, for any other database over ODBC.
    Standard,
}

impl Dialect {
    /// The dialect of a name, as `einvoice new staging --dialect` takes it.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "postgres" | "postgresql" => Some(Self::Postgres),
            "mysql" | "mariadb" => Some(Self::MySql),
            "sqlite" => Some(Self::Sqlite),
            "sqlserver" | "mssql" => Some(Self::SqlServer),
            "oracle" => Some(Self::Oracle),
            "standard" => Some(Self::Standard),
            _ => None,
        }
    }

    /// Whether the driver is told the types of values, as ODBC wants it, instead of a cast in the statement.
    pub(crate) const fn is_typed_by_driver(self) -> bool {
        matches!(self, Self::SqlServer | Self::Oracle | Self::Standard)
    }

    /// How else the database may spell a name that people write in any case.
    pub(crate) fn spellings(self, name: &str) -> Vec<String> {
        let mut spellings = vec![name.to_owned()];
        let others = match self {
            Self::Postgres => vec![name.to_lowercase()],
            Self::Oracle => vec![name.to_uppercase()],
            Self::Standard => vec![name.to_lowercase(), name.to_uppercase()],
            Self::MySql | Self::Sqlite | Self::SqlServer => Vec::new(),
        };
        spellings.extend(others.into_iter().filter(|other| other != name));
        spellings
    }

    /// A name in quotes, so that reserved words and capitals are what they are.
    pub(crate) fn quote(self, name: &str) -> String {
        let mark = if self == Self::MySql { '`' } else { '"' };
        let mut quoted = String::with_capacity(name.len() + 2);
        quoted.push(mark);
        for character in name.chars() {
            if character == mark {
                quoted.push(mark);
            }
            quoted.push(character);
        }
        quoted.push(mark);
        quoted
    }

    /// The name of a table, with its schema where it has one.
    pub(crate) fn quote_table(self, name: &str) -> String {
        let parts: Vec<String> = name.split('.').map(|part| self.quote(part.trim())).collect();
        parts.join(".")
    }

    /// A column as text, with every digit it has.
    pub(crate) fn text(self, expression: &str, kind: &str) -> String {
        match self {
            // A money type is written by the locale, a number is not.
            Self::Postgres if kind == "money" => format!("{expression}::numeric::text"),
            Self::Postgres => format!("{expression}::text"),
            // Six digits are all that is shown of a single-precision number; all it has are shown of a double.
            Self::MySql if is_single_precision(kind) => format!("CAST({expression} * 1e0 AS CHAR)"),
            Self::MySql => format!("CAST({expression} AS CHAR)"),
            Self::Sqlite => format!("CAST({expression} AS TEXT)"),
            // A driver shows six digits of a single-precision number, and all of a double.
            Self::SqlServer | Self::Oracle | Self::Standard if base(kind) == "real" => format!("({expression} * 1e0)"),
            Self::SqlServer | Self::Oracle | Self::Standard => expression.to_owned(),
        }
    }

    /// The moment, by the one clock that all workers share: the server's, in the portal's time zone where a word for that
    /// is known.
    pub(crate) const fn now(self) -> &'static str {
        match self {
            Self::Postgres => "now()",
            Self::MySql => "NOW()",
            Self::Sqlite => "datetime('now', '+330 minutes')",
            Self::SqlServer => "DATEADD(minute, 330, SYSUTCDATETIME())",
            Self::Oracle => "(SYS_EXTRACT_UTC(SYSTIMESTAMP) + INTERVAL '330' MINUTE)",
            Self::Standard => "CURRENT_TIMESTAMP",
        }
    }

    /// The moment as a row of its own, for the resolution every column of time has: seconds. `table` is any that is there,
    /// as the standard knows no row without one.
    pub(crate) fn start(self, table: &str) -> String {
        match self {
            Self::Postgres => "SELECT date_trunc('second', now())::text".to_owned(),
            Self::MySql => "SELECT CAST(NOW() AS CHAR)".to_owned(),
            Self::Sqlite => "SELECT datetime('now', '+330 minutes')".to_owned(),
            Self::SqlServer => format!("SELECT CONVERT(varchar(19), {}, 120)", self.now()),
            Self::Oracle => format!("SELECT TO_CHAR({}, 'YYYY-MM-DD HH24:MI:SS') FROM DUAL", self.now()),
            Self::Standard => {
                format!(
                    "SELECT CURRENT_TIMESTAMP FROM (SELECT COUNT(*) AS einv_rows FROM {table} WHERE 1 = 0) einv_clock"
                )
            }
        }
    }

    /// The end of a statement that gives the first rows only; it has an order.
    pub(crate) fn first(self, rows: usize) -> String {
        match self {
            Self::Postgres | Self::MySql | Self::Sqlite => format!(" LIMIT {rows}"),
            Self::SqlServer => format!(" OFFSET 0 ROWS FETCH NEXT {rows} ROWS ONLY"),
            Self::Oracle | Self::Standard => format!(" FETCH FIRST {rows} ROWS ONLY"),
        }
    }

    /// What locks rows that are selected, behind the table and at the end. Nothing where a transaction has the database
    /// to itself, or where no such words are known: then rows are locked by writing.
    pub(crate) const fn locking(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Postgres | Self::MySql | Self::Oracle => Some(("", " FOR UPDATE")),
            Self::SqlServer => Some((" WITH (UPDLOCK, ROWLOCK)", "")),
            Self::Sqlite | Self::Standard => None,
        }
    }

    /// The columns of a table: name and type, in its order. Takes the name of the table, and for MySQL that of the
    /// schema before it. Nothing where the driver is asked instead.
    pub(crate) const fn columns(self) -> Option<&'static str> {
        Some(match self {
            Self::Postgres => {
                "SELECT attname::text, format_type(atttypid, atttypmod)::text FROM pg_attribute \
                 WHERE attrelid = to_regclass($1::text) AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
            }
            Self::MySql => {
                "SELECT CAST(column_name AS CHAR), CAST(column_type AS CHAR) FROM information_schema.columns \
                 WHERE table_schema = COALESCE(?, DATABASE()) AND table_name = ? ORDER BY ordinal_position"
            }
            Self::Sqlite => "SELECT name, CAST(lower(type) AS TEXT) FROM pragma_table_info(?) ORDER BY cid",
            Self::SqlServer | Self::Oracle | Self::Standard => return None,
        })
    }

    /// Whether a type holds text, so that it needs no cast.
    pub(crate) fn is_text(self, kind: &str) -> bool {
        let base = base(kind);
        match self {
            Self::Postgres => {
                ["text", "varchar", "char", "bpchar", "name", "citext", "unknown"].contains(&base)
                    || base.starts_with("character")
            }
            Self::MySql => base.ends_with("text") || base.ends_with("char") || base == "enum",
            Self::Sqlite => ["char", "clob", "text"].iter().any(|word| base.contains(word)),
            Self::SqlServer | Self::Oracle | Self::Standard => base.ends_with("char") || base == "text",
        }
    }

    /// The binary fraction that a type holds, if it does.
    pub(crate) fn is_float(self, kind: &str) -> bool {
        let base = base(kind);
        match self {
            Self::Postgres => ["real", "double precision", "float4", "float8"].contains(&base),
            Self::MySql => base.starts_with("float") || base.starts_with("double"),
            Self::Sqlite => ["real", "floa", "doub"].iter().any(|word| base.contains(word)),
            Self::SqlServer | Self::Oracle | Self::Standard => ["real", "float", "double"].contains(&base),
        }
    }
}

/// A type without its length: `varchar` of `varchar(255)`.
pub(crate) fn base(kind: &str) -> &str {
    kind.split('(').next().unwrap_or(kind).trim()
}

/// The length that stands in brackets behind a type.
pub(crate) fn length(kind: &str) -> Option<u64> {
    let inner = kind.split_once('(')?.1;
    inner.split([',', ')']).next()?.trim().parse().ok()
}

fn is_single_precision(kind: &str) -> bool {
    base(kind).starts_with("float")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_so_that_none_can_end_its_quotes() {
        assert_eq!(Dialect::Postgres.quote_table("erp.Sales Header"), r#""erp"."Sales Header""#);
        assert_eq!(Dialect::MySql.quote("a`b"), "`a``b`");
        assert_eq!(Dialect::Sqlite.quote("a\"b"), "\"a\"\"b\"");
    }

    #[test]
    fn types_are_told_apart_by_the_words_of_each_database() {
        for (dialect, text, float) in [
            (Dialect::Postgres, "character varying(16)", "double precision"),
            (Dialect::MySql, "mediumtext", "float(10,2)"),
            (Dialect::Sqlite, "varchar(16)", "real"),
        ] {
            assert!(dialect.is_text(text) && !dialect.is_text(float), "{dialect:?}");
            assert!(dialect.is_float(float) && !dialect.is_float(text), "{dialect:?}");
        }
        assert_eq!((length("decimal(16, 2)"), length("text"), base("decimal(16, 2)")), (Some(16), None, "decimal"));
    }
}
