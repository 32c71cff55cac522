//! What the three dialects of SQL write differently.
//!
//! Every value travels as text: the database itself turns a column into text and a text into the column's type, so that
//! a decimal keeps all its digits and a date its day, whatever the driver makes of such types.

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
}

impl Dialect {
    /// The dialect of a name, as `einvoice new staging --dialect` takes it.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "postgres" | "postgresql" => Some(Self::Postgres),
            "mysql" | "mariadb" => Some(Self::MySql),
            "sqlite" => Some(Self::Sqlite),
            _ => None,
        }
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
        }
    }

    /// The moment, by the one clock that all workers share: the server's, in the portal's time zone.
    pub(crate) const fn now(self) -> &'static str {
        match self {
            Self::Postgres => "now()",
            Self::MySql => "NOW()",
            Self::Sqlite => "datetime('now', '+330 minutes')",
        }
    }

    /// The moment so many seconds ago.
    pub(crate) fn ago(self, seconds: u64) -> String {
        match self {
            Self::Postgres => format!("(now() - interval '{seconds} seconds')"),
            Self::MySql => format!("(NOW() - INTERVAL {seconds} SECOND)"),
            Self::Sqlite => format!("datetime('now', '+330 minutes', '-{seconds} seconds')"),
        }
    }

    /// The moment without its fraction, as text: the resolution every column of time has.
    pub(crate) const fn start(self) -> &'static str {
        match self {
            Self::Postgres => "SELECT date_trunc('second', now())::text",
            Self::MySql => "SELECT CAST(NOW() AS CHAR)",
            Self::Sqlite => "SELECT datetime('now', '+330 minutes')",
        }
    }

    /// The columns of a table: name and type, in its order. Takes the name of the table, and for MySQL that of the
    /// schema before it.
    pub(crate) const fn columns(self) -> &'static str {
        match self {
            Self::Postgres => {
                "SELECT attname::text, format_type(atttypid, atttypmod)::text FROM pg_attribute \
                 WHERE attrelid = to_regclass($1::text) AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
            }
            Self::MySql => {
                "SELECT CAST(column_name AS CHAR), CAST(column_type AS CHAR) FROM information_schema.columns \
                 WHERE table_schema = COALESCE(?, DATABASE()) AND table_name = ? ORDER BY ordinal_position"
            }
            Self::Sqlite => "SELECT name, CAST(lower(type) AS TEXT) FROM pragma_table_info(?) ORDER BY cid",
        }
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
        }
    }

    /// The binary fraction that a type holds, if it does.
    pub(crate) fn is_float(self, kind: &str) -> bool {
        let base = base(kind);
        match self {
            Self::Postgres => ["real", "double precision", "float4", "float8"].contains(&base),
            Self::MySql => base.starts_with("float") || base.starts_with("double"),
            Self::Sqlite => ["real", "floa", "doub"].iter().any(|word| base.contains(word)),
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

/// A statement that is being written, with its values.
#[derive(Debug, Clone)]
pub(crate) struct Statement {
    dialect: Dialect,
    pub(crate) sql: String,
    pub(crate) values: Vec<Option<String>>,
}

impl Statement {
    pub(crate) fn new(dialect: Dialect, sql: impl Into<String>) -> Self {
        Self { dialect, sql: sql.into(), values: Vec::new() }
    }

    /// Adds a piece of SQL.
    pub(crate) fn sql(mut self, sql: &str) -> Self {
        self.sql.push_str(sql);
        self
    }

    /// Adds the place of a value, which the database turns into a type.
    pub(crate) fn value(mut self, value: Option<&str>, kind: &str) -> Self {
        self.values.push(value.map(str::to_owned));
        if self.dialect == Dialect::Postgres {
            self.sql.push('$');
            self.sql.push_str(&self.values.len().to_string());
            self.sql.push_str("::text");
            if ["character", "char", "bpchar"].contains(&base(kind)) {
                // Without its length, by which the cast would cut a longer text off.
                self.sql.push_str("::bpchar");
            } else if !self.dialect.is_text(kind) && !kind.is_empty() {
                self.sql.push_str("::");
                self.sql.push_str(kind);
            }
        } else {
            self.sql.push('?');
        }
        self
    }

    /// Adds `(?, ?, ...)` of a fixed length, so that the server prepares one statement for pages of any length.
    pub(crate) fn list(mut self, values: &[String], length: usize, kind: &str) -> Self {
        self.sql.push('(');
        let last = values.last();
        for place in 0..length.max(values.len()) {
            if place > 0 {
                self.sql.push_str(", ");
            }
            self = self.value(values.get(place).or(last).map(String::as_str), kind);
        }
        self.sql.push(')');
        self
    }
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
    fn values_are_numbered_and_typed_where_the_dialect_wants_it() {
        let statement = |dialect| {
            Statement::new(dialect, "x = ").value(Some("1"), "bigint").sql(" IN ").list(&["a".to_owned()], 2, "text")
        };
        let postgres = statement(Dialect::Postgres);
        assert_eq!(postgres.sql, "x = $1::text::bigint IN ($2::text, $3::text)");
        assert_eq!(postgres.values, [Some("1".to_owned()), Some("a".to_owned()), Some("a".to_owned())]);
        assert_eq!(statement(Dialect::MySql).sql, "x = ? IN (?, ?)");
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
