//! A copy of a text file, as one that people open in a spreadsheet program.

use std::fmt::Write as _;
use std::io::{BufWriter, Write};
use std::ops::ControlFlow;

use tempfile::NamedTempFile;

use super::CopyError;
use super::base::Base;
use super::plan::{Plan, SheetPlan};
use crate::book::Line;
use crate::builtin::RESULTS;
use crate::cell::Row;

/// Results of more digits than a spreadsheet program shows of a number.
const LONG_NUMBERS: [&str; 2] = ["AckNo", "EwbNo"];

/// Writes the copy: UTF-8 with a byte order mark, by which Excel knows it, and every row at its line.
pub(crate) fn write(file: NamedTempFile, base: &mut Base, plan: &Plan) -> Result<NamedTempFile, CopyError> {
    let mut out =
        Out { writer: BufWriter::new(file), line: 1, delimiter: char::from(base.delimiter()), columns: Vec::new() };
    out.writer.write_all(b"\xef\xbb\xbf")?;
    let names: Vec<(String, u32)> = base.sheets().map(|sheet| (sheet.name.clone(), sheet.width)).collect();
    let empty = SheetPlan::default();
    for (name, width) in names.iter().take(1) {
        let own = plan.sheets.get(name).unwrap_or(&empty);
        out.columns = own.columns(*width);
        let mut failed = None;
        let mut last = 0;
        base.rows(name, &mut |line| {
            let (Line::Row(row) | Line::Fault { readable: Some(row), .. }) = line else {
                return ControlFlow::Continue(());
            };
            last = row.number;
            match out.row(&row, own) {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => {
                    failed = Some(error);
                    ControlFlow::Break(())
                }
            }
        })?;
        if let Some(error) = failed {
            return Err(error.into());
        }
        for number in own.fresh.keys().filter(|number| **number > last) {
            out.row(&Row { number: *number, cells: Vec::new() }, own)?;
        }
    }
    Ok(out.writer.into_inner().map_err(std::io::IntoInnerError::into_error)?)
}

struct Out<W: Write> {
    writer: BufWriter<W>,
    /// The line that is written next.
    line: u32,
    delimiter: char,
    /// Columns of results, and of the program's own.
    columns: Vec<u32>,
}

impl<W: Write> Out<W> {
    fn row(&mut self, row: &Row, plan: &SheetPlan) -> std::io::Result<()> {
        while self.line < row.number {
            self.writer.write_all(b"\n")?;
            self.line += 1;
        }
        let mut cells: std::collections::BTreeMap<u32, String> =
            row.cells.iter().map(|(column, cell)| (*column, cell.text())).collect();
        if row.number == plan.heading_row && !plan.fresh.is_empty() {
            cells.extend(plan.missing(&self.columns).map(|(_, column, text)| (column, text.to_owned())));
        }
        if let Some(fresh) = plan.fresh.get(&row.number) {
            cells.extend((0..).zip(fresh.named.iter().flatten().cloned()));
            let values = RESULTS.iter().zip(&fresh.values).map(|(name, value)| as_shown(name, value));
            let values = values.chain([fresh.state.to_text()]);
            cells.extend(self.columns.iter().copied().zip(values));
        }
        let width = cells.last_key_value().map_or(0, |(column, _)| column + 1);
        let mut text = String::new();
        for column in 0..width {
            if column > 0 {
                text.push(self.delimiter);
            }
            if let Some(value) = cells.get(&column) {
                quoted(&mut text, &neutral(value), self.delimiter);
            }
        }
        text.push('\n');
        let lines = text.bytes().filter(|byte| *byte == b'\n').count();
        self.line = self.line.saturating_add(u32::try_from(lines).unwrap_or(u32::MAX));
        self.writer.write_all(text.as_bytes())
    }
}

/// A result as a program that opens the file leaves it. A long number would be saved again as `1.1261E+14`.
fn as_shown(name: &str, value: &str) -> String {
    let is_number =
        LONG_NUMBERS.contains(&name) && !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { format!("=\"{value}\"") } else { value.to_owned() }
}

/// A value that no spreadsheet program computes: what begins like a formula gets an apostrophe before it, unless it is a
/// number, or the `="0012"` by which programs keep digits as text.
pub(crate) fn neutral(value: &str) -> String {
    let risky = value.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let number = value.strip_prefix(['+', '-']).is_some_and(|rest| {
        !rest.is_empty() && rest.chars().all(|letter| letter.is_ascii_digit() || matches!(letter, '.' | ','))
    });
    let kept_as_text = value.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"')).is_some_and(|inner| {
        inner.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, ' ' | '/' | '.' | '-'))
    });
    if risky && !number && !kept_as_text { format!("'{value}") } else { value.to_owned() }
}

fn quoted(out: &mut String, value: &str, delimiter: char) {
    if value.contains([delimiter, '"', '\n', '\r']) || value.starts_with(' ') || value.ends_with(' ') {
        // Writing to memory cannot fail.
        _ = write!(out, "\"{}\"", value.replace('"', "\"\""));
    } else {
        out.push_str(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_like_a_formula_is_made_harmless_and_numbers_stay_numbers() {
        for (value, expected) in [
            ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
            ("@SUM(1)", "'@SUM(1)"),
            ("+91-98450", "'+91-98450"),
            ("-12.50", "-12.50"),
            ("-1,23,456.00", "-1,23,456.00"),
            ("=\"0012\"", "=\"0012\""),
            ("=\"\"&cmd\"", "'=\"\"&cmd\""),
            ("plain", "plain"),
            ("\tx", "'\tx"),
            ("-", "'-"),
        ] {
            assert_eq!(neutral(value), expected);
        }
    }

    #[test]
    fn values_are_quoted_where_they_must_be() {
        let mut out = String::new();
        for value in ["a", "a;b", "say \"no\"", "two\nlines", " x"] {
            quoted(&mut out, value, ';');
            out.push('|');
        }
        assert_eq!(out, "a|\"a;b\"|\"say \"\"no\"\"\"|\"two\nlines\"|\" x\"|");
    }
}
