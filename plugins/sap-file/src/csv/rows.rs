//! A file of rows to documents.

use std::collections::{HashMap, HashSet};
use std::io::{self, Read};

use einvoice_core::finding::Finding;

use super::grouping::Grouping;
use super::input::separator_of;
use super::table::Table;
use crate::config::CsvConfig;

/// One document of a file.
#[derive(Debug)]
pub(crate) struct Document {
    /// The line of its first row.
    pub(crate) line: u64,
    /// The record, or what is wrong with its rows.
    pub(crate) content: Result<String, Vec<Finding>>,
    /// Nothing behind it can be read.
    pub(crate) is_end: bool,
}

/// Reads a file, which `open` opens twice, and hands over its documents until `take` says to stop.
pub(crate) fn read<R: Read>(
    open: impl Fn() -> io::Result<R>,
    file: &str,
    config: &CsvConfig,
    known: &HashSet<String>,
    take: &mut dyn FnMut(Document) -> bool,
) -> io::Result<()> {
    let separator = match config.separator.and_then(|found| u8::try_from(found).ok()) {
        Some(separator) => separator,
        None => separator_of(open()?)?,
    };
    let mut table = match Table::open(open()?, separator, config)? {
        Ok(table) => table,
        Err(finding) => {
            end(1, finding.with_place(format!("{file}, line 1")), take);
            return Ok(());
        }
    };
    if let Err(finding) = table.layout.check(known, separator) {
        end(1, finding.with_place(format!("{file}, line 1")), take);
        return Ok(());
    }
    let torn = match Table::open(open()?, separator, config)? {
        Ok(table) => table.torn()?,
        Err(_) => HashMap::new(),
    };
    let layout = table.layout.clone();
    let mut grouping = Grouping::new(file, &layout, torn);
    loop {
        match table.row()? {
            None => {
                grouping.finish(take);
                return Ok(());
            }
            Some(Err(broken)) => {
                let place = format!("{file}, line {}", broken.line);
                if broken.ends {
                    grouping.spoil(&broken, place.clone());
                    grouping.finish(take);
                    end(broken.line, broken.finding.with_place(place), take);
                    return Ok(());
                }
                if !grouping.broken(*broken, place, take) {
                    return Ok(());
                }
            }
            Some(Ok(row)) => {
                if !grouping.row(row, take) {
                    return Ok(());
                }
            }
        }
    }
}

fn end(line: u64, finding: Finding, take: &mut dyn FnMut(Document) -> bool) {
    take(Document { line, content: Err(vec![finding]), is_end: true });
}

#[cfg(test)]
mod tests;
