//! Copies of workbooks with results: what stands in them, and how they are written.
//!
//! A copy has every row of its workbook at its place, the columns of results behind the last of its own, and one more
//! column for the program itself: which record the row answers, in which revision, and which cells are marked. That
//! column makes a copy whole: a later result is written into the copy as it stands, with whatever a person has done to it,
//! and a corrected copy that is dropped in again brings the results of its other documents along.

pub(crate) mod answer;
mod base;
mod csv_file;
mod marks;
mod xlsx;

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io;
use std::ops::ControlFlow;
use std::path::Path;

use einvoice_file_drop::{Encoding, beside, finish};

pub(crate) use self::answer::Answer;
pub(crate) use self::base::Base;
use crate::book::{Book, BookError, Line, TextSettings};

/// How copies are written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CopySettings {
    pub(crate) qr_pictures_max: u32,
}

/// Why a copy could not be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CopyError {
    /// The disk.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The workbook to copy.
    #[error("{0}")]
    Base(String),
    /// The library that writes workbooks.
    #[error("{0}")]
    Xlsx(#[from] rust_xlsxwriter::XlsxError),
}

impl From<BookError> for CopyError {
    fn from(error: BookError) -> Self {
        match error {
            BookError::Io(error) => Self::Io(error),
            BookError::Content { message, .. } => Self::Base(message),
        }
    }
}

/// Opens a copy or a workbook to be copied. A text file that is not UTF-8 is one of Windows, whatever the source that read
/// it was told: a copy must not lose its letters.
pub(crate) fn open(path: &Path) -> Result<Book, BookError> {
    let with = |encoding| Book::open(path, TextSettings { encoding, delimiter: None });
    let mut book = with(Encoding::Auto)?;
    if !book.has_lines() {
        return Ok(book);
    }
    let mut is_text = true;
    book.rows("", &mut |line| {
        is_text = !matches!(line, Line::Fault { readable: Some(_), .. });
        if is_text { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    if is_text { Ok(book) } else { with(Encoding::Windows1252) }
}

/// Writes a copy of `base` with answers, wholly or not at all. Nothing is written when the base has them already.
pub(crate) fn write(
    target: &Path,
    base: &mut Base,
    answers: BTreeMap<String, Answer>,
    settings: CopySettings,
) -> Result<(), CopyError> {
    let plan = base.plan(answers)?;
    if plan.is_empty() && base.is_target() {
        return Ok(());
    }
    let file = beside(target)?;
    let is_text = target.extension().is_some_and(|extension| !extension.eq_ignore_ascii_case("xlsx"));
    let file = if is_text { csv_file::write(file, base, &plan)? } else { xlsx::write(file, base, &plan, settings)? };
    Ok(finish(file, target)?)
}

/// Runs `work` while no other process writes into the folder: two workers that copy from one old content would lose one
/// of two results.
pub(crate) fn alone<T>(folder: &Path, work: impl FnOnce() -> Result<T, CopyError>) -> Result<T, CopyError> {
    fs::create_dir_all(folder)?;
    let lock = OpenOptions::new().create(true).truncate(false).write(true).open(folder.join(".einvoice.lock"))?;
    lock.lock()?;
    let result = work();
    lock.unlock()?;
    result
}
