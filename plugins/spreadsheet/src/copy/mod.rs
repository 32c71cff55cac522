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
mod package;
mod plan;
mod quiet;
mod values;

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io;
use std::ops::ControlFlow;
use std::path::Path;

use einvoice_file_drop::{Encoding, beside, finish};

pub(crate) use self::answer::{Answer, Place, State};
pub(crate) use self::base::Base;
use crate::book::{Book, BookError, Line, TextSettings, is_damage};
use crate::builtin::RESULTS;

/// Widths of the columns of results, in characters.
const RESULT_WIDTHS: [f64; RESULTS.len()] = [16.0, 24.0, 18.0, 19.0, 16.0, 15.0, 19.0, 19.0, 11.0, 19.0, 14.0, 60.0];

/// Endings of text files.
pub(crate) const TEXT_ENDINGS: [&str; 3] = ["csv", "tsv", "txt"];

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
    Io(io::Error),
    /// The workbook to copy.
    #[error("{0}")]
    Base(String),
    /// The library that writes workbooks.
    #[error("{0}")]
    Xlsx(#[from] rust_xlsxwriter::XlsxError),
}

impl From<io::Error> for CopyError {
    fn from(error: io::Error) -> Self {
        if is_damage(&error) { Self::Base(format!("the workbook is damaged: {error}")) } else { Self::Io(error) }
    }
}

impl From<zip::result::ZipError> for CopyError {
    fn from(error: zip::result::ZipError) -> Self {
        match error {
            zip::result::ZipError::Io(error) => error.into(),
            other => Self::Base(format!("the workbook cannot be packed or unpacked: {other}")),
        }
    }
}

impl From<BookError> for CopyError {
    fn from(error: BookError) -> Self {
        match error {
            BookError::Io(error) => error.into(),
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

/// Tells a base where the headings of its answers are. One that has none, or breaks off, cannot be copied, and its results
/// are owed all the same: they become a list.
pub(crate) fn learn(base: &mut Base, answers: &BTreeMap<String, Answer>) -> Result<(), CopyError> {
    match base.learn(answers.values().filter_map(|answer| answer.place.as_ref())) {
        Err(CopyError::Base(_)) if !base.is_target() => *base = Base::list(),
        learnt => learnt?,
    }
    if !base.has_headings() {
        *base = Base::list();
    }
    Ok(())
}

/// Writes a copy of `base` with answers, wholly or not at all. Nothing is written when the base has them already.
///
/// A workbook whose parts can be kept is written as it is with the answers in it. Of any other form the values become a
/// workbook first, into which the answers are written in the same way.
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
    let file = if is_text(target) {
        csv_file::write(file, base, &plan)?
    } else {
        let codes = base.codes(&plan, settings);
        let codes_sheet = base.codes_sheet().map(str::to_owned);
        if let Some(package) = base.take_package() {
            package::write(file, package, plan, codes.as_deref(), codes_sheet.as_deref())?
        } else {
            let values = values::write(beside(target)?, base)?;
            let package = package::Package::open(values.path())?;
            package::write(file, package, plan, codes.as_deref(), None)?
        }
    };
    // Windows replaces no file that is open, and the old copy may be.
    base.close();
    Ok(finish(file, target)?)
}

/// Whether a copy of this name is a text file.
pub(crate) fn is_text(target: &Path) -> bool {
    let ending = target.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    TEXT_ENDINGS.iter().any(|text| text.eq_ignore_ascii_case(ending))
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
