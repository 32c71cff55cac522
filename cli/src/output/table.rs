//! Tables, and what becomes of them on a terminal that is too narrow.

use comfy_table::{ColumnConstraint, ContentArrangement, Table, TableStyle};

use super::{GAP, Output, READABLE_WIDTH, printable, wrap};
use crate::error::CliError;

/// A column of a table, and what becomes of it on a terminal that is too narrow for all of them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    heading: &'static str,
    narrow: Narrow,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Narrow {
    /// A key or a word that must not be broken.
    Keep,
    /// A text that may be wrapped.
    Wrap,
    /// Left out; the lowest rank goes first.
    LeaveOut(u8),
}

impl Column {
    /// Never broken.
    pub(crate) const fn keep(heading: &'static str) -> Self {
        Self { heading, narrow: Narrow::Keep }
    }

    /// Wrapped at words.
    pub(crate) const fn wrap(heading: &'static str) -> Self {
        Self { heading, narrow: Narrow::Wrap }
    }

    /// Left out where there is no room; the lowest rank goes first.
    pub(crate) const fn leave_out(heading: &'static str, rank: u8) -> Self {
        Self { heading, narrow: Narrow::LeaveOut(rank) }
    }
}

impl Output {
    /// Writes a table. A terminal that is too narrow gets the columns that matter most, each key in
    /// one piece; a file or a program gets all of them.
    ///
    /// # Errors
    /// [`CliError::Output`] when standard output cannot be written.
    pub(crate) fn table(
        &mut self,
        columns: &[Column],
        rows: impl IntoIterator<Item = Vec<String>>,
    ) -> Result<(), CliError> {
        let rows: Vec<Vec<String>> =
            rows.into_iter().map(|row| row.iter().map(|cell| printable(cell).into_owned()).collect()).collect();
        let left_out = self.width.map(|width| too_wide(columns, &rows, width)).unwrap_or_default();
        let shown = |index: &usize| !left_out.contains(index);
        let mut table = Table::new();
        table.load_style(TableStyle::new());
        if let Some(width) = self.width.and_then(|width| u16::try_from(width).ok()) {
            table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
        } else {
            table.set_content_arrangement(ContentArrangement::Disabled);
        }
        let kept = || columns.iter().enumerate().filter(|(index, _)| shown(index)).map(|(_, column)| column);
        table.set_header(kept().map(|column| column.heading.to_uppercase()));
        for row in rows {
            table.add_row(row.into_iter().enumerate().filter(|(index, _)| shown(index)).map(|(_, cell)| cell));
        }
        for (column, described) in table.column_iter_mut().zip(kept()) {
            column.set_padding((0, u16::try_from(GAP).unwrap_or_default()));
            if described.narrow != Narrow::Wrap {
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
        }
        for line in table.lines() {
            self.line(line.trim_end())?;
        }
        Ok(())
    }

    /// Writes a table without the columns that may be left out and have nothing in any row: a table that is read
    /// once, and compared with no other.
    ///
    /// # Errors
    /// [`CliError::Output`] when standard output cannot be written.
    pub(crate) fn lean_table(&mut self, columns: &[Column], mut rows: Vec<Vec<String>>) -> Result<(), CliError> {
        let says = |index: usize| rows.iter().any(|row| row.get(index).is_some_and(|cell| !cell.is_empty()));
        let kept: Vec<bool> = columns
            .iter()
            .enumerate()
            .map(|(index, column)| !matches!(column.narrow, Narrow::LeaveOut(_)) || says(index))
            .collect();
        let columns: Vec<Column> =
            columns.iter().zip(&kept).filter(|(_, kept)| **kept).map(|(column, _)| *column).collect();
        for row in &mut rows {
            let mut kept = kept.iter();
            row.retain(|_| kept.next().copied().unwrap_or(true));
        }
        self.table(&columns, rows)
    }

    /// Whether the terminal is too narrow for this column of a table.
    pub(crate) fn leaves_out(&self, columns: &[Column], rows: &[Vec<String>], index: usize) -> bool {
        self.width.is_some_and(|width| too_wide(columns, rows, width).contains(&index))
    }
}

/// Which columns a terminal of this width has no room for.
fn too_wide(columns: &[Column], rows: &[Vec<String>], width: usize) -> Vec<usize> {
    let content = |index: usize| {
        let cells = rows.iter().filter_map(|row| row.get(index));
        cells.map(|cell| wrap::columns(cell)).max().unwrap_or_default()
    };
    let needed = |(index, column): (usize, &Column)| match column.narrow {
        // Two words side by side are the least that a text can be read in.
        Narrow::Wrap => content(index).max(column.heading.len()).min(READABLE_WIDTH / 4) + GAP,
        _ => content(index).max(column.heading.len()) + GAP,
    };
    let mut total: usize = columns.iter().enumerate().map(needed).sum();
    let mut sparable: Vec<(bool, u8, usize)> = columns
        .iter()
        .enumerate()
        .filter_map(|(index, column)| match column.narrow {
            // What is empty says nothing, so it goes before everything else.
            Narrow::LeaveOut(rank) => Some((content(index) > 0, rank, index)),
            _ => None,
        })
        .collect();
    sparable.sort_unstable();
    let mut left_out = Vec::new();
    for (_, _, index) in sparable {
        // The gap after the last column needs no room.
        if total.saturating_sub(GAP) <= width {
            break;
        }
        total = total.saturating_sub(columns.get(index).map_or(0, |column| needed((index, column))));
        left_out.push(index);
    }
    left_out
}

#[cfg(test)]
mod tests {
    use super::super::tests::written;
    use super::*;

    #[test]
    fn a_narrow_terminal_gets_the_columns_that_matter_most_in_one_piece() {
        let columns = [
            Column::keep("document"),
            Column::keep("state"),
            Column::leave_out("empty", 9),
            Column::leave_out("source", 1),
            Column::leave_out("ack no", 2),
        ];
        let cells = ["29AABCE1234F1Z1/2026-27/INV/A/1", "registered", "", "billing", "112600000000001"];
        let row = || vec![cells.map(str::to_owned).to_vec()];
        let headings = |width| {
            let text = written(width, |output| output.table(&columns, row()).unwrap());
            assert_eq!(text.lines().count(), 2, "{text}");
            assert!(text.lines().all(|line| line.len() <= width.unwrap_or(usize::MAX)), "{text}");
            text.lines().next().unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(headings(None), "DOCUMENT STATE EMPTY SOURCE ACK NO");
        assert_eq!(headings(Some(100)), "DOCUMENT STATE EMPTY SOURCE ACK NO");
        assert_eq!(headings(Some(70)), "DOCUMENT STATE SOURCE ACK NO");
        assert_eq!(headings(Some(60)), "DOCUMENT STATE ACK NO");
        assert_eq!(headings(Some(45)), "DOCUMENT STATE");
    }

    #[test]
    fn a_lean_table_has_no_column_that_says_nothing() {
        let columns = [Column::keep("about"), Column::leave_out("until", 1), Column::leave_out("left", 2)];
        let rows = |left: &str| vec![vec!["a".to_owned(), String::new(), left.to_owned()]; 2];
        assert_eq!(written(None, |output| output.lean_table(&columns, rows("")).unwrap()), "ABOUT\na\na\n");
        let text = written(None, |output| output.lean_table(&columns, rows("2 h")).unwrap());
        assert_eq!(text, "ABOUT  LEFT\na      2 h\na      2 h\n");
    }
}
