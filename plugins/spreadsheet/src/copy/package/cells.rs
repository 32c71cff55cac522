//! Names of cells and of areas: `B7`, `A1:C9`.

use crate::book::{COLUMNS_MAX, ROWS_MAX};
use crate::cell::letters;

/// A cell: its row from 1, its column from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Cell {
    pub(super) row: u32,
    pub(super) column: u32,
}

/// The name of a cell.
pub(super) fn name(cell: Cell) -> String {
    format!("{}{}", letters(cell.column), cell.row)
}

/// The cell of a name; nothing where a sheet has no such cell.
pub(super) fn parse(name: &str) -> Option<Cell> {
    let name = name.trim();
    let digits = name.find(|letter: char| letter.is_ascii_digit())?;
    let (column, row) = name.split_at(digits);
    let mut number: u32 = 0;
    for letter in column.bytes() {
        let letter = letter.to_ascii_uppercase();
        if !letter.is_ascii_uppercase() {
            return None;
        }
        number = number.checked_mul(26)?.checked_add(u32::from(letter - b'A') + 1)?;
    }
    let row = row.parse().ok().filter(|row| (1..=ROWS_MAX).contains(row))?;
    Some(Cell { row, column: number.checked_sub(1).filter(|column| *column < COLUMNS_MAX)? })
}

/// The first and the last cell of an area.
pub(super) fn area(name: &str) -> Option<(Cell, Cell)> {
    match name.split_once(':') {
        Some((first, last)) => Some((parse(first)?, parse(last)?)),
        None => parse(name).map(|cell| (cell, cell)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_to_cells_and_back() {
        for text in ["A1", "Z9", "AA10", "XFD1048576"] {
            assert_eq!(name(parse(text).unwrap()), text);
        }
        for text in ["", "A", "1", "A0", "?1", "$A$1", "AAAAAAAAAAAA1", "XFE1", "A1048577"] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(area("A1:B2").map(|(_, last)| name(last)).as_deref(), Some("B2"));
    }
}
