//! Types of columns in our words, and back into those of ODBC.

use std::num::NonZeroUsize;

use odbc_api::DataType;

use crate::dialect::{base, length};

/// A type as the start-up check and the statements know it. Drivers say a length for texts of any length too, which is
/// theirs and not the column's, so none is told for those.
pub(super) fn of_driver(kind: DataType) -> String {
    let sized = |word: &str, length: Option<NonZeroUsize>| match length {
        Some(length) => format!("{word}({length})"),
        None => "text".to_owned(),
    };
    match kind {
        DataType::Char { length } => sized("char", length),
        DataType::WChar { length } => sized("nchar", length),
        DataType::Varchar { length } => sized("varchar", length),
        DataType::WVarchar { length } => sized("nvarchar", length),
        DataType::LongVarchar { .. } | DataType::WLongVarchar { .. } => "text".to_owned(),
        DataType::Numeric { precision, scale } | DataType::Decimal { precision, scale } => {
            format!("decimal({precision}, {scale})")
        }
        DataType::Integer => "integer".to_owned(),
        DataType::SmallInt => "smallint".to_owned(),
        DataType::TinyInt => "tinyint".to_owned(),
        DataType::BigInt => "bigint".to_owned(),
        DataType::Float { .. } => "float".to_owned(),
        DataType::Real => "real".to_owned(),
        DataType::Double => "double".to_owned(),
        DataType::Date => "date".to_owned(),
        DataType::Time { .. } => "time".to_owned(),
        DataType::Timestamp { .. } => "timestamp".to_owned(),
        DataType::Bit => "bit".to_owned(),
        DataType::Binary { .. } | DataType::Varbinary { .. } | DataType::LongVarbinary { .. } => "binary".to_owned(),
        DataType::Unknown | DataType::Other { .. } => "another type".to_owned(),
    }
}

/// The type that a value is told to be: its column's, so that an index over the column can be used, and long enough for
/// the value, so that one too long is refused and not cut off.
pub(super) fn to_driver(kind: &str, value: usize) -> DataType {
    let declared = length(kind).and_then(|length| usize::try_from(length).ok()).unwrap_or(1);
    let length = NonZeroUsize::new(declared.max(value));
    match base(kind) {
        "char" => DataType::Char { length },
        "nchar" => DataType::WChar { length },
        "varchar" => DataType::Varchar { length },
        "text" => DataType::WLongVarchar { length },
        "decimal" => decimal(kind),
        "integer" => DataType::Integer,
        "smallint" | "tinyint" => DataType::SmallInt,
        "bigint" => DataType::BigInt,
        "date" => DataType::Date,
        "timestamp" => DataType::Timestamp { precision: 0 },
        _ => DataType::WVarchar { length },
    }
}

fn decimal(kind: &str) -> DataType {
    let scale = kind.split_once(',').and_then(|(_, rest)| rest.trim().trim_end_matches(')').parse().ok());
    let precision = length(kind).and_then(|precision| usize::try_from(precision).ok()).unwrap_or(18);
    DataType::Decimal { precision, scale: scale.unwrap_or_default() }
}

/// `0.5`, where SQL Server and Oracle say `.5`.
pub(super) fn with_leading_zero(text: String) -> String {
    match text.strip_prefix('-') {
        Some(rest) if rest.starts_with('.') => format!("-0{rest}"),
        None if text.starts_with('.') => format!("0{text}"),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_told_and_comes_back_the_same() {
        for (kind, length) in
            [("varchar(64)", 3), ("nchar(15)", 3), ("decimal(16, 2)", 3), ("bigint", 1), ("timestamp", 19)]
        {
            assert_eq!(of_driver(to_driver(kind, length)), kind);
        }
        // Longer than its column: the database has to refuse it, so the driver must not cut it off.
        assert_eq!(of_driver(to_driver("varchar(5)", 9)), "varchar(9)");
        assert_eq!(of_driver(DataType::Varchar { length: None }), "text");
    }

    #[test]
    fn decimals_have_a_digit_before_the_point() {
        for (told, read) in [(".5", "0.5"), ("-.50", "-0.50"), ("12.00", "12.00"), ("-3", "-3")] {
            assert_eq!(with_leading_zero(told.to_owned()), read);
        }
    }
}
