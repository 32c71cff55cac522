//! A statement that is being written, with its values.

use crate::dialect::{Dialect, base};

/// A statement and the values that stand in it.
#[derive(Debug, Clone)]
pub(crate) struct Statement {
    dialect: Dialect,
    pub(crate) sql: String,
    pub(crate) values: Vec<Option<String>>,
    /// The types of the values, where the driver has to know them; empty where the statement says them.
    pub(crate) kinds: Vec<String>,
}

impl Statement {
    pub(crate) fn new(dialect: Dialect, sql: impl Into<String>) -> Self {
        Self { dialect, sql: sql.into(), values: Vec::new(), kinds: Vec::new() }
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
        if self.dialect.is_typed_by_driver() {
            self.kinds.push(kind.to_owned());
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
    fn a_driver_is_told_the_types_that_no_cast_says() {
        let statement = Statement::new(Dialect::SqlServer, "x = ").value(Some("1"), "decimal(16, 2)");
        assert_eq!((statement.sql.as_str(), statement.kinds.as_slice()), ("x = ?", &["decimal(16, 2)".to_owned()][..]));
    }
}
