//! One cell: its value with its type, and the text that mapping reads.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Digits a spreadsheet keeps of a number, which is how many of a binary fraction mean something.
const SIGNIFICANT_DIGITS: usize = 15;
/// Days between the two calendars of workbooks: serial 0 of the 1904 calendar is serial 1462 of the 1900 one.
const DAYS_1900_TO_1904: f64 = 1462.0;
/// How exports of databases write that there is no value. Words that may mean something (`-`, `NA`, `NIL`) are none.
const ABSENT: [&str; 4] = ["NULL", "(null)", "<null>", "\\N"];
/// Serial of 31 December 9999, the last day a workbook can hold.
pub(crate) const LAST_SERIAL: f64 = 2_958_465.0;

/// A value as the workbook types it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell {
    /// Text, as it stands.
    Text(String),
    /// A number.
    Number(f64),
    /// A part of one that its cell shows by the hundred: 0.18 for 18%.
    Percent(f64),
    /// Yes or no.
    Bool(bool),
    /// A day, with the time as its fraction, as serial of the 1900 calendar whatever the workbook uses.
    Date(f64),
    /// What a formula gave that could not be computed: `#REF!`.
    Error(String),
}

/// One row that has a value somewhere.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Row {
    /// Its number, from 1, as a spreadsheet program shows it; of a text file the number of its first line.
    pub(crate) number: u32,
    /// Its cells that are not empty, by column from 0, in their order.
    pub(crate) cells: Vec<(u32, Cell)>,
}

impl Row {
    /// The cell of a column.
    pub(crate) fn get(&self, column: u32) -> Option<&Cell> {
        let at = self.cells.binary_search_by_key(&column, |(column, _)| *column).ok()?;
        self.cells.get(at).map(|(_, cell)| cell)
    }
}

impl Cell {
    /// A date of either calendar.
    pub(crate) fn date(serial: f64, is_1904: bool) -> Self {
        Self::Date(if is_1904 { serial + DAYS_1900_TO_1904 } else { serial })
    }

    /// Whether there is nothing to see in it.
    pub(crate) fn is_blank(&self) -> bool {
        matches!(self, Self::Text(text) if text.trim().is_empty())
    }

    /// The text that mapping reads, unless there is nothing to read: databases export an absent value as a word.
    pub(crate) fn said(&self) -> Option<Cow<'_, str>> {
        let text = self.shown();
        let word = text.trim();
        let is_absent = word.is_empty() || ABSENT.iter().any(|absent| word.eq_ignore_ascii_case(absent));
        (!is_absent).then_some(text)
    }

    /// The text that mapping reads: numbers with the 15 digits that count, dates in ISO order.
    pub(crate) fn text(&self) -> String {
        self.shown().into_owned()
    }

    /// As [`text`](Self::text), without a copy of what is text already.
    pub(crate) fn shown(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) | Self::Error(text) => text.as_str().into(),
            Self::Number(number) => number_text(*number).into(),
            Self::Percent(part) => format!("{}%", number_text(*part * 100.0)).into(),
            Self::Bool(yes) => if *yes { "TRUE" } else { "FALSE" }.into(),
            Self::Date(serial) => date_text(*serial).into(),
        }
    }
}

