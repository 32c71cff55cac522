//! What is to be written over a workbook, before anything is.

use std::collections::{BTreeMap, HashMap};

use super::answer::{Mark, STATE_HEADING, State};
use super::package::Was;
use crate::builtin::RESULTS;

/// Headings of the columns of results and of the program's own.
pub(crate) fn headings() -> impl Iterator<Item = &'static str> {
    RESULTS.iter().copied().chain([STATE_HEADING])
}

/// By sheet.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) sheets: HashMap<String, SheetPlan>,
}

/// One sheet.
#[derive(Debug, Default)]
pub(crate) struct SheetPlan {
    pub(crate) heading_row: u32,
    /// Column of each result, and of the program's own, where the sheet has them.
    pub(crate) known: Vec<Option<u32>>,
    /// Documents with a new answer, by their first row.
    pub(crate) fresh: BTreeMap<u32, Fresh>,
    /// Cells to mark.
    pub(crate) marks: BTreeMap<(u32, u32), Mark>,
    /// Cells that were marked for these documents, with what they looked like before.
    pub(crate) cleared: BTreeMap<(u32, u32), Was>,
}

/// The answer to one document.
#[derive(Debug)]
pub(crate) struct Fresh {
    /// Values by [`RESULTS`].
    pub(crate) values: [String; RESULTS.len()],
    pub(crate) state: State,
    /// Type, number and date, in a list of results.
    pub(crate) named: Option<[String; 3]>,
}

impl Plan {
    /// Whether nothing new is to be written.
    pub(crate) fn is_empty(&self) -> bool {
        self.sheets.values().all(|sheet| sheet.fresh.is_empty())
    }
}

impl SheetPlan {
    /// Column of each result, and of the program's own: where they are, else behind the last in use.
    pub(crate) fn columns(&self, width: u32) -> Vec<u32> {
        let mut next = width;
        let mut column = |known: &Option<u32>| {
            known.unwrap_or_else(|| {
                next += 1;
                next - 1
            })
        };
        self.known.iter().map(&mut column).collect()
    }

    /// Headings that are missing, with the place of each among the results.
    pub(crate) fn missing(&self, columns: &[u32]) -> impl Iterator<Item = (usize, u32, &'static str)> {
        let all = self.known.iter().zip(columns).zip(headings()).enumerate();
        all.filter(|(_, ((known, _), _))| known.is_none()).map(|(at, ((_, column), text))| (at, *column, text))
    }
}
