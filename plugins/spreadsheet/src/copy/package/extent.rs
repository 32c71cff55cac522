//! How far a sheet goes, and what its cells look like, before it is changed.

use std::collections::{BTreeSet, HashMap};
use std::io::BufRead;

use quick_xml::events::Event;

use super::super::CopyError;
use super::cells;
use super::columns::Columns;
use super::events::{Input, attribute, column_of, repeats, row_of, row_style, style};
use super::xml::{broken, local};

/// What a sheet has, before it is changed.
#[derive(Debug, Default)]
pub(crate) struct Extent {
    /// Columns in use: cells with a value or a formula, and merged cells beside or below the headings.
    pub(crate) width: u32,
    pub(crate) last_row: u32,
    /// Looks of the cells asked for.
    pub(super) looks: HashMap<(u32, u32), u32>,
    /// Whether a formula stands in a column of results.
    pub(super) has_formulas: bool,
}

/// Looks a sheet through, to its end. Asks for the looks of cells, and whether a formula stands in one of `results`.
pub(super) fn extent(
    reader: impl BufRead,
    heading_row: u32,
    asked: &BTreeSet<(u32, u32)>,
    results: &[u32],
) -> Result<Extent, CopyError> {
    let mut input = Input::new(reader);
    let mut found = Extent::default();
    let (mut columns, mut row, mut column, mut of_row) = (Columns::default(), 0, 0, None);
    let (mut depth, mut data) = (0_usize, Data::Before);
    loop {
        match input.event()? {
            Event::Start(start) => match (depth, local(start.name().as_ref())) {
                (1, "cols") => columns = Columns::read(&mut input)?,
                (1, "sheetData") => {
                    data = data.begun()?;
                    depth += 1;
                }
                (2, "row") if data == Data::Within => {
                    row = row_of(&start, row)?;
                    (column, of_row) = (0, row_style(&start)?);
                    depth += 1;
                }
                (3, "c") if data == Data::Within => {
                    let at = column_of(&start, row, column)?;
                    column = at + 1;
                    if asked.contains(&(row, at)) {
                        found.looks.insert((row, at), style(&start)?.unwrap_or_default());
                    }
                    let has_formula = input.skip()?;
                    found.has_formulas |= has_formula && results.contains(&at);
                    found.width = found.width.max(at + 1);
                    found.last_row = row;
                }
                // What is foreign among rows and cells holds none.
                (2 | 3, _) if data == Data::Within => _ = input.skip()?,
                _ => depth += 1,
            },
            Event::Empty(start) => match (depth, local(start.name().as_ref())) {
                (1, "sheetData") => data = data.begun()?.ended(),
                (2, "row") if data == Data::Within && !repeats(&start, row)? => row = row_of(&start, row)?,
                (3, "c") if data == Data::Within => {
                    let at = column_of(&start, row, column)?;
                    column = at + 1;
                    if asked.contains(&(row, at)) {
                        found.looks.insert((row, at), style(&start)?.unwrap_or_default());
                    }
                }
                (2, "mergeCell") => {
                    let area = attribute(&start, "ref")?.and_then(|name| cells::area(&name));
                    if let Some((_, last)) = area.filter(|(_, last)| last.row >= heading_row) {
                        found.width = found.width.max(last.column + 1);
                    }
                }
                _ => {}
            },
            Event::End(_) => {
                depth = depth.saturating_sub(1);
                match depth {
                    0 if data == Data::Behind => return Ok(found),
                    0 => return Err(broken("the sheet has no place for rows")),
                    1 => data = data.ended(),
                    2 if data == Data::Within => missing_looks(&mut found, asked, row, of_row, &columns),
                    _ => {}
                }
            }
            _ => {}
        }
    }
}

/// Where a reader of a sheet is, seen from its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Data {
    Before,
    Within,
    Behind,
}

impl Data {
    /// They begin here.
    pub(super) fn begun(self) -> Result<Self, CopyError> {
        if self == Self::Before { Ok(Self::Within) } else { Err(broken("the sheet has two places for rows")) }
    }

    /// An element of the sheet ends here, which may be theirs.
    pub(super) const fn ended(self) -> Self {
        match self {
            Self::Before => Self::Before,
            Self::Within | Self::Behind => Self::Behind,
        }
    }
}

/// The looks of cells that a row does not have: of the row, else of the column.
fn missing_looks(found: &mut Extent, asked: &BTreeSet<(u32, u32)>, row: u32, of_row: Option<u32>, columns: &Columns) {
    for (row, column) in asked.range((row, 0)..(row + 1, 0)) {
        let look = of_row.or_else(|| columns.style(*column)).unwrap_or_default();
        found.looks.entry((*row, *column)).or_insert(look);
    }
}