/// A number with 15 significant digits, as a spreadsheet program shows it: every decimal number of so many digits
/// survives being kept in binary, and what lies behind them is noise of that (`12.300000000000001`).
///
/// A whole number with more digits has lost them; it is written with an exponent, which mapping reports.
fn number_text(number: f64) -> String {
    if !number.is_finite() {
        return "#NUM!".to_owned();
    }
    let shortest = number.to_string();
    if shortest.bytes().filter(u8::is_ascii_digit).count() <= SIGNIFICANT_DIGITS {
        return shortest;
    }
    let rounded = format!("{number:.*e}", SIGNIFICANT_DIGITS - 1);
    let (mantissa, exponent) = rounded.split_once('e').unwrap_or((&rounded, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let (sign, mantissa) = mantissa.strip_prefix('-').map_or(("", mantissa), |rest| ("-", rest));
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let Ok(whole) = usize::try_from(exponent + 1) else {
        let zeros = usize::try_from(-(exponent + 1)).unwrap_or_default();
        let fraction = format!("{}{digits}", "0".repeat(zeros.min(300)));
        return format!("{sign}0.{}", fraction.trim_end_matches('0'));
    };
    if whole > SIGNIFICANT_DIGITS {
        return format!("{sign}{}E+{exponent}", mantissa.trim_end_matches('0').trim_end_matches('.'));
    }
    let (before, after) = digits.split_at_checked(whole).unwrap_or((&digits, ""));
    let before = if before.is_empty() { "0" } else { before };
    let after = after.trim_end_matches('0');
    if after.is_empty() { format!("{sign}{before}") } else { format!("{sign}{before}.{after}") }
}

/// A serial of the 1900 calendar as `2026-11-05`, with a time where it has one.
fn date_text(serial: f64) -> String {
    use calamine::{ExcelDateTime, ExcelDateTimeType};

    if !(0.0..LAST_SERIAL + 1.0).contains(&serial) {
        return number_text(serial);
    }
    let (year, month, day, hour, minute, second, _) =
        ExcelDateTime::new(serial, ExcelDateTimeType::DateTime, false).to_ymd_hms_milli();
    let mut text = format!("{year:04}-{month:02}-{day:02}");
    if (hour, minute, second) != (0, 0, 0) {
        // Writing to memory cannot fail.
        _ = write!(text, "T{hour:02}:{minute:02}:{second:02}");
    }
    text
}

/// The letters of a column: `A`, `Z`, `AA`.
pub(crate) fn letters(column: u32) -> String {
    let mut left = column + 1;
    let mut letters = Vec::new();
    while left > 0 {
        left -= 1;
        letters.push(char::from(b'A' + u8::try_from(left % 26).unwrap_or_default()));
        left /= 26;
    }
    letters.iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_show_the_digits_that_count_and_no_noise() {
        for (number, expected) in [
            (118.0, "118"),
            (-12.5, "-12.5"),
            ("12.300000000000001".parse().unwrap(), "12.3"),
            (0.1 + 0.2, "0.3"),
            (1_234_567.89, "1234567.89"),
            (112_610_000_000_001.0, "112610000000001"),
            (1.5e-5, "0.000015"),
            ("2.9999999999999996".parse().unwrap(), "3"),
            ("-0.00012345678901234567".parse().unwrap(), "-0.000123456789012346"),
            (1.126_1e17, "1.1261E+17"),
            (0.0, "0"),
            (f64::NAN, "#NUM!"),
        ] {
            assert_eq!(number_text(number), expected, "{number:e}");
        }
    }

    #[test]
    fn dates_of_both_calendars_are_the_same_day() {
        assert_eq!(Cell::date(46_331.0, false).text(), "2026-11-05");
        assert_eq!(Cell::date(44_869.0, true).text(), "2026-11-05");
        assert_eq!(Cell::date(46_331.5, false).text(), "2026-11-05T12:00:00");
        assert_eq!(Cell::date(59.0, false).text(), "1900-02-28");
        assert_eq!(Cell::date(61.0, false).text(), "1900-03-01");
        assert_eq!(Cell::date(-3.0, false).text(), "-3");
    }

    #[test]
    fn columns_have_letters() {
        for (column, expected) in [(0, "A"), (25, "Z"), (26, "AA"), (299, "KN"), (16_383, "XFD")] {
            assert_eq!(letters(column), expected);
        }
    }

    proptest! {
        #[test]
        fn a_decimal_of_fifteen_digits_comes_back_as_it_was_written(units in -999_999_999_999_999_i64..1_000_000_000_000_000, places in 0_usize..8) {
            let magnitude = format!("{:0>width$}", units.unsigned_abs(), width = places + 1);
            let (whole, fraction) = magnitude.split_at(magnitude.len() - places);
            let sign = if units < 0 { "-" } else { "" };
            let written = format!("{sign}{whole}.{fraction}0");
            let expected = format!("{sign}{whole}.{fraction}");
            let expected = expected.trim_end_matches('0').trim_end_matches('.');
            let number: f64 = written.parse().unwrap();
            prop_assert_eq!(number_text(number), if units == 0 { "0" } else { expected });
        }
    }
}
